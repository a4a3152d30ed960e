"""The network as ONNX: inputs `image` and, where it takes one, `prior`; outputs `depth` and `confidence`."""

import copy
import io
import warnings

import onnx
import torch
from torch import Tensor, nn

from ..graph import IR_VERSION, OPSET
from .encoder import PATCH, TransformerBlock
from .network import DepthVit

# Rows and columns: 4 : 3 as most cameras, a multiple of 14 each way.
SIZE = (252, 336)


class Separate(nn.Module):
    """The network with the prior as an input of its own."""

    def __init__(self, network: DepthVit) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor, prior: Tensor | None = None) -> tuple[Tensor, Tensor]:
        return self.network(image if prior is None else torch.cat([image, prior], 1))


def input_names(network: DepthVit) -> list[str]:
    return ["image", "prior"] if network.variant.channels == 4 else ["image"]


def check_size(size: tuple[int, int]) -> None:
    if any(n < PATCH or n % PATCH for n in size):
        raise SystemExit(f"size {size[0]}x{size[1]}: expected rows and columns in multiples of {PATCH}")


def to_onnx(network: DepthVit, size: tuple[int, int] = SIZE, *, dynamic: bool = False) -> onnx.ModelProto:
    """For images of `size` rows and columns; `dynamic` leaves both free."""
    check_size(size)
    network = copy.deepcopy(network).eval()
    for module in network.modules():
        if isinstance(module, TransformerBlock):
            module.fold()
    names, outputs = input_names(network), ["depth", "confidence"]
    tensors = tuple(torch.zeros(1, channels, *size) for channels in (3, 1)[: len(names)])
    free = {name: {2: "height", 3: "width"} for name in names + outputs} if dynamic else None
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # The exporter that writes old operator sets is the one wanted.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            Separate(network), tensors, buffer, dynamo=False, opset_version=OPSET, input_names=names,
            output_names=outputs, dynamic_axes=free,
        )  # fmt: skip
    model = onnx.load_from_string(buffer.getvalue())
    if not dynamic:
        for value in model.graph.output:
            for dim, length in zip(value.type.tensor_type.shape.dim, (1, 1, *size), strict=True):
                dim.dim_value = length
    model.ir_version = IR_VERSION
    model.producer_name, model.producer_version, model.doc_string = "isobath_training", "", ""
    return model
