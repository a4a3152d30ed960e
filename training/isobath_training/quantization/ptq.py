"""LiDAR-PTQ (arXiv 2401.15865): 8 bits without training, from some hundred sweeps.

1. **Calibration**: ranges start at the extremes and a grid of smaller ones is searched for the least error of what
   is computed with them, over active sites alone.
2. **Task-guided global positive loss**: steps of activations are tuned so that the whole network says the same as in
   floats where that sees objects; empty ground is not asked.
3. **Adaptive rounding**, layer by layer, on inputs that are already rounded.

The plain methods that it is compared with stop after their ranges.
"""

import sys
import time
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from .frames import Frame
from .layers import Layer, Network
from .rounding import adaptive
from .scales import METHODS, SHARES, Observer, Step, searched_scales, step_of, weight_scales
from .simulate import Plan, floats, gathered, head, passed, planned, products, sums, walk

# Rows of a layer's inputs that stand for all of a calibration.
ROWS = 16_384
# Probability of a class from which on the float network sees an object.
POSITIVE = 0.1
# Sweeps and factors for the search of steps by the global loss.
GLOBAL_FRAMES, FACTORS = 24, (0.8, 0.9, 0.95, 1.05, 1.1, 1.25)


@dataclass(frozen=True)
class Options:
    """What is done."""

    # How ranges of activations are found: a method of `scales`, or `grid`.
    ranges: str = "grid"
    global_loss: bool = True
    adaptive_rounding: bool = True
    # Layers at the beginning and the end that stay floats.
    exact_first: int = 2
    exact_last: int = 0
    # Signed activations around zero, as TensorRT wants them; else unsigned.
    symmetric: bool = False


