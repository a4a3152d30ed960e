"""Points → active pillars with their features, as the runtime makes them (`src/detection/pillar_statistics.rs`).

Heights count from the ground near each pillar, which the sweep itself tells: the same network then serves a LiDAR
at a robot's ankle and one on a car's roof. What lies on the ground, and what hangs above everything that is looked
for, makes no pillar active.
"""

from dataclasses import dataclass

import numpy as np

# Half the width of the grid and the edge of a pillar, metres.
RANGE_M, PILLAR_M = 51.2, 0.4
# Heights over the sensor that count, metres.
LOW_M, HIGH_M = -6.0, 6.0
# Heights over the ground, metres: points in between make a pillar active; those outside `COUNTED_M` are left out.
ACTIVE_M, COUNTED_M = (0.12, 2.8), (-1.5, 4.0)
# Edges of the bins that points are counted in, metres over the ground.
BINS_M = (-0.3, 0.12, 0.3, 0.5, 0.8, 1.1, 1.4, 1.7, 2.1, 2.8)
FEATURES = 15 + len(BINS_M) + 1
# The height of the plane below the sensor is the most frequent lowest point of the pillars nearer than
# `PLANE_RANGE_M`, in steps of `PLANE_STEP_M`; `LEVEL_M` above the sensor are ceilings.
PLANE_RANGE_M, PLANE_STEP_M, LEVEL_M = 25.0, 0.2, 0.5
# The plane is fitted to lowest points nearer than this, again and again with less weight for those further from it
# than `FIT_M`. Points nearer than `FIT_NEAR_M` have little to say of its slope. It is drawn to the level plane as if
# by `LEVEL_WEIGHT` pillars, of the slope `LEVEL_ARM_M` away.
FIT_RANGE_M, FIT_M, FIT_NEAR_M, FIT_ROUNDS = 20.0, 0.15, 8.0, 6
LEVEL_WEIGHT, LEVEL_ARM_M = 0.05, 45.0
# Squares of so many pillars, with those around them, tell how far the ground is from the plane: mean of the lowest
# points that are at most `ROUGH_M` from it.
SQUARE, ROUGH_M = 8, 1.5


@dataclass(frozen=True)
class Grid:
    """A square of pillars with the sensor in its middle."""

    range_m: float = RANGE_M
    pillar_m: float = PILLAR_M

    @property
    def size(self) -> int:
        return round(2 * self.range_m / self.pillar_m)


def centers(coords: np.ndarray, grid: Grid) -> np.ndarray:
    """x, y of the middle of pillars, metres, [v, 2]."""
    return (coords + 0.5) * grid.pillar_m - grid.range_m


def ground_at(coords: np.ndarray, p: np.ndarray, grid: Grid) -> np.ndarray:
    """z of the plane in the middle of pillars, metres, [v]."""
    return p[0] + centers(coords, grid) @ p[1:]


def level(bottom: np.ndarray, distance: np.ndarray) -> float:
    """Height of the ground below the sensor from the lowest points of pillars, metres."""
    near = bottom[distance < PLANE_RANGE_M]
    bins = round((HIGH_M - LOW_M) / PLANE_STEP_M)
    step = np.floor((near - LOW_M) / PLANE_STEP_M).astype(np.int64)
    counts = np.bincount(step.clip(0, bins - 1), minlength=bins)
    # Twice the middle and its neighbours: a plane between two steps is one plane.
    padded = np.concatenate([[0], counts, [0]])
    smooth = 2 * counts + padded[:-2] + padded[2:]
    smooth[round((LEVEL_M - LOW_M) / PLANE_STEP_M) :] = 0
    return LOW_M + (int(np.argmax(smooth)) + 0.5) * PLANE_STEP_M


