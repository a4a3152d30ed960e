"""Training runs with checkpoints: killed at any time, a run goes on where it was."""

import json
import math
import os
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Protocol

import torch
from torch import nn

from .checkpoint import read_checkpoint


class Recipe(Protocol):
    """What a run is, a dataclass; a checkpoint goes on with the same one only."""

    seed: int
    # How many are seen in all, and at once.
    samples: int
    batch: int
    # Highest learning rate, weight decay, how much of the averaged weights each step keeps.
    rate: float
    decay: float
    average: float


class Run:
    """The state of a run and its file: weights, their running average, the optimizer's state, samples seen."""

    # Samples over which the rate rises.
    warm_up = 8_000

    def __init__(
        self,
        recipe: Recipe,
        path: Path,
        make: Callable[[], nn.Module],
        helper: Callable[[nn.Module], nn.Module] | None = None,
    ) -> None:
        """`helper` makes, for the network, what learns with it and is not part of it."""
        torch.manual_seed(recipe.seed)
        self.recipe, self.path = recipe, path
        self.network = make()
        self.average = make()
        self.average.load_state_dict(self.network.state_dict())
        self.helper = helper(self.network) if helper else None
        self.optimizer = torch.optim.AdamW(self.learned(), lr=recipe.rate, weight_decay=recipe.decay)
        # `started`: samples seen when the optimizer began.
        self.seen = self.started = 0
        # What else its file tells, for those who read it.
        self.facts: dict = {}
        if path.exists():
            self.load()

    def learned(self) -> list[nn.Parameter]:
        """What the optimizer changes."""
        return [*self.network.parameters(), *(self.helper.parameters() if self.helper else ())]

    def load(self) -> None:
        state = read_checkpoint(self.path)
        found = state.get("recipe")
        try:
            # What a recipe does not tell is as it is by default.
            same = type(self.recipe)(**(found or {})) == self.recipe
        except TypeError:
            same = False
        if not same:
            raise SystemExit(f"{self.path}: made with {found}, expected {asdict(self.recipe)}")
        self.check(state)
        self.network.load_state_dict(state.pop("network"))
        self.average.load_state_dict(state.pop("average"))
        if (helper := state.pop("helper", None)) and self.helper:
            self.helper.load_state_dict(helper)
        self.seen = state.pop("seen")
        self.started = state.pop("started", self.seen)
        if optimizer := state.pop("optimizer", None):
            self.optimizer.load_state_dict(optimizer)
        self.facts = {key: value for key, value in state.items() if key != "recipe"}

    def check(self, state: dict) -> None:
        """Refuses a file that is of another run though its recipe is the same."""

    def begin_with(self, checkpoint: Path) -> None:
        """Takes the averaged weights of another run, unless this one has begun."""
        if self.seen > 0:
            return
        self.take(read_checkpoint(checkpoint)["average"])

    def take(self, weights: dict[str, torch.Tensor]) -> None:
        self.network.load_state_dict(weights)
        self.average.load_state_dict(weights)

    def save(self) -> None:
        going_on = {"optimizer": self.optimizer.state_dict(), "started": self.started}
        if self.helper:
            going_on["helper"] = self.helper.state_dict()
        write(self.path, self.state() | going_on)

    def state(self, kind: torch.dtype = torch.float32) -> dict:
        """What made the weights, and they, without the optimizer's state."""
        states = {"network": self.network.state_dict(), "average": self.average.state_dict()}
        for values in states.values():
            for key, value in values.items():
                values[key] = value.to(kind) if value.dtype.is_floating_point else value
        return {"recipe": asdict(self.recipe), "seen": self.seen} | self.facts | states

    def rate(self) -> float:
        """Linear start, again where the optimizer began anew, then half a cosine."""
        recipe = self.recipe
        # A short run has a short start.
        warm_up = min(self.warm_up, recipe.samples // 10)
        start = min(1.0, (self.seen - self.started + recipe.batch) / max(warm_up, recipe.batch))
        return recipe.rate * start * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * self.seen / recipe.samples)))

    def learn(self, loss: torch.Tensor, *, most: float) -> None:
        """One step of the optimizer and of the average; gradients are no longer than `most`."""
        recipe = self.recipe
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate()
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.learned(), most)
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


def write(path: Path, state: dict) -> None:
    """The old file stays until the new one is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    torch.save(state, part)
    os.replace(part, path)


def pack(checkpoint: Path, out: Path) -> None:
    """A quarter of the size, to be kept: weights in half precision; the optimizer starts anew from it."""
    state = read_checkpoint(checkpoint)
    for name in ("network", "average"):
        for key, value in state[name].items():
            state[name][key] = value.half() if value.dtype.is_floating_point else value
    write(out, {key: value for key, value in state.items() if key not in ("optimizer", "started", "helper")})


def follow(
    run: Run,
    step: Callable[[], dict[str, float]],
    measure: Callable[[], tuple[dict, list[str]]] | None,
    *,
    save_every_s: float,
    measure_every: int,
) -> None:
    """Steps until all samples are seen. Every half minute a line of figures; now and then a checkpoint, and
    `measure`: what goes into the log beside the checkpoint, and lines to show."""
    samples = run.recipe.samples
    log = run.path.with_suffix(".jsonl")
    saved = reported = time.monotonic()
    sums: dict[str, float] = {}
    count, seen_before = 0, run.seen
    while run.seen < samples:
        figures = step()
        sums = {key: sums.get(key, 0.0) + value for key, value in figures.items()}
        count += 1
        now = time.monotonic()
        is_over = run.seen >= samples
        if now - reported > 30 or is_over:
            means = {key: round(value / count, 4) for key, value in sums.items()}
            speed = (run.seen - seen_before) / (now - reported)
            left_h = (samples - run.seen) / max(speed, 1e-9) / 3600
            print(
                f"{run.seen:>9} of {samples} samples  {means}  {speed:.0f}/s  {left_h:.1f} h at this speed",
                flush=True,
            )
            sums, count, reported, seen_before = {}, 0, now, run.seen
        if now - saved > save_every_s or is_over:
            run.save()
            saved = now
        if measure and (run.seen // measure_every != (run.seen - run.recipe.batch) // measure_every or is_over):
            result, lines = measure()
            with log.open("a") as file:
                file.write(json.dumps({"seen": run.seen} | result) + "\n")
            print("\n".join(lines), flush=True)
            reported, seen_before = time.monotonic(), run.seen
