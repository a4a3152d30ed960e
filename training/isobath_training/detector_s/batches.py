"""What a step learns from: sweeps drawn, changed, and turned into pillars, tables and targets; kept, if asked.

To prepare a sweep takes as long as a small network needs to learn from it. Runs of the same seed learn from the same
sweeps, whatever they are told to do with them: one can keep what it prepared for the others (`Prepared`).
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from . import augment as augmenting
from . import draw as drawing
from . import features as featuring
from . import tables as tabling
from . import targets as targeting
from .augment import augment
from .curriculum import SHARE, strength
from .draw import Draw
from .features import Grid, pillars
from .sweeps import ManySweeps, Sweeps
from .tables import Level, Pyramid, joined, site_tables
from .targets import Targets, targets

# What prepared batches depend on beside the data.
SOURCES = (augmenting, drawing, featuring, tabling, targeting)


@dataclass
class Batch:
    """Some sweeps as one."""

    # [v, FEATURES].
    features: Tensor
    levels: list[Level]
    # Targets of the pillars, in the order in which the loss takes them.
    wanted: list[Tensor]
    # Pillars of each sweep.
    counts: list[int]


def sample(
    sweeps: Sweeps | ManySweeps,
    frame: int,
    random: np.random.Generator | None,
    grid: Grid,
    pyramid: Pyramid,
    corrupt: Callable[[np.ndarray], np.ndarray] | None = None,
    *,
    resize: bool = False,
) -> tuple:
    """Coordinates, features, plane of the ground, tables and boxes of one sweep; without `random` as it is, and `resize`
    as `augment` takes it."""
    points, boxes = sweeps.sweep(frame)
    # Boxes without a point on them cannot be seen.
    boxes = boxes[boxes[:, sweeps.columns.index("points")] > 0]
    if random is not None:
        points, boxes = augment(points, boxes, random, resize=resize)
    if corrupt is not None:
        points = corrupt(points)
    coords, features, plane = pillars(points[:, :4], grid)
    return coords, features, plane, site_tables(coords, grid.size, grid.size, pyramid), boxes


def drawn(draw: Draw, recipe, first: int, pyramid: Pyramid, corruption: Callable | None = None) -> Iterator[tuple]:
    """Samples `first`, `first` + 1, … of a batch, some of them with `corruption`."""
    for number in range(first, first + recipe.batch):
        yield drawn_one(draw, recipe, number, pyramid, corruption if number % round(1 / SHARE) == 0 else None)


def drawn_one(draw: Draw, recipe, number: int, pyramid: Pyramid, corruption: Callable | None) -> tuple:
    """Sample `number`, corrupted as much as the progress of the run says."""
    random = np.random.default_rng([recipe.seed, number])
    much = strength(number / recipe.samples) * random.random()
    return sample(
        draw.sweeps, draw.frame(number), random, recipe.grid, pyramid,
        corruption and (lambda points: corruption(points, much, random)), resize=recipe.resize,
    )  # fmt: skip


def stacked(parts: list[Targets]) -> list[Tensor]:
    """Targets of a batch in the order in which the loss takes them."""
    names = ("heat", "corner", "box", "weight")
    return [torch.from_numpy(np.concatenate([getattr(part, name) for part in parts])) for name in names]


def together(samples: list[tuple], grid: Grid) -> Batch:
    """Samples, as `sample` gives them, as one."""
    return Batch(
        torch.from_numpy(np.concatenate([features for _, features, *_ in samples])),
        joined([tables for *_, tables, _ in samples]),
        stacked([targets(coords, plane, boxes, grid) for coords, _, plane, _, boxes in samples]),
        [len(coords) for coords, *_ in samples],
    )


class Prepared:
    """Batches in files, for the runs that learn from the same ones."""

    def __init__(self, folder: Path, sweeps: ManySweeps, recipe) -> None:
        if recipe.is_dense or recipe.curriculum:
            raise SystemExit(f"--prepared: dense networks and --curriculum make their own batches, found {recipe.model}")
        sources = b"".join(Path(module.__file__).read_bytes() for module in SOURCES)
        told = {
            "sweeps": [part.describe() for part in sweeps.parts], "seed": recipe.seed, "batch": recipe.batch,
            "pillar_m": recipe.grid.pillar_m, "levels": recipe.levels, "dilated": recipe.dilated,
            "resize": recipe.resize,
            "code": hashlib.sha256(sources).hexdigest(),
        }  # fmt: skip
        self.folder, description = folder, folder / "prepared.json"
        folder.mkdir(parents=True, exist_ok=True)
        if not description.exists():
            description.write_text(json.dumps(told, indent=1))
        elif (found := json.loads(description.read_text())) != told:
            raise SystemExit(f"{description}: expected {json.dumps(told)}, found {json.dumps(found)}; take another folder")

    def batch(self, first: int, make: Callable[[], Batch]) -> Batch:
        """That whose first sample has the number `first`."""
        path = self.folder / f"{first}.bin"
        if path.exists():
            return read_batch(path)
        batch = make()
        # Another run may be at the same number: whoever is first renames last, and both have the same.
        part = path.with_suffix(f".{os.getpid()}")
        write_batch(part, batch)
        os.replace(part, path)
        return batch


def write_batch(path: Path, batch: Batch) -> None:
    none = np.zeros(0, np.int32)
    with path.open("wb") as file:
        np.save(file, np.array(batch.counts))
        for tensor in (batch.features, *batch.wanted):
            np.save(file, tensor.numpy())
        for level in batch.levels:
            for array in (level.coords, level.near, level.down, level.parent):
                np.save(file, none if array is None else array.astype(np.int32, copy=False))


def read_batch(path: Path) -> Batch:
    with path.open("rb") as file:
        counts = np.load(file).tolist()
        features, *wanted = (torch.from_numpy(np.load(file)) for _ in range(5))
        levels = []
        while file.peek(1):
            coords, near, down, parent = (np.load(file) for _ in range(4))
            # The finest level has nothing below it.
            levels.append(Level(coords, near, down if levels else None, parent if levels else None))
    return Batch(features, levels, wanted, counts)
