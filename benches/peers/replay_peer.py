"""A recording through the models and against its truth, as rosbags, NumPy, ONNX Runtime and nuscenes-devkit do it.

    python replay_peer.py <bag> --out <folder> [--no-record]

Reads the bag once, runs both models, writes depth, confidence and detections as a recording, and prints the
figures as JSON. One process and one thread, vectorised, as an engineer who knows these tools writes it.
"""

import argparse
import json
from collections import deque
from pathlib import Path

import numpy as np
from nuscenes.eval.common.config import config_factory
from nuscenes.eval.common.data_classes import EvalBoxes
from nuscenes.eval.common.utils import center_distance
from nuscenes.eval.detection.algo import accumulate, calc_ap, calc_tp
from nuscenes.eval.detection.data_classes import DetectionBox
from rosbags.rosbag2 import Reader, StoragePlugin, Writer
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from depth_arrays import CHANNELS, WINDOW_S, DepthArrays
from detection_arrays import DetectionArrays
from model import Model, StaticTransforms, cloud_view

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT_S = 0.15  # how long an image waits for its radar cloud
TRUTH_M = (0.2, 80.0)
FAR_CLASSES = {"car", "truck", "bus"}
# The devkit knows ten names; for two of ours, ones that it treats like any other.
DEVKIT_NAMES = {"forklift": "trailer", "pallet": "motorcycle"}
CONFIG = config_factory("detection_cvpr_2019")


def ns(stamp):
    return stamp.sec * 10**9 + stamp.nanosec


class DepthScore:
    """Figures per image, then averaged."""

    NAMES = ["coverage", "abs_rel", "sq_rel", "rmse", "rmse_log", "log10", "silog", "delta1", "delta2", "delta3"]

    def __init__(self):
        self.rows = []

    def add(self, truth, depth):
        valid = (truth >= TRUTH_M[0]) & (truth <= TRUTH_M[1])
        truth, depth = truth[valid].astype(np.float64), depth[valid].astype(np.float64)
        if truth.size <= 10:
            return
        covered = np.isfinite(depth) & (depth > 0)
        pixels = truth.size
        truth, depth = truth[covered], depth[covered]
        error = depth - truth
        log = np.log(depth) - np.log(truth)
        ratio = np.maximum(depth / truth, truth / depth)
        uncovered = pixels - truth.size
        squared = error**2
        self.rows.append(
            [
                truth.size / pixels,
                (np.sum(np.abs(error) / truth) + uncovered) / pixels,
                np.mean(squared / truth),
                np.sqrt(np.mean(squared)),
                np.sqrt(np.mean(log**2)),
                np.mean(np.abs(log)) / np.log(10.0),
                np.sqrt(np.mean(log**2) - 0.5 * np.mean(log) ** 2),
                *(np.count_nonzero(ratio < 1.25**power) / pixels for power in (1, 2, 3)),
            ]
        )

    def figures(self):
        means = np.mean(self.rows, axis=0).tolist()
        return {"frames": len(self.rows), **dict(zip(self.NAMES, means, strict=True))}


class DetectionScore:
    """Boxes of all frames for the devkit."""

    def __init__(self, classes):
        self.classes = classes
        self.truth, self.found = EvalBoxes(), EvalBoxes()
        self.counts = dict.fromkeys(classes, 0)

    def add(self, token, truth, found, cloud):
        """Truth that no point of the cloud is in is left out."""
        self.truth.add_boxes(token, [])
        self.found.add_boxes(token, [])
        truth = [box for box in truth if within_range(box)]
        if truth:
            for box, seen in zip(truth, have_points(truth, cloud), strict=True):
                if seen:
                    self.counts[box[0]] += 1
                    self.truth.add_boxes(token, [devkit_box(token, box)])
        self.found.add_boxes(token, [devkit_box(token, box) for box in found if within_range(box)])

    def figures(self):
        per_class = {}
        for name in self.classes:
            devkit_name = DEVKIT_NAMES.get(name, name)
            data = {
                d: accumulate(self.truth, self.found, devkit_name, center_distance, d) for d in CONFIG.dist_ths
            }
            aps = [calc_ap(data[d], CONFIG.min_recall, CONFIG.min_precision) for d in CONFIG.dist_ths]
            errors = {
                key: calc_tp(data[CONFIG.dist_th_tp], CONFIG.min_recall, metric)
                for key, metric in [("ate", "trans_err"), ("ase", "scale_err"), ("aoe", "orient_err")]
            }
            per_class[name] = {"ap": float(np.mean(aps)), "truth": self.counts[name], **errors}
        known = [figures["ap"] for figures in per_class.values() if figures["truth"]]
        return {"map": float(np.mean(known)) if known else None, "per_class": per_class}


