"""Publishes the sensors: messages encoded once, with a fresh stamp each time, from a process of its own.

    python source.py depth|detection <rate in Hz> [--size 640x480] [--sweep hall|vlp16]

A message's stamp is the first field of its header, bytes 4 to 12 of its CDR. What belongs to one image
carries the image's stamp and is sent just before it, so that nobody has to wait for a sensor. Each stamp
that was sent is told on the topic `sent` afterwards.
"""

import argparse
import struct
import sys
import time
from pathlib import Path

import numpy as np
import rclpy
from builtin_interfaces.msg import Time
from geometry_msgs.msg import Quaternion, Transform, TransformStamped, Vector3
from rclpy.qos import DurabilityPolicy, QoSProfile, qos_profile_sensor_data
from rclpy.serialization import serialize_message
from rclpy.signals import SignalHandlerOptions
from rosbags.rosbag2 import Reader
from sensor_msgs.msg import CameraInfo, Image, PointCloud2, PointField
from tf2_msgs.msg import TFMessage

BAG = Path(__file__).resolve().parents[2] / "tests" / "data" / "real_sensors"
RADAR_RETURNS = 100
RADAR_X_M = 0.1
LIDAR_HEIGHT_M = 1.8
# Centre and size of the boxes in the hall, metres: cars, trucks and people around the LiDAR.
CAR, TRUCK, PERSON = (4.3, 1.8, 1.5), (8.0, 2.5, 3.0), (0.6, 0.6, 1.7)
BOXES = [
    *[((x, y), CAR) for x in (-22, -11, 11, 22) for y in (-13, -6, 6, 13)],
    *[((x, y), TRUCK) for x in (-11, 11) for y in (-17, 17)],
    *[((x, y), PERSON) for x in (-4, 4) for y in (-9, -5, 5, 9)],
]


def cloud(frame, names, points):
    """A PointCloud2 of 32-bit floats."""
    points = np.ascontiguousarray(points, np.float32)
    message = PointCloud2(height=1, width=len(points), point_step=4 * len(names), is_dense=True)
    message.row_step = message.point_step * message.width
    message.header.frame_id = frame
    message.fields = [
        PointField(name=name, offset=4 * i, datatype=PointField.FLOAT32, count=1)
        for i, name in enumerate(names)
    ]
    message.data = points.tobytes()
    return message


def image(width, height, random):
    message = Image(width=width, height=height, encoding="bgr8", step=3 * width)
    message.header.frame_id = "camera"
    message.data = random.integers(0, 256, 3 * width * height, np.uint8).tobytes()
    return message


def camera_info(width, height):
    f = 0.6 * width
    message = CameraInfo(width=width, height=height, distortion_model="plumb_bob", d=[0.0] * 5)
    message.header.frame_id = "camera"
    message.k = [f, 0.0, width / 2 - 0.5, 0.0, f, height / 2 - 0.5, 0.0, 0.0, 1.0]
    message.p = [f, 0.0, width / 2 - 0.5, 0.0, 0.0, f, height / 2 - 0.5, 0.0, 0.0, 0.0, 1.0, 0.0]
    message.r = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]
    return message


def radar(random):
    """Returns in front of the camera, x forward."""
    x = random.uniform(2.0, 40.0, RADAR_RETURNS)
    y, z = x * random.uniform(-0.7, 0.7, RADAR_RETURNS), x * random.uniform(-0.3, 0.3, RADAR_RETURNS)
    speed, rcs = random.uniform(-5, 5, RADAR_RETURNS), random.uniform(-10, 20, RADAR_RETURNS)
    return cloud("radar", ["x", "y", "z", "range_rate", "rcs"], np.stack([x, y, z, speed, rcs], -1))


def mounting():
    """The camera 0.1 m in front of the radar, looking along its x."""
    stamped = TransformStamped(child_frame_id="camera")
    stamped.header.frame_id = "radar"
    stamped.transform = Transform(
        translation=Vector3(x=RADAR_X_M), rotation=Quaternion(x=-0.5, y=0.5, z=-0.5, w=0.5)
    )
    return TFMessage(transforms=[stamped])


