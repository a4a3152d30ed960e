"""LiDAR truth beside the dense truth of simulated recordings: python -m isobath_training.bag.check BAG…"""

import sys
from pathlib import Path

import numpy as np

from .export import Exporter
from .recording import open_recording
from .truth import hidden, nearest

SIZE = (240, 320)
# Behind everything about it by this share, a point is hidden; this near to the truth it is right.
BEHIND, RIGHT = 0.1, 0.03


def check(bag: Path) -> dict[str, float]:
    """Shares and the median error, over all images of a simulated bag."""
    recording = open_recording(bag, {})
    exporter = Exporter(recording, SIZE, 1.0)
    truths = []
    for _, message in recording.messages("/truth/depth"):
        dense = np.frombuffer(message.data, "<f4").reshape(message.height, message.width)
        truths.append((recording.seconds(message.header.stamp), dense))
    sums, errors = np.zeros(6), []
    for _, message, sweeps in exporter.images(1):
        time_s = recording.seconds(message.header.stamp)
        points = exporter.points(message.header.frame_id, time_s, sweeps)
        dense = next((dense for at, dense in truths if abs(at - time_s) < 1e-6), None)
        if points is None or dense is None:
            continue
        image = nearest(points, exporter.camera, SIZE)
        known, gone = np.isfinite(image), hidden(image)
        near, middle, far = around(dense)
        behind = known & (image > (1 + BEHIND) * far)
        right = known & (image <= (1 + RIGHT) * far) & (image >= (1 - RIGHT) * near)
        counts = (known, behind, behind & gone, right, right & gone)
        sums += [known.size, *(mask.sum() for mask in counts)]
        kept = known & ~gone & np.isfinite(middle)
        errors.append(np.abs(image[kept] / middle[kept] - 1))
    if not errors:
        raise SystemExit(f"{bag}: expected images with /truth/depth, found none")
    pixels, known, behind, found, right, lost = sums
    return {
        "known": known / pixels,
        "median_error": float(np.median(np.concatenate(errors))),
        "hidden": behind / known,
        "hidden_dropped": found / max(behind, 1),
        "right_dropped": lost / max(right, 1),
    }


def around(dense: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Nearest, middle and farthest depth: of the pixels within each pixel of `SIZE`, the farthest also of those about it."""
    a, b = (n // m for n, m in zip(dense.shape, SIZE, strict=True))
    cells = dense.reshape(SIZE[0], a, SIZE[1], b).swapaxes(1, 2).reshape(*SIZE, a * b)
    far = np.pad(cells.max(-1), 1, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(far, (3, 3))
    return cells.min(-1), np.median(cells, -1), windows.max((-1, -2))


if __name__ == "__main__":
    for name in sys.argv[1:]:
        figures = {key: f"{value:.2%}" for key, value in check(Path(name)).items()}
        print(Path(name).name, figures)
