"""Training of the detector."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from .. import runs
from ..checkpoint import read_checkpoint
from .batches import Batch, Prepared, drawn, drawn_one, sample, stacked, together
from .curriculum import worst
from .decode import decode
from .distillation import Teacher
from .draw import Draw
from .features import RANGE_M, Grid
from .inheritance import deepen, inherit
from .loss import loss
from .metrics import mean_average_precision
from .network import DENSE, Detector, Tables, shape_of
from .pruning import Pruner, Pruning
from .sweeps import ManySweeps, Sweeps
from .tables import Level, Pyramid, site_tables
from .twin import DenseDetector, all_cells, dense_targets, maps

# Edges of the pillars of each model, metres.
PILLARS_M = {"detector_s": 0.4, "detector_xs": 0.8, "detector_xxs": 0.8}


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
    # Whether sweeps are corrupted, more and more, by what hurts most.
    curriculum: bool = False
    # What it learns to do without, as `Pruning.parse` reads it.
    prune: str = ""
    # How much rare classes count, as `Draw.shares` takes it.
    balance: float = 0.0
    # Levels of the network; 0: as many as the model has.
    levels: int = 0
    # Whether its coarser sites are active around finer ones as well.
    dilated: bool = False
    # Whether vehicles come in sizes that the simulator does not make.
    resize: bool = False

    @property
    def is_dense(self) -> bool:
        return self.model.endswith(DENSE)

    @property
    def grid(self) -> Grid:
        return Grid(RANGE_M, PILLARS_M[self.model.removesuffix(DENSE)])

    def network(self) -> Detector:
        """An untrained one."""
        return (DenseDetector if self.is_dense else Detector)(shape_of(asdict(self)))


class Run(runs.Run):
    """A run of the network, perhaps with a teacher, which its file tells as `Teacher.describe` does, and `origin`: the
    checkpoint whose weights it began with, and how many samples those had seen."""

    warm_up = 4_000

    def __init__(self, recipe: Recipe, path: Path, teacher: Teacher | None = None) -> None:
        self.teacher = teacher
        super().__init__(recipe, path, recipe.network, teacher.guide if teacher else None)
        if teacher and "weights" in teacher.methods and self.seen == 0:
            inherit(self.network, teacher.network)
            self.average.load_state_dict(self.network.state_dict())
        self.pruner: Pruner | None = None
        self.prepared: Prepared | None = None
        self.shares: Tensor | None = None
        self.facts = {"origin": None} | self.facts | {"teacher": teacher.describe() if teacher else None}

    def check(self, state: dict) -> None:
        asked = self.teacher.describe() if self.teacher else None
        if state.get("teacher") != asked:
            raise SystemExit(f"{self.path}: made with the teacher {state.get('teacher')}, expected {asked}")

    def begin_with(self, checkpoint: Path) -> None:
        """The weights of the sparse network fit its dense twin, and the other way round; those of fewer levels fit, too."""
        if self.seen > 0:
            return
        state = read_checkpoint(checkpoint)
        given = state.get("recipe", {}).get("model", "")
        if given.removesuffix(DENSE) != self.recipe.model.removesuffix(DENSE):
            raise SystemExit(f"{checkpoint}: expected a checkpoint of the same model or of its twin")
        levels = shape_of(state["recipe"]).pyramid.levels
        if levels > self.network.levels:
            raise SystemExit(f"{checkpoint}: expected a network of at most {self.network.levels} levels, found {levels}")
        super().begin_with(checkpoint)
        before = state.get("origin") or {"seen": 0}
        self.facts["origin"] = {"name": checkpoint.name, "seen": state["seen"] + before["seen"]}

    def take(self, weights: dict[str, Tensor]) -> None:
        deepen(self.network, weights)
        super().take(self.network.state_dict())

    def step(self, draw: Draw) -> dict[str, float]:
        recipe, network = self.recipe, self.network.train()
        if recipe.prune and self.pruner is None:
            progress = self.seen / recipe.samples
            self.pruner = Pruner(Pruning.parse(recipe.prune), network, self.average, recipe.seed, progress)
        if recipe.balance and self.shares is None:
            self.shares = torch.from_numpy(draw.shares(recipe.balance)).float()
        total, figures = self.dense_loss(draw) if recipe.is_dense else self.loss_of(self.batch(draw))
        self.learn(total, most=5.0)
        if self.pruner:
            self.pruner.step(self.seen, recipe.batch, recipe.samples)
        return figures

    def batch(self, draw: Draw) -> Batch:
        """The next one to learn from."""
        recipe, pyramid = self.recipe, self.network.shape.pyramid

        def make() -> Batch:
            corruption = self.corruption(draw) if recipe.curriculum else None
            return together(list(drawn(draw, recipe, self.seen, pyramid, corruption)), recipe.grid)

        return self.prepared.batch(self.seen, make) if self.prepared else make()

    @torch.no_grad()
    def corruption(self, draw: Draw) -> Callable:
        """What hurts the first sample of the batch most, with the averaged weights: those that learn would take
        what they see here for their statistics."""
        recipe, network = self.recipe, self.average.eval()

        def loss_with(corruption: Callable) -> float:
            one = drawn_one(draw, recipe, self.seen, network.shape.pyramid, corruption)
            batch = together([one], recipe.grid)
            return loss(network(batch.features.bfloat16(), Tables(batch.levels)), *batch.wanted, self.shares)[0].item()

        return worst(loss_with)

    def dense_loss(self, draw: Draw) -> tuple[Tensor, dict[str, float]]:
        """The loss of the next batch and its parts, over all cells."""
        grid = self.recipe.grid
        samples = list(drawn(draw, self.recipe, self.seen, Pyramid(1)))
        given = maps([(coords, features) for coords, features, *_ in samples], grid.size)
        outputs = self.network(given.bfloat16()).permute(0, 2, 3, 1).flatten(0, 2)
        wanted = stacked([dense_targets(coords, plane, boxes, grid) for coords, _, plane, _, boxes in samples])
        return loss(outputs, *wanted, self.shares)

    def loss_of(self, batch: Batch) -> tuple[Tensor, dict[str, float]]:
        """The loss of a batch and its parts."""
        tables = Tables(batch.levels)
        trunk = self.network.trunk(batch.features.bfloat16(), tables)
        outputs = self.network.head(trunk.float())
        total, figures = loss(outputs, *batch.wanted, self.shares)
        if self.teacher:
            seen = self.teacher.look(batch.features, tables)
            taught = self.teacher.loss(self.helper, trunk, outputs, seen, batch.counts)
            total, figures = total + taught, figures | {"teacher": taught.item()}
        return total, figures


@torch.no_grad()
def detections(network: Detector, found: tuple, grid: Grid, everywhere: Level | None) -> np.ndarray:
    """Boxes [d, 9] of one sample; a dense network, which knows `everywhere`, speaks for all cells."""
    coords, features, plane, tables, _ = found
    if len(coords) == 0:
        return np.zeros((0, 9))
    if everywhere is not None:
        rows = network(maps([(coords, features)], grid.size))[0].flatten(1).T
        return decode(rows.numpy(), everywhere.coords, everywhere.near, plane, grid)
    rows = network(torch.from_numpy(features), Tables(tables))
    return decode(rows.numpy(), coords, tables[0].near, plane, grid)


def measure(network: Detector, sweeps: Sweeps, grid: Grid) -> dict[str, dict[str, float]]:
    """AP of each class and their mean: over all sweeps, each scene and each LiDAR."""
    network.eval()
    is_dense = isinstance(network, DenseDetector)
    everywhere = site_tables(all_cells(grid.size), grid.size, grid.size, Pyramid(1))[0] if is_dense else None
    groups: dict[str, list] = {}
    for frame in range(len(sweeps)):
        found = sample(sweeps, frame, None, grid, network.shape.pyramid)
        boxes = detections(network, found, grid, everywhere)
        for name in ("all", sweeps.scene(frame), sweeps.lidar(frame)):
            groups.setdefault(name, []).append((found[-1], boxes))
    return {name: mean_average_precision(frames) for name, frames in groups.items()}


def train(
    recipe: Recipe,
    data: Path | list[Path],
    validation: Path | None,
    checkpoint: Path,
    *,
    threads: int,
    start: Path | None = None,
    teacher: Teacher | None = None,
    prepared: Path | None = None,
    save_every_s: float = 300.0,
    measure_every: int = 20_000,
) -> Run:
    torch.set_num_threads(threads)
    folders = data if isinstance(data, list) else [data]
    sweeps = ManySweeps(folders)
    if sweeps.held_back():
        raise SystemExit(f"{', '.join(map(str, folders))}: seeds of validation and test must not be trained on")
    held_back = Sweeps(validation) if validation else None
    if teacher and (recipe.is_dense or PILLARS_M[teacher.model] != recipe.grid.pillar_m):
        raise SystemExit(f"{teacher.path}: expected a teacher on active pillars of {recipe.grid.pillar_m} m, as the student is")
    run = Run(recipe, checkpoint, teacher)
    if teacher and (found := teacher.network.shape.pyramid) != (wanted := run.network.shape.pyramid):
        raise SystemExit(f"{teacher.path}: expected a teacher of {wanted}, as the student is, found {found}")
    run.prepared = Prepared(prepared, sweeps, recipe) if prepared else None
    if start:
        run.begin_with(start)

    def measured() -> tuple[dict, list[str]]:
        result = measure(run.average, held_back, recipe.grid)
        groups = {name: round(figures["map"], 3) for name, figures in result.items()}
        classes = {name: round(value, 3) for name, value in result["all"].items()}
        return result, [f"validation: {json.dumps(groups)}", f"classes: {json.dumps(classes)}"]

    draw = Draw(sweeps, recipe.seed)
    runs.follow(
        run, lambda: run.step(draw), measured if held_back else None,
        save_every_s=save_every_s, measure_every=measure_every,
    )  # fmt: skip
    return run
