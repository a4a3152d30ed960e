"""Frames → batches: crop, flip, colours, returns, prior, rays."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..arrays import Joined
from . import returns
from .network import CELL
from .prior import draw, project, rays, scaled

# Statistics of ImageNet, as the manifest tells the runtime.
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
# Between which factors a world is scaled.
SCALES = (0.25, 2.0)
# Standard deviation, in log depth, of how far a bent world is bent; its shortest and longest waves, images.
BEND, WAVES = 0.35, (0.6, 2.5)
# Standard deviation of the logarithm of how much further apart near and far are than they look.
RELIEF = 0.3
# Frames of one world are this near to each other; share of foreign returns that are of one.
NEIGHBOURS, NEAR = 24, 0.5


@dataclass
class Batch:
    image: Tensor
    prior: Tensor
    rays: Tensor
    # Metres, inf for the sky, NaN where unknown.
    depth: Tensor
    # Index of the scene.
    scene: Tensor
    # Whether the returns are of the image: 1, or 0 for those of another frame.
    belongs: Tensor


class Frames:
    """Samples of folders of arrays. Sample n of a seed is the same however often it is asked for."""

    def __init__(
        self,
        folders: Path | list[Path],
        *,
        seed: int,
        training: bool,
        scaled: float = 0.0,
        bent: float = 0.0,
        foreign: float = 0.0,
    ) -> None:
        """Shares of the samples: `scaled`, those whose world is scaled; `bent`, those whose world is bent;
        `foreign`, those with another frame's returns."""
        folders = [folders] if isinstance(folders, Path) else folders
        self.arrays = Joined(folders)
        if training and self.arrays.held_back():
            raise SystemExit(
                f"{', '.join(map(str, folders))}: seeds of validation and test must not be trained on"
            )
        self.seed, self.training = seed, training
        self.scaled, self.bent, self.foreign = scaled, bent, foreign
        self.mean = torch.tensor(MEAN).view(3, 1, 1) * 255
        self.std = torch.tensor(STD).view(3, 1, 1) * 255

    def __len__(self) -> int:
        return len(self.arrays)

    def sample(self, frame: int, number: int, size: tuple[int, int]) -> tuple[Tensor, ...]:
        """Frame `frame` at `size` rows and columns; `number` decides the chance in it."""
        random = np.random.default_rng([self.seed, number])
        arrays = self.arrays
        image, depth = arrays.image[frame], arrays.depth[frame]
        rows, columns = depth.shape
        camera = arrays.camera[frame].astype(np.float64)
        scene = int(arrays.frames[frame, 0])
        height, width = size
        foreign = self.training and random.random() < self.foreign
        source = self.other(frame, random) if foreign else frame
        seen = arrays.depth[source]
        if self.training:
            # A part of the image is a longer lens; a little stretch is another sensor.
            share = random.uniform(0.45, 1.0)
            stretch = np.exp(random.uniform(-0.12, 0.12))
            w = min(columns, round(columns * share * stretch))
            h = min(rows, round(rows * share / stretch))
            x, y = random.integers(0, columns - w + 1), random.integers(0, rows - h + 1)
            image, depth, seen = (a[y : y + h, x : x + w] for a in (image, depth, seen))
            camera[2], camera[3] = camera[2] - x, camera[3] - y
        sx, sy = width / depth.shape[1], height / depth.shape[0]
        pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1).float()
        pixels = F.interpolate(pixels[None], size=size, mode="bilinear", antialias=max(sx, sy) < 0.9)[0]
        row = ((np.arange(height) + 0.5) / sy).astype(int).clip(max=depth.shape[0] - 1)
        column = ((np.arange(width) + 0.5) / sx).astype(int).clip(max=depth.shape[1] - 1)
        metres = depth[row[:, None], column].astype(np.float32)
        camera = scaled(camera, sx, sy)
        cells = scaled(camera, 1 / CELL, 1 / CELL)
        grid = (height // CELL, width // CELL)
        directions = rays(cells, grid)
        if self.training and random.random() < 0.4:
            middle = seen[row[CELL // 2 :: CELL, None], column[CELL // 2 :: CELL]].astype(np.float32)
            points, sigmas = returns.from_depth(middle, directions, random)
        else:
            scans = int(random.integers(1, returns.SCANS + 1)) if self.training else returns.SCANS
            points, sigmas = returns.simulated(arrays.radar[source], arrays.columns["radar"], scans)
        if self.training:
            points, sigmas = returns.degrade(points, sigmas, random)
        if self.training and random.random() < self.scaled:
            # The same picture of a smaller or larger world: its scale is for the radar to tell.
            factor = np.float32(np.exp(random.uniform(*np.log(SCALES))))
            metres, points = metres * factor, points * factor
        if self.training and random.random() < self.bent:
            metres, points = bend(metres, points, camera, random)
        prior = draw(points, sigmas, cells, grid)
        pixels = colours(pixels, random) if self.training else pixels
        image, prior, directions = (
            (pixels - self.mean) / self.std,
            torch.from_numpy(prior),
            torch.from_numpy(directions),
        )
        metres = torch.from_numpy(metres)
        if self.training and random.random() < 0.5:
            image, prior, metres = image.flip(-1), prior.flip(-1), metres.flip(-1)
            directions = directions.flip(-1) * torch.tensor([-1.0, 1.0]).view(2, 1, 1)
        return image, prior, directions, metres, torch.tensor(scene), torch.tensor(float(not foreign))

    def other(self, frame: int, random: np.random.Generator) -> int:
        """A frame that this one's radar could be taken for: of the same world, or of the same kind of scene."""
        scene, seed = self.arrays.frames[frame, :2]
        near = np.arange(max(0, frame - NEIGHBOURS), min(len(self), frame + NEIGHBOURS + 1))
        near = near[(self.arrays.frames[near, 1] == seed) & (near != frame)]
        if len(near) > 0 and random.random() < NEAR:
            return int(random.choice(near))
        return int(random.choice(np.flatnonzero(self.arrays.frames[:, 0] == scene)))

    def batch(self, first: int, count: int, size: tuple[int, int]) -> Batch:
        """Samples `first`, `first` + 1, …: every frame once, in an order that changes with each pass."""
        samples = []
        for number in range(first, first + count):
            turn, position = divmod(number, len(self))
            frame = self.order(turn)[position] if self.training else position
            samples.append(self.sample(int(frame), number, size))
        image, prior, directions, depth, scene, belongs = (torch.stack(part) for part in zip(*samples, strict=True))
        image = image.contiguous(memory_format=torch.channels_last)
        return Batch(image, prior, directions, depth[:, None], scene, belongs)

    def order(self, turn: int) -> np.ndarray:
        if getattr(self, "_turn", None) != turn:
            self._turn, self._order = turn, np.random.default_rng([self.seed, 7, turn]).permutation(len(self))
        return self._order


def bend(
    metres: np.ndarray, points: np.ndarray, camera: np.ndarray, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """The same picture of a world whose shape is another: near and far further apart or less, then all depth, and
    returns with it, times a smooth factor.

    On images unlike all training the first look errs in shape as well; here the network learns to follow returns
    that agree with each other against what the image seems to show.
    """
    rows, columns = metres.shape
    tilt = random.normal(0, 0.7, 2)
    waves = np.exp(random.uniform(*np.log(WAVES), 3))
    turn, phase = random.uniform(0, np.pi, 3), random.uniform(0, 2 * np.pi, 3)
    size = BEND * abs(random.normal())

    def factor(u: np.ndarray, v: np.ndarray) -> np.ndarray:
        """At -1 to 1 from border to border."""
        bent = tilt[0] * u + tilt[1] * v
        for wave, angle, start in zip(waves, turn, phase, strict=True):
            bent = bent + 0.8 * np.cos(2 * np.pi / wave * (np.cos(angle) * u + np.sin(angle) * v) / 2 + start)
        return np.exp(size * bent).astype(np.float32)

    near = np.isfinite(metres)
    if near.any():
        power, middle = np.float32(np.exp(RELIEF * random.normal()) - 1), np.median(metres[near])
        metres = metres.copy()
        metres[near] *= (metres[near] / middle) ** power
        points = points * (np.maximum(points[:, 2:], 0.1) / middle) ** power
    v, u = np.ogrid[-1 : 1 : rows * 1j, -1 : 1 : columns * 1j]
    metres = metres * factor(u, v)
    if len(points) > 0:
        before = np.maximum(points[:, 2], 0.1)
        u, v = project(np.stack([points[:, 0], points[:, 1], before], 1), camera)
        u, v = 2 * u / max(columns - 1, 1) - 1, 2 * v / max(rows - 1, 1) - 1
        points = points * factor(u.clip(-1.5, 1.5), v.clip(-1.5, 1.5))[:, None]
    return metres, points


def random_filter(x: Tensor, random: np.random.Generator) -> Tensor:
    """A random linear filter of colours and neighbours, mixed in: textures that no simulator draws."""
    size = int(random.choice([1, 3]))
    kernel = torch.from_numpy(random.normal(0, 1, (3, 3, size, size)).astype(np.float32)) / (3**0.5 * size)
    y = F.conv2d(F.pad(x[None], (size // 2,) * 4, mode="replicate"), kernel)[0]
    y = (y - y.mean()) / (y.std() + 1e-3) * x.std() + x.mean()
    share = float(random.uniform(0.2, 1.0))
    return (1 - share) * x + share * y


def colours(pixels: Tensor, random: np.random.Generator) -> Tensor:
    """Other cameras and surfaces: brightness, contrast, gamma, white balance, saturation, random filters, blur, noise."""
    x = pixels / 255
    if random.random() < 0.8:
        gamma = float(np.exp(random.normal(0, 0.25)))
        gain = torch.from_numpy(np.exp(random.normal(0, 0.08, 3))).float().view(3, 1, 1)
        x = (x.clamp(1e-4, 1) ** gamma) * gain * float(np.exp(random.normal(0, 0.2)))
        mean = x.mean()
        x = (x - mean) * float(np.exp(random.normal(0, 0.2))) + mean
        grey = x.mean(0, keepdim=True)
        x = grey + (x - grey) * float(random.uniform(0.0, 1.4))
    if random.random() < 0.2:
        x = random_filter(x, random)
    if random.random() < 0.2:
        x = F.avg_pool2d(x[None], 3, 1, 1, count_include_pad=False)[0]
    if random.random() < 0.5:
        x = x + torch.from_numpy(random.normal(0, random.uniform(0, 0.04), x.shape).astype(np.float32))
    return x.clamp(0, 1) * 255


def passes(frames: Frames, size: tuple[int, int], count: int = 16) -> Iterator[Batch]:
    """All frames once, in their order."""
    for first in range(0, len(frames), count):
        yield frames.batch(first, min(count, len(frames) - first), size)
