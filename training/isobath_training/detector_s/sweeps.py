"""Simulated sweeps with their boxes, packed: eight bytes a point.

`isobath simulate --arrays` writes 24 bytes a point. A network sees each sweep some twenty times, so all of them are
kept in the page cache or read from the disk again and again.
"""

import json
import shutil
import tempfile
from pathlib import Path

import numpy as np

from ..arrays import FIRST_HELD_BACK_SEED, Arrays, Ragged
from ..export_data import simulate

# A step of a coordinate, metres; points further than this from the sensor are left out.
STEP_M, FARTHEST_M = 0.004, 78.0
POINT = np.dtype([("xyz", "<i2", 3), ("intensity", "u1"), ("ring", "u1")])
# What an intensity of 255 is in the arrays.
FULL_INTENSITY = 255.0
LIDARS = ("vlp-16", "hdl-32e", "hdl-64e", "os1-64", "os1-128")
# Where a LiDAR is mounted, metres over the ground.
HEIGHT_M = (0.35, 2.0)
# Frames simulated at once: bounds the disk that raw arrays take.
CHUNK = 600


def pack(points: np.ndarray, columns: list[str]) -> np.ndarray:
    """Rows of `lidar.npy` → the points that a grid of any turn may see."""
    column = {name: points[:, index] for index, name in enumerate(columns)}
    near = np.hypot(column["x"], column["y"]) < FARTHEST_M
    near &= np.abs(column["z"]) < FARTHEST_M
    packed = np.empty(int(near.sum()), POINT)
    packed["xyz"] = np.rint(points[near, :3] / STEP_M)
    packed["intensity"] = np.rint(column["intensity"][near]).clip(0, 255)
    packed["ring"] = column["ring"][near].clip(0, 255)
    return packed


