"""A bag → arrays that `isobath_training train` reads, with LiDAR points as truth."""

from collections import Counter, deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from ruamel.yaml import YAML

from ..depth_s.prior import scaled
from .clouds import point_times, radar_fields
from .recording import Recording, RecordingError, Scan, decoded, open_recording, pixels
from .transforms import TransformError, inverse, moved
from .truth import sparse_depth
from .writer import COLUMNS, ArraysWriter, Frame

# Scans of each radar: the nearest in time and those before it.
SCANS = 4
# A scan this far from the image, seconds, says nothing of it.
OLDEST_SCAN_S = 1.0
# Points of a sweep count when they were measured this near to the image in time: what moves has not gone far.
NEAR_S = 0.06
# Points of a sweep whose times differ by less than this share a pose.
POSE_STEP_S = 0.004
# Speed of a radar is that over so long.
SPEED_OVER_S = 0.1
# Most images that wait for the sweep after them.
WAITING = 16
# Images with fewer true pixels are left out.
LEAST_TRUTH = 200


class Exporter:
    """Turns the images of one bag into frames."""

    def __init__(self, recording: Recording, size: tuple[int, int], doppler_sign: float) -> None:
        self.recording, self.size, self.doppler_sign = recording, size, doppler_sign
        sy, sx = (a / b for a, b in zip(size, recording.camera_size, strict=True))
        self.camera = scaled(recording.camera, sx, sy)
        self.left_out: Counter[str] = Counter()

    def frame(self, number: int, message, sweeps: list) -> Frame | None:
        """Of an image message and the sweeps about it."""
        time_s = self.recording.seconds(message.header.stamp)
        points = self.points(message.header.frame_id, time_s, sweeps)
        radar = self.returns(message.header.frame_id, time_s)
        if points is None or radar is None:
            self.left_out["no transform at its time"] += 1
            return None
        depth = sparse_depth(points, self.camera, self.size)
        if np.isfinite(depth).sum() < LEAST_TRUTH:
            self.left_out[f"fewer than {LEAST_TRUTH} LiDAR points in it"] += 1
            return None
        image = shrunk(pixels(self.recording, message), self.size)
        return Frame(image, depth.astype(np.float16), self.camera.astype(np.float32), radar, number)

    def points(self, camera: str, time_s: float, sweeps: list) -> np.ndarray | None:
        """LiDAR points in the optical frame, each moved with the robot from its time to the image's."""
        found = []
        for message in sweeps:
            stamp_s, frame = self.recording.seconds(message.header.stamp), message.header.frame_id
            cloud = decoded(self.recording, self.recording.topics["lidar/points"], message)
            clock_s = stamp_s + 1e-9 * self.recording.start_ns
            times_s = stamp_s + point_times(cloud, clock_s)
            positions = cloud.positions()
            near = np.isfinite(positions).all(1) & (np.abs(times_s - time_s) <= NEAR_S)
            if not near.any():
                continue
            positions, steps = positions[near], np.rint((times_s[near] - time_s) / POSE_STEP_S)
            for step in np.unique(steps):
                pose = self.relative(camera, time_s, frame, time_s + step * POSE_STEP_S)
                if pose is None:
                    return None
                found.append(moved(positions[steps == step], pose))
        return np.concatenate(found) if found else np.zeros((0, 3))

    def returns(self, camera: str, time_s: float) -> np.ndarray | None:
        """Rows of `radar.npy`."""
        rows = [np.zeros((0, len(COLUMNS["radar"])))]
        for radar, scans in enumerate(self.recording.scans):
            times = np.array([scan.time_s for scan in scans])
            if len(times) == 0:
                continue
            newest = int(np.abs(times - time_s).argmin())
            for scan in scans[max(newest - SCANS + 1, 0) : newest + 1]:
                if abs(scan.time_s - time_s) > OLDEST_SCAN_S:
                    continue
                made = self.scan(camera, time_s, radar, scan)
                if made is None:
                    # An earlier one may be from before the recording of transforms began.
                    if scan is scans[newest]:
                        return None
                    continue
                rows.append(made)
        return np.concatenate(rows).astype(np.float32)

    def scan(self, camera: str, time_s: float, radar: int, scan: Scan) -> np.ndarray | None:
        pose = self.relative(camera, time_s, scan.frame, scan.time_s)
        velocity = self.velocity(scan.frame, scan.time_s)
        if pose is None or velocity is None:
            return None
        fields = radar_fields(scan.cloud, self.doppler_sign)
        positions = scan.cloud.positions()
        distance = np.linalg.norm(positions, axis=1)
        still = -(positions @ velocity) / distance
        # What tells no range rate is taken to stand still.
        rate = np.where(np.isfinite(fields["range_rate"]), fields["range_rate"], still)
        n = np.ones(len(positions))
        columns = {
            "range_rate": rate,
            "snr": fields["snr"],
            "rcs": fields["rcs"],
            "radar": radar * n,
            "age": (time_s - scan.time_s) * n,
            "motion": rate - still,
            "azimuth_std": fields["azimuth_std"],
            "elevation_std": fields["elevation_std"],
        }
        table = np.column_stack([moved(positions, pose), *(columns[name] for name in COLUMNS["radar"][3:])])
        return table[np.isfinite(table).all(1)]

    def relative(self, to: str, to_s: float, of: str, of_s: float) -> np.ndarray | None:
        """[4, 4] from a frame at one time to another frame at another, by what stands still."""
        tree = self.recording.transforms
        root = tree.root(to, of)
        target, source = tree.pose(to, root, to_s), tree.pose(of, root, of_s)
        return None if target is None or source is None else inverse(target) @ source

    def velocity(self, frame: str, time_s: float) -> np.ndarray | None:
        """Metres a second of a frame over ground, in its own axes."""
        tree = self.recording.transforms
        root, half = tree.chain(frame)[-1], 0.5 * SPEED_OVER_S
        now = tree.pose(frame, root, time_s)
        for before_s, after_s in ((-half, half), (-SPEED_OVER_S, 0), (0, SPEED_OVER_S)):
            a, b = (tree.pose(frame, root, time_s + s) for s in (before_s, after_s))
            if now is not None and a is not None and b is not None:
                return now[:3, :3].T @ (b[:3, 3] - a[:3, 3]) / SPEED_OVER_S
        return None

    def images(self, every: int) -> Iterator[tuple[int, Any, list]]:
        """Number and message of every n-th image with the sweeps about it, as soon as the one after it has come."""
        topics, seconds = self.recording.topics, self.recording.seconds
        sweeps: deque = deque(maxlen=4)
        waiting: deque = deque()
        number = 0
        for topic, message in self.recording.messages(topics["image"], topics["lidar/points"]):
            if topic == topics["image"]:
                if number % every == 0:
                    waiting.append((number, message))
                number += 1
            else:
                sweeps.append(message)
            newest_s = max((seconds(sweep.header.stamp) for sweep in sweeps), default=-np.inf)
            # Where no sweeps come any more, memory is not to fill with images.
            while waiting and (
                len(waiting) > WAITING or newest_s > seconds(waiting[0][1].header.stamp) + NEAR_S
            ):
                yield *waiting.popleft(), list(sweeps)
        for image in waiting:
            yield *image, list(sweeps)

    def frames(self, every: int) -> Iterator[Frame]:
        """Of every n-th image, but for those that `left_out` counts."""
        for number, message, sweeps in self.images(every):
            frame = self.frame(number, message, sweeps)
            if frame is not None:
                yield frame


