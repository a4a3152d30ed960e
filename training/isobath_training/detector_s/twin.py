"""`detector_s_dense`: an ordinary dense network of the same layers, for comparison.

It reads the same pillars as a map, computes every cell of it with ordinary convolutions, and says something
everywhere. No mask tells it which cells are empty.
"""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from .features import FEATURES, Grid
from .network import Conv, Detector
from .targets import Targets, seen, targets


class DenseDetector(Detector):
    """Maps of features → maps of the head; the layers, and so the weights' shapes, are those of `Detector`."""

    def forward(self, maps: Tensor) -> Tensor:
        """[n, FEATURES, size, size] → [n, classes + 1 + BOX, size, size]."""
        x = maps
        for layer in self.encode:
            x = dense(layer, x)
        skips = []
        for level in range(self.levels):
            if level > 0:
                x = dense(self.down[level - 1], x, stride=2)
            for block in self.blocks[level]:
                x = residual(block, x)
            skips.append(x)
        for level in reversed(range(self.levels - 1)):
            above = F.interpolate(dense(self.up[level], x), scale_factor=2, mode="nearest")
            x = residual(self.merge[level], F.relu(skips[level] + above))
        x = dense(self.neck, x)
        return F.conv2d(x.float(), self.head.weight[:, :, None, None], self.head.bias)


def kernel(layer: Conv) -> Tensor:
    """The weight as ordinary convolutions have it, [outputs, inputs, side, side]."""
    side = 1 if layer.places == 1 else 3
    return layer.weight.view(side, side, layer.inputs, layer.outputs).permute(3, 2, 0, 1)


def dense(layer: Conv, x: Tensor, stride: int = 1) -> Tensor:
    """A layer on maps."""
    weight = kernel(layer).to(x.dtype)
    y = F.conv2d(x, weight, stride=stride, padding=weight.shape[-1] // 2)
    norm = layer.norm
    if norm.training:
        norm.num_batches_tracked.add_(1)
    y = F.batch_norm(
        y.float(), norm.running_mean, norm.running_var, norm.weight, norm.bias, norm.training, norm.momentum, norm.eps
    ).to(x.dtype)
    return F.relu(y) if layer.relu else y


def residual(block, x: Tensor) -> Tensor:
    return F.relu(x + dense(block.second, dense(block.first, x)))


def maps(samples: list[tuple[np.ndarray, np.ndarray]], size: int) -> Tensor:
    """Coordinates and features of each sweep → [n, FEATURES, size, size]; 0 where there is no pillar."""
    result = torch.zeros(len(samples), size, size, FEATURES)
    for map_of, (coords, features) in zip(result, samples, strict=True):
        map_of[coords[:, 0], coords[:, 1]] = torch.from_numpy(features)
    return result.permute(0, 3, 1, 2)


def all_cells(size: int) -> np.ndarray:
    """Coordinates of every cell, [size², 2]."""
    return np.stack(np.meshgrid(np.arange(size), np.arange(size), indexing="ij"), -1).reshape(-1, 2)


def dense_targets(coords: np.ndarray, plane: np.ndarray, boxes: np.ndarray, grid: Grid) -> Targets:
    """Targets of every cell for the boxes that have an active pillar."""
    return targets(all_cells(grid.size), plane, boxes[seen(coords, boxes, grid)], grid)
