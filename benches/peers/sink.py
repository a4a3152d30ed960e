"""Receives what a node publishes and says how long after the sensor's stamp it arrived."""

import random
import struct
import threading

import rclpy
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import QoSProfile
from sensor_msgs.msg import CameraInfo, Image, PointCloud2
from vision_msgs.msg import Detection3DArray
from visualization_msgs.msg import MarkerArray

# The first topic of each is the one whose latency counts.
OUTPUTS = {
    "depth": {
        "depth/image": Image,
        "depth/confidence": Image,
        "depth/camera_info": CameraInfo,
        "depth/points": PointCloud2,
    },
    "detection": {"detections": Detection3DArray, "detections/markers": MarkerArray},
}
RELIABLE = QoSProfile(depth=10)
INFERENCE = "stage_ms.inference.p50"


class Sink:
    """Subscribes to every output, so that each node has the same work. Messages stay encoded."""

    def __init__(self, kind):
        self.node = rclpy.create_node(f"sink_{random.randrange(10**6)}")
        self.lock = threading.Lock()
        self.clear()
        for topic, message_type in OUTPUTS[kind].items():
            self.node.create_subscription(message_type, topic, self.taker(topic), RELIABLE, raw=True)
        self.node.create_subscription(Time, "sent", self.on_sent, QoSProfile(depth=100))
        self.node.create_subscription(DiagnosticArray, "/diagnostics", self.on_diagnostics, RELIABLE)
        self.executor = SingleThreadedExecutor()
        self.executor.add_node(self.node)
        self.running = True
        self.thread = threading.Thread(target=self.spin, daemon=True)
        self.thread.start()

    def spin(self):
        while self.running:
            self.executor.spin_once(timeout_sec=0.1)

    def close(self):
        self.running = False
        self.thread.join(2.0)
        self.executor.shutdown()
        self.node.destroy_node()

    def clear(self):
        """Forgets what the last node published."""
        with self.lock:
            self.sent = []
            self.arrived = {}
            self.last = {}
            self.inference_ms = None

    def taker(self, topic):
        def take(raw, info):
            second, nanosecond = struct.unpack_from("<iI", raw, 4)
            stamp = second * 10**9 + nanosecond
            with self.lock:
                # When the middleware had it, before this process found the time to look.
                self.arrived.setdefault(topic, {})[stamp] = info["received_timestamp"] - stamp
                self.last[topic] = raw

        return take

    def on_sent(self, message):
        with self.lock:
            self.sent.append(message.sec * 10**9 + message.nanosec)

    def on_diagnostics(self, message):
        for status in message.status:
            for pair in status.values:
                if pair.key == INFERENCE:
                    self.inference_ms = float(pair.value)
