"""Fine-tuning on truth that is known at few pixels."""

import numpy as np
import pytest
import torch
from test_depth_s import write_arrays

from isobath_training import runs
from isobath_training.depth_s import train as training
from isobath_training.depth_s.loss import loss
from isobath_training.depth_s.metrics import measure
from isobath_training.depth_s.samples import Frames

SIZE = (64, 96)


def outputs(log_depth, requires_grad=False):
    n, _, h, w = log_depth.shape
    guess = torch.full((n, 1, h // 4, w // 4), np.log(5.0))
    made = (log_depth, torch.zeros_like(log_depth), torch.zeros_like(log_depth), guess, torch.zeros(n, 1))
    return tuple(x.clone().requires_grad_(requires_grad) for x in made)


def sparse(depth, share, seed=9):
    gone = torch.rand(depth.shape, generator=torch.Generator().manual_seed(seed)) > share
    return torch.where(gone, torch.nan, depth)


def test_what_is_not_known_neither_counts_nor_spoils():
    depth = sparse(torch.full((2, 1, 32, 32), 5.0), 0.05)
    depth[1] = torch.nan
    made = outputs(torch.full_like(depth, np.log(6.0)), requires_grad=True)
    total, figures = loss(made, depth)
    total.backward()
    known = torch.isfinite(depth)
    for x in made[:2]:
        assert torch.isfinite(x.grad).all()
        assert (x.grad[~known] == 0).all() and (x.grad[known] != 0).all()
    # One of two images has truth: every one of its pixels is a fifth too far.
    assert abs(figures["abs_rel"] - 0.1) < 1e-4
    # No word of the sky.
    assert (made[2].grad == 0).all()


def test_neighbours_count_only_where_both_are_known():
    depth = torch.full((1, 1, 8, 8), torch.nan)
    depth[0, 0, 4, 2:4] = 5.0
    log_depth = torch.full_like(depth, np.log(5.0))
    log_depth[0, 0, 4, 3] += 0.3
    # 0.15 of scale, 0.3 · 0.15 of shape, the gradient of one pair, confidence of log 2.
    expected = 0.15 + 0.3 * 0.15 + 0.05 * 0.3 + 0.05 * np.log(2)
    assert abs(loss(outputs(log_depth), depth)[0].item() - expected) < 1e-5


@pytest.mark.parametrize("share", [0.5, 0.1])
def test_a_part_of_the_truth_weighs_as_much_as_all_of_it(share):
    torch.manual_seed(0)
    depth = torch.rand(4, 1, 64, 64) * 20 + 1
    made = outputs(torch.log(depth) + 0.3)
    whole, part = (loss(made, truth)[1] for truth in (depth, sparse(depth, share)))
    for name in ("log_l1", "abs_rel"):
        assert abs(part[name] / whole[name] - 1) < 0.05
    # All but the sky's part.
    sky = 0.05 * np.log(2)
    assert abs(part["loss"] / (whole["loss"] - sky) - 1) < 0.05


@pytest.fixture
def data(tmp_path):
    """A twentieth of the truth, as a LiDAR would show it."""
    folder = write_arrays(tmp_path / "drive", 8, 0)
    depth = np.load(folder / "depth.npy")
    depth[np.random.default_rng(0).random(depth.shape) > 0.05] = np.nan
    depth[np.isinf(depth)] = np.nan
    np.save(folder / "depth.npy", depth)
    return folder


def test_a_run_begins_with_the_weights_of_another(data, monkeypatch, tmp_path):
    monkeypatch.setattr(training, "SIZES", ((1.0, SIZE),))
    first = training.Run(training.Recipe(uses_prior=True, seed=1, samples=64, batch=4), tmp_path / "first.pt")
    first.save()
    runs.pack(tmp_path / "first.pt", tmp_path / "packed.pt")
    recipe = training.Recipe(uses_prior=True, seed=2, samples=64, batch=4, rate=2e-3)
    fresh = training.Run(recipe, tmp_path / "none.pt")
    fresh.begin_with(tmp_path / "packed.pt")
    for a, b in zip(first.average.parameters(), fresh.network.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-4)
    frames = Frames(data, seed=0, training=False)
    before = measure(fresh.average, frames, SIZE)["all"]["abs_rel"]
    run = training.train(recipe, data, None, tmp_path / "run.pt", threads=1, start=tmp_path / "packed.pt")
    after = measure(run.network, frames, SIZE)["all"]["abs_rel"]
    assert after < 0.7 * before
    # Started again it goes on, whatever it began with.
    again = training.train(recipe, data, None, tmp_path / "run.pt", threads=1, start=tmp_path / "packed.pt")
    assert again.seen == 64 and again.facts["origin"] == "packed.pt"
    other = training.Recipe(uses_prior=False, seed=2, samples=64, batch=4)
    with pytest.raises(SystemExit, match="expected a checkpoint of the same model"):
        training.Run(other, tmp_path / "other.pt").begin_with(tmp_path / "packed.pt")
