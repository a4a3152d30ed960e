"""Writes small recordings as rosbag2 compresses them, with the independent writer `rosbags`.

    pip install rosbags==0.11.9 && python tests/data/make_compressed_bags.py

Both storages, compressed as a whole file and message by message. Message i of 40 is the string
"message i", 10 ms after the one before, on /even or /odd.
"""

import shutil
from pathlib import Path

from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore

START_NS = 1_700_000_000_000_000_000
STEP_NS = 10_000_000
COUNT = 40


def write(folder, mode, plugin):
    store = get_typestore(Stores.ROS2_JAZZY)
    text_type = store.types["std_msgs/msg/String"]
    writer = Writer(folder, version=9, storage_plugin=plugin)
    writer.set_compression(mode, CompressionFormat.ZSTD)
    with writer:
        topics = [writer.add_connection(name, text_type.__msgtype__, typestore=store) for name in ("/even", "/odd")]
        for i in range(COUNT):
            data = store.serialize_cdr(text_type(f"message {i}"), text_type.__msgtype__)
            writer.write(topics[i % 2], START_NS + i * STEP_NS, data)


def main():
    target = Path(__file__).resolve().parent / "compressed"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    for mode in (CompressionMode.FILE, CompressionMode.MESSAGE):
        for plugin in (StoragePlugin.MCAP, StoragePlugin.SQLITE3):
            write(target / f"{mode.name}_{plugin.name}".lower(), mode, plugin)


main()
