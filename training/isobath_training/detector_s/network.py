"""The network of `detector_s`, computed at active sites only, and its dense twins.

A U-net over pillars: at each of four or more levels residual blocks of 3×3 convolutions that read and write active sites
alone, between levels 3×3 convolutions of stride 2 whose outputs are the parents of active sites (or, dilated, all that
they reach), and back up by handing each site what its parent knows. There are no transposed convolutions and no maps:
what is computed grows with the active pillars.

The same weights run three ways: gathered (here and in training), by the runtime's sparse operators, and as dense
convolutions with everything but the active sites set to zero after each (`Masked`). An ordinary dense network of
the same layers, which sees no mask, is the twin for comparison.
"""

from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .features import FEATURES
from .tables import Pyramid

CLASSES = ("car", "truck", "bus", "bicycle", "pedestrian", "forklift", "pallet")
# Offset x, y in pillars; height over the ground in metres; log of length, width, height; sine and cosine of yaw.
BOX = 8
# What the names of dense twins end with.
DENSE = "_dense"
# A score of this many of all sites is where training starts.
PRIOR = 0.01


@dataclass(frozen=True)
class Shape:
    """Channels of the levels, blocks on the way down, and whether coarser sites are active around finer ones, too."""

    widths: tuple[int, ...] = (32, 64, 64, 96)
    blocks: tuple[int, ...] = (1, 1, 2, 2)
    dilated: bool = False

    def deeper(self, levels: int) -> "Shape":
        """The same with `levels` levels: those added are as wide as the coarsest, with a block each."""
        more = levels - len(self.widths)
        return replace(self, widths=self.widths + self.widths[-1:] * more, blocks=self.blocks + (1,) * more)

    @property
    def pyramid(self) -> Pyramid:
        return Pyramid(len(self.widths), self.dilated)


SHAPES = {
    "detector_s": Shape(),
    "detector_xs": Shape((32, 32, 32, 48), (1, 1, 1, 1)),
    # A quarter of the parameters and products of `detector_xs`.
    "detector_xxs": Shape((16, 16, 16, 20), (1, 1, 1, 1)),
}


def shape_of(recipe: dict) -> Shape:
    """The shape of a run's network, from what its checkpoint tells of its recipe. `levels` 0: as the model has them."""
    shape = SHAPES[recipe["model"].removesuffix(DENSE)]
    dilated = shape.dilated or recipe.get("dilated", False)
    return replace(shape.deeper(recipe.get("levels") or len(shape.widths)), dilated=dilated)


class Tables:
    """Tables of `tables.Level` as tensors; -1 becomes the index after the last site, where there are zeros."""

    def __init__(self, levels: list) -> None:
        self.near = [gather_index(level.near, len(level.coords)) for level in levels]
        self.down = [None] + [
            gather_index(level.down, len(finer.coords))
            for finer, level in zip(levels, levels[1:], strict=False)
        ]
        self.parent = [None] + [torch.from_numpy(level.parent).long() for level in levels[1:]]
        self.counts = [len(level.coords) for level in levels]


def gather_index(table, sites: int) -> Tensor:
    index = torch.from_numpy(table).long()
    return torch.where(index < 0, sites, index)


class Gathered(torch.autograd.Function):
    """Rows of `x`, and zeros for the index after the last, as one matrix; backwards a sum in the same memory."""

    @staticmethod
    def forward(ctx, x: Tensor, index: Tensor) -> Tensor:
        ctx.save_for_backward(index)
        ctx.sites = len(x)
        padded = torch.cat([x, x.new_zeros(1, x.shape[1])])
        width = index.shape[1] * x.shape[1]
        return padded.index_select(0, index.reshape(-1)).view(len(index), width)

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None]:
        (index,) = ctx.saved_tensors
        channels = gradient.shape[1] // index.shape[1]
        sums = gradient.new_zeros(ctx.sites + 1, channels)
        sums.index_add_(0, index.reshape(-1), gradient.reshape(-1, channels))
        return sums[:-1], None


class Conv(nn.Module):
    """3×3 convolution of sites, batch normalisation, ReLU. `weight` is [9 · inputs, outputs], places first."""

    def __init__(self, inputs: int, outputs: int, *, places: int = 9, relu: bool = True) -> None:
        super().__init__()
        self.inputs, self.outputs, self.places, self.relu = inputs, outputs, places, relu
        self.weight = nn.Parameter(torch.randn(places * inputs, outputs) * (2.0 / (places * inputs)) ** 0.5)
        self.norm = nn.BatchNorm1d(outputs)

    def forward(self, x: Tensor, index: Tensor | None) -> Tensor:
        rows = x if index is None else Gathered.apply(x, index)
        y = self.norm((rows @ self.weight.to(rows.dtype)).float()).to(x.dtype)
        return F.relu(y) if self.relu else y


class Block(nn.Module):
    """Two convolutions beside a short cut."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = Conv(channels, channels)
        self.second = Conv(channels, channels, relu=False)

    def forward(self, x: Tensor, near: Tensor) -> Tensor:
        return F.relu(x + self.second(self.first(x, near), near))


class Detector(nn.Module):
    """Features of active pillars → logits of the classes, of corners, and boxes, of the same pillars."""

    def __init__(self, shape: Shape = SHAPES["detector_s"]) -> None:
        super().__init__()
        self.shape = shape
        widths = shape.widths
        self.encode = nn.ModuleList(
            [Conv(FEATURES, widths[0], places=1), Conv(widths[0], widths[0], places=1)]
        )
        self.down = nn.ModuleList(Conv(a, b) for a, b in zip(widths, widths[1:], strict=False))
        self.blocks = nn.ModuleList(
            nn.ModuleList(Block(width) for _ in range(count))
            for width, count in zip(widths, shape.blocks, strict=True)
        )
        self.up = nn.ModuleList(
            Conv(b, a, places=1, relu=False) for a, b in zip(widths, widths[1:], strict=False)
        )
        self.merge = nn.ModuleList(Block(width) for width in widths[:-1])
        self.neck = Conv(widths[0], 2 * widths[0])
        self.head = nn.Linear(2 * widths[0], len(CLASSES) + 1 + BOX)
        nn.init.normal_(self.head.weight, std=0.01)
        nn.init.zeros_(self.head.bias)
        with torch.no_grad():
            self.head.bias[: len(CLASSES) + 1] = -torch.log(torch.tensor(1 / PRIOR - 1))

    @property
    def levels(self) -> int:
        return len(self.shape.widths)

    @property
    def trunk_channels(self) -> int:
        return self.head.in_features

    def forward(self, features: Tensor, tables: Tables) -> Tensor:
        """[v, FEATURES] → [v, classes + 1 + BOX]."""
        return self.head(self.trunk(features, tables).float())

    def trunk(self, features: Tensor, tables: Tables) -> Tensor:
        """[v, FEATURES] → what the head reads, [v, trunk_channels]."""
        x = features
        for layer in self.encode:
            x = layer(x, None)
        skips = []
        for level in range(self.levels):
            if level > 0:
                x = self.down[level - 1](x, tables.down[level])
            for block in self.blocks[level]:
                x = block(x, tables.near[level])
            skips.append(x)
        for level in reversed(range(self.levels - 1)):
            above = self.up[level](x, None).index_select(0, tables.parent[level + 1])
            x = self.merge[level](F.relu(skips[level] + above), tables.near[level])
        return self.neck(x, tables.near[0])
