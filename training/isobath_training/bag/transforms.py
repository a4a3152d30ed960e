"""Poses of frames over time, from /tf and /tf_static: interpolated, never extrapolated."""

from dataclasses import dataclass, field

import numpy as np


class TransformError(Exception):
    """No transform, in one sentence."""


def rotation_matrix(q: np.ndarray) -> np.ndarray:
    """[..., 4] quaternions x y z w → [..., 3, 3]."""
    x, y, z, w = np.moveaxis(q / np.linalg.norm(q, axis=-1, keepdims=True), -1, 0)
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    return np.moveaxis(np.array(rows), (0, 1), (-2, -1))


def inverse(pose: np.ndarray) -> np.ndarray:
    """Of [4, 4] rigid transforms."""
    result = np.eye(4)
    result[:3, :3] = pose[:3, :3].T
    result[:3, 3] = -pose[:3, :3].T @ pose[:3, 3]
    return result


def moved(points: np.ndarray, pose: np.ndarray) -> np.ndarray:
    """[n, 3] points by a [4, 4] transform."""
    return points @ pose[:3, :3].T + pose[:3, 3]


@dataclass
class Edge:
    """A frame in its parent: rows of time (s), translation, quaternion; a static one has one row."""

    parent: str
    static: bool
    rows: list[tuple[float, ...]] = field(default_factory=list)
    table: np.ndarray | None = None

    def at(self, time_s: float) -> np.ndarray | None:
        """[4, 4], or None outside of what was recorded."""
        if self.table is None:
            table = np.array(self.rows)
            self.table = table[np.argsort(table[:, 0], kind="stable")]
        times = self.table[:, 0]
        if self.static:
            row = self.table[-1]
        elif not times[0] <= time_s <= times[-1]:
            return None
        else:
            after = int(np.searchsorted(times, time_s).clip(1, len(times) - 1)) if len(times) > 1 else 0
            a, b = self.table[max(after - 1, 0)], self.table[after]
            share = (time_s - a[0]) / (b[0] - a[0]) if b[0] > a[0] else 0.0
            # Between neighbours of 100 Hz the straight way and the arc are the same.
            towards = b[4:] if a[4:] @ b[4:] >= 0 else -b[4:]
            row = np.concatenate([a[:4] + share * (b[:4] - a[:4]), a[4:] + share * (towards - a[4:])])
        pose = np.eye(4)
        pose[:3, :3], pose[:3, 3] = rotation_matrix(row[4:]), row[1:4]
        return pose


class Transforms:
    """The tree of frames."""

    def __init__(self) -> None:
        self.edges: dict[str, Edge] = {}

    def add(self, parent: str, child: str, time_s: float, translation, rotation, *, static: bool) -> None:
        """One transform of a message; `rotation` x y z w."""
        edge = self.edges.setdefault(child.lstrip("/"), Edge(parent.lstrip("/"), static))
        edge.rows.append((time_s, *translation, *rotation))

    def chain(self, frame: str) -> list[str]:
        """A frame and its ancestors."""
        frames = [frame.lstrip("/")]
        while (edge := self.edges.get(frames[-1])) and edge.parent not in frames:
            frames.append(edge.parent)
        return frames

    def root(self, frame: str, other: str) -> str:
        """The frame farthest up that both hang from: the one that stands still."""
        mine, theirs = self.chain(frame), self.chain(other)
        common = [name for name in mine if name in theirs]
        if not common:
            known = ", ".join(sorted(self.edges)) or "none"
            raise TransformError(
                f"tf: expected a transform from '{other}' to '{frame}', found frames {known}"
            )
        return common[-1]

    def pose(self, frame: str, root: str, time_s: float) -> np.ndarray | None:
        """[4, 4] from `frame` to its ancestor `root`; None where time is outside of the recording."""
        result = np.eye(4)
        for name in self.chain(frame):
            if name == root:
                return result
            step = self.edges[name].at(time_s)
            if step is None:
                return None
            result = step @ result
        return None
