"""The network of `depth_s`, its training and its export, on arrays made here."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from isobath_training.arrays import FORMAT
from isobath_training import runs
from isobath_training.depth_s import train as training
from isobath_training.depth_s.export import GRID, HEIGHT, WIDTH, Metres, load, to_onnx
from isobath_training.depth_s.folder import TOLERANCE, deviation, folder
from isobath_training.depth_s.loss import loss
from isobath_training.depth_s.match import Matcher, auroc, collect, fit
from isobath_training.depth_s.metrics import measure
from isobath_training.depth_s.network import DepthNetwork, Spread
from isobath_training.depth_s.prior import draw, rays
from isobath_training.depth_s.returns import simulated
from isobath_training.depth_s.samples import Frames
from isobath_training.export_data import with_any_mount
from isobath_training.folder import run, write_folder
from isobath_training.graph import Graph
from isobath_training.quantize import quantize

SCENES = sorted((Path(__file__).parents[2] / "config/scenes").glob("*.yaml"))
CAMERA = np.array([200.0, 200.0, 159.5, 119.5, -0.1, 0.01, 0, 0, 0], np.float32)


def write_arrays(out, frames, first_seed):
    """A wall before a floor, whose distance only the radar tells."""
    random = np.random.default_rng(first_seed)
    out.mkdir()
    names = "x y z range_rate snr rcs radar age motion azimuth_std elevation_std"
    columns = {"camera": [], "lidar": [], "boxes": [], "radar": names.split()}
    index = {"format": FORMAT, "scenes": ["hall", "street"], "classes": [], "columns": columns}
    (out / "dataset.json").write_text(json.dumps(index))
    numbers = np.arange(frames)
    np.save(out / "frames.npy", np.stack([numbers % 2, first_seed + numbers, 0 * numbers], 1))
    walls = random.uniform(3, 30, frames)
    row = np.arange(240)[:, None]
    floors = 200.0 * 1.0 / np.maximum(row - 119.5, 1e-3)
    depth = np.stack(
        [np.minimum(wall, np.where(row > 120, floors, 1e9)) * np.ones((1, 320)) for wall in walls]
    )
    depth[:, :20] = np.inf
    np.save(out / "depth.npy", depth.astype(np.float16))
    image = 255 * np.exp(-np.where(np.isfinite(depth), depth, 0) / 10)
    np.save(out / "image.npy", np.repeat(image.astype(np.uint8)[..., None], 3, 3))
    np.save(out / "camera.npy", np.repeat(CAMERA[None], frames, 0))
    returns = [[[x, 0, wall, 0, 20, 0, 0, 0.01, 0, 0, 0] for x in (-1.0, 0.0, 1.0)] for wall in walls]
    np.save(out / "radar.npy", np.array(returns, np.float32).reshape(-1, len(names.split())))
    np.save(out / "radar_offsets.npy", np.arange(frames + 1) * 3)
    return out


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_arrays(tmp_path_factory.mktemp("arrays") / "train", 8, 0)


@pytest.fixture
def small(monkeypatch):
    """Small images all the way, and steps of two."""
    monkeypatch.setattr(training, "SIZES", ((1.0, (64, 96)),))
    return training.Recipe(uses_prior=True, seed=3, samples=8, batch=2)


def trained(network):
    """Weights as after training: nothing is zero, nothing is one."""
    torch.manual_seed(1)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
            module.weight.data.uniform_(0.5, 1.5)
    network.head.weight.data.normal_(0, 0.05)
    network.guess.weight.data.normal_(0, 0.05)
    return network.eval()


def tensors(count=1):
    torch.manual_seed(2)
    prior = torch.rand(count, 2, *GRID) * (torch.rand(count, 1, *GRID) < 0.01)
    prior[:, 0] *= 20
    return torch.randn(count, 3, HEIGHT, WIDTH), torch.randn(count, 2, *GRID) * 0.5, prior


def test_a_difference_that_all_returns_tell_is_everywhere():
    known = (torch.rand(1, 1, 30, 40) < 0.05).float()
    with torch.no_grad():
        spread, support = Spread()(0.4 * known, known)
        nothing, none = Spread()(torch.zeros_like(known), torch.zeros_like(known))
    assert spread.min() > 0.35 and spread.max() <= 0.4001
    assert 0 < support.min() and support.max() <= 1
    assert nothing.abs().max() == 0 and none.abs().max() == 0


@pytest.mark.parametrize("uses_prior", [True, False])
def test_the_export_is_the_network(uses_prior):
    network = trained(DepthNetwork(uses_prior=uses_prior))
    image, directions, prior = tensors()
    with torch.no_grad():
        evidence = network(*tensors(8)[::2], tensors(8)[1])[4]
        matcher = Matcher(evidence).eval() if uses_prior else None
        expected = Metres(network, matcher)(image, directions, prior)
    inputs = {"image": image.numpy(), "rays": directions.numpy(), "prior": prior.numpy()}
    found = run(
        to_onnx(network, matcher).SerializeToString(),
        inputs if uses_prior else dict(list(inputs.items())[:2]),
    )
    # Some pixel may lie on the very border of the sky.
    same_side = (found["depth"] == 1000) == (expected[0].numpy() == 1000)
    assert same_side.mean() > 0.9999
    names = ["depth", "confidence", "first_look", "radar_match"][: len(expected)]
    assert list(found) == names and len(expected) == (4 if uses_prior else 2)
    for name, value in zip(names, expected, strict=True):
        assert found[name].shape == value.shape
        same = same_side if value.shape == same_side.shape else np.ones(value.shape, bool)
        np.testing.assert_allclose(found[name][same], value.numpy()[same], rtol=1e-5, atol=1e-6)


def test_returns_move_the_depth_and_their_absence_does_not_hurt():
    network = trained(DepthNetwork())
    image, directions, prior = tensors()
    with torch.no_grad():
        near, far, none = (
            network(image, p, directions)[0]
            for p in (prior, prior * torch.tensor([4.0, 1]).view(1, 2, 1, 1), 0 * prior)
        )
    assert torch.isfinite(none).all()
    assert (far - near).mean() > 0.1


def test_the_loss_is_zero_at_the_truth_and_sees_the_sky():
    depth = torch.full((1, 1, 8, 8), 5.0)
    depth[..., 0, :] = torch.inf
    log_depth = torch.full_like(depth, np.log(5.0))
    sky = torch.where(torch.isinf(depth), 20.0, -20.0)
    guess = torch.full((1, 1, 2, 2), np.log(5.0))
    sure = torch.full_like(depth, 20.0)
    right = loss((log_depth, sure, sky, guess), depth)[1]
    wrong = loss((log_depth + 0.2, sure, -sky, guess), depth)[1]
    assert right["loss"] < 1e-6 and right["abs_rel"] < 1e-6
    assert abs(wrong["log_l1"] - 0.2) < 1e-6 and abs(wrong["abs_rel"] - (np.exp(0.2) - 1)) < 1e-5
    assert wrong["loss"] > 0.5


def test_flipped_and_cropped_samples_keep_their_geometry(data):
    """Depth at a return's footprint is that of the return, and rays point where the returns are."""
    frames = Frames(data, seed=5, training=True)
    checked = 0
    for number in range(40):
        _, prior, directions, depth, *_ = frames.sample(number % 8, number, (96, 128))
        z, weight = prior.numpy()
        assert np.isfinite(directions.numpy()).all() and (np.diff(directions[0].numpy(), axis=1) > 0).all()
        wall = depth.numpy()[np.isfinite(depth.numpy())].max()
        sure = (weight > 0.9) & (np.abs(z / wall - 1) < 0.02)
        checked += sure.sum()
    assert checked > 20