def within_range(box):
    name, (x, y, _), *_ = box
    return x * x + y * y < (50.0 if name in FAR_CLASSES else 40.0) ** 2


def have_points(boxes, cloud):
    """For each box whether a point is inside."""
    x, y, z = (np.ascontiguousarray(cloud[axis]) for axis in "xyz")
    for _, center, size, yaw, _ in boxes:
        near = np.flatnonzero((np.abs(x - center[0]) < max(size[:2])) & (np.abs(y - center[1]) < max(size[:2])))
        dx, dy, dz = x[near] - center[0], y[near] - center[1], z[near] - center[2]
        along, across = dx * np.cos(yaw) + dy * np.sin(yaw), dy * np.cos(yaw) - dx * np.sin(yaw)
        half = np.array(size) / 2
        yield bool(np.any((np.abs(along) <= half[0]) & (np.abs(across) <= half[1]) & (np.abs(dz) <= half[2])))


def devkit_box(token, box):
    name, center, (length, width, height), yaw, score = box
    return DetectionBox(
        sample_token=token,
        translation=center,
        size=(width, length, height),
        rotation=(np.cos(yaw / 2), 0.0, 0.0, np.sin(yaw / 2)),
        velocity=(np.nan, np.nan),
        detection_name=DEVKIT_NAMES.get(name, name),
        detection_score=score,
    )


def truth_box(detection):
    center, size = detection.bbox.center, detection.bbox.size
    p, q = center.position, center.orientation
    yaw = 2 * np.arctan2(q.z, q.w)
    return detection.results[0].hypothesis.class_id, (p.x, p.y, p.z), (size.x, size.y, size.z), yaw, -1.0


class Outputs:
    """The recording of the outputs."""

    def __init__(self, path, store, connections):
        self.store = store
        self.writer = Writer(path, version=9, storage_plugin=StoragePlugin.MCAP)
        self.writer.open()
        self.topics = {}
        for topic, like in [
            ("/depth/image", "/image"),
            ("/depth/camera_info", "/camera_info"),
            ("/depth/confidence", "/image"),
            ("/detections", "/truth/detections"),
        ]:
            source = connections[like]
            self.topics[topic] = self.writer.add_connection(
                topic, source.msgtype, msgdef=source.msgdef.data, rihs01=source.digest
            )

    def write(self, topic, message):
        connection = self.topics[topic]
        data = self.store.serialize_cdr(message, connection.msgtype)
        self.writer.write(connection, ns(message.header.stamp), data)


