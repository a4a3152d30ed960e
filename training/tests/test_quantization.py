"""8 bits without training: steps, rounding, the integers, the files, and what is refused."""

import copy

import numpy as np
import onnx
import pytest
import torch
from isobath_training.detector_s import train as training
from isobath_training.detector_s.batches import sample, together
from isobath_training.detector_s.folder import folder
from isobath_training.detector_s.loss import loss
from isobath_training.detector_s.network import CLASSES, SHAPES, Detector, Shape
from isobath_training.detector_s.pruning import masks, prunable
from isobath_training.detector_s.sweeps import Sweeps
from isobath_training.folder import run, write_folder
from isobath_training.quantization import sweeps as sweeps_of
from isobath_training.quantization.command import quantize_folder
from isobath_training.quantization.folder import network_of, read_manifest
from isobath_training.quantization.frames import frames
from isobath_training.quantization.layers import QuantizationError
from isobath_training.quantization.ptq import Options, quantize
from isobath_training.quantization.qat import Rounding, frame_of, quantize_aware
from isobath_training.quantization.reference import head as head_of_integers
from isobath_training.quantization.rounding import adaptive
from isobath_training.quantization.scales import METHODS, Observer, searched_scales, step_of, weight_scales
from isobath_training.quantization.simulate import head, planned
from isobath_training.quantization.sweeps import of_arrays, of_bag
from isobath_training.quantization.write import MapWriter, SparseWriter
from test_bag import write_bag
from test_detector_s import GRID, write_sweeps


@pytest.fixture(scope="module")
def sweeps(tmp_path_factory):
    return write_sweeps(tmp_path_factory.mktemp("data") / "sweeps", 20)


