"""Accuracy of detection models on simulated test recordings of several LiDARs.

    cargo build --release
    python benches/accuracy/detection.py --model detector_s --model detection_baseline \\
        --work accuracy [--markdown docs/accuracy.md] [--json results.json]

Simulates recordings of every scene in `config/scenes` with LiDARs of 16 to 128 beams and seeds from 900000 on, replays
each with every model and scores them with `isobath evaluate`: pooled, by scene, by LiDAR, by range. A model is `NAME`,
`NAME:PRECISION` or the path of a model folder. What is in `--work` already is not made again. Needs no ROS.
"""

import argparse
import re
import sys

from common import SEEDS_A_SCENE, add_arguments, check, evaluate, finish, record, replay, scenes
from tables import number, table

# Beams of each LiDAR.
LIDARS = {"vlp-16": 16, "hdl-32e": 32, "hdl-64e": 64, "os1-64": 64, "os1-128": 128}
FEW_BEAMS = 16
CLASSES = ("car", "truck", "bus", "bicycle", "pedestrian", "forklift", "pallet")


def simulate(arguments, folder):
    """Recordings by scene and LiDAR."""
    recordings = {}
    for number, scene in scenes(arguments):
        for place, lidar in enumerate(arguments.lidars):
            # Detection has nothing to do with the camera; a small one is simulated fast.
            text = re.sub(r"camera: \{\}", "camera: {width: 64, height: 48}", scene.read_text())
            text, changed = re.subn(r"lidar: \{.*\}", f"lidar: {{model: {lidar}, height_m: [0.5, 1.9]}}", text)
            if changed != 1:
                sys.exit(f"{scene}: expected one line 'lidar: {{…}}', found {changed}")
            file = folder / "scenes" / f"{scene.stem}-{lidar}.yaml"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
            # Every LiDAR in worlds of its own.
            first = arguments.seed + SEEDS_A_SCENE * number + place * arguments.bags
            recordings[scene.stem, lidar] = [
                record(
                    arguments, file, folder / "bags" / f"{file.stem}_{seed}_{arguments.frames}", arguments.frames, seed
                )
                for seed in range(first, first + arguments.bags)
            ]
    return recordings


def figures(arguments, runs):
    """What `isobath evaluate` tells of these runs."""
    found = evaluate(arguments, runs)["detection"]
    return {"frames": found["frames"], **found["nuscenes"]}


def measure(arguments):
    folder = arguments.work
    recordings = simulate(arguments, folder)
    results = {"frames_a_bag": arguments.frames, "bags": arguments.bags, "seed": arguments.seed, "models": {}}
    for model in arguments.model:
        # Without its input the node for depth is left out.
        settings = [*model.settings("detection"), "--remap", "image:=/left_out"]
        out = folder / "runs" / model.folder()
        runs = {key: replay(arguments, settings, bags, out) for key, bags in recordings.items()}

        def pooled(of, runs=runs):
            return figures(arguments, [run for key, of_key in runs.items() if of(*key) for run in of_key])

        names = sorted({scene for scene, _ in recordings})
        results["models"][model.name] = {
            "scenes": {name: pooled(lambda scene, _, name=name: scene == name) for name in names},
            "lidars": {lidar: pooled(lambda _, of, lidar=lidar: of == lidar) for lidar in arguments.lidars},
            "many_beams": pooled(lambda _, lidar: LIDARS[lidar] > FEW_BEAMS),
            # Last, so that the page beside the first run is that of all.
            "pooled": pooled(lambda *_: True),
        }
    return results


def markdown(results):
    models = results["models"]
    names = [f"`{name}`" for name in models]
    first = next(iter(models.values()))
    rows = []
    for label, of in (
        ("**all**", lambda m: m["pooled"]),
        ("more than 16 beams", lambda m: m["many_beams"]),
        *((lidar, lambda m, lidar=lidar: m["lidars"][lidar]) for lidar in first["lidars"]),
        *((scene, lambda m, scene=scene: m["scenes"][scene]) for scene in first["scenes"]),
    ):
        cells = [cell for m in models.values() for cell in (number(of(m)["map"], 3), number(of(m)["nds3"], 3))]
        rows.append([label, str(of(first)["frames"]), *cells])
    head = ["recordings", "sweeps", *(cell for name in names for cell in (f"{name} map", "nds3"))]
    text = table(head, rows)
    head = ["class", "truth", *(cell for name in names for cell in (f"{name} AP", "ATE m", "ASE", "AOE rad"))]
    rows = []
    for label in CLASSES:
        found = [m["pooled"]["per_class"].get(label) for m in models.values()]
        # What has no truth was not measured.
        found = [f if f and f["truth"] > 0 else None for f in found]
        if any(found):
            cells = [number(f and f[key], 3) for f in found for key in ("ap", "ate", "ase", "aoe")]
            rows.append([label, str(next(f["truth"] for f in found if f)), *cells])
    by_part = f"AP of `{next(iter(models))}` by class, range and LiDAR:\n\n{parts(first)}"
    return f"{text}\n\n{table(head, rows)}\n\n{by_part}"


def parts(of_model):
    """AP of a model's classes in steps of range and by LiDAR."""
    ranges = {f"{row['min_m']:.0f} to {row['max_m']:.0f} m": row for row in of_model["pooled"]["by_range"]}
    lidars = {
        lidar: found | {"per_class": {label: of["ap"] for label, of in found["per_class"].items() if of["truth"] > 0}}
        for lidar, found in of_model["lidars"].items()
    }
    rows = [
        [label, number(found["map"], 3), *(number(found["per_class"].get(name), 3) for name in CLASSES)]
        for label, found in (ranges | lidars).items()
    ]
    return table(["", "map", *CLASSES], rows)


def parse_sweeps(parser):
    """What all tables over these recordings are told."""
    add_arguments(parser, bags=(4, "recordings of each LiDAR in each scene"), frames=(10, "sweeps of each recording"))
    parser.add_argument("--lidars", nargs="*", default=list(LIDARS), choices=list(LIDARS), help="only these")
    arguments = parser.parse_args()
    check(parser, arguments)
    if arguments.bags * len(arguments.lidars) > SEEDS_A_SCENE:
        parser.error(f"--bags: expected at most {SEEDS_A_SCENE // len(arguments.lidars)} for each LiDAR")
    return arguments


def main():
    arguments = parse_sweeps(argparse.ArgumentParser(description=__doc__.splitlines()[0]))
    results = measure(arguments)
    finish(arguments, "detection.py", results, markdown(results))


if __name__ == "__main__":
    main()
