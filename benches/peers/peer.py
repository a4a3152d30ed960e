"""What both peer nodes share: the model folder, the session, the static transforms, the timing.

A peer is the node that an engineer who knows rclpy and NumPy writes in an afternoon: vectorised, without
needless copies, message buffers kept between frames. It runs the same ONNX file on the same ONNX Runtime.
"""

from pathlib import Path
from time import perf_counter

import numpy as np
import onnxruntime
import rclpy
import yaml
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, qos_profile_sensor_data
from tf2_msgs.msg import TFMessage

SENSOR = qos_profile_sensor_data
LATEST = QoSProfile(depth=1, reliability=SENSOR.reliability)
STATIC = QoSProfile(depth=100, durability=DurabilityPolicy.TRANSIENT_LOCAL)
OUTPUT = QoSProfile(depth=5)


class Model:
    """An ONNX session with tensors by role, one thread that does not spin."""

    def __init__(self, folder):
        folder = Path(folder)
        self.manifest = yaml.safe_load((folder / "model.yaml").read_text())
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        path = folder / self.manifest["files"]["fp32"]["path"]
        self.session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
        self.inputs = {tensor["role"]: tensor for tensor in self.manifest["inputs"]}
        self.roles = [tensor["role"] for tensor in self.manifest["outputs"]]
        self.names = [tensor["name"] for tensor in self.manifest["outputs"]]
        self.times_ms = []

    def run(self, feed):
        """Takes and gives arrays by role."""
        named = {self.inputs[role]["name"]: value for role, value in feed.items()}
        start = perf_counter()
        outputs = self.session.run(self.names, named)
        self.times_ms.append(1e3 * (perf_counter() - start))
        return dict(zip(self.roles, outputs, strict=True))


class Peer(Node):
    """A node that tells the time of its inference on /diagnostics once a second, as ours do."""

    def __init__(self, name, folder):
        super().__init__(name)
        self.model = Model(folder)
        self.transforms = {}
        self.create_subscription(TFMessage, "/tf_static", self.on_static, STATIC)
        self.diagnostics = self.create_publisher(DiagnosticArray, "/diagnostics", 10)
        self.create_timer(1.0, self.report)

    def on_static(self, message):
        for stamped in message.transforms:
            pose = matrix(stamped.transform)
            parent, child = stamped.header.frame_id, stamped.child_frame_id
            self.transforms[parent, child] = pose
            self.transforms[child, parent] = np.linalg.inv(pose)

    def transform(self, target, source):
        """4×4 from `source` to `target`, directly or over one common frame; None if unknown."""
        if target == source:
            return np.eye(4)
        direct = self.transforms.get((target, source))
        if direct is not None:
            return direct
        for (first, middle), pose in self.transforms.items():
            if first == target and (middle, source) in self.transforms:
                # Static transforms do not change, so the product is kept.
                self.transforms[target, source] = pose @ self.transforms[middle, source]
                return self.transforms[target, source]
        return None

    def report(self):
        if not self.model.times_ms:
            return
        value = f"{np.median(self.model.times_ms):.3f}"
        status = DiagnosticStatus(name=f"{self.get_name()}: pipeline", message="publishing")
        status.values = [KeyValue(key="stage_ms.inference.p50", value=value)]
        message = DiagnosticArray(status=[status])
        message.header.stamp = self.get_clock().now().to_msg()
        self.diagnostics.publish(message)


def matrix(transform):
    """A geometry_msgs/Transform as 4×4."""
    q, t = transform.rotation, transform.translation
    x, y, z, w = np.array([q.x, q.y, q.z, q.w]) / np.linalg.norm([q.x, q.y, q.z, q.w])
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w), t.x],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w), t.y],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y), t.z],
            [0.0, 0.0, 0.0, 1.0],
        ]
    )


DTYPES = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 8: "f8"}


def cloud_view(message):
    """The points of a PointCloud2 as a structured array on the message's own memory."""
    dtype = np.dtype(
        {
            "names": [field.name for field in message.fields],
            "formats": [DTYPES[field.datatype] for field in message.fields],
            "offsets": [field.offset for field in message.fields],
            "itemsize": message.point_step,
        }
    )
    return np.frombuffer(message.data, dtype, message.width * message.height)


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
