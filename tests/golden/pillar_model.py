"""Tiny detectors on active pillars with random weights, and the boxes that training's decoding makes of a sweep.

    PYTHONPATH=training python tests/golden/pillar_model.py

Needs the training package with PyTorch. Writes the model folders `pillars` and `pillars_dilated` (fp32 and
sparse_fp32) and `pillars_dense` to tests/data/models/ and pillar_model.npz: `points` (x y z intensity) and, for each
model, `<model>_boxes` (x y z length width height yaw score class).
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from isobath_training.detector_s.decode import decode
from isobath_training.detector_s.export import to_onnx
from isobath_training.detector_s.features import Grid, pillars
from isobath_training.detector_s.folder import manifest
from isobath_training.detector_s.network import CLASSES, Detector, Shape, Tables
from isobath_training.detector_s.tables import Pyramid, site_tables
from isobath_training.detector_s.twin import DenseDetector, all_cells, maps
from isobath_training.folder import Folder, npz, write_folder
from pillar_statistics import world

TESTS = Path(__file__).resolve().parent.parent
GRID = Grid(25.6, 0.8)
SHAPE = Shape((8, 8, 8), (1, 1, 1))
SCORE = 0.4
RADIUS_M = (1.0, 1.5, 2.0, 0.8, 0.5, 1.2, 0.7)


def network(kind: type[Detector], shape: Shape) -> Detector:
    torch.manual_seed(5)
    net = kind(shape)
    with torch.no_grad():
        # Mild enough, and few enough boxes, that their order is that of their scores on every processor.
        net.head.weight.normal_(std=0.12)
        net.head.bias[: len(CLASSES)] = -2.0
        for module in net.modules():
            if isinstance(module, torch.nn.BatchNorm1d):
                module.running_mean.normal_(std=0.2)
                module.running_var.uniform_(0.5, 2.0)
    return net.eval()


def main() -> None:
    points = world(np.random.default_rng(11))
    coords, features, plane = pillars(points, GRID)
    arrays = {"points": points}
    for name, kind, shape in (
        ("pillars", Detector, SHAPE), ("pillars_dilated", Detector, replace(SHAPE, dilated=True)),
        ("pillars_dense", DenseDetector, SHAPE),
    ):  # fmt: skip
        net = network(kind, shape)
        with torch.no_grad():
            if kind is Detector:
                sites = site_tables(coords, GRID.size, GRID.size, shape.pyramid)
                places, near = coords, sites[0].near
                rows = net(torch.from_numpy(features), Tables(sites)).numpy()
                models = {"fp32": to_onnx(net, GRID.size), "sparse_fp32": to_onnx(net, GRID.size, sparse=True)}
            else:
                places = all_cells(GRID.size)
                near = site_tables(places, GRID.size, GRID.size, Pyramid(1))[0].near
                rows = net(maps([(coords, features)], GRID.size))[0].flatten(1).T.numpy()
                models = {"fp32": to_onnx(net, GRID.size)}
        boxes = decode(rows, places, near, plane, GRID, least=SCORE, radius_m=RADIUS_M)
        # Class first there, last here.
        arrays[f"{name}_boxes"] = boxes[:, [1, 2, 3, 4, 5, 6, 7, 8, 0]]
        folder = Folder(
            models, {"features": features[:60], "coords": coords[:60]},
            manifest(GRID, RADIUS_M) | {"architecture": "random weights"},
            {precision: {"abs": 1e-4, "rel": 1e-4} for precision in models}, "", {"pillars": 1000},
        )  # fmt: skip
        out = TESTS / "data" / "models" / name
        write_folder(folder, out)
        (out / "README.md").unlink()
        print(name, len(boxes), "boxes")
    (TESTS / "golden" / "pillar_model.npz").write_bytes(npz(arrays))


if __name__ == "__main__":
    main()
