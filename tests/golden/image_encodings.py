#!/usr/bin/env python3
"""Writes image_encodings.json: images in every encoding that is read, and what OpenCV and NumPy read in them.

    pip install numpy==2.4.6 opencv-python-headless==5.0.0.93 pillow==13.0.0
    python tests/golden/image_encodings.py

Pillow only writes the two files that OpenCV cannot: a PNG with a palette and a JPEG in print colours. RVL streams are
written here, after A. D. Wilson, "Fast Lossless Depth Image Compression" (2017).
"""

import io
import json
import struct
from pathlib import Path

import cv2
import numpy as np
from depth_resize import axis
from PIL import Image

MEAN, STD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
WIDTH, HEIGHT = 14, 6
# Both axes averaged, one over footprints that cut pixels; both bilinear, smaller; larger; one of each.
TENSORS = [(5, 2), (11, 5), (16, 7), (4, 7)]


def tensor(rgb, size):
    rows, columns = axis(rgb.shape[0], size[1]), axis(rgb.shape[1], size[0])
    values = np.einsum("yh,xw,hwc->cyx", rows, columns, (rgb / 255.0 - MEAN) / STD)
    return {"size": size, "values": np.round(values, 5).ravel().tolist()}


def colour(encoding, data, rgb, size=(WIDTH, HEIGHT), big_endian=False):
    assert rgb.shape == (size[1], size[0], 3) and rgb.dtype == np.uint8
    return {
        "encoding": encoding,
        "width": size[0],
        "height": size[1],
        "big_endian": big_endian,
        "data": data.tobytes().hex(),
        "rgb": rgb.tobytes().hex(),
        "tensors": [tensor(rgb, target) for target in TENSORS],
    }


