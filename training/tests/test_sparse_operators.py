"""What the runtime's tests expect of the operators of `ai.isobath` is what PyTorch's convolutions give on the grid."""

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from torch.nn.functional import conv2d

DATA = Path(__file__).resolve().parents[2] / "tests/data/models/sparse"
# The grid of the cases, and its layers' weights as `Conv` has them.
ROWS, COLUMNS = 9, 7


def weights():
    model = onnx.load(DATA / "float.onnx")
    arrays = {i.name: torch.from_numpy(onnx.numpy_helper.to_array(i).copy()) for i in model.graph.initializer}
    layers = []
    for layer in range(4):
        w = arrays[f"w{layer}"]
        side = 3 if layer < 3 else 1
        # Rows are taps, row-major from the upper left, and inputs.
        layers.append((w.reshape(side, side, -1, w.shape[1]).permute(3, 2, 0, 1).contiguous(), arrays[f"b{layer}"]))
    return layers


@pytest.mark.parametrize("pattern", ["empty", "corner", "sparse", "half", "full"])
def test_expected_outputs_are_those_of_convolutions_on_the_grid(pattern):
    cases = np.load(DATA / "cases.npz")
    coords, x = (torch.from_numpy(cases[f"{pattern}_{name}"]) for name in ("coords", "x"))
    row, column = coords.long().unbind(1)
    grid = torch.zeros(1, x.shape[1], ROWS, COLUMNS)
    grid[0, :, row, column] = x.T
    fine = torch.zeros(1, 1, ROWS, COLUMNS)
    fine[0, 0, row, column] = 1
    # A parent is active when one of its children is; the last row and column have fewer.
    coarse = torch.nn.functional.max_pool2d(fine, 2, ceil_mode=True)
    (w0, b0), (w1, b1), (w2, b2), (w3, b3) = weights()
    first = conv2d(grid, w0, b0, padding=1).relu() * fine
    half = conv2d(first, w1, b1, stride=2, padding=1).relu() * coarse
    again = (conv2d(half, w2, b2, padding=1) + half).relu() * coarse
    back = again.repeat_interleave(2, 2).repeat_interleave(2, 3)[..., :ROWS, :COLUMNS]
    y = (conv2d(back, w3, b3) + first)[0, :, row, column].T
    expected = torch.from_numpy(cases[f"{pattern}_y"])
    assert y.shape == expected.shape
    torch.testing.assert_close(y, expected, atol=1e-5, rtol=1e-5)
