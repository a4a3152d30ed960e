"""What a model's card and manifest tell of `isobath evaluate … --json` on test recordings."""

import json
from pathlib import Path

# Name of the figure and where it is in the report.
DEPTH = {"abs_rel": "abs_rel", "delta1": "delta1", "rmse_m": "rmse", "coverage": "coverage", "images": "frames"}
DETECTION = {"map": "map", "nds3": "nds3", "ate_m": "ate", "ase": "ase", "aoe_rad": "aoe"}


def measured(report: Path, kind: str) -> dict[str, float]:
    """Figures of a report for models of `kind`, depth or detection."""
    found = json.loads(report.read_text()).get(kind)
    if not found:
        raise SystemExit(f"{report}: expected a report of `isobath evaluate --json` with {kind}, found none")
    if kind == "depth":
        return pick(found, DEPTH)
    scores = found["nuscenes"]
    classes = {f"ap_{name}": row["ap"] for name, row in scores["per_class"].items() if row["truth"] > 0}
    return {"sweeps": found["frames"]} | pick(scores, DETECTION) | pick(classes, {name: name for name in classes})


def pick(found: dict, names: dict[str, str]) -> dict[str, float]:
    """What was measured of `names`, to four digits."""
    return {name: float(f"{found[key]:.4g}") for name, key in names.items() if found.get(key) is not None}


def table(measured: dict[str, float]) -> str:
    """The figures of the manifest, for people."""
    rows = [f"| {key} | {value:.4g} |" for key, value in measured.items()]
    return "\n".join(["| measured on simulated test recordings | |", "|---|---|", *rows]) if rows else "Not measured."
