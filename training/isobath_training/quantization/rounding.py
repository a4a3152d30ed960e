"""Which way each weight is rounded: adaptive rounding (Nagel et al. 2020) layer by layer, as LiDAR-PTQ uses it.

The error of a layer's outputs is a quadratic form of the weights: it needs what the layer reads only as products of
its inputs with each other and with the outputs that are wanted, which are small.
"""

import numpy as np
import torch

# Stretch of the sigmoid that lets a weight be rounded up or down for good.
LOW, HIGH = -0.1, 1.1
# Of Adam: rate, decay of both means, what keeps it from dividing by nothing.
RATE, DECAY, EPSILON = 0.1, (0.9, 0.999), 1e-8


@torch.no_grad()
def adaptive(
    weight: np.ndarray, scales: np.ndarray, gram: np.ndarray, cross: np.ndarray, *, rounds: int = 250
) -> np.ndarray:
    """Whole numbers [inputs, outputs]. `gram` [inputs, inputs]: products of what the rounded layer reads; `cross`
    [inputs, outputs]: of that and what it should give. No output gets worse than by rounding to the nearest."""
    w, s, g, c = (torch.from_numpy(np.asarray(part, np.float64)) for part in (weight, scales, gram, cross))
    exact = w / s
    down = torch.floor(exact)
    nearest = torch.clamp(torch.round(exact), -127, 127)

    def errors(whole: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Of each output, and half of their slopes by the whole numbers."""
        values = whole * s
        wanted = g @ values
        return (values * wanted).sum(0) - 2 * (values * c).sum(0), (wanted - c) * s

    least, _ = errors(nearest)
    # The best that weights without steps could do measures the rest.
    ridge = 1e-6 * torch.diagonal(g).mean() * torch.eye(len(g), dtype=g.dtype)
    free = torch.linalg.solve(g + ridge, c)
    floor = (free * (g @ free)).sum(0) - 2 * (free * c).sum(0)
    scale = torch.clamp(least - floor, min=1e-12)

    share = torch.clamp(exact - down, 1e-3, 1 - 1e-3)
    v = torch.log((share - LOW) / (HIGH - share))
    means = [torch.zeros_like(v), torch.zeros_like(v)]
    # Slopes are written down by hand: to have them derived takes as long again.
    for number in range(rounds):
        progress = number / rounds
        sigmoid = torch.sigmoid(v)
        stretched = sigmoid * (HIGH - LOW) + LOW
        # 0: rounded down, 1: up.
        share = torch.clamp(stretched, 0, 1)
        whole = down + share
        slope = errors(torch.clamp(whole, -127, 127))[1] * (2 / (scale * len(scale)))
        slope[(whole < -127) | (whole > 127)] = 0
        if progress > 0.2:
            # The exponent falls from 20 to 2: weights that are nearly decided are decided first.
            beta = 2 + 9 * (1 + np.cos(np.pi * (progress - 0.2) / 0.8))
            sides = 2 * share - 1
            slope -= sides.sign() * sides.abs().pow(beta - 1) * (2 * beta / sides.numel())
        slope *= sigmoid * (1 - sigmoid) * (HIGH - LOW)
        slope[(stretched < 0) | (stretched > 1)] = 0
        means[0].lerp_(slope, 1 - DECAY[0])
        means[1].lerp_(slope * slope, 1 - DECAY[1])
        first, second = (mean / (1 - decay ** (number + 1)) for mean, decay in zip(means, DECAY, strict=True))
        v -= RATE * first / (second.sqrt() + EPSILON)
    learned = torch.clamp(down + (v > 0), -127, 127)
    return torch.where(errors(learned)[0] <= least, learned, nearest).numpy().astype(np.int8)