def hall():
    """120,000 points: 64 beams in a hall of 60 m × 40 m with cars, trucks and people."""
    azimuth = np.arange(1875) * (2 * np.pi / 1875)
    elevation = np.radians(-25.0 + np.arange(64) * (40.0 / 63))
    azimuth, elevation = (v.ravel() for v in np.meshgrid(azimuth, elevation, indexing="ij"))
    ray = np.stack(
        [np.cos(azimuth) * np.cos(elevation), np.sin(azimuth) * np.cos(elevation), np.sin(elevation)], -1
    )
    with np.errstate(divide="ignore"):
        walls = np.stack([30.0 / np.abs(ray[:, 0]), 20.0 / np.abs(ray[:, 1])], -1)
        vertical = np.where(ray[:, 2] < 0, -LIDAR_HEIGHT_M / ray[:, 2], 6.0 / ray[:, 2])
        distance = np.minimum(walls.min(-1), np.abs(vertical))
        for (x, y), (length, width, height) in BOXES:
            low = np.array([x - length / 2, y - width / 2, -LIDAR_HEIGHT_M])
            high = np.array([x + length / 2, y + width / 2, height - LIDAR_HEIGHT_M])
            first, second = low / ray, high / ray
            enters = np.minimum(first, second).max(-1)
            leaves = np.maximum(first, second).min(-1)
            distance = np.where((enters < leaves) & (enters > 0), np.minimum(distance, enters), distance)
    points = ray * distance[:, None]
    intensity = np.arange(len(points)) % 256
    return cloud("lidar", ["x", "y", "z", "intensity"], np.column_stack([points, intensity]))


def vlp16():
    """The real VLP-16 sweep of the test data, as CDR."""
    with Reader(BAG) as reader:
        for connection, _, raw in reader.messages():
            if connection.topic == "/lidar_vlp16/points":
                return bytes(raw)
    sys.exit(f"{BAG} holds no /lidar_vlp16/points")


def main(kind, rate, size, sweep):
    # Ctrl-C is to end the loop, not the context beneath it.
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    node = rclpy.create_node("source")
    random = np.random.Generator(np.random.PCG64(3))
    static = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    transforms = node.create_publisher(TFMessage, "/tf_static", static)
    transforms.publish(mounting())
    sent = node.create_publisher(Time, "sent", 100)
    if kind == "depth":
        messages = [
            ("camera_info", camera_info(*size)),
            ("radar_0/points", radar(random)),
            ("image", image(*size, random)),
        ]
    else:
        messages = [("lidar/points", hall() if sweep == "hall" else vlp16())]
    topics = []
    for topic, message in messages:
        message_type = PointCloud2 if isinstance(message, bytes) else type(message)
        raw = message if isinstance(message, bytes) else serialize_message(message)
        topics.append((node.create_publisher(message_type, topic, qos_profile_sensor_data), raw))

    start = time.monotonic()
    tick = 0
    while rclpy.ok():
        tick += 1
        time.sleep(max(0.0, start + tick / rate - time.monotonic()))
        now = time.time_ns()
        second, nanosecond = divmod(now, 10**9)
        stamp = struct.pack("<iI", second, nanosecond)
        for publisher, raw in topics:
            publisher.publish(raw[:4] + stamp + raw[12:])
        sent.publish(Time(sec=second, nanosec=nanosecond))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=["depth", "detection"])
    parser.add_argument("rate", type=float)
    parser.add_argument("--size", default="640x480")
    parser.add_argument("--sweep", choices=["hall", "vlp16"], default="hall")
    arguments = parser.parse_args()
    try:
        width, height = map(int, arguments.size.split("x"))
        main(arguments.kind, arguments.rate, (width, height), arguments.sweep)
    except KeyboardInterrupt:
        pass