def test_returns_of_another_frame_are_told_apart(data):
    """Walls have distances of their own, which an untrained network leaves in the differences."""
    frames = Frames(data, seed=0, training=False)
    network = trained(DepthNetwork())
    network.guess.weight.data.zero_()
    matcher = fit(network, frames, count=8)
    evidence, belongs = collect(network, frames, 8)
    assert len(belongs) == 16 and belongs.sum() == 8
    with torch.no_grad():
        score = matcher(evidence)[:, 0]
    assert auroc(score[belongs == 1], score[belongs == 0]) > 0.8


def test_auroc_counts_ties_half():
    assert auroc(torch.tensor([2.0, 1.0]), torch.tensor([1.0, 0.0])) == 0.875


def test_some_returns_of_a_training_sample_are_of_another_frame(data):
    walls = [depth[np.isfinite(depth)].max() for depth in np.load(data / "depth.npy")]

    def fitting(foreign):
        frames, shares = Frames(data, seed=5, training=True, foreign=foreign), []
        for number in range(40):
            _, prior, *_ = frames.sample(number % 8, number, (96, 128))
            z = prior[0][prior[0] > 0].numpy()
            shares += [(np.abs(z / walls[number % 8] - 1) < 0.05).mean()] if len(z) else []
        return np.mean(shares)

    assert fitting(0.0) > fitting(1.0) + 0.15


