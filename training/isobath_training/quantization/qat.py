"""Quantization-aware training, to compare with: the network goes on learning, with labels, while it is rounded.

What the steps of the calibration leave of weights and activations is what the forward pass computes with; backwards
the rounding is looked through (Bengio et al. 2013). Weights, biases and nothing else are learned.
"""

import math
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..detector_s.batches import Batch, sample, together
from ..detector_s.draw import Draw
from ..detector_s.features import Grid
from ..detector_s.loss import loss
from ..detector_s.sweeps import Sweeps
from .frames import Frame, indices
from .layers import Layer, Network
from .scales import Step
from .simulate import Plan, floats, sums

BATCH, RATE = 8, 2e-4
# Seconds between two lines of figures.
TELL_S = 30.0


class Rounding:
    """Weights and biases that learn, as a plan rounds them."""

    def __init__(self, network: Network, plan: Plan) -> None:
        self.network, self.plan = network, plan
        parameters = {layer.out: floats(layer) for layer in network.layers}
        self.weights = {name: weight.clone().requires_grad_() for name, (weight, _) in parameters.items()}
        self.biases = {name: bias.clone().requires_grad_() for name, (_, bias) in parameters.items()}
        self.scales = {name: torch.from_numpy(scales) for name, scales in plan.scales.items()}

    def learned(self) -> list[Tensor]:
        return [*self.weights.values(), *self.biases.values()]

    def whole(self, name: str) -> Tensor:
        """Weights of a layer in steps, as whole numbers."""
        return torch.clamp(torch.round(self.weights[name] / self.scales[name]), -127, 127)

    def parameters(self, layer: Layer) -> tuple[Tensor, Tensor]:
        weight, bias = self.weights[layer.out], self.biases[layer.out]
        if layer.out in self.scales:
            rounded = self.whole(layer.out) * self.scales[layer.out]
            weight = weight + (rounded - weight).detach()
        return weight, bias

    def head(self, frame: Frame) -> Tensor:
        """What the last layer gives."""
        values, y = {self.network.features: frame.features}, frame.features
        for layer in self.network.layers:
            y = sums(layer, frame, values, *self.parameters(layer))
            y = torch.relu(y) if layer.relu else y
            step = self.plan.steps.get(layer.out)
            values[layer.out] = looked_through(y, step) if step else y
        return y

    def planned(self) -> Plan:
        """The plan with what was learned; layers that stay floats keep theirs in the network."""
        for layer in self.network.layers:
            weight, bias = (of[layer.out].detach().numpy() for of in (self.weights, self.biases))
            if layer.out in self.scales:
                self.plan.weights[layer.out] = self.whole(layer.out).detach().numpy().astype(np.int8)
                self.plan.biases[layer.out] = bias
            else:
                layer.weight, layer.bias = weight, bias
        return self.plan


def looked_through(x: Tensor, step: Step) -> Tensor:
    """Rounded; the gradient is that of what is inside the range."""
    inside = torch.clamp(x, (step.low - step.zero) * step.scale, (step.high - step.zero) * step.scale)
    return inside + (step.rounded(inside) - inside).detach()


def frame_of(batch: Batch) -> Frame:
    return Frame(batch.features, batch.levels[0].coords, indices(batch.levels))


def quantize_aware(network: Network, plan: Plan, data: Path, grid: Grid, samples: int, *, seed: int = 1) -> Plan:
    """From the plan of a calibration; learns from `samples` sweeps of the folder."""
    draw, rounding = Draw(Sweeps(data), seed), Rounding(network, plan)
    optimizer = torch.optim.Adam(rounding.learned(), lr=RATE)
    began = told = time.monotonic()
    for first in range(0, samples, BATCH):
        for group in optimizer.param_groups:
            group["lr"] = RATE * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * first / samples)))
        batch = together([
            sample(draw.sweeps, draw.frame(number), np.random.default_rng([seed, number]), grid, network.pyramid)
            for number in range(first, first + BATCH)
        ], grid)  # fmt: skip
        total, figures = loss(rounding.head(frame_of(batch)), *batch.wanted)
        optimizer.zero_grad()
        total.backward()
        torch.nn.utils.clip_grad_norm_(rounding.learned(), 5.0)
        optimizer.step()
        if time.monotonic() - told > TELL_S:
            told = time.monotonic()
            done = f"{first + BATCH} of {samples} samples  loss {figures['loss']:.3f}  {told - began:.0f} s"
            print(done, file=sys.stderr, flush=True)
    return rounding.planned()
