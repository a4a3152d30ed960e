"""`isobath replay` and `isobath evaluate` beside the same work in Python, on one recording, in turn.

    cargo build --release
    python benches/peers/compare_replay.py [--markdown docs/performance.md] [--json results.json]

Simulates a recording, then runs whole processes, several rounds of them: ours, the peer, and the peer without
writing its outputs. Ends with an error if the figures of the two differ. Needs no ROS. The first run makes a
virtual environment beside this file from `requirements_replay.txt`.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
VENV = HERE / ".venv_replay"
REQUIREMENTS = HERE / "requirements_replay.txt"
# Relative; the two enlarge depth images with different rounding.
DEPTH_AGREEMENT = 1e-5
# Absolute; the boxes are the same.
DETECTION_AGREEMENT = 1e-6
# The peer leaves points where they are, and takes the scan of the image alone.
SETTINGS = ["--set", "detection.deskew_frame=", "--set", "depth.radar_scans=1"]


def ensure_venv():
    if Path(sys.prefix) == VENV:
        return
    python = VENV / "bin" / "python"
    marker = VENV / "requirements.txt"
    wanted = REQUIREMENTS.read_text()
    if not marker.exists() or marker.read_text() != wanted:
        print(f"making {VENV.relative_to(ROOT)}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", VENV], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "-r", REQUIREMENTS], check=True)
        marker.write_text(wanted)
    os.execv(python, [str(python), *sys.argv])


def run(command):
    """Wall and CPU seconds and peak memory of a process, and what it wrote to stdout."""
    command = [str(part) for part in command]
    start = time.monotonic()
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=errors, text=True)
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        wall_s = time.monotonic() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        process.stdout.close()
        if process.returncode != 0:
            errors.seek(0)
            sys.exit(f"{' '.join(command)} ended with {process.returncode}:\n{errors.read()}")
    figures = {
        "wall_s": wall_s,
        "cpu_s": usage.ru_utime + usage.ru_stime,
        "rss_mb": usage.ru_maxrss / 1024,
    }
    return figures, output


def ours(isobath, bag, out):
    replay, _ = run([isobath, "replay", bag, "--out", out, *SETTINGS])
    evaluate, output = run([isobath, "evaluate", out, "--json"])
    figures = {key: replay[key] + evaluate[key] for key in ("wall_s", "cpu_s")}
    figures["rss_mb"] = max(replay["rss_mb"], evaluate["rss_mb"])
    figures["replay_s"], figures["evaluate_s"] = replay["cpu_s"], evaluate["cpu_s"]
    return figures, json.loads(output)


def peer(bag, out, more):
    figures, output = run([sys.executable, HERE / "replay_peer.py", bag, "--out", out, *more])
    return figures, json.loads(output)


def take_off(figures, inference_s, inference_wall_s):
    figures["inference_s"] = inference_s
    figures["cpu_rest_s"] = figures["cpu_s"] - inference_s
    figures["wall_rest_s"] = figures["wall_s"] - inference_wall_s


def difference(report, other):
    """What differs in the figures, or None: speeds are comparable only if both have done the same work."""
    for key, value in other["depth"].items():
        found = report["depth"][key]
        if abs(found - value) > DEPTH_AGREEMENT * abs(value):
            return f"depth.{key}: {found} and {value}"
    nuscenes = report["detection"]["nuscenes"]
    for name, figures in other["detection"]["per_class"].items():
        for key, value in figures.items():
            found = nuscenes["per_class"][name][key]
            if abs(found - value) > DETECTION_AGREEMENT:
                return f"detection.{name}.{key}: {found} and {value}"
    if abs(nuscenes["map"] - other["detection"]["map"]) > DETECTION_AGREEMENT:
        return f"detection.map: {nuscenes['map']} and {other['detection']['map']}"
    return None


def measure(arguments, folder):
    bag = folder / "recording"
    scene = ROOT / "config" / "scenes" / f"{arguments.scene}.yaml"
    simulate = ["--frames", arguments.frames, "--seed", arguments.seed, "--out", bag]
    run([arguments.isobath, "simulate", scene, *simulate])
    rounds = {"ours": [], "peer": [], "peer_scores": []}
    for number in range(arguments.rounds):
        out = {name: folder / f"{name}_{number}" for name in rounds}
        figures, report = ours(arguments.isobath, bag, out["ours"])
        rounds["ours"].append(figures)
        for name, more in [("peer", []), ("peer_scores", ["--no-record"])]:
            figures, other = peer(bag, out[name], more)
            rounds[name].append(figures)
            if found := difference(report, other):
                sys.exit(f"the figures differ: {found}")
            # The same networks on the same library with one thread: what they take is measured in the peer, in CPU
            # time, and taken off from all. Our pipelines run side by side: the slower one is on the way to the end.
            inference = other["inference_s"].values()
            take_off(figures, sum(inference), sum(inference))
            take_off(rounds["ours"][-1], sum(inference), max(inference))
        subprocess.run(["rm", "-rf", *out.values()], check=True)
        done = {name: f"{runs[-1]['wall_s']:.2f} s, CPU {runs[-1]['cpu_s']:.2f} s" for name, runs in rounds.items()}
        print(f"round {number + 1}: {done}", file=sys.stderr)
    return rounds


ROWS = [
    ("whole, wall time", "wall_s", "{:.2f} s"),
    ("whole, CPU", "cpu_s", "{:.2f} s"),
    ("inference", "inference_s", "{:.2f} s"),
    ("**CPU without inference**", "cpu_rest_s", "**{:.2f} s**"),
    ("**wall time without inference**", "wall_rest_s", "**{:.2f} s**"),
    ("peak memory (RSS)", "rss_mb", "{:.0f} MB"),
]


def markdown(medians, arguments):
    model = next(
        line.split(":", 1)[1].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    )
    lines = [
        f"{model}, {os.cpu_count()} cores; Python {sys.version.split()[0]}; {arguments.frames} frames of "
        f"{arguments.scene}; medians of {arguments.rounds} rounds.",
        "",
        "| | Isobath | Python | ratio | Python, scores only | ratio |",
        "|---|---|---|---|---|---|",
    ]
    for title, key, form in ROWS:
        cells = [form.format(medians["ours"][key])]
        for name in ("peer", "peer_scores"):
            cells.append(form.format(medians[name][key]))
            ratio = medians[name][key] / medians["ours"][key]
            cells.append("" if key == "inference_s" else f"{ratio:.1f}")
        lines.append(f"| {title} | {' | '.join(cells)} |")
    split = medians["ours"]
    lines += ["", f"Of our CPU, `replay` takes {split['replay_s']:.2f} s and `evaluate` {split['evaluate_s']:.2f} s."]
    return "\n".join(lines)


def write_block(path, text):
    """Replaces what stands between the two markers in a Markdown file."""
    begin, end = "<!-- compare_replay.py: begin -->", "<!-- compare_replay.py: end -->"
    page = path.read_text()
    if begin not in page or end not in page:
        sys.exit(f"{path}: expected the lines {begin} and {end}")
    before, rest = page.split(begin, 1)
    path.write_text(f"{before}{begin}\n{text}\n{end}{rest.split(end, 1)[1]}")


def parse_arguments():
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scene", default="street", help="one of config/scenes")
    parser.add_argument("--frames", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--isobath", type=Path, default=target / "release" / "isobath", help="our command")
    parser.add_argument("--markdown", type=Path, help="file whose block of tables is replaced")
    parser.add_argument("--json", type=Path, help="file for all figures")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    if not arguments.isobath.exists():
        sys.exit(f"{arguments.isobath} is missing: cargo build --release")
    with tempfile.TemporaryDirectory() as folder:
        rounds = measure(arguments, Path(folder))
    medians = {
        name: {key: statistics.median(run[key] for run in runs) for key in runs[0]} for name, runs in rounds.items()
    }
    text = markdown(medians, arguments)
    print(text)
    if arguments.markdown:
        write_block(arguments.markdown, text)
    if arguments.json:
        arguments.json.write_text(json.dumps({"rounds": rounds, "medians": medians}, indent=2))


if __name__ == "__main__":
    ensure_venv()
    main()
