"""LiDAR points as sparse true depth of a camera, without those that the camera cannot see.

A LiDAR beside the camera looks past edges: some of its points lie behind what the camera sees. Such a point lies
between nearer ones: in some direction in the image there is a nearer point, and opposite to it another. On a surface
that the camera sees that is not so, however steep it is: what is nearer lies towards one side, what is farther
opposite to it. How far away neighbours are looked for follows the density of the points about each one, so that the
same rule serves 16 and 128 beams.
"""

import numpy as np

from ..depth_s.prior import project

NEAREST_M, FARTHEST_M = 0.2, 120.0
# Nearer by this share of the distance counts as in front.
IN_FRONT = 0.08
# Points are counted in squares of this many pixels; neighbours are looked for within so many mean distances
# between points, and pixels at most.
SQUARE, REACH, MOST_PX = 24, 3.0, 16


def sparse_depth(points: np.ndarray, camera: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """[rows, columns] metres along the optical axis, NaN where no point tells any.

    `points` [n, 3] metres in the optical frame, `camera` fx fy cx cy k1 k2 p1 p2 k3 at this size.
    """
    image = nearest(points, camera, shape)
    image[hidden(image)] = np.inf
    return np.where(np.isinf(image), np.nan, image).astype(np.float32)


def nearest(points: np.ndarray, camera: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """The nearest point of each pixel, inf where there is none."""
    rows, columns = shape
    points = points[np.isfinite(points).all(1)]
    points = points[(points[:, 2] >= NEAREST_M) & (points[:, 2] <= FARTHEST_M)]
    u, v = (np.rint(c) for c in project(points, camera))
    # The lens's polynomial is meant for its field of view; far outside it may lead back into the image.
    slope = np.abs(points[:, :2] / points[:, 2:])
    limit = (
        1.3
        * (np.array([columns, rows]) / 2 + np.abs(camera[2:4] - np.array([columns, rows]) / 2))
        / camera[:2]
    )
    inside = (u >= 0) & (v >= 0) & (u < columns) & (v < rows) & (slope < np.maximum(limit, 0.5)).all(1)
    image = np.full(rows * columns, np.inf)
    np.minimum.at(image, (v[inside] * columns + u[inside]).astype(int), points[inside, 2])
    return image.reshape(shape)


def hidden(image: np.ndarray) -> np.ndarray:
    """Which pixels hold a point behind what the camera sees; `image` as of `nearest`."""
    known = np.isfinite(image)
    reach = np.minimum(REACH * spacing(known), MOST_PX)
    pad = MOST_PX + 1
    exact = np.pad(image, pad, constant_values=np.inf)
    # With a pixel of play on one side: points that lie opposite each other exactly are few. Not on both, where
    # a steep surface would seem to be in front of itself.
    wide = exact
    for axis in (0, 1):
        wide = np.minimum(wide, np.minimum(np.roll(wide, 1, axis), np.roll(wide, -1, axis)))
    exact, wide = exact.ravel(), wide.ravel()
    row, column = np.nonzero(known)
    width = image.shape[1] + 2 * pad
    at = (row + pad) * width + column + pad
    front, radius = (1 - IN_FRONT) * image[known], reach[known]
    found = np.zeros(len(at), bool)
    largest = int(radius.max(initial=0))
    for dy in range(-largest, largest + 1):
        for dx in range(-largest, largest + 1):
            distance = np.hypot(dx, dy)
            if not 0 < distance <= largest:
                continue
            asked = np.flatnonzero((radius >= distance) & ~found)
            offset = dy * width + dx
            nearer = exact[at[asked] + offset] < front[asked]
            asked = asked[nearer]
            found[asked] = wide[at[asked] - offset] < front[asked]
    result = np.zeros_like(known)
    result[row, column] = found
    return result


def spacing(known: np.ndarray) -> np.ndarray:
    """Mean distance in pixels between the points about each pixel."""
    count = known.astype(np.float64)
    for axis in (0, 1):
        sums = np.cumsum(count, axis)
        n = known.shape[axis]
        last = np.minimum(np.arange(n) + SQUARE // 2, n - 1)
        first = np.arange(n) - SQUARE // 2 - 1
        low = np.take(sums, first.clip(0), axis)
        low = np.where(np.expand_dims(first >= 0, 1 - axis), low, 0)
        count = np.take(sums, last, axis) - low
    return np.sqrt((SQUARE + 1) ** 2 / np.maximum(count, 1))
