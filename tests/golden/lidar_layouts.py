"""Makes clouds in the layouts that LiDAR drivers publish, and what they mean, with numpy.

Writes `lidar_layouts.json`: for each case the `sensor_msgs/PointCloud2` as CDR (serialized by rosbags, in
hexadecimal), the preset it belongs to, and the valid points with their intensity (0 to 1), line and seconds from
the stamp. `tests/sensor_lidar.rs` reads every case with that preset and with `auto`.

    pip install numpy==2.4.6 rosbags==0.11.9 && python tests/golden/lidar_layouts.py
"""

import json
from pathlib import Path

import numpy as np
from rosbags.typesys import Stores, get_typestore

STORE = get_typestore(Stores.ROS2_JAZZY)
POINTS = 12
STAMP_NS = 1_763_900_000_250_000_000
SWEEP_NS = 99_000_000
DATATYPES = {"i1": 1, "u1": 2, "i2": 3, "u2": 4, "i4": 5, "u4": 6, "f4": 7, "f8": 8}


def fields(text, step, order="<"):
    """A numpy type from `name:type@offset ...`."""
    names, formats, offsets = [], [], []
    for item in text.split():
        name, rest = item.split(":")
        code, offset = rest.split("@")
        names.append(name)
        formats.append(code if code.endswith("1") else order + code)
        offsets.append(int(offset))
    return np.dtype({"names": names, "formats": formats, "offsets": offsets, "itemsize": step})


