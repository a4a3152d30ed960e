"""The network on PyTorch, in floats and as if its numbers had 8 bits.

Integers are imitated by floats that are whole multiples of their steps: up to the rounding of sums this is what the
runtime's operators compute.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from ..detector_s.network import Gathered
from .frames import Frame
from .layers import Layer, Network
from .scales import Step


@dataclass
class Plan:
    """How each layer is computed."""

    # What each tensor that is kept in bytes is rounded to.
    steps: dict[str, Step] = field(default_factory=dict)
    # Layer's tensor → whole numbers [inputs, outputs] and step of each output; layers that are not here stay floats.
    weights: dict[str, np.ndarray] = field(default_factory=dict)
    scales: dict[str, np.ndarray] = field(default_factory=dict)
    # Layer's tensor → bias.
    biases: dict[str, np.ndarray] = field(default_factory=dict)
    # Layer's tensor → what its products are rounded to before something is added, where an operator adds bytes only.
    before_add: dict[str, Step] = field(default_factory=dict)


def gathered(x: Tensor, index: Tensor | None) -> Tensor:
    return x if index is None else Gathered.apply(x, index)


def products(layer: Layer, frame: Frame, values: dict[str, Tensor], weight: Tensor, bias: Tensor) -> Tensor:
    """What the layer gives before anything is added."""
    rows = gathered(values[layer.x], frame.index[layer.table] if layer.table else None)
    return torch.addmm(bias, rows, weight)


def sums(layer: Layer, frame: Frame, values: dict[str, Tensor], weight: Tensor, bias: Tensor) -> Tensor:
    """What the layer gives before its ReLU."""
    y = products(layer, frame, values, weight, bias)
    return y + values[layer.add] if layer.add else y


Parameters = Callable[[Layer], tuple[Tensor, Tensor]]


def floats(layer: Layer) -> tuple[Tensor, Tensor]:
    """Weights as they are."""
    return torch.from_numpy(layer.weight), torch.from_numpy(layer.bias)


def planned(plan: Plan) -> Parameters:
    """Weights as a plan has them."""

    def parameters(layer: Layer) -> tuple[Tensor, Tensor]:
        if layer.out not in plan.weights:
            return floats(layer)
        weight = plan.weights[layer.out].astype(np.float32) * plan.scales[layer.out]
        return torch.from_numpy(weight), torch.from_numpy(plan.biases.get(layer.out, layer.bias))

    return parameters


def walk(
    network: Network,
    frame: Frame,
    parameters: Parameters = floats,
    steps: dict[str, Step] | None = None,
    *,
    first: int = 0,
    values: dict[str, Tensor] | None = None,
) -> Iterator[tuple[Layer, Tensor]]:
    """Every layer with what it gives; tensors that have a step are rounded to it for those who read them. `first`, and
    `values` that it and those after it read: where a walk goes on."""
    values = {network.features: frame.features} if values is None else values
    for number, layer in enumerate(network.layers[first:], first):
        y = sums(layer, frame, values, *parameters(layer))
        y = torch.relu(y) if layer.relu else y
        yield layer, y
        values = passed(network, number, values, steps[layer.out].rounded(y) if steps and layer.out in steps else y)


def passed(network: Network, number: int, values: dict[str, Tensor], y: Tensor) -> dict[str, Tensor]:
    """What layers after `number`, which gives `y`, read of all there is."""
    later = {name for rest in network.layers[number + 1 :] for name in rest.reads}
    return {name: value for name, value in (values | {network.layers[number].out: y}).items() if name in later}


def head(network: Network, frame: Frame, parameters: Parameters = floats, steps: dict[str, Step] | None = None) -> Tensor:
    """What the last layer gives."""
    y = frame.features
    for _, y in walk(network, frame, parameters, steps):
        pass
    return y
