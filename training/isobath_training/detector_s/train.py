"""Training of the detector with checkpoints: killed at any time, it goes on where it was."""

import json
import math
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..checkpoint import read_checkpoint
from .augment import augment
from .decode import decode
from .features import RANGE_M, Grid, pillars
from .loss import loss
from .metrics import mean_average_precision
from .network import SHAPES, Detector, Tables
from .sweeps import Sweeps
from .tables import joined, site_tables
from .targets import targets

WARM_UP = 4_000
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


class Run:
    """The state of a training run and its file."""

    def __init__(self, recipe: Recipe, path: Path) -> None:
        torch.manual_seed(recipe.seed)
        self.recipe, self.path = recipe, path
        self.network = Detector(SHAPES[recipe.model])
        self.average = Detector(SHAPES[recipe.model])
        self.average.load_state_dict(self.network.state_dict())
        self.optimizer = torch.optim.AdamW(
            self.network.parameters(), lr=recipe.rate, weight_decay=recipe.decay
        )
        self.seen = self.started = 0
        if path.exists():
            self.load()

    def load(self) -> None:
        state = read_checkpoint(self.path)
        if state.get("recipe") != asdict(self.recipe):
            raise SystemExit(f"{self.path}: made with {state.get('recipe')}, expected {asdict(self.recipe)}")
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self.seen = self.started = state["seen"]
        if "optimizer" in state:
            self.optimizer.load_state_dict(state["optimizer"])
            self.started = state["started"]

    def state(self, kind: torch.dtype = torch.float32) -> dict:
        """The weights and what made them, without the optimizer's state."""
        states = {"network": self.network.state_dict(), "average": self.average.state_dict()}
        for values in states.values():
            for key, value in values.items():
                values[key] = value.to(kind) if value.dtype.is_floating_point else value
        return {"recipe": asdict(self.recipe), "seen": self.seen} | states

    def save(self) -> None:
        state = self.state() | {"optimizer": self.optimizer.state_dict(), "started": self.started}
        part = self.path.with_suffix(".part")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        torch.save(state, part)
        os.replace(part, self.path)

    def rate(self) -> float:
        """Linear start, again where the optimizer began anew, then half a cosine."""
        warm_up = min(WARM_UP, self.recipe.samples // 10)
        start = min(1.0, (self.seen - self.started + self.recipe.batch) / max(warm_up, self.recipe.batch))
        progress = self.seen / self.recipe.samples
        return self.recipe.rate * start * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * progress)))

    def step(self, sweeps: Sweeps) -> dict[str, float]:
        given = batch(sweeps, self.recipe, self.seen, self.network.levels)
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate()
        self.network.train()
        outputs = self.network(given.features.bfloat16(), given.tables)
        total, figures = loss(outputs, given.heat, given.corner, given.box, given.weight)
        self.optimizer.zero_grad(set_to_none=True)
        total.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
        self.optimizer.step()
        self.seen += self.recipe.batch
        # The average forgets fast at first, so that it never holds the untrained weights.
        keep = min(self.recipe.average, self.seen / (self.seen + 10 * self.recipe.batch))
        with torch.no_grad():
            for ours, theirs in zip(
                self.average.state_dict().values(), self.network.state_dict().values(), strict=True
            ):
                if ours.dtype.is_floating_point:
                    ours.lerp_(theirs, 1 - keep)
                else:
                    ours.copy_(theirs)
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
    log = checkpoint.with_suffix(".jsonl")
    saved = reported = time.monotonic()
    sums: dict[str, float] = {}
    count, seen_before = 0, run.seen
    while run.seen < recipe.samples:
        figures = run.step(sweeps)
        sums = {key: sums.get(key, 0.0) + value for key, value in figures.items()}
        count += 1
        now = time.monotonic()
        if now - reported > 30 or run.seen >= recipe.samples:
            means = {key: round(value / count, 4) for key, value in sums.items()}
            speed = (run.seen - seen_before) / (now - reported)
            left_h = (recipe.samples - run.seen) / max(speed, 1e-9) / 3600
            print(f"{run.seen:>9} of {recipe.samples} samples  {means}  {speed:.0f}/s  {left_h:.1f} h", flush=True)
            sums, count, reported, seen_before = {}, 0, now, run.seen
        if now - saved > save_every_s or run.seen >= recipe.samples:
            run.save()
            saved = now
        due = run.seen // measure_every != (run.seen - recipe.batch) // measure_every
        if held_back and (due or run.seen >= recipe.samples):
            result = measure(run.average, held_back, recipe.grid)
            with log.open("a") as file:
                file.write(json.dumps({"seen": run.seen} | result) + "\n")
            print("validation: " + json.dumps({k: round(v["map"], 3) for k, v in result.items()}), flush=True)
            print("classes: " + json.dumps({k: round(v, 3) for k, v in result["all"].items()}), flush=True)
            reported, seen_before = time.monotonic(), run.seen
    return run
