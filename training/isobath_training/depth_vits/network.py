"""The whole network, and how published checkpoints become it."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from ..checkpoint import read_checkpoint
from .encoder import PATCH, Encoder
from .head import Head


@dataclass(frozen=True)
class Variant:
    """What sets one family of checkpoints apart from the other."""

    # Red, green, blue, and metres of the radar prior.
    channels: int
    # Depth, and confidence.
    outputs: int
    # Of the image, after division by 255.
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    fusion: str
    # Metres of the far end; None where each checkpoint has its own.
    max_m: float | None


RADARMEETSVISION = Variant(4, 2, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), "prior_mean", 120.49285888671875)
DEPTH_ANYTHING = Variant(3, 1, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225), "none", None)
VARIANTS = {"depth_rmv_vits": RADARMEETSVISION, "depth_da2_vits": DEPTH_ANYTHING}


class DepthVit(nn.Module):
    """`forward`: [n, channels, h, w] → depth in metres and confidence 0 to 1, [n, 1, h, w] each; h and w are
    multiples of 14. A network that states no confidence gives 1."""

    def __init__(self, variant: Variant, max_m: float) -> None:
        super().__init__()
        self.variant, self.max_m = variant, max_m
        self.pretrained = Encoder(variant.channels)
        self.depth_head = Head(variant.outputs)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        rows, columns = x.shape[-2] // PATCH, x.shape[-1] // PATCH
        y = self.depth_head(self.pretrained(x), rows, columns)
        depth = y[:, :1] * self.max_m
        return depth, y[:, 1:] if self.variant.outputs > 1 else torch.ones_like(depth)


def load(path: Path, variant: Variant, max_m: float | None = None) -> DepthVit:
    """A downloaded checkpoint: a state dict, or one under the key `model`."""
    max_m = max_m or variant.max_m
    if max_m is None:
        raise SystemExit(
            f"{path}: expected --max-depth with the metres it was trained for (Depth Anything V2: 20 indoors, 80 outdoors)"
        )
    state = read_checkpoint(path)
    state = state.get("model", state)
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise SystemExit(f"{path}: expected a state dict, alone or under 'model', found other things in it")
    network = DepthVit(variant, max_m)
    if differences := compare(state, network.state_dict()):
        raise SystemExit(f"{path}: not a ViT-S of this kind: {'; '.join(differences)}")
    network.load_state_dict(state, strict=True)
    return network.eval()


def compare(found: dict[str, Tensor], expected: dict[str, Tensor]) -> list[str]:
    """What keeps a state dict from being loaded, in words."""
    missing = [key for key in expected if key not in found]
    unexpected = [key for key in found if key not in expected]
    shapes = [
        f"{key} is {list(found[key].shape)}, expected {list(value.shape)}"
        for key, value in expected.items()
        if key in found and found[key].shape != value.shape
    ]
    lists = (("missing", missing), ("unexpected", unexpected), ("other shapes", shapes))
    return [f"{name}: {some(names)}" for name, names in lists if names]


def some(names: list[str], most: int = 4) -> str:
    """The first names, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
