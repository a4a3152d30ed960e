"""Expected bird's-eye-view features, computed cell by cell in numpy.

Writes bev_features.npz next to this file: grid (x0 y0 z0 x1 y1 z1 vx vy), points (N x 4: x y z
intensity), features (5 x rows x cols), outside (1). Run: python tests/golden/bev_features.py
"""

from pathlib import Path

import numpy as np

GRID = np.array([-12.8, -6.4, -3.0, 12.8, 6.4, 2.0, 0.8, 0.4], dtype=np.float32)


def features(points: np.ndarray) -> tuple[np.ndarray, int]:
    lower, upper, voxel = GRID[0:3], GRID[3:6], GRID[6:8]
    shape = tuple(int(n) for n in np.round((upper[:2] - lower[:2]) / voxel))
    cells = np.floor((points[:, :2] - lower[:2]) / voxel)
    with np.errstate(invalid="ignore"):
        inside = (cells >= 0).all(1) & (cells < shape).all(1) & (points[:, 2] >= lower[2]) & (points[:, 2] < upper[2])
    out = np.zeros((5, *shape), dtype=np.float32)
    cells, kept = cells[inside].astype(int), points[inside].astype(np.float64)
    for row, col in np.unique(cells, axis=0):
        here = kept[(cells == (row, col)).all(1)]
        intensity = np.nan_to_num(np.clip(here[:, 3], 0, 1), nan=0.0)
        out[:, row, col] = 1, here[:, 2].max(), here[:, 2].min(), np.log1p(len(here)), intensity.mean()
    return out, int((~inside).sum())


def main() -> None:
    rng = np.random.default_rng(7)
    points = np.empty((900, 4), dtype=np.float32)
    points[:, 0] = rng.normal(0, 6, 900)
    points[:, 1] = rng.normal(0, 3, 900)
    points[:, 2] = rng.normal(-0.5, 1.2, 900)
    points[:, 3] = rng.uniform(-0.05, 1.05, 900)
    points[::97, 3] = np.nan
    points[5::211, 0] = np.nan
    points[300:380, :2] = rng.uniform(1.61, 1.99, (80, 2))
    out, outside = features(points)
    np.savez_compressed(
        Path(__file__).with_suffix(".npz"), grid=GRID, points=points, features=out, outside=np.array([outside])
    )


if __name__ == "__main__":
    main()
