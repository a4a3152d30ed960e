"""What training minimises."""

import torch
import torch.nn.functional as F
from torch import Tensor

from .network import CLASSES

# Beside the loss of the classes: of corners, and of each number of a box but its yaw.
CORNER_WEIGHT = 0.3
BOX_WEIGHTS = (1.0, 1.0, 1.0, 0.6, 0.6, 0.6)
BOX_WEIGHT = 1.0
# Of twice the yaw, which is what front and back have in common, and of the direction along this axis.
AXIS_WEIGHT, DIRECTION_WEIGHT = 0.4, 0.6
# Square of the length from which on sine and cosine tell an axis.
SHORT = 0.0025


def focal(logits: Tensor, heat: Tensor) -> Tensor:
    """Penalty-reduced focal loss of CenterNet (Zhou et al. 2019), the sum for each class: peaks are 1, around them less
    is asked."""
    positive = (heat >= 0.999).float()
    p = torch.sigmoid(logits)
    gain = positive * (1 - p) ** 2 * F.logsigmoid(logits)
    cost = (1 - positive) * (1 - heat) ** 4 * p**2 * F.logsigmoid(-logits)
    return -(gain + cost).sum(0)


def twice(yaw: Tensor) -> Tensor:
    """Sine and cosine of an angle, of any length → those of twice the angle, of length one unless they were short."""
    sine, cosine = yaw.unbind(1)
    double = torch.stack([2 * sine * cosine, cosine**2 - sine**2], 1)
    return double / ((yaw**2).sum(1, keepdim=True) + SHORT)


def turned(yaw: Tensor, wanted: Tensor) -> Tensor:
    """Loss of sine and cosine of each yaw. The axis counts however short they are, so that nothing stands between a
    direction and its opposite: a network that doubts makes them short, and longer as it learns which is the front."""
    axis = (twice(yaw) - twice(wanted)).abs().sum(1)
    direction = ((yaw - wanted) ** 2).sum(1)
    return AXIS_WEIGHT * axis + DIRECTION_WEIGHT * direction


def loss(
    outputs: Tensor, heat: Tensor, corner: Tensor, box: Tensor, weight: Tensor, shares: Tensor | None = None
) -> tuple[Tensor, dict[str, float]]:
    """Of the pillars of a batch: outputs [v, classes + 1 + BOX], targets as `targets.Targets` tells them. `shares`: how
    much an object of each class counts, one in the mean over objects; all alike without."""
    n = len(CLASSES)
    shares = outputs.new_ones(n) if shares is None else shares
    peaks = (heat >= 0.999).sum(0)
    classes = (focal(outputs[:, :n], heat) * shares).sum() / (peaks * shares).sum().clamp(min=1)
    corners = F.binary_cross_entropy_with_logits(outputs[:, n], corner, reduction="sum") / peaks.sum().clamp(min=1)
    difference = (outputs[:, n + 1 : -2] - box[:, :-2]).abs() * outputs.new_tensor(BOX_WEIGHTS)
    differences = difference.sum(1) + turned(outputs[:, -2:], box[:, -2:])
    # A pillar learns the box of the class whose centre it is nearest to.
    weight = weight * shares[heat.argmax(1)]
    boxes = (differences * weight).sum() / weight.sum().clamp(min=1)
    total = classes + CORNER_WEIGHT * corners + BOX_WEIGHT * boxes
    return total, {"loss": total.item(), "classes": classes.item(), "corners": corners.item(), "boxes": boxes.item()}
