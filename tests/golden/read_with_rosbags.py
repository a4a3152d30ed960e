"""Check a recording with the independent reader `rosbags` (0.11.9).

    python read_with_rosbags.py <bag folder or .mcap>...

Every message must decode by the definition stored in the recording, and each type hash that the
recording states must be the one `rosbags` computes from that definition. Prints topic, type, count.
"""

import re
import sys
from pathlib import Path

from rosbags.highlevel import AnyReader
from rosbags.typesys import Stores, get_types_from_msg, get_typestore


def stated_hashes(path):
    """Type hashes by type, as metadata.yaml and the MCAP channels state them."""
    hashes = set()
    metadata = path / "metadata.yaml"
    if metadata.exists():
        pattern = r"type: (\S+)\n(?:(?! +type: ).*\n)*? +type_description_hash:\s+(RIHS01_\w+)"
        hashes |= set(re.findall(pattern, metadata.read_text()))
    return hashes


def check(path):
    store = get_typestore(Stores.EMPTY)
    total = 0
    with AnyReader([path]) as reader:
        for connection in reader.connections:
            types = get_types_from_msg(connection.msgdef.data, connection.msgtype)
            store.register({name: fields for name, fields in types.items() if name not in store.fielddefs})
        for connection, _, raw in reader.messages():
            store.deserialize_cdr(raw, connection.msgtype)
            total += 1
        stated = stated_hashes(path)
        for msgtype, stated_hash in stated:
            computed = store.hash_rihs01(msgtype)
            if stated_hash != computed:
                sys.exit(f"{path}: {msgtype} states {stated_hash}, its definition gives {computed}")
        if path.is_dir() and {c.msgtype for c in reader.connections} != {name for name, _ in stated}:
            sys.exit(f"{path}: metadata.yaml does not state the hash of every type")
        if total != reader.message_count:
            sys.exit(f"{path}: {total} messages read, {reader.message_count} stated")
        for connection in sorted(reader.connections, key=lambda c: c.topic):
            qos = [q.reliability.name for q in connection.ext.offered_qos_profiles]
            print(connection.topic, connection.msgtype, connection.msgcount, *qos)


for argument in sys.argv[1:]:
    check(Path(argument))
