"""Simulated frames as arrays: what `isobath simulate --arrays` writes, mapped into memory.

    data = Arrays("frames")
    data.image[7], data.depth[7]      # (H, W, 3) uint8, (H, W) float16: metres, inf for the sky
    data.radar[7], data.lidar[7]      # (n, 7), (n, 6) float32; data.columns names the columns

Nothing is read before it is looked at.
"""

import json
from pathlib import Path

import numpy as np

FORMAT = 2
# Seeds from here on validate and test; nothing is trained on them.
FIRST_HELD_BACK_SEED = 800_000


class Ragged:
    """Rows whose number differs from frame to frame."""

    def __init__(self, folder: Path, name: str) -> None:
        self.rows = np.load(folder / f"{name}.npy", mmap_mode="r")
        self.offsets = np.load(folder / f"{name}_offsets.npy")

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, frame: int) -> np.ndarray:
        if not 0 <= frame < len(self):
            raise IndexError(f"frame {frame} of {len(self)}")
        return self.rows[self.offsets[frame] : self.offsets[frame + 1]]


class Arrays:
    """A folder of `isobath simulate --arrays`. Sensors that were not simulated are None."""

    def __init__(self, folder: str | Path) -> None:
        folder = Path(folder)
        index = json.loads((folder / "dataset.json").read_text())
        if index["format"] != FORMAT:
            raise ValueError(f"{folder}: expected format {FORMAT}, found {index['format']}")
        self.folder = folder
        self.scenes: list[str] = index["scenes"]
        self.classes: list[str] = index["classes"]
        self.columns: dict[str, list[str]] = index["columns"]
        self.frames = np.load(folder / "frames.npy")
        self.image, self.depth, self.camera = (self._array(name) for name in ["image", "depth", "camera"])
        self.lidar, self.boxes, self.radar = (self._ragged(name) for name in ["lidar", "boxes", "radar"])

    def __len__(self) -> int:
        return len(self.frames)

    def held_back(self) -> bool:
        """Whether some frame is of a seed that must not be trained on."""
        return bool((self.frames[:, 1] >= FIRST_HELD_BACK_SEED).any())

    def _array(self, name: str) -> np.ndarray | None:
        path = self.folder / f"{name}.npy"
        return np.load(path, mmap_mode="r") if path.exists() else None

    def _ragged(self, name: str) -> Ragged | None:
        return Ragged(self.folder, name) if (self.folder / f"{name}.npy").exists() else None


class Parts:
    """One kind of array of several folders, one after the other."""

    def __init__(self, parts: list, starts: np.ndarray) -> None:
        self.parts, self.starts = parts, starts

    def __getitem__(self, frame: int) -> np.ndarray:
        part = int(np.searchsorted(self.starts, frame, side="right")) - 1
        return self.parts[part][frame - int(self.starts[part])]


class Joined:
    """Several folders as one, for what depth is trained on."""

    def __init__(self, folders: list[Path]) -> None:
        parts = [Arrays(folder) for folder in folders]
        for folder, part in zip(folders, parts, strict=True):
            if part.columns.get("radar") != parts[0].columns.get("radar"):
                raise ValueError(f"{folder}: expected the radar's columns of {folders[0]}")
        self.columns = parts[0].columns
        # Folders of the same scenes share them; one's own drives come after those of the simulator.
        self.scenes = list(dict.fromkeys(name for part in parts for name in part.scenes))
        self.frames = np.concatenate([self.renumbered(part) for part in parts])
        starts = np.cumsum([0, *(len(part) for part in parts[:-1])])
        self.image, self.depth, self.camera, self.radar = (
            Parts([getattr(part, name) for part in parts], starts)
            for name in ("image", "depth", "camera", "radar")
        )

    def renumbered(self, part: Arrays) -> np.ndarray:
        """Its `frames` with the numbers that its scenes have here."""
        numbers = np.array([self.scenes.index(name) for name in part.scenes])
        frames = np.array(part.frames)
        frames[:, 0] = numbers[frames[:, 0]]
        return frames

    def __len__(self) -> int:
        return len(self.frames)

    def held_back(self) -> bool:
        """As `Arrays.held_back`."""
        return bool((self.frames[:, 1] >= FIRST_HELD_BACK_SEED).any())
