"""What `isobath replay` writes, read by an independent library with the official message types."""

import json
import math
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from mcap.reader import make_reader
from mcap_ros2.decoder import DecoderFactory
from rosbags.highlevel import AnyReader
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

ROOT = Path(__file__).resolve().parent.parent
BAG = ROOT / "tests/data/real_sensors"
REMAPS = {
    "image": "/camera/image_raw",
    "camera_info": "/camera/camera_info",
    "radar_0/points": "/radar_ars548/points",
    "lidar/points": "/lidar_vlp16/points",
}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    out = tmp_path_factory.mktemp("replay") / "run"
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    command = [target / "debug/isobath", "replay", BAG, "--out", out, "--set", "depth.record=all"]
    # Every point counts, however unsure the model is of a radar that is not of these images.
    command += ["--set", "depth.points_min_confidence=0"]
    for name, topic in REMAPS.items():
        command += ["--remap", f"{name}:={topic}"]
    subprocess.run(command, check=True, timeout=120)
    return out


@pytest.fixture(scope="module")
def messages(run):
    by_topic = {}
    with AnyReader([run / "outputs.mcap"]) as reader:
        for connection, time, raw in reader.messages():
            message = reader.deserialize(raw, connection.msgtype)
            by_topic.setdefault(connection.topic, []).append((time, connection.msgtype, message))
    return by_topic


def stamp_ns(message):
    return message.header.stamp.sec * 10**9 + message.header.stamp.nanosec


def test_type_hashes_are_the_official_ones(run):
    official = get_typestore(Stores.ROS2_JAZZY)
    with AnyReader([run / "outputs.mcap"]) as reader:
        for connection in reader.connections:
            store = get_typestore(Stores.EMPTY)
            store.register(get_types_from_msg(connection.msgdef.data, connection.msgtype))
            computed = store.hash_rihs01(connection.msgtype)
            assert connection.digest in ("", computed)
            if connection.msgtype in official.fielddefs:
                assert computed == official.hash_rihs01(connection.msgtype)


def test_every_message_decodes_by_the_schema_in_the_file(run, messages):
    # All that Foxglove has to go by.
    with (run / "outputs.mcap").open("rb") as stream:
        reader = make_reader(stream, decoder_factories=[DecoderFactory()])
        assert reader.get_header().profile == "ros2"
        channels = reader.get_summary().channels.values()
        assert {channel.topic for channel in channels} == set(messages)
        assert {channel.message_encoding for channel in channels} == {"cdr"}
        counts = dict.fromkeys(messages, 0)
        for schema, channel, _, decoded in reader.iter_decoded_messages():
            assert schema.encoding == "ros2msg" and schema.data
            _, msgtype, known = messages[channel.topic][counts[channel.topic]]
            assert schema.name == msgtype
            if hasattr(known, "header"):
                assert decoded.header.frame_id == known.header.frame_id
                assert decoded.header.stamp.nanosec == known.header.stamp.nanosec
            counts[channel.topic] += 1
    assert counts == {topic: len(of_topic) for topic, of_topic in messages.items()}


def test_depth_has_stamp_frame_size_and_values_of_rep_118(run, messages):
    with AnyReader([BAG]) as reader:
        inputs = [
            reader.deserialize(raw, c.msgtype) for c, _, raw in reader.messages() if c.topic == REMAPS["image"]
        ]
    assert len(messages["/depth/image"]) == len(inputs)
    for (time, _, depth), image in zip(messages["/depth/image"], inputs):
        assert depth.encoding == "32FC1" and depth.step == 4 * image.width
        assert (depth.width, depth.height) == (image.width, image.height)
        assert depth.header.frame_id == image.header.frame_id
        assert stamp_ns(depth) == stamp_ns(image) == time
        values = depth.data.view(np.float32)
        assert values.size == depth.width * depth.height
        finite = values[np.isfinite(values)]
        assert (finite > 0).all() and (finite < 121).all()
        # What is not a distance is the sky.
        assert np.isposinf(values[~np.isfinite(values)]).all() and finite.size > 0.5 * values.size


def test_every_depth_has_its_camera_info_confidence_points_and_preview(messages):
    stamps = [stamp_ns(message) for _, _, message in messages["/depth/image"]]
    for topic in ["/depth/camera_info", "/depth/confidence", "/depth/points", "/depth/preview"]:
        assert [stamp_ns(message) for _, _, message in messages[topic]] == stamps, topic
    for _, _, info in messages["/depth/camera_info"]:
        assert math.isclose(info.k[0], 520.9, abs_tol=0.05)
    for _, _, confidence in messages["/depth/confidence"]:
        values = confidence.data.view(np.float32)
        assert values.min() >= 0 and values.max() <= 1


def test_points_lie_on_the_depth_image(messages):
    for (_, _, depth), (_, _, info), (_, _, cloud) in zip(
        messages["/depth/image"], messages["/depth/camera_info"], messages["/depth/points"]
    ):
        image = depth.data.view(np.float32).reshape(depth.height, depth.width)
        points = np.frombuffer(cloud.data, np.float32).reshape(-1, cloud.point_step // 4)[:, :3]
        if points.size == 0:
            assert not np.isfinite(image).any()
            continue
        u = np.rint(points[:, 0] / points[:, 2] * info.k[0] + info.k[2]).astype(int)
        v = np.rint(points[:, 1] / points[:, 2] * info.k[4] + info.k[5]).astype(int)
        assert np.allclose(image[v, u], points[:, 2], rtol=1e-5)


def test_detections_and_markers_belong_together(messages):
    ((_, _, detections),) = messages["/detections"]
    ((_, _, markers),) = messages["/detections/markers"]
    assert detections.header == markers.markers[0].header
    assert markers.markers[0].action == 3  # DELETEALL
    shown = [d for d in detections.detections if d.results[0].hypothesis.score >= 0.3]
    assert len(markers.markers) == 1 + 2 * len(shown)


def test_the_summary_counts_every_frame(run):
    summary = json.loads((run / "run.json").read_text())
    for node in summary["nodes"].values():
        assert node["received"] == node["published"] + sum(node["dropped"].values())
