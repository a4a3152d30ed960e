"""Networks that begin with the weights of others.

A deeper network begins with all of a flatter one's: levels that are added change nothing until they have learned.

A smaller network begins with the channels of a larger one that matter most (Yang et al. 2022, for detectors of points).

Channels that are added to each other have to be the same ones: all layers that write or read the sites of a level share
its choice. What lies between two layers alone is chosen by itself.
"""

import torch
from torch import Tensor

from .network import Conv, Detector


def sizes_in(layer: Conv) -> Tensor:
    """How much each input counts for a layer, [inputs]; 1 in the mean."""
    sizes = layer.weight.detach().view(layer.places, layer.inputs, -1).square().sum((0, 2)).sqrt()
    return sizes / sizes.mean()


def sizes_out(layer: Conv) -> Tensor:
    """How large each output is: the factor behind its normalisation, [outputs]."""
    return layer.norm.weight.detach().abs()


def most(written: list[Tensor], read: list[Tensor], count: int) -> Tensor:
    """The `count` channels that are largest where they are written and count most where they are read, ascending."""
    matter = torch.stack(written).sum(0) * torch.stack(read).sum(0)
    return matter.topk(count).indices.sort().values


def levels(network: Detector) -> list[tuple[list[Conv], list[Conv]]]:
    """Of each level the layers that write its channels and those that read them."""
    found = []
    last = network.levels - 1
    for level in range(network.levels):
        blocks = [*network.blocks[level], *([network.merge[level]] if level < last else [])]
        first = network.down[level - 1] if level > 0 else network.encode[1]
        writers = [first, *(block.second for block in blocks), *([network.up[level]] if level < last else [])]
        readers = [block.first for block in blocks]
        if level < last:
            readers.append(network.down[level])
        readers.append(network.up[level - 1] if level > 0 else network.neck)
        found.append((writers, readers))
    return found


@torch.no_grad()
def copy(ours: Conv, theirs: Conv, inputs: Tensor | None, outputs: Tensor) -> None:
    """The weights between chosen inputs (`None`: all) and outputs, and what normalises these."""
    weight = theirs.weight.view(theirs.places, theirs.inputs, -1)
    weight = weight if inputs is None else weight[:, inputs]
    ours.weight.copy_(weight[..., outputs].reshape(ours.weight.shape))
    for name, value in ours.norm.state_dict().items():
        whole = theirs.norm.state_dict()[name]
        value.copy_(whole[outputs] if value.dim() else whole)


@torch.no_grad()
def inherit(ours: Detector, theirs: Detector) -> None:
    """Fills `ours`, which has as many layers and no more channels, with weights of `theirs`."""
    narrower = all(a <= b for a, b in zip(ours.shape.widths, theirs.shape.widths, strict=False))
    if ours.levels != theirs.levels or ours.shape.blocks != theirs.shape.blocks or not narrower:
        raise SystemExit(f"weights: expected a teacher of as many layers as the student, found {theirs.shape}, {ours.shape}")
    chosen = [
        most([sizes_out(w) for w in writers], [sizes_in(r) for r in readers], width)
        for (writers, readers), width in zip(levels(theirs), ours.shape.widths, strict=True)
    ]

    def between(first: Conv, second: Conv, count: int) -> Tensor:
        return most([sizes_out(first)], [sizes_in(second)], count)

    inner = between(theirs.encode[0], theirs.encode[1], ours.encode[1].inputs)
    copy(ours.encode[0], theirs.encode[0], None, inner)
    copy(ours.encode[1], theirs.encode[1], inner, chosen[0])
    for level, channels in enumerate(chosen):
        mine, others = list(ours.blocks[level]), list(theirs.blocks[level])
        if level < ours.levels - 1:
            copy(ours.down[level], theirs.down[level], channels, chosen[level + 1])
            copy(ours.up[level], theirs.up[level], chosen[level + 1], channels)
            mine, others = [*mine, ours.merge[level]], [*others, theirs.merge[level]]
        for block, other in zip(mine, others, strict=True):
            inner = between(other.first, other.second, block.second.inputs)
            copy(block.first, other.first, channels, inner)
            copy(block.second, other.second, inner, channels)
    head = theirs.head.weight
    last = most([sizes_out(theirs.neck)], [head.norm(dim=0)], ours.head.in_features)
    copy(ours.neck, theirs.neck, chosen[0], last)
    ours.head.weight.copy_(head[:, last])
    ours.head.bias.copy_(theirs.head.bias)


@torch.no_grad()
def deepen(network: Detector, weights: dict[str, Tensor]) -> None:
    """Fills `network` with the weights of one that is the same but may have fewer levels. What comes from the levels
    that are added begins as zero, so its outputs are those of the other one."""
    own = network.state_dict()
    network.load_state_dict(own | weights)
    for level in range(network.levels - 1):
        if f"up.{level}.weight" not in weights:
            network.up[level].norm.weight.zero_()
            network.merge[level].second.norm.weight.zero_()
