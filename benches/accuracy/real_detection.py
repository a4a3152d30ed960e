"""How many labelled objects of real sweeps a detection model finds.

    isobath import kitti ~/kitti/object --out kitti_object
    cargo build --release
    python benches/accuracy/real_detection.py --recording kitti_object --model detector_s --work accuracy \\
        [--markdown docs/accuracy.md] [--json results.json]

An object within 40 m is found if a detection of its class, and of no other object, is within 2 m of it on the ground.
Nothing is said of false detections: KITTI labels only what its camera sees. Needs rosbags
(`tests/requirements.txt`), no ROS.
"""

import argparse
import math
import sys
from collections import defaultdict
from pathlib import Path

from common import add_arguments, check, finish, replay
from rosbags.highlevel import AnyReader
from tables import table

FARTHEST_M, REACH_M = 40.0, 2.0
# Lowest scores that are asked for: the default, and that of markers.
SCORES = (0.05, 0.3)


def boxes(bag, topic):
    """Class, x, y and score of the boxes of each stamp."""
    found = {}
    with AnyReader([bag]) as reader:
        connections = [connection for connection in reader.connections if connection.topic == topic]
        if not connections:
            sys.exit(f"{bag}: expected a topic {topic}")
        for connection, _, raw in reader.messages(connections):
            message = reader.deserialize(raw, connection.msgtype)
            stamp = (message.header.stamp.sec, message.header.stamp.nanosec)
            found[stamp] = [
                (best.hypothesis.class_id, box.bbox.center.position.x, box.bbox.center.position.y, best.hypothesis.score)
                for box in message.detections
                for best in box.results[:1]
            ]
    return found


def hits(truth, detections, least):
    """How many boxes of `truth` of one class have a detection of their own, nearest pairs first."""
    pairs = sorted(
        (distance, i, j)
        for i, (_, x, y, _) in enumerate(truth)
        for j, (_, u, v, score) in enumerate(detections)
        if score >= least and (distance := math.hypot(x - u, y - v)) < REACH_M
    )
    taken, given = set(), set()
    for _, i, j in pairs:
        if i not in taken and j not in given:
            taken.add(i)
            given.add(j)
    return len(taken)


def count(recordings, runs):
    """[objects, and found at each of `SCORES`] of each class."""
    counts = defaultdict(lambda: [0] * (1 + len(SCORES)))
    for recording, run in zip(recordings, runs, strict=True):
        said = boxes(run / "outputs.mcap", "/detections")
        for stamp, truth in boxes(recording, "/truth/detections").items():
            near = [box for box in truth if math.hypot(box[1], box[2]) <= FARTHEST_M]
            for name in {box[0] for box in near}:
                of_class = [box for box in near if box[0] == name]
                given = [box for box in said.get(stamp, []) if box[0] == name]
                found = [hits(of_class, given, score) for score in SCORES]
                counts[name] = [a + b for a, b in zip(counts[name], [len(of_class), *found], strict=True)]
    return dict(sorted(counts.items()))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_arguments(parser)
    parser.add_argument("--recording", type=Path, action="append", required=True, help="with sweeps and truth/detections")
    arguments = parser.parse_args()
    check(parser, arguments)
    for recording in arguments.recording:
        if not recording.exists():
            sys.exit(f"{recording}: expected a recording, found nothing")
    recordings = [recording.resolve() for recording in arguments.recording]
    results, rows = {}, []
    for model in arguments.model:
        runs = replay(arguments, model.settings("detection"), recordings, arguments.work / "runs" / f"{model.folder()}_real")
        results[model.name] = count(recordings, runs)
        for name, (objects, *found) in results[model.name].items():
            rows.append([f"`{model.name}`", name, str(objects), *map(str, found)])
    heads = ["model", "class", f"objects within {FARTHEST_M:.0f} m", *(f"found at a score of {score}" for score in SCORES)]
    finish(arguments, "real_detection.py", results, table(heads, rows))


if __name__ == "__main__":
    main()