def colours(rng):
    def noise(*shape):
        return rng.integers(0, 256, shape, dtype=np.uint8)

    rgb = noise(HEIGHT, WIDTH, 3)
    alpha = noise(HEIGHT, WIDTH, 1)
    grey = noise(HEIGHT, WIDTH)
    grey16 = rng.integers(0, 65536, (HEIGHT, WIDTH), dtype=np.uint16)
    yield colour("rgb8", rgb, rgb)
    yield colour("bgr8", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), rgb)
    yield colour("rgba8", np.concatenate([rgb, alpha], 2), rgb)
    yield colour("bgra8", np.concatenate([rgb[..., ::-1], alpha], 2), rgb)
    yield colour("mono8", grey, cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB))
    high = np.repeat((grey16 >> 8).astype(np.uint8)[..., None], 3, 2)
    yield colour("mono16", grey16.astype("<u2"), high)
    yield colour("mono16", grey16.astype(">u2"), high, big_endian=True)
    for names, code in [
        (["yuyv", "yuv422_yuy2"], cv2.COLOR_YUV2RGB_YUY2),
        (["uyvy", "yuv422"], cv2.COLOR_YUV2RGB_UYVY),
    ]:
        packed = noise(HEIGHT, WIDTH, 2)
        for name in names:
            yield colour(name, packed, cv2.cvtColor(packed, code))
    for name, code in [("nv12", cv2.COLOR_YUV2RGB_NV12), ("nv21", cv2.COLOR_YUV2RGB_NV21)]:
        planes = noise(HEIGHT * 3 // 2, WIDTH)
        yield colour(name, planes, cv2.cvtColor(planes, code))
    for pattern in ["RGGB", "BGGR", "GBRG", "GRBG"]:
        code = getattr(cv2, f"COLOR_Bayer{pattern}2RGB")
        yield colour(f"bayer_{pattern.lower()}8", grey, cv2.cvtColor(grey, code))
    # The smallest mosaic has but one pixel of each colour that is not at the border.
    small = noise(4, 4)
    yield colour("bayer_rggb8", small, cv2.cvtColor(small, cv2.COLOR_BayerRGGB2RGB), size=(4, 4))


def numbers(values):
    """Metres for JSON, which has neither NaN nor infinity."""
    return [str(v) if not np.isfinite(v) else float(v) for v in values.ravel()]


def millimetres(values):
    return np.where(values == 0, np.float32(np.nan), values.astype(np.float32) * np.float32(1e-3))


def holes(rng, shape):
    """Depth in millimetres with single holes, long ones, and the largest steps there can be."""
    depth = rng.integers(300, 9000, shape, dtype=np.uint16)
    depth[rng.uniform(size=shape) < 0.2] = 0
    depth[0] = 0
    depth[2, ::2], depth[2, 1::2] = 1, 65535
    depth[-1, -3:] = 0
    return depth


def depths(rng):
    millimetre = holes(rng, (6, 13))
    metre = rng.uniform(0.2, 60, (6, 13)).astype(np.float32)
    metre[1, :4] = [np.nan, np.inf, -np.inf, 0]
    for encoding, values, depth_m in [
        ("16UC1", millimetre, millimetres(millimetre)),
        ("mono16", millimetre, millimetres(millimetre)),
        ("32FC1", metre, metre),
    ]:
        for order in "<>":
            data = values.astype(values.dtype.newbyteorder(order))
            yield {
                "encoding": encoding,
                "width": 13,
                "height": 6,
                "big_endian": order == ">",
                "data": data.tobytes().hex(),
                "depth_m": numbers(depth_m),
            }


def encode(extension, image, *options):
    done, data = cv2.imencode(extension, image, options)
    assert done
    return data.tobytes()


def read_rgb(data):
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if image.dtype == np.uint16:
        image = (image >> 8).astype(np.uint8)
    if image.ndim == 2:
        return cv2.cvtColor(image, cv2.COLOR_GRAY2RGB)
    return np.ascontiguousarray(image[..., :3][..., ::-1])


def pillow(image, kind, mode):
    buffer = io.BytesIO()
    image.convert(mode).save(buffer, kind)
    return buffer.getvalue()


def files(rng):
    y, x = np.mgrid[0:18, 0:20]
    rgb = np.stack([40 + 6 * x, 220 - 8 * y, 30 + 3 * x + 4 * y], 2).astype(np.uint8)
    bgr, grey = np.ascontiguousarray(rgb[..., ::-1]), rgb[..., 0]
    wide = rng.integers(0, 65536, (5, 7, 3), dtype=np.uint16)
    alpha = rng.integers(0, 256, (5, 7, 4), dtype=np.uint8)
    jpeg, quality = ".jpg", (cv2.IMWRITE_JPEG_QUALITY, 95)
    swapped = encode(jpeg, rgb, *quality)
    palette = pillow(Image.fromarray(rgb).quantize(16), "PNG", "P")
    # Decoders of JPEG differ in the last bits of their cosines and in how they enlarge chroma.
    for format, data, expected, tolerance in [
        ("jpeg", encode(jpeg, bgr, *quality), None, 6),
        ("bgr8; jpeg compressed bgr8", encode(jpeg, bgr, *quality, cv2.IMWRITE_JPEG_PROGRESSIVE, 1), None, 6),
        ("rgb8; jpeg compressed bgr8", encode(jpeg, bgr, *quality), None, 6),
        ("rgb8; jpeg compressed rgb8", swapped, read_rgb(swapped)[..., ::-1], 6),
        ("mono8; jpeg compressed ", encode(jpeg, grey, *quality), None, 2),
        ("rgb8; png compressed bgr8", encode(".png", bgr), None, 0),
        ("mono8; png compressed ", encode(".png", grey), None, 0),
        ("mono16; png compressed ", encode(".png", wide[..., 0]), None, 0),
        ("rgb16; png compressed bgr16", encode(".png", wide), None, 0),
        ("bgra8; png compressed bgra8", encode(".png", alpha), None, 0),
        ("png", palette, None, 0),
    ]:
        expected = read_rgb(data) if expected is None else expected
        yield {
            "format": format,
            "data": data.hex(),
            "width": expected.shape[1],
            "height": expected.shape[0],
            "rgb": np.ascontiguousarray(expected).tobytes().hex(),
            "tolerance": tolerance,
        }


def refused_files():
    grey = np.arange(64, dtype=np.uint8).reshape(8, 8)
    cmyk = pillow(Image.fromarray(np.stack([grey] * 3, 2)), "JPEG", "CMYK")
    yield {"format": "bgr8; jpeg compressed bgr8", "data": cmyk.hex(), "reason": "found CMYK"}
    mosaic = encode(".png", grey)
    reason = "expected colour, found the mosaic of bayer_rggb8"
    yield {"format": "bayer_rggb8; png compressed ", "data": mosaic.hex(), "reason": reason}
    yield {"format": "16UC1; compressedDepth png", "data": mosaic.hex(), "reason": "found a depth image"}
    yield {"format": "jpeg", "data": mosaic.hex(), "reason": "compressed image (jpeg, "}


def rvl(values):
    nibbles = []

    def number(value):
        while value > 7:
            nibbles.append(value & 7 | 8)
            value >>= 3
        nibbles.append(value)

    values, at, last = values.ravel().tolist(), 0, 0
    while at < len(values):
        for is_zero in [True, False]:
            end = at
            while end < len(values) and (values[end] == 0) == is_zero:
                end += 1
            number(end - at)
            if not is_zero:
                for value in values[at:end]:
                    number(2 * (value - last) if value >= last else -2 * (value - last) - 1)
                    last = value
            at = end
    nibbles += [0] * (-len(nibbles) % 8)
    words = ["".join(f"{n:x}" for n in nibbles[i : i + 8]) for i in range(0, len(nibbles), 8)]
    return b"".join(struct.pack("<I", int(word, 16)) for word in words)


def compressed_depths(rng):
    def rvl_file(values):
        return struct.pack("<II", values.shape[1], values.shape[0]) + rvl(values)

    def png_file(values):
        return encode(".png", values)

    millimetre = holes(rng, (6, 24))
    empty = np.zeros((9, 11), np.uint16)
    metre = rng.uniform(0.3, 9.9, (6, 24)).astype(np.float32)
    metre[0, 5:] = np.nan
    quantisation, farthest = np.float32(100), np.float32(10)
    a = quantisation * (quantisation + 1)
    b = 1 - a / farthest
    with np.errstate(divide="ignore", invalid="ignore"):
        inverse = np.where(np.isnan(metre), 0, a / metre + b).astype(np.uint16)
        read_m = np.where(inverse == 0, np.float32(np.nan), a / (inverse.astype(np.float32) - b))
    assert np.nanmax(np.abs(read_m - metre) / metre) < 0.02
    for format, encoding, file, values, depth_m in [
        ("16UC1; compressedDepth", "16UC1", png_file, millimetre, millimetres(millimetre)),
        ("16UC1; compressedDepth png", "16UC1", png_file, millimetre, millimetres(millimetre)),
        ("16UC1; compressedDepth rvl", "16UC1", rvl_file, millimetre, millimetres(millimetre)),
        ("16UC1; compressedDepth rvl", "16UC1", rvl_file, empty, millimetres(empty)),
        ("32FC1; compressedDepth", "32FC1", png_file, inverse, read_m),
        ("32FC1; compressedDepth png", "32FC1", png_file, inverse, read_m),
        ("32FC1; compressedDepth rvl", "32FC1", rvl_file, inverse, read_m),
    ]:
        parameters = (a, b) if encoding == "32FC1" else (0, 0)
        yield {
            "format": format,
            "data": (struct.pack("<iff", 0, *parameters) + file(values)).hex(),
            "width": values.shape[1],
            "height": values.shape[0],
            "depth_m": numbers(depth_m.astype(np.float32)),
        }


def main():
    rng = np.random.default_rng(7)
    golden = {
        "opencv": cv2.__version__,
        "numpy": np.__version__,
        "colours": list(colours(rng)),
        "depths": list(depths(rng)),
        "files": list(files(rng)),
        "refused_files": list(refused_files()),
        "compressed_depths": list(compressed_depths(rng)),
    }
    Path(__file__).with_suffix(".json").write_text(json.dumps(golden) + "\n")


if __name__ == "__main__":
    main()