def export_sweeps(
    scenes: list[Path],
    split: str,
    frames: int,
    out: Path,
    *,
    first_seed: int = 0,
    frames_per_scene: int = 4,
    every: int = 9,
    lidars: tuple[str, ...] = LIDARS,
    isobath: str | None = None,
) -> None:
    """Sweeps of every LiDAR in every scene, in turn, as a folder that `Sweeps` opens."""
    if out.exists():
        raise SystemExit(f"{out}: expected a folder that is not there yet")
    points, boxes, index = [], [], []
    names = [f"{scene.stem}/{lidar}" for scene in scenes for lidar in lidars]
    part = out.with_name(out.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    with tempfile.TemporaryDirectory(dir=part) as folder, (part / "points.bin").open("wb") as file:
        files = []
        for scene in scenes:
            for lidar in lidars:
                files.append(Path(folder) / f"{scene.stem}-{lidar}.yaml")
                files[-1].write_text(with_lidar(scene, lidar))
        turn = 0
        while len(index) < frames:
            raw = Path(folder) / "raw"
            # Each LiDAR of each scene as often: whole rounds of all files.
            count = min(CHUNK, frames - len(index))
            simulate(
                files, split, count, raw, first_seed=first_seed + turn, sensors="lidar",
                frames_per_scene=frames_per_scene, every=every, isobath=isobath,
            )  # fmt: skip
            turn += -(-count // frames_per_scene)
            arrays = Arrays(raw)
            order = [names.index(name.replace("-", "/", 1)) for name in arrays.scenes]
            for frame in range(len(arrays)):
                packed = pack(arrays.lidar[frame], arrays.columns["lidar"])
                file.write(packed.tobytes())
                points.append(len(packed))
                boxes.append(np.array(arrays.boxes[frame]))
                index.append([order[arrays.frames[frame, 0]], *arrays.frames[frame, 1:]])
            classes, columns = arrays.classes, arrays.columns["boxes"]
            del arrays
            shutil.rmtree(raw)
    np.save(part / "points_offsets.npy", np.cumsum([0, *points]))
    np.save(part / "boxes.npy", np.concatenate(boxes))
    np.save(part / "boxes_offsets.npy", np.cumsum([0, *(len(rows) for rows in boxes)]))
    np.save(part / "frames.npy", np.array(index))
    told = {"scenes": names, "classes": classes, "boxes": columns}
    (part / "sweeps.json").write_text(json.dumps(told, indent=2) + "\n")
    part.rename(out)


def with_lidar(scene: Path, lidar: str) -> str:
    """The text of a scene file with another LiDAR, anywhere on a robot or a car."""
    lines = scene.read_text().splitlines()
    found = [number for number, line in enumerate(lines) if line.strip().startswith("lidar:")]
    if len(found) != 1:
        raise SystemExit(f"{scene}: expected one line 'lidar:', found {len(found)}")
    lines[found[0]] = f"  lidar: {{model: {lidar}, height_m: [{HEIGHT_M[0]}, {HEIGHT_M[1]}]}}"
    return "\n".join(lines) + "\n"


class Sweeps:
    """A folder of `export_sweeps`. Nothing is read before it is looked at."""

    def __init__(self, folder: Path) -> None:
        told = json.loads((folder / "sweeps.json").read_text())
        self.folder, self.scenes, self.classes, self.columns = (
            folder, told["scenes"], told["classes"], told["boxes"],
        )  # fmt: skip
        self.rows = np.memmap(folder / "points.bin", POINT, "r")
        self.offsets = np.load(folder / "points_offsets.npy")
        self.boxes = Ragged(folder, "boxes")
        # Index into `scenes`, seed, number of the image.
        self.frames = np.load(folder / "frames.npy")

    def __len__(self) -> int:
        return len(self.frames)

    def describe(self) -> dict[str, int]:
        """What tells its sweeps from others'."""
        return {"sweeps": len(self), "points": int(self.offsets[-1]), "first_seed": int(self.frames[:, 1].min(initial=0))}

    def held_back(self) -> bool:
        """Whether some sweep is of a seed that must not be trained on."""
        return bool((self.frames[:, 1] >= FIRST_HELD_BACK_SEED).any())

    def sweep(self, frame: int) -> tuple[np.ndarray, np.ndarray]:
        """Points [n, 5] float32: x y z metres, intensity 0..1, ring; boxes [b, 10] as in the arrays."""
        rows = self.rows[self.offsets[frame] : self.offsets[frame + 1]]
        points = np.empty((len(rows), 5), np.float32)
        points[:, :3] = rows["xyz"] * np.float32(STEP_M)
        points[:, 3] = rows["intensity"] / np.float32(FULL_INTENSITY)
        points[:, 4] = rows["ring"]
        return points, np.array(self.boxes[frame])

    def counts(self, classes: int) -> np.ndarray:
        """How many objects of each class each sweep has a point on, [sweeps, classes]."""
        frame = np.repeat(np.arange(len(self)), np.diff(self.boxes.offsets))
        rows = np.asarray(self.boxes.rows)
        hit = rows[:, self.columns.index("points")] > 0
        found = np.zeros((len(self), classes), np.int64)
        np.add.at(found, (frame[hit], rows[hit, self.columns.index("class")].astype(int)), 1)
        return found

    def lidar(self, frame: int) -> str:
        return self.scenes[self.frames[frame, 0]].split("/")[1]

    def scene(self, frame: int) -> str:
        return self.scenes[self.frames[frame, 0]].split("/")[0]


class ManySweeps:
    """Folders of `export_sweeps`, one after the other, as if they were one."""

    def __init__(self, folders: list[Path]) -> None:
        self.parts = [Sweeps(folder) for folder in folders]
        self.columns = self.parts[0].columns
        for part in self.parts:
            if (part.columns, part.classes) != (self.columns, self.parts[0].classes):
                raise SystemExit(f"{part.folder}: expected the columns and classes of {self.parts[0].folder}")
        self.ends = np.cumsum([len(part) for part in self.parts])

    def __len__(self) -> int:
        return int(self.ends[-1])

    def held_back(self) -> bool:
        return any(part.held_back() for part in self.parts)

    def sweep(self, frame: int) -> tuple[np.ndarray, np.ndarray]:
        number = int(np.searchsorted(self.ends, frame, side="right"))
        return self.parts[number].sweep(frame - int(self.ends[number]) + len(self.parts[number]))

    def counts(self, classes: int) -> np.ndarray:
        return np.concatenate([part.counts(classes) for part in self.parts])
