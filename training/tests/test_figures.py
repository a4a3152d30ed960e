"""What cards tell of a report."""

import json

import pytest
from isobath_training.figures import measured, table


def test_figures_are_those_of_the_report(tmp_path):
    scores = {"map": 0.61234, "nds3": 0.5, "ate": None, "ase": 0.2, "aoe": 0.3}
    scores["per_class"] = {"car": {"ap": 0.7, "truth": 9}, "bus": {"ap": 0.0, "truth": 0}}
    depth = {"abs_rel": 0.123456, "delta1": 0.9, "rmse": 1.5, "coverage": 1.0, "frames": 12, "silog": 3.0}
    report = tmp_path / "report.json"
    report.write_text(json.dumps({"depth": depth, "detection": {"frames": 8, "nuscenes": scores}}))
    assert measured(report, "depth") == {
        "abs_rel": 0.1235, "delta1": 0.9, "rmse_m": 1.5, "coverage": 1.0, "images": 12,
    }  # fmt: skip
    found = measured(report, "detection")
    # What has no truth was not measured.
    assert found == {"sweeps": 8, "map": 0.6123, "nds3": 0.5, "ase": 0.2, "aoe_rad": 0.3, "ap_car": 0.7}
    assert "| map | 0.6123 |" in table(found) and table({}) == "Not measured."
    report.write_text(json.dumps({"depth": None}))
    with pytest.raises(SystemExit, match="with detection, found none"):
        measured(report, "detection")
