"""What training minimises."""

import torch
import torch.nn.functional as F
from torch import Tensor

from .network import CLASSES

# Beside the loss of the classes: of corners, and of each number of a box.
CORNER_WEIGHT = 0.3
BOX_WEIGHTS = (1.0, 1.0, 1.0, 0.6, 0.6, 0.6, 0.6, 0.6)
BOX_WEIGHT = 1.0
# Of twice the yaw, which is what front and back have in common: an axis is learned before the direction along it.
AXIS_WEIGHT = 0.4


def focal(logits: Tensor, heat: Tensor) -> Tensor:
    """Sum of the penalty-reduced focal loss of CenterNet (Zhou et al. 2019): peaks are 1, around them less is asked."""
    positive = (heat >= 0.999).float()
    p = torch.sigmoid(logits)
    gain = positive * (1 - p) ** 2 * F.logsigmoid(logits)
    cost = (1 - positive) * (1 - heat) ** 4 * p**2 * F.logsigmoid(-logits)
    return -(gain + cost).sum()


def twice(yaw: Tensor) -> Tensor:
    """Sine and cosine of an angle → those of twice the angle, times the square of their length."""
    sine, cosine = yaw.unbind(1)
    return torch.stack([2 * sine * cosine, cosine**2 - sine**2], 1)


def loss(
    outputs: Tensor, heat: Tensor, corner: Tensor, box: Tensor, weight: Tensor
) -> tuple[Tensor, dict[str, float]]:
    """Of the pillars of a batch: outputs [v, classes + 1 + BOX], targets as `targets.Targets` tells them."""
    n = len(CLASSES)
    peaks = (heat >= 0.999).sum().clamp(min=1)
    classes = focal(outputs[:, :n], heat) / peaks
    corners = F.binary_cross_entropy_with_logits(outputs[:, n], corner, reduction="sum") / peaks
    difference = (outputs[:, n + 1 :] - box).abs() * outputs.new_tensor(BOX_WEIGHTS)
    axes = (twice(outputs[:, -2:]) - twice(box[:, -2:])).abs().sum(1)
    boxes = ((difference.sum(1) + AXIS_WEIGHT * axes) * weight).sum() / weight.sum().clamp(min=1)
    total = classes + CORNER_WEIGHT * corners + BOX_WEIGHT * boxes
    return total, {"loss": total.item(), "classes": classes.item(), "corners": corners.item(), "boxes": boxes.item()}
