"""Sweeps to calibrate with, from simulated arrays or from a recording."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from rosbags.highlevel import AnyReader

from ..bag.clouds import Cloud, CloudError, is_radar
from ..bag.reader import open_bag
from ..detector_s.features import Grid, pillars
from ..detector_s.sweeps import Sweeps
from .layers import QuantizationError

CLOUD = "sensor_msgs/msg/PointCloud2"
# Sweeps below which a calibration says little.
LEAST_SWEEPS = 16
# Fields that hold how bright a return was, the calibrated first, and what is full there.
INTENSITIES, FULL = ("reflectivity", "intensity", "signal"), 255.0


def evenly(count: int, most: int) -> np.ndarray:
    """Numbers of at most `most` of `count`, from all over."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(int))


def of_arrays(folder: Path, grid: Grid, most: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Features and coordinates of active pillars of sweeps of the training split."""
    sweeps = Sweeps(folder)
    if sweeps.held_back():
        raise QuantizationError(f"{folder}: seeds of validation and test must not be calibrated with")
    check_count(folder, len(sweeps))
    for number in evenly(len(sweeps), most):
        yield features(sweeps.sweep(int(number))[0][:, :4], grid)


def of_bag(bag: Path, topic: str | None, grid: Grid, most: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The same of a recording's LiDAR."""
    with contextlib.closing(open_bag(bag, QuantizationError)) as reader:
        connection = lidar(bag, reader, topic)
        check_count(f"{bag}: {connection.topic}", connection.msgcount)
        wanted = set(evenly(connection.msgcount, most).tolist())
        for number, (_, _, raw) in enumerate(reader.messages([connection])):
            if number in wanted:
                try:
                    cloud = Cloud(reader.deserialize(raw, connection.msgtype))
                except CloudError as error:
                    raise QuantizationError(f"{bag}: {connection.topic}: {error}") from None
                yield features(points(cloud), grid)


def lidar(bag: Path, reader: AnyReader, topic: str | None):
    """The topic asked for, or the only one with clouds that are not a radar's."""
    clouds = [c for c in reader.connections if c.msgtype == CLOUD]
    if topic is not None:
        found = [c for c in clouds if c.topic == topic]
        if not found:
            names = ", ".join(sorted(c.topic for c in clouds)) or "none"
            raise QuantizationError(f"{bag}: expected clouds on {topic}, found {names}")
        return found[0]
    found = [c for c in clouds if c.msgcount and not of_radar(reader, c)]
    if len(found) != 1:
        names = f"{', '.join(sorted(c.topic for c in found))}: choose with --topic" if found else "none"
        raise QuantizationError(f"{bag}: expected a LiDAR's {CLOUD}, found {names}")
    return found[0]


def of_radar(reader: AnyReader, connection) -> bool:
    _, _, raw = next(reader.messages([connection]))
    try:
        return is_radar(Cloud(reader.deserialize(raw, connection.msgtype)))
    except CloudError:
        return True


def check_count(name, count: int) -> None:
    if count < LEAST_SWEEPS:
        raise QuantizationError(f"{name}: expected at least {LEAST_SWEEPS} sweeps, found {count}")


def points(cloud: Cloud) -> np.ndarray:
    """[n, 4]: x y z metres, intensity 0..1; where there is no return, nothing."""
    xyz = cloud.positions()
    bright = cloud.get(*INTENSITIES)
    bright = np.zeros(len(cloud)) if bright is None else np.nan_to_num(bright / FULL).clip(0, 1)
    valid = np.isfinite(xyz).all(1)
    return np.column_stack([xyz, bright])[valid].astype(np.float32)


def features(rows: np.ndarray, grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    coords, found, _ = pillars(rows, grid)
    return found, coords