def plane(bottom: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The ground as z = p[0] + p[1] x + p[2] y, from the lowest points `bottom` of pillars at x, y; float64.

    It counts in the sensor's frame: a robot on a slope leans with it.
    """
    distance = np.sqrt(x * x + y * y)
    height = level(bottom, distance)
    p = np.array([height, 0.0, 0.0])
    base = np.where(distance < FIT_RANGE_M, np.minimum(distance / FIT_NEAR_M, 1), 0)
    a = np.stack([np.ones_like(x), x, y], 1)
    drawn = LEVEL_WEIGHT * np.array([1, LEVEL_ARM_M**2, LEVEL_ARM_M**2])
    for _ in range(FIT_ROUNDS):
        weight = base / (1 + ((bottom - a @ p) / FIT_M) ** 2) ** 2
        normal = (a * weight[:, None]).T @ a + np.diag(drawn)
        p = np.linalg.solve(normal, (a * weight[:, None]).T @ bottom + np.array([drawn[0] * height, 0, 0]))
    return p


def roughness(above: np.ndarray, rows: np.ndarray, columns: np.ndarray, size: int) -> np.ndarray:
    """How far the ground near each pillar is from the plane, metres, from the lowest point of each over it."""
    side = -(-size // SQUARE)
    square = (rows // SQUARE + 1) * (side + 2) + columns // SQUARE + 1
    fits = np.abs(above) <= ROUGH_M
    cells = (side + 2) ** 2
    sums = np.bincount(square[fits], above[fits], minlength=cells).reshape(side + 2, side + 2)
    counts = np.bincount(square[fits], minlength=cells).reshape(side + 2, side + 2)

    def around(values: np.ndarray) -> np.ndarray:
        return sum(np.roll(values, (i, j), (0, 1)) for i in (-1, 0, 1) for j in (-1, 0, 1)).reshape(-1)

    return (around(sums) / np.maximum(around(counts), 1))[square]


def pillars(points: np.ndarray, grid: Grid = Grid(), *, keep_ground: bool = False) -> tuple[np.ndarray, ...]:
    """Points [n, 4] (x, y, z metres in the sensor's frame, intensity 0..1) → coords [v, 2] int32, ascending rows
    and columns; features [v, FEATURES]; the plane of the ground, as `plane` gives it."""
    points = points.astype(np.float32, copy=False)
    x, y, z, intensity = points.T
    row = np.floor((x + np.float32(grid.range_m)) / np.float32(grid.pillar_m))
    column = np.floor((y + np.float32(grid.range_m)) / np.float32(grid.pillar_m))
    n = grid.size
    inside = (row >= 0) & (row < n) & (column >= 0) & (column < n) & (z >= LOW_M) & (z < HIGH_M)
    x, y, z, intensity = x[inside], y[inside], z[inside], np.nan_to_num(intensity[inside]).clip(0, 1)
    cell = (row[inside].astype(np.int64) * n + column[inside].astype(np.int64)).astype(np.int64)
    counts_of = np.bincount(cell, minlength=n * n)
    seen = np.flatnonzero(counts_of)
    which = (np.cumsum(counts_of > 0) - 1)[cell]
    if len(seen) == 0:
        return np.zeros((0, 2), np.int32), np.zeros((0, FEATURES), np.float32), np.zeros(3)
    bottom = np.full(len(seen), np.inf)
    # Of the same type: numpy is many times slower where it has to convert each.
    np.minimum.at(bottom, which, z.astype(np.float64))
    middles = np.stack([seen // n, seen % n], 1)
    p = plane(bottom, *centers(middles, grid).T)
    ground = ground_at(middles, p, grid)
    rough = roughness(bottom - ground, seen // n, seen % n, n)
    height = z - ground[which]
    counts = (height >= COUNTED_M[0]) & (height < COUNTED_M[1])
    makes = (height < ACTIVE_M[1]) & (height >= (COUNTED_M if keep_ground else ACTIVE_M)[0])
    active = np.bincount(which[makes], minlength=len(seen)) > 0
    index = np.cumsum(active) - 1
    counts &= active[which]
    which, height, intensity = index[which[counts]], height[counts], intensity[counts]
    x, y = x[counts], y[counts]
    coords = middles[active].astype(np.int32)
    return coords, statistics(x, y, height, intensity, which, coords, rough[active], grid), p


def statistics(
    x: np.ndarray,
    y: np.ndarray,
    height: np.ndarray,
    intensity: np.ndarray,
    which: np.ndarray,
    coords: np.ndarray,
    rough: np.ndarray,
    grid: Grid,
) -> np.ndarray:
    """Features [v, FEATURES] of pillars from their points; `which` tells the pillar of each."""
    v = len(coords)
    center = centers(coords, grid)
    count = np.bincount(which, minlength=v).astype(np.float64)

    def mean(values: np.ndarray) -> np.ndarray:
        return np.bincount(which, values, minlength=v) / np.maximum(count, 1)

    half = grid.pillar_m / 2
    u, w = (x - center[which, 0]) / half, (y - center[which, 1]) / half
    h, i = height.astype(np.float64), intensity.astype(np.float64)
    mean_u, mean_w, mean_h = mean(u), mean(w), mean(h)
    low, high = np.full(v, np.inf), np.full(v, -np.inf)
    np.minimum.at(low, which, h)
    np.maximum.at(high, which, h)
    bright = np.zeros(v)
    np.maximum.at(bright, which, i)

    def spread(values: np.ndarray, middle: np.ndarray) -> np.ndarray:
        return np.sqrt(np.maximum(mean(values * values) - middle * middle, 0))

    distance = np.maximum(np.hypot(center[:, 0], center[:, 1]), 1e-6)
    features = [
        np.log1p(count) / 4,
        low / 2, high / 2, mean_h / 2, spread(h, mean_h) * 2,
        mean_u, mean_w, spread(u, mean_u), spread(w, mean_w),
        mean(i), bright,
        distance / 50, center[:, 0] / distance, center[:, 1] / distance,
        rough,
    ]  # fmt: skip
    bins = np.searchsorted(np.array(BINS_M), height, side="right")
    width = len(BINS_M) + 1
    filled = np.bincount(which * width + bins, minlength=v * width).reshape(v, width)
    return np.concatenate([np.stack(features, 1), np.log1p(filled) / 3], 1).astype(np.float32)
