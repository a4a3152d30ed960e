"""A teacher: another network that shows `depth_s`, on the very images it trains on, what depth they have.

It sees what the student sees: the same crop, colours, returns and rays, at its own size. Its depth counts by its
confidence, in the logarithm and with its scale; where it sees no surface within the range of the truth, nothing.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import onnxruntime
import torch
import torch.nn.functional as F
from torch import Tensor

from ..checkpoint import read_checkpoint
from ..depth_vits.encoder import PATCH
from ..depth_vits.inputs import discs
from ..depth_vits.network import RADARMEETSVISION, DepthVit
from ..depth_vits.network import load as load_vit
from .export import load as load_depth_s
from .loss import FARTHEST_M, GRADIENT_WEIGHT, NEAREST_M, step
from .samples import MEAN, STD, Batch

# Cells that the footprint of one return reaches from one end to the other.
FOOTPRINT_CELLS = 13


class Predictor(Protocol):
    uses_prior: bool

    def __call__(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Metres and confidence 0 to 1, [n, 1, h, w] at any size."""


@dataclass(frozen=True)
class Teacher:
    """A predictor with its part in the loss."""

    path: Path
    weight: float
    predict: Predictor

    @classmethod
    def open(cls, path: Path, weight: float) -> "Teacher":
        """A model folder, a checkpoint of `depth_s`, or one of radarmeetsvision (ViT-S)."""
        if path.is_dir():
            return cls(path, weight, FolderPredictor(path))
        if not path.is_file():
            raise SystemExit(f"{path}: expected a model folder or a checkpoint, found nothing")
        if "recipe" in read_checkpoint(path):
            return cls(path, weight, DepthSPredictor(path))
        return cls(path, weight, VitPredictor(load_vit(path, RADARMEETSVISION)))

    def describe(self) -> dict[str, str | float]:
        """What a checkpoint remembers of it."""
        return {"name": self.path.name, "weight": self.weight}

    def loss(self, log_depth: Tensor, batch: Batch) -> tuple[Tensor, dict[str, float]]:
        """L1 of the log depth to the teacher's, and of its gradients; `log_depth` [n, 1, h, w]."""
        with torch.no_grad():
            depth, confidence = self.predict(batch)
            size = log_depth.shape[-2:]
            valid = (torch.isfinite(depth) & (depth >= NEAREST_M) & (depth <= FARTHEST_M)).float()
            target = torch.log(torch.where(valid > 0, depth, torch.ones_like(depth)))
            weight = valid * confidence.nan_to_num(0).clamp(0, 1)
            if self.predict.uses_prior:
                # Returns of another frame lead a teacher astray as well.
                weight = weight * (batch.belongs != 0).float().view(-1, 1, 1, 1)
            if depth.shape[-2:] != size:
                # What is not valid has no weight in the interpolation either.
                target, valid = resize(target * valid, size), resize(valid, size)
                target, weight = target / valid.clamp(min=1e-6), resize(weight, size) * (valid > 0.99)
        difference = log_depth - target
        scale = (difference.abs() * weight).sum() / weight.sum().clamp(min=1)
        gradient = step(difference, weight, 2) + step(difference, weight, 3)
        return self.weight * (scale + GRADIENT_WEIGHT * gradient), {"teacher": scale.item()}


def resize(x: Tensor, size: tuple[int, int]) -> Tensor:
    return F.interpolate(x, size=size, mode="bilinear", align_corners=False)


def image_of(batch: Batch, size: tuple[int, int], mean: list[float], std: list[float]) -> Tensor:
    """The images at another size and with another normalisation."""
    ours_mean, ours_std, mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (MEAN, STD, mean, std))
    pixels = batch.image * ours_std + ours_mean
    return (resize(pixels, size) - mean) / std


def returns_of(prior: Tensor) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Column, row (cells) and metres of the returns whose footprints are in a prior [2, h, w]: neighbouring cells of
    equal depth and weight are one return, in their middle; a cell of weight one is a return by itself."""
    z, weight = prior.numpy()
    label = np.where(weight > 0, np.arange(1, z.size + 1).reshape(z.shape), 0)
    for _ in range(FOOTPRINT_CELLS):
        before = label.copy()
        for axis in (0, 1):
            for a, b in (
                ((slice(1, None), slice(None)), (slice(None, -1), slice(None))),
                ((slice(None, -1), slice(None)), (slice(1, None), slice(None))),
            ):
                a, b = (a, b) if axis == 0 else (a[::-1], b[::-1])
                same = (z[a] == z[b]) & (weight[a] == weight[b]) & (weight[a] > 0) & (weight[a] < 1)
                label[a] = np.where(same, np.maximum(label[a], label[b]), label[a])
        if (label == before).all():
            break
    row, column = np.nonzero(label)
    _, first, which = np.unique(label[row, column], return_index=True, return_inverse=True)
    count = np.bincount(which)
    u, v = (np.bincount(which, weights=c) / np.maximum(count, 1) for c in (column, row))
    return u, v, z[row[first], column[first]]


def discs_of(batch: Batch, size: tuple[int, int]) -> Tensor:
    """The returns of a batch as discs, [n, 1, *size]."""
    rows, columns = batch.prior.shape[-2:]
    drawn = []
    for prior in batch.prior:
        u, v, z = returns_of(prior)
        u, v = ((u + 0.5) / columns * size[1] - 0.5, (v + 0.5) / rows * size[0] - 0.5)
        drawn.append(torch.from_numpy(discs(np.rint(u), np.rint(v), z, size)))
    return torch.stack(drawn)[:, None]


def footprints_of(batch: Batch, grid: tuple[int, int]) -> Tensor:
    """The prior on another grid: the nearest cell's. A return weighs one in all, so more cells weigh less."""
    rows, columns = batch.prior.shape[-2:]
    share = min(1.0, rows * columns / (grid[0] * grid[1]))
    return F.interpolate(batch.prior, size=grid, mode="nearest-exact") * torch.tensor([1.0, share]).view(
        1, 2, 1, 1
    )


