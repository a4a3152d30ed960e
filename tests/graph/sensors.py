"""Sensors of a made-up robot: messages and publishers for the graph tests."""

import struct
import threading
import time

from geometry_msgs.msg import TransformStamped
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy, qos_profile_sensor_data
from rclpy.serialization import serialize_message
from sensor_msgs.msg import CameraInfo, Image, PointCloud2, PointField
from tf2_msgs.msg import TFMessage

BYTES_OF_A_PIXEL = {"mono8": 1, "rgb8": 3, "bgr8": 3}


def stamp_of(message, ns):
    message.header.stamp.sec, message.header.stamp.nanosec = divmod(ns, 10**9)
    return message


def image(width=64, height=48, encoding="rgb8", frame="camera"):
    step = width * BYTES_OF_A_PIXEL.get(encoding, 4)
    message = Image(height=height, width=width, encoding=encoding, step=step)
    message.header.frame_id = frame
    message.data = bytes(step * height)
    return message


def camera_info(width=64, height=48, frame="camera"):
    message = CameraInfo(height=height, width=width, distortion_model="plumb_bob", d=[0.0] * 5)
    message.header.frame_id = frame
    message.k = [float(width), 0.0, width / 2, 0.0, float(width), height / 2, 0.0, 0.0, 1.0]
    message.r = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]
    message.p = [float(width), 0.0, width / 2, 0.0, 0.0, float(width), height / 2, 0.0, 0.0, 0.0, 1.0, 0.0]
    return message


def radar(frame="radar", points=4):
    message = PointCloud2(height=1, width=points, point_step=16, row_step=16 * points)
    message.header.frame_id = frame
    message.fields = [
        PointField(name=name, offset=4 * index, datatype=PointField.FLOAT32, count=1)
        for index, name in enumerate(["x", "y", "z", "velocity"])
    ]
    message.data = struct.pack("<4f", 0.1, 0.0, 5.0, 0.0) * points
    return message


def static_transforms(node, *children, parent="camera"):
    """Publishes identity transforms into `parent` and returns the publisher, which must stay."""
    qos = QoSProfile(
        depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL, reliability=ReliabilityPolicy.RELIABLE
    )
    publisher = node.create_publisher(TFMessage, "/tf_static", qos)
    message = TFMessage()
    for child in children:
        transform = TransformStamped(child_frame_id=child)
        transform.header.frame_id = parent
        transform.transform.rotation.w = 1.0
        message.transforms.append(transform)
    publisher.publish(message)
    return publisher


class Sensor:
    """Publishes one message over and over with fresh stamps, from a thread, without encoding it anew."""

    def __init__(self, node, topic, message, hz=10.0):
        self.node = node
        self.publisher = node.create_publisher(type(message), topic, qos_profile_sensor_data)
        self.raw = serialize_message(message)
        self.period = 1.0 / hz
        self.sent = 0
        self.newest = None
        self.running = False
        self.thread = None

    def wait_for_subscriber(self, timeout=10.0):
        until = time.monotonic() + timeout
        while self.publisher.get_subscription_count() == 0:
            assert time.monotonic() < until, f"nobody subscribes to {self.publisher.topic_name}"
            time.sleep(0.01)

    def publish(self):
        """The stamp is the first field of the header, bytes 4 to 12."""
        now = time.time_ns()
        self.publisher.publish(self.raw[:4] + struct.pack("<iI", now // 10**9, now % 10**9) + self.raw[12:])
        self.sent += 1
        self.newest = time.monotonic()

    def start(self):
        self.running = True
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        return self

    def _run(self):
        due = time.monotonic()
        while self.running:
            self.publish()
            # A hiccup of the machine is no reason to catch up in a burst.
            due = max(due + self.period, time.monotonic())
            time.sleep(max(0.0, due - time.monotonic()))

    def stop(self):
        self.running = False
        if self.thread:
            self.thread.join(2.0)
            self.thread = None

    def close(self):
        self.stop()
        self.node.destroy_publisher(self.publisher)
