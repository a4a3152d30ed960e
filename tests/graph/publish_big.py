"""Publishes 720p images at 30 Hz and 2 MB clouds at 10 Hz, best effort, without encoding each anew.

    python publish_big.py <seconds>

Prints `publishing`, and at the end one JSON object with the number of images and clouds.
"""

import json
import struct
import sys
import time

import rclpy
from rclpy.qos import qos_profile_sensor_data
from rclpy.serialization import serialize_message
from sensor_msgs.msg import Image, PointCloud2, PointField

CLOUD_POINTS = 125_000  # of 16 bytes


def image():
    message = Image(height=720, width=1280, encoding="rgb8", step=3 * 1280)
    message.header.frame_id = "camera"
    message.data = bytes(3 * 1280 * 720)
    return serialize_message(message)


def cloud():
    message = PointCloud2(height=1, width=CLOUD_POINTS, point_step=16, row_step=16 * CLOUD_POINTS)
    message.header.frame_id = "lidar"
    message.fields = [
        PointField(name=name, offset=4 * index, datatype=PointField.FLOAT32, count=1)
        for index, name in enumerate(["x", "y", "z", "intensity"])
    ]
    message.data = bytes(16 * CLOUD_POINTS)
    return serialize_message(message)


def main(seconds, clouds_wanted=True):
    rclpy.init()
    node = rclpy.create_node("big_publisher")
    images = node.create_publisher(Image, "image", qos_profile_sensor_data)
    clouds = node.create_publisher(PointCloud2, "lidar/points", qos_profile_sensor_data)
    image_bytes, cloud_bytes = image(), cloud()
    deadline = time.monotonic() + 20.0
    while images.get_subscription_count() == 0 or (
        clouds_wanted and clouds.get_subscription_count() == 0
    ):
        if time.monotonic() > deadline:
            sys.exit("nobody subscribes")
        time.sleep(0.01)
    time.sleep(0.5)
    print("publishing", flush=True)
    start = time.monotonic()
    ticks = int(seconds * 30)
    for tick in range(ticks):
        time.sleep(max(0.0, start + tick / 30 - time.monotonic()))
        now = time.time_ns()
        stamp = struct.pack("<iI", now // 10**9, now % 10**9)
        images.publish(image_bytes[:4] + stamp + image_bytes[12:])
        if clouds_wanted and tick % 3 == 0:
            clouds.publish(cloud_bytes[:4] + stamp + cloud_bytes[12:])
    time.sleep(0.5)
    print(json.dumps({"images": ticks, "clouds": (ticks + 2) // 3}), flush=True)
    node.destroy_node()
    rclpy.shutdown()


if __name__ == "__main__":
    main(float(sys.argv[1]))