def blend(depth: Tensor, confidence: Tensor, prior: Tensor) -> Tensor:
    """`prior_mean`, as `src/depth/fusion.rs` has it."""
    known = (prior > 0).float()
    count = known.sum((1, 2, 3), keepdim=True)
    mean = (prior * known).sum((1, 2, 3), keepdim=True) / count.clamp(min=1)
    return torch.where(count > 0, depth * confidence + mean * (1 - confidence), depth)


class VitPredictor:
    """A published ViT-S."""

    def __init__(self, network: DepthVit) -> None:
        self.network = network.eval()
        self.uses_prior = network.variant.channels == 4

    def __call__(self, batch: Batch) -> tuple[Tensor, Tensor]:
        variant = self.network.variant
        rows, columns = (max(PATCH, round(n / PATCH) * PATCH) for n in batch.image.shape[-2:])
        x = image_of(batch, (rows, columns), list(variant.mean), list(variant.std))
        if not self.uses_prior:
            return self.network(x)
        prior = discs_of(batch, (rows, columns))
        depth, confidence = self.network(torch.cat([x, prior], 1))
        return blend(depth, confidence, prior), confidence


class DepthSPredictor:
    """The averaged network of another run."""

    def __init__(self, path: Path) -> None:
        self.network, _ = load_depth_s(path)
        self.uses_prior = self.network.uses_prior

    def __call__(self, batch: Batch) -> tuple[Tensor, Tensor]:
        log_depth, confidence, sky, *_ = self.network(batch.image, batch.prior, batch.rays)
        depth = torch.where(sky > 0, torch.full_like(log_depth, torch.inf), log_depth.exp())
        return depth, torch.sigmoid(confidence)


class FolderPredictor:
    """A model folder, run by ONNX Runtime one image at a time."""

    def __init__(self, path: Path) -> None:
        manifest = read_manifest(path)
        settings = manifest.get("depth")
        if manifest.get("kind") != "depth" or settings is None:
            raise SystemExit(f"{path}: expected a model of kind depth, found {manifest.get('kind')!r}")
        files = manifest["files"]
        precision = "fp32" if "fp32" in files else next(iter(files))
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(
            path / files[precision]["path"], options, providers=["CPUExecutionProvider"]
        )
        self.inputs = {tensor["role"]: tensor for tensor in manifest["inputs"]}
        self.outputs = {tensor["role"]: tensor["name"] for tensor in manifest["outputs"]}
        if unknown := set(self.inputs) - {"image", "rays", "prior"}:
            raise SystemExit(f"{path}: expected inputs image, rays and prior, found {sorted(unknown)}")
        self.settings, self.uses_prior = settings, "prior" in self.inputs

    def __call__(self, batch: Batch) -> tuple[Tensor, Tensor]:
        feeds = {role: self.feed(role, tuple(t["shape"][-2:]), batch) for role, t in self.inputs.items()}
        results = []
        for index in range(len(batch.image)):
            one = {
                self.inputs[role]["name"]: x[index : index + 1].contiguous().numpy()
                for role, x in feeds.items()
            }
            results.append(self.session.run([self.outputs["depth"], self.outputs["confidence"]], one))
        depth, confidence = (torch.from_numpy(np.concatenate(part)) for part in zip(*results, strict=True))
        if self.settings["fusion"] == "prior_mean":
            depth = blend(depth, confidence, feeds["prior"])
        # Beyond its range a model means the sky.
        depth = torch.where(depth <= self.settings["max_m"], depth, torch.inf)
        return depth, confidence

    def feed(self, role: str, size: tuple[int, int], batch: Batch) -> Tensor:
        if role == "image":
            return image_of(batch, size, self.settings["mean"], self.settings["std"])
        if role == "rays":
            return resize(batch.rays, size)
        footprints = self.settings.get("prior") == "footprints"
        return footprints_of(batch, size) if footprints else discs_of(batch, size)


def read_manifest(path: Path) -> dict:
    """`model.yaml` of a folder."""
    from ruamel.yaml import YAML, YAMLError

    file = path / "model.yaml"
    try:
        manifest = YAML(typ="safe", pure=True).load(file.read_text())
    except (OSError, YAMLError) as error:
        raise SystemExit(f"{file}: expected a model's manifest: {str(error).splitlines()[0]}") from None
    if not isinstance(manifest, dict):
        raise SystemExit(f"{file}: expected a model's manifest, found something else")
    return manifest
