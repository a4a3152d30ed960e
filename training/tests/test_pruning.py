"""Weights that detectors do without."""

import pytest
import torch
from isobath_training import runs
from isobath_training.detector_s import train as training
from isobath_training.detector_s.draw import Draw
from isobath_training.detector_s.export import to_onnx
from isobath_training.detector_s.network import SHAPES, Detector, Shape
from isobath_training.detector_s.pruning import METHODS, Pruning, masks, prunable, soup
from isobath_training.detector_s.sweeps import Sweeps
from onnx import numpy_helper
from test_detector_s import GRID, write_sweeps

SHAPE = Shape((16, 32, 32), (1, 1, 1))


def share(found: dict) -> float:
    return 1 - sum(int(mask.sum()) for mask in found.values()) / sum(mask.numel() for mask in found.values())


@pytest.mark.parametrize("method", METHODS)
def test_as_much_is_left_out_as_was_asked_for(method):
    torch.manual_seed(1)
    network = Detector(SHAPE)
    found = masks(network, method, 0.5, 3)
    # Whole blocks and places come in few sizes.
    assert share(found) == pytest.approx(0.5, abs=0.03 if method == "taps" else 0.02)
    assert all(mask.any() for mask in found.values())
    first = next(name for name, layer in network.named_modules() if layer is network.encode[0])
    assert first not in found and "head" not in found


def test_each_method_takes_what_it_says():
    torch.manual_seed(1)
    network = Detector(SHAPE)
    layers = prunable(network)
    magnitude, random = masks(network, "magnitude", 0.6, 3), masks(network, "random", 0.6, 3)
    for name, mask in magnitude.items():
        sizes = layers[name].weight.detach().abs()
        assert sizes[mask].min() >= sizes[~mask].max()
        assert mask.sum() == random[name].sum() and (mask != random[name]).any()
    for mask in masks(network, "n_m", 0.5, 3).values():
        assert (mask.view(-1, 4, mask.shape[1]).sum(1) == 2).all()
    taps = masks(network, "taps", 0.5, 3)
    for name, mask in taps.items():
        whole = mask.view(layers[name].places, -1)
        assert (whole.all(1) | ~whole.any(1)).all() and layers[name].places == 9
    for name, mask in masks(network, "blocks", 0.5, 3).items():
        blocks = mask.view(layers[name].places, -1, 16, mask.shape[1] // 16, 16).permute(0, 1, 3, 2, 4).flatten(3)
        assert (blocks.all(3) | ~blocks.any(3)).all()


def test_a_share_grows_or_is_there_at_once():
    assert Pruning.parse("magnitude:0.7").share_at(0) == 0.7 and Pruning.parse("n_m").share == 0.5
    gradual = [Pruning.parse("taps:0.4").share_at(at) for at in (0, 0.1, 0.3, 0.5, 1)]
    assert gradual == sorted(gradual) and (gradual[0], gradual[-1]) == (0, 0.4)
    for wrong in ("", "smallest:0.5", "taps:1.5", "taps:half", "n_m:0.25"):
        with pytest.raises(SystemExit, match="--prune: expected"):
            Pruning.parse(wrong)


@pytest.fixture
def opened(tmp_path, monkeypatch):
    monkeypatch.setitem(SHAPES, "detector_xs", SHAPE)
    monkeypatch.setattr(training.Recipe, "grid", GRID)
    return Sweeps(write_sweeps(tmp_path / "sweeps", 8))


def zeros(network: Detector) -> dict[str, torch.Tensor]:
    return {name: layer.weight.detach() == 0 for name, layer in prunable(network).items()}


def test_what_was_pruned_stays_away_and_runs_go_on(opened, tmp_path):
    recipe = training.Recipe("detector_xs", 3, 400, batch=4, rate=1e-2, prune="magnitude:0.6")
    run = training.Run(recipe, tmp_path / "run.pt")
    draw = Draw(opened, 3)
    run.step(draw)
    first = zeros(run.network)
    assert sum(int(zero.sum()) for zero in first.values()) > 0
    run.step(draw)
    run.save()
    for network in (run.network, run.average):
        assert all((zeros(network)[name] == zero).all() for name, zero in first.items())
    again = training.Run(recipe, tmp_path / "run.pt")
    assert again.step(draw) == run.step(draw)
    assert all((zeros(again.average)[name] == zero).all() for name, zero in first.items())
    with pytest.raises(SystemExit, match="prune"):
        training.Run(training.Recipe("detector_xs", 3, 400, batch=4, rate=1e-2), tmp_path / "run.pt")


def test_soups_are_of_runs_that_were_pruned_alike(opened, tmp_path):
    states = []
    for name, prune in (("a", "magnitude:0.6"), ("b", "magnitude:0.6"), ("c", "n_m:0.5")):
        recipe = training.Recipe("detector_xs", 3, 40, batch=4, rate=1e-2 if name == "a" else 1e-3, prune=prune)
        run = training.Run(recipe, tmp_path / f"{name}.pt")
        run.step(Draw(opened, 3))
        runs.write(tmp_path / f"{name}.pt", run.state())
        states.append(torch.load(tmp_path / f"{name}.pt", weights_only=True))
    a, b, _ = states
    mean = soup([a, b])
    torch.testing.assert_close(mean["neck.weight"], (a["average"]["neck.weight"] + b["average"]["neck.weight"]) / 2)
    assert (mean["neck.weight"] == 0).sum() == (a["average"]["neck.weight"] == 0).sum()
    with pytest.raises(SystemExit, match="pruned alike"):
        soup(states)


def test_the_export_reads_no_place_that_was_pruned():
    torch.manual_seed(1)
    network = Detector(SHAPE).eval()
    with torch.no_grad():
        for name, mask in masks(network, "taps", 0.4, 3).items():
            prunable(network)[name].weight *= mask
        model = to_onnx(network, 16, sparse=True)
    constants = {i.name: numpy_helper.to_array(i) for i in model.graph.initializer}
    chosen = {n.output[0]: constants[n.input[1]] for n in model.graph.node if n.op_type == "Gather" and n.input[1] in constants}
    kept = 0
    for node in model.graph.node:
        if node.op_type == "SparseConv" and node.input[1] in chosen:
            taps = chosen[node.input[1]]
            weight = constants[node.input[2]]
            assert 0 < len(taps) < 9 and len(weight) % len(taps) == 0
            assert weight.reshape(len(taps), -1).any(1).all()
            kept += 1
    assert kept > 3
