"""The detection node as rclpy, NumPy and ONNX Runtime make it.

    python detection_peer.py <model folder> [--executor single|events]
"""

import argparse
from math import cos, sin

from geometry_msgs.msg import Point, Pose, PoseWithCovariance, Quaternion, Vector3
from sensor_msgs.msg import PointCloud2
from std_msgs.msg import ColorRGBA
from vision_msgs.msg import (
    BoundingBox3D,
    Detection3D,
    Detection3DArray,
    ObjectHypothesis,
    ObjectHypothesisWithPose,
)
from visualization_msgs.msg import Marker, MarkerArray

from detection_arrays import DetectionArrays
from model import cloud_view
from peer import LATEST, OUTPUT, Peer, spin

MARKER_THRESHOLD = 0.3
COLOURS = [
    (86, 180, 233), (230, 159, 0), (0, 158, 115), (240, 228, 66), (204, 121, 167), (213, 94, 0),
    (74, 128, 240),
]  # fmt: skip


class DetectionPeer(Peer):
    def __init__(self, folder):
        super().__init__("detection", folder)
        self.arrays = DetectionArrays(self.model)
        self.classes = self.arrays.classes
        self.create_subscription(PointCloud2, "lidar/points", self.on_cloud, LATEST)
        self.detections = self.create_publisher(Detection3DArray, "detections", OUTPUT)
        self.markers = self.create_publisher(MarkerArray, "detections/markers", OUTPUT)

    def on_cloud(self, message):
        found = self.arrays.find(cloud_view(message))
        array = Detection3DArray(header=message.header)
        markers = [Marker(header=message.header, ns="detections", action=Marker.DELETEALL)]
        for score, label, center, size, yaw in found:
            name = self.classes[label]
            pose = Pose(
                position=Point(x=center[0], y=center[1], z=center[2]),
                orientation=Quaternion(z=sin(yaw / 2), w=cos(yaw / 2)),
            )
            scale = Vector3(x=size[0], y=size[1], z=size[2])
            result = ObjectHypothesisWithPose(
                hypothesis=ObjectHypothesis(class_id=name, score=score), pose=PoseWithCovariance(pose=pose)
            )
            array.detections.append(
                Detection3D(
                    header=message.header, results=[result], bbox=BoundingBox3D(center=pose, size=scale)
                )
            )
            if score >= MARKER_THRESHOLD:
                text = f"{name} {score:.2f}"
                markers += self.marker_pair(message.header, len(markers), pose, scale, label, text)
        self.detections.publish(array)
        self.markers.publish(MarkerArray(markers=markers))

    def marker_pair(self, header, number, pose, scale, label, text):
        r, g, b = (float(v) / 255 for v in COLOURS[label % len(COLOURS)])
        cube = Marker(header=header, ns="detections", id=number, type=Marker.CUBE, pose=pose, scale=scale)
        cube.color = ColorRGBA(r=r, g=g, b=b, a=0.5)
        above = Pose()
        p = pose.position
        above.position = Point(x=p.x, y=p.y, z=p.z + scale.z / 2 + 0.5)
        caption = Marker(header=header, ns="detections", id=number + 1, type=Marker.TEXT_VIEW_FACING)
        caption.pose, caption.text = above, text
        caption.scale = Vector3(z=0.5)
        caption.color = ColorRGBA(r=r, g=g, b=b, a=1.0)
        return [cube, caption]


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("--executor", choices=["single", "events"], default="single")
    arguments = parser.parse_args()
    spin(lambda: DetectionPeer(arguments.model), arguments.executor)
