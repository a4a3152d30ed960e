"""Isolated objects, seen as a LiDAR at 1.9 m sees them: only the faces towards it, and the ground."""

import numpy as np
import pytest
from isobath_training import detection_baseline as model
from isobath_training.folder import run

SENSOR_Z = 1.9


@pytest.fixture(scope="module")
def graph() -> bytes:
    return model.build().model().SerializeToString(deterministic=True)


def ground():
    """Rings as 64 beams draw them on the floor."""
    down = np.radians(np.linspace(2.0, 25.0, 45))
    radius = (SENSOR_Z / np.tan(down))[:, None]
    turn = np.radians(np.arange(0, 360, 0.4))[None]
    x, y = radius * np.cos(turn), radius * np.sin(turn)
    return np.stack([x.ravel(), y.ravel(), np.full(x.size, -SENSOR_Z)], 1)


def box(center, size, yaw, spacing=0.1):
    """The two sides that face the sensor, sampled evenly."""
    l, w, h = size
    c, s = np.cos(yaw), np.sin(yaw)
    turn = np.array([[c, -s], [s, c]])
    sensor = turn.T @ -np.asarray(center)
    along, across = (np.arange(-e / 2, e / 2 + 1e-6, spacing) for e in (l, w))
    faces = [
        np.stack([along, np.full(len(along), np.copysign(w / 2, sensor[1]))], 1),
        np.stack([np.full(len(across), np.copysign(l / 2, sensor[0])), across], 1),
    ]
    xy = np.concatenate(faces) @ turn.T + center
    z = np.arange(0.1, h, 0.15) - SENSOR_Z
    return np.column_stack([np.repeat(xy, len(z), 0), np.tile(z, len(xy))])


def detect(graph, *clouds, threshold=0.05):
    points = np.concatenate([ground(), *clouds]).astype(np.float32)
    out = {k: v[0] for k, v in run(graph, {"bev": model.features(points)}).items()}
    found = []
    for c, i, j in zip(*np.nonzero(out["heatmap"] > threshold), strict=True):
        center = (np.array([i, j]) + out["offset"][:, i, j]) * 0.4 - 51.2
        sine, cosine = out["rotation"][:, i, j]
        found.append(
            (model.CLASSES[c], out["heatmap"][c, i, j], center, out["size"][:, i, j], np.arctan2(sine, cosine))
        )
    return sorted(found, key=lambda d: -d[1])


SIZES = {"car": (4.4, 1.8, 1.55), "pedestrian": (0.6, 0.6, 1.75), "bus": (11, 2.6, 3.1), "truck": (8, 2.5, 3.0)}


@pytest.mark.parametrize("name", SIZES)
def test_isolated_objects_have_class_and_place(graph, name):
    random = np.random.default_rng(3)
    hits = 0
    for _ in range(30):
        distance, bearing, yaw = random.uniform((8, 0, 0), (30, 2 * np.pi, np.pi))
        center = distance * np.array([np.cos(bearing), np.sin(bearing)])
        found = detect(graph, box(center, SIZES[name], yaw))
        hits += any(d[0] == name and np.hypot(*(d[2] - center)) < 1.0 for d in found)
    print(name, hits)
    assert hits >= 24


def test_empty_ground_has_nothing(graph):
    assert detect(graph) == []


def test_walls_are_not_objects(graph):
    walls = [box(c, (60, 0.3, 4), y) for c, y in (((0, 20), 0), ((0, -15), 0.1), ((25, 0), np.pi / 2))]
    assert len(detect(graph, *walls)) <= 3


def test_ground_on_a_slope_is_not_an_object(graph):
    points = ground()
    points[:, 2] += 0.06 * points[:, 0]
    out = run(graph, {"bev": model.features(points.astype(np.float32))})
    assert (out["heatmap"] > 0.3).sum() == 0


def test_every_output_is_finite(graph):
    out = run(graph, model.golden_inputs())
    assert all(np.isfinite(v).all() for v in out.values())
    length = np.hypot(*out["rotation"][0])
    assert np.allclose(length[length > 0], 1, atol=1e-5)
