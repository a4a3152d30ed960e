"""The arithmetic of the detection pipeline in NumPy, on plain arrays. No ROS."""

from math import atan2

import numpy as np

SCORE_THRESHOLD = 0.05
MAX_DETECTIONS = 500
FULL_SCALE = {"u1": 255.0, "f4": 255.0, "f8": 255.0, "i1": 127.0, "u2": 65535.0, "i2": 32767.0}
NEIGHBOURS = [(r, c) for r in (-1, 0, 1) for c in (-1, 0, 1) if (r, c) != (0, 0)]


class DetectionArrays:
    def __init__(self, model):
        self.model = model
        settings = model.manifest["detection"]
        self.x0, self.y0, self.z0, x1, y1, self.z1 = (np.float32(v) for v in settings["range"])
        self.vx, self.vy = (np.float32(v) for v in settings["voxel_size"][:2])
        self.rows = round(float((x1 - self.x0) / self.vx))
        self.columns = round(float((y1 - self.y0) / self.vy))
        self.stride = settings["stride"]
        self.classes = settings["classes"]
        self.radius = settings["suppression_radius"]
        cells = self.rows * self.columns
        self.bev = np.zeros((1, 5, self.rows, self.columns), np.float32)
        self.planes = self.bev.reshape(5, cells)
        self.max_z = np.full(cells, -np.inf, np.float32)
        self.min_z = np.full(cells, np.inf, np.float32)
        self.active = np.empty(0, np.int64)

    def find(self, cloud):
        """Detections in the points of a structured array."""
        self.voxelize(cloud)
        return self.decode(self.model.run({"bev": self.bev}))

    def voxelize(self, cloud):
        """Occupied, highest, lowest, log of the count and mean intensity of each cell."""
        x, y, z = cloud["x"], cloud["y"], cloud["z"]
        row, column = (x - self.x0) / self.vx, (y - self.y0) / self.vy
        inside = (row >= 0) & (row < self.rows) & (column >= 0) & (column < self.columns)
        inside &= (z >= self.z0) & (z < self.z1) & ((x != 0) | (y != 0) | (z != 0))
        index = row[inside].astype(np.int64) * self.columns + column[inside].astype(np.int64)
        z = z[inside]
        count = np.bincount(index, minlength=self.rows * self.columns)
        planes = self.planes
        # Only what the last sweep wrote is cleared.
        planes[:, self.active] = 0.0
        self.max_z[self.active] = -np.inf
        self.min_z[self.active] = np.inf
        np.maximum.at(self.max_z, index, z)
        np.minimum.at(self.min_z, index, z)
        self.active = active = np.flatnonzero(count)
        planes[0, active] = 1.0
        planes[1, active] = self.max_z[active]
        planes[2, active] = self.min_z[active]
        planes[3, active] = np.log1p(count[active])
        name = next((name for name in ("intensity", "reflectivity") if name in cloud.dtype.names), None)
        if name is not None:
            full_scale = FULL_SCALE[cloud.dtype[name].str[1:]]
            intensity = np.clip(cloud[name][inside] / np.float32(full_scale), 0.0, 1.0)
            sums = np.bincount(index, intensity, minlength=self.rows * self.columns)
            planes[4, active] = sums[active] / count[active]

    def decode(self, outputs):
        """Peaks of the heatmap as (score, class, centre, size, yaw), the best first."""
        heatmap = outputs["heatmap"][0]
        classes, rows, columns = np.nonzero(heatmap >= SCORE_THRESHOLD)
        if not len(classes):
            return []
        scores = heatmap[classes, rows, columns]
        padded = np.pad(heatmap, ((0, 0), (1, 1), (1, 1)), constant_values=-np.inf)
        peaks = np.ones(len(scores), bool)
        for dr, dc in NEIGHBOURS:
            other = padded[classes, rows + 1 + dr, columns + 1 + dc]
            # Of equal neighbours the one of lower index is the peak.
            peaks &= (scores >= other) if (dr, dc) > (0, 0) else (scores > other)
        classes, rows, columns, scores = classes[peaks], rows[peaks], columns[peaks], scores[peaks]
        offset = outputs["offset"][0][:, rows, columns]
        x = self.x0 + (rows + offset[0]) * self.vx * self.stride
        y = self.y0 + (columns + offset[1]) * self.vy * self.stride
        kept = []
        for i in np.argsort(-scores, kind="stable"):
            rivals = [j for j in kept if classes[j] == classes[i]]
            radius = self.radius[classes[i]]
            if all((x[j] - x[i]) ** 2 + (y[j] - y[i]) ** 2 > radius**2 for j in rivals):
                kept.append(i)
            if len(kept) == MAX_DETECTIONS:
                break
        height = outputs["height"][0, 0, rows, columns]
        size = np.maximum(outputs["size"][0][:, rows, columns], 0.01)
        rotation = outputs["rotation"][0][:, rows, columns]
        return [
            (
                min(float(scores[i]), 1.0),
                int(classes[i]),
                (float(x[i]), float(y[i]), float(height[i])),
                tuple(map(float, size[:, i])),
                atan2(rotation[0, i], rotation[1, i]),
            )
            for i in kept
        ]