def quantize(network: Network, frames: list[Frame], classes: int, options: Options = Options()) -> Plan:
    """`classes`: how many of the first outputs of the head are logits of classes."""
    began = time.monotonic()

    def tell(text: str) -> None:
        print(f"{text}  {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)

    exact = chosen_exact(network, options)
    # A tensor is kept in bytes if a layer of integers reads it.
    kept = {name for layer in network.layers if layer.out not in exact for name in layer.reads}
    with torch.no_grad():
        if options.ranges != "grid":
            plan = plain(network, frames, kept, exact, options)
            tell(f"ranges by {options.ranges}")
            return plan
        plan = layer_by_layer(network, frames, kept, exact, options, tell)
        if options.global_loss:
            tune(network, frames[:GLOBAL_FRAMES], plan, classes)
            tell("steps tuned by the global positive loss")
    return plan


def chosen_exact(network: Network, options: Options) -> set[str]:
    layers = network.layers
    last = layers[len(layers) - options.exact_last :]
    return {layer.out for layer in [*layers[: options.exact_first], *last]}


def plain(network: Network, frames: list[Frame], kept: set[str], exact: set[str], options: Options) -> Plan:
    """Ranges of all tensors by one method, weights by their largest."""
    seen = {name: Observer() for name in kept}
    sums_of = {layer.out: Observer() for layer in network.layers if layer.add}
    for look in (Observer.see_range, Observer.count):
        for frame in frames:
            values = {network.features: frame.features}
            for layer, y in walk(network, frame):
                if layer.add:
                    look(sums_of[layer.out], products(layer, frame, values, *floats(layer)))
                if layer.out in kept:
                    look(seen[layer.out], y)
                values[layer.out] = y
    method = METHODS[options.ranges]
    plan = Plan({name: method(observer, options.symmetric) for name, observer in seen.items()})
    plan.before_add = {name: method(observer, options.symmetric) for name, observer in sums_of.items()}
    for layer in network.layers:
        if layer.out not in exact:
            scales = weight_scales(layer.weight)
            plan.scales[layer.out] = scales
            plan.weights[layer.out] = np.clip(np.rint(layer.weight / scales), -127, 127).astype(np.int8)
    return plan


def layer_by_layer(network: Network, frames: list[Frame], kept: set[str], exact: set[str], options: Options, tell) -> Plan:
    """Layer after layer: weights for inputs as the layers before left them, then the step of what it gives."""
    plan = Plan()
    # What each frame has in floats, and as the layers before left it.
    clean = [{network.features: frame.features} for frame in frames]
    rounded = [dict(values) for values in clean]
    for number, layer in enumerate(network.layers):
        wanted = [sums(layer, f, v, *floats(layer)) for f, v in zip(frames, clean, strict=True)]
        if layer.out not in exact:
            fit(layer, frames, rounded, wanted, plan, options)
        parameters = planned(plan)(layer)
        given = [products(layer, f, v, *parameters) for f, v in zip(frames, rounded, strict=True)]
        if layer.add:
            plan.before_add[layer.out] = range_of(given, options)
            given = [y + v[layer.add] for y, v in zip(given, rounded, strict=True)]
        if layer.relu:
            wanted, given = [torch.relu(y) for y in wanted], [torch.relu(y) for y in given]
        if layer.out in kept:
            plan.steps[layer.out] = searched_step(network, layer, given, symmetric=options.symmetric)
            given = [plan.steps[layer.out].rounded(y) for y in given]
        later = {name for rest in network.layers[number + 1 :] for name in rest.reads}
        for values, outputs in ((clean, wanted), (rounded, given)):
            for of_frame, y in zip(values, outputs, strict=True):
                of_frame[layer.out] = y
                for name in set(of_frame) - later:
                    del of_frame[name]
        tell(f"layer {number + 1} of {len(network.layers)}")
    return plan


def range_of(given: list[Tensor], options: Options) -> Step:
    low, high = min(float(y.min()) for y in given), max(float(y.max()) for y in given)
    return step_of(low, high, symmetric=options.symmetric)


def fit(layer: Layer, frames: list[Frame], values: list[dict], wanted: list[Tensor], plan: Plan, options: Options) -> None:
    """Weights and bias of a layer in whole numbers."""
    rows, targets = sample(layer, frames, values, wanted)
    mean_row, mean_target = rows.mean(0), targets.mean(0)
    # The bias takes the means; the rest is for the weights.
    rows, targets = rows - mean_row, targets - mean_target
    gram, cross = (rows.T @ rows / len(rows)).numpy(), (rows.T @ targets / len(rows)).numpy()
    scales = searched_scales(layer.weight, gram)
    if options.adaptive_rounding:
        with torch.enable_grad():
            whole = adaptive(layer.weight, scales, gram, cross)
    else:
        whole = np.clip(np.rint(layer.weight / scales), -127, 127).astype(np.int8)
    plan.scales[layer.out], plan.weights[layer.out] = scales, whole
    given = mean_row.numpy() @ (whole.astype(np.float32) * scales)
    plan.biases[layer.out] = (mean_target.numpy() - given).astype(np.float32)


def sample(layer: Layer, frames: list[Frame], values: list[dict], wanted: list[Tensor]) -> tuple[Tensor, Tensor]:
    """At most `ROWS` rows that the layer reads, evenly from all frames, and what it should give for them without
    what is added."""
    total = sum(len(y) for y in wanted)
    every = max(total // ROWS, 1)
    rows, targets = [], []
    for frame, of_frame, y in zip(frames, values, wanted, strict=True):
        index = frame.index[layer.table] if layer.table else torch.arange(len(y))[:, None]
        chosen = torch.arange(0, len(y), every)
        rows.append(gathered(of_frame[layer.x], index[chosen]))
        targets.append((y - of_frame[layer.add] if layer.add else y)[chosen])
    return torch.cat(rows), torch.cat(targets)


def searched_step(network: Network, layer: Layer, given: list[Tensor], *, symmetric: bool) -> Step:
    """The range with the least error of what the next layers make of it."""
    importance = torch.zeros(given[0].shape[1], given[0].shape[1])
    for reader in network.consumers(layer.out):
        if reader.x == layer.out:
            taps = torch.from_numpy(reader.weight).view(-1, given[0].shape[1], reader.weight.shape[1])
            importance += torch.einsum("tio,tjo->ij", taps, taps)
        if reader.add == layer.out:
            importance += torch.eye(len(importance))
    values = torch.cat([y[:: max(len(y) * len(given) // ROWS, 1)] for y in given])
    low, high = float(values.min()), max(float(y.max()) for y in given)
    errors = []
    for share in SHARES:
        off = step_of(low * share, high * share, symmetric=symmetric).rounded(values) - values
        errors.append(float(((off @ importance) * off).sum()))
    share = SHARES[int(np.argmin(errors))]
    return step_of(low * share, high * share, symmetric=symmetric)


def positive_loss(given: Tensor, wanted: Tensor, classes: int) -> Tensor:
    """How far the outputs are from those in floats where these see an object: probabilities of all classes, and the
    box; 0 where there is none."""
    found = torch.sigmoid(wanted[:, :classes])
    positive = found.amax(1) > POSITIVE
    if not positive.any():
        return given.sum() * 0
    scores = F.binary_cross_entropy_with_logits(given[positive, :classes], found[positive])
    floor = F.binary_cross_entropy_with_logits(wanted[positive, :classes], found[positive])
    return scores - floor + F.l1_loss(given[positive, classes:], wanted[positive, classes:])


def tune(network: Network, frames: list[Frame], plan: Plan, classes: int) -> None:
    """Takes for each tensor in turn the step with the least global loss."""
    wanted = [head(network, frame) for frame in frames]
    of_layer = {layer.out: planned(plan)(layer) for layer in network.layers}

    def parameters(layer: Layer) -> tuple[Tensor, Tensor]:
        return of_layer[layer.out]

    # What each frame has before the layer: what comes before it is not computed again.
    values = [{network.features: frame.features} for frame in frames]
    for number, layer in enumerate(network.layers):
        given = [
            next(walk(network, frame, parameters, first=number, values=before))[1]
            for frame, before in zip(frames, values, strict=True)
        ]

        def after(step: Step | None) -> list[dict[str, Tensor]]:
            outputs = [step.rounded(y) if step else y for y in given]
            return [passed(network, number, before, y) for before, y in zip(values, outputs, strict=True)]

        def loss(step: Step) -> float:
            total = 0.0
            for frame, rest, w in zip(frames, after(step), wanted, strict=True):
                *_, (_, y) = walk(network, frame, parameters, plan.steps, first=number + 1, values=rest)
                total += float(positive_loss(y, w, classes))
            return total

        step = plan.steps.get(layer.out)
        if step:
            others = [Step(step.scale * factor, step.zero, step.low, step.high) for factor in FACTORS]
            step = plan.steps[layer.out] = min([step, *others], key=loss)
        values = after(step)
