"""What the operators of `ai.isobath` give for a quantized network, by exact integers (docs/sparse_operators.md)."""

import numpy as np
import torch

from .frames import Frame
from .layers import Layer, Network
from .scales import Step
from .simulate import Plan, floats, sums
from .write import integers


def gathered(x: np.ndarray, index: np.ndarray | None, zero: int) -> np.ndarray:
    """Rows of whole numbers, `zero` being taken off; missing ones are nothing."""
    padded = np.concatenate([x.astype(np.int64) - zero, np.zeros((1, x.shape[1]), np.int64)])
    return padded[:-1] if index is None else padded[index].reshape(len(index), -1)


def to_bytes(x: np.ndarray, step: Step) -> np.ndarray:
    """QuantizeLinear."""
    return np.clip(np.rint(x / np.float32(step.scale)) + step.zero, step.low, step.high).astype(np.int64)


def layer_of_integers(
    layer: Layer, frame: Frame, values: dict[str, np.ndarray], plan: Plan
) -> np.ndarray:
    """Bytes, or floats where the layer's tensor has no step."""
    x, out = plan.steps[layer.x], plan.steps.get(layer.out)
    y_scale = out.scale if out else 1.0
    weight, bias = integers(layer, plan, x)
    index = frame.index[layer.table].numpy() if layer.table else None
    # Below 2^53 sums of floats of 64 bits are exact.
    total = gathered(values[layer.x], index, x.zero).astype(np.float64) @ weight.astype(np.float64) + bias
    scale = (np.float32(x.scale) * plan.scales[layer.out] / np.float32(y_scale)).astype(np.float32)
    f = total.astype(np.float32) * scale
    if layer.add:
        add = plan.steps[layer.add]
        f = f + (values[layer.add] - add.zero).astype(np.float32) * np.float32(add.scale / y_scale)
    if out is None:
        return np.maximum(f, np.float32(0)) if layer.relu else f
    least = out.zero if layer.relu else out.low
    return np.clip(np.rint(f.astype(np.float64)) + out.zero, least, out.high).astype(np.int64)


def head(network: Network, frame: Frame, plan: Plan) -> np.ndarray:
    """What the last layer gives."""
    values: dict[str, np.ndarray] = {}
    exact = {network.features: frame.features}
    y: np.ndarray = frame.features.numpy()
    for layer in network.layers:
        if layer.out in plan.weights:
            for name in layer.reads:
                if name not in values:
                    values[name] = to_bytes(exact[name].numpy(), plan.steps[name])
            y = layer_of_integers(layer, frame, values, plan)
            (values if layer.out in plan.steps else exact)[layer.out] = (
                y if layer.out in plan.steps else torch.from_numpy(y)
            )
            continue
        for name in layer.reads:
            if name not in exact:
                step = plan.steps[name]
                exact[name] = torch.from_numpy(((values[name] - step.zero) * np.float32(step.scale)).astype(np.float32))
        with torch.no_grad():
            rows = sums(layer, frame, exact, *floats(layer))
        exact[layer.out] = torch.relu(rows) if layer.relu else rows
        y = exact[layer.out].numpy()
    return y