def cloud_of(points, layout, height, padding, big_endian):
    width = len(points) // height
    row_step = width * layout.itemsize + padding
    data = bytearray()
    for row in points.reshape(height, width):
        data += row.tobytes() + b"\xab" * padding
    types = STORE.types
    stamp = types["builtin_interfaces/msg/Time"](sec=STAMP_NS // 10**9, nanosec=STAMP_NS % 10**9)
    field = types["sensor_msgs/msg/PointField"]
    message = types["sensor_msgs/msg/PointCloud2"](
        header=types["std_msgs/msg/Header"](stamp=stamp, frame_id="lidar"),
        height=height,
        width=width,
        fields=[
            field(
                name=name,
                offset=layout.fields[name][1],
                datatype=DATATYPES[layout.fields[name][0].str[1:]],
                count=1,
            )
            for name in layout.names
        ],
        is_bigendian=big_endian,
        point_step=layout.itemsize,
        row_step=row_step,
        data=np.frombuffer(bytes(data), np.uint8),
        is_dense=False,
    )
    return bytes(STORE.serialize_cdr(message, "sensor_msgs/msg/PointCloud2")).hex()


def case(name, preset, layout, intensity, full_scale, line, time, base_s, unit_s, **options):
    """One cloud. `time` names its field and gives the times of the points in the field's own unit; `base_s` is what
    the field reads, in seconds, at the stamp."""
    rng = np.random.default_rng(len(name))
    points = np.zeros(POINTS, layout)
    for axis in "xyz":
        points[axis] = rng.uniform(-60, 60, POINTS)
    # Two points without a return, as organised clouds have them, and one that is damaged.
    for axis in "xyz":
        points[axis][3] = np.nan
        points[axis][7] = 0
    points["y"][9] = np.inf
    for field in layout.names:
        if field in ("x", "y", "z") or (time and field == time[0]):
            continue
        top = {"f": 255, "u": min(np.iinfo(layout[field]).max if layout[field].kind == "u" else 255, 5000)}
        points[field] = rng.uniform(0, top[layout[field].kind], POINTS)
    if time:
        points[time[0]] = time[1]
    valid = np.isfinite(points["x"]) & np.isfinite(points["y"]) & np.isfinite(points["z"])
    valid &= ~((points["x"] == 0) & (points["y"] == 0) & (points["z"] == 0))
    assert valid.sum() == POINTS - 3

    def read(field):
        return points[field][valid].astype(np.float64)

    expected = {
        "xyz": [[float(np.float32(p[axis])) for axis in "xyz"] for p in points[valid]],
        "intensity": None if intensity is None else np.clip(read(intensity) / full_scale, 0, 1).tolist(),
        "line": None if line is None else [int(v) for v in points[line][valid]],
        "offset_s": None if base_s is None else (read(time[0]) * unit_s - base_s).tolist(),
    }
    return {
        "name": name,
        "preset": preset,
        "auto": options.get("auto", preset),
        "stamp_at": options.get("stamp_at", "start"),
        "cdr": cloud_of(
            points,
            layout,
            options.get("height", 1),
            options.get("padding", 0),
            options.get("big_endian", False),
        ),
        "tolerance_s": options.get("tolerance_s", 1e-9),
        "expected": expected,
    }


def cases():
    ns = np.linspace(0, SWEEP_NS, POINTS).round()
    stamp_s = STAMP_NS * 1e-9
    velodyne = fields("x:f4@0 y:f4@4 z:f4@8 intensity:f4@12 ring:u2@16 time:f4@18", 22)
    ouster = fields(
        "x:f4@0 y:f4@4 z:f4@8 intensity:f4@16 t:u4@20 reflectivity:u2@24 ring:u2@26 ambient:u2@28 range:u4@32", 48
    )
    native = fields(
        "x:f4@0 y:f4@4 z:f4@8 t:u4@16 ring:u2@20 range:u4@24 signal:u2@28 reflectivity:u1@30 near_ir:u2@32", 48
    )
    hesai = fields("x:f4@0 y:f4@4 z:f4@8 intensity:f4@12 ring:u2@16 timestamp:f8@18", 26)
    robosense = fields("x:f4@0 y:f4@4 z:f4@8 intensity:f4@16 ring:u2@20 timestamp:f8@24", 32)
    old_robosense = fields("x:f4@0 y:f4@4 z:f4@8 intensity:u1@16 ring:u2@18 timestamp:f8@24", 32)
    livox = fields("x:f4@0 y:f4@4 z:f4@8 intensity:f4@12 tag:u1@16 line:u1@17 timestamp:f8@18", 26)
    converted = fields("x:f4@0 y:f4@4 z:f4@8 reflectivity:u1@12 tag:u1@13 line:u1@14 offset_time:u4@15", 19)
    nebula = fields(
        "x:f4@0 y:f4@4 z:f4@8 intensity:u1@12 return_type:u1@13 channel:u2@14 azimuth:f4@16 elevation:f4@20 "
        "distance:f4@24 time_stamp:u4@28",
        32,
    )
    old_nebula = fields(
        "x:f4@0 y:f4@4 z:f4@8 intensity:u1@16 ring:u2@18 azimuth:f4@20 distance:f4@24 return_type:u1@28 "
        "time_stamp:u4@32",
        48,
    )
    xyzirc = fields("x:f4@0 y:f4@4 z:f4@8 intensity:u1@12 return_type:u1@13 channel:u2@14", 16)
    padded = fields("z:f8@3 time:f4@11 y:f8@15 intensity:f4@24 x:f8@29", 40, ">")
    # Absolute times in doubles: 0.25 µs apart.
    clock = {"tolerance_s": 5e-7}
    return [
        case("velodyne, stamp of the last packet", "velodyne", velodyne, "intensity", 255, "ring",
             ("time", (ns - SWEEP_NS) * 1e-9), 0.0, 1.0, tolerance_s=1e-8),
        case("velodyne, organised, stamp of the first", "velodyne", velodyne, "intensity", 255, "ring",
             ("time", ns * 1e-9), 0.0, 1.0, height=4, tolerance_s=1e-8),
        case("velodyne, from the start, stamped late", "velodyne", velodyne, "intensity", 255, "ring",
             ("time", ns * 1e-9), float(np.float32(SWEEP_NS * 1e-9)), 1.0, stamp_at="end", tolerance_s=1e-8),
        case("ouster, original", "ouster", ouster, "reflectivity", 255, "ring", ("t", ns), 0.0, 1e-9, height=3),
        case("ouster, native, stamp in the middle", "ouster", native, "reflectivity", 255, "ring", ("t", ns),
             SWEEP_NS * 0.5e-9, 1e-9, height=2, stamp_at="middle"),
        case("hesai", "hesai", hesai, "intensity", 255, "ring", ("timestamp", stamp_s + ns * 1e-9), stamp_s, 1.0,
             **clock),
        case("robosense, stamp of the last point", "robosense", robosense, "intensity", 255, "ring",
             ("timestamp", stamp_s + (ns - SWEEP_NS) * 1e-9), stamp_s, 1.0, auto="hesai", **clock),
        case("robosense, intensity in a byte", "robosense", old_robosense, "intensity", 255, "ring",
             ("timestamp", stamp_s + ns * 1e-9), stamp_s, 1.0, auto="hesai", stamp_at="end", **clock),
        case("livox", "livox", livox, "intensity", 255, "line", ("timestamp", STAMP_NS + ns), stamp_s, 1e-9, **clock),
        case("livox, on its own clock, stamped late", "livox", livox, "intensity", 255, "line",
             ("timestamp", 5.5e12 + ns), 5.5e3 + SWEEP_NS * 1e-9, 1e-9, stamp_at="end"),
        case("livox, converted", "livox", converted, "reflectivity", 255, "line", ("offset_time", ns), 0.0, 1e-9),
        case("nebula", "nebula", nebula, "intensity", 255, "channel", ("time_stamp", ns), 0.0, 1e-9),
        case("nebula, older, organised, rows padded", "nebula", old_nebula, "intensity", 255, "ring",
             ("time_stamp", ns), 0.0, 1e-9, height=6, padding=10),
        case("no times", "generic", xyzirc, "intensity", 255, "channel", None, None, None),
        case("positions only", "generic", fields("x:f4@0 y:f4@4 z:f4@8", 12), None, None, None, None, None, None),
        case("intensity in 16 bits", "generic", fields("x:f4@0 y:f4@4 z:f4@8 intensity:u2@12", 16), "intensity",
             65535, None, None, None, None),
        case("big-endian, doubles, microseconds, rows padded", "generic", padded, "intensity", 255, None,
             ("time", ns * 1e-3), 0.0, 1e-6, height=3, padding=7, big_endian=True, tolerance_s=1e-8),
        case("milliseconds in a velodyne's field", "generic", velodyne, "intensity", 255, "ring", ("time", ns * 1e-6),
             0.0, 1e-3, tolerance_s=1e-8),
        case("one time for all", "velodyne", velodyne, "intensity", 255, "ring", ("time", 0 * ns), None, None),
    ]


if __name__ == "__main__":
    path = Path(__file__).with_suffix(".json")
    path.write_text(json.dumps(cases(), separators=(",", ":")).replace('},{"name"', '},\n{"name"') + "\n")
