"""Other robots, other LiDARs, worse weather: what a sweep and its boxes are turned into before they are learned from."""

import numpy as np

from .network import CLASSES

# Columns of a box, as the arrays have them.
CLASS, X, Y, Z, LENGTH, WIDTH, HEIGHT, YAW = range(8)
# Lowest and highest length, width and height, in those of the simulator, that objects of a class are given by `resized`.
SIZES = {
    "car": ((0.75, 1.05), (0.85, 1.03), (0.92, 1.08)),
    "truck": ((0.75, 1.2), (0.85, 1.05), (0.8, 1.1)),
    "bus": ((0.7, 1.2), (0.88, 1.03), (0.88, 1.12)),
    "bicycle": ((0.9, 1.1), (0.9, 1.3), (0.92, 1.06)),
}
# What is this near to a box belongs to it, metres.
SKIN_M = 0.1


def augment(
    points: np.ndarray, boxes: np.ndarray, random: np.random.Generator, *, resize: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Points [n, 5] (x y z, intensity 0..1, ring) and boxes [b, ≥ 8] of one sweep; both are changed in place where
    that is possible. With `resize` vehicles come in sizes that the simulator does not make."""
    points = fewer_beams(points, random)
    points = dropped(points, random)
    if resize:
        resized(points, boxes, random)
    moved(points, boxes, random)
    noisy(points, random)
    intensity(points, random)
    return points, boxes


def resized(points: np.ndarray, boxes: np.ndarray, random: np.random.Generator) -> None:
    """Vehicles longer, wider and higher, or less so, than those of the simulator, each with its points (random object
    scaling: Yang et al., "ST3D", CVPR 2021). Their middle and what they stand on stay where they are."""
    for box in boxes:
        sizes = SIZES.get(CLASSES[int(box[CLASS])])
        if sizes is None:
            continue
        factors = np.array([random.uniform(*limits) for limits in sizes], np.float32)
        reach = 0.5 * np.hypot(box[LENGTH], box[WIDTH]) + SKIN_M
        near = np.flatnonzero((np.abs(points[:, 0] - box[X]) < reach) & (np.abs(points[:, 1] - box[Y]) < reach))
        c, s = np.cos(box[YAW]), np.sin(box[YAW])
        turn = np.array([[c, -s], [s, c]], np.float32)
        away = (points[near, :2] - box[[X, Y]]) @ turn
        bottom = box[Z] - 0.5 * box[HEIGHT]
        above = points[near, 2] - bottom
        inside = (np.abs(away) <= 0.5 * box[[LENGTH, WIDTH]] + SKIN_M).all(1)
        inside &= (above >= 0) & (above <= box[HEIGHT] + SKIN_M)
        points[near[inside], :2] = box[[X, Y]] + (away[inside] * factors[:2]) @ turn.T
        points[near[inside], 2] = bottom + above[inside] * factors[2]
        box[[LENGTH, WIDTH, HEIGHT]] *= factors
        box[Z] = bottom + 0.5 * box[HEIGHT]


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
