"""Radar returns to train on: simulated or taken from the true depth, then degraded."""

import numpy as np

DEGREE = np.float32(np.pi / 180)
# Scans that the runtime uses by default (`radar_scans`).
SCANS = 4
# Of earlier scans, returns that move are left out, m/s.
MOVING = 0.5
# What the runtime knows of a radar that does not state its deviations (`src/sensor/radar_direction.rs`): degrees
# that a TI radar tells apart in azimuth and elevation, and the least and most that counts as a deviation.
RESOLUTION = (30, 38)
LEAST, MOST = 0.3, 12.0


def simulated(rows: np.ndarray, columns: list[str], scans: int = SCANS) -> tuple[np.ndarray, np.ndarray]:
    """Rows of `radar.npy` → points, standard deviations of their directions in radians."""
    column = {name: rows[:, index] for index, name in enumerate(columns)}
    ages = np.unique(np.stack([column["radar"], column["age"]], 1), axis=0)
    newest = {radar: np.sort(ages[ages[:, 0] == radar, 1])[:scans] for radar in np.unique(ages[:, 0])}
    limits = np.array([(newest[radar][0], newest[radar][-1]) for radar in column["radar"]]).reshape(-1, 2)
    still = np.abs(column["motion"]) < MOVING
    kept = (column["age"] <= limits[:, 1]) & (still | (column["age"] <= limits[:, 0]))
    blur = 1.0 / np.sqrt(2.0 * 10.0 ** (0.1 * column["snr"]))
    stated = np.stack([column["azimuth_std"], column["elevation_std"]], 1)
    sigmas = np.where(stated > 0, stated, np.outer(blur, RESOLUTION) * DEGREE)
    sigmas = np.clip(sigmas, LEAST * DEGREE, MOST * DEGREE)
    return rows[kept, :3].astype(np.float32), sigmas[kept].astype(np.float32)


def from_depth(
    depth: np.ndarray, rays: np.ndarray, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Returns at random cells of a true depth [rows, columns], with noise of a random radar.

    `rays` [2, rows, columns] of the same cells.
    """
    count = int(np.exp(random.uniform(np.log(4), np.log(220))))
    farthest = np.exp(random.uniform(np.log(7), np.log(120)))
    known = np.flatnonzero(np.isfinite(depth) & (depth > 0.2) & (depth < farthest))
    if len(known) == 0:
        return np.zeros((0, 3), np.float32), np.zeros((0, 2), np.float32)
    cells = random.choice(known, count)
    z = depth.ravel()[cells].astype(np.float32)
    x, y = rays[0].ravel()[cells], rays[1].ravel()[cells]
    scale = np.exp(random.normal(0, 0.5, (count, 1)))
    base = np.exp(random.uniform(np.log([0.2, 0.4]), np.log([5.0, 8.0])))
    sigmas = np.clip(base * scale, 0.2, 12.0).astype(np.float32) * DEGREE
    noise = random.normal(size=(count, 3)).astype(np.float32)
    angle_x, angle_y = np.arctan(x) + sigmas[:, 0] * noise[:, 0], np.arctan(y) + sigmas[:, 1] * noise[:, 1]
    distance = z * np.sqrt(1 + x * x + y * y) + 0.1 * noise[:, 2]
    direction = np.stack(
        [np.tan(np.clip(angle_x, -1.4, 1.4)), np.tan(np.clip(angle_y, -1.4, 1.4)), np.ones(count)], 1
    )
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    return (direction * np.maximum(distance, 0.1)[:, None]).astype(np.float32), sigmas


def degrade(
    points: np.ndarray, sigmas: np.ndarray, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """What goes wrong on robots: nothing at all, few returns, a blind sector, ghosts, wrong mounts, wrong time."""
    if random.random() < 0.06:
        return points[:0], sigmas[:0]
    if random.random() < 0.35:
        kept = random.random(len(points)) < random.uniform(0.05, 1.0)
        points, sigmas = points[kept], sigmas[kept]
    if random.random() < 0.1 and len(points) > 0:
        azimuth = np.arctan2(points[:, 0], points[:, 2])
        start = random.uniform(-1.0, 0.6)
        kept = (azimuth < start) | (azimuth > start + random.uniform(0.2, 0.8))
        points, sigmas = points[kept], sigmas[kept]
    if random.random() < 0.3:
        ghosts = random.random(len(points)) < random.uniform(0, 0.35)
        points = points.copy()
        factor = np.exp(random.uniform(np.log(0.25), np.log(4), ghosts.sum()))
        points[ghosts] *= factor[:, None].astype(np.float32)
    if random.random() < 0.25:
        points = points @ rotation(random.normal(0, 1.0, 3) * DEGREE).T + random.normal(0, 0.04, 3)
    if random.random() < 0.15:
        points = points + np.array([0, 0, random.normal(0, 0.2)])
    return points.astype(np.float32), sigmas


def rotation(angles: np.ndarray) -> np.ndarray:
    """For small angles about x, y, z."""
    x, y, z = angles
    return np.array([[1, -z, y], [z, 1, -x], [-y, x, 1]], np.float32)
