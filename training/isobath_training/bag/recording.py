"""What a bag holds of a camera, a LiDAR, radars and their frames."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from rosbags.highlevel import AnyReader

from .clouds import Cloud, CloudError, is_radar
from .reader import open_bag
from .transforms import Transforms

CLOUD, IMAGE = "sensor_msgs/msg/PointCloud2", "sensor_msgs/msg/Image"
TYPES = {"image": IMAGE, "camera_info": "sensor_msgs/msg/CameraInfo", "lidar/points": CLOUD}
RADARS = 4
# Bytes of a pixel and the order of red, green, blue in it.
ENCODINGS = {
    "rgb8": (3, (0, 1, 2)),
    "bgr8": (3, (2, 1, 0)),
    "rgba8": (4, (0, 1, 2)),
    "bgra8": (4, (2, 1, 0)),
    "mono8": (1, (0, 0, 0)),
}


class RecordingError(Exception):
    """A bag that cannot be used, in one sentence."""


@dataclass
class Scan:
    """One radar cloud."""

    time_s: float
    frame: str
    cloud: Cloud


@dataclass
class Recording:
    """An open bag. Times are seconds from `start_ns`."""

    path: Path
    reader: AnyReader
    topics: dict[str, str]
    start_ns: int = 0
    transforms: Transforms = field(default_factory=Transforms)
    # Radars in the order of their numbers.
    scans: list[list[Scan]] = field(default_factory=list)
    camera: np.ndarray | None = None
    camera_size: tuple[int, int] = (0, 0)

    def seconds(self, stamp) -> float:
        return (stamp.sec * 1_000_000_000 + stamp.nanosec - self.start_ns) * 1e-9

    def messages(self, *topics: str) -> Iterator[tuple[str, object]]:
        """Topic and message, in the order in which they were recorded."""
        chosen = [c for c in self.reader.connections if c.topic in topics]
        for connection, _, raw in self.reader.messages(chosen) if chosen else ():
            yield connection.topic, self.reader.deserialize(raw, connection.msgtype)


def open_recording(path: Path, remap: dict[str, str]) -> Recording:
    """Finds the topics and reads frames, camera and radars; images and sweeps are read later."""
    reader = open_bag(path, RecordingError)
    recording = Recording(path, reader, {})
    recording.start_ns = reader.start_time
    recording.topics = {name: find(recording, name, kind, remap) for name, kind in TYPES.items()}
    for topic, message in recording.messages("/tf", "/tf_static"):
        for t in message.transforms:
            p, q = t.transform.translation, t.transform.rotation
            recording.transforms.add(
                t.header.frame_id,
                t.child_frame_id,
                recording.seconds(t.header.stamp),
                (p.x, p.y, p.z),
                (q.x, q.y, q.z, q.w),
                static=topic == "/tf_static",
            )
    if not recording.transforms.edges:
        raise RecordingError(f"{path}: expected transforms on /tf_static and /tf, found none")
    read_camera(recording)
    for number in range(RADARS):
        topic = remap.get(f"radar_{number}/points", f"/radar_{number}/points")
        scans = []
        for _, message in recording.messages(topic):
            cloud = decoded(recording, topic, message)
            if len(cloud) and not is_radar(cloud):
                raise RecordingError(
                    f"{path}: {topic}: expected a radar's cloud, found {', '.join(cloud.points.dtype.names)}"
                )
            scans.append(Scan(recording.seconds(message.header.stamp), message.header.frame_id, cloud))
        recording.scans.append(sorted(scans, key=lambda scan: scan.time_s))
    return recording


def find(recording: Recording, name: str, kind: str, remap: dict[str, str]) -> str:
    """The topic asked for, the one of the usual name, or the only one of its kind."""
    topics = {c.topic: c.msgtype for c in recording.reader.connections}
    wanted = remap.get(name)
    if wanted is None and f"/{name}" in topics:
        wanted = f"/{name}"
    same = [topic for topic, found in topics.items() if found == kind]
    if kind == CLOUD:
        # A radar's cloud is no LiDAR's.
        same = [topic for topic in same if "radar" not in topic]
    elif kind == IMAGE:
        same = [topic for topic in same if "depth" not in topic]
    if wanted is None and len(same) == 1:
        wanted = same[0]
    if wanted is None:
        found = (
            f"found {', '.join(sorted(same))}; choose with --remap {name}:=<topic>" if same else "found none"
        )
        raise RecordingError(f"{recording.path}: {name}: expected a topic of {kind}, {found}")
    if topics.get(wanted) != kind:
        found = topics.get(wanted, "no such topic")
        raise RecordingError(f"{recording.path}: {wanted}: expected {kind}, found {found}")
    return wanted


def read_camera(recording: Recording) -> None:
    """Intrinsics of the first camera info: a camera that is calibrated while it drives is none to learn from."""
    topic = recording.topics["camera_info"]
    _, info = next(recording.messages(topic), (None, None))
    if info is None:
        raise RecordingError(f"{recording.path}: {topic}: expected camera infos, found none")
    k, d = np.asarray(info.k, np.float64), np.asarray(info.d, np.float64)
    if not (k[0] > 0 and k[4] > 0):
        raise RecordingError(
            f"{recording.path}: {topic}: expected focal lengths above 0, found an uncalibrated camera"
        )
    if info.distortion_model not in ("plumb_bob", "") or len(d) > 5:
        raise RecordingError(
            f"{recording.path}: {topic}: expected distortion plumb_bob, found {info.distortion_model} with {len(d)} coefficients"
        )
    recording.camera = np.concatenate([[k[0], k[4], k[2], k[5]], d, np.zeros(5 - len(d))])
    recording.camera_size = (info.height, info.width)


def decoded(recording: Recording, topic: str, message) -> Cloud:
    try:
        return Cloud(message)
    except CloudError as error:
        raise RecordingError(f"{recording.path}: {topic}: {error}") from None


def pixels(recording: Recording, message) -> np.ndarray:
    """[rows, columns, 3] bytes of an image message."""
    topic = recording.topics["image"]
    if message.encoding not in ENCODINGS:
        raise RecordingError(
            f"{recording.path}: {topic}: expected {', '.join(ENCODINGS)}, found {message.encoding}"
        )
    size, order = ENCODINGS[message.encoding]
    shape = (message.height, message.width)
    if shape != recording.camera_size:
        rows, columns = recording.camera_size
        raise RecordingError(
            f"{recording.path}: {topic}: expected {columns}×{rows} as the camera info says, found {shape[1]}×{shape[0]}"
        )
    if message.step < size * shape[1] or len(message.data) < message.step * shape[0]:
        raise RecordingError(f"{recording.path}: {topic}: expected {shape[0]} rows of {message.step} bytes")
    rows = np.asarray(message.data, np.uint8)[: message.step * shape[0]].reshape(shape[0], message.step)
    return rows[:, : size * shape[1]].reshape(*shape, size)[..., list(order)]
