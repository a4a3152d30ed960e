"""Frames to train on, made by `isobath simulate --arrays`."""

import shutil
import subprocess
import tempfile
from pathlib import Path

# The first seed of each split. Nothing is trained on the others, and nothing is tuned on the test split.
SPLITS = {"train": 0, "validation": 800_000, "test": 900_000}

# The line of a scene file that leaves the camera as it is, and one that puts it anywhere on any robot.
CAMERA = "  camera: {}\n"
ANY_CAMERA = "  camera: {pitch_deg: [-10, 40], height_m: [0.25, 2.0], hfov_deg: [45, 95]}\n"


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
    first_seed: int = 0,
    any_mount: bool = False,
    frames_per_scene: int = 4,
    every: int = 7,
    sensors: str = "camera,radar",
    image_size: str = "320x240",
    isobath: str | None = None,
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        if any_mount:
            scenes = [with_any_mount(scene, Path(folder)) for scene in scenes]
        simulate(
            scenes, split, frames, out, first_seed=first_seed, sensors=sensors, image_size=image_size,
            frames_per_scene=frames_per_scene, every=every, isobath=isobath,
        )  # fmt: skip


def simulate(
    scenes: list[Path],
    split: str,
    frames: int,
    out: Path,
    *,
    first_seed: int,
    sensors: str,
    frames_per_scene: int,
    every: int,
    image_size: str = "320x240",
    isobath: str | None = None,
) -> None:
    """Runs `isobath simulate --arrays`."""
    command = [find_isobath(isobath), "simulate", *map(str, scenes), "--arrays", "--out", str(out)]
    command += ["--frames", str(frames), "--seed", str(SPLITS[split] + first_seed), "--sensors", sensors]
    command += ["--image-size", image_size]
    command += ["--frames-per-scene", str(frames_per_scene), "--every", str(every)]
    if (code := subprocess.run(command, check=False).returncode) != 0:
        raise SystemExit(code)


def with_any_mount(scene: Path, folder: Path) -> Path:
    """A copy of a scene file in `folder` whose camera may be mounted anywhere."""
    text = scene.read_text()
    if text.count(CAMERA) != 1:
        raise SystemExit(f"{scene}: expected the line {CAMERA.strip()!r} once")
    copy = folder / scene.name
    copy.write_text(text.replace(CAMERA, ANY_CAMERA))
    return copy
