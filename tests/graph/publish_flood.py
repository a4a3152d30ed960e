"""Publishes ten times what sensors publish: 640×480 images at 300 Hz, clouds at 100 Hz, with camera info.

    python publish_flood.py <seconds>

Prints `publishing`, and at the end one JSON object with the number of images and clouds.
"""

import json
import struct
import sys
import time

import rclpy
from rclpy.qos import qos_profile_sensor_data
from rclpy.serialization import serialize_message
from sensors import camera_info, image, radar

IMAGE_HZ = 300


def main(seconds):
    rclpy.init()
    node = rclpy.create_node("flood")
    messages = {
        "image": image(640, 480),
        "camera_info": camera_info(640, 480),
        "radar_0/points": radar("camera", points=200),
        "lidar/points": radar("camera", points=30_000),
    }
    publishers = {
        topic: node.create_publisher(type(message), topic, qos_profile_sensor_data)
        for topic, message in messages.items()
    }
    raw = {topic: serialize_message(message) for topic, message in messages.items()}
    deadline = time.monotonic() + 20.0
    while min(publisher.get_subscription_count() for publisher in publishers.values()) == 0:
        if time.monotonic() > deadline:
            sys.exit("nobody subscribes")
        time.sleep(0.01)
    time.sleep(0.5)
    print("publishing", flush=True)
    sent = dict.fromkeys(publishers, 0)
    start = time.monotonic()
    tick = 0
    while time.monotonic() < start + seconds:
        time.sleep(max(0.0, start + tick / IMAGE_HZ - time.monotonic()))
        now = time.time_ns()
        stamp = struct.pack("<iI", now // 10**9, now % 10**9)
        for topic in publishers if tick % 3 == 0 else ["image", "camera_info"]:
            publishers[topic].publish(raw[topic][:4] + stamp + raw[topic][12:])
            sent[topic] += 1
        tick += 1
    time.sleep(0.5)
    print(json.dumps(sent), flush=True)
    node.destroy_node()
    rclpy.shutdown()


if __name__ == "__main__":
    main(float(sys.argv[1]))
