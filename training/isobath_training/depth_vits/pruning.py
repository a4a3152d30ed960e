"""Two of every four weights left out, and what that costs learned back from the network as it was.

GPUSQ-ViT (Yu et al. 2023) without its second half: 8 bits come after, without training (`quantize.py`). Of every four
inputs of an output the two larger weights stay, as sparse tensor cores want it; then the network learns to say what
it said before, in its depth, its confidence and its tokens. No truth is needed, only frames.
"""

import copy
import math
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..arrays import Joined
from .export import check_size
from .inputs import network_inputs
from .network import DepthVit

# Of how many inputs how many stay.
OF, STAY = 4, 2
BATCH, RATE = 4, 2e-4
# Parts of the loss beside the logarithm of the depth.
CONFIDENCE_WEIGHT, TOKENS_WEIGHT = 0.2, 0.2
# Nearer than this depths are alike, metres.
NEAREST_M = 0.1
# Seconds between two lines of figures.
TELL_S = 30.0


def prunable(network: nn.Module) -> dict[str, nn.Module]:
    """Layers that lose weights: all but the first and the last, whose inputs and outputs are few."""
    kinds = (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)
    layers = {name: layer for name, layer in network.named_modules() if isinstance(layer, kinds)}
    return {name: layer for name, layer in layers.items() if not name.endswith(("patch_embed.proj", "output_conv2.2"))}


def inputs_first(layer: nn.Module, weight: Tensor) -> Tensor:
    """[inputs, …]: a view with the inputs of a layer in front."""
    return weight if isinstance(layer, nn.ConvTranspose2d) else weight.transpose(0, 1)


def mask(layer: nn.Module) -> Tensor:
    """Which weights stay, in the shape of the weights: of every four inputs, one after the other, the two larger."""
    sizes = inputs_first(layer, layer.weight.detach()).abs()
    groups = sizes.reshape(len(sizes) // OF, OF, -1)
    stays = torch.zeros_like(groups, dtype=torch.bool).scatter_(1, groups.topk(STAY, dim=1).indices, value=True)
    return inputs_first(layer, stays.view(sizes.shape)).contiguous()


def is_pruned(network: nn.Module) -> bool:
    """Whether every layer that can has two zeros among any four inputs."""

    def has_two(layer: nn.Module) -> bool:
        weight = inputs_first(layer, layer.weight.detach())
        return bool(((weight.reshape(len(weight) // OF, OF, -1) != 0).sum(1) <= STAY).all())

    return all(has_two(layer) for layer in prunable(network).values())


@torch.no_grad()
def prune(network: DepthVit) -> dict[str, Tensor]:
    """Leaves out half of the weights; tells which stay, by layer."""
    masks = {name: mask(layer) for name, layer in prunable(network).items()}
    apply(network, masks)
    return masks


@torch.no_grad()
def apply(network: DepthVit, masks: dict[str, Tensor]) -> None:
    for name, stays in masks.items():
        network.get_submodule(name).weight.mul_(stays)


def look(network: DepthVit, x: Tensor) -> tuple[Tensor, Tensor, list[Tensor]]:
    """Logarithm of the depth, confidence, and the tokens that the head reads."""
    with torch.autocast("cpu", torch.bfloat16):
        tokens = network.pretrained(x)
        rows, columns = x.shape[-2] // 14, x.shape[-1] // 14
        y = network.depth_head(tokens, rows, columns)
    y = y.float()
    return torch.log((y[:, :1] * network.max_m).clamp(min=NEAREST_M)), y[:, 1:], [t.float() for t in tokens]


def distance(ours: tuple, theirs: tuple) -> tuple[Tensor, float]:
    """How far two looks are from each other, and how far in the logarithm of the depth."""
    depth = (ours[0] - theirs[0]).abs().mean()
    total = depth
    if theirs[1].numel():
        total = total + CONFIDENCE_WEIGHT * (ours[1] - theirs[1]).abs().mean()
    for mine, wanted in zip(ours[2], theirs[2], strict=True):
        total = total + TOKENS_WEIGHT / len(theirs[2]) * F.mse_loss(mine, wanted) / wanted.var().clamp(min=1e-6)
    return total, depth.item()


def batches(arrays: Joined, network: DepthVit, size: tuple[int, int], samples: int, seed: int) -> Iterator[Tensor]:
    """[BATCH, channels, rows, columns]: frames in any order, half of them mirrored."""
    random = np.random.default_rng(seed)
    passes = -(-samples // len(arrays))
    order = np.array([random.permutation(len(arrays)) for _ in range(passes)], int).reshape(-1)[:samples]
    for first in range(0, samples - BATCH + 1, BATCH):
        chosen = order[first : first + BATCH]
        parts = network_inputs(arrays, chosen, network.variant, size)
        x = torch.from_numpy(np.concatenate([np.concatenate(list(part.values()), 1) for part in parts]))
        turned = torch.from_numpy(random.random(BATCH) < 0.5).view(-1, 1, 1, 1)
        yield torch.where(turned, x.flip(3), x)


def learn_back(
    network: DepthVit, data: list[Path], samples: int, size: tuple[int, int], *, seed: int = 1
) -> DepthVit:
    """A pruned copy of `network` that learned from it on `samples` frames of the folders."""
    check_size(size)
    arrays = Joined(data)
    if arrays.held_back():
        raise SystemExit(f"{', '.join(map(str, data))}: seeds of validation and test must not be trained on")
    pruned = copy.deepcopy(network).train()
    network.eval()
    masks = prune(pruned)
    optimizer = torch.optim.AdamW(pruned.parameters(), lr=RATE, weight_decay=0.01)
    began = told = time.monotonic()
    for number, x in enumerate(batches(arrays, network, size, samples, seed)):
        progress = number * BATCH / samples
        for group in optimizer.param_groups:
            # A tenth of the run rises, the rest falls as half a cosine.
            group["lr"] = RATE * min(1, (progress + 0.002) / 0.1) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * progress)))
        with torch.no_grad():
            wanted = look(network, x)
        total, off = distance(look(pruned, x), wanted)
        optimizer.zero_grad()
        total.backward()
        nn.utils.clip_grad_norm_(pruned.parameters(), 1.0)
        optimizer.step()
        apply(pruned, masks)
        if time.monotonic() - told > TELL_S:
            told = time.monotonic()
            print(
                f"{(number + 1) * BATCH} of {samples} samples  depth off by {100 * off:.1f} %  {told - began:.0f} s",
                file=sys.stderr, flush=True,
            )  # fmt: skip
    return pruned.eval()
