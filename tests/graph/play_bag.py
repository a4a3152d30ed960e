"""Plays a bag in a loop over DDS with fresh stamps, from a process of its own, without decoding it.

    python play_bag.py <bag> <seconds>

A message's stamp is the first field of its header, bytes 4 to 12 of its CDR. Prints `playing` once all
topics are advertised and at the end one JSON object: how many messages of each topic were sent.
"""

import importlib
import json
import struct
import sys
import time
from pathlib import Path

import rclpy
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy, qos_profile_sensor_data
from rosbags.rosbag2 import Reader

SECOND = 1_000_000_000


def message_class(name):
    package, _, message = name.split("/")
    return getattr(importlib.import_module(f"{package}.msg"), message)


def wait_for_discovery(publishers, settled=2.0, timeout=20.0):
    """What is sent before a subscriber is found is lost to it: wait until no more are found."""
    start = changed = time.monotonic()
    before = None
    while time.monotonic() < start + timeout:
        counts = [publisher.get_subscription_count() for publisher in publishers]
        if counts != before:
            before, changed = counts, time.monotonic()
        if any(counts) and time.monotonic() > changed + settled:
            return
        time.sleep(0.02)


def main(path, seconds):
    with Reader(Path(path)) as reader:
        types = {c.topic: c.msgtype for c in reader.connections}
        messages = [(time_ns, c.topic, bytes(raw)) for c, time_ns, raw in reader.messages()]
        start, end = reader.start_time, reader.end_time
    # The gap between the last message and the first of the next round is that of one 10 Hz frame.
    length = (end - start) // (SECOND // 10) * (SECOND // 10) or SECOND // 10

    rclpy.init()
    node = rclpy.create_node("bag_player")
    static = QoSProfile(
        depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL, reliability=ReliabilityPolicy.RELIABLE
    )
    publishers = {
        topic: node.create_publisher(
            message_class(kind), topic, static if topic == "/tf_static" else qos_profile_sensor_data
        )
        for topic, kind in types.items()
    }
    for _, topic, raw in messages:
        if topic == "/tf_static":
            publishers[topic].publish(raw)
    messages = [entry for entry in messages if entry[1] != "/tf_static"]
    wait_for_discovery(publishers.values())
    print("playing", flush=True)

    sent = dict.fromkeys(publishers, 0)
    origin = time.time_ns()
    base = min(time_ns for time_ns, _, _ in messages)
    rounds = int(seconds * SECOND / length)
    for number in range(rounds):
        for time_ns, topic, raw in messages:
            due = origin + number * length + (time_ns - base)
            pause = (due - time.time_ns()) / SECOND
            if pause > 0:
                time.sleep(pause)
            stamp = struct.pack("<iI", due // SECOND, due % SECOND)
            publishers[topic].publish(raw[:4] + stamp + raw[12:])
            sent[topic] += 1
    # What is on its way arrives before the publishers go.
    time.sleep(0.5)
    print(json.dumps(sent), flush=True)
    node.destroy_node()
    rclpy.shutdown()


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
