"""What training minimises."""

import torch
import torch.nn.functional as F
from torch import Tensor

from .network import CELL

# Truth counts in this range, as `isobath evaluate` counts it; the sky is beyond.
NEAREST_M, FARTHEST_M = 0.2, 80.0
# Confidence is the probability that the relative error is below this.
GOOD = 0.1
GRADIENT_WEIGHT, SHAPE_WEIGHT, CONFIDENCE_WEIGHT, SKY_WEIGHT, GUESS_WEIGHT = 0.05, 0.3, 0.05, 0.05, 0.3


def loss(outputs: tuple[Tensor, ...], depth: Tensor) -> tuple[Tensor, dict[str, float]]:
    """L1 of log depth, the same without each image's own scale, its gradients, and two cross entropies.

    `depth` [n, 1, h, w] metres, inf for the sky, NaN where unknown.
    """
    log_depth, confidence, sky, guess, *_ = outputs
    valid = (depth >= NEAREST_M) & (depth <= FARTHEST_M)
    weight = valid.float()
    target = torch.log(torch.where(valid, depth, torch.ones_like(depth)))
    difference = (log_depth - target) * weight
    pixels = weight.sum((2, 3)).clamp(min=1)
    scale = difference.abs().sum((2, 3)) / pixels
    offset = (difference.sum((2, 3)) / pixels)[..., None, None]
    shape = ((difference - offset).abs() * weight).sum((2, 3)) / pixels
    gradient = sum(step(difference, weight, axis) for axis in (2, 3))
    # The first look is right by itself, not only after the second.
    coarse = (F.interpolate(guess, scale_factor=CELL) - target) * weight
    first = coarse.abs().sum((2, 3)) / pixels
    known = (~torch.isnan(depth)).float()
    # An image that is nearly all sky tells little about depth; one whose truth is sparse may tell all.
    share = (weight.sum((2, 3)) / known.sum((2, 3)).clamp(min=1) * 4).clamp(max=1)
    with torch.no_grad():
        right = (torch.expm1(difference).abs() < GOOD).float()
    density = known.mean().clamp(min=1e-6)
    certainty = F.binary_cross_entropy_with_logits(confidence, right, weight=weight) / density
    # Sparse truth never shows the sky: it says nothing of where the sky is not, either.
    whole = known.amin((1, 2, 3), keepdim=True)
    heavens = F.binary_cross_entropy_with_logits(sky, torch.isinf(depth).float(), weight=whole.expand_as(sky))
    depth_terms = (
        (scale + SHAPE_WEIGHT * shape + GUESS_WEIGHT * first) * share
    ).mean() + GRADIENT_WEIGHT * gradient
    total = depth_terms + CONFIDENCE_WEIGHT * certainty + SKY_WEIGHT * heavens
    with torch.no_grad():
        error = (torch.expm1(difference.clamp(max=5)).abs() * weight).sum((2, 3)) / pixels
    return total, {
        "loss": total.item(),
        "log_l1": scale.mean().item(),
        "guess": first.mean().item(),
        "abs_rel": error.mean().item(),
    }


def step(difference: Tensor, weight: Tensor, axis: int) -> Tensor:
    """Mean change of the error from pixel to pixel."""
    n = difference.shape[axis]
    both = weight.narrow(axis, 1, n - 1) * weight.narrow(axis, 0, n - 1)
    change = (difference.narrow(axis, 1, n - 1) - difference.narrow(axis, 0, n - 1)).abs()
    return (change * both).sum() / both.sum().clamp(min=1)
