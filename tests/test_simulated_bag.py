"""What `isobath simulate` and `isobath corrupt` write, opened by an independent library with the official message types."""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from rosbags.highlevel import AnyReader
from rosbags.typesys import Stores, get_typestore

ROOT = Path(__file__).resolve().parent.parent
ISOBATH = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug/isobath"
FRAMES = 3


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    out = tmp_path_factory.mktemp("simulated") / "warehouse"
    scene = ROOT / "config/scenes/warehouse.yaml"
    command = [ISOBATH, "simulate", scene, "--frames", str(FRAMES), "--seed", "5", "--out", out]
    subprocess.run(command, check=True, timeout=120)
    return out


@pytest.fixture(scope="module")
def corrupted(simulated):
    out = simulated.parent / "foggy"
    command = [ISOBATH, "corrupt", simulated, "--kind", "fog", "--severity", "3", "--out", out]
    subprocess.run(command, check=True, timeout=120)
    return out


def read(bag):
    by_topic = {}
    with AnyReader([bag]) as reader:
        for connection, _, raw in reader.messages():
            message = reader.deserialize(raw, connection.msgtype)
            by_topic.setdefault(connection.topic, []).append(message)
    return by_topic


@pytest.mark.parametrize("name", ["simulated", "corrupted"])
def test_all_topics_open_with_as_many_messages_as_promised(name, request):
    messages = read(request.getfixturevalue(name))
    for topic in ["/image", "/camera_info", "/truth/depth"]:
        assert len(messages[topic]) == FRAMES, topic
    for topic in ["/lidar/points", "/truth/detections", "/radar_0/points"]:
        assert abs(len(messages[topic]) - FRAMES) <= 1, topic
    for topic in ["/tf", "/odom", "/clock"]:
        assert len(messages[topic]) >= 10 * FRAMES, topic
    assert len(messages["/tf_static"]) == 1


def test_images_clouds_and_truth_fit_each_other(simulated):
    messages = read(simulated)
    for image, depth, info in zip(messages["/image"], messages["/truth/depth"], messages["/camera_info"]):
        assert image.encoding == "rgb8" and depth.encoding == "32FC1"
        assert image.header.stamp == depth.header.stamp == info.header.stamp
        assert (image.width, image.height) == (depth.width, depth.height) == (info.width, info.height)
        metres = np.frombuffer(depth.data, "<f4")
        assert metres.size == depth.width * depth.height
        seen = metres[np.isfinite(metres)]
        assert seen.size > 0.9 * metres.size and seen.min() > 0.05 and seen.max() < 200
    for cloud, truth in zip(messages["/lidar/points"], messages["/truth/detections"]):
        assert cloud.header == truth.header
        assert cloud.width * cloud.point_step == len(cloud.data) and cloud.width > 10_000


def test_the_seed_is_in_the_metadata(simulated):
    text = (simulated / "metadata.yaml").read_text()
    assert "isobath_seed" in text and "isobath_scene_file" in text


def test_type_hashes_are_the_official_ones(simulated):
    official = get_typestore(Stores.ROS2_JAZZY)
    with AnyReader([simulated]) as reader:
        known = [c for c in reader.connections if c.msgtype in official.fielddefs]
        assert len(known) >= 8
        for connection in known:
            assert connection.digest in ("", official.hash_rihs01(connection.msgtype)), connection.topic


def test_inspect_counts_the_same(simulated):
    command = [ISOBATH, "inspect", simulated, "--json"]
    found = json.loads(subprocess.run(command, check=True, capture_output=True, timeout=60).stdout)
    counts = {topic["name"]: topic["count"] for topic in found["topics"]}
    assert counts == {topic: len(messages) for topic, messages in read(simulated).items()}