class Replay:
    def __init__(self, store, outputs):
        self.store = store
        self.outputs = outputs
        self.depth_model = Model(ROOT / "models" / "depth_baseline")
        self.detection_model = Model(ROOT / "models" / "detection_baseline")
        self.depth = DepthArrays(self.depth_model)
        self.detection = DetectionArrays(self.detection_model)
        self.depth_score, self.detection_score = DepthScore(), DetectionScore(self.detection.classes)
        self.transforms = StaticTransforms()
        self.info = None
        self.size = None
        self.radars = deque(maxlen=10)
        self.images = deque()
        # By stamp, until both are there.
        self.depth_truth, self.depths = {}, {}
        self.box_truth, self.boxes = {}, {}

    def take(self, topic, time_ns, message):
        if topic == "/tf_static":
            self.transforms.add(message)
        elif topic == "/camera_info":
            self.info = message
        elif topic == "/radar_0/points":
            self.radars.append(message)
        elif topic == "/image":
            self.images.append((time_ns, message))
        elif topic == "/truth/depth":
            self.depth_truth[ns(message.header.stamp)] = message
            self.score_depth(ns(message.header.stamp))
        elif topic == "/lidar/points":
            self.on_cloud(message)
        elif topic == "/truth/detections":
            self.box_truth[ns(message.header.stamp)] = [truth_box(d) for d in message.detections]
            self.score_boxes(ns(message.header.stamp))
        while self.images and self.is_due(time_ns, *self.images[0]):
            self.on_image(self.images.popleft()[1])

    def finish(self):
        while self.images:
            self.on_image(self.images.popleft()[1])

    def is_due(self, now_ns, since_ns, image):
        """Whether a radar cloud that is nearer in time can no longer come."""
        newest = ns(self.radars[-1].header.stamp) if self.radars else 0
        return newest >= ns(image.header.stamp) or now_ns - since_ns >= TIMEOUT_S * 1e9

    def on_image(self, message):
        width, height = message.width, message.height
        if self.size != (width, height):
            self.size = width, height
            self.depth.set_camera(width, height, self.info.k.reshape(3, 3), self.info.d)
        stamp = ns(message.header.stamp)
        nearest = min(self.radars, key=lambda radar: abs(ns(radar.header.stamp) - stamp), default=None)
        if nearest is not None and abs(ns(nearest.header.stamp) - stamp) > WINDOW_S * 1e9:
            nearest = None
        pose = nearest and self.transforms.find(message.header.frame_id, nearest.header.frame_id)
        self.depth.draw_prior(nearest, pose)
        channels, is_bgr = CHANNELS[message.encoding]
        pixels = message.data.reshape(height, message.step)[:, : width * channels].reshape(height, width, channels)
        depth, confidence, is_whole = self.depth.run(pixels, is_bgr)
        depth_m = np.empty((height, width), np.float32)
        self.depth.enlarge_depth(depth, depth_m)
        confidence_image = np.empty((height, width), np.float32)
        self.depth.enlarge_confidence(confidence, confidence_image, depth_m, is_whole)
        if self.outputs:
            types = self.store.types
            for topic, image in [("/depth/image", depth_m), ("/depth/confidence", confidence_image)]:
                data = image.reshape(-1).view(np.uint8)
                self.outputs.write(
                    topic,
                    types["sensor_msgs/msg/Image"](message.header, height, width, "32FC1", 0, 4 * width, data),
                )
            self.outputs.write("/depth/camera_info", self.info)
        self.depths[stamp] = depth_m
        self.score_depth(stamp)

    def score_depth(self, stamp):
        if stamp in self.depth_truth and stamp in self.depths:
            truth = self.depth_truth.pop(stamp)
            self.depth_score.add(
                truth.data.view(np.float32).reshape(truth.height, truth.width), self.depths.pop(stamp)
            )

    def on_cloud(self, message):
        cloud = cloud_view(message)
        found = self.detection.find(cloud)
        classes = self.detection.classes
        boxes = [(classes[label], center, size, yaw, score) for score, label, center, size, yaw in found]
        if self.outputs:
            self.outputs.write("/detections", self.message(message.header, boxes))
        stamp = ns(message.header.stamp)
        self.boxes[stamp] = boxes, cloud
        self.score_boxes(stamp)

    def message(self, header, boxes):
        types = self.store.types
        make = {name.rsplit("/", 1)[1]: types[name] for name in types if name.split("/")[0] in MESSAGES}
        covariance = np.zeros(36)
        detections = []
        for name, (x, y, z), (length, width, height), yaw, score in boxes:
            orientation = make["Quaternion"](0.0, 0.0, float(np.sin(yaw / 2)), float(np.cos(yaw / 2)))
            pose = make["Pose"](make["Point"](x, y, z), orientation)
            detections.append(
                make["Detection3D"](
                    header,
                    [
                        make["ObjectHypothesisWithPose"](
                            make["ObjectHypothesis"](name, score), make["PoseWithCovariance"](pose, covariance)
                        )
                    ],
                    make["BoundingBox3D"](pose, make["Vector3"](length, width, height)),
                    "",
                )
            )
        return make["Detection3DArray"](header, detections)

    def score_boxes(self, stamp):
        if stamp in self.box_truth and stamp in self.boxes:
            self.detection_score.add(str(stamp), self.box_truth.pop(stamp), *self.boxes.pop(stamp))


MESSAGES = {"geometry_msgs", "vision_msgs"}
TOPICS = {
    "/tf_static", "/camera_info", "/radar_0/points", "/image", "/truth/depth", "/lidar/points", "/truth/detections",
}  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bag", type=Path)
    parser.add_argument("--out", type=Path, required=True, help="folder of the outputs, must not exist")
    parser.add_argument("--no-record", action="store_true", help="score only")
    arguments = parser.parse_args()
    store = get_typestore(Stores.ROS2_JAZZY)
    with Reader(arguments.bag) as reader:
        connections = {connection.topic: connection for connection in reader.connections}
        for connection in connections.values():
            if connection.msgtype not in store.types:
                store.register(get_types_from_msg(connection.msgdef.data, connection.msgtype))
        outputs = None if arguments.no_record else Outputs(arguments.out, store, connections)
        replay = Replay(store, outputs)
        wanted = [connection for connection in reader.connections if connection.topic in TOPICS]
        for connection, time_ns, data in reader.messages(connections=wanted):
            replay.take(connection.topic, time_ns, store.deserialize_cdr(data, connection.msgtype))
        replay.finish()
    if outputs:
        outputs.writer.close()
    models = {"depth": replay.depth_model, "detection": replay.detection_model}
    print(
        json.dumps(
            {
                "depth": replay.depth_score.figures(),
                "detection": replay.detection_score.figures(),
                "inference_s": {name: model.cpu_s for name, model in models.items()},
            }
        )
    )


if __name__ == "__main__":
    main()
