"""Which way each weight is rounded: adaptive rounding (Nagel et al. 2020) layer by layer, as LiDAR-PTQ uses it.

The error of a layer's outputs is a quadratic form of the weights: it needs what the layer reads only as products of
its inputs with each other and with the outputs that are wanted, which are small.
"""

import numpy as np
import torch

# Stretch of the sigmoid that lets a weight be rounded up or down for good.
LOW, HIGH = -0.1, 1.1


def shares(v: torch.Tensor) -> torch.Tensor:
    """0: rounded down, 1: up."""
    return torch.clamp(torch.sigmoid(v) * (HIGH - LOW) + LOW, 0, 1)


def adaptive(
    weight: np.ndarray, scales: np.ndarray, gram: np.ndarray, cross: np.ndarray, *, rounds: int = 250
) -> np.ndarray:
    """Whole numbers [inputs, outputs]. `gram` [inputs, inputs]: products of what the rounded layer reads; `cross`
    [inputs, outputs]: of that and what it should give. No output gets worse than by rounding to the nearest."""
    w, s, g, c = (torch.from_numpy(np.asarray(part, np.float64)) for part in (weight, scales, gram, cross))
    exact = w / s
    down = torch.floor(exact)
    nearest = torch.clamp(torch.round(exact), -127, 127)

    def errors(whole: torch.Tensor) -> torch.Tensor:
        values = whole * s
        return (values * (g @ values)).sum(0) - 2 * (values * c).sum(0)

    least = errors(nearest)
    # The best that weights without steps could do measures the rest.
    ridge = 1e-6 * torch.diagonal(g).mean() * torch.eye(len(g), dtype=g.dtype)
    free = torch.linalg.solve(g + ridge, c)
    floor = (free * (g @ free)).sum(0) - 2 * (free * c).sum(0)
    scale = torch.clamp(least - floor, min=1e-12)

    share = torch.clamp(exact - down, 1e-3, 1 - 1e-3)
    v = torch.log((share - LOW) / (HIGH - share)).requires_grad_()
    optimizer = torch.optim.Adam([v], lr=0.1)
    for number in range(rounds):
        progress = number / rounds
        whole = torch.clamp(down + shares(v), -127, 127)
        loss = ((errors(whole) - floor) / scale).mean()
        if progress > 0.2:
            # The exponent falls from 20 to 2: weights that are nearly decided are decided first.
            beta = 2 + 9 * (1 + np.cos(np.pi * (progress - 0.2) / 0.8))
            loss = loss + (1 - (2 * shares(v) - 1).abs().pow(beta)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    learned = torch.clamp(down + (shares(v.detach()) > 0.5).double(), -127, 127)
    return torch.where(errors(learned) <= least, learned, nearest).numpy().astype(np.int8)
