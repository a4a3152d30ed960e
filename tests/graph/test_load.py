"""Nodes with nothing to do cost nothing, and a flood of messages does not make them grow."""

import json

from graph import running, script, wait_until
from load import cpu_share, resident_mb
from sensor_msgs.msg import Image
from sensors import camera_info, image
from vision_msgs.msg import Detection3DArray

# Queues, history and waiting frames of 640×480 images, with the allocator's slack.
GROWTH_MB = 100


def test_an_idle_process_sleeps():
    with running("perception") as process:
        # Below 1 % on a quiet machine; one that is busy adds the cost of its cold caches.
        assert cpu_share(process, 4.0) < 0.015


def test_without_listeners_images_are_received_and_nothing_more(listener, sensor):
    """The cost is that of receiving: a frame of the baseline model alone takes some 10 ms of 33."""
    listener.listen_to_diagnostics()
    with running("depth", parameters=["radars:=0"]) as process:
        for one in [sensor("camera_info", camera_info(640, 480), hz=30), sensor("image", image(640, 480), hz=30)]:
            one.wait_for_subscriber()
            one.start()
        wait_until(lambda: int(listener.status("depth")[1].get("received", 0)) > 30, 10.0, "images")
        assert cpu_share(process, 3.0) < 0.12
        _, values = listener.status("depth")
        assert values["published"] == "0"
        assert not any(key.startswith("stage_ms.") for key in values), values
        unseen = int(values["dropped.no_subscriber"])
        assert unseen >= 0.9 * int(values["received"]), values


def test_a_flood_neither_grows_the_process_nor_loses_count(listener):
    listener.listen_to_diagnostics()
    listener.listen("depth/image", Image, keep=len, raw=True)
    listener.listen("detections", Detection3DArray, keep=len, raw=True)
    with running("perception") as process, script("publish_flood.py", 8) as flood:
        flood.wait_for("publishing")
        wait_until(lambda: len(listener.received["depth/image"]) > 10, 10.0, "depth")
        wait_until(lambda: len(listener.received["detections"]) > 10, 10.0, "detections")
        before = peak = resident_mb(process)
        while flood.process.poll() is None:
            peak = max(peak, resident_mb(process))
            flood.reader.join(0.1)
        sent = json.loads(flood.lines[-1])
        assert sent["image"] > 300, sent
        assert peak < before + GROWTH_MB, f"from {before:.0f} to {peak:.0f} MB with {sent}"

        def accounted(node, topic):
            """All that arrived was taken by the node or counted as lost; all that was taken has an end."""
            _, values = listener.status(node)
            arrived, lost = (int(values.get(f"input.{topic}.{key}", 0)) for key in ("messages", "lost"))
            dropped = sum(int(count) for key, count in values.items() if key.startswith("dropped."))
            received, published = int(values.get("received", 0)), int(values.get("published", 0))
            return arrived == received + lost and received == published + dropped > 100 and published > 10

        for node, topic in [("depth", "/image"), ("detection", "/lidar/points")]:
            wait_until(lambda node=node, topic=topic: accounted(node, topic), 5.0, f"accounts: {listener.status(node)}")