def test_earlier_scans_are_added_without_what_moves():
    columns = "x y z range_rate snr rcs radar age motion azimuth_std elevation_std".split()
    rows = np.zeros((6, len(columns)), np.float32)
    rows[:, 2] = range(6)
    rows[:, columns.index("snr")] = 20
    rows[:, columns.index("age")] = [-0.01, -0.01, 0.09, 0.09, 0.19, 0.19]
    rows[[1, 3], columns.index("motion")] = 2.0
    rows[5, columns.index("elevation_std")] = 0.05
    assert simulated(rows, columns, 1)[0][:, 2].tolist() == [0, 1]
    points, sigmas = simulated(rows, columns, 3)
    assert points[:, 2].tolist() == [0, 1, 2, 4, 5]
    assert np.allclose(np.degrees(sigmas[0]), [2.121, 2.687], atol=1e-3)
    assert np.isclose(sigmas[4, 1], 0.05) and np.isclose(np.degrees(sigmas[4, 0]), 2.121, atol=1e-3)


def test_rays_lead_to_where_points_are_drawn():
    camera = CAMERA.astype(np.float64) * np.array([0.25, 0.25, 0.25, 0.25, 1, 1, 1, 1, 1])
    directions = rays(camera, GRID)
    for row, column in ((5, 7), (30, 40), (55, 70)):
        x, y = directions[:, row, column]
        prior = draw(np.array([[x * 9, y * 9, 9]], np.float32), np.zeros((1, 2), np.float32), camera, GRID)
        assert prior[0, row, column] == 9 and prior[0].astype(bool).sum() == 1


def test_folders_are_joined_one_after_the_other(data, tmp_path):
    more = write_arrays(tmp_path / "more", 4, 100)
    joined = Frames([data, more], seed=0, training=False)
    assert len(joined) == 12
    for frame, (folder, place) in {7: (data, 7), 8: (more, 0), 11: (more, 3)}.items():
        alone = Frames(folder, seed=0, training=False).sample(place, 0, (96, 128))
        for found, expected in zip(joined.sample(frame, 0, (96, 128)), alone, strict=True):
            torch.testing.assert_close(found, expected, equal_nan=True)
    index = json.loads((more / "dataset.json").read_text())
    (more / "dataset.json").write_text(json.dumps(index | {"scenes": ["my_drive", "hall"]}))
    arrays = Frames([data, more], seed=0, training=False).arrays
    assert arrays.scenes == ["hall", "street", "my_drive"]
    assert arrays.frames[:, 0].tolist() == [0, 1] * 4 + [2, 0] * 2
    (more / "dataset.json").write_text(json.dumps(index | {"columns": {"radar": ["x"]}}))
    with pytest.raises(ValueError, match="more"):
        Frames([data, more], seed=0, training=False)


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.stem)
def test_the_camera_of_every_scene_can_be_mounted_anywhere(scene, tmp_path):
    text = with_any_mount(scene, tmp_path).read_text()
    assert text.count("pitch_deg: [-10, 40]") == 1 and len(text.splitlines()) == len(
        scene.read_text().splitlines()
    )


