"""Depth of real RGB-D frames, whose depth gives them a radar.

    cargo build --release
    python benches/accuracy/real_depth.py --recording tests/data/real_sensors --model depth_s --model depth_baseline \\
        --work accuracy [--markdown docs/accuracy.md] [--json results.json]

Draws a radar from the depth images of the recording (`isobath simulate --radar-from-depth`) with several seeds, replays
each with every model, and with the first one's radar switched off. The recording has the topics of the sample in
`tests/data`. What is in `--work` already is not made again. Needs no ROS.
"""

import argparse
import shutil
import sys
from pathlib import Path

from common import add_arguments, check, evaluate, finish, replay, run
from tables import number, table

IMAGE, INFO, TRUTH = "/camera/image_raw", "/camera/camera_info", "/camera/depth/image_rect_raw"
# Where the radar is, metres in the camera's body frame.
MOUNT = "0.05,0,-0.1"


def draw(arguments, seed):
    """The recording with a radar."""
    out = arguments.work / "bags" / f"real_{seed}_{arguments.returns}"
    if not (out / "metadata.yaml").exists():
        shutil.rmtree(out, ignore_errors=True)
        command = [arguments.isobath, "simulate", "--radar-from-depth", arguments.recording, "--mount", MOUNT]
        run([*command, "--returns", arguments.returns, "--seed", seed, "--out", out])
    return out


def measure(arguments):
    bags = [draw(arguments, seed) for seed in range(1, arguments.bags + 1)]
    topics = [f"image:={IMAGE}", f"camera_info:={INFO}", "lidar/points:=/left_out"]
    remaps = [part for topic in topics for part in ("--remap", topic)]
    asked = [(model, f"`{model.name}`", []) for model in arguments.model]
    first = arguments.model[0]
    asked.append((first, f"`{first.name}` without radar", ["--set", "depth.radars=0"]))
    results = {"draws": arguments.bags, "models": {}}
    for model, name, more in asked:
        folder = arguments.work / "runs" / f"{model.folder()}{'_without_radar' if more else ''}"
        runs = replay(arguments, [*model.settings("depth"), *remaps, *more], bags, folder)
        found = evaluate(arguments, runs, ["--depth-truth", TRUTH])["depth"]
        results["models"][name] = {key: found[key] for key in ("frames", "abs_rel", "delta1", "coverage")}
    return results


def markdown(results):
    rows = [
        [name, str(found["frames"]), *(number(found[key], 3) for key in ("abs_rel", "delta1", "coverage"))]
        for name, found in results["models"].items()
    ]
    return f"{results['draws']} draws of the radar.\n\n{table(['model', 'images', 'AbsRel', 'δ1', 'coverage'], rows)}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_arguments(parser, bags=(8, "radars that are drawn"))
    parser.add_argument("--recording", type=Path, required=True, help="with images, their depth and camera info")
    parser.add_argument("--returns", type=int, default=55, help="about so many of the strongest are kept")
    arguments = parser.parse_args()
    check(parser, arguments)
    if not arguments.recording.exists():
        sys.exit(f"{arguments.recording}: expected a recording, found nothing")
    arguments.recording = arguments.recording.resolve()
    results = measure(arguments)
    finish(arguments, "real_depth.py", results, markdown(results))


if __name__ == "__main__":
    main()
