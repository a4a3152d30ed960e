"""What failures of the LiDAR cost detection models, on simulated test recordings.

    cargo build --release
    python benches/accuracy/corruptions.py --model detector_s --model detection_baseline \\
        --work accuracy [--markdown docs/accuracy.md] [--json results.json]

Takes recordings of every scene in `config/scenes` with one LiDAR, lets the LiDAR fail in each way that `isobath corrupt`
knows at severities 1, 3 and 5, replays and scores. The seed of the corruption is that of the recording. A model is
`NAME`, `NAME:PRECISION` or the path of a model folder. What is in `--work` already is not made again. Needs no ROS.
"""

import argparse
import shutil
import sys

from common import add_arguments, add_block, check, evaluate, finish, replay, run
from detection import LIDARS, simulate
from tables import number, table

KINDS = (
    "fog", "snow", "rain", "missing-beams", "crosstalk", "incomplete-echo", "motion-blur", "jitter", "density-drop",
    "cut-out", "limited-fov", "lidar-misalignment",
)  # fmt: skip
SEVERITIES = (1, 3, 5)
# Twice the worst density drop loses 51 % of the points: 0.7 of 0.7 are left.
HALF = "half of the points"
TIMES = {HALF: ("density-drop", 5, 2)}
CLEAN = "clean"


def corrupted(arguments, bag, kind, severity, times, out):
    """The recording with a failing LiDAR, made where it is not there yet."""
    if (out / "metadata.yaml").exists():
        return out
    shutil.rmtree(out, ignore_errors=True)
    out.parent.mkdir(parents=True, exist_ok=True)
    print(f"corrupting {out.parent.name}/{out.name}", file=sys.stderr)
    source = bag
    seed = int(bag.name.split("_")[-2])
    for time in range(times):
        target = out if time == times - 1 else out.with_name(f"{out.name}.{time}")
        shutil.rmtree(target, ignore_errors=True)
        options = ["--kind", kind, "--severity", severity, "--seed", seed + time, "--topic", "/lidar/points"]
        run([arguments.isobath, "corrupt", source, "--out", target, *options])
        if source != bag:
            shutil.rmtree(source)
        source = target
    return out


def conditions():
    """Name, severity, and what `isobath corrupt` is asked for how often."""
    yield CLEAN, 0, None
    for kind in KINDS:
        for severity in SEVERITIES:
            yield kind, severity, (kind, severity, 1)
    for name, asked in TIMES.items():
        yield name, 0, asked


def measure(arguments):
    folder = arguments.work
    bags = [bag for of_key in simulate(arguments, folder).values() for bag in of_key]
    results = {"frames_a_bag": arguments.frames, "bags": len(bags), "lidars": arguments.lidars, "models": {}}
    for model in arguments.model:
        results["models"][model.name] = {}
    for name, severity, asked in conditions():
        label = f"{name} {severity}" if severity else name
        there = bags
        if asked:
            place = folder / "corrupted" / label.replace(" ", "_")
            there = [corrupted(arguments, bag, *asked, place / bag.name) for bag in bags]
        for model in arguments.model:
            settings = [*model.settings("detection"), "--remap", "image:=/left_out"]
            out = folder / "runs" / model.folder()
            runs = replay(arguments, settings, there, out / label.replace(" ", "_") if asked else out)
            figures = evaluate(arguments, runs)["detection"]["nuscenes"]
            results["models"][model.name][label] = {key: figures[key] for key in ("map", "nds3")}
        if asked:
            # Recordings are large, and quickly made again.
            shutil.rmtree(place)
    return results


def markdown(results):
    models = results["models"]
    clean = {name: found[CLEAN]["map"] for name, found in models.items()}

    def cells(label):
        for name, found in models.items():
            value = found[label]["map"]
            yield number(value, 3)
            yield f"{100 * value / clean[name]:.0f} %" if value is not None and clean[name] else "–"

    head = ["LiDAR", "severity"]
    for name in models:
        head += [f"`{name}` map", "of clean"]
    rows = [[f"**{CLEAN}**", "", *cells(CLEAN)]]
    for name, severity, asked in conditions():
        if asked:
            label = f"{name} {severity}" if severity else name
            rows.append([name, str(severity or ""), *cells(label)])
    lidars = ", ".join(results["lidars"])
    return f"{results['bags']} recordings of {results['frames_a_bag']} sweeps, {lidars}.\n\n{table(head, rows)}"


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_arguments(parser, bags=(1, "recordings of each scene"), frames=(10, "sweeps of each recording"))
    parser.add_argument("--lidars", nargs="*", default=["hdl-64e"], choices=list(LIDARS), help="only these")
    add_block(parser, "corruptions.py")
    arguments = parser.parse_args()
    check(parser, arguments)
    return arguments


def main():
    arguments = parse_arguments()
    results = measure(arguments)
    finish(arguments, arguments.block, results, markdown(results))


if __name__ == "__main__":
    main()