@pytest.fixture(scope="module")
def model(sweeps, tmp_path_factory):
    """The folder of a network that has learned a little."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(SHAPES, "detector_xs", Shape((16, 16, 16), (1, 1, 1)))
        patch.setattr(training.Recipe, "grid", GRID)
        path = tmp_path_factory.mktemp("model")
        recipe = training.Recipe("detector_xs", 3, 160, batch=4, rate=1e-2)
        training.train(recipe, sweeps, None, path / "run.pt", threads=1)
        write_folder(folder("detector_xs", path / "run.pt", sweeps, {"map": 0.5}), path / "folder")
    return path / "folder"


@pytest.fixture(scope="module")
def network(model):
    return network_of(model, read_manifest(model))


@pytest.fixture(scope="module")
def seen(network, sweeps):
    return frames(network, of_arrays(sweeps, GRID, 20))


def test_layers_are_those_of_the_file(model, network, seen):
    # An up-sampling with its short cut is one layer: it reads parents, adds and rectifies.
    assert [layer.table for layer in network.layers if layer.table and "parent" in layer.table] == ["parent_2", "parent_1"]
    golden = np.load(model / "golden.npz")
    expected = run((model / "model.onnx").read_bytes(), {n: golden[f"input_{n}"] for n in ("features", "coords")})
    (sweep,) = frames(network, [(golden["input_features"], golden["input_coords"])])
    with torch.no_grad():
        rows = head(network, sweep)
    scores = torch.sigmoid(rows[:, : len(CLASSES)]).numpy()
    np.testing.assert_allclose(scores, expected["heatmap"], atol=1e-5)


def test_zero_stays_zero_and_ranges_are_what_the_methods_say():
    for low, high in ((0.0, 4.0), (-1.0, 3.0), (-2.0, -1.0)):
        step = step_of(low, high)
        values = torch.tensor([low, 0.0, high])
        assert step.rounded(values)[1] == 0
        assert (step.rounded(values) - values).abs().max() <= 0.51 * step.scale
    assert step_of(-1.0, 3.0, symmetric=True).scale == pytest.approx(3 / 127)
    # Most of the tensor is small; a few values are far out.
    values = torch.cat([torch.rand(100_000), torch.tensor([40.0])])
    observer = Observer()
    observer.see_range(values)
    observer.count(values)
    steps = {name: method(observer, False).scale * 255 for name, method in METHODS.items()}
    assert steps["min_max"] == pytest.approx(40.0)
    assert steps["percentile"] < 1.1 and steps["entropy"] < steps["min_max"]

    def error(top: float) -> float:
        return float(((step_of(0.0, top).rounded(values) - values) ** 2).sum())

    assert error(steps["mse"]) <= min(error(40.0), error(steps["percentile"])) * 1.01


def test_rounding_learns_what_inputs_have_in_common():
    random = np.random.default_rng(5)
    # Inputs that go up and down together: errors of their weights add up, or cancel.
    common = random.normal(size=(4000, 3)) @ random.normal(size=(3, 24))
    rows = common + 0.1 * random.normal(size=(4000, 24))
    weight = random.normal(0, 0.1, (24, 6)).astype(np.float32)
    gram, cross = rows.T @ rows / 4000, rows.T @ (rows @ weight) / 4000

    def error(whole: np.ndarray, scales: np.ndarray) -> np.ndarray:
        off = whole * scales - weight
        return np.einsum("io,ij,jo->o", off, gram, off)

    # Coarse steps, so that there is something to gain.
    scales = weight_scales(weight) * 8
    nearest = np.clip(np.rint(weight / scales), -127, 127)
    learned = adaptive(weight, scales, gram, cross, rounds=300)
    assert np.abs(learned - weight / scales).max() <= 1 + 1e-6, "up or down, no further"
    assert (error(learned, scales) <= error(nearest, scales) * (1 + 1e-9)).all()
    assert error(learned, scales).sum() < 0.5 * error(nearest, scales).sum()
    found = searched_scales(weight, gram)
    by_largest = weight_scales(weight)
    assert (
        error(np.rint(weight / found).clip(-127, 127), found).sum()
        <= error(np.rint(weight / by_largest), by_largest).sum()
    )


@pytest.mark.parametrize("options", [Options(), Options("mse", exact_last=1), Options("min_max", symmetric=True)])
def test_files_compute_what_was_planned(network, seen, options):
    plan = quantize(network, seen[:6], len(CLASSES), options)
    assert len(plan.weights) == len(network.layers) - options.exact_first - options.exact_last
    with torch.no_grad():
        exact = head(network, seen[0])
        imitated = head(network, seen[0], planned(plan), plan.steps)
    of_integers = head_of_integers(network, seen[0], plan)
    assert (imitated - exact).abs().mean() < 0.1 * exact.abs().mean()
    # Sums differ in their last bits, so a byte may be the next one, and what follows from it.
    assert np.abs(of_integers - imitated.numpy()).mean() < 0.01 * exact.abs().mean()
    inputs = {"features": seen[0].features.numpy(), "coords": seen[0].coords}
    found = run(MapWriter(network, plan).model().SerializeToString(), inputs)
    expected = torch.sigmoid(imitated[:, : len(CLASSES)]).numpy()
    assert np.abs(found["heatmap"] - expected).mean() < 0.01
    if options.symmetric:
        assert {step.zero for step in plan.steps.values()} == {0}
    else:
        kinds = [node.op_type for node in SparseWriter(network, plan).model().graph.node]
        assert kinds.count("SparseConv") == options.exact_first + options.exact_last
        assert kinds.count("QSparseConvFloat") == 1


def test_a_network_with_pruned_places_is_quantized_too(model, sweeps, seen, tmp_path, monkeypatch):
    monkeypatch.setitem(SHAPES, "detector_xs", Shape((16, 16, 16), (1, 1, 1)))
    monkeypatch.setattr(training.Recipe, "grid", GRID)
    state = torch.load(model.parent / "run.pt", weights_only=True)
    pruned = Detector(Shape((16, 16, 16), (1, 1, 1)))
    pruned.load_state_dict(state["average"])
    with torch.no_grad():
        for name, mask in masks(pruned, "taps", 0.4, 3).items():
            prunable(pruned)[name].weight *= mask
    torch.save(state | {"average": pruned.state_dict()}, tmp_path / "pruned.pt")
    write_folder(folder("detector_xs", tmp_path / "pruned.pt", sweeps, {"map": 0.5}), tmp_path / "pruned")
    network = network_of(tmp_path / "pruned", read_manifest(tmp_path / "pruned"))
    inputs = {"features": seen[0].features.numpy(), "coords": seen[0].coords}
    with torch.no_grad():
        scores = torch.sigmoid(head(network, seen[0])[:, : len(CLASSES)]).numpy()
    expected = run((tmp_path / "pruned/model.onnx").read_bytes(), inputs)
    np.testing.assert_allclose(scores, expected["heatmap"], atol=1e-5)
    plan = quantize(network, seen[:6], len(CLASSES), Options("min_max"))
    # Their weights are zeros there: to leave them out of a table costs more than it saves.
    places = [plan.weights[layer.out].reshape(9, -1) for layer in network.layers if layer.table and "parent" not in layer.table]
    assert sum(int((~of.any(1)).sum()) for of in places) > 9
    found = run(MapWriter(network, plan).model().SerializeToString(), inputs)
    assert np.abs(found["heatmap"] - scores).mean() < 0.05


def test_a_folder_gets_its_files_once(model, sweeps, tmp_path):
    out = tmp_path / "quantized"
    quantize_folder(model, out, bag=None, data=sweeps, topic=None, most=20, method="min_max")
    manifest = (out / "model.yaml").read_text()
    for name in ("int8", "int8_sym", "sparse_int8"):
        onnx.load(out / f"model_{name}.onnx")
        assert f"  {name}:" in manifest
    golden = np.load(out / "golden.npz")
    given = np.load(model / "golden.npz")
    np.testing.assert_array_equal(golden["output_heatmap"], given["output_heatmap"])
    for name in ("int8", "int8_sym", "sparse_int8"):
        off = np.abs(golden[f"output_heatmap.{name}"] - golden["output_heatmap"])
        assert 0 < off.max() < 0.3, name
    assert "8 bits" in (out / "README.md").read_text()
    again = tmp_path / "replaced"
    quantize_folder(out, again, bag=None, data=sweeps, topic=None, most=20, method="min_max", replace=True)
    for path in sorted(out.iterdir()):
        if path.name != "README.md":
            assert (again / path.name).read_bytes() == path.read_bytes(), path.name
    assert (again / "README.md").read_text().count("8 bits") == 1
    with pytest.raises(QuantizationError, match="int8, int8_sym, sparse_int8: the model is quantized"):
        quantize_folder(out, tmp_path / "again", bag=None, data=sweeps, topic=None, most=20, method="min_max")
    with pytest.raises(QuantizationError, match="not there yet"):
        quantize_folder(model, out, bag=None, data=sweeps, topic=None, most=20, method="min_max")


def test_what_cannot_be_quantized_is_said(model, sweeps, tmp_path):
    def said(path, **more) -> str:
        arguments = {"bag": None, "data": sweeps, "topic": None, "most": 20, "method": "min_max"} | more
        with pytest.raises(QuantizationError) as error:
            quantize_folder(path, tmp_path / "out", **arguments)
        assert not (tmp_path / "out").exists()
        return str(error.value)

    assert "expected the manifest of a model folder" in said(tmp_path)
    changed = tmp_path / "other"
    changed.mkdir()
    text = (model / "model.yaml").read_text()
    (changed / "model.yaml").write_text(text.replace("pillar_statistics", "pointpillars"))
    assert "interface pillar_statistics, found pointpillars" in said(changed)
    (changed / "model.yaml").write_text('kind: "depth"\nfiles: {}\n')
    assert "found depth" in said(changed)
    (changed / "model.yaml").write_text(text.replace("sparse_fp32", "fp16"))
    assert "expected a file sparse_fp32, found fp32, fp16" in said(changed)
    assert "expected at least 16, found 3" in said(model, most=3)
    few = write_sweeps(tmp_path / "few", 4)
    assert "expected at least 16 sweeps, found 4" in said(model, data=few)
    held_back = write_sweeps(tmp_path / "held_back", 16, first_seed=900_000)
    assert "must not be calibrated with" in said(model, data=held_back)
    assert said(model, data=None, bag=tmp_path / "nothing").endswith("nothing: expected a bag, found nothing there")



def test_a_recording_calibrates_as_well(tmp_path, monkeypatch):
    bag = write_bag(tmp_path / "drive")
    with pytest.raises(QuantizationError, match=r"drive: /lidar/points: expected at least 16 sweeps, found 6"):
        list(of_bag(bag, None, GRID, 20))
    monkeypatch.setattr(sweeps_of, "LEAST_SWEEPS", 4)
    found = list(of_bag(bag, None, GRID, 4))
    assert len(found) == 4, "evenly from all"
    for features, coords in found:
        assert len(features) == len(coords) > 10 and 0 <= coords.min() and coords.max() < GRID.size
    with pytest.raises(QuantizationError, match=r"expected clouds on /points, found /lidar/points, /radar_0/points"):
        list(of_bag(bag, "/points", GRID, 4))
    deaf = write_bag(tmp_path / "deaf", without=["/lidar/points"])
    with pytest.raises(QuantizationError, match="expected a LiDAR's sensor_msgs/msg/PointCloud2, found none"):
        list(of_bag(deaf, None, GRID, 4))


def test_training_that_knows_of_the_rounding_makes_up_for_it(model, sweeps, seen):
    network = network_of(model, read_manifest(model))
    plan = quantize(network, seen, len(CLASSES), Options(ranges="min_max"))
    # Steps so coarse that something is lost.
    for name in plan.scales:
        plan.scales[name] = plan.scales[name] * 24
    opened = Sweeps(sweeps)
    batch = together([sample(opened, number, None, GRID, network.pyramid) for number in range(8)], GRID)
    sweep = frame_of(batch)

    def lost(outputs: torch.Tensor) -> float:
        return loss(outputs, *batch.wanted)[0].item()

    before = Rounding(network, copy.deepcopy(plan))
    first, begin = before.planned(), lost(before.head(sweep).detach())
    learned = quantize_aware(network, plan, sweeps, GRID, 160)
    assert any((learned.weights[name] != first.weights[name]).any() for name in first.weights)
    assert all(abs(weights).max() <= 127 for weights in learned.weights.values())
    with torch.no_grad():
        assert lost(head(network, sweep, planned(learned), learned.steps)) < 0.98 * begin


def test_what_trains_needs_labels(model, tmp_path):
    with pytest.raises(QuantizationError, match="a recording has no labels"):
        quantize_folder(model, tmp_path / "out", bag=tmp_path / "bag", data=None, topic=None, most=20, method="qat")
