"""Which sites a convolution reads, as the runtime's operator `SiteTables` tells it (`src/inference/sparse`).

Sites are pairs of row and column, ascending. Level 0 is the grid; a site of level l + 1 is active when one of its
four children is or, dilated, one of the nine sites that its convolution of stride 2 reads. Tables hold indices of
sites, -1 where there is none.
"""

from dataclasses import dataclass

import numpy as np

# (row, column) of the nine places that a 3×3 convolution reads, in the order of its kernel.
PLACES = [(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1)]


@dataclass(frozen=True)
class Pyramid:
    """Which levels there are."""

    levels: int
    dilated: bool = False

    @property
    def attributes(self) -> dict[str, int]:
        """Attributes of `SiteTables`; what is so by default is left out."""
        return {"levels": self.levels} | ({"dilated": 1} if self.dilated else {})

    @staticmethod
    def of(attributes: dict[str, int]) -> "Pyramid":
        return Pyramid(attributes["levels"], bool(attributes.get("dilated", 0)))


@dataclass
class Level:
    """Sites of one level and what they read."""

    # [v, 2]
    coords: np.ndarray
    # [v, 9]: sites around each, of this level.
    near: np.ndarray
    # [v, 9]: sites of the finer level under a 3×3 convolution of stride 2; None at level 0.
    down: np.ndarray | None
    # [v of the finer level]: the site of this level that holds each; None at level 0.
    parent: np.ndarray | None


def look_up(index: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Values of `index`, which has a border of one cell, at the nine places around (rows, columns)."""
    width = index.shape[1]
    middle = (rows.astype(np.int64) + 1) * width + columns + 1
    offsets = np.array([i * width + j for i, j in PLACES])
    return index.reshape(-1)[middle[:, None] + offsets]


def above(sites: np.ndarray, rows: int, columns: int, dilated: bool) -> tuple[np.ndarray, np.ndarray]:
    """Active cells row · `columns` + column, ascending, of the level of `rows` × `columns` over `sites` [v, 2], and
    for each site the number of the one that holds it."""
    cell = (sites[:, 0] // 2).astype(np.int64) * columns + sites[:, 1] // 2
    if not dilated:
        return np.unique(cell, return_inverse=True)
    # An odd row is read by two windows, an even one by one.
    reached = []
    for row in (sites[:, 0] // 2, (sites[:, 0] + 1) // 2):
        for column in (sites[:, 1] // 2, (sites[:, 1] + 1) // 2):
            inside = (row < rows) & (column < columns)
            reached.append(row[inside].astype(np.int64) * columns + column[inside])
    active = np.unique(np.concatenate(reached))
    return active, np.searchsorted(active, cell)


def site_tables(coords: np.ndarray, rows: int, columns: int, pyramid: Pyramid) -> list[Level]:
    """Tables of all levels of the grid of `rows` × `columns` for its sites `coords` [v, 2]."""
    result: list[Level] = []
    finer: np.ndarray | None = None
    for level in range(pyramid.levels):
        # Negative numbers shift towards minus infinity: this rounds up.
        height, width = -((-rows) >> level), -((-columns) >> level)
        down = parent = None
        if level > 0:
            active, parent = above(result[-1].coords, height, width, pyramid.dilated)
            coords = np.stack([active // width, active % width], 1)
            down = look_up(finer, 2 * coords[:, 0], 2 * coords[:, 1])
            parent = parent.astype(np.int32)
        # Twice the border below: an odd grid's last parents look beyond it.
        index = np.full((height + 3, width + 3), -1, np.int32)
        index[coords[:, 0] + 1, coords[:, 1] + 1] = np.arange(len(coords))
        result.append(Level(coords.astype(np.int32), look_up(index, coords[:, 0], coords[:, 1]), down, parent))
        finer = index
    return result


def joined(samples: list[list[Level]]) -> list[Level]:
    """Tables of several samples as those of one: indices of each follow those of the one before."""
    levels = []
    for parts in zip(*samples, strict=True):
        counts = np.cumsum([0, *(len(part.coords) for part in parts)])

        def moved(tables: list[np.ndarray], starts: np.ndarray) -> np.ndarray:
            return np.concatenate([np.where(t < 0, t, t + s) for t, s in zip(tables, starts, strict=False)])

        below = levels[-1][1] if levels else None
        down = moved([part.down for part in parts], below) if below is not None else None
        parent = moved([part.parent for part in parts], counts) if below is not None else None
        coords = np.concatenate([part.coords for part in parts])
        levels.append((Level(coords, moved([part.near for part in parts], counts), down, parent), counts))
    return [level for level, _ in levels]
