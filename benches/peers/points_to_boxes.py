"""From the message of a LiDAR to encoded boxes, on one core: the sparse detector beside its dense twin.

    cargo build --release
    python benches/peers/points_to_boxes.py --input RECORDING [--input …] --markdown docs/performance.md

Runs `isobath bench` on each recording: all networks take turns frame by frame. A second run holds the sparse networks to
the kernels of AVX2. Times are medians over frames; ratios are to the dense twin in floats and in 8 bits, in one run.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "benches" / "accuracy"))

from common import write_block  # noqa: E402
from tables import number, table  # noqa: E402

MODELS = ("detector_s", "detector_s_dense")
PRECISIONS = "sparse_int8,sparse_fp32,int8,fp32"
# What the others are compared with.
TWIN = "detector_s_dense"


def bench(arguments, recording, kernels=None):
    command = [arguments.isobath, "bench", *MODELS, "--precision", PRECISIONS, "--frames", str(arguments.frames), "--json"]
    if recording:
        command += ["--input", str(recording)]
    changed = {"ISOBATH_SPARSE_KERNELS": kernels} if kernels else {}
    done = subprocess.run(command, cwd=ROOT, env=os.environ | changed, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}:\n{done.stderr}")
    return json.loads(done.stdout)


def total(run, key="p50"):
    return run["stages_ms"]["total"][key]


def rows(found):
    """A row for each network of a run, beside the twin of the same run."""
    runs = {(run["model"], run["precision"]): run for run in found["runs"]}
    floats, bytes_ = (total(runs[TWIN, precision]) for precision in ("fp32", "int8"))
    for (model, precision), run in runs.items():
        if model == TWIN or precision.startswith("sparse"):
            kernel = found["sparse_kernels"]["int8" if precision == "sparse_int8" else "f32"]
            stage = run["stages_ms"]
            yield [
                f"`{model}` {precision}" + (f", {kernel}" if precision.startswith("sparse") else ""),
                *(number(stage[name]["p50"], 2) for name in ("preprocess", "inference", "postprocess")),
                number(total(run), 2), number(total(run, "p99"), 2),
                f"{floats / total(run):.1f}", f"{bytes_ / total(run):.1f}", number(run["max_rss_mb"], 0),
            ]  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--input", type=Path, action="append", default=[], help="recordings; without: a simulated warehouse")
    parser.add_argument("--frames", type=int, default=40, help="frames of each network that count")
    parser.add_argument("--kernels", nargs="*", default=["avx2"], help="kernels of further runs")
    parser.add_argument("--isobath", type=Path, default=ROOT / "target/release/isobath", help="our command")
    parser.add_argument("--markdown", type=Path, help="file whose block of tables is replaced")
    arguments = parser.parse_args()
    head = ["ms", "preprocess", "inference", "postprocess", "total", "p99", "faster than twin fp32", "than its int8", "memory MB"]
    parts = []
    for recording in arguments.input or [None]:
        for kernels in [None, *arguments.kernels]:
            found = bench(arguments, recording, kernels)
            name = recording.name if recording else found["input"]
            held = f", sparse kernels held to {kernels}" if kernels else ""
            told = f"{name}: {found['occupancy'] * 100:.1f} % of the cells have points{held}."
            lines = [row for row in rows(found) if not kernels or "sparse" in row[0]]
            parts.append(f"{told}\n\n{table(head, lines)}")
    text = "\n\n".join([f"{found['cpu']}, {arguments.frames} frames of each.", *parts])
    print(text)
    if arguments.markdown:
        write_block(arguments.markdown, "points_to_boxes.py", text)


if __name__ == "__main__":
    main()
