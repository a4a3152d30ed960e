"""Other robots, other LiDARs, worse weather: what a sweep and its boxes are turned into before they are learned from."""

import numpy as np

# Columns of a box, as the arrays have them.
CLASS, X, Y, Z, LENGTH, WIDTH, HEIGHT, YAW = range(8)


def augment(points: np.ndarray, boxes: np.ndarray, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Points [n, 5] (x y z, intensity 0..1, ring) and boxes [b, ≥ 8] of one sweep; both are changed in place where
    that is possible."""
    points = fewer_beams(points, random)
    points = dropped(points, random)
    moved(points, boxes, random)
    noisy(points, random)
    intensity(points, random)
    return points, boxes


def fewer_beams(points: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Every second or fourth ring, or some rings missing."""
    ring = points[:, 4].astype(np.int64)
    beams = int(ring.max(initial=0)) + 1
    chance = random.random()
    if chance < 0.3 and beams >= 32:
        step = 2 if beams < 64 or random.random() < 0.6 else 4
        return points[ring % step == random.integers(step)]
    if chance < 0.36:
        return points[random.random(beams)[ring] > random.uniform(0, 0.4)]
    return points


def dropped(points: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Echoes that did not come back, at random."""
    if random.random() < 0.3:
        return points[random.random(len(points)) < random.uniform(0.3, 1.0)]
    return points


def moved(points: np.ndarray, boxes: np.ndarray, random: np.random.Generator) -> None:
    """Turned about the sensor, mirrored, a little larger or smaller; then mounted elsewhere and not quite level."""
    if random.random() < 0.5:
        points[:, 1] *= -1
        boxes[:, [Y, YAW]] *= -1
    turn = random.uniform(-np.pi, np.pi)
    scale = np.float32(random.uniform(0.95, 1.05))
    c, s = np.float32(np.cos(turn)), np.float32(np.sin(turn))
    rotation = scale * np.array([[c, -s], [s, c]], np.float32)
    points[:, :2] = points[:, :2] @ rotation.T
    points[:, 2] *= scale
    boxes[:, [X, Y]] = boxes[:, [X, Y]] @ rotation.T
    boxes[:, [Z, LENGTH, WIDTH, HEIGHT]] *= scale
    boxes[:, YAW] += turn
    lift = np.float32(random.normal(0, 0.15))
    tilt = random.normal(0, 0.01, 2).astype(np.float32)
    points[:, 2] += lift + points[:, :2] @ tilt
    boxes[:, Z] += lift + boxes[:, [X, Y]] @ tilt


def noisy(points: np.ndarray, random: np.random.Generator) -> None:
    """Distances less exact than the simulated LiDARs measure them."""
    if random.random() < 0.3:
        distance = np.linalg.norm(points[:, :3], axis=1, keepdims=True)
        error = random.standard_normal(distance.shape, np.float32) * np.float32(random.uniform(0, 0.06))
        points[:, :3] *= 1 + error / np.maximum(distance, 0.5)


def intensity(points: np.ndarray, random: np.random.Generator) -> None:
    """Other units, other receivers, or none at all: makers do not agree on what an intensity is."""
    chance = random.random()
    if chance < 0.2:
        points[:, 3] = random.choice([0.0, 1.0, random.random()])
    elif chance < 0.7:
        scale, power = np.exp(random.normal(0, 0.7)), np.exp(random.normal(0, 0.4))
        points[:, 3] = np.clip(points[:, 3] ** power * scale, 0, 1)
