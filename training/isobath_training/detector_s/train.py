"""Training of the detector."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from .. import runs
from .augment import augment
from .decode import decode
from .features import RANGE_M, Grid, pillars
from .loss import loss
from .metrics import mean_average_precision
from .network import SHAPES, Detector, Tables
from .sweeps import Sweeps
from .tables import joined, site_tables
from .targets import targets

# Edges of the pillars of each model, metres.
PILLARS_M = {"detector_s": 0.4, "detector_xs": 0.8}


@dataclass(frozen=True)
class Recipe:
    """What a run is; a checkpoint goes on with the same one only."""

    model: str
    seed: int
    samples: int
    batch: int = 8
    rate: float = 2e-3
    decay: float = 0.02
    average: float = 0.999

    @property
    def grid(self) -> Grid:
        return Grid(RANGE_M, PILLARS_M[self.model])


@dataclass
class Batch:
    features: Tensor
    tables: Tables
    heat: Tensor
    corner: Tensor
    box: Tensor
    weight: Tensor


def sample(sweeps: Sweeps, frame: int, random: np.random.Generator | None, grid: Grid, levels: int) -> tuple:
    """Coordinates, features, plane of the ground, tables and boxes of one sweep; without `random` as it is."""
    points, boxes = sweeps.sweep(frame)
    # Boxes without a point on them cannot be seen.
    boxes = boxes[boxes[:, sweeps.columns.index("points")] > 0]
    if random is not None:
        points, boxes = augment(points, boxes, random)
    coords, features, plane = pillars(points[:, :4], grid)
    return coords, features, plane, site_tables(coords, grid.size, grid.size, levels), boxes


def batch(sweeps: Sweeps, recipe: Recipe, first: int, levels: int) -> Batch:
    """Samples `first`, `first` + 1, …: every sweep once, in an order that changes with each pass."""
    parts = []
    for number in range(first, first + recipe.batch):
        turn, place = divmod(number, len(sweeps))
        order = np.random.default_rng([recipe.seed, 7, turn]).permutation(len(sweeps))
        random = np.random.default_rng([recipe.seed, number])
        coords, features, plane, tables, boxes = sample(sweeps, int(order[place]), random, recipe.grid, levels)
        parts.append((features, tables, targets(coords, plane, boxes, recipe.grid)))

    def stacked(name: str) -> Tensor:
        return torch.from_numpy(np.concatenate([getattr(part[2], name) for part in parts]))

    return Batch(
        torch.from_numpy(np.concatenate([part[0] for part in parts])),
        Tables(joined([part[1] for part in parts])),
        stacked("heat"), stacked("corner"), stacked("box"), stacked("weight"),
    )  # fmt: skip


class Run(runs.Run):
    """A run of the network."""

    warm_up = 4_000

    def __init__(self, recipe: Recipe, path: Path) -> None:
        super().__init__(recipe, path, lambda: Detector(SHAPES[recipe.model]))

    def step(self, sweeps: Sweeps) -> dict[str, float]:
        given = batch(sweeps, self.recipe, self.seen, self.network.levels)
        self.network.train()
        outputs = self.network(given.features.bfloat16(), given.tables)
        total, figures = loss(outputs, given.heat, given.corner, given.box, given.weight)
        self.learn(total, most=5.0)
        return figures


@torch.no_grad()
def measure(network: Detector, sweeps: Sweeps, grid: Grid) -> dict[str, dict[str, float]]:
    """AP of each class and their mean: over all sweeps, each scene and each LiDAR."""
    network.eval()
    groups: dict[str, list] = {}
    for frame in range(len(sweeps)):
        coords, features, plane, tables, boxes = sample(sweeps, frame, None, grid, network.levels)
        outputs = network(torch.from_numpy(features), Tables(tables)).numpy() if len(coords) else None
        if outputs is None:
            found = np.zeros((0, 9))
        else:
            found = decode(outputs, coords, tables[0].near, plane, grid)
        for name in ("all", sweeps.scene(frame), sweeps.lidar(frame)):
            groups.setdefault(name, []).append((boxes, found))
    return {name: mean_average_precision(frames) for name, frames in groups.items()}


def train(
    recipe: Recipe,
    data: Path,
    validation: Path | None,
    checkpoint: Path,
    *,
    threads: int,
    save_every_s: float = 300.0,
    measure_every: int = 20_000,
) -> Run:
    torch.set_num_threads(threads)
    sweeps = Sweeps(data)
    if sweeps.held_back():
        raise SystemExit(f"{data}: seeds of validation and test must not be trained on")
    held_back = Sweeps(validation) if validation else None
    run = Run(recipe, checkpoint)

    def measured() -> tuple[dict, list[str]]:
        result = measure(run.average, held_back, recipe.grid)
        groups = {name: round(figures["map"], 3) for name, figures in result.items()}
        classes = {name: round(value, 3) for name, value in result["all"].items()}
        return result, [f"validation: {json.dumps(groups)}", f"classes: {json.dumps(classes)}"]

    runs.follow(
        run, lambda: run.step(sweeps), measured if held_back else None,
        save_every_s=save_every_s, measure_every=measure_every,
    )  # fmt: skip
    return run
