"""A model folder as NumPy and ONNX Runtime make use of it. No ROS."""

from pathlib import Path
from time import perf_counter, thread_time

import numpy as np
import onnxruntime
import yaml


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
        self.cpu_s = 0.0

    def run(self, feed):
        """Takes and gives arrays by role."""
        named = {self.inputs[role]["name"]: value for role, value in feed.items()}
        start, cpu_start = perf_counter(), thread_time()
        outputs = self.session.run(self.names, named)
        # The session's one thread is this one.
        self.cpu_s += thread_time() - cpu_start
        self.times_ms.append(1e3 * (perf_counter() - start))
        return dict(zip(self.roles, outputs, strict=True))


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


class StaticTransforms:
    """What was heard on /tf_static."""

    def __init__(self):
        self.poses = {}

    def add(self, message):
        for stamped in message.transforms:
            pose = matrix(stamped.transform)
            parent, child = stamped.header.frame_id, stamped.child_frame_id
            self.poses[parent, child] = pose
            self.poses[child, parent] = np.linalg.inv(pose)

    def find(self, target, source):
        """4×4 from `source` to `target`, directly or over one common frame; None if unknown."""
        if target == source:
            return np.eye(4)
        direct = self.poses.get((target, source))
        if direct is not None:
            return direct
        for (first, middle), pose in self.poses.items():
            if first == target and (middle, source) in self.poses:
                # Static transforms do not change, so the product is kept.
                self.poses[target, source] = pose @ self.poses[middle, source]
                return self.poses[target, source]
        return None


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
