"""The exported graph against a NumPy account of the same formula that shares no code with it."""

import numpy as np
import pytest
from isobath_training import depth_baseline as model
from isobath_training.folder import run

H, W = 240, 320


@pytest.fixture(scope="module")
def graph() -> bytes:
    return model.build().model().SerializeToString(deterministic=True)


def pooled(a):
    return a.reshape(a.shape[0] // 2, 2, a.shape[1] // 2, 2).mean((1, 3))


def smoothed(a, kernel):
    r = len(kernel) // 2
    for axis in (0, 1):
        a = np.apply_along_axis(lambda v: np.convolve(np.pad(v, r), kernel, "valid"), axis, a)
    return a


def doubled(a):
    for axis in (0, 1):
        n = a.shape[axis]
        at = np.clip((np.arange(2 * n) + 0.5) / 2 - 0.5, 0, n - 1)
        a = np.apply_along_axis(lambda v, n=n, at=at: np.interp(at, np.arange(n), v), axis, a)
    return a


def expected_depth(prior):
    w = (prior > 0).astype(np.float64)
    scales = [(np.log(np.clip(prior, 0.2, 120.0)) * w, w)]
    for _ in range(4):
        scales.append(tuple(map(pooled, scales[-1])))
    s, w = scales[4]
    e = np.full(s.shape, s.mean() / (w.mean() + 1e-9))
    for sigma in (5.0, 2.0):
        r = int(np.ceil(2.5 * sigma))
        k = np.exp(-0.5 * (np.arange(-r, r + 1) / sigma) ** 2)
        k /= k.sum()
        pull = 0.05 / 256 / (2 * np.pi * sigma**2)
        e = (smoothed(s, k) + pull * e) / (smoothed(w, k) + pull)
    for level in (4, 3, 2, 1, 0):
        if level < 4:
            e = doubled(e)
        s, w = scales[level]
        if level > 0:
            s, w = (smoothed(a, np.array([0.25, 0.5, 0.25])) for a in (s, w))
        pull = (0.02 if level == 0 else 0.3) * 0.25**level
        e = (s + pull * e) / (w + pull)
    return np.exp(e)


def infer(graph, prior):
    out = run(graph, {"prior": prior.astype(np.float32).reshape(1, 1, H, W)})
    return out["depth"][0, 0], out["confidence"][0, 0]


@pytest.mark.parametrize("count", [1, 6, 60])
def test_agrees_with_numpy(graph, count):
    random = np.random.default_rng(count)
    prior = np.zeros((H, W))
    prior[random.integers(0, H, count), random.integers(0, W, count)] = random.uniform(0.5, 60, count)
    depth, _ = infer(graph, prior)
    np.testing.assert_allclose(depth, expected_depth(prior), rtol=2e-3)


def test_no_return_gives_nothing(graph):
    depth, confidence = infer(graph, np.zeros((H, W)))
    assert not depth.any() and not confidence.any()


def test_depth_stays_between_its_returns_and_honours_them(graph):
    prior = model.golden_inputs()["prior"][0, 0]
    depth, _ = infer(graph, prior)
    known = prior > 0
    assert depth.min() >= prior[known].min() * 0.999 and depth.max() <= prior[known].max() * 1.001
    assert np.abs(np.log(depth[known] / prior[known])).max() < 0.05


def test_confidence_falls_with_distance(graph):
    prior = np.zeros((H, W))
    prior[120, 160] = 5
    _, confidence = infer(graph, prior)
    row = confidence[120, 160:]
    assert row[0] == 1 and (np.diff(row) <= 1e-6).all()
    for d in (12, 24, 48):
        assert abs(row[d] - np.exp(-d / 20)) < 0.15


def test_export_repeats(graph):
    assert graph == model.build().model().SerializeToString(deterministic=True)
    assert len(graph) < 100_000
