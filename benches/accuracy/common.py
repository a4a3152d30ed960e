"""What the accuracy tables share: models as they are asked for, recordings, runs, blocks of Markdown."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

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

    def settings(self, node):
        return ["--set", f"{node}.model={self.path}", "--set", f"{node}.precision={self.precision}"]


def record(arguments, file, out, frames, seed):
    """A recording of the scene `file`, made where it is not there yet."""
    if not (out / "metadata.yaml").exists():
        shutil.rmtree(out, ignore_errors=True)
        print(f"simulating {out.name}", file=sys.stderr)
        run([arguments.isobath, "simulate", file, "--frames", frames, "--seed", seed, "--out", out])
    return out


def replay(arguments, settings, bags, folder):
    """Runs with `settings`, one a recording."""
    runs = []
    for bag in bags:
        out = folder / bag.name
        if not (out / "run.json").exists():
            shutil.rmtree(out, ignore_errors=True)
            print(f"replaying {out.relative_to(arguments.work)}", file=sys.stderr)
            run([arguments.isobath, "replay", bag, "--out", out, *settings])
        runs.append(out)
    return runs


def evaluate(arguments, runs, more=()):
    return json.loads(run([arguments.isobath, "evaluate", *runs, "--json", *more]))


def write_block(path, name, text):
    """Replaces what stands between the two markers of `name` in a Markdown file."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    page = path.read_text()
    if begin not in page or end not in page:
        sys.exit(f"{path}: expected the lines {begin} and {end}")
    before, rest = page.split(begin, 1)
    path.write_text(f"{before}{begin}\n{text}\n{end}{rest.split(end, 1)[1]}")


def add_arguments(parser, bags=None, frames=None):
    """The arguments that all tables have; `bags` where recordings are made, `frames` where they are simulated."""
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    parser.add_argument("--model", action="append", type=Model, required=True, help="NAME[:PRECISION] or a folder")
    parser.add_argument("--work", type=Path, required=True, help="folder for recordings and runs")
    if bags:
        parser.add_argument("--bags", type=int, default=bags[0], help=bags[1])
    if frames:
        parser.add_argument("--frames", type=int, default=frames[0], help=frames[1])
        parser.add_argument("--seed", type=int, default=FIRST_TEST_SEED, help="the first, from 900000 on")
        parser.add_argument("--scenes", nargs="*", default=[], help="only these of config/scenes")
    parser.add_argument("--isobath", type=Path, default=target / "release" / "isobath", help="our command")
    parser.add_argument("--markdown", type=Path, help="file whose block of tables is replaced")
    parser.add_argument("--json", type=Path, help="file for all figures")


def add_block(parser, name):
    """For scripts that make several tables of a page."""
    parser.add_argument("--block", default=name, help="name between the markers of the Markdown file")


def check(parser, arguments):
    arguments.work = arguments.work.resolve()
    if getattr(arguments, "seed", FIRST_TEST_SEED) < FIRST_TEST_SEED:
        parser.error(f"--seed: expected {FIRST_TEST_SEED} or more: models may be trained on those below")
    if not 1 <= getattr(arguments, "bags", 1) <= SEEDS_A_SCENE:
        parser.error(f"--bags: expected 1 to {SEEDS_A_SCENE}, found {arguments.bags}")
    if not arguments.isobath.exists():
        sys.exit(f"{arguments.isobath} is missing: cargo build --release")
    arguments.isobath = arguments.isobath.resolve()


def finish(arguments, name, results, text):
    """Shows the tables and writes them where that was asked for."""
    print(text)
    if arguments.markdown:
        write_block(arguments.markdown, name, text)
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=2))


def scenes(arguments):
    """Numbers and files of the scenes asked for."""
    files = enumerate(sorted((ROOT / "config" / "scenes").glob("*.yaml")))
    return [(number, file) for number, file in files if not arguments.scenes or file.stem in arguments.scenes]
