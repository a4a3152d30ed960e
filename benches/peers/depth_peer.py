"""The depth node as rclpy, NumPy, OpenCV and ONNX Runtime make it.

    python depth_peer.py <model folder> [--executor single|events]
"""

import argparse
from array import array
from collections import deque

import cv2
import numpy as np
from sensor_msgs.msg import CameraInfo, Image, PointCloud2, PointField

from depth_arrays import CHANNELS, WINDOW_S, DepthArrays
from peer import LATEST, OUTPUT, SENSOR, Peer, spin

STRIDE = 2


class DepthPeer(Peer):
    def __init__(self, folder):
        super().__init__("depth", folder)
        self.arrays = DepthArrays(self.model)
        self.info = None
        self.size = None
        self.radars = deque(maxlen=10)
        self.create_subscription(PointCloud2, "radar_0/points", self.on_radar, SENSOR)
        self.create_subscription(CameraInfo, "camera_info", self.on_info, SENSOR)
        self.create_subscription(Image, "image", self.on_image, LATEST)
        self.depth = self.create_publisher(Image, "depth/image", OUTPUT)
        self.depth_info = self.create_publisher(CameraInfo, "depth/camera_info", OUTPUT)
        self.confidence = self.create_publisher(Image, "depth/confidence", OUTPUT)
        self.points = self.create_publisher(PointCloud2, "depth/points", OUTPUT)

    def on_radar(self, message):
        self.radars.append(message)

    def on_info(self, message):
        self.info = message

    def prepare(self, width, height):
        """Buffers and tables that last as long as the camera does."""
        info = self.info
        self.size = width, height, tuple(info.k), tuple(info.d)
        k = np.array(info.k).reshape(3, 3)
        d = np.array(info.d) if len(info.d) else None
        self.arrays.set_camera(width, height, k, d)
        v, u = np.mgrid[0:height:STRIDE, 0:width:STRIDE]
        pixels = np.stack([u, v], -1).reshape(-1, 1, 2).astype(np.float64)
        rays = cv2.undistortPoints(pixels, k, d).reshape(*u.shape, 2).astype(np.float32)
        self.rays_x, self.rays_y = np.ascontiguousarray(rays[..., 0]), np.ascontiguousarray(rays[..., 1])

        def image():
            message = Image(width=width, height=height, encoding="32FC1", step=4 * width)
            message.data = array("B", bytes(4 * width * height))
            return message, np.frombuffer(message.data, np.float32).reshape(height, width)

        self.depth_message, self.depth_m = image()
        self.confidence_message, self.confidence_image = image()
        self.cloud_data = array("B", bytes(16 * u.size))
        self.cloud = np.frombuffer(self.cloud_data, np.float32).reshape(*u.shape, 4)
        self.cloud_bytes = np.frombuffer(self.cloud_data, np.uint8).reshape(*u.shape, 16)
        self.cloud_message = PointCloud2(height=1, point_step=16, is_dense=True)
        self.cloud_message.fields = [
            PointField(name=name, offset=4 * i, datatype=PointField.FLOAT32, count=1)
            for i, name in enumerate(["x", "y", "z", "rgb"])
        ]

    def draw_prior(self, header):
        """Of the radar cloud nearest in time."""
        stamp = seconds(header.stamp)
        nearest = min(self.radars, key=lambda m: abs(seconds(m.header.stamp) - stamp), default=None)
        if nearest is None or abs(seconds(nearest.header.stamp) - stamp) > WINDOW_S:
            return self.arrays.draw_prior(None, None)
        pose = self.transforms.find(header.frame_id, nearest.header.frame_id)
        self.arrays.draw_prior(nearest, pose)

    def on_image(self, message):
        if self.info is None or message.encoding not in CHANNELS:
            return
        width, height = message.width, message.height
        if self.size != (width, height, tuple(self.info.k), tuple(self.info.d)):
            self.prepare(width, height)
        channels, is_bgr = CHANNELS[message.encoding]
        pixels = np.frombuffer(message.data, np.uint8).reshape(height, message.step)
        pixels = pixels[:, : width * channels].reshape(height, width, channels)

        if "prior" in self.model.inputs:
            self.draw_prior(message.header)
        depth, confidence, is_whole = self.arrays.run(pixels, is_bgr)
        self.arrays.enlarge_depth(depth, self.depth_m)
        self.depth_message.header = message.header
        self.depth.publish(self.depth_message)

        self.arrays.enlarge_confidence(confidence, self.confidence_image, self.depth_m, is_whole)
        self.confidence_message.header = message.header
        self.confidence.publish(self.confidence_message)

        self.info.header = message.header
        self.depth_info.publish(self.info)

        self.publish_points(message.header, pixels, is_bgr, is_whole)

    def publish_points(self, header, pixels, is_bgr, is_whole):
        z = self.depth_m[::STRIDE, ::STRIDE]
        np.multiply(self.rays_x, z, out=self.cloud[..., 0])
        np.multiply(self.rays_y, z, out=self.cloud[..., 1])
        self.cloud[..., 2] = z
        colours = pixels[::STRIDE, ::STRIDE]
        self.cloud_bytes[..., 12:15] = colours[..., :3] if is_bgr else colours[..., 2::-1]
        message = self.cloud_message
        data = self.cloud_data
        if not is_whole or not np.isfinite(z).all():
            kept = self.cloud[np.isfinite(z)]
            data = array("B")
            data.frombytes(kept.view(np.uint8))
        message.header = header
        message.data = data
        message.width = len(data) // 16
        message.row_step = len(data)
        self.points.publish(message)


def seconds(stamp):
    return stamp.sec + 1e-9 * stamp.nanosec


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("--executor", choices=["single", "events"], default="single")
    arguments = parser.parse_args()
    spin(lambda: DepthPeer(arguments.model), arguments.executor)
