"""The depth head: DPT (Ranftl et al. 2021) as Depth Anything V2 has it, with the parameter names of its checkpoints."""

import torch.nn.functional as F
from torch import Tensor, nn

from .encoder import PATCH, WIDTH

FEATURES = 64
# Channels of the four taps, at 4, 2, 1 and 1/2 times the grid of patches.
TAP_CHANNELS = (48, 96, 192, 384)
LAST = 32


def resize(x: Tensor, size: tuple[int, int]) -> Tensor:
    """Bilinear; corner pixels' centres stay at the corners."""
    return F.interpolate(x, size=size, mode="bilinear", align_corners=True)


class ResidualUnit(nn.Module):
    """Two convolutions of what is positive, beside a short cut."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(FEATURES, FEATURES, 3, 1, 1)
        self.conv2 = nn.Conv2d(FEATURES, FEATURES, 3, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv2(F.relu(self.conv1(F.relu(x))))


class Refine(nn.Module):
    """Joins a tap with what coarser taps gave, and enlarges."""

    def __init__(self) -> None:
        super().__init__()
        self.out_conv = nn.Conv2d(FEATURES, FEATURES, 1)
        # The coarsest tap has nothing to join and leaves this one unused; every checkpoint has it.
        self.resConfUnit1 = ResidualUnit()
        self.resConfUnit2 = ResidualUnit()

    def forward(self, x: Tensor, tap: Tensor | None, size: tuple[int, int]) -> Tensor:
        if tap is not None:
            x = x + self.resConfUnit1(tap)
        # The published order is to enlarge first; a 1×1 convolution and an interpolation, whose weights add up
        # to one, commute, and before is a quarter of the work.
        return resize(self.out_conv(self.resConfUnit2(x)), size)


class Scratch(nn.Module):
    """What follows the taps; the name is that of the checkpoints."""

    def __init__(self, outputs: int) -> None:
        super().__init__()
        for number, channels in enumerate(TAP_CHANNELS, 1):
            self.add_module(f"layer{number}_rn", nn.Conv2d(channels, FEATURES, 3, 1, 1, bias=False))
        for number in range(1, 5):
            self.add_module(f"refinenet{number}", Refine())
        self.output_conv1 = nn.Conv2d(FEATURES, FEATURES // 2, 3, 1, 1)
        self.output_conv2 = nn.Sequential(
            nn.Conv2d(FEATURES // 2, LAST, 3, 1, 1), nn.ReLU(), nn.Conv2d(LAST, outputs, 1), nn.Sigmoid()
        )


class Head(nn.Module):
    """Taps of the encoder → [n, outputs, 14 · rows, 14 · columns], each 0 to 1."""

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.projects = nn.ModuleList(nn.Conv2d(WIDTH, channels, 1) for channels in TAP_CHANNELS)
        a, b, _, d = TAP_CHANNELS
        self.resize_layers = nn.ModuleList(
            [
                nn.ConvTranspose2d(a, a, 4, 4),
                nn.ConvTranspose2d(b, b, 2, 2),
                nn.Identity(),
                nn.Conv2d(d, d, 3, 2, 1),
            ]
        )
        self.scratch = Scratch(outputs)

    def forward(self, taps: list[Tensor], rows: int, columns: int) -> Tensor:
        s = self.scratch
        layers = []
        for number, tap in enumerate(taps):
            x = tap.transpose(1, 2).unflatten(2, (rows, columns))
            x = self.resize_layers[number](self.projects[number](x))
            layers.append(getattr(s, f"layer{number + 1}_rn")(x))
        x = s.refinenet4(layers[3], None, (rows, columns))
        x = s.refinenet3(x, layers[2], (2 * rows, 2 * columns))
        x = s.refinenet2(x, layers[1], (4 * rows, 4 * columns))
        x = s.refinenet1(x, layers[0], (8 * rows, 8 * columns))
        return s.output_conv2(resize(s.output_conv1(x), (PATCH * rows, PATCH * columns)))
