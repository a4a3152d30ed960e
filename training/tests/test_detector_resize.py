"""Vehicles in sizes that the simulator does not make."""

import numpy as np
import pytest
import torch
from isobath_training.detector_s import train as training
from isobath_training.detector_s.augment import SIZES, augment, resized
from isobath_training.detector_s.network import CLASSES

# Class, centre, length width height, yaw.
CAR = [CLASSES.index("car"), 8.0, -3.0, -0.9, 4.4, 1.9, 1.5, 0.6]
WALKER = [CLASSES.index("pedestrian"), 12.0, 6.0, -0.8, 0.6, 0.6, 1.8, 0.0]


def in_box(points: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Coordinates of points in a box, -1..1 from end to end."""
    away = points[:, :3] - box[1:4]
    c, s = np.cos(box[7]), np.sin(box[7])
    return np.column_stack([away @ [c, s, 0], away @ [-s, c, 0], away[:, 2]]) / (0.5 * box[4:7])


def world(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A car and a walker on the ground, their points first."""
    boxes = np.array([CAR, WALKER], np.float32)
    points = np.zeros((1000, 5), np.float32)
    for rows, box in zip((slice(0, 300), slice(300, 400)), boxes, strict=True):
        u = random.uniform(-1, 1, (len(points[rows]), 3)) * 0.5 * box[4:7]
        c, s = np.cos(box[7]), np.sin(box[7])
        points[rows, :3] = box[1:4] + np.column_stack([c * u[:, 0] - s * u[:, 1], s * u[:, 0] + c * u[:, 1], u[:, 2]])
    points[400:, :2] = random.uniform(-20, 20, (600, 2))
    points[400:, 2] = -1.75
    return points, boxes


def test_points_stay_where_they_are_on_their_vehicle():
    for seed in range(20):
        points, boxes = world(np.random.default_rng(seed))
        before, was = points.copy(), boxes.copy()
        resized(points, boxes, np.random.default_rng(seed))
        factors = boxes[0, 4:7] / was[0, 4:7]
        limits = np.array(SIZES["car"])
        assert (factors >= limits[:, 0] - 1e-5).all() and (factors <= limits[:, 1] + 1e-5).all()
        assert np.abs(factors - 1).max() > 1e-3
        np.testing.assert_allclose(boxes[0, [1, 2, 7]], was[0, [1, 2, 7]])
        np.testing.assert_allclose(boxes[0, 3] - boxes[0, 6] / 2, was[0, 3] - was[0, 6] / 2, atol=1e-5)
        np.testing.assert_allclose(in_box(points[:300], boxes[0]), in_box(before[:300], was[0]), atol=1e-3)
        # Nothing else moves.
        np.testing.assert_array_equal(points[300:], before[300:])
        np.testing.assert_array_equal(boxes[1], was[1])
        np.testing.assert_array_equal(points[:, 3:], before[:, 3:])


def test_vehicles_keep_their_sizes_unless_asked():
    def cars(resize: bool) -> np.ndarray:
        return np.array([
            augment(*world(np.random.default_rng(seed)), np.random.default_rng(seed), resize=resize)[1][0, 4:7]
            for seed in range(30)
        ]) / CAR[4:7]  # fmt: skip

    # Worlds are scaled as a whole, by a twentieth at most.
    assert np.ptp(cars(False), axis=1).max() < 1e-5 and np.abs(cars(False) - 1).max() < 0.051
    assert np.ptp(cars(True), axis=1).min() > 1e-3 and cars(True).min() < 0.8


def test_a_run_goes_on_with_its_sizes_only(tmp_path):
    torch.manual_seed(0)
    training.Run(training.Recipe("detector_xs", 1, 8, resize=True), tmp_path / "run.pt").save()
    with pytest.raises(SystemExit, match="'resize': True.*'resize': False"):
        training.Run(training.Recipe("detector_xs", 1, 8), tmp_path / "run.pt")
