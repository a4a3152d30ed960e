"""Corruptions that grow with the training, the one that hurts most of them: a measured option.

After INTACT (noise that rises while the network learns, chosen against it). What is tried is what LiDARs do in bad
weather and when they age; how much of it grows from nothing to `FULL` over the run.
"""

from collections.abc import Callable

import numpy as np

# Share of the sweeps of a batch that are corrupted.
SHARE = 0.5
# Share of the run after which corruptions have their full strength.
FULL = 0.7


def jitter(points: np.ndarray, strength: float, random: np.random.Generator) -> np.ndarray:
    """Every coordinate off by up to 0.12 m (standard deviation)."""
    points[:, :3] += random.standard_normal((len(points), 3), np.float32) * np.float32(0.12 * strength)
    return points


def drop(points: np.ndarray, strength: float, random: np.random.Generator) -> np.ndarray:
    """Up to 85 % of the points lost."""
    return points[random.random(len(points)) >= 0.85 * strength]


def dark_beams(points: np.ndarray, strength: float, random: np.random.Generator) -> np.ndarray:
    """Up to 80 % of the beams lost."""
    ring = points[:, 4].astype(np.int64)
    return points[(random.random(int(ring.max(initial=0)) + 1) >= 0.8 * strength)[ring]]


def fog(points: np.ndarray, strength: float, random: np.random.Generator) -> np.ndarray:
    """What is far and dark is lost, and some points come back from halfway."""
    distance = np.linalg.norm(points[:, :3], axis=1)
    kept = random.random(len(points)) < np.exp(-0.06 * strength * distance)
    scattered = random.random(len(points)) < 0.05 * strength
    share = np.where(scattered, random.uniform(0.05, 1, len(points)), 1).astype(np.float32)
    points[:, :3] *= share[:, None]
    return points[kept | scattered]


def clusters(points: np.ndarray, strength: float, random: np.random.Generator) -> np.ndarray:
    """Up to twelve holes of 1 to 3 m about points."""
    for _ in range(round(12 * strength)):
        if len(points) == 0:
            break
        center, radius = points[random.integers(len(points)), :2], random.uniform(1, 3)
        points = points[((points[:, :2] - center) ** 2).sum(1) > radius**2]
    return points


CORRUPTIONS: tuple[Callable[..., np.ndarray], ...] = (jitter, drop, dark_beams, fog, clusters)


def strength(progress: float) -> float:
    """Of corruptions after this share of the run."""
    return min(1.0, progress / FULL)


def worst(loss_of: Callable[[Callable[..., np.ndarray]], float]) -> Callable[..., np.ndarray]:
    """The corruption with which the loss is the highest."""
    return max(CORRUPTIONS, key=loss_of)
