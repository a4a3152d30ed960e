"""Steps of 8-bit numbers, and how they are chosen from what tensors hold at active sites.

Weights are signed with a step for each output; activations are unsigned. Only rows of active sites are ever counted:
zeros of empty space would draw every statistic towards them.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

# Bins of a histogram, and of its 8-bit version in `entropy`.
BINS, LEVELS = 2048, 128
# Shares of the range that are tried.
SHARES = np.linspace(0.2, 1.0, 81)


@dataclass(frozen=True)
class Step:
    """`value = scale · (byte - zero)`, bytes from `low` to `high`."""

    scale: float
    zero: int = 0
    low: int = 0
    high: int = 255

    def bytes(self, x: Tensor) -> Tensor:
        return torch.clamp(torch.round(x / self.scale) + self.zero, self.low, self.high)

    def rounded(self, x: Tensor) -> Tensor:
        """What is left of `x`."""
        return (self.bytes(x) - self.zero) * self.scale


def step_of(low: float, high: float, *, symmetric: bool = False) -> Step:
    """For values from `low` to `high`, zero being exact."""
    low, high = min(low, 0.0), max(high, 0.0)
    if symmetric:
        return Step(max(-low, high, 1e-12) / 127, 0, -127, 127)
    scale = max(high - low, 1e-12) / 255
    return Step(scale, round(-low / scale))


class Observer:
    """Extremes and a histogram of a tensor, in two passes over the frames."""

    def __init__(self) -> None:
        self.low = self.high = 0.0
        self.counts: np.ndarray | None = None

    def see_range(self, x: Tensor) -> None:
        self.low, self.high = min(self.low, float(x.min())), max(self.high, float(x.max()))

    def count(self, x: Tensor) -> None:
        counts = torch.histc(x.float(), BINS, self.low, self.high or 1.0).numpy()
        self.counts = counts if self.counts is None else self.counts + counts

    @property
    def middles(self) -> np.ndarray:
        edges = np.linspace(self.low, self.high or 1.0, BINS + 1)
        return 0.5 * (edges[1:] + edges[:-1])


def min_max(seen: Observer, symmetric: bool) -> Step:
    return step_of(seen.low, seen.high, symmetric=symmetric)


def percentile(seen: Observer, symmetric: bool, share: float = 99.99) -> Step:
    """Leaves out as much on either side."""
    total = np.cumsum(seen.counts) / max(seen.counts.sum(), 1)
    out = (100 - share) / 100
    low = seen.middles[np.searchsorted(total, out)] if seen.low < 0 else 0.0
    return step_of(low, seen.middles[min(np.searchsorted(total, 1 - out), BINS - 1)], symmetric=symmetric)


def mse(seen: Observer, symmetric: bool) -> Step:
    """The least squared error of the tensor itself."""
    values = torch.from_numpy(seen.middles)
    errors = []
    for share in SHARES:
        step = step_of(seen.low * share, seen.high * share, symmetric=symmetric)
        errors.append(float((seen.counts * ((step.rounded(values) - values) ** 2).numpy()).sum()))
    share = SHARES[int(np.argmin(errors))]
    return step_of(seen.low * share, seen.high * share, symmetric=symmetric)


def entropy(seen: Observer, symmetric: bool) -> Step:
    """The least divergence of the histogram from its 8-bit version, as TensorRT and ONNX Runtime calibrate."""
    if seen.low < 0:
        return mse(seen, symmetric)
    counts = seen.counts.astype(np.float64)
    best, chosen = np.inf, BINS
    for end in range(LEVELS, BINS + 1, 16):
        kept = counts[:end].copy()
        kept[-1] += counts[end:].sum()
        edges = np.linspace(0, end, LEVELS + 1).astype(int)
        groups = np.add.reduceat(counts[:end], edges[:-1])
        filled = np.add.reduceat((counts[:end] > 0).astype(np.float64), edges[:-1])
        spread = np.repeat(np.divide(groups, filled, out=np.zeros_like(groups), where=filled > 0), np.diff(edges))
        spread = np.where(counts[:end] > 0, spread, 0.0)
        p, q = kept / max(kept.sum(), 1), spread / max(spread.sum(), 1)
        both = (p > 0) & (q > 0)
        # What the shorter range cannot say at all counts as a tiny chance.
        lost = p[(p > 0) & (q <= 0)]
        divergence = (p[both] * np.log(p[both] / q[both])).sum() + (lost * np.log(lost / 1e-9)).sum()
        if divergence < best:
            best, chosen = divergence, end
    return step_of(0.0, seen.high * chosen / BINS, symmetric=symmetric)


METHODS = {"min_max": min_max, "entropy": entropy, "percentile": percentile, "mse": mse}


def weight_scales(weight: np.ndarray) -> np.ndarray:
    """[outputs]: the largest weight of each is 127."""
    return np.maximum(np.abs(weight).max(0), 1e-12).astype(np.float32) / 127


def searched_scales(weight: np.ndarray, gram: np.ndarray) -> np.ndarray:
    """[outputs]: the least error of each output, which `gram` [inputs, inputs] of what the layer reads tells."""
    best, chosen = np.full(weight.shape[1], np.inf), weight_scales(weight)
    for share in SHARES[SHARES >= 0.4]:
        scales = weight_scales(weight) * np.float32(share)
        off = np.clip(np.rint(weight / scales), -127, 127) * scales - weight
        errors = np.einsum("io,ij,jo->o", off, gram, off, optimize=True)
        better = errors < best
        best, chosen = np.where(better, errors, best), np.where(better, scales, chosen)
    return chosen.astype(np.float32)
