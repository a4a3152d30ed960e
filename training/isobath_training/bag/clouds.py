"""PointCloud2 messages as arrays, whatever the driver calls its fields.

The names are those that the runtime knows (`src/sensor/radar.rs`, `radar_direction.rs`, `lidar_preset.rs`).
"""

import numpy as np

TYPES = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 8: "f8"}
RANGE_RATES = ("range_rate", "doppler", "velocity", "radial_speed", "v_doppler_mps")
TIMES = ("t", "time", "timestamp", "time_stamp", "offset_time")
# Seconds in a unit; the one in which a sweep has a usual length is taken.
UNITS_S = (1.0, 1e-3, 1e-6, 1e-9)
LEAST_SWEEP_S, LONGEST_SWEEP_S = 0.002, 1.0
# Times farther than this from the stamp are on another clock, seconds.
SAME_CLOCK_S = 2.0
# Degrees: resolution in azimuth and elevation, least and most deviation, deviation without a known signal.
TI = ((30.0, 38.0), (0.3, 12.0), (3.0, 4.0))
AUTOMOTIVE = ((1.2, 24.0), (0.3, 4.2), (0.5, 2.0))
OTHER = ((15.0, 30.0), (0.3, 12.0), (2.0, 4.0))


class CloudError(Exception):
    """A cloud that cannot be used, in one sentence."""


class Cloud:
    """The fields of a message, looked at in place."""

    def __init__(self, message) -> None:
        order = ">" if message.is_bigendian else "<"
        fields = [f for f in message.fields if f.datatype in TYPES and f.count >= 1]
        kind = np.dtype(
            {
                "names": [f.name for f in fields],
                "formats": [order + TYPES[f.datatype] for f in fields],
                "offsets": [f.offset for f in fields],
                "itemsize": message.point_step,
            }
        )
        data, step = np.asarray(message.data, np.uint8), message.width * message.point_step
        if (
            message.point_step == 0
            or message.height * message.row_step > len(data)
            or message.row_step < step
        ):
            raise CloudError(f"a cloud of {message.height} × {message.width} points in {len(data)} bytes")
        rows = data[: message.height * message.row_step].reshape(message.height, message.row_step)[:, :step]
        self.points = np.ascontiguousarray(rows).reshape(-1).view(kind)
        if len(self.points) and not {"x", "y", "z"} <= set(kind.names):
            raise CloudError(f"expected fields x, y and z, found {', '.join(kind.names)}")

    def __len__(self) -> int:
        return len(self.points)

    def has(self, *names: str) -> bool:
        return all(name in self.points.dtype.names for name in names)

    def get(self, *names: str) -> np.ndarray | None:
        """The first of these fields that there is, as float64."""
        found = next((name for name in names if self.has(name)), None)
        return None if found is None else self.points[found].astype(np.float64)

    def positions(self) -> np.ndarray:
        """[n, 3] metres in the sensor's frame; NaN where a driver writes no return."""
        if len(self) == 0:
            return np.zeros((0, 3))
        xyz = np.stack([self.get(axis) for axis in "xyz"], 1)
        xyz[~np.isfinite(xyz).all(1) | (xyz == 0).all(1)] = np.nan
        return xyz


def is_radar(cloud: Cloud) -> bool:
    return any(cloud.has(name) for name in (*RANGE_RATES, "rcs"))


def point_times(cloud: Cloud, stamp_s: float) -> np.ndarray:
    """Seconds from the stamp to each point; 0 where the driver tells none."""
    times = cloud.get(*TIMES)
    if times is None or len(times) == 0:
        return np.zeros(len(cloud))
    valid = np.isfinite(cloud.positions()).all(1) & np.isfinite(times)
    if not valid.any():
        return np.zeros(len(cloud))
    first, last = times[valid].min(), times[valid].max()
    unit = next((u for u in UNITS_S if LEAST_SWEEP_S <= (last - first) * u <= LONGEST_SWEEP_S), None)
    if unit is None:
        return np.zeros(len(cloud))
    if abs(first * unit - stamp_s) <= SAME_CLOCK_S:
        times = times * unit - stamp_s
    elif abs(first * unit) <= SAME_CLOCK_S:
        times = times * unit
    else:
        # On another clock: only the differences count.
        times = (times - first) * unit
    return np.where(valid, times, 0.0)


def radar_fields(cloud: Cloud, doppler_sign: float) -> dict[str, np.ndarray]:
    """`range_rate`, `snr`, `rcs`, `azimuth_std`, `elevation_std` of each return, in the units of `radar.npy`.

    Deviations are those the runtime would use. What the driver does not tell is 0, a range rate NaN.
    """
    n = len(cloud)
    if cloud.has("range_rate", "rcs") or cloud.has("radial_speed"):
        radar = AUTOMOTIVE
    elif not cloud.has("v_doppler_mps") and (
        cloud.has("velocity", "intensity") or cloud.has("doppler", "snr")
    ):
        radar = TI
    else:
        radar = OTHER
    rate = cloud.get(*RANGE_RATES)
    names = ("snr", "intensity") if radar is TI else ("snr_db", "snr")
    snr = cloud.get(*names)
    # TI firmware counts tenths of a dB in 16 bits.
    if radar is TI and cloud.has("snr") and cloud.points["snr"].dtype.itemsize == 2:
        snr = snr * 0.1
    snr = np.full(n, np.nan) if snr is None else snr
    resolution, limits, unknown = (np.radians(values) for values in radar)
    with np.errstate(over="ignore"):
        blur = 1.0 / np.sqrt(2.0 * 10.0 ** (0.1 * snr))
    result = {"range_rate": np.full(n, np.nan) if rate is None else doppler_sign * rate}
    for axis, name in enumerate(("azimuth_std", "elevation_std")):
        stated = cloud.get(name)
        stated = np.zeros(n) if stated is None else np.nan_to_num(stated)
        estimated = np.where(np.isfinite(blur), resolution[axis] * blur, unknown[axis])
        result[name] = np.where(stated > 0, stated, estimated).clip(*limits)
    rcs = cloud.get("rcs")
    result["rcs"] = np.zeros(n) if rcs is None else np.nan_to_num(rcs)
    return result | {"snr": np.nan_to_num(snr)}
