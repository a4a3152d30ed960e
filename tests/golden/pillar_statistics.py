"""Writes pillar_statistics.npz: points of a small world, and the pillars that training makes of them.

    PYTHONPATH=training python tests/golden/pillar_statistics.py
"""

from pathlib import Path

import numpy as np
from isobath_training.detector_s.features import Grid, pillars


def world(random: np.random.Generator) -> np.ndarray:
    """Ground on a slope, two walls, some boxes, and points below the ground as a polished floor shows them."""
    ground = random.uniform(-28, 28, (1500, 2))
    wall = np.stack([random.uniform(-28, 28, 400), np.full(400, 9.3)], 1)
    boxes = np.repeat(random.uniform(-20, 20, (12, 2)), 40, 0) + random.uniform(-1, 1, (480, 2))
    xy = np.concatenate([ground, wall, boxes, wall[:150]])
    z = -1.1 + 0.02 * xy[:, 0] - 0.01 * xy[:, 1]
    up = np.concatenate(
        [random.normal(0, 0.02, 1500), random.uniform(0, 5, 400), random.uniform(0, 1.8, 480), random.uniform(-1.4, -0.2, 150)]
    )
    points = np.column_stack([xy, z + up, random.uniform(-0.1, 1.1, len(xy))]).astype(np.float32)
    points[::97, 3] = np.nan
    return points


if __name__ == "__main__":
    points = world(np.random.default_rng(5))
    grid = Grid(25.6, 0.4)
    arrays = {"points": points}
    for name, keep_ground in (("", False), ("ground_", True)):
        coords, features, plane = pillars(points, grid, keep_ground=keep_ground)
        arrays |= {f"{name}coords": coords, f"{name}features": features, "plane": plane}
    np.savez_compressed(Path(__file__).with_suffix(".npz"), **arrays)
    print({name: array.shape for name, array in arrays.items()})
