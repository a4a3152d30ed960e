"""Detectors that learn from larger ones."""

import numpy as np
import pytest
import torch
from isobath_training import runs
from isobath_training.detector_s import distillation
from isobath_training.detector_s import train as training
from isobath_training.detector_s.distillation import NEIGHBOURS, Teacher, outputs_loss, points_loss
from isobath_training.detector_s.batches import sample
from isobath_training.detector_s.draw import Draw
from isobath_training.detector_s.inheritance import inherit, levels
from isobath_training.detector_s.network import BOX, CLASSES, SHAPES, Detector, Shape, Tables
from isobath_training.detector_s.sweeps import Sweeps
from isobath_training.detector_s.tables import Pyramid
from test_detector_s import GRID, write_sweeps


@pytest.fixture
def opened(tmp_path):
    return Sweeps(write_sweeps(tmp_path / "sweeps", 8))


@pytest.fixture
def teacher_path(monkeypatch, tmp_path):
    """A tiny teacher, untrained, and a student half as wide."""
    monkeypatch.setitem(SHAPES, "detector_xs", Shape((16, 16, 16), (1, 1, 1)))
    monkeypatch.setitem(SHAPES, "detector_xxs", Shape((8, 8, 8), (1, 1, 1)))
    monkeypatch.setattr(training.Recipe, "grid", GRID)
    run = training.Run(training.Recipe("detector_xs", 5, 40), tmp_path / "teacher.pt")
    with torch.no_grad():
        # It sees something here and there.
        run.average.head.weight.normal_(0, 0.7)
        run.average.head.bias.zero_()
    run.save()
    return tmp_path / "teacher.pt"


RECIPE = training.Recipe("detector_xxs", 3, 400, batch=4, rate=1e-2)


@pytest.mark.parametrize("methods", ["outputs", "features", "points", "outputs+points"])
def test_a_student_comes_nearer_to_its_teacher(opened, teacher_path, tmp_path, methods):
    run = training.Run(RECIPE, tmp_path / "run.pt", Teacher(teacher_path, methods, 1.0))
    draw = Draw(opened, 3)
    told = [run.step(draw)["teacher"] for _ in range(30)]
    assert np.mean(told[-5:]) < 0.8 * np.mean(told[:5])


def test_a_student_goes_on_with_its_teacher_only(opened, teacher_path, tmp_path):
    teacher = Teacher(teacher_path, "points", 0.5)
    run = training.Run(RECIPE, tmp_path / "run.pt", teacher)
    draw = Draw(opened, 3)
    run.step(draw)
    run.save()
    again = training.Run(RECIPE, tmp_path / "run.pt", Teacher(teacher_path, "points", 0.5))
    # What turns its features into the teacher's is kept as well.
    assert again.step(draw) == run.step(draw)
    for other in (None, Teacher(teacher_path, "points", 1.0), Teacher(teacher_path, "features", 0.5)):
        with pytest.raises(SystemExit, match="made with the teacher"):
            training.Run(RECIPE, tmp_path / "run.pt", other)
    runs.pack(tmp_path / "run.pt", tmp_path / "packed.pt")
    packed = torch.load(tmp_path / "packed.pt", weights_only=True)
    assert "helper" not in packed and packed["teacher"]["distill"] == "points"


def test_a_student_inherits_what_matters(opened, teacher_path, tmp_path):
    """Of a teacher with as many dead channels as the student lacks: the very same function."""
    random = torch.Generator().manual_seed(3)
    teacher = Teacher(teacher_path, "weights+outputs", 1.0)
    wide = teacher.network
    for writers, _ in levels(wide):
        alive = torch.randperm(16, generator=random)[:8]
        for layer in writers:
            keep_alone(layer, alive, random)
    for block in (*(b for of in wide.blocks for b in of), *wide.merge):
        keep_alone(block.first, torch.randperm(16, generator=random)[:8], random)
    keep_alone(wide.encode[0], torch.randperm(16, generator=random)[:8], random)
    keep_alone(wide.neck, torch.randperm(32, generator=random)[:16], random)
    run = training.Run(RECIPE, tmp_path / "run.pt", teacher)
    _, features, _, tables, _ = sample(opened, 0, None, GRID, Pyramid(3))
    given = torch.from_numpy(features), Tables(tables)
    expected, found = wide(*given), run.average.eval()(*given)
    assert expected.std() > 0.1 and torch.allclose(expected, found, atol=1e-4)
    deeper = Detector(Shape((8, 8, 8), (1, 2, 1)))
    with pytest.raises(SystemExit, match="expected a teacher of as many layers"):
        inherit(deeper, wide)


@torch.no_grad()
def keep_alone(layer, alive: torch.Tensor, random: torch.Generator) -> None:
    """All other outputs of a layer are zero, whatever it is given."""
    norm = layer.norm
    norm.running_mean.normal_(generator=random)
    norm.weight.uniform_(0.5, 2, generator=random)
    norm.bias.normal_(generator=random)
    dead = torch.ones(len(norm.weight), dtype=torch.bool)
    dead[alive] = False
    norm.weight[dead], norm.bias[dead] = 0, 0


def test_wrong_teachers_are_refused(opened, teacher_path, tmp_path):
    with pytest.raises(SystemExit, match="expected outputs, features, points"):
        Teacher(teacher_path, "logits", 1.0)
    with pytest.raises(SystemExit, match="expected outputs"):
        Teacher(teacher_path, "points+points", 1.0)
    runs.write(tmp_path / "depth.pt", {"recipe": {"seed": 1}, "average": {}})
    with pytest.raises(SystemExit, match="expected a checkpoint of detector_s"):
        Teacher(tmp_path / "depth.pt", "points", 1.0)
    teacher = Teacher(teacher_path, "points", 1.0)
    dense = training.Recipe("detector_xs_dense", 3, 8)
    with pytest.raises(SystemExit, match="expected a teacher on active pillars"):
        training.train(dense, opened.folder, None, tmp_path / "dense.pt", threads=1, teacher=teacher)


def test_equal_rows_lose_nothing_and_important_ones_most():
    random = torch.Generator().manual_seed(1)
    theirs = torch.randn(60, 12, generator=random)
    counts = [40, NEIGHBOURS, 20 - NEIGHBOURS]
    assert points_loss(theirs.clone(), theirs, counts) == 0
    assert points_loss(theirs[:0], theirs[:0], [0]) == 0
    theirs[3] *= 10
    faint = theirs.clone()
    faint[7] += 1
    strong = theirs.clone()
    strong[3] += 1
    assert points_loss(strong, theirs, counts) > points_loss(faint, theirs, counts) > 0
    outputs = torch.randn(30, len(CLASSES) + 1 + BOX, generator=random)
    assert outputs_loss(outputs, outputs).item() == pytest.approx(0, abs=1e-6)
    assert outputs_loss(outputs + 0.1, outputs) > 0
    # Boxes count where the teacher sees something.
    unsure = outputs.clone()
    unsure[:, : len(CLASSES)] = -10
    off = unsure.clone()
    off[:, -BOX:] += 5
    assert outputs_loss(off, unsure) == 0 and distillation.POSITIVE > 0
