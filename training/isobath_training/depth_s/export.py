"""`depth_s` as ONNX: metres, confidence 0 to 1."""

import io
import warnings
from pathlib import Path

import onnx
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..checkpoint import read_checkpoint
from ..graph import IR_VERSION, OPSET
from .match import Matcher
from .network import CELL, MAX_M, MIN_M, SUBPIXELS, DepthNetwork

HEIGHT, WIDTH = 240, 320
GRID = (HEIGHT // CELL, WIDTH // CELL)
# Metres that stand for the sky: beyond the manifest's range, so that the runtime makes it +∞.
SKY_M = 1000.0


class Metres(nn.Module):
    """The network with depth in metres and confidence as a probability; with radar also the depth of the image
    alone, metres at a quarter of the size, and the probability that the returns are of the image."""

    def __init__(self, network: DepthNetwork, matcher: Matcher | None = None) -> None:
        super().__init__()
        self.network, self.matcher = network, matcher

    def forward(self, image: Tensor, rays: Tensor, prior: Tensor | None = None) -> tuple[Tensor, ...]:
        log_depth, confidence, sky, first, evidence = self.network(image, prior, rays)
        depth = log_depth.exp().clamp(MIN_M, MAX_M)
        depth = torch.where(sky > 0, torch.full_like(depth, SKY_M), depth)
        outputs = depth, torch.sigmoid(confidence)
        if self.matcher is None:
            return outputs
        return *outputs, first.exp().clamp(MIN_M, MAX_M), torch.sigmoid(self.matcher(evidence))


def unfold_stem(network: DepthNetwork) -> None:
    """Makes the stem read the image and the rays by themselves: no pixel is moved before it is used.

    A 3×3 convolution of unfolded cells is a convolution of the image with a kernel of 3 × 3 cells.
    """
    old, norm = network.stem.convolution, network.stem.norm
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    weight = old.weight * scale.view(-1, 1, 1, 1)
    n = weight.shape[0]
    pixels = weight[:, : 3 * SUBPIXELS].reshape(n, 3, CELL, CELL, 3, 3)
    kernel = pixels.permute(0, 1, 4, 2, 5, 3).reshape(n, 3, 3 * CELL, 3 * CELL)
    image = nn.Conv2d(3, n, 3 * CELL, CELL, CELL)
    rays = nn.Conv2d(2, n, 3, 1, 1, bias=False)
    image.weight.data, rays.weight.data = kernel, weight[:, 3 * SUBPIXELS :]
    image.bias.data = norm.bias - norm.running_mean * scale
    network.stem = SplitStem(image, rays)


class SplitStem(nn.Module):
    """The stem after `unfold_stem`."""

    def __init__(self, image: nn.Conv2d, rays: nn.Conv2d) -> None:
        super().__init__()
        self.image, self.rays = image, rays

    def forward(self, image: Tensor, rays: Tensor) -> Tensor:
        return F.relu(self.image(image) + self.rays(rays))


def load(checkpoint: Path) -> tuple[DepthNetwork, dict]:
    """The averaged network of a checkpoint, and its recipe with the number of samples seen."""
    state = read_checkpoint(checkpoint)
    if "uses_prior" not in state.get("recipe", {}):
        raise SystemExit(f"{checkpoint}: expected a checkpoint of depth_s or depth_s_vision")
    network = DepthNetwork(uses_prior=state["recipe"]["uses_prior"])
    network.load_state_dict(state["average"])
    return network.eval(), state["recipe"] | {"seen": state["seen"]}


def to_onnx(network: DepthNetwork, matcher: Matcher | None = None) -> onnx.ModelProto:
    """A network in evaluation mode; it is changed on the way. One with radar needs its `matcher`."""
    with torch.no_grad():
        unfold_stem(network)
    names = ["image", "rays"] + (["prior"] if network.uses_prior else [])
    inputs = [torch.zeros(1, 3, HEIGHT, WIDTH), torch.zeros(1, 2, *GRID), torch.zeros(1, 2, *GRID)][
        : len(names)
    ]
    outputs = {"depth": (1, 1, HEIGHT, WIDTH), "confidence": (1, 1, HEIGHT, WIDTH)}
    if matcher is not None:
        outputs |= {"first_look": (1, 1, *GRID), "radar_match": (1, 1)}
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # Sizes are constants here, and the exporter that writes old operator sets is the one wanted.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            Metres(network, matcher).eval(), tuple(inputs), buffer, dynamo=False, opset_version=OPSET,
            input_names=names, output_names=list(outputs),
        )  # fmt: skip
    model = onnx.load_from_string(buffer.getvalue())
    for value in model.graph.output:
        for dim, size in zip(value.type.tensor_type.shape.dim, outputs[value.name], strict=True):
            dim.dim_value = size
    model.ir_version = IR_VERSION
    model.producer_name = "isobath_training"
    model.producer_version = ""
    model.doc_string = ""
    return model
