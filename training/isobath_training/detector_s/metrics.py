"""Mean average precision as nuScenes defines it (Caesar et al. 2020), to watch a training with.

`isobath evaluate` is what counts; it scores recordings and agrees with nuScenes' own code.
"""

import numpy as np

from .network import CLASSES

DISTANCES_M = (0.5, 1.0, 2.0, 4.0)
VEHICLES, VEHICLE_RANGE_M, OTHER_RANGE_M = ("car", "truck", "bus"), 50.0, 40.0


def in_range(boxes: np.ndarray) -> np.ndarray:
    """Of boxes (class, x, y, …) those that count."""
    limits = np.array([VEHICLE_RANGE_M if c in VEHICLES else OTHER_RANGE_M for c in CLASSES])
    return np.hypot(boxes[:, 1], boxes[:, 2]) < limits[boxes[:, 0].astype(int)]


def average_precision(frames: list[tuple[np.ndarray, np.ndarray]], label: int, distance_m: float) -> float:
    """Frames of (truth [b, ≥ 3], detections [d, 9]); NaN without truth."""
    total = sum(int((truth[:, 0] == label).sum()) for truth, _ in frames)
    if total == 0:
        return float("nan")
    found = [
        (box[8], number, box[1], box[2])
        for number, (_, detections) in enumerate(frames)
        for box in detections[detections[:, 0] == label]
    ]
    found.sort(key=lambda f: -f[0])
    truths = [truth[truth[:, 0] == label][:, 1:3] for truth, _ in frames]
    taken = [np.zeros(len(truth), bool) for truth in truths]
    hits = np.zeros(len(found))
    for place, (_, number, x, y) in enumerate(found):
        free = np.flatnonzero(~taken[number])
        if len(free) == 0:
            continue
        away = np.hypot(*(truths[number][free] - (x, y)).T)
        nearest = int(np.argmin(away))
        if away[nearest] < distance_m:
            taken[number][free[nearest]] = True
            hits[place] = 1
    if len(found) == 0:
        return 0.0
    positives = np.cumsum(hits)
    precision = positives / np.arange(1, len(found) + 1)
    recall = positives / total
    at = np.interp(np.linspace(0, 1, 101), recall, precision, right=0)
    return float(np.maximum(at[11:] - 0.1, 0).mean() / 0.9)


def mean_average_precision(frames: list[tuple[np.ndarray, np.ndarray]]) -> dict[str, float]:
    """AP of each class, and their mean over classes with truth."""
    frames = [(truth[in_range(truth)], detections[in_range(detections)]) for truth, detections in frames]
    ap = {
        name: float(np.mean([average_precision(frames, label, d) for d in DISTANCES_M]))
        for label, name in enumerate(CLASSES)
    }
    known = [value for value in ap.values() if not np.isnan(value)]
    return ap | {"map": float(np.mean(known)) if known else float("nan")}
