"""Computes the ROS type hashes (RIHS01) of the committed message definitions.

Reads every `src/message/definitions/<package>/<Name>.msg`, computes its hash with the `rosbags`
library and writes `type_hashes.json`, which a Rust test compares with the constants in
`src/message`. Types that ROS 2 Jazzy's own interface packages define must hash as they do there,
and those that `ros_overlay` brings as they do here.

    pip install rosbags==0.11.9 && python tests/golden/type_hashes.py
"""

import json
from pathlib import Path

from rosbags.typesys import Stores, get_types_from_msg, get_typestore

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
DEFINITIONS = ROOT / "src" / "message" / "definitions"

# The official vision_msgs 4 value; rosbags does not carry that package.
OFFICIAL = {
    "vision_msgs/msg/Detection3DArray": (
        "RIHS01_793f5eab9595ac1c0da07873cc859db42eae51f0ee76056db8562515d830e018"
    ),
}


def overlay_hashes() -> dict[str, str]:
    """Hashes of the packages in `ros_overlay`, on top of ROS 2 Jazzy's."""
    store = get_typestore(Stores.ROS2_JAZZY)
    types = {}
    for path in sorted(ROOT.glob("ros_overlay/*/msg/*.msg")):
        types |= get_types_from_msg(path.read_text(), f"{path.parents[1].name}/msg/{path.stem}")
    store.register({name: fields for name, fields in types.items() if name not in store.fielddefs})
    return {name: store.hash_rihs01(name) for name in types}


def main() -> None:
    store = get_typestore(Stores.EMPTY)
    types = {}
    for path in sorted(DEFINITIONS.glob("*/*.msg")):
        types |= get_types_from_msg(path.read_text(), f"{path.parent.name}/msg/{path.stem}")
    store.register(types)
    hashes = {name: store.hash_rihs01(name) for name in sorted(types)}

    jazzy = get_typestore(Stores.ROS2_JAZZY)
    expected = {name: value for name, value in overlay_hashes().items() if name in types} | OFFICIAL
    expected |= {n: jazzy.hash_rihs01(n) for n in types if n in jazzy.fielddefs}
    wrong = [n for n, value in expected.items() if hashes.get(n) != value]
    if wrong:
        raise SystemExit(f"definitions that differ from the official ones: {', '.join(wrong)}")
    (HERE / "type_hashes.json").write_text(json.dumps(hashes, indent=2) + "\n")


if __name__ == "__main__":
    main()
