"""Writes arrays as `isobath simulate --arrays` does, frame by frame."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, ClassVar

import numpy as np

from ..arrays import FORMAT

COLUMNS = {
    "frames": ["scene", "seed", "image"],
    "camera": ["fx", "fy", "cx", "cy", "k1", "k2", "p1", "p2", "k3"],
    "radar": [
        "x", "y", "z", "range_rate", "snr", "rcs", "radar", "age", "motion", "azimuth_std", "elevation_std",
    ],
}  # fmt: skip


@dataclass
class Frame:
    """One image with its truth and returns, as `docs/simulator.md` describes the arrays."""

    image: np.ndarray
    depth: np.ndarray
    camera: np.ndarray
    radar: np.ndarray
    number: int


class ArraysWriter:
    """The files, written as frames come: a long drive does not fit into memory."""

    KINDS: ClassVar[dict[str, str]] = {"image": "|u1", "depth": "<f2", "camera": "<f4", "radar": "<f4"}

    def __init__(self, out: Path) -> None:
        self.out, self.made = out, not out.exists()
        self.rows: list[list[int]] = []
        self.offsets, self.shapes = [0], {}
        self.files: dict[str, BinaryIO] = {}

    @property
    def frames(self) -> int:
        return len(self.rows)

    def append(self, scene: int, seed: int, frame: Frame) -> None:
        if not self.files:
            self.out.mkdir(parents=True, exist_ok=True)
            self.files = {name: (self.out / f"{name}.part").open("w+b") for name in self.KINDS}
        for name, file in self.files.items():
            array = getattr(frame, name)
            self.shapes[name] = array.shape
            file.write(np.ascontiguousarray(array, self.KINDS[name]).tobytes())
        self.rows.append([scene, seed, frame.number])
        self.offsets.append(self.offsets[-1] + len(frame.radar))

    def finish(self, scenes: list[str]) -> None:
        """Puts the headers, which tell how many there are, before the rows."""
        for name, file in self.files.items():
            shape = self.shapes[name]
            shape = (self.offsets[-1], shape[1]) if name == "radar" else (self.frames, *shape)
            header = {"descr": self.KINDS[name], "fortran_order": False, "shape": shape}
            file.seek(0)
            with (self.out / f"{name}.npy").open("wb") as whole:
                np.lib.format.write_array_header_1_0(whole, header)
                shutil.copyfileobj(file, whole)
        np.save(self.out / "frames.npy", np.array(self.rows, np.int64))
        np.save(self.out / "radar_offsets.npy", np.array(self.offsets, np.int64))
        index = {"format": FORMAT, "frames": self.frames, "scenes": scenes, "classes": [], "columns": COLUMNS}
        (self.out / "dataset.json").write_text(json.dumps(index, indent=2) + "\n")
        self.remove_parts()

    def discard(self) -> None:
        """Nothing half-made stays."""
        self.remove_parts()
        if self.made and self.out.exists():
            self.out.rmdir()

    def remove_parts(self) -> None:
        for name, file in self.files.items():
            file.close()
            (self.out / f"{name}.part").unlink()
        self.files = {}
