"""Training with checkpoints: killed at any time, it goes on where it was."""

import json
import math
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from .distillation import Teacher
from .loss import loss
from .metrics import measure
from .network import DepthNetwork
from .samples import Frames

# Share of the samples up to which images have this size (rows, columns): most of the time small.
SIZES = ((0.65, (128, 160)), (0.90, (192, 256)), (1.0, (240, 320)))
WARM_UP = 8_000
# Share of the samples of which only the returns tell the scale. Without returns they would be contradictions, and
# the network without radar is to be as good as it can be.
SCALED = 0.25
# Share of those whose shape only the returns tell.
BENT = 0.3
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


def size_at(progress: float) -> tuple[int, int]:
    return next(size for until, size in SIZES if progress < until or until == 1.0)


def rate_at(recipe: Recipe, seen: int, started: int = 0) -> float:
    """Linear start, again where the optimizer began anew, then half a cosine."""
    # A short run has a short start.
    warm_up = min(WARM_UP, recipe.samples // 10)
    start = min(1.0, (seen - started + recipe.batch) / max(warm_up, recipe.batch))
    return recipe.rate * start * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * seen / recipe.samples)))


def write(path: Path, state: dict) -> None:
    """The old file stays until the new one is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    torch.save(state, part)
    os.replace(part, path)


def pack(checkpoint: Path, out: Path) -> None:
    """A quarter of the size, to be kept: weights in half precision; the optimizer starts anew from it."""
    state = torch.load(checkpoint, weights_only=True)
    recipe = Recipe(**state["recipe"])
    write(out, Run(recipe, checkpoint).weights(torch.float16))


class Run:
    """The state of a training run and its file."""

    def __init__(self, recipe: Recipe, path: Path) -> None:
        torch.manual_seed(recipe.seed)
        self.recipe, self.path = recipe, path
        self.network = DepthNetwork(uses_prior=recipe.uses_prior).to(memory_format=torch.channels_last)
        self.average = DepthNetwork(uses_prior=recipe.uses_prior)
        self.average.load_state_dict(self.network.state_dict())
        self.optimizer = torch.optim.AdamW(
            self.network.parameters(), lr=recipe.rate, weight_decay=recipe.decay
        )
        self.seen = self.started = 0
        # What `Teacher.describe` says, and the checkpoint whose weights this run began with.
        self.taught: dict | None = None
        self.origin: str | None = None
        if path.exists():
            self.load()

    def begin_with(self, checkpoint: Path) -> None:
        """Takes the averaged weights of another run, unless this one has begun."""
        if self.seen > 0:
            return
        state = torch.load(checkpoint, weights_only=True)
        if state["recipe"]["uses_prior"] != self.recipe.uses_prior:
            raise SystemExit(f"{checkpoint}: expected a checkpoint of the same model")
        self.network.load_state_dict(state["average"])
        self.average.load_state_dict(state["average"])
        self.origin = checkpoint.name

    def load(self) -> None:
        state = torch.load(self.path, weights_only=True)
        if state["recipe"] != asdict(self.recipe):
            raise SystemExit(f"{self.path}: made with {state['recipe']}, expected {asdict(self.recipe)}")
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self.seen = state["seen"]
        self.taught, self.origin = state.get("teacher"), state.get("origin")
        if "optimizer" in state:
            self.optimizer.load_state_dict(state["optimizer"])
            self.started = state["started"]
        else:
            self.started = self.seen

    def save(self) -> None:
        optimizer = {"optimizer": self.optimizer.state_dict(), "started": self.started}
        write(self.path, self.weights(torch.float32) | optimizer)

    def weights(self, kind: torch.dtype) -> dict:
        """The state without the optimizer's."""
        states = {"network": self.network.state_dict(), "average": self.average.state_dict()}
        for state in states.values():
            for key, value in state.items():
                state[key] = value.to(kind) if value.dtype.is_floating_point else value
        origin = {"teacher": self.taught, "origin": self.origin}
        return {"recipe": asdict(self.recipe), "seen": self.seen} | origin | states

    def step(self, frames: Frames, teacher: Teacher | None = None) -> dict[str, float]:
        recipe = self.recipe
        batch = frames.batch(self.seen, recipe.batch, size_at(self.seen / recipe.samples))
        for group in self.optimizer.param_groups:
            group["lr"] = rate_at(recipe, self.seen, self.started)
        self.network.train()
        with torch.autocast("cpu", torch.bfloat16):
            outputs = self.network(batch.image, batch.prior, batch.rays)
        total, figures = loss(tuple(x.float() for x in outputs), batch.depth)
        if teacher:
            taught, figure = teacher.loss(outputs[0].float(), batch)
            total, figures = total + taught, figures | figure
        self.optimizer.zero_grad(set_to_none=True)
        total.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        self.seen += recipe.batch
        # The average forgets fast at first, so that it never holds the untrained weights.
        keep = min(recipe.average, self.seen / (self.seen + 10 * recipe.batch))
        with torch.no_grad():
            for ours, theirs in zip(
                self.average.state_dict().values(), self.network.state_dict().values(), strict=True
            ):
                if ours.dtype.is_floating_point:
                    ours.lerp_(theirs, 1 - keep)
                else:
                    ours.copy_(theirs)
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
    if run.seen > 0 and run.taught != asked:
        raise SystemExit(f"{checkpoint}: made with the teacher {run.taught}, expected {asked}")
    run.taught = asked
    log = checkpoint.with_suffix(".jsonl")
    saved = reported = time.monotonic()
    sums: dict[str, float] = {}
    count, seen_before = 0, run.seen
    while run.seen < recipe.samples:
        figures = run.step(frames, teacher)
        sums = {key: sums.get(key, 0.0) + value for key, value in figures.items()}
        count += 1
        now = time.monotonic()
        if now - reported > 30 or run.seen >= recipe.samples:
            means = {key: round(value / count, 4) for key, value in sums.items()}
            speed = (run.seen - seen_before) / (now - reported)
            left_h = (recipe.samples - run.seen) / max(speed, 1e-9) / 3600
            print(
                f"{run.seen:>9} of {recipe.samples} samples  {means}  {speed:.0f}/s  {left_h:.1f} h at this size",
                flush=True,
            )
            sums, count, reported, seen_before = {}, 0, now, run.seen
        if now - saved > save_every_s or run.seen >= recipe.samples:
            run.save()
            saved = now
        if held_back and (run.seen // measure_every != (run.seen - recipe.batch) // measure_every):
            result = measure(run.average, held_back, (240, 320))
            with log.open("a") as file:
                file.write(json.dumps({"seen": run.seen} | result) + "\n")
            print(
                f"validation: {json.dumps({k: round(v['abs_rel'], 4) for k, v in result.items()})}",
                flush=True,
            )
            reported, seen_before = time.monotonic(), run.seen
    return run
