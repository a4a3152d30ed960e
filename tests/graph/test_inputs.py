"""Wrong and missing inputs are told; names, namespaces and simulated time work."""

import time

from graph import running, wait_until
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from sensors import camera_info, image, stamp_of


def warnings(listener, node):
    _, values = listener.status(node)
    return [value for key, value in values.items() if key.startswith("warning.")]


def test_a_wrong_type_on_a_topic_names_both(listener):
    listener.listen_to_diagnostics()
    publisher = listener.node.create_publisher(CompressedImage, "image", 1)
    with running("depth"):
        wait_until(
            lambda: any(
                "sensor_msgs/msg/CompressedImage" in text and "sensor_msgs/msg/Image" in text
                for text in warnings(listener, "depth")
            ),
            6.0,
            "warning",
        )
    listener.node.destroy_publisher(publisher)


def test_a_missing_sensor_is_told(listener):
    listener.listen_to_diagnostics()
    with running("detection"):
        wait_until(
            lambda: any("nothing publishes on '/lidar/points'" in w for w in warnings(listener, "detection")),
            8.0,
            "warning",
        )


def test_an_unusable_image_is_a_counted_drop(listener):
    listener.listen_to_diagnostics()
    listener.listen("depth/image", Image)
    publisher = listener.node.create_publisher(Image, "image", 5)
    with running("depth", parameters=["radars:=0"]):
        wait_until(lambda: publisher.get_subscription_count() == 1, 5.0, "subscriber")
        time.sleep(0.5)
        for _ in range(5):
            message = Image(height=4, width=4, encoding="rgb8", step=12, data=bytes(7))
            message.header.stamp = listener.node.get_clock().now().to_msg()
            publisher.publish(message)
            time.sleep(0.3)

        def dropped():
            _, values = listener.status("depth")
            return sum(int(count) for key, count in values.items() if key.startswith("dropped."))

        wait_until(lambda: dropped() == 5, 4.0, "5 counted drops")
    assert not listener.received["depth/image"]
    listener.node.destroy_publisher(publisher)


def test_namespace_and_remapping(listener):
    remaps = ["__ns:=/robot", "depth:__node:=front_depth", "detection:lidar/points:=/velodyne_points"]
    with running("perception", remaps=remaps):
        wait_until(
            lambda: {"/robot/front_depth", "/robot/detection"} <= listener.nodes(), 5.0, "both nodes"
        )
        wait_until(
            lambda: listener.node.count_subscribers("/velodyne_points") == 1
            and listener.node.count_subscribers("/robot/image") == 1
            and listener.node.count_publishers("/robot/depth/image") == 1,
            5.0,
            "remapped topics",
        )


def test_simulated_time(listener):
    listener.listen_to_diagnostics()
    clock = listener.node.create_publisher(Clock, "/clock", 10)
    with running("depth", parameters=["use_sim_time:=true"]):

        def simulated():
            message = Clock()
            message.clock.sec = 1234
            clock.publish(message)
            time.sleep(0.05)
            return any(
                array.header.stamp.sec == 1234 for array in listener.received["/diagnostics"]
            )

        wait_until(simulated, 6.0, "diagnostics in simulated time")
    listener.node.destroy_publisher(clock)


def test_simulated_time_that_is_reset(listener):
    listener.listen_to_diagnostics()
    listener.listen_to_log()
    listener.listen("depth/image", Image, raw=True)
    node = listener.node
    clock = node.create_publisher(Clock, "/clock", 10)
    images = node.create_publisher(Image, "image", 5)
    infos = node.create_publisher(CameraInfo, "camera_info", 5)

    def simulate(seconds):
        """One moment of the simulation, a tenth of a second after the other."""
        ns = round(seconds * 10**9)
        message = Clock()
        message.clock.sec, message.clock.nanosec = divmod(ns, 10**9)
        clock.publish(message)
        time.sleep(0.02)
        infos.publish(stamp_of(camera_info(), ns))
        images.publish(stamp_of(image(), ns))
        time.sleep(0.05)

    def run_from(seconds):
        before = len(listener.received["depth/image"])
        until = time.monotonic() + 10.0
        while len(listener.received["depth/image"]) < before + 3:
            assert time.monotonic() < until, process.output
            seconds += 0.1
            simulate(seconds)

    with running("depth", parameters=["use_sim_time:=true", "radars:=0"]) as process:
        wait_until(
            lambda: min(p.get_subscription_count() for p in (clock, images, infos)) == 1, 10.0, "subscribers"
        )
        run_from(500.0)
        run_from(1.0)
        wait_until(lambda: "jumped back from 50" in listener.problem("depth", "time"), 3.0, "the jump")
        assert " to 1." in listener.problem("depth", "time")
        assert len(listener.lines("depth", "time jumped back")) == 1
        assert process.process.poll() is None
    for publisher in (clock, images, infos):
        node.destroy_publisher(publisher)
