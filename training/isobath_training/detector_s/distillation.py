"""A teacher: a larger detector that tells a smaller one what it makes of the very pillars it trains on.

Both are given the same sweeps, so that their rows belong together. What is learned from the teacher is

- `outputs`: its probabilities, and its boxes where it sees something;
- `features`: what its head reads, all pillars alike;
- `points`: as PointDistiller (Zhang et al. 2022) does: what its head reads at the pillars that matter most to it,
  and how that differs from the pillars most like them, each by how much it matters.

- `weights`: it begins with those of the teacher's channels that matter most (`inheritance.py`).

Methods are joined by `+`.
"""

from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..checkpoint import read_checkpoint
from .network import CLASSES, SHAPES, Detector, Tables, shape_of

METHODS = ("outputs", "features", "points", "weights")
# Of a sweep, and how many of the pillars most like each it is compared with.
PILLARS, NEIGHBOURS = 192, 6
# Where the teacher's surest class is more than this it sees something.
POSITIVE = 0.2


def methods_of(text: str) -> list[str]:
    """`outputs+points` → its parts; refused where they are not methods."""
    found = text.split("+")
    if not set(found) <= set(METHODS) or len(set(found)) < len(found):
        raise SystemExit(f"--distill: expected {', '.join(METHODS)}, or several joined by +, found {text}")
    return found


class Guide(nn.Module):
    """Turns the student's features into the teacher's; it learns with the student and is of no use after that."""

    def __init__(self, student: int, teacher: int) -> None:
        super().__init__()
        self.turn = nn.Linear(student, teacher)

    def forward(self, x: Tensor) -> Tensor:
        return self.turn(x)


@dataclass
class Taught:
    """What a teacher makes of a batch."""

    # [v, channels], [v, classes + 1 + BOX].
    trunk: Tensor
    outputs: Tensor


class Teacher:
    """A trained detector and how it is learned from."""

    def __init__(self, path: Path, text: str, weight: float) -> None:
        state = read_checkpoint(path)
        model = state.get("recipe", {}).get("model")
        if model not in SHAPES:
            raise SystemExit(f"{path}: expected a checkpoint of {', '.join(SHAPES)}, found {model}")
        self.path, self.text, self.weight, self.model = path, text, weight, model
        self.methods = methods_of(text)
        self.network = Detector(shape_of(state["recipe"]))
        self.network.load_state_dict({key: value.float() for key, value in state["average"].items()})
        self.network.eval().requires_grad_(False)

    def describe(self) -> dict[str, str | float]:
        """What a checkpoint remembers of it."""
        return {"name": self.path.name, "distill": self.text, "weight": self.weight}

    def guide(self, student: Detector) -> Guide:
        return Guide(student.trunk_channels, self.network.trunk_channels)

    @torch.no_grad()
    def look(self, features: Tensor, tables: Tables) -> Taught:
        trunk = self.network.trunk(features.bfloat16(), tables).float()
        return Taught(trunk, self.network.head(trunk))

    def loss(self, guide: Guide, trunk: Tensor, outputs: Tensor, taught: Taught, counts: list[int]) -> Tensor:
        """Of a batch whose sweeps have `counts` pillars."""
        total = outputs.new_zeros(())
        if "outputs" in self.methods:
            total = total + outputs_loss(outputs, taught.outputs)
        if {"features", "points"} & set(self.methods):
            scale = taught.trunk.square().mean().sqrt().clamp(min=1e-6)
            ours, theirs = guide(trunk.float()) / scale, taught.trunk / scale
            if "features" in self.methods:
                total = total + F.mse_loss(ours, theirs)
            if "points" in self.methods:
                total = total + points_loss(ours, theirs, counts)
        return self.weight * total


def outputs_loss(ours: Tensor, theirs: Tensor) -> Tensor:
    """Probabilities by how far they are from the teacher's (Li et al. 2020), boxes by how sure it is of them."""
    n = len(CLASSES)
    wanted = torch.sigmoid(theirs[:, :n])
    off = (torch.sigmoid(ours[:, :n].detach()) - wanted).square()
    sure = wanted.amax(1)
    sure = sure * (sure > POSITIVE)
    total = sure.sum().clamp(min=1)
    scores = (off * F.binary_cross_entropy_with_logits(ours[:, :n], wanted, reduction="none")).sum()
    boxes = ((ours[:, n + 1 :] - theirs[:, n + 1 :]).abs().sum(1) * sure).sum()
    return (scores + boxes) / total


def points_loss(ours: Tensor, theirs: Tensor, counts: list[int]) -> Tensor:
    """Of the `PILLARS` of each sweep that matter most to the teacher, with their neighbours in its features."""
    total, weights = ours.new_zeros(()), 1e-6
    for mine, of_teacher in zip(ours.split(counts), theirs.split(counts), strict=True):
        if len(of_teacher) <= NEIGHBOURS:
            continue
        matter, chosen = of_teacher.abs().mean(1).topk(min(PILLARS, len(of_teacher)))
        # The nearest of all is the pillar itself.
        near = torch.cdist(of_teacher[chosen], of_teacher).topk(NEIGHBOURS + 1, largest=False).indices[:, 1:]
        whole = (mine[chosen] - of_teacher[chosen]).square().mean(1)
        edges = (relations(mine, chosen, near) - relations(of_teacher, chosen, near)).square().mean((1, 2))
        total = total + ((whole + edges) * matter).sum()
        weights += float(matter.sum())
    return total / weights


def relations(rows: Tensor, chosen: Tensor, near: Tensor) -> Tensor:
    """How rows [v, c] at `near` [n, k] differ from those `chosen` [n]: [n, k, c]."""
    return rows[near] - rows[chosen][:, None]
