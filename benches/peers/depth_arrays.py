"""The arithmetic of the depth pipeline in NumPy and OpenCV, on plain arrays. No ROS."""

import cv2
import numpy as np

from model import cloud_view

WINDOW_S = 0.1
RADIUS_PX = 5.0  # of an image 640 wide
CHANNELS = {"rgb8": (3, False), "bgr8": (3, True), "rgba8": (4, False), "bgra8": (4, True)}


class DepthArrays:
    def __init__(self, model):
        self.model = model
        settings = model.manifest["depth"]
        self.min_m, self.max_m = settings["min_m"], settings["max_m"]
        self.scale = np.float32(1.0) / (255.0 * np.array(settings["std"], np.float32))
        self.offset = -np.array(settings["mean"], np.float32) / np.array(settings["std"], np.float32)
        self.fusion = settings["fusion"]
        tensor = next(iter(model.inputs.values()))
        self.height, self.width = tensor["shape"][2:]
        self.prior = np.zeros((1, 1, self.height, self.width), np.float32)
        radius = RADIUS_PX * self.width / 640
        rows, columns = np.mgrid[-int(radius) : int(radius) + 1, -int(radius) : int(radius) + 1]
        disc = rows**2 + columns**2 <= radius**2
        self.disc = rows[disc], columns[disc]

    def set_camera(self, width, height, k, d):
        """K as 3×3 of the image of this size, and its distortion."""
        scale = np.array([self.width / width, self.height / height])
        self.network_k = k.copy()
        self.network_k[:2, :2] *= scale[:, None]
        self.network_k[:2, 2] = (k[:2, 2] + 0.5) * scale - 0.5
        self.d = d

    def draw_prior(self, message, pose):
        """The returns of a radar cloud as discs of metres, nearest on top; `pose` is 4×4 into the optical
        frame. Without a cloud or a pose there are none."""
        prior = self.prior[0, 0]
        prior.fill(0.0)
        if message is None or pose is None:
            return
        cloud = cloud_view(message)
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

    def run(self, pixels, is_bgr):
        """Depth and confidence at the network's size, and whether every pixel has a depth."""
        feed = {}
        if "image" in self.model.inputs:
            feed["image"] = self.tensor(pixels, is_bgr)
        if "prior" in self.model.inputs:
            feed["prior"] = self.prior
        outputs = self.model.run(feed)
        depth, confidence = outputs["depth"][0, 0], outputs["confidence"][0, 0]
        if self.fusion == "prior_mean" and self.prior.any():
            depth = depth * confidence + self.prior[self.prior > 0].mean() * (1 - confidence)
        is_whole = depth.min() > 0.0
        if not is_whole:
            depth = np.where(depth > 0.0, depth, np.float32(np.nan))
        return depth, confidence, is_whole

    def enlarge_depth(self, depth, depth_m):
        """Fills `depth_m`, of the size of the image."""
        cv2.resize(depth, depth_m.shape[::-1], dst=depth_m)
        if not depth.max() <= self.max_m:
            depth_m[depth_m > self.max_m] = np.inf
        if not depth.min() >= self.min_m:
            depth_m[depth_m < self.min_m] = -np.inf

    def enlarge_confidence(self, confidence, image, depth_m, is_whole):
        """Fills `image`; 0 where there is no depth."""
        cv2.resize(confidence, image.shape[::-1], dst=image)
        if not is_whole:
            image[np.isnan(depth_m)] = 0.0
