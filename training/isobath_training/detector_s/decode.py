"""What the pillars say → boxes, as the runtime decodes it (`src/detection/pillar_head.rs`)."""

import numpy as np

from .features import Grid, ground_at
from .network import CLASSES

# Metres within which the lower of two scores of a class goes.
RADIUS_M = (2.0, 3.0, 4.0, 0.8, 0.5, 1.2, 0.7)
LEAST_SCORE, MOST = 0.05, 500


def decode(
    outputs: np.ndarray,
    coords: np.ndarray,
    near: np.ndarray,
    plane: np.ndarray,
    grid: Grid,
    *,
    least: float = LEAST_SCORE,
    radius_m: tuple[float, ...] = RADIUS_M,
) -> np.ndarray:
    """[v, classes + 1 + BOX] → [d, 9]: class, x y z, length width height, yaw, score; best first.

    A pillar speaks for a class when no active pillar around it has a higher score.
    """
    n = len(CLASSES)
    scores = 1 / (1 + np.exp(-outputs[:, :n].astype(np.float64)))
    if len(scores) == 0:
        return np.zeros((0, 9))
    padded = np.concatenate([scores, np.full((1, n), -1.0)])
    peak = (scores >= least) & (scores >= padded[near].max(1))
    site, label = np.nonzero(peak)
    score = scores[site, label]
    box = outputs[site, n + 1 :].astype(np.float64)
    x, y = ((coords[site] + 0.5 + box[:, :2]) * grid.pillar_m - grid.range_m).T
    order = np.lexsort((site, label, -score))
    kept: list[int] = []
    for label_of in range(n):
        mine = [i for i in order if label[i] == label_of]
        places = np.zeros((0, 2))
        for i in mine:
            if len(places) and ((places - (x[i], y[i])) ** 2).sum(1).min() <= radius_m[label_of] ** 2:
                continue
            places = np.concatenate([places, [(x[i], y[i])]])
            kept.append(i)
    kept = sorted(kept, key=lambda i: (-score[i], label[i], site[i]))[:MOST]
    size = np.exp(box[kept, 3:6].clip(-4, 4))
    yaw = np.arctan2(box[kept, 6], box[kept, 7])
    z = ground_at(coords[site[kept]], plane, grid) + box[kept, 2]
    return np.column_stack([label[kept], x[kept], y[kept], z, size, yaw, score[kept]])
