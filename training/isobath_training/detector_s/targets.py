"""Boxes → what each active pillar is to say."""

from dataclasses import dataclass

import numpy as np

from .augment import CLASS, HEIGHT, LENGTH, WIDTH, X, Y, YAW, Z
from .features import Grid, centers, ground_at
from .network import BOX, CLASSES

# A box is learned when a pillar this near to its footprint is active, metres.
MARGIN_M = 0.25
# Standard deviations of the bells over centres and corners, metres; that of a centre grows with the object.
CENTER_M, CENTER_SHARE, CORNER_M = 0.35, 0.15, 0.4
# Front and back are alike: the end that is further away is learned as the front.
SYMMETRIC = ("pallet",)
# Pillars that are at least so much of the centre learn the box as well.
BOX_FROM = 0.15


@dataclass
class Targets:
    """Of the active pillars of one sweep."""

    # [v, classes]: 1 at the pillar nearest to a centre, less around it.
    heat: np.ndarray
    # [v]: the same for corners, and where no pillar is near one, 0.
    corner: np.ndarray
    # [v, BOX] and how much each counts, [v].
    box: np.ndarray
    weight: np.ndarray
    # How many boxes are learned.
    boxes: int


def footprint(places: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Whether places [n, 2], metres, are over a box or within `MARGIN_M` of it."""
    away = places - box[[X, Y]]
    c, s = np.cos(box[YAW]), np.sin(box[YAW])
    along, across = np.abs(away @ [c, s]), np.abs(away @ [-s, c])
    return (along <= box[LENGTH] / 2 + MARGIN_M) & (across <= box[WIDTH] / 2 + MARGIN_M)


def seen(coords: np.ndarray, boxes: np.ndarray, grid: Grid) -> np.ndarray:
    """Which boxes have an active pillar, [b] bool."""
    center = centers(coords, grid)
    inside = np.abs(boxes[:, [X, Y]]).max(1, initial=0) <= grid.range_m
    return np.array([i and footprint(center, box).any() for i, box in zip(inside, boxes, strict=True)], bool)


def targets(coords: np.ndarray, plane: np.ndarray, boxes: np.ndarray, grid: Grid) -> Targets:
    """Targets of pillars `coords` over the ground `plane` for `boxes` [b, ≥ 8]."""
    v = len(coords)
    result = Targets(
        np.zeros((v, len(CLASSES)), np.float32), np.zeros(v, np.float32),
        np.zeros((v, BOX), np.float32), np.zeros(v, np.float32), 0,
    )  # fmt: skip
    if v == 0:
        return result
    center, ground = centers(coords, grid), ground_at(coords, plane, grid)
    for box in boxes:
        if max(abs(box[X]), abs(box[Y])) > grid.range_m:
            continue
        reach = 0.5 * np.hypot(box[LENGTH], box[WIDTH]) + grid.pillar_m
        near = np.flatnonzero((np.abs(center - box[[X, Y]]) <= reach).all(1))
        inside = footprint(center[near], box)
        if not inside.any():
            continue
        away = center[near] - box[[X, Y]]
        c, s = np.cos(box[YAW]), np.sin(box[YAW])
        squared = (away**2).sum(1)
        sigma = CENTER_M + CENTER_SHARE * np.sqrt(box[LENGTH] * box[WIDTH])
        # Cars are hollow to a LiDAR: the nearest active pillar stands for the centre, however far it is.
        heat = np.where(inside, np.exp((squared[inside].min() - squared) / (2 * sigma**2)), 0).clip(max=1)
        label = int(box[CLASS])
        if CLASSES[label] in SYMMETRIC and c * box[X] + s * box[Y] < 0:
            c, s = -c, -s
        result.heat[near, label] = np.maximum(result.heat[near, label], heat)
        result.boxes += 1
        ends = box[LENGTH] / 2 * np.array([1, 1, -1, -1]), box[WIDTH] / 2 * np.array([1, -1, 1, -1])
        corners = box[[X, Y]] + np.stack([c * ends[0] - s * ends[1], s * ends[0] + c * ends[1]], 1)
        to_corner = ((center[near, None] - corners) ** 2).sum(2).min(1)
        result.corner[near] = np.maximum(result.corner[near], np.exp(-to_corner / (2 * CORNER_M**2)))
        # Where boxes meet a pillar is of the one whose centre it is nearer to.
        learns = (heat >= BOX_FROM) & (heat > result.weight[near])
        sites = near[learns]
        result.weight[sites] = heat[learns]
        result.box[sites, :2] = -away[learns] / grid.pillar_m
        result.box[sites, 2] = box[Z] - ground[sites]
        result.box[sites, 3:6] = np.log(np.maximum(box[[LENGTH, WIDTH, HEIGHT]], 0.05))
        result.box[sites, 6:] = s, c
    return result
