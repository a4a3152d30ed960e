"""Runs of detection models on the same recordings, compared sweep by sweep."""

import json
import shutil
import sys

from common import run


def replayed(arguments, model, bags, name):
    """One run of all recordings, evaluated."""
    out = arguments.work / "runs" / name
    if not (out / "report.json").exists():
        shutil.rmtree(out, ignore_errors=True)
        print(f"replaying {name}", file=sys.stderr)
        settings = [*model.settings("detection"), "--remap", "image:=/left_out"]
        run([arguments.isobath, "replay", *bags, "--out", out, *settings])
        run([arguments.isobath, "evaluate", out, "--json"])
    return out


def figures(arguments, of, base):
    """Of a run, and its differences from `base`, with intervals of a paired bootstrap (`isobath compare`)."""
    found = json.loads((of / "report.json").read_text())["detection"]
    result = {"frames": found["frames"], "map": found["nuscenes"]["map"], "nds3": found["nuscenes"]["nds3"]}
    if of != base:
        told = of / f"beside_{base.name}.json"
        # Made again with either of the runs.
        if not told.exists() or told.stat().st_mtime < (base / "report.json").stat().st_mtime:
            told.write_text(run([arguments.isobath, "compare", base, of, "--json"], allowed=(0, 4)))
        rows = {row["key"]: row for row in json.loads(told.read_text())["figures"]}
        result["differences"] = {name: rows[f"detection.nuscenes.{name}"] for name in ("map", "nds3")}
    return result


def difference(row):
    """With its interval, as a cell of a table."""
    ends = row["interval"]
    return f"{row['difference']:+.4f}" + (f" ({ends[0]:+.4f} to {ends[1]:+.4f})" if ends else "")