def test_a_killed_run_goes_on_as_if_nothing_had_happened(data, small, tmp_path):
    frames = Frames(data, seed=3, training=True)
    whole = training.Run(small, tmp_path / "whole.pt")
    for _ in range(4):
        whole.step(frames)
    first = training.Run(small, tmp_path / "run.pt")
    first.step(frames)
    first.step(frames)
    first.save()
    first.step(frames)  # lost
    second = training.Run(small, tmp_path / "run.pt")
    for _ in range(2):
        second.step(frames)
    assert second.seen == whole.seen == 8
    for a, b in zip(whole.average.state_dict().values(), second.average.state_dict().values(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6)
    other = training.Recipe(uses_prior=True, seed=4, samples=8, batch=2)
    with pytest.raises(SystemExit, match="run.pt"):
        training.Run(other, tmp_path / "run.pt")


def test_seeds_held_back_are_refused(tmp_path):
    held_back = write_arrays(tmp_path / "test", 2, 900_000)
    with pytest.raises(SystemExit, match="must not be trained on"):
        Frames(held_back, seed=0, training=True)


def test_from_arrays_to_a_model_folder(data, small, tmp_path):
    run_of = training.train(small, data, None, tmp_path / "run.pt", threads=1)
    assert run_of.seen == 8
    runs.pack(tmp_path / "run.pt", tmp_path / "packed.pt")
    assert (tmp_path / "packed.pt").stat().st_size < 0.3 * (tmp_path / "run.pt").stat().st_size
    network, recipe = load(tmp_path / "packed.pt")
    assert recipe["seen"] == 8
    figures = measure(network, Frames(data, seed=0, training=False), (96, 128))
    assert figures["all"]["frames"] == 8 and np.isfinite(figures["all"]["abs_rel"])
    write_folder(folder("depth_s", tmp_path / "packed.pt", data, {}), tmp_path / "model")
    golden = np.load(tmp_path / "model/golden.npz")
    inputs = {name: golden[f"input_{name}"] for name in ("image", "rays", "prior")}
    expected = {name[7:]: golden[name] for name in golden.files if name.startswith("output_")}
    assert sorted(expected) == ["confidence", "depth", "first_look", "radar_match"]
    for precision, path in (("fp32", "model.onnx"), ("int8", "model_int8.onnx")):
        found = run((tmp_path / "model" / path).read_bytes(), inputs)
        assert deviation(found, expected, TOLERANCE[precision]) < 1


def test_single_values_stay_exact_in_int8():
    random = np.random.default_rng(4)
    g = Graph("mixed")
    image, prior = g.input("image", [1, 3, 8, 8]), g.input("prior", [1, 1, 8, 8])
    kernel = random.normal(0, 0.3, (16, 3, 3, 3)).astype(np.float32)
    features = g.op("Conv", image, kernel, kernel_shape=[3, 3], pads=[1] * 4)
    g.output(g.add(features, g.op("Relu", features)), "features", [1, 16, 8, 8])
    count = g.op("ReduceSum", prior, np.array([2, 3], np.int64), keepdims=0)
    g.output(g.op("Log", g.add(count, np.float32(1))), "count", [1, 1])
    feeds = [
        {"image": random.normal(size=(1, 3, 8, 8)).astype(np.float32), "prior": np.full((1, 1, 8, 8), n, np.float32)}
        for n in (1.0, 3.0)
    ]
    model = g.model()
    quantized = quantize(model, iter(feeds), ())
    assert any(node.op_type == "DequantizeLinear" for node in quantized.graph.node)
    empty = feeds[0] | {"prior": np.zeros((1, 1, 8, 8), np.float32)}
    found, expected = (run(m.SerializeToString(), empty) for m in (quantized, model))
    assert found["count"] == 0
    assert 0 < np.abs(found["features"] - expected["features"]).max() < 0.3
