"""Detectors with more levels than their model has, or with coarser sites around active ones."""

import numpy as np
import pytest
import torch
from isobath_training.detector_s import train as training
from isobath_training.detector_s.batches import sample
from isobath_training.detector_s.distillation import Teacher
from isobath_training.detector_s.draw import Draw
from isobath_training.detector_s.export import HEADS
from isobath_training.detector_s.folder import folder, load
from isobath_training.detector_s.network import CLASSES, SHAPES, Shape, Tables
from isobath_training.detector_s.sweeps import Sweeps
from isobath_training.detector_s.tables import Pyramid
from isobath_training.folder import run, write_folder
from isobath_training.quantization.folder import network_of, read_manifest
from isobath_training.quantization.frames import frames
from isobath_training.quantization.ptq import Options, quantize
from isobath_training.quantization.reference import head as head_of_integers
from isobath_training.quantization.sweeps import of_arrays
from isobath_training.quantization.write import MapWriter, SparseWriter
from test_detector_s import GRID, write_sweeps


@pytest.fixture
def opened(tmp_path, monkeypatch):
    monkeypatch.setitem(SHAPES, "detector_xs", Shape((8, 8, 16), (1, 1, 2)))
    monkeypatch.setattr(training.Recipe, "grid", GRID)
    return Sweeps(write_sweeps(tmp_path / "sweeps", 16))


def test_levels_that_are_added_say_nothing_until_they_learn(opened, tmp_path):
    flat = training.Run(training.Recipe("detector_xs", 1, 400, batch=4, rate=1e-2), tmp_path / "flat.pt")
    draw = Draw(opened, 1)
    for _ in range(4):
        flat.step(draw)
    flat.save()
    recipe = training.Recipe("detector_xs", 2, 400, batch=4, rate=1e-2, levels=5)
    deep = training.Run(recipe, tmp_path / "deep.pt")
    deep.begin_with(tmp_path / "flat.pt")
    assert deep.network.shape == Shape((8, 8, 16, 16, 16), (1, 1, 2, 1, 1))
    _, features, _, tables, _ = sample(opened, 0, None, GRID, Pyramid(5))
    rows = torch.from_numpy(features)
    with torch.no_grad():
        expected = flat.average.eval()(rows, Tables(tables[:3]))
        assert torch.equal(deep.network.eval()(rows, Tables(tables)), expected)
        assert torch.equal(deep.average.eval()(rows, Tables(tables)), expected)
    # What is silent at first learns: first where it joins the others, then all of it.
    coarsest = deep.network.blocks[4][0].first.weight
    before = coarsest.detach().clone()
    for _ in range(3):
        deep.step(draw)
    assert all(layer.norm.weight.abs().max() > 0 for layer in (deep.network.up[2], deep.network.up[3]))
    assert not torch.equal(coarsest, before)
    deep.save()
    assert load(tmp_path / "deep.pt")[0].levels == 5
    with pytest.raises(SystemExit, match="expected a network of at most 3 levels, found 5"):
        training.Run(training.Recipe("detector_xs", 3, 8), tmp_path / "other.pt").begin_with(tmp_path / "deep.pt")
    with pytest.raises(SystemExit, match=r"expected a teacher of Pyramid\(levels=3, dilated=False\), as the student is, found Pyramid\(levels=5"):
        teacher = Teacher(tmp_path / "deep.pt", "points", 1.0)
        training.train(training.Recipe("detector_xs", 3, 8), opened.folder, None, tmp_path / "s.pt", threads=1, teacher=teacher)


def test_a_run_goes_on_with_its_levels_only(opened, tmp_path):
    training.Run(training.Recipe("detector_xs", 1, 8, levels=4), tmp_path / "run.pt").save()
    with pytest.raises(SystemExit, match="'levels': 4.*'levels': 5"):
        training.Run(training.Recipe("detector_xs", 1, 8, levels=5), tmp_path / "run.pt")


@pytest.mark.parametrize("dilated", [False, True])
def test_what_is_dilated_is_quantized_and_written_as_such(opened, tmp_path, dilated):
    recipe = training.Recipe("detector_xs", 1, 80, batch=4, rate=1e-2, levels=4, dilated=dilated)
    training.train(recipe, opened.folder, None, tmp_path / "run.pt", threads=1)
    write_folder(folder("detector_xs", tmp_path / "run.pt", opened.folder, {}), tmp_path / "folder")
    network = network_of(tmp_path / "folder", read_manifest(tmp_path / "folder"))
    assert network.pyramid == Pyramid(4, dilated)
    seen = frames(network, of_arrays(opened.folder, GRID, 20))
    plan = quantize(network, seen, len(CLASSES), Options("min_max"))
    begin, end = HEADS["offset"]
    of_integers = head_of_integers(network, seen[0], plan)[:, begin:end]
    # The map is computed by other sums; a byte may be the next one. With the sites of the other kind it is off by a third.
    inputs = {"features": seen[0].features.numpy(), "coords": seen[0].coords}
    found = run(MapWriter(network, plan).model().SerializeToString(), inputs)["offset"]
    assert np.abs(found - of_integers).mean() < 0.1 * of_integers.std()
    (sites,) = [n for n in SparseWriter(network, plan).model().graph.node if n.op_type == "SiteTables"]
    assert {a.name: a.i for a in sites.attribute}.get("dilated", 0) == dilated
