"""Training of `depth_s`."""

import json
from dataclasses import dataclass
from pathlib import Path

import torch

from .. import runs
from ..checkpoint import read_checkpoint
from .distillation import Teacher
from .loss import loss
from .metrics import measure
from .network import DepthNetwork
from .samples import Frames

# Share of the samples up to which images have this size (rows, columns): most of the time small.
SIZES = ((0.65, (128, 160)), (0.90, (192, 256)), (1.0, (240, 320)))
# Without returns: larger images taught the scale of the worlds of the training by heart, and cost on others.
SIZES_ALONE = ((1.0, (128, 160)),)
# Share of the samples of which only the returns tell the scale. Without returns they would be contradictions, and
# the network without radar is to be as good as it can be.
SCALED = 0.25
# Share of those whose shape only the returns tell.
BENT = 0.2
# Share of the samples with the returns of another frame: the network learns to do without them.
FOREIGN = 0.12


@dataclass(frozen=True)
class Recipe:
    """What a run is; a checkpoint goes on with the same one only."""

    uses_prior: bool
    seed: int
    samples: int
    batch: int = 16
    rate: float = 1e-3
    decay: float = 0.02
    average: float = 0.9995


def size_at(progress: float, *, uses_prior: bool) -> tuple[int, int]:
    sizes = SIZES if uses_prior else SIZES_ALONE
    return next(size for until, size in sizes if progress < until or until == 1.0)


class Run(runs.Run):
    """A run of the network. Its file tells also `teacher`, as `Teacher.describe` does, and `origin`, the checkpoint
    whose weights it began with."""

    def __init__(self, recipe: Recipe, path: Path) -> None:
        super().__init__(recipe, path, lambda: DepthNetwork(uses_prior=recipe.uses_prior))
        self.network.to(memory_format=torch.channels_last)
        self.facts = {"teacher": None, "origin": None} | self.facts

    def begin_with(self, checkpoint: Path) -> None:
        if self.seen > 0:
            return
        recipe = read_checkpoint(checkpoint).get("recipe", {})
        if recipe.get("uses_prior") != self.recipe.uses_prior:
            raise SystemExit(f"{checkpoint}: expected a checkpoint of the same model")
        super().begin_with(checkpoint)
        self.facts["origin"] = checkpoint.name

    def step(self, frames: Frames, teacher: Teacher | None = None) -> dict[str, float]:
        recipe = self.recipe
        size = size_at(self.seen / recipe.samples, uses_prior=recipe.uses_prior)
        batch = frames.batch(self.seen, recipe.batch, size)
        self.network.train()
        with torch.autocast("cpu", torch.bfloat16):
            outputs = self.network(batch.image, batch.prior, batch.rays)
        total, figures = loss(tuple(x.float() for x in outputs), batch.depth)
        if teacher:
            taught, figure = teacher.loss(outputs[0].float(), batch)
            total, figures = total + taught, figures | figure
        self.learn(total, most=1.0)
        return figures


def train(
    recipe: Recipe,
    data: Path | list[Path],
    validation: Path | None,
    checkpoint: Path,
    *,
    threads: int,
    teacher: Teacher | None = None,
    start: Path | None = None,
    save_every_s: float = 300.0,
    measure_every: int = 40_000,
) -> Run:
    torch.set_num_threads(threads)
    shares = {"scaled": SCALED, "bent": BENT, "foreign": FOREIGN} if recipe.uses_prior else {}
    if teacher and not teacher.predict.uses_prior:
        # A teacher without radar would tell the wrong scale and shape.
        shares["scaled"] = shares["bent"] = 0.0
    frames = Frames(data, seed=recipe.seed, training=True, **shares)
    held_back = Frames(validation, seed=0, training=False) if validation else None
    run = Run(recipe, checkpoint)
    if start:
        run.begin_with(start)
    asked = teacher.describe() if teacher else None
    if run.seen > 0 and run.facts["teacher"] != asked:
        raise SystemExit(f"{checkpoint}: made with the teacher {run.facts['teacher']}, expected {asked}")
    run.facts["teacher"] = asked

    def measured() -> tuple[dict, list[str]]:
        result = measure(run.average, held_back, (240, 320))
        return result, [f"validation: {json.dumps({k: round(v['abs_rel'], 4) for k, v in result.items()})}"]

    runs.follow(
        run, lambda: run.step(frames, teacher), measured if held_back else None,
        save_every_s=save_every_s, measure_every=measure_every,
    )  # fmt: skip
    return run
