"""Sweeps to calibrate with: features of active pillars, and which rows each convolution reads."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..detector_s.network import gather_index
from ..detector_s.tables import Level, site_tables
from .layers import Network


@dataclass
class Frame:
    """One sweep."""

    features: Tensor
    coords: np.ndarray
    # Table → [rows, taps] of row numbers; the number after the last row reads zeros.
    index: dict[str, Tensor]


def indices(levels: list[Level]) -> dict[str, Tensor]:
    """Tables of all levels by their names."""
    index = {}
    for number, level in enumerate(levels):
        index[f"near_{number}"] = gather_index(level.near, len(level.coords))
        if number > 0:
            index[f"down_{number}"] = gather_index(level.down, len(levels[number - 1].coords))
            index[f"parent_{number}"] = torch.from_numpy(level.parent).long()[:, None]
    return index


def frame(network: Network, features: np.ndarray, coords: np.ndarray) -> Frame:
    levels = site_tables(coords, network.rows, network.columns, network.pyramid)
    return Frame(torch.from_numpy(features), coords, indices(levels))


def frames(network: Network, sweeps: Iterable[tuple[np.ndarray, np.ndarray]]) -> list[Frame]:
    """Of sweeps that have pillars at all."""
    return [frame(network, features, coords) for features, coords in sweeps if len(coords) > 0]
