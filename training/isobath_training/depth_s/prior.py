"""The radar prior of `depth_s`, as the runtime draws it (`src/depth/footprint.rs`).

A return covers the cells within half a standard deviation of its direction, an ellipse in the image; its
weight is one return, shared by these cells. Where returns overlap the nearest wins.
"""

import numpy as np

# Half axes of a footprint in standard deviations, and their limits in cells.
REACH = 0.5
LEAST_CELLS, MOST_CELLS = 0.5, 6.0
MIN_M, MAX_M = 0.2, 120.0
_K = int(MOST_CELLS)
_DY, _DX = (a.ravel().astype(np.float32) for a in np.mgrid[-_K : _K + 1, -_K : _K + 1])


def project(points: np.ndarray, camera: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pixel coordinates of [n, 3] points of the optical frame with z > 0; `camera` is fx fy cx cy k1 k2 p1 p2 k3."""
    fx, fy, cx, cy, k1, k2, p1, p2, k3 = camera
    x, y = points[:, 0] / points[:, 2], points[:, 1] / points[:, 2]
    # Beyond the lens's own field of view the polynomial turns back: such points are not in the image.
    r2 = np.minimum(x * x + y * y, 4.0)
    radial = 1 + r2 * (k1 + r2 * (k2 + r2 * k3))
    u = x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x * x)
    v = y * radial + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y
    return fx * u + cx, fy * v + cy


def draw(points: np.ndarray, sigmas: np.ndarray, camera: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """[2, rows, columns]: metres (0 = none) and weight.

    `points` [n, 3] metres in the optical frame, `sigmas` [n, 2] radians across and along the image's
    columns, `camera` at the size of the grid.
    """
    rows, columns = shape
    prior = np.zeros((2, rows * columns), np.float32)
    z = points[:, 2]
    keep = np.isfinite(points).all(1) & (z >= MIN_M) & (z <= MAX_M)
    points, sigmas, z = points[keep], sigmas[keep], z[keep]
    if len(points) == 0:
        return prior.reshape(2, rows, columns)
    u, v = project(points, camera)
    u, v = np.rint(u), np.rint(v)
    keep = (u >= 0) & (v >= 0) & (u < columns) & (v < rows)
    u, v, z, sigmas = u[keep].astype(np.int32), v[keep].astype(np.int32), z[keep], sigmas[keep]
    a = np.clip(REACH * camera[0] * sigmas[:, :1], LEAST_CELLS, MOST_CELLS)
    b = np.clip(REACH * camera[1] * sigmas[:, 1:], LEAST_CELLS, MOST_CELLS)
    covers = (_DX / a) ** 2 + (_DY / b) ** 2 <= 1.0
    weight = 1.0 / covers.sum(1)
    which, cell = np.nonzero(covers)
    x = u[which] + _DX[cell].astype(np.int32)
    y = v[which] + _DY[cell].astype(np.int32)
    inside = (x >= 0) & (y >= 0) & (x < columns) & (y < rows)
    which, flat = which[inside], (y * columns + x)[inside]
    # Farthest first: the last one written, the nearest, stays.
    order = np.argsort(-z[which], kind="stable")
    which, flat = which[order], flat[order]
    prior[0, flat] = z[which]
    prior[1, flat] = weight[which]
    return prior.reshape(2, rows, columns)


def rays(camera: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """[2, rows, columns]: x/z and y/z of what the middle of each cell sees."""
    fx, fy, cx, cy, k1, k2, p1, p2, k3 = (np.float64(c) for c in camera)
    v, u = np.mgrid[: shape[0], : shape[1]]
    xd, yd = (u - cx) / fx, (v - cy) / fy
    x, y = xd.copy(), yd.copy()
    for _ in range(8):
        r2 = x * x + y * y
        radial = 1 + r2 * (k1 + r2 * (k2 + r2 * k3))
        x = (xd - 2 * p1 * x * y - p2 * (r2 + 2 * x * x)) / radial
        y = (yd - p1 * (r2 + 2 * y * y) - 2 * p2 * x * y) / radial
    return np.clip(np.stack([x, y]), -4.0, 4.0).astype(np.float32)


def scaled(camera: np.ndarray, sx: float, sy: float) -> np.ndarray:
    """The camera of an image that is `sx`, `sy` times as large; pixel centres at whole coordinates."""
    result = np.array(camera, np.float64)
    result[0], result[1] = camera[0] * sx, camera[1] * sy
    result[2], result[3] = (camera[2] + 0.5) * sx - 0.5, (camera[3] + 0.5) * sy - 0.5
    return result
