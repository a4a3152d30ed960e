"""The detector: pillars, tables, targets, decoding, training, both exports."""

import json

import numpy as np
import onnx
import pytest
import torch
from isobath_training import runs
from isobath_training.detector_s import train as training
from isobath_training.detector_s.augment import augment
from isobath_training.detector_s.curriculum import CORRUPTIONS, strength, worst
from isobath_training.detector_s.decode import decode
from isobath_training.detector_s.draw import Draw, weights
from isobath_training.detector_s.export import HEADS, to_onnx
from isobath_training.detector_s.features import FEATURES, Grid, pillars
from isobath_training.detector_s.folder import folder, load
from isobath_training.detector_s.loss import loss
from isobath_training.detector_s.metrics import mean_average_precision
from isobath_training.detector_s.network import BOX, CLASSES, SHAPES, Detector, Shape, Tables
from isobath_training.detector_s.sweeps import POINT, STEP_M, ManySweeps, Sweeps, pack, with_lidar
from isobath_training.detector_s.tables import PLACES, Pyramid, joined, site_tables
from isobath_training.detector_s.targets import seen, targets
from isobath_training.detector_s.twin import DenseDetector, dense_targets, maps
from isobath_training.folder import run, write_folder

GRID = Grid(25.6, 0.8)
COLUMNS = ["class", "x", "y", "z", "length", "width", "height", "yaw", "points", "object"]


