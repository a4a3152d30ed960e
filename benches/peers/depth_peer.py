"""The depth node as rclpy, NumPy, OpenCV and ONNX Runtime make it.

    python depth_peer.py <model folder> [--executor single|events]
"""

import argparse
from array import array
from collections import deque

import cv2
import numpy as np
from sensor_msgs.msg import CameraInfo, Image, PointCloud2, PointField

from peer import LATEST, OUTPUT, SENSOR, Peer, cloud_view, spin

WINDOW_S = 0.1
STRIDE = 2
RADIUS_PX = 5.0  # of an image 640 wide
CHANNELS = {"rgb8": (3, False), "bgr8": (3, True), "rgba8": (4, False), "bgra8": (4, True)}


class DepthPeer(Peer):
    def __init__(self, folder):
        super().__init__("depth", folder)
        settings = self.model.manifest["depth"]
        self.min_m, self.max_m = settings["min_m"], settings["max_m"]
        self.scale = np.float32(1.0) / (255.0 * np.array(settings["std"], np.float32))
        self.offset = -np.array(settings["mean"], np.float32) / np.array(settings["std"], np.float32)
        self.fusion = settings["fusion"]
        tensor = next(iter(self.model.inputs.values()))
        self.height, self.width = tensor["shape"][2:]
        self.prior = np.zeros((1, 1, self.height, self.width), np.float32)
        radius = RADIUS_PX * self.width / 640
        rows, columns = np.mgrid[-int(radius) : int(radius) + 1, -int(radius) : int(radius) + 1]
        disc = rows**2 + columns**2 <= radius**2
        self.disc = rows[disc], columns[disc]

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
        scale = np.array([self.width / width, self.height / height])
        self.network_k = k.copy()
        self.network_k[:2, :2] *= scale[:, None]
        self.network_k[:2, 2] = (k[:2, 2] + 0.5) * scale - 0.5
        self.d = d
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
        """The returns of the radar cloud nearest in time as discs of metres, nearest on top."""
        prior = self.prior[0, 0]
        prior.fill(0.0)
        stamp = seconds(header.stamp)
        nearest = min(self.radars, key=lambda m: abs(seconds(m.header.stamp) - stamp), default=None)
        if nearest is None or abs(seconds(nearest.header.stamp) - stamp) > WINDOW_S:
            return
        pose = self.transform(header.frame_id, nearest.header.frame_id)
        if pose is None:
            return
        cloud = cloud_view(nearest)
        points = np.stack([cloud["x"], cloud["y"], cloud["z"]], -1).astype(np.float64)
        points = points @ pose[:3, :3].T + pose[:3, 3]
        points = points[(points[:, 2] >= self.min_m) & (points[:, 2] <= self.max_m)]
        if not len(points):
            return
        pixels, _ = cv2.projectPoints(points, np.zeros(3), np.zeros(3), self.network_k, self.d)
        u, v = np.rint(pixels[:, 0]).astype(np.int32).T
        inside = (u >= 0) & (v >= 0) & (u < self.width) & (v < self.height)
        u, v, z = u[inside], v[inside], points[inside, 2]
        # Far ones first: where discs overlap, the last value assigned stays.
        order = np.argsort(-z)
        rows = v[order, None] + self.disc[0]
        columns = u[order, None] + self.disc[1]
        inside = (rows >= 0) & (columns >= 0) & (rows < self.height) & (columns < self.width)
        depths = np.broadcast_to(z[order, None], rows.shape)
        prior[rows[inside], columns[inside]] = depths[inside]

    def tensor(self, pixels, is_bgr):
        """The image as the network wants it."""
        shrinks = self.width * 2 <= pixels.shape[1]
        small = cv2.resize(
            pixels, (self.width, self.height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        )
        rgb = small[..., 2::-1] if is_bgr else small[..., :3]
        return np.ascontiguousarray((rgb * self.scale + self.offset).transpose(2, 0, 1)[None])

    def on_image(self, message):
        if self.info is None or message.encoding not in CHANNELS:
            return
        width, height = message.width, message.height
        if self.size != (width, height, tuple(self.info.k), tuple(self.info.d)):
            self.prepare(width, height)
        channels, is_bgr = CHANNELS[message.encoding]
        pixels = np.frombuffer(message.data, np.uint8).reshape(height, message.step)
        pixels = pixels[:, : width * channels].reshape(height, width, channels)

        feed = {}
        if "image" in self.model.inputs:
            feed["image"] = self.tensor(pixels, is_bgr)
        if "prior" in self.model.inputs:
            self.draw_prior(message.header)
            feed["prior"] = self.prior
        outputs = self.model.run(feed)
        depth, confidence = outputs["depth"][0, 0], outputs["confidence"][0, 0]
        if self.fusion == "prior_mean" and self.prior.any():
            depth = depth * confidence + self.prior[self.prior > 0].mean() * (1 - confidence)

        is_whole = depth.min() > 0.0
        if not is_whole:
            depth = np.where(depth > 0.0, depth, np.float32(np.nan))
        cv2.resize(depth, (width, height), dst=self.depth_m)
        if not depth.max() <= self.max_m:
            self.depth_m[self.depth_m > self.max_m] = np.inf
        if not depth.min() >= self.min_m:
            self.depth_m[self.depth_m < self.min_m] = -np.inf
        self.depth_message.header = message.header
        self.depth.publish(self.depth_message)

        cv2.resize(confidence, (width, height), dst=self.confidence_image)
        if not is_whole:
            self.confidence_image[np.isnan(self.depth_m)] = 0.0
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
