"""Learning from a teacher, with teachers made here."""

import numpy as np
import pytest
import torch
from test_depth_s import CAMERA, trained, write_arrays

from isobath_training.depth_s import train as training
from isobath_training.depth_s.distillation import (
    DepthSPredictor,
    FolderPredictor,
    Teacher,
    VitPredictor,
    blend,
    discs_of,
    footprints_of,
    returns_of,
)
from isobath_training.depth_s.export import to_onnx
from isobath_training.depth_s.network import DepthNetwork
from isobath_training.depth_s.prior import draw
from isobath_training.depth_s.samples import Frames
from isobath_training.depth_vits import encoder
from isobath_training.depth_vits.network import RADARMEETSVISION, DepthVit
from isobath_training.folder import Folder, write_folder

SIZE = (64, 96)


class Truth:
    """Knows the depth, and is half sure of it on the left."""

    uses_prior = True

    def __call__(self, batch):
        confidence = torch.ones_like(batch.depth)
        confidence[..., : batch.depth.shape[-1] // 2] = 0.5
        return batch.depth, confidence


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_arrays(tmp_path_factory.mktemp("arrays") / "train", 8, 0)


@pytest.fixture
def batch(data):
    return Frames(data, seed=0, training=False).batch(0, 2, SIZE)


@pytest.fixture(scope="module")
def teacher_checkpoint(data, tmp_path_factory):
    """A run of no steps with weights that are not those of a start."""
    path = tmp_path_factory.mktemp("teacher") / "teacher.pt"
    run = training.Run(training.Recipe(uses_prior=True, seed=9, samples=8, batch=2), path)
    run.average.load_state_dict(trained(DepthNetwork()).state_dict())
    run.save()
    return path


def test_the_loss_is_that_to_the_teacher_where_it_is_sure(data, batch):
    teacher = Teacher("truth", 0.5, Truth())
    log_depth = torch.log(torch.where(torch.isinf(batch.depth), torch.ones(()), batch.depth))
    assert teacher.loss(log_depth, batch)[0] == 0
    wrong = (log_depth + 0.2).requires_grad_()
    total, figures = teacher.loss(wrong, batch)
    # Half of the 0.2: a constant offset has no gradient in the image.
    assert abs(total.item() - 0.1) < 1e-5 and abs(figures["teacher"] - 0.2) < 1e-5
    total.backward()
    counted = torch.isfinite(batch.depth) & (batch.depth <= 80)
    assert (wrong.grad[~counted] == 0).all() and (wrong.grad[counted] > 0).all()
    left, right = wrong.grad[0, 0, 40, 40], wrong.grad[0, 0, 40, 80]
    torch.testing.assert_close(right, 2 * left)


def test_a_student_comes_to_see_what_its_teacher_sees(batch):
    torch.manual_seed(0)
    network, teacher = DepthNetwork(), Teacher("truth", 1.0, Truth())
    optimizer = torch.optim.AdamW(network.parameters(), lr=3e-3)
    seen = []
    for _ in range(12):
        total, figures = teacher.loss(network(batch.image, batch.prior, batch.rays)[0], batch)
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        seen.append(figures["teacher"])
    assert seen[-1] < 0.5 * seen[0]


def test_footprints_become_returns_again():
    grid, camera = (60, 80), CAMERA.astype(np.float64) * np.array([0.25] * 4 + [1] * 5)
    points = np.array([[-3, 0, 9], [0.5, 1, 9], [3, -1, 7], [0, 0.5, 4]], np.float32)
    sigmas = np.radians([[4, 6], [0, 0], [3, 1], [0, 2]]).astype(np.float32)
    u, v, z = returns_of(torch.from_numpy(draw(points, sigmas, camera, grid)))
    assert len(z) == 4
    for point in points:
        alone = draw(point[None], np.zeros((1, 2), np.float32), camera, grid)
        row, column = np.argwhere(alone[0] > 0)[0]
        near = np.hypot(u - column, v - row) <= 0.5
        assert near.sum() == 1 and z[near][0] == point[2]
    empty = returns_of(torch.zeros(2, 5, 5))
    assert all(len(part) == 0 for part in empty)


def test_priors_keep_their_place_and_weight_at_other_sizes(batch):
    depth = discs_of(batch, (126, 168))
    rows, columns = batch.prior.shape[-2:]
    for prior, drawn in zip(batch.prior, depth, strict=True):
        row, column = np.argwhere(prior[1].numpy() > 0)[0]
        at = drawn[0, int((row + 0.5) / rows * 126), int((column + 0.5) / columns * 168)]
        assert at == prior[0, row, column]
        assert 0 < (drawn > 0).float().mean() < 0.1
    larger = footprints_of(batch, (2 * rows, 2 * columns))
    torch.testing.assert_close(larger[:, 1].sum(), batch.prior[:, 1].sum())


def test_the_mean_of_the_prior_fills_what_is_not_sure():
    prior = torch.zeros(2, 1, 1, 2)
    prior[0, 0, 0, 0] = 4
    depth, confidence = torch.full_like(prior, 8), torch.full_like(prior, 0.25)
    assert blend(depth, confidence, prior).flatten().tolist() == [5, 5, 8, 8]


def test_a_folder_teaches_what_its_network_would(teacher_checkpoint, data, tmp_path):
    network = DepthSPredictor(teacher_checkpoint)
    batch = Frames(data, seed=0, training=False).batch(0, 2, (240, 320))
    expected = network(batch)
    golden = {name: getattr(batch, name)[:1].contiguous().numpy() for name in ("image", "rays", "prior")}
    settings = {"max_m": 120.0, "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}
    manifest = {"kind": "depth", "depth": settings | {"fusion": "none", "prior": "footprints"}}
    model = to_onnx(DepthSPredictor(teacher_checkpoint).network)
    write_folder(Folder({"fp32": model}, golden, manifest, {"fp32": {}}, ""), tmp_path / "model")
    predictor = FolderPredictor(tmp_path / "model")
    assert predictor.uses_prior
    found = predictor(batch)
    same_side = torch.isinf(found[0]) == torch.isinf(expected[0])
    assert same_side.float().mean() > 0.999
    finite = same_side & torch.isfinite(found[0])
    torch.testing.assert_close(found[0][finite], expected[0][finite], rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(found[1], expected[1], rtol=1e-4, atol=1e-4)
    # A smaller image is brought to the folder's size and its depth back.
    small = Frames(data, seed=0, training=True).batch(0, 2, SIZE)
    log_depth = torch.zeros(2, 1, *SIZE, requires_grad=True)
    Teacher(tmp_path, 1.0, predictor).loss(log_depth, small)[0].backward()
    assert torch.isfinite(log_depth.grad).all() and log_depth.grad.abs().sum() > 0


def test_a_published_network_teaches_at_multiples_of_14(batch, monkeypatch):
    monkeypatch.setattr(encoder, "DEPTH", 4)
    monkeypatch.setattr(encoder, "TAPS", (0, 1, 2, 3))
    torch.manual_seed(0)
    predictor = VitPredictor(DepthVit(RADARMEETSVISION, 120.0))
    with torch.no_grad():
        depth, confidence = predictor(batch)
    assert depth.shape == confidence.shape == (2, 1, 70, 98) and predictor.uses_prior
    log_depth = torch.zeros(2, 1, *SIZE, requires_grad=True)
    Teacher("vit", 1.0, predictor).loss(log_depth, batch)[0].backward()
    assert torch.isfinite(log_depth.grad).all() and log_depth.grad.abs().sum() > 0


def test_a_taught_run_goes_on_with_its_teacher_only(data, teacher_checkpoint, monkeypatch, tmp_path):
    monkeypatch.setattr(training, "SIZES", ((1.0, SIZE),))
    recipe = training.Recipe(uses_prior=True, seed=3, samples=6, batch=2)
    frames = Frames(data, seed=3, training=True)
    teacher = Teacher.open(teacher_checkpoint, 0.5)
    whole = training.Run(recipe, tmp_path / "whole.pt")
    figures = [whole.step(frames, teacher) for _ in range(3)]
    assert all(f["teacher"] > 0 for f in figures)
    first = training.Run(recipe, tmp_path / "run.pt")
    first.facts["teacher"] = teacher.describe()
    first.step(frames, teacher)
    first.save()
    resumed = training.train(recipe, data, None, tmp_path / "run.pt", threads=1, teacher=teacher)
    assert resumed.seen == 6
    alone = training.Run(recipe, tmp_path / "alone.pt")
    for _ in range(3):
        alone.step(frames)
    same, other = (
        max(
            (a - b).abs().max().item()
            for a, b in zip(whole.network.parameters(), run.network.parameters(), strict=True)
        )
        for run in (resumed, alone)
    )
    # `train` shows other scales of the world than `frames`, so steps are alike, not equal.
    assert other > 0 and same < 1
    with pytest.raises(SystemExit, match=r"run.pt: made with the teacher .*teacher.pt.*, expected None"):
        training.train(recipe, data, None, tmp_path / "run.pt", threads=1)
    with pytest.raises(SystemExit, match=r"expected .*0\.25"):
        training.train(
            recipe, data, None, tmp_path / "run.pt", threads=1, teacher=Teacher.open(teacher_checkpoint, 0.25)
        )


def test_what_cannot_teach_is_refused(tmp_path):
    with pytest.raises(SystemExit, match="expected a model folder or a checkpoint, found nothing"):
        Teacher.open(tmp_path / "none", 1.0)
    with pytest.raises(SystemExit, match="expected a model's manifest"):
        Teacher.open(tmp_path, 1.0)
    (tmp_path / "model.yaml").write_text("kind: detection\n")
    with pytest.raises(SystemExit, match="expected a model of kind depth, found 'detection'"):
        Teacher.open(tmp_path, 1.0)
    (tmp_path / "some.pth").write_text("text")
    with pytest.raises(SystemExit, match=r"some.pth: expected a PyTorch checkpoint"):
        Teacher.open(tmp_path / "some.pth", 1.0)