def world(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Flat ground at -1.2 m with some cars and people: points [n, 5], boxes [b, 10]."""
    points = [np.column_stack([random.uniform(-25, 25, (1500, 2)), np.full(1500, -1.2)])]
    boxes = []
    places = np.stack(np.meshgrid([-18, -8, 8, 18], [-16, -5, 6, 17]), -1).reshape(-1, 2)
    for number, place in enumerate(places + random.uniform(-2, 2, places.shape)):
        label, size = ((0, (4.4, 1.8, 1.5)), (4, (0.7, 0.7, 1.75)))[number % 2]
        yaw = random.uniform(-3, 3)
        u = random.uniform(-0.5, 0.5, (60, 3)) * size
        # A LiDAR sees the sides.
        side = random.integers(0, 2, 60)
        u[np.arange(60), side] = np.sign(u[np.arange(60), side]) * np.array(size)[side] / 2
        c, s = np.cos(yaw), np.sin(yaw)
        xyz = np.column_stack([u[:, 0] * c - u[:, 1] * s, u[:, 0] * s + u[:, 1] * c, u[:, 2]])
        center = np.array([*place, -1.2 + size[2] / 2])
        points.append(xyz + center)
        boxes.append([label, *center, *size, yaw, 60, number])
    xyz = np.concatenate(points)
    rest = np.column_stack([random.uniform(0, 1, len(xyz)), random.integers(0, 64, len(xyz))])
    return np.column_stack([xyz, rest]).astype(np.float32), np.array(boxes, np.float32)


def write_sweeps(path, count: int, first_seed: int = 0):
    """A folder as `export_sweeps` writes it."""
    path.mkdir()
    points, boxes = zip(*(world(np.random.default_rng(first_seed + n)) for n in range(count)), strict=True)
    lidar = ["x", "y", "z", "intensity", "ring"]
    packed = [pack(p * np.array([1, 1, 1, 255, 1], np.float32), lidar) for p in points]
    (path / "points.bin").write_bytes(b"".join(p.tobytes() for p in packed))
    np.save(path / "points_offsets.npy", np.cumsum([0, *map(len, packed)]))
    np.save(path / "boxes.npy", np.concatenate(boxes))
    np.save(path / "boxes_offsets.npy", np.cumsum([0, *map(len, boxes)]))
    np.save(path / "frames.npy", np.array([[0, first_seed + n, 0] for n in range(count)]))
    told = {"scenes": ["hall/os1-64"], "classes": list(CLASSES), "boxes": COLUMNS}
    (path / "sweeps.json").write_text(json.dumps(told))
    return path


@pytest.fixture(scope="module")
def sweeps(tmp_path_factory):
    return write_sweeps(tmp_path_factory.mktemp("data") / "sweeps", 16)


@pytest.fixture
def small(monkeypatch):
    """A tiny network on a coarse grid."""
    shape = Shape((16, 16, 16), (1, 1, 1))
    monkeypatch.setitem(SHAPES, "detector_xs", shape)
    monkeypatch.setattr(training.Recipe, "grid", GRID)
    return shape


def test_a_sweep_comes_back_as_it_was_packed(sweeps):
    opened = Sweeps(sweeps)
    points, boxes = opened.sweep(3)
    expected, expected_boxes = world(np.random.default_rng(3))
    assert np.abs(points[:, :3] - expected[:, :3]).max() <= STEP_M / 2 + 1e-6
    assert np.abs(points[:, 3] - expected[:, 3]).max() <= 1 / 255
    assert (points[:, 4] == expected[:, 4]).all() and (boxes == expected_boxes).all()
    assert (opened.scene(3), opened.lidar(3), len(opened)) == ("hall", "os1-64", 16)
    assert POINT.itemsize == 8


def test_seeds_held_back_are_refused(tmp_path, small):
    held_back = write_sweeps(tmp_path / "test", 2, 900_000)
    with pytest.raises(SystemExit, match="must not be trained on"):
        training.train(training.Recipe("detector_xs", 1, 8), held_back, None, tmp_path / "r.pt", threads=1)


def test_a_scene_gets_another_lidar(tmp_path):
    scene = tmp_path / "hall.yaml"
    scene.write_text("layout: hall\nsensors:\n  lidar: {model: os1-64}\n")
    assert with_lidar(scene, "vlp-16").splitlines()[2].startswith("  lidar: {model: vlp-16, height_m: [")
    scene.write_text("layout: hall\n")
    with pytest.raises(SystemExit, match="hall.yaml: expected one line"):
        with_lidar(scene, "vlp-16")


def test_pillars_are_where_something_stands_and_know_no_mounting():
    points, boxes = world(np.random.default_rng(1))
    coords, features, plane = pillars(points[:, :4], GRID)
    assert abs(plane[0] + 1.2) < 0.02 and np.abs(plane[1:]).max() < 1e-3
    center = (coords + 0.5) * GRID.pillar_m - GRID.range_m
    nearest = np.linalg.norm(center[:, None] - boxes[None, :, 1:3], axis=2).min(1)
    assert nearest.max() < 3.5 and len(coords) > 60
    assert features.shape == (len(coords), FEATURES) and np.isfinite(features).all() and np.abs(features).max() < 8
    raised = points.copy()
    raised[:, 2] += 0.8
    again = pillars(raised[:, :4], GRID)
    assert (again[0] == coords).all() and np.abs(again[1] - features).max() < 2e-3
    assert len(pillars(points[:0, :4], GRID)[0]) == 0
    assert len(pillars(points[:, :4], GRID, keep_ground=True)[0]) > 5 * len(coords)


@pytest.mark.parametrize("dilated", [False, True])
@pytest.mark.parametrize("size", [(13, 9), (16, 16), (1, 1), (7, 8)])
def test_tables_are_those_of_a_literal_search(size, dilated):
    random = np.random.default_rng(2)
    for share in (0.0, 0.3, 1.0):
        coords = np.argwhere(random.random(size) < share).astype(np.int32)
        levels = site_tables(coords, *size, Pyramid(3, dilated))
        children = PLACES if dilated else [(0, 0), (0, 1), (1, 0), (1, 1)]
        rows, columns = size
        for finer, level in zip([None, *levels], levels, strict=False):
            at = {tuple(site): i for i, site in enumerate(level.coords.tolist())}
            assert list(at) == sorted(at)
            for (row, column), near in zip(level.coords.tolist(), level.near.tolist(), strict=True):
                assert near == [at.get((row + i, column + j), -1) for i, j in PLACES]
            if finer is not None:
                below = {tuple(site): i for i, site in enumerate(finer.coords.tolist())}
                for (row, column), down in zip(level.coords.tolist(), level.down.tolist(), strict=True):
                    assert down == [below.get((2 * row + i, 2 * column + j), -1) for i, j in PLACES]
                assert (level.coords[level.parent] == finer.coords // 2).all()
                rows, columns = -(-rows // 2), -(-columns // 2)
                active = {
                    (row, column) for row in range(rows) for column in range(columns)
                    if any((2 * row + i, 2 * column + j) in below for i, j in children)
                }  # fmt: skip
                assert set(at) == active


def network(shape: Shape, seed: int = 0) -> Detector:
    """A network in evaluation mode whose normalisation is not the identity."""
    torch.manual_seed(seed)
    net = Detector(shape)
    with torch.no_grad():
        net.head.weight.normal_(std=0.1)
        for module in net.modules():
            if isinstance(module, torch.nn.BatchNorm1d):
                module.running_mean.normal_(std=0.1)
                module.running_var.uniform_(0.5, 2.0)
    return net.eval()


def test_several_sweeps_at_once_are_each_by_itself():
    net = network(Shape((16, 16, 16), (1, 1, 1)))
    parts = [pillars(world(np.random.default_rng(seed))[0][:, :4], GRID) for seed in (1, 2)]
    tables = [site_tables(coords, GRID.size, GRID.size, Pyramid(3)) for coords, _, _ in parts]
    with torch.no_grad():
        alone = [net(torch.from_numpy(p[1]), Tables(t)) for p, t in zip(parts, tables, strict=True)]
        together = net(torch.from_numpy(np.concatenate([p[1] for p in parts])), Tables(joined(tables)))
    torch.testing.assert_close(together, torch.cat(alone), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("dilated", [False, True])
@pytest.mark.parametrize("seed", [1, 2, None])
def test_the_masked_grid_computes_the_same(seed, dilated):
    net = network(Shape((16, 24, 16), (1, 2, 1), dilated))
    points = world(np.random.default_rng(seed or 0))[0][:, :4]
    coords, features, _ = pillars(points if seed else points[:0], GRID)
    with torch.no_grad():
        rows = net(torch.from_numpy(features), Tables(site_tables(coords, GRID.size, GRID.size, net.shape.pyramid))).numpy()
    model = to_onnx(net, GRID.size)
    onnx.checker.check_model(model, full_check=True)
    found = run(model.SerializeToString(), {"features": features, "coords": coords})
    for name, (begin, end) in HEADS.items():
        expected = rows[:, begin:end]
        expected = {"heatmap": lambda x: 1 / (1 + np.exp(-x)), "corner": lambda x: 1 / (1 + np.exp(-x)), "size": np.exp}.get(
            name, lambda x: x
        )(expected)
        np.testing.assert_allclose(found[name], expected, rtol=1e-4, atol=1e-4)


def test_perfect_outputs_decode_to_the_boxes():
    points, boxes = world(np.random.default_rng(4))
    coords, _, plane = pillars(points[:, :4], GRID)
    wanted = targets(coords, plane, boxes, GRID)
    assert wanted.boxes == len(boxes)
    outputs = np.zeros((len(coords), len(CLASSES) + 1 + BOX), np.float32)
    outputs[:, : len(CLASSES)] = np.log(wanted.heat.clip(1e-6, 1 - 1e-6) / (1 - wanted.heat.clip(1e-6, 1 - 1e-6)))
    outputs[:, len(CLASSES) + 1 :] = wanted.box
    near = site_tables(coords, GRID.size, GRID.size, Pyramid(1))[0].near
    found = decode(outputs, coords, near, plane, GRID, least=0.5)
    assert len(found) == len(boxes)
    for box in boxes:
        away = np.hypot(*(found[:, 1:3] - box[1:3]).T)
        match = found[int(np.argmin(away))]
        assert match[0] == box[0] and away.min() < 0.02
        np.testing.assert_allclose(match[3:7], box[3:7], atol=0.03)
        assert abs(np.sin((match[7] - box[7]) / 2)) < 1e-3
    # Corners are told where pillars are near them.
    assert 0.5 < wanted.corner.max() <= 1


def test_of_two_ends_alike_the_further_one_is_the_front():
    points, boxes = world(np.random.default_rng(4))
    coords, _, plane = pillars(points[:, :4], GRID)
    turned = boxes.copy()
    turned[:, 7] += np.pi
    for label, same in ((CLASSES.index("pallet"), True), (CLASSES.index("forklift"), False)):
        boxes[:, 0] = turned[:, 0] = label
        one, other = (targets(coords, plane, of, GRID).box[:, 6:] for of in (boxes, turned))
        known = one.any(1)
        np.testing.assert_allclose(one, other if same else -other, atol=1e-5)
        assert known.any()
    # The front of a pallet is away from the sensor.
    boxes[:, 0] = CLASSES.index("pallet")
    found = targets(coords, plane, boxes[:1], GRID)
    learned = found.weight > 0
    assert (found.box[learned, 6:] @ boxes[0, [2, 1]] > 0).all()


def test_boxes_move_with_their_points():
    for seed in range(6):
        random = np.random.default_rng(seed)
        points, boxes = world(random)
        points, boxes = augment(points, boxes, random)
        coords, _, plane = pillars(points[:, :4], GRID)
        assert targets(coords, plane, boxes, GRID).boxes >= 0.7 * len(boxes)
        for box in boxes:
            away = points[:, :3] - box[1:4]
            c, s = np.cos(box[7]), np.sin(box[7])
            u = np.abs(np.column_stack([away @ [c, s, 0], away @ [-s, c, 0], away[:, 2]]))
            inside = (u <= box[4:7] / 2 + [0.3, 0.3, 0.5]).all(1)
            assert inside.sum() >= 1


def test_average_precision_by_hand():
    truth = np.array([[0, 5.0, 0, 0, 4, 2, 1.5, 0], [0, 15.0, 0, 0, 4, 2, 1.5, 0], [4, 60.0, 0, 0, 1, 1, 2, 0]])
    hit, miss = [0, 5.3, 0, 0, 4, 2, 1.5, 0, 0.9], [0, 30.0, 0, 0, 4, 2, 1.5, 0, 0.8]
    figures = mean_average_precision([(truth, np.array([hit, miss]))])
    # Recall 0.5 at precision 1: of the 90 steps from 0.11 on, 40 are reached.
    assert abs(figures["car"] - 40 / 90) < 0.02
    assert np.isnan(figures["pedestrian"]) and figures["map"] == figures["car"]


def test_rare_classes_are_shown_more_often(sweeps):
    found = np.zeros((1000, len(CLASSES)), bool)
    found[:, 0] = True
    found[:30, 2] = True
    weight = weights(found)
    assert abs(weight.mean() - 1) < 1e-9
    # The root of ten: 3 % of the sweeps have one, 30 % are common.
    np.testing.assert_allclose(weight[:30] / weight[30:].max(), 10**0.5, rtol=1e-6)
    draw = Draw(Sweeps(sweeps), 3)
    n = len(draw.sweeps)
    for turn in range(3):
        times = np.bincount([draw.frame(turn * n + place) for place in range(n)], minlength=n)
        assert np.abs(times - draw.weights).max() < 1
    assert draw.frame(0) == Draw(draw.sweeps, 3).frame(0)
    twice = ManySweeps([sweeps, sweeps])
    assert len(twice) == 2 * n and Draw(twice, 3).weights.shape == (2 * n,)
    for frame in (0, n - 1):
        for found, expected in zip(twice.sweep(n + frame), draw.sweeps.sweep(frame), strict=True):
            np.testing.assert_array_equal(found, expected)


def test_objects_of_rare_classes_count_more():
    """Ten cars stand beside each truck; other classes are nowhere."""

    class Street:
        def counts(self, classes: int) -> np.ndarray:
            return np.array([[10, 1] + [0] * (classes - 2)] * 4)

        def __len__(self) -> int:
            return 4

    draw = Draw(Street(), 3)
    assert np.allclose(draw.shares(0.0), 1)
    for balance in (0.5, 1.0):
        car, truck, *nowhere = draw.shares(balance)
        assert np.allclose(nowhere, car)
        assert abs(truck / car - 10**balance) < 1e-9
        # The mean over eleven objects.
        assert abs((10 * car + truck) / 11 - 1) < 1e-9
    n = len(CLASSES)
    heat, box = torch.zeros(11, n), torch.zeros(11, BOX)
    heat[:10, 0] = heat[10, 1] = 1
    # Boxes of cars are right, that of the truck is a metre too high.
    outputs = torch.zeros(11, n + 1 + BOX)
    outputs[10, n + 3] = 1
    given = outputs, heat, torch.zeros(11), box, torch.ones(11)
    alike, even = loss(*given)[1], loss(*given, torch.from_numpy(draw.shares(1.0)).float())[1]
    assert abs(alike["boxes"] - 1 / 11) < 1e-6 and abs(even["boxes"] - 1 / 2) < 1e-6
    assert abs(alike["corners"] - even["corners"]) < 1e-6


def test_corruptions_grow_and_the_worst_is_taken():
    points, _ = world(np.random.default_rng(1))
    assert strength(0) == 0 and strength(0.35) == 0.5 and strength(1) == 1
    for corruption in CORRUPTIONS:
        same = corruption(points.copy(), 0.0, np.random.default_rng(2))
        np.testing.assert_array_equal(same, points)
        found = corruption(points.copy(), 1.0, np.random.default_rng(2))
        assert len(found) < len(points) or np.abs(found[:, :3] - points[:, :3]).max() > 0.1
        assert np.isfinite(found).all()
        assert len(corruption(points[:0].copy(), 1.0, np.random.default_rng(2))) == 0
    losses = dict.fromkeys(CORRUPTIONS, 1.0) | {CORRUPTIONS[3]: 2.0}
    assert worst(losses.__getitem__) is CORRUPTIONS[3]


def test_a_run_with_the_curriculum_goes_on_with_it_only(sweeps, tmp_path):
    recipe = training.Recipe("detector_xs", 3, 40, batch=4, rate=1e-2, curriculum=True)
    run_of = training.Run(recipe, tmp_path / "run.pt")
    draw = Draw(Sweeps(sweeps), 3)
    for _ in range(3):
        assert np.isfinite(run_of.step(draw)["loss"])
    run_of.save()
    again = training.Run(recipe, tmp_path / "run.pt")
    assert again.step(draw) == run_of.step(draw)
    with pytest.raises(SystemExit, match="curriculum"):
        training.Run(training.Recipe("detector_xs", 3, 40, batch=4, rate=1e-2), tmp_path / "run.pt")


def test_what_a_run_prepared_serves_others_of_its_seed(sweeps, small, tmp_path, monkeypatch):
    recipe = training.Recipe("detector_xs", 3, 16, batch=4)
    kept = tmp_path / "kept"

    def learned(name: str, prepared) -> dict:
        done = training.train(recipe, sweeps, None, tmp_path / name, threads=1, prepared=prepared)
        return done.network.state_dict()

    alone, first = learned("alone.pt", None), learned("first.pt", kept)
    assert sorted(path.name for path in kept.iterdir()) == ["0.bin", "12.bin", "4.bin", "8.bin", "prepared.json"]
    with monkeypatch.context() as patch:
        # Nothing is drawn again.
        patch.setattr(training, "drawn", lambda *_: pytest.fail("drawn"))
        second = learned("second.pt", kept)
    for key, value in alone.items():
        assert torch.equal(value, first[key]) and torch.equal(value, second[key])
    with pytest.raises(SystemExit, match=r"prepared.json: expected .*\"seed\": 4.* found .*\"seed\": 3"):
        other = training.Recipe("detector_xs", 4, 16, batch=4)
        training.train(other, sweeps, None, tmp_path / "other.pt", threads=1, prepared=kept)
    with pytest.raises(SystemExit, match="--prepared: dense networks and --curriculum"):
        hard = training.Recipe("detector_xs", 3, 16, batch=4, curriculum=True)
        training.train(hard, sweeps, None, tmp_path / "hard.pt", threads=1, prepared=kept)


def test_a_curriculum_looks_without_learning_statistics(sweeps, small, tmp_path):
    run_of = training.Run(training.Recipe("detector_xs", 3, 40, batch=4, curriculum=True), tmp_path / "run.pt")
    run_of.network.train()
    before = {key: value.clone() for key, value in run_of.network.state_dict().items()}
    assert run_of.corruption(Draw(Sweeps(sweeps), 3)) in CORRUPTIONS
    assert all(torch.equal(value, before[key]) for key, value in run_of.network.state_dict().items())


def test_an_axis_is_learned_before_a_direction():
    n = len(CLASSES)
    box = torch.zeros(1, BOX)
    box[0, -2:] = torch.tensor([0.6, 0.8])
    sites = torch.zeros(1, n), torch.zeros(1), box, torch.ones(1)

    def of(length: float, sine: float = 0.6, cosine: float = 0.8) -> tuple[float, float]:
        """The loss, and its slope along the vector."""
        outputs = torch.zeros(1, n + 1 + BOX)
        outputs[0, -2:] = length * torch.tensor([sine, cosine])
        outputs.requires_grad_()
        total = loss(outputs, *sites)[0]
        total.backward()
        return loss(outputs, *sites)[1]["boxes"], float(outputs.grad[0, -2:] @ torch.tensor([sine, cosine]))

    right, wrong = of(1.0)[0], of(-1.0)[0]
    assert right < 0.02 < wrong
    # A network that cannot tell front from back does better with the axis alone than with a guess, and loses it without.
    assert of(0.3)[0] + of(-0.3)[0] < right + wrong
    assert of(0.3, 0.8, -0.6)[0] > of(0.3)[0]
    # From anywhere along the axis it is downhill to the right direction.
    assert all(of(length)[1] < 0 for length in (-1.0, -0.6, -0.3, 0.3, 0.6))


def test_from_sweeps_to_a_model_folder(sweeps, small, tmp_path):
    recipe = training.Recipe("detector_xs", 3, 160, batch=4, rate=1e-2)
    first = training.Run(recipe, tmp_path / "run.pt")
    draw = Draw(Sweeps(sweeps), 3)
    begin = [first.step(draw)["loss"] for _ in range(2)]
    first.save()
    done = training.train(recipe, sweeps, sweeps, tmp_path / "run.pt", threads=1, measure_every=80)
    assert done.seen == 160
    end = [done.step(draw)["loss"] for _ in range(4)]
    assert np.mean(end) < 0.5 * np.mean(begin)
    lines = (tmp_path / "run.jsonl").read_text().splitlines()
    assert len(lines) == 2 and 0 <= json.loads(lines[-1])["all"]["map"] <= 1
    runs.pack(tmp_path / "run.pt", tmp_path / "packed.pt")
    assert load(tmp_path / "packed.pt")[2] == "160 samples of 160, seed 3"
    write_folder(folder("detector_xs", tmp_path / "packed.pt", sweeps, {"map": 0.5}), tmp_path / "model")
    manifest = (tmp_path / "model/model.yaml").read_text()
    assert '"ai.isobath"' in manifest and '"shape": ["pillars", 2], "dtype": "int32"' in manifest
    golden = np.load(tmp_path / "model/golden.npz")
    inputs = {name: golden[f"input_{name}"] for name in ("features", "coords")}
    found = run((tmp_path / "model/model.onnx").read_bytes(), inputs)
    assert set(found) == set(HEADS)
    for name, values in found.items():
        np.testing.assert_allclose(values, golden[f"output_{name}"], rtol=1e-5, atol=1e-6)
    with pytest.raises(SystemExit, match="expected a checkpoint of detector_s"):
        folder("detector_s", tmp_path / "packed.pt", sweeps, {})


def test_the_dense_twin_learns_too(sweeps, small, tmp_path):
    recipe = training.Recipe("detector_xs_dense", 3, 48, batch=2, rate=1e-2)
    run_of = training.Run(recipe, tmp_path / "run.pt")
    opened = Sweeps(sweeps)
    losses = [run_of.step(Draw(opened, 3))["loss"] for _ in range(24)]
    assert np.mean(losses[-4:]) < 0.6 * np.mean(losses[:4])
    figures = training.measure(run_of.average, opened, GRID)
    assert 0 <= figures["all"]["map"] <= 1
    # Nothing but the mask tells the two apart: with everything active they are one function.
    coords = np.stack(np.meshgrid(np.arange(8), np.arange(8), indexing="ij"), -1).reshape(-1, 2)
    features = np.random.default_rng(1).normal(size=(64, FEATURES)).astype(np.float32)
    sparse = network(small)
    twin = DenseDetector(small).eval()
    twin.load_state_dict(sparse.state_dict())
    with torch.no_grad():
        rows = sparse(torch.from_numpy(features), Tables(site_tables(coords, 8, 8, Pyramid(3))))
        map_of = twin(maps([(coords, features)], 8))[0].flatten(1).T
    torch.testing.assert_close(rows, map_of, rtol=1e-4, atol=1e-5)
    run_of.save()
    write_folder(folder("detector_xs_dense", tmp_path / "run.pt", sweeps, {}), tmp_path / "model")
    kinds = [node.op_type for node in onnx.load(tmp_path / "model/model_int8.onnx").graph.node]
    assert kinds.count("QuantizeLinear") > 10
    golden = np.load(tmp_path / "model/golden.npz")
    exact, own = golden["output_heatmap"], golden["output_heatmap.int8"]
    assert 0 < np.abs(exact - own).max() < 0.3
    found = run(to_onnx(twin, 8).SerializeToString(), {"features": features, "coords": coords.astype(np.int32)})
    begin, end = HEADS["offset"]
    np.testing.assert_allclose(found["offset"][0].reshape(2, 64).T - 0.5, rows[:, begin:end], rtol=1e-4, atol=1e-4)
    assert found["heatmap"].shape == (1, len(CLASSES), 8, 8)


def test_a_box_without_an_active_pillar_is_not_asked_for():
    points, boxes = world(np.random.default_rng(6))
    coords, _, plane = pillars(points[:, :4], GRID)
    hidden = boxes[:1].copy()
    hidden[:, 1:3] = -0.5, 11.0
    both = np.concatenate([boxes, hidden])
    assert list(seen(coords, both, GRID)) == [True] * len(boxes) + [False]
    wanted = dense_targets(coords, plane, both, GRID)
    assert wanted.boxes == len(boxes) and wanted.heat.shape == (GRID.size**2, len(CLASSES))
    assert (wanted.heat == 1).sum() == len(boxes)


def test_checkpoints_of_something_else_are_refused(small, tmp_path):
    torch.save({"recipe": {"uses_prior": True}, "average": {}}, tmp_path / "depth.pt")
    with pytest.raises(SystemExit, match="expected a checkpoint of a detector"):
        load(tmp_path / "depth.pt")
    run_of = training.Run(training.Recipe("detector_xs_dense", 1, 8), tmp_path / "run.pt")
    with pytest.raises(SystemExit, match="of the same model or of its twin"):
        run_of.begin_with(tmp_path / "depth.pt")
    sparse = training.Run(training.Recipe("detector_xs", 2, 8), tmp_path / "sparse.pt")
    sparse.save()
    run_of.begin_with(tmp_path / "sparse.pt")
    for a, b in zip(sparse.average.parameters(), run_of.network.parameters(), strict=True):
        assert torch.equal(a, b)
