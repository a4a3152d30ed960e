"""The model folder of a downloaded checkpoint."""

import math
from pathlib import Path

import numpy as np

from ..arrays import Joined
from ..folder import Folder, run
from .export import SIZE, check_size, input_names, to_onnx
from .inputs import discs, network_inputs
from .network import VARIANTS, DepthVit, load
from .pruning import is_pruned
from .quantize import quantize

# Frames that tell the ranges of the convolutions' inputs.
CALIBRATION_FRAMES = 24
# Nearest depth that is taken for one, metres.
NEAREST_M = {"depth_rmv_vits": 0.19983673095703125, "depth_da2_vits": 0.1}
FP32_TOLERANCE = {"abs": 0.01, "rel": 0.005}
# Metres, and units of confidence, that count as nothing beside the relative tolerance of INT8.
INT8_ABS = 0.1


def sample(network: DepthVit, size: tuple[int, int]) -> dict[str, np.ndarray]:
    """Inputs made here: a floor before a wall, with a few returns."""
    rows, columns = size
    row, column = np.mgrid[:rows, :columns].astype(np.float32)
    shade = np.where(row > 0.55 * rows, row / rows, 0.3 + 0.2 * np.sin(column / 9) * np.sin(row / 7))
    pixels = np.round(np.stack([shade, 0.9 * shade, 0.2 + 0.6 * shade]).clip(0, 1) * 255) / 255
    mean, std = (np.array(v).reshape(3, 1, 1) for v in (network.variant.mean, network.variant.std))
    inputs = {"image": ((pixels - mean) / std).astype(np.float32)[None]}
    random = np.random.Generator(np.random.PCG64(7))
    u, v, z = random.uniform(0.1, 0.9, (3, 20))
    prior = discs(np.rint(u * columns), np.rint(v * rows), 20 * z, size)
    return inputs | {"prior": prior[None, None]} if "prior" in input_names(network) else inputs


def folder(
    name: str,
    checkpoint: Path,
    data: list[Path] | None,
    *,
    size: tuple[int, int] = SIZE,
    dynamic: bool = False,
    max_m: float | None = None,
    compressed: bool = False,
) -> Folder:
    """`data` are frames to calibrate the INT8 convolutions with; without them these stay FP32."""
    check_size(size)
    variant = VARIANTS[name]
    network = load(checkpoint, variant, max_m)
    pruned = is_pruned(network)
    model = to_onnx(network, size, dynamic=dynamic)
    frames = list(calibration(data, network, size)) if data else []
    models = {"fp32": model, "int8": quantize(model, frames)}
    golden = frames[0] if frames else sample(network, size)
    expected, found = (run(m.SerializeToString(), golden) for m in models.values())
    relative = np.abs(found["depth"] / expected["depth"] - 1)
    worst = max(
        float(((np.abs(found[n] - expected[n]) - INT8_ABS) / np.abs(expected[n])).max()) for n in expected
    )
    manifest = {
        "kind": "depth",
        "architecture": "DINOv2 ViT-S/14 with DPT head" + (", two of four weights zero" if pruned else ""),
        "depth": {
            "min_m": NEAREST_M[name],
            "max_m": network.max_m,
            "mean": list(variant.mean),
            "std": list(variant.std),
            "fusion": variant.fusion,
            "uses_prior": variant.channels == 4,
            "prior": "discs",
        },
        "licence": "NOASSERTION",
        "training_data": f"that of {checkpoint.name}",
        "measured": {
            "int8_from_fp32_median_ratio": float(np.median(relative)),
            "int8_from_fp32_p90_ratio": float(np.quantile(relative, 0.9)),
        },
    }
    # Half as much again as here: other processors round elsewhere.
    tolerance = {
        "fp32": FP32_TOLERANCE,
        "int8": {"abs": INT8_ABS, "rel": math.ceil(150 * max(worst, 0.02)) / 100},
    }
    card = CARD.format(
        name=name,
        checkpoint=checkpoint.name,
        rows=size[0],
        columns=size[1],
        max_m=network.max_m,
        inputs=PRIOR.format(rows=size[0], columns=size[1]) if variant.channels == 4 else "",
        confidence=CONFIDENCE if variant.outputs > 1 else NO_CONFIDENCE,
        pruned=" Of every four weights of a layer two are zero." if pruned else "",
        free=" Rows and columns are free in the files." if dynamic else "",
        convolutions="static, calibrated on frames"
        if frames
        else "FP32, as no frames to calibrate with were given",
        median=100 * np.median(relative),
        p90=100 * np.quantile(relative, 0.9),
        on="a frame" if frames else "a made-up image",
    )
    return Folder(models, golden, manifest, tolerance, card, compressed=compressed)


def calibration(data: list[Path], network: DepthVit, size: tuple[int, int]):
    arrays = Joined(data)
    if arrays.held_back():
        raise SystemExit(
            f"{', '.join(map(str, data))}: seeds of validation and test must not be calibrated on"
        )
    stride = max(1, len(arrays) // CALIBRATION_FRAMES)
    chosen = range(0, len(arrays), stride)[:CALIBRATION_FRAMES]
    return network_inputs(arrays, chosen, network.variant, size)


PRIOR = "; `prior` [1, 1, {rows}, {columns}], metres of the nearest return, 0 = none"
CONFIDENCE = "`confidence`, by which the runtime blends the depth with the mean of the prior, as the network was trained"
NO_CONFIDENCE = "`confidence`, 1 everywhere: this network states none"
CARD = """# {name}

Metric depth by the weights in `{checkpoint}`, which somebody else trained: their licence and their training data are those of that file.

- **In**: `image` [1, 3, {rows}, {columns}]{inputs}. Both sizes are multiples of 14.{free}
- **Out**: `depth` in metres, up to {max_m:g}; {confidence}.
- **How**: DINOv2 ViT-S/14 and a DPT head.{pruned}
- **INT8**: products with weights scaled as they come; convolutions {convolutions}. On {on} its depth differs from FP32 by {median:.1f} % in the median, {p90:.1f} % at the ninetieth percentile.
- **Limits**: the network knows no focal length: its scale is right for cameras like those it was trained with. The sky comes out as a large depth, not as none.

Made by `python -m isobath_training export --model {name} --checkpoint {checkpoint}`.
"""
