"""A recording → arrays with LiDAR truth, on a bag made here and on one of the simulator."""

import subprocess
from pathlib import Path

import numpy as np
import pytest
from rosbags.highlevel import AnyReader
from rosbags.rosbag2 import Writer
from rosbags.typesys import Stores, get_typestore

from isobath_training.arrays import Arrays
from isobath_training.bag.check import check
from isobath_training.bag.clouds import Cloud, point_times, radar_fields
from isobath_training.bag.export import export_bags
from isobath_training.bag.transforms import TransformError, Transforms, inverse, moved, rotation_matrix
from isobath_training.bag.truth import hidden, nearest, sparse_depth
from isobath_training.export_data import find_isobath

STORE = get_typestore(Stores.ROS2_JAZZY)
ROWS, COLUMNS, FOCAL = 120, 160, 120.0
# The camera looks along x; its axes are right, down, forward.
CAMERA = np.array([[0, 0, 1, 0.2], [-1, 0, 0, 0], [0, -1, 0, 0.8], [0, 0, 0, 1.0]])
# Turned, so that the wrong direction of a transform shows.
LIDAR = np.array([[0, -1, 0, -0.2], [1, 0, 0, 0.1], [0, 0, 1, 1.6], [0, 0, 0, 1.0]])
RADAR = np.array([[1, 0, 0, 0.4], [0, 1, 0, 0.0], [0, 0, 1, 0.5], [0, 0, 0, 1.0]])
SPEED = 2.0
START_NS = 1_700_000_000_000_000_000


def base(time_s):
    pose = np.eye(4)
    pose[0, 3] = SPEED * time_s
    return pose


def distance(origins, directions):
    """To a floor, a wall and a panel before it, along unit vectors of the world."""
    o, d = origins, directions
    with np.errstate(divide="ignore", invalid="ignore"):
        floor = np.where(d[:, 2] < 0, -o[:, 2] / d[:, 2], np.inf)
        wall = np.where(d[:, 0] > 0, (14 - o[:, 0]) / d[:, 0], np.inf)
        panel = np.where(d[:, 0] > 0, (6 - o[:, 0]) / d[:, 0], np.inf)
        at = o + panel[:, None] * d
    on = (np.abs(at[:, 1]) < 1) & (at[:, 2] < 1.2) & (at[:, 2] > 0)
    return np.minimum(np.minimum(floor, wall), np.where(on, panel, np.inf))


def true_depth(time_s):
    pose = base(time_s) @ CAMERA
    v, u = np.mgrid[:ROWS, :COLUMNS]
    rays = np.stack([(u - 79.5) / FOCAL, (v - 59.5) / FOCAL, np.ones(u.shape)], -1).reshape(-1, 3)
    length = np.linalg.norm(rays, axis=1)
    directions = rays @ pose[:3, :3].T / length[:, None]
    return (distance(np.tile(pose[:3, 3], (len(rays), 1)), directions) / length).reshape(ROWS, COLUMNS)


def sweep(start_s):
    """Points in the frame where the LiDAR was when each was measured, and times; 45 beams in a tenth of a second."""
    # Seen from above the LiDAR's own x is the robot's left.
    azimuth, elevation = np.meshgrid(
        np.radians(np.linspace(-130, -50, 250)), np.radians(np.linspace(-30, 15, 45))
    )
    azimuth, elevation = azimuth.ravel(), elevation.ravel()
    directions = np.stack(
        [np.cos(elevation) * np.cos(azimuth), np.cos(elevation) * np.sin(azimuth), np.sin(elevation)], 1
    )
    times = 0.1 * (azimuth - azimuth.min()) / np.ptp(azimuth)
    origin = np.tile((base(start_s) @ LIDAR)[:3, 3], (len(times), 1))
    origin[:, 0] += SPEED * times
    away = distance(origin, directions @ LIDAR[:3, :3].T)
    return directions * away[:, None], times


def message(name, /, **fields):
    return STORE.types[name](**fields)


