"""Weights that a detector does without, and goes on learning without.

- `magnitude`: the smallest of all layers, each measured by the root mean square of its layer; at once.
- `random`: as many of each layer as `magnitude` takes, whichever: what any cleverer choice must beat.
- `n_m`: two of every four inputs of each output, the smaller ones, as sparse tensor cores want it; at once.
- `blocks`: blocks of 16 inputs by 16 outputs, those that matter least, more and more over the first half of the run.
- `taps`: whole places of the nine that a 3×3 convolution reads, likewise. The runtime computes the others alone.

The first layer and the head keep all of theirs. What was pruned is what is zero: the weights themselves remember it.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from .network import Conv, Detector

METHODS = ("magnitude", "random", "n_m", "blocks", "taps")
AT_ONCE = ("magnitude", "random", "n_m")
# Edge of a block; of how many inputs how many stay.
BLOCK, OF, STAY = 16, 4, 2
# Part of the run in which the share grows, and samples between two looks.
GROWS, EVERY = 0.5, 400


@dataclass(frozen=True)
class Pruning:
    """What `METHOD:SHARE` says."""

    method: str
    share: float

    @classmethod
    def parse(cls, text: str) -> "Pruning":
        method, _, share = text.partition(":")
        try:
            found = cls(method, float(share) if share else 0.5)
        except ValueError:
            found = None
        if found is None or method not in METHODS or not 0 < found.share < 1:
            raise SystemExit(f"--prune: expected {', '.join(METHODS)}, a colon and a share below 1, found {text}")
        if method == "n_m" and found.share != STAY / OF:
            raise SystemExit(f"--prune: expected n_m:{STAY / OF}, found {text}")
        return found

    def share_at(self, progress: float) -> float:
        """Zhu and Gupta (2017): fast while much is superfluous, then slower."""
        if self.method in AT_ONCE:
            return self.share
        return self.share * (1 - (1 - min(progress / GROWS, 1.0)) ** 3)


def prunable(network: Detector) -> dict[str, Conv]:
    """Layers that lose weights."""
    layers = {name: layer for name, layer in network.named_modules() if isinstance(layer, Conv)}
    return {name: layer for name, layer in layers.items() if layer is not network.encode[0]}


def masks(network: Detector, method: str, share: float, seed: int) -> dict[str, Tensor]:
    """Layer → which of its weights stay, [taps · inputs, outputs] of bool."""
    layers = prunable(network)
    weights = {name: layer.weight.detach() for name, layer in layers.items()}
    if method == "n_m":
        return {name: of_four(weight) for name, weight in weights.items()}
    if method == "blocks":
        return smallest({name: by_block(layer) for name, layer in layers.items()}, share)
    if method == "taps":
        wide = {name: layer for name, layer in layers.items() if layer.places > 1}
        return smallest({name: by_tap(layer) for name, layer in wide.items()}, share)
    found = smallest({name: scaled(weight) for name, weight in weights.items()}, share)
    if method == "magnitude":
        return found
    random = torch.Generator().manual_seed(seed)
    return {name: shuffled(mask, random) for name, mask in found.items()}


def scaled(weight: Tensor) -> Tensor:
    """Sizes of weights; what scale a layer has is of no matter, as it is normalised after."""
    return weight.abs() / weight[weight != 0].square().mean().sqrt().clamp(min=1e-12)


def by_block(layer: Conv) -> Tensor:
    """Root mean squares of blocks, spread over the weights; blocks at the edges may be smaller."""
    sizes = scaled(layer.weight.detach()).view(layer.places, layer.inputs, -1).square()
    outputs = sizes.shape[2]
    result = torch.empty_like(sizes)
    for i in range(0, layer.inputs, BLOCK):
        for o in range(0, outputs, BLOCK):
            part = sizes[:, i : i + BLOCK, o : o + BLOCK]
            result[:, i : i + BLOCK, o : o + BLOCK] = part.mean((1, 2), keepdim=True)
    return result.sqrt().view(-1, outputs)


def by_tap(layer: Conv) -> Tensor:
    """Root mean squares of the places that are read, spread over the weights."""
    sizes = scaled(layer.weight.detach()).view(layer.places, layer.inputs, -1)
    return sizes.square().mean((1, 2), keepdim=True).sqrt().expand_as(sizes).reshape(layer.weight.shape)


def smallest(sizes: dict[str, Tensor], share: float) -> dict[str, Tensor]:
    """Leaves out the share of all weights with the smallest sizes; no layer loses all."""
    every = torch.cat([values.reshape(-1) for values in sizes.values()])
    count = int(share * len(every))
    if count == 0:
        return {name: torch.ones_like(values, dtype=torch.bool) for name, values in sizes.items()}
    limit = every.kthvalue(count).values
    return {name: (values > limit) | (values == values.max()) for name, values in sizes.items()}


def of_four(weight: Tensor) -> Tensor:
    """Of every four inputs of an output, one after the other, the two largest stay."""
    rows, outputs = weight.shape
    groups = weight.abs().view(rows // OF, OF, outputs)
    chosen = groups.topk(STAY, dim=1).indices
    return torch.zeros_like(groups, dtype=torch.bool).scatter_(1, chosen, value=True).view(rows, outputs)


def shuffled(mask: Tensor, random: torch.Generator) -> Tensor:
    return mask.reshape(-1)[torch.randperm(mask.numel(), generator=random)].view(mask.shape)


class Pruner:
    """Keeps what was pruned at zero while a network learns."""

    def __init__(self, pruning: Pruning, network: Detector, average: Detector, seed: int, progress: float) -> None:
        self.pruning, self.networks, self.seed = pruning, (network, average), seed
        if progress > 0:
            self.masks = {name: layer.weight.detach() != 0 for name, layer in prunable(network).items()}
        else:
            self.look(0.0)

    def look(self, progress: float) -> None:
        """Chooses anew what stays."""
        share = self.pruning.share_at(progress)
        self.masks = masks(self.networks[0], self.pruning.method, share, self.seed)
        self.apply()

    @torch.no_grad()
    def apply(self) -> None:
        for network in self.networks:
            layers = prunable(network)
            for name, mask in self.masks.items():
                layers[name].weight *= mask

    def step(self, seen: int, batch: int, samples: int) -> None:
        """After each step of the optimizer."""
        grows = self.pruning.method not in AT_ONCE and seen <= (GROWS * samples) + EVERY
        if grows and seen // EVERY != (seen - batch) // EVERY:
            self.look(seen / samples)
        else:
            self.apply()


def soup(states: list[dict]) -> dict:
    """The mean of the weights of runs that were pruned alike (Sparse Model Soups, Zimmer et al. 2024)."""
    first = states[0]["average"]
    mean = {}
    for key, value in first.items():
        values = [state["average"][key] for state in states]
        if any((other != 0).ne(value != 0).any() for other in values) and key.endswith("weight") and value.dim() == 2:
            raise SystemExit(f"{key}: expected runs that were pruned alike")
        mean[key] = torch.stack([v.float() for v in values]).mean(0).to(value.dtype) if value.dtype.is_floating_point else value
    return mean
