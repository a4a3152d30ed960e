"""What sensors do on a bad day: each thing is told once, naming both sides, and the rest goes on."""

import time

import pytest
from graph import Listener, running, wait_until
from sensor_msgs.msg import Image
from sensors import Sensor, camera_info, image, stamp_of


class Rig:
    """A depth node with one camera, whose images are published one by one."""

    def __init__(self, listener, process):
        self.listener = listener
        self.process = process
        self.images = Sensor(listener.node, "image", image())
        self.infos = Sensor(listener.node, "camera_info", camera_info())
        for sensor in (self.images, self.infos):
            sensor.wait_for_subscriber()

    def publish(self, message, ns=None):
        self.images.publisher.publish(stamp_of(message, time.time_ns() if ns is None else ns))

    def depths(self):
        return len(self.listener.received["depth/image"])

    def goes_on(self):
        """A good image, published until depth comes of it: messages are best effort."""
        before = self.depths()
        until = time.monotonic() + 8.0
        while self.depths() == before:
            assert time.monotonic() < until, f"no more depth:\n{self.process.output}"
            self.infos.publish()
            self.images.publish()
            time.sleep(0.05)
        assert self.process.process.poll() is None

    def told(self, source, *parts):
        """Whether diagnostics name all of `parts` under `source`; waits for it."""

        def named():
            text = self.listener.problem("depth", source)
            return all(part in text for part in parts)

        wait_until(named, 5.0, f"'{source}' with {parts} in {self.listener.status('depth')[1]}")
        lines = self.listener.lines("depth", f"{source}: ")
        assert len(lines) == 1, lines


@pytest.fixture(scope="module")
def rig(ros):
    listener = Listener()
    listener.listen_to_diagnostics()
    listener.listen_to_log()
    listener.listen("depth/image", Image, raw=True)
    with running("depth", parameters=["radars:=0", "sync_timeout_ms:=100"]) as process:
        rig = Rig(listener, process)
        rig.goes_on()
        yield rig
    listener.close()


def test_two_publishers_with_different_encodings(rig):
    other = Listener()
    second = other.node.create_publisher(Image, "image", 5)
    wait_until(lambda: second.get_subscription_count() == 1, 5.0, "subscriber")
    both = {rig.listener.node.get_name(), other.node.get_name()}
    before = rig.depths()
    until = time.monotonic() + 10.0

    def warned():
        status, values = rig.listener.status("depth")
        return any(all(name in value for name in both) for value in values.values())

    while not warned():
        assert time.monotonic() < until, rig.listener.status("depth")
        rig.infos.publish()
        rig.images.publish()
        time.sleep(0.05)
        second.publish(stamp_of(image(encoding="mono8"), time.time_ns()))
        time.sleep(0.05)
    rig.told("image encoding", "'rgb8'", "'mono8'")
    assert rig.depths() > before
    other.close()
    rig.goes_on()


def test_an_encoding_that_is_none(rig):
    rig.publish(image(encoding="rgb565"))
    rig.told("undecodable", "rgb565")
    rig.goes_on()


def test_the_image_and_its_info_change_size(rig):
    before = rig.depths()
    until = time.monotonic() + 8.0
    while rig.depths() < before + 3:
        assert time.monotonic() < until, rig.process.output
        message = stamp_of(camera_info(32, 24), time.time_ns())
        rig.infos.publisher.publish(message)
        rig.images.publisher.publish(stamp_of(image(32, 24), time.time_ns()))
        time.sleep(0.05)
    rig.told("image size", "64×48", "32×24")
    rig.goes_on()


def test_a_camera_info_of_another_size(rig):
    rig.publish(image(40, 30))
    rig.told("camera_info_mismatch", "40×30", "64×48")
    rig.goes_on()


def test_an_unset_stamp(rig):
    rig.publish(image(), ns=0)
    rig.told("image zero_stamp", "header.stamp")
    rig.goes_on()


def test_a_bag_that_starts_again(rig):
    later = time.time_ns() + 20 * 10**9
    rig.publish(image(), ns=later)
    # Depth of the newest image first, so that the jump comes after it.
    rig.goes_on()
    rig.told("time", f"{later // 10**9}.", f"{time.time_ns() // 10**10}")
    rig.goes_on()
