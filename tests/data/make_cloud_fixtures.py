"""Cuts the first points of real clouds into small CDR fixtures for the tests.

    pip install rosbags==0.11.9 && python tests/data/make_cloud_fixtures.py <bag>

The bag carries sweeps of Nebula's test data; see README.md here.
"""

import json
import sys
from pathlib import Path

import numpy as np
from rosbags.highlevel import AnyReader
from rosbags.typesys import Stores, get_typestore

POINTS = 40
TOPICS = {
    "/lidar_vlp16/points": "vlp16",
    "/lidar_qt64/points": "qt64",
    "/radar_ars548/points": "ars548",
}
NUMPY_TYPES = {1: "i1", 2: "u1", 3: "<i2", 4: "<u2", 5: "<i4", 6: "<u4", 7: "<f4", 8: "<f8"}


def main(bag: Path) -> None:
    here = Path(__file__).resolve().parent
    store = get_typestore(Stores.ROS2_JAZZY)
    expected = {}
    with AnyReader([bag], default_typestore=store) as reader:
        wanted = [c for c in reader.connections if c.topic in TOPICS]
        for connection, _, raw in reader.messages(connections=wanted):
            cloud = reader.deserialize(raw, connection.msgtype)
            name = TOPICS[connection.topic]
            if name in expected:
                continue
            cloud.height, cloud.width = 1, POINTS
            cloud.row_step = POINTS * cloud.point_step
            cloud.data = cloud.data[: cloud.row_step].copy()
            (here / f"{name}.cdr").write_bytes(bytes(store.serialize_cdr(cloud, connection.msgtype)))
            layout = np.dtype(
                {
                    "names": [f.name for f in cloud.fields],
                    "formats": [NUMPY_TYPES[f.datatype] for f in cloud.fields],
                    "offsets": [f.offset for f in cloud.fields],
                    "itemsize": cloud.point_step,
                }
            )
            points = np.frombuffer(cloud.data.tobytes(), layout)
            expected[name] = {n: [float(v) for v in points[n]] for n in layout.names}
    (here / "clouds.json").write_text(json.dumps(expected) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
