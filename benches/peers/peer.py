"""What both peer nodes share: the model, the static transforms, the timing.

A peer is the node that an engineer who knows rclpy and NumPy writes in an afternoon: vectorised, without
needless copies, message buffers kept between frames. It runs the same ONNX file on the same ONNX Runtime.
"""

import numpy as np
import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, qos_profile_sensor_data
from tf2_msgs.msg import TFMessage

from model import Model, StaticTransforms

SENSOR = qos_profile_sensor_data
LATEST = QoSProfile(depth=1, reliability=SENSOR.reliability)
STATIC = QoSProfile(depth=100, durability=DurabilityPolicy.TRANSIENT_LOCAL)
OUTPUT = QoSProfile(depth=5)


class Peer(Node):
    """A node that tells the time of its inference on /diagnostics once a second, as ours do."""

    def __init__(self, name, folder):
        super().__init__(name)
        self.model = Model(folder)
        self.transforms = StaticTransforms()
        self.create_subscription(TFMessage, "/tf_static", self.transforms.add, STATIC)
        self.diagnostics = self.create_publisher(DiagnosticArray, "/diagnostics", 10)
        self.create_timer(1.0, self.report)

    def report(self):
        if not self.model.times_ms:
            return
        value = f"{np.median(self.model.times_ms):.3f}"
        status = DiagnosticStatus(name=f"{self.get_name()}: pipeline", message="publishing")
        status.values = [KeyValue(key="stage_ms.inference.p50", value=value)]
        message = DiagnosticArray(status=[status])
        message.header.stamp = self.get_clock().now().to_msg()
        self.diagnostics.publish(message)


def spin(make, executor):
    """Runs the node until it is interrupted, with rclpy's usual executor or the one driven by events."""
    rclpy.init()
    if executor == "events":
        from rclpy.experimental.events_executor import EventsExecutor as Executor
    else:
        from rclpy.executors import SingleThreadedExecutor as Executor
    node = make()
    loop = Executor()
    loop.add_node(node)
    print("ready", flush=True)
    try:
        loop.spin()
    except (KeyboardInterrupt, rclpy.executors.ExternalShutdownException):
        pass
    rclpy.try_shutdown()
