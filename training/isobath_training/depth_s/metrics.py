"""Figures of a network on frames, as `isobath evaluate` defines them, at the network's size."""

import numpy as np
import torch

from .loss import FARTHEST_M, GOOD, NEAREST_M
from .network import DepthNetwork
from .samples import Frames, passes


@torch.no_grad()
def measure(
    network: DepthNetwork, frames: Frames, size: tuple[int, int], *, radar: bool = True
) -> dict[str, dict]:
    """Means over the images, pooled and by scene; `radar=False` takes the returns away."""
    network.eval()
    rows: list[tuple[int, float, float, float]] = []
    bins = np.zeros((10, 3))
    for batch in passes(frames, size):
        prior = batch.prior if radar else torch.zeros_like(batch.prior)
        with torch.autocast("cpu", torch.bfloat16):
            log_depth, confidence, *_ = network(batch.image, prior, batch.rays)
        predicted, probability = log_depth.exp().numpy(), torch.sigmoid(confidence).numpy()
        truth = batch.depth.numpy()
        for p, c, g, scene in zip(predicted, probability, truth, batch.scene.tolist(), strict=True):
            valid = np.isfinite(g) & (g >= NEAREST_M) & (g <= FARTHEST_M)
            if valid.sum() <= 10:
                continue
            p, c, g = p[valid], c[valid], g[valid]
            relative = np.abs(p - g) / g
            ratio = np.maximum(p / g, g / p)
            rows.append((scene, relative.mean(), (ratio < 1.25).mean(), np.abs(np.log(p / g)).mean()))
            index = np.minimum((c * 10).astype(int), 9)
            for column, value in enumerate([np.ones_like(c), c, relative < GOOD]):
                bins[:, column] += np.bincount(index, weights=value, minlength=10)
    table = np.array(rows)
    share = bins[:, 0] / bins[:, 0].sum()
    count = np.maximum(bins[:, 0], 1)
    figures = {"all": summary(table)} | {
        name: summary(table[table[:, 0] == index])
        for index, name in enumerate(frames.arrays.scenes)
        if (table[:, 0] == index).any()
    }
    figures["all"]["ece"] = float((share * np.abs(bins[:, 1] / count - bins[:, 2] / count)).sum())
    return figures


def summary(table: np.ndarray) -> dict[str, float]:
    means = table[:, 1:].mean(0)
    return {"frames": len(table), "abs_rel": means[0], "delta1": means[1], "log_l1": means[2]}
