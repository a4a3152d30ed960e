"""Frames to train on, made by `isobath simulate --arrays`."""

import shutil
import subprocess
from pathlib import Path

# The first seed of each split. Nothing is trained on the others, and nothing is tuned on the test split.
SPLITS = {"train": 0, "validation": 800_000, "test": 900_000}


def find_isobath(given: str | None) -> str:
    """The command: the one given, the one on the path, or the one built in this checkout."""
    built = [Path(__file__).parents[2] / "target" / profile / "isobath" for profile in ("release", "debug")]
    found = given or shutil.which("isobath") or next((str(path) for path in built if path.exists()), None)
    if found is None:
        raise SystemExit("no `isobath` command: build it with `cargo build --release`, or give --isobath")
    return found


def export_data(
    scenes: list[Path],
    split: str,
    frames: int,
    out: Path,
    *,
    sensors: str = "camera,radar",
    image_size: str = "320x240",
    isobath: str | None = None,
) -> None:
    command = [find_isobath(isobath), "simulate", *map(str, scenes), "--arrays", "--out", str(out)]
    command += ["--frames", str(frames), "--seed", str(SPLITS[split]), "--sensors", sensors]
    command += ["--image-size", image_size]
    if (code := subprocess.run(command, check=False).returncode) != 0:
        raise SystemExit(code)