def stamp(time_s):
    ns = START_NS + round(time_s * 1e9)
    return message("builtin_interfaces/msg/Time", sec=ns // 10**9, nanosec=ns % 10**9)


def header(time_s, frame):
    return message("std_msgs/msg/Header", stamp=stamp(time_s), frame_id=frame)


def transform(time_s, parent, child, pose):
    q = quaternion(pose[:3, :3])
    return message(
        "geometry_msgs/msg/TransformStamped", header=header(time_s, parent), child_frame_id=child,
        transform=message(
            "geometry_msgs/msg/Transform",
            translation=message("geometry_msgs/msg/Vector3", **dict(zip("xyz", pose[:3, 3], strict=True))),
            rotation=message("geometry_msgs/msg/Quaternion", **dict(zip("xyzw", q, strict=True))),
        ),
    )  # fmt: skip


def quaternion(r):
    """Of a rotation matrix: the eigenvector that it leaves alone (Bar-Itzhack 2000)."""
    k = np.array(
        [
            [r[0, 0] - r[1, 1] - r[2, 2], r[1, 0] + r[0, 1], r[2, 0] + r[0, 2], r[2, 1] - r[1, 2]],
            [r[1, 0] + r[0, 1], r[1, 1] - r[0, 0] - r[2, 2], r[2, 1] + r[1, 2], r[0, 2] - r[2, 0]],
            [r[2, 0] + r[0, 2], r[2, 1] + r[1, 2], r[2, 2] - r[0, 0] - r[1, 1], r[1, 0] - r[0, 1]],
            [r[2, 1] - r[1, 2], r[0, 2] - r[2, 0], r[1, 0] - r[0, 1], np.trace(r)],
        ]
    )
    return np.linalg.eigh(k / 3)[1][:, -1]


def cloud(time_s, frame, table):
    kinds = {"f4": 7, "u4": 6, "i2": 3}
    fields = [
        message("sensor_msgs/msg/PointField", name=name, offset=offset, datatype=kinds[kind.str[1:]], count=1)
        for name, (kind, offset) in table.dtype.fields.items()
    ]
    data = np.frombuffer(table.tobytes(), np.uint8)
    return message(
        "sensor_msgs/msg/PointCloud2", header=header(time_s, frame), height=1, width=len(table), fields=fields,
        is_bigendian=False, point_step=table.itemsize, row_step=len(data), data=data, is_dense=True,
    )  # fmt: skip


def lidar_cloud(time_s):
    points, times = sweep(time_s)
    table = np.zeros(len(points), [("x", "f4"), ("y", "f4"), ("z", "f4"), ("t", "u4")])
    for axis, values in zip("xyz", points.T, strict=True):
        table[axis] = values
    table["t"] = times * 1e9
    return cloud(time_s, "lidar", table)


def radar_cloud(time_s):
    """The panel's middle, which stands still, and what comes towards the radar."""
    to_radar = inverse(base(time_s) @ RADAR)
    places = moved(np.array([[6, 0, 0.6], [9, 2, 0.5]]), to_radar)
    rates = -SPEED * places[:, 0] / np.linalg.norm(places, axis=1) - [0, 1.5]
    kinds = [("x", "f4"), ("y", "f4"), ("z", "f4"), ("doppler", "f4"), ("snr", "i2"), ("noise", "i2")]
    table = np.zeros(2, kinds)
    for axis, values in zip("xyz", places.T, strict=True):
        table[axis] = values
    table["doppler"], table["snr"] = rates, 200
    return cloud(time_s, "radar_0", table)


def images(time_s):
    pixels = np.full((ROWS, COLUMNS, 3), 90, np.uint8)
    pixels[..., 2] = 200
    return message(
        "sensor_msgs/msg/Image", header=header(time_s, "camera"), height=ROWS, width=COLUMNS, encoding="bgr8",
        is_bigendian=0, step=3 * COLUMNS, data=pixels.ravel(),
    )  # fmt: skip


def camera_info(time_s, model="plumb_bob"):
    k = np.array([FOCAL, 0, 79.5, 0, FOCAL, 59.5, 0, 0, 1])
    roi = message(
        "sensor_msgs/msg/RegionOfInterest", x_offset=0, y_offset=0, height=0, width=0, do_rectify=False
    )
    return message(
        "sensor_msgs/msg/CameraInfo", header=header(time_s, "camera"), height=ROWS, width=COLUMNS,
        distortion_model=model, d=np.zeros(5), k=k, r=np.eye(3).ravel(), p=np.zeros(12), binning_x=0,
        binning_y=0, roi=roi,
    )  # fmt: skip


def write_bag(path, *, without=(), model="plumb_bob", lidar_frame="lidar"):
    poses = {"camera": CAMERA, lidar_frame: LIDAR, "radar_0": RADAR}
    static = [transform(0, "base_link", child, pose) for child, pose in poses.items()]
    tf = "tf2_msgs/msg/TFMessage"
    queue = [(0.0, "/tf_static", message(tf, transforms=static))]
    for i in range(80):
        moving = [transform(0.01 * i, "odom", "base_link", base(0.01 * i))]
        queue.append((0.01 * i, "/tf", message(tf, transforms=moving)))
    for i in range(1, 4):
        queue += [(0.1 * i + 0.05, "/image", images(0.1 * i + 0.05))]
        queue += [(0.1 * i + 0.05, "/camera_info", camera_info(0.1 * i + 0.05, model))]
    for i in range(6):
        queue += [(0.1 * i + 0.1, "/lidar/points", lidar_cloud(0.1 * i))]
        queue += [(0.1 * i + 0.1, "/radar_0/points", radar_cloud(0.1 * i + 0.1))]
    with Writer(path, version=9) as writer:
        connections = {}
        for time_s, topic, content in sorted(queue, key=lambda item: item[0]):
            if topic in without:
                continue
            if topic not in connections:
                connections[topic] = writer.add_connection(topic, content.__msgtype__, typestore=STORE)
            raw = STORE.serialize_cdr(content, content.__msgtype__)
            writer.write(connections[topic], START_NS + round(time_s * 1e9), raw)
    return path


@pytest.fixture(scope="module")
def arrays(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bag")
    write_bag(folder / "drive")
    export_bags([folder / "drive"], folder / "arrays", size=(ROWS, COLUMNS), every=1)
    return Arrays(folder / "arrays")


def test_points_are_true_depth_while_the_robot_moves(arrays):
    assert len(arrays) == 3 and arrays.scenes == ["drive"] and not arrays.held_back()
    assert arrays.image[0, 5, 5].tolist() == [200, 90, 90]
    for frame in range(3):
        found = arrays.depth[frame].astype(float)
        truth = true_depth(0.1 * (frame + 1) + 0.05)
        known = np.isfinite(found)
        assert 0.08 < known.mean() < 0.5
        error = np.abs(found / truth - 1)[known]
        # Half a pixel of a floor is up to 2 % of its distance.
        assert np.median(error) < 0.005 and np.quantile(error, 0.9) < 0.02
        assert (found[known] > 1.1 * truth[known]).mean() < 0.01


def test_returns_come_with_the_robot_and_tell_what_moves(arrays):
    column = {name: i for i, name in enumerate(arrays.columns["radar"])}
    assert arrays.columns["radar"][:3] == ["x", "y", "z"]
    rows = arrays.radar[2]
    ages = np.unique(rows[:, column["age"]].round(3))
    # The image is half-way between two scans; these are one of them and those before, of which there are few yet.
    assert len(ages) >= 3 and np.allclose(np.diff(ages), 0.1, atol=1e-3) and abs(ages[0]) < 0.051
    still = rows[np.abs(rows[:, column["motion"]]) < 0.05]
    moves = rows[np.abs(rows[:, column["motion"]] + 1.5) < 0.05]
    assert len(still) == len(moves) == len(ages)
    # The panel's middle as the camera sees it at the image's time, 0.35 s after the start.
    np.testing.assert_allclose(still[:, :3], [[0, 0.2, 6 - 0.7 - 0.2]] * len(ages), atol=1e-3)
    assert np.allclose(rows[:, column["snr"]], 20, atol=1e-3)
    assert np.allclose(np.degrees(rows[:, column["azimuth_std"]]), 2.121, atol=1e-3)


def test_without_occlusion_filter_the_wall_shines_through_the_panel():
    """The LiDAR, above, sees floor and wall where the camera sees the panel."""
    points, times = sweep(0.0)
    world = moved(points, LIDAR) + np.outer(times, [SPEED, 0, 0])
    optical = moved(world, inverse(CAMERA))
    camera = np.array([FOCAL, FOCAL, 79.5, 59.5, 0, 0, 0, 0, 0])
    shape = (ROWS, COLUMNS)
    every, truth = nearest(optical, camera, shape), true_depth(0.0)
    behind = np.isfinite(every) & (every > 1.1 * truth)
    assert behind.sum() > 30
    gone = hidden(every)
    assert (gone & behind).sum() > 0.9 * behind.sum()
    right = np.isfinite(every) & (np.abs(every / truth - 1) < 0.03)
    assert (gone & right).sum() < 0.05 * right.sum()
    kept = np.isfinite(sparse_depth(optical, camera, shape))
    assert (kept == (np.isfinite(every) & ~gone)).all()


@pytest.mark.parametrize("tilt", [0.0, 0.4, 1.2])
def test_a_steep_surface_does_not_hide_itself(tilt):
    """Lines of points on a floor, turned in the image; at its far end a pixel is a tenth of the depth."""
    v, u = np.mgrid[0:ROWS:2.3, 0:COLUMNS:1.1]
    x, y = (u - 79.5) / FOCAL, (v - 59.5) / FOCAL
    slope = 0.8 * (np.cos(tilt) * y + np.sin(tilt) * x)
    z = np.where(slope > 1 / 12, 1 / np.maximum(slope, 1e-6), np.nan)
    points = np.stack([x * z, y * z, z], -1).reshape(-1, 3)
    camera = np.array([FOCAL, FOCAL, 79.5, 59.5, 0, 0, 0, 0, 0])
    image = nearest(points, camera, (ROWS, COLUMNS))
    assert np.isfinite(image).sum() > 1000
    assert hidden(image).sum() < 0.01 * np.isfinite(image).sum()


@pytest.mark.parametrize(
    ("left_out", "said"),
    [
        (["/lidar/points"], "lidar/points: expected a topic of sensor_msgs/msg/PointCloud2, found none"),
        (["/camera_info"], "camera_info: expected a topic of sensor_msgs/msg/CameraInfo, found none"),
        (["/image"], "image: expected a topic of sensor_msgs/msg/Image, found none"),
        (["/tf", "/tf_static"], "expected transforms on /tf_static and /tf, found none"),
        (["/tf_static"], "expected a transform from 'lidar' to 'camera', found frames base_link"),
    ],
)
def test_what_a_bag_lacks_is_said(left_out, said, tmp_path):
    bag = write_bag(tmp_path / "drive", without=left_out)
    with pytest.raises(SystemExit, match=said) as error:
        export_bags([bag], tmp_path / "arrays", every=1)
    assert "drive" in str(error.value) and not (tmp_path / "arrays").exists()


def test_what_cannot_be_used_is_said(tmp_path):
    fisheye = write_bag(tmp_path / "fisheye", model="equidistant")
    with pytest.raises(SystemExit, match="expected distortion plumb_bob, found equidistant"):
        export_bags([fisheye], tmp_path / "arrays")
    with pytest.raises(SystemExit, match=r"/radar_0/points: expected sensor_msgs/msg/Image"):
        export_bags([fisheye], tmp_path / "arrays", remap={"image": "/radar_0/points"})
    with pytest.raises(SystemExit, match="expected a bag"):
        export_bags([tmp_path], tmp_path / "arrays")
    # Nothing half-made stays when a later bag is none.
    good = write_bag(tmp_path / "good")
    with pytest.raises(SystemExit, match="fisheye: .*equidistant"):
        export_bags([good, fisheye], tmp_path / "arrays", size=(60, 80))
    assert not (tmp_path / "arrays").exists()
    (tmp_path / "full").mkdir()
    (tmp_path / "full/file").touch()
    with pytest.raises(SystemExit, match="expected a new folder"):
        export_bags([fisheye], tmp_path / "full")


def test_a_bag_without_radar_has_frames_without_returns(tmp_path, capsys):
    bag = write_bag(tmp_path / "drive", without=["/radar_0/points"])
    export_bags([bag], tmp_path / "arrays", size=(60, 80), every=2)
    data = Arrays(tmp_path / "arrays")
    assert len(data) == 2 and data.radar[1].shape == (0, 11) and data.image.shape == (2, 60, 80, 3)
    np.testing.assert_allclose(data.camera[0, :4], [60, 60, 39.5, 29.5])
    assert "no radar on /radar_0/points" in capsys.readouterr().out


def test_poses_are_interpolated_and_never_extrapolated():
    tree = Transforms()
    half = np.sqrt(0.5)
    tree.add("odom", "base", 1.0, (0, 0, 0), (0, 0, 0, 1), static=False)
    tree.add("odom", "base", 2.0, (2, 0, 0), (0, 0, half, half), static=False)
    tree.add("base", "sensor", 0.0, (1, 0, 0), (0, 0, 0, 1), static=True)
    pose = tree.pose("sensor", "odom", 1.5)
    np.testing.assert_allclose(pose[:3, 3], [1 + half, half, 0], atol=1e-9)
    assert tree.pose("sensor", "odom", 0.9) is None and tree.pose("sensor", "odom", 2.1) is None
    np.testing.assert_allclose(moved(moved(np.eye(3), pose), inverse(pose)), np.eye(3), atol=1e-12)
    assert tree.root("sensor", "base") == "odom"
    with pytest.raises(TransformError, match="from 'other' to 'sensor'"):
        tree.root("sensor", "other")
    np.testing.assert_allclose(rotation_matrix(np.array([0, 0, half, half]))[:, 0], [0, 1, 0], atol=1e-12)


def test_times_of_points_are_understood_in_every_unit():
    def times(name, kind, values, stamp_s):
        table = np.zeros(3, [("x", "f4"), ("y", "f4"), ("z", "f4"), (name, kind)])
        table["x"], table[name] = 1, values
        return point_times(Cloud(cloud(0, "lidar", table)), stamp_s)

    kinds = {"u4": np.array([0, 5e7, 1e8]), "f4": np.array([-0.1, -0.05, 0])}
    np.testing.assert_allclose(times("t", "u4", kinds["u4"], 1e9), [0, 0.05, 0.1], atol=1e-6)
    np.testing.assert_allclose(times("time", "f4", kinds["f4"], 1e9), [-0.1, -0.05, 0], atol=1e-6)
    np.testing.assert_allclose(times("time", "f4", [50.0, 50.05, 50.1], 50.0), [0, 0.05, 0.1], atol=1e-5)
    assert times("ring", "u4", [1, 2, 3], 50.0).tolist() == [0, 0, 0]


def test_what_a_radar_does_not_tell_is_what_the_runtime_takes():
    table = np.zeros(1, [("x", "f4"), ("y", "f4"), ("z", "f4"), ("radial_speed", "f4")])
    table["x"], table["radial_speed"] = 5, 2
    fields = radar_fields(Cloud(cloud(0, "radar", table)), -1.0)
    assert fields["range_rate"] == [-2] and fields["snr"] == [0] and fields["rcs"] == [0]
    assert np.allclose(np.degrees([fields["azimuth_std"][0], fields["elevation_std"][0]]), [0.5, 2.0])


def test_a_simulated_recording_has_the_truth_of_the_simulator(tmp_path):
    try:
        isobath = find_isobath(None)
    except SystemExit:
        pytest.skip("there is no isobath command: build it with cargo")
    bag, scene = tmp_path / "yard", Path(__file__).parents[2] / "config/scenes/yard.yaml"
    command = [isobath, "simulate", scene, "--frames", "2", "--seed", "900001", "--out", bag]
    subprocess.run(command, check=True, timeout=120)
    export_bags([bag], tmp_path / "arrays", size=(480, 640), every=1)
    data = Arrays(tmp_path / "arrays")
    with AnyReader([bag]) as reader:
        chosen = [c for c in reader.connections if c.topic == "/truth/depth"]
        truths = [reader.deserialize(raw, c.msgtype) for c, _, raw in reader.messages(chosen)]
    figures = check(bag)
    assert figures["median_error"] < 0.02 and figures["known"] > 0.05
    assert figures["hidden_dropped"] > 0.9 and figures["right_dropped"] < 0.12
    # Nothing of the test split is trained on, not by way of a bag either.
    assert data.held_back()
    for frame, (_, _, number) in enumerate(data.frames):
        truth = np.frombuffer(truths[number].data, "<f4").reshape(480, 640)
        found = data.depth[frame].astype(float)
        known = np.isfinite(found)
        assert known.sum() > 2000
        assert np.median(np.abs(found / truth - 1)[known]) < 0.02
        assert (found[known] > 1.1 * truth[known]).mean() < 0.03
