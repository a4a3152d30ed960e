"""What the confidence of depth is worth, pixel by pixel.

Confidence is to be the probability that the relative error of a pixel is below 10 %. Its expected calibration error
(Guo et al. 2017) is the mean, over ten bins of equal width weighted by their pixels, of how far the share of pixels
within 10 % is from the mean confidence; Spearman's correlation is that of the ranks of confidence and error.
"""

import numpy as np
from rosbags.highlevel import AnyReader

NEAREST_M, FARTHEST_M = 0.2, 80.0
WITHIN = 0.1
BINS = 10
# Every so many pixels of an image, in rows of the image one behind the other: neighbours tell the same.
STRIDE = 7


def images(path, topic):
    """Images of 32-bit floats by stamp."""
    found = {}
    with AnyReader([path]) as reader:
        connections = [connection for connection in reader.connections if connection.topic == topic]
        for connection, _, raw in reader.messages(connections=connections):
            message = reader.deserialize(raw, connection.msgtype)
            if message.encoding != "32FC1":
                raise SystemExit(f"{path}, {topic}: expected 32FC1, found {message.encoding}")
            stamp = (message.header.stamp.sec, message.header.stamp.nanosec)
            order = ">f4" if message.is_bigendian else "<f4"
            rows = message.data.reshape(message.height, message.step)[:, : 4 * message.width]
            found[stamp] = np.ascontiguousarray(rows).view(order).astype(np.float32)
    return found


def pixels(run, bag):
    """Confidence and relative error of the pixels that have both."""
    truth = images(bag, "/truth/depth")
    depth, confidence = images(run / "outputs.mcap", "/depth/image"), images(run / "outputs.mcap", "/depth/confidence")
    pairs = []
    for stamp, true in truth.items():
        if stamp not in depth or stamp not in confidence:
            continue
        if not depth[stamp].shape == confidence[stamp].shape == true.shape:
            raise SystemExit(f"{run}: expected depth of {true.shape}, found {depth[stamp].shape}")
        values = [image.ravel()[::STRIDE] for image in (true, depth[stamp], confidence[stamp])]
        true, found, sure = values
        usable = (true >= NEAREST_M) & (true <= FARTHEST_M) & np.isfinite(found) & (found > 0) & np.isfinite(sure)
        true, found, sure = true[usable], found[usable], sure[usable]
        pairs.append(np.stack([sure, np.abs(found - true) / true]))
    return np.concatenate(pairs, axis=1) if pairs else np.empty((2, 0), np.float32)


def ranks(values):
    """From 1; equal values share the mean of theirs."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    return (last - (count - 1) / 2)[place]


def figures(pairs):
    confidence, error = pairs
    if confidence.size < 2:
        return {"pixels": int(confidence.size), "ece": None, "spearman": None}
    place = np.clip((confidence * BINS).astype(int), 0, BINS - 1)
    count = np.bincount(place, minlength=BINS)
    right = np.bincount(place, weights=error < WITHIN, minlength=BINS)
    told = np.bincount(place, weights=confidence, minlength=BINS)
    ece = float(np.abs(right - told).sum() / count.sum())
    a, b = ranks(confidence), ranks(error)
    spread = a.std() * b.std()
    spearman = float(((a - a.mean()) * (b - b.mean())).mean() / spread) if spread > 0 else None
    return {"pixels": int(confidence.size), "ece": ece, "spearman": spearman}


def calibration(runs, recordings):
    """Figures by scene and pooled; runs are in the order of the recordings."""
    runs = iter(runs)
    by_scene = {
        scene: np.concatenate([pixels(next(runs), bag) for bag in bags], axis=1) for scene, bags in recordings.items()
    }
    result = {scene: figures(pairs) for scene, pairs in by_scene.items()}
    result["pooled"] = figures(np.concatenate(list(by_scene.values()), axis=1))
    return result
