"""A real bag, played from one process, becomes depth and detections that another process receives."""

import json

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from graph import BAG, BAG_REMAPS, running, script, wait_until
from sensor_msgs.msg import CameraInfo, Image, PointCloud2
from vision_msgs.msg import Detection3DArray
from visualization_msgs.msg import Marker, MarkerArray

SECONDS = 12
IMAGE_FRAMES = 10 * SECONDS


def stamp_ns(message):
    return message.header.stamp.sec * 10**9 + message.header.stamp.nanosec


@pytest.fixture(scope="module")
def played(ros):
    """All that was received while the bag was played."""
    from graph import Listener

    listener = Listener()
    topics = {
        "depth/image": Image,
        "depth/camera_info": CameraInfo,
        "depth/confidence": Image,
        "depth/points": PointCloud2,
        "depth/preview": Image,
        "detections": Detection3DArray,
        "detections/markers": MarkerArray,
        "/diagnostics": DiagnosticArray,
    }
    for topic, kind in topics.items():
        listener.listen(topic, kind)
    inputs = []
    from rclpy.qos import qos_profile_sensor_data

    listener.node.create_subscription(
        Image,
        "/camera/image_raw",
        lambda image: inputs.append((stamp_ns(image), image.header.frame_id, image.width, image.height)),
        qos_profile_sensor_data,
    )
    with running("perception", remaps=BAG_REMAPS) as process:
        with script("play_bag.py", BAG, SECONDS) as player:
            player.wait_for("playing")
            player.process.wait(SECONDS + 30)
            player.reader.join(1.0)
            sent = json.loads(player.lines[-1])
        # The last frames and one more report.
        count = len(listener.received["/diagnostics"])
        wait_until(lambda: len(listener.received["/diagnostics"]) >= count + 4, 5.0, "reports")
        output = process.output
    yield listener, sent, inputs, output
    listener.close()


def test_every_image_has_an_output_or_a_counted_drop(played):
    listener, sent, _, output = played
    images = len(listener.received["depth/image"])
    assert images >= 0.9 * sent["/camera/image_raw"], f"{images} of {sent}: {listener.status('depth')[1]}\n{output}"
    for node in ["depth", "detection"]:
        _, values = listener.status(node)
        dropped = sum(int(count) for key, count in values.items() if key.startswith("dropped."))
        assert int(values["received"]) == int(values["published"]) + dropped, values
    _, values = listener.status("depth")
    assert int(values["received"]) >= 0.99 * sent["/camera/image_raw"]


def test_depth_images_are_those_of_the_input(played):
    listener, _, inputs, _ = played
    inputs = {stamp: rest for stamp, *rest in inputs}
    for image in listener.received["depth/image"]:
        assert image.encoding == "32FC1"
        if stamp_ns(image) in inputs:
            frame, width, height = inputs[stamp_ns(image)]
            assert (image.header.frame_id, image.width, image.height) == (frame, width, height)
    with_depth = 0
    for image in listener.received["depth/image"]:
        depth = np.frombuffer(image.data, np.float32).reshape(image.height, image.width)
        # REP-118: metres, NaN for unknown, infinity for beyond range.
        valid = depth[np.isfinite(depth)]
        assert not np.isneginf(depth).any()
        assert not (valid <= 0.0).any()
        with_depth += valid.size > 0.05 * depth.size
    # A frame without a radar message in its window, as the last one of the bag, has none.
    assert with_depth >= 0.9 * len(listener.received["depth/image"])
    received = {stamp_ns(message) for message in listener.received["depth/image"]}
    assert len(received & set(inputs)) > 0.5 * len(received)


def test_every_topic_carries_the_stamps_of_the_depth_images(played):
    listener, *_ = played
    stamps = {stamp_ns(image) for image in listener.received["depth/image"]}
    for topic in ["depth/camera_info", "depth/confidence", "depth/points", "depth/preview"]:
        mine = {stamp_ns(message) for message in listener.received[topic]}
        assert len(mine & stamps) >= 0.9 * len(stamps), topic
    info = listener.received["depth/camera_info"][-1]
    image = listener.received["depth/image"][-1]
    assert (info.width, info.height) == (image.width, image.height)
    assert info.k[0] > 0
    cloud = listener.received["depth/points"][-1]
    assert cloud.header.frame_id == image.header.frame_id
    assert {"x", "y", "z"} <= {field.name for field in cloud.fields}


def test_detections_and_markers(played):
    listener, sent, *_ = played
    sweeps = sent["/lidar_vlp16/points"]
    detections = listener.received["detections"]
    assert len(detections) >= 0.9 * sweeps, (len(detections), sweeps, listener.status("detection"))
    for array in detections:
        assert len(array.detections) <= 500
        for detection in array.detections:
            assert all(result.hypothesis.score >= 0.05 for result in detection.results)
            assert min(detection.bbox.size.x, detection.bbox.size.y, detection.bbox.size.z) > 0
    markers = listener.received["detections/markers"]
    assert len(markers) >= 0.9 * sweeps
    assert all(array.markers[0].action == Marker.DELETEALL for array in markers)


def test_diagnostics_come_every_second_with_facts(played):
    listener, *_ = played
    assert len(listener.received["/diagnostics"]) >= 2 * (SECONDS - 2)
    status, values = listener.status("depth")
    for key in ["model", "precision", "provider", "rmw", "latency_ms.p50", "latency_ms.p99"]:
        assert values[key], (key, values)
    assert values["input./camera/image_raw.publishers"].isdigit()
    assert status.hardware_id
