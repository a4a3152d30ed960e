"""Frames of arrays as these networks see them: the whole image, and radar returns as discs."""

from collections.abc import Iterator

import numpy as np
import torch
import torch.nn.functional as F

from ..arrays import Joined
from ..depth_s.prior import project, scaled
from ..depth_s.returns import simulated
from .network import Variant

# Radius of a return in pixels of an image 640 wide, and the metres that are drawn (`src/depth/prior.rs`).
RADIUS_PX, REFERENCE_WIDTH = 5.0, 640.0
MIN_M, MAX_M = 0.2, 120.0


def draw_discs(points: np.ndarray, camera: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """[rows, columns] metres, 0 = none: a disc for each of [n, 3] points of the optical frame, the nearest on top.
    `camera` is that of an image of this shape."""
    z = points[:, 2]
    points = points[np.isfinite(points).all(1) & (z >= MIN_M) & (z <= MAX_M)]
    u, v = (np.rint(c) for c in project(points, camera))
    kept = (u >= 0) & (v >= 0) & (u < shape[1]) & (v < shape[0])
    return discs(u[kept], v[kept], points[kept, 2], shape)


def discs(u: np.ndarray, v: np.ndarray, z: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """`draw_discs` with the middles given, in pixels."""
    rows, columns = shape
    radius = RADIUS_PX * columns / REFERENCE_WIDTH
    reach = int(radius) if radius >= 0.5 else 0
    dy, dx = (a.ravel() for a in np.mgrid[-reach : reach + 1, -reach : reach + 1])
    covered = dx * dx + dy * dy <= max(radius, 0.5) ** 2
    x = u.astype(int)[:, None] + dx[covered]
    y = v.astype(int)[:, None] + dy[covered]
    which, pixel = np.nonzero((x >= 0) & (y >= 0) & (x < columns) & (y < rows))
    # Farthest first: the nearest is the last one written.
    order = np.argsort(-z[which], kind="stable")
    which, pixel = which[order], pixel[order]
    prior = np.zeros(shape, np.float32)
    prior[y[which, pixel], x[which, pixel]] = z[which]
    return prior


def image_tensor(rgb: np.ndarray, variant: Variant, size: tuple[int, int]) -> np.ndarray:
    """[rows, columns, 3] bytes → [1, 3, *size], normalised."""
    pixels = torch.from_numpy(np.array(rgb)).permute(2, 0, 1)[None].float() / 255
    shrinks = size[0] < 0.9 * rgb.shape[0]
    pixels = F.interpolate(pixels, size=size, mode="bilinear", antialias=shrinks)
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (variant.mean, variant.std))
    return ((pixels - mean) / std).numpy()


def network_inputs(
    arrays: Joined, frames: range, variant: Variant, size: tuple[int, int]
) -> Iterator[dict[str, np.ndarray]]:
    """What the runtime would feed for these frames."""
    for frame in frames:
        image = arrays.image[frame]
        inputs = {"image": image_tensor(image, variant, size)}
        if variant.channels == 4:
            rows, columns = image.shape[:2]
            camera = scaled(arrays.camera[frame].astype(np.float64), size[1] / columns, size[0] / rows)
            points, _ = simulated(arrays.radar[frame], arrays.columns["radar"])
            inputs["prior"] = draw_discs(points, camera, size)[None, None]
        yield inputs
