"""Accuracy of depth models on simulated test recordings, and what they make of bad radars.

    cargo build --release
    python benches/accuracy/depth.py --model depth_s --model depth_s_vision --model depth_baseline \\
        --work accuracy [--ablate depth_s] [--markdown docs/accuracy.md] [--json results.json]

Simulates recordings of every scene in `config/scenes` with seeds from 900000 on, replays each with every model, scores
them by scene and pooled with `isobath evaluate`, again with the first model's radars switched off, and with `--ablate`
with radars that fail. A model is `NAME`, `NAME:PRECISION` or the path of a model folder. What is in `--work` already is
not made again. Needs NumPy and rosbags (`tests/requirements.txt`), no ROS.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import tables
from confidence import calibration

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
FIRST_TEST_SEED = 900_000
# Seeds of a scene follow each other; those of the next scene begin after so many.
SEEDS_A_SCENE = 100


def run(command, allowed=(0,)):
    command = [str(part) for part in command]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode not in allowed:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr}")
    return done.stdout


class Model:
    """A model as it was asked for."""

    def __init__(self, text):
        self.text = text
        head, _, tail = text.rpartition(":")
        self.path, self.precision = (head, tail) if head else (text, "auto")
        self.name = Path(self.path).name + (f" {self.precision}" if head else "")
        if "/" in self.path:
            # Commands run in the root of the repository, where names of bundled models are known.
            self.path = str(Path(self.path).resolve())

    def folder(self):
        return re.sub(r"[^A-Za-z0-9_.-]", "_", self.name)

    def settings(self):
        return ["--set", f"depth.model={self.path}", "--set", f"depth.precision={self.precision}"]


def simulate(arguments, folder):
    """Recordings by scene, made where they are not there yet."""
    recordings = {}
    for number, scene in enumerate(sorted((ROOT / "config" / "scenes").glob("*.yaml"))):
        if arguments.scenes and scene.stem not in arguments.scenes:
            continue
        text, changed = re.subn(
            r"camera: \{\}", f"camera: {{width: 320, height: 240, rate_hz: {arguments.rate}}}", scene.read_text()
        )
        # Depth has nothing to do with the LiDAR; fewer beams are simulated faster.
        text = re.sub(r"model: os1-64", "model: vlp-16", text)
        if changed != 1:
            sys.exit(f"{scene}: expected one line 'camera: {{}}', found {changed}")
        file = folder / "scenes" / scene.name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        bags = []
        for bag in range(arguments.bags):
            seed = arguments.seed + SEEDS_A_SCENE * number + bag
            out = folder / "bags" / f"{scene.stem}_{seed}_{arguments.frames}_at_{arguments.rate}hz"
            if not (out / "metadata.yaml").exists():
                shutil.rmtree(out, ignore_errors=True)
                print(f"simulating {out.name}", file=sys.stderr)
                run([arguments.isobath, "simulate", file, "--frames", arguments.frames, "--seed", seed, "--out", out])
            bags.append(out)
        recordings[scene.stem] = bags
    return recordings


def replay(arguments, model, bags, folder, more=()):
    """Runs of the model alone, one a recording."""
    runs = []
    for bag in bags:
        out = folder / bag.name
        if not (out / "run.json").exists():
            shutil.rmtree(out, ignore_errors=True)
            print(f"replaying {out.relative_to(arguments.work)}", file=sys.stderr)
            # Without its input the node for detection is left out.
            without = ["--remap", "lidar/points:=/left_out"]
            run([arguments.isobath, "replay", bag, "--out", out, *model.settings(), *without, *more])
        runs.append(out)
    return runs


def evaluate(arguments, runs, more=()):
    return json.loads(run([arguments.isobath, "evaluate", *runs, "--json", *more]))


def score(arguments, model, recordings, folder, more=()):
    """Figures by scene and pooled, and the runs they are of."""
    runs = {scene: replay(arguments, model, bags, folder, more) for scene, bags in recordings.items()}
    pooled = [run for of_scene in runs.values() for run in of_scene]
    figures = {scene: evaluate(arguments, of_scene)["depth"] for scene, of_scene in runs.items()}
    # Last, so that the page beside the first run is that of all.
    figures["pooled"] = evaluate(arguments, pooled)["depth"]
    return figures, pooled


def measure(arguments):
    folder = arguments.work
    recordings = simulate(arguments, folder)
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
        results["models"][model.name] = result
    return results


def write_block(path, text):
    """Replaces what stands between the two markers in a Markdown file."""
    begin, end = "<!-- depth.py: begin -->", "<!-- depth.py: end -->"
    page = path.read_text()
    if begin not in page or end not in page:
        sys.exit(f"{path}: expected the lines {begin} and {end}")
    before, rest = page.split(begin, 1)
    path.write_text(f"{before}{begin}\n{text}\n{end}{rest.split(end, 1)[1]}")


def parse_arguments():
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", action="append", type=Model, required=True, help="NAME[:PRECISION] or a folder")
    parser.add_argument("--ablate", action="append", default=[], metavar="MODEL", help="one of those, as it is given")
    parser.add_argument("--ablate-seed", type=int, default=0)
    parser.add_argument("--work", type=Path, required=True, help="folder for recordings and runs")
    parser.add_argument("--bags", type=int, default=6, help="recordings of each scene")
    parser.add_argument("--frames", type=int, default=20, help="images of each recording")
    parser.add_argument("--rate", type=float, default=2.0, help="images a second")
    parser.add_argument("--seed", type=int, default=FIRST_TEST_SEED, help="the first, from 900000 on")
    parser.add_argument("--scenes", nargs="*", default=[], help="only these of config/scenes")
    parser.add_argument("--no-without-radar", action="store_true", help="leave out the first model without radar")
    parser.add_argument("--isobath", type=Path, default=target / "release" / "isobath", help="our command")
    parser.add_argument("--markdown", type=Path, help="file whose block of tables is replaced")
    parser.add_argument("--json", type=Path, help="file for all figures")
    arguments = parser.parse_args()
    arguments.work = arguments.work.resolve()
    if arguments.seed < FIRST_TEST_SEED:
        parser.error(f"--seed: expected {FIRST_TEST_SEED} or more: models may be trained on those below")
    if not 1 <= arguments.bags <= SEEDS_A_SCENE:
        parser.error(f"--bags: expected 1 to {SEEDS_A_SCENE}, found {arguments.bags}")
    known = {model.text for model in arguments.model}
    for model in arguments.ablate:
        if model not in known:
            parser.error(f"--ablate: expected one of {', '.join(sorted(known))}, found {model}")
    if not arguments.isobath.exists():
        sys.exit(f"{arguments.isobath} is missing: cargo build --release")
    arguments.isobath = arguments.isobath.resolve()
    return arguments


def main():
    arguments = parse_arguments()
    results = measure(arguments)
    text = tables.markdown(results)
    print(text)
    if arguments.markdown:
        write_block(arguments.markdown, text)
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
