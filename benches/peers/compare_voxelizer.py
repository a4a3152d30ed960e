"""Our pillar voxelizers beside spconv's `PointToVoxel`: 120,000 and 2,000,000 points of one sweep, one thread.

    pip install spconv==2.3.8 torch==2.15.0
    python benches/peers/compare_voxelizer.py --markdown docs/performance.md

spconv's is the CPU version of its last release that PyPI has. The sweep is that of `benches/voxelizer.rs`: 64 beams in a
hall of 60 m x 40 m, on a grid of 256 x 256 pillars of 0.4 m with at most 32 points. Ours are timed by criterion, spconv's
here, in turn; the table has the medians over the rounds. Features are not part of it on either side, but
`points to statistics` has them and the ground plane as well.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "benches" / "accuracy"))

from common import write_block  # noqa: E402
from tables import table  # noqa: E402

COLUMNS = {"120k": 1875, "2M": 31_250}
OURS = {
    "points in pillars": "points sorted into pillars",
    "points in active pillars, with statistics": "points to statistics of active pillars",
}


def sweep(columns):
    """x, y, z, intensity of the points, [n, 4] float32."""
    azimuth = np.repeat(np.arange(columns) * 2 * np.pi / columns, 64)
    elevation = np.radians(np.tile(-25 + np.arange(64) * 40 / 63, columns))
    direction = np.stack(
        [np.cos(azimuth) * np.cos(elevation), np.sin(azimuth) * np.cos(elevation), np.sin(elevation)], 1
    )
    with np.errstate(divide="ignore"):
        up = np.where(direction[:, 2] < 0, -1.8 / direction[:, 2], 6 / direction[:, 2])
        range_m = np.minimum.reduce([30 / np.abs(direction[:, 0]), 20 / np.abs(direction[:, 1]), up])
    range_m = np.minimum(range_m, 120)
    intensity = (np.repeat(np.arange(columns), 64) % 256) / 255
    return np.column_stack([direction * range_m[:, None], intensity]).astype(np.float32)


def spconv_ms(columns, repeats):
    """Median time of `PointToVoxel` and the voxels it makes."""
    import torch
    from spconv.pytorch.utils import PointToVoxel

    torch.set_num_threads(1)
    generator = PointToVoxel([0.4, 0.4, 12.0], [-51.2, -51.2, -5.0, 51.2, 51.2, 7.0], 4, 40_000, 32)
    points = torch.from_numpy(sweep(columns))
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        voxels, *_ = generator(points)
        times.append(time.perf_counter() - start)
    return 1e3 * statistics.median(times), len(voxels)


def ours_ms(name, size):
    command = ["cargo", "bench", "--bench", "voxelizer", "--", f"{name}/{size}$", "--measurement-time", "3"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(done.stderr)
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    path = target / "criterion" / "voxelizer" / name / size / "new" / "estimates.json"
    return json.loads(path.read_text())["median"]["point_estimate"] / 1e6


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--markdown", type=Path, help="file whose block of tables is replaced")
    arguments = parser.parse_args()
    rows = []
    for size, columns in COLUMNS.items():
        times = {name: [] for name in [*OURS, "spconv"]}
        for turn in range(arguments.rounds):
            print(f"{size}, round {turn + 1}", file=sys.stderr)
            for name, bench in OURS.items():
                times[name].append(ours_ms(bench, size))
            found, pillars = spconv_ms(columns, 60 if size == "120k" else 10)
            times["spconv"].append(found)
        medians = {name: statistics.median(values) for name, values in times.items()}
        peer = medians.pop("spconv")
        cells = [cell for name in OURS for cell in (f"{medians[name]:.2f} ms", f"{peer / medians[name]:.1f}")]
        rows.append([f"{columns * 64:,} points, {pillars:,} pillars", f"{peer:.2f} ms", *cells])
    head = ["sweep", "spconv `PointToVoxel`", *(cell for name in OURS for cell in (name, "times faster"))]
    text = table(head, rows)
    print(text)
    if arguments.markdown:
        write_block(arguments.markdown, "compare_voxelizer.py", text)


if __name__ == "__main__":
    main()