def shrunk(rgb: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Bytes at another size; each pixel the mean of what it covers."""
    if rgb.shape[:2] == size:
        return rgb
    planes = torch.from_numpy(np.ascontiguousarray(rgb)).permute(2, 0, 1)[None].float()
    planes = F.interpolate(planes, size=size, mode="bilinear", antialias=True)
    return planes[0].round().clamp(0, 255).byte().permute(1, 2, 0).numpy()


def export_bags(
    bags: list[Path],
    out: Path,
    *,
    size: tuple[int, int] = (240, 320),
    every: int = 5,
    remap: dict[str, str] | None = None,
    doppler_sign: float = 1.0,
) -> None:
    """Writes the arrays of `docs/simulator.md` for these bags; each is a scene."""
    if out.exists() and any(out.iterdir()):
        raise SystemExit(f"{out}: expected a new folder, found files in it")
    writer = ArraysWriter(out)
    try:
        for scene, bag in enumerate(bags):
            export_bag(
                bag, scene, writer, Exporter(open_recording(bag, remap or {}), size, doppler_sign), every
            )
    except (RecordingError, TransformError) as error:
        writer.discard()
        raise SystemExit(str(error) if str(bag) in str(error) else f"{bag}: {error}") from None
    writer.finish([bag.name for bag in bags])


def export_bag(bag: Path, scene: int, writer: ArraysWriter, exporter: Exporter, every: int) -> None:
    """One bag, and a line or two about what came of it."""
    recording, seed = exporter.recording, simulated_seed(bag)
    before, true, returns = writer.frames, 0.0, 0
    for frame in exporter.frames(every):
        writer.append(scene, seed, frame)
        true, returns = true + np.isfinite(frame.depth).mean(), returns + len(frame.radar)
    n = writer.frames - before
    left_out = "".join(f", {count} left out: {why}" for why, count in exporter.left_out.items())
    if n == 0:
        raise RecordingError(
            f"{bag}: expected images with LiDAR points about their time, found none{left_out}"
        )
    print(f"{bag}: {n} frames, {true / n:.1%} of their pixels true, {returns / n:.0f} returns each{left_out}")
    if not any(recording.scans):
        print(f"{bag}: no radar on /radar_0/points: returns will be drawn from the LiDAR's depth alone")
    if all(edge.static for edge in recording.transforms.edges.values()):
        print(f"{bag}: nothing moves on /tf: the robot is taken to stand still")


def simulated_seed(bag: Path) -> int:
    """Of a simulated bag, whose test seeds must not be trained on; 0 of any other."""
    file = bag / "metadata.yaml"
    if not file.is_file():
        return 0
    information = YAML(typ="safe", pure=True).load(file.read_text())["rosbag2_bagfile_information"]
    return int((information.get("custom_data") or {}).get("isobath_seed", 0))
