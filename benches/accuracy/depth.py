"""Accuracy of depth models on simulated test recordings, and what they make of bad radars.

    cargo build --release
    python benches/accuracy/depth.py --model depth_s --model depth_s_vision --model depth_baseline \\
        --work accuracy [--ablate depth_s] [--drive 100] [--markdown docs/accuracy.md] [--json results.json]

Simulates recordings of every scene in `config/scenes` with seeds from 900000 on, replays each with every model, scores
them by scene and pooled with `isobath evaluate`, again with the first model's radars switched off, and with `--ablate`
with radars that fail. `--drive` lets the first model drive through every scene for so many seconds with a radar that
is well and counts the warnings. A model is `NAME`, `NAME:PRECISION` or the path of a model folder. What is in `--work` already is
not made again. Needs NumPy and rosbags (`tests/requirements.txt`), no ROS.
"""

import argparse
import json
import re
import sys

import tables
from common import SEEDS_A_SCENE, add_arguments, check, evaluate, finish, record, replay, scenes
from confidence import calibration


# Drives begin with this seed of a scene: other worlds than those of the recordings.
DRIVE_SEED = 50
DRIVE_HZ = 10.0


def simulate(arguments, folder, bags, frames, rate, offset=0):
    """Recordings by scene, `bags` each, of `frames` images at `rate` a second."""
    recordings = {}
    for number, scene in scenes(arguments):
        text, changed = re.subn(
            r"camera: \{\}", f"camera: {{width: 320, height: 240, rate_hz: {rate}}}", scene.read_text()
        )
        # Depth has nothing to do with the LiDAR; fewer beams are simulated faster.
        text = re.sub(r"model: os1-64", "model: vlp-16", text)
        if changed != 1:
            sys.exit(f"{scene}: expected one line 'camera: {{}}', found {changed}")
        file = folder / "scenes" / f"{scene.stem}_at_{rate}hz.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        first = arguments.seed + SEEDS_A_SCENE * number + offset
        name = f"{scene.stem}_{{}}_{frames}_at_{rate}hz"
        recordings[scene.stem] = [
            record(arguments, file, folder / "bags" / name.format(seed), frames, seed)
            for seed in range(first, first + bags)
        ]
    return recordings


def score(arguments, model, recordings, folder, more=()):
    """Figures by scene and pooled, and the runs they are of."""
    # Without its input the node for detection is left out.
    settings = [*model.settings("depth"), "--remap", "lidar/points:=/left_out", *more]
    runs = {scene: replay(arguments, settings, bags, folder) for scene, bags in recordings.items()}
    pooled = [run for of_scene in runs.values() for run in of_scene]
    figures = {scene: evaluate(arguments, of_scene)["depth"] for scene, of_scene in runs.items()}
    # Last, so that the page beside the first run is that of all.
    figures["pooled"] = evaluate(arguments, pooled)["depth"]
    return figures, pooled


def drive(arguments, model, folder):
    """What the node said of a radar that is well, by scene."""
    recordings = simulate(arguments, folder, 1, round(arguments.drive * DRIVE_HZ), DRIVE_HZ, DRIVE_SEED)
    settings = [*model.settings("depth"), "--remap", "lidar/points:=/left_out"]
    drives = {}
    for scene, bags in recordings.items():
        (run,) = replay(arguments, settings, bags, folder / "runs" / f"{model.folder()}_drive")
        report = json.loads((run / "run.json").read_text())
        drives[scene] = {"seconds": report["bag_s"], "frames": report["nodes"]["depth"]["published"]}
        drives[scene] |= report["nodes"]["depth"]["radar"]
    return drives


def measure(arguments):
    folder = arguments.work
    recordings = simulate(arguments, folder, arguments.bags, arguments.frames, arguments.rate)
    results = {"frames_a_bag": arguments.frames, "bags_a_scene": arguments.bags, "seed": arguments.seed, "models": {}}
    for model in arguments.model:
        out = folder / "runs" / model.folder()
        figures, runs = score(arguments, model, recordings, out)
        result = {"figures": figures, "confidence": calibration(runs, recordings)}
        if model is arguments.model[0] and not arguments.no_without_radar:
            without = folder / "runs" / f"{model.folder()}_without_radar"
            result["without_radar"], _ = score(arguments, model, recordings, without, ["--set", "depth.radars=0"])
        if model.text in arguments.ablate:
            print(f"ablating {model.name}", file=sys.stderr)
            more = ["--ablate", "--ablate-seed", arguments.ablate_seed]
            result["ablation"] = evaluate(arguments, runs, more)["ablation"]
        if model is arguments.model[0] and arguments.drive:
            result["drive"] = drive(arguments, model, folder)
        results["models"][model.name] = result
    return results


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_arguments(parser, bags=(6, "recordings of each scene"), frames=(20, "images of each recording"))
    parser.add_argument("--ablate", action="append", default=[], metavar="MODEL", help="one of those, as it is given")
    parser.add_argument("--ablate-seed", type=int, default=0)
    parser.add_argument("--rate", type=float, default=2.0, help="images a second")
    parser.add_argument("--no-without-radar", action="store_true", help="leave out the first model without radar")
    parser.add_argument("--drive", type=float, default=0, metavar="SECONDS", help="in each scene, to count warnings")
    arguments = parser.parse_args()
    check(parser, arguments)
    known = {model.text for model in arguments.model}
    for model in arguments.ablate:
        if model not in known:
            parser.error(f"--ablate: expected one of {', '.join(sorted(known))}, found {model}")
    return arguments


def main():
    arguments = parse_arguments()
    results = measure(arguments)
    finish(arguments, "depth.py", results, tables.markdown(results))


if __name__ == "__main__":
    main()
