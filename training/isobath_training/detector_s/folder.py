"""The model folder `detector_s`."""

import copy
from pathlib import Path

import numpy as np
import onnx
import torch

from ..checkpoint import read_checkpoint
from ..figures import table
from ..folder import Folder, allowed, run
from ..quantize import quantize
from .decode import RADIUS_M
from .export import to_onnx
from .features import HIGH_M, LOW_M, Grid, pillars
from .network import CLASSES, Detector
from .sweeps import Sweeps
from .train import Recipe

# Most active pillars of a sweep: four times what the fullest simulated ones have.
MAX_PILLARS = 12_000
TOLERANCE = {"fp32": {"abs": 2e-3, "rel": 2e-3}, "sparse_fp32": {"abs": 2e-3, "rel": 2e-3}}
# Sweeps that the dense twin's 8 bits are calibrated with, and how its nodes that stay floats are called.
CALIBRATION, EXACT = 64, "exact_"
# Pillars of the golden sweep: the nearest, so that its file stays small.
GOLDEN_PILLARS = 600


def load(checkpoint: Path) -> tuple[Detector, Recipe, str]:
    """The averaged network of a checkpoint, its recipe and what it has seen, in words."""
    state = read_checkpoint(checkpoint)
    if "model" not in state.get("recipe", {}):
        raise SystemExit(f"{checkpoint}: expected a checkpoint of a detector")
    recipe = Recipe(**state["recipe"])
    network = recipe.network()
    network.load_state_dict({key: value.float() for key, value in state["average"].items()})
    told = f"{state['seen']} samples of {recipe.samples}, seed {recipe.seed}"
    if origin := state.get("origin"):
        told += f", after {origin['seen']} of the run that it began with"
    return network.eval(), recipe, told


def inputs(sweeps: Sweeps, frame: int, grid: Grid, most: int = MAX_PILLARS) -> dict[str, np.ndarray]:
    """What the network is given for a sweep: at most `most` pillars, the nearest."""
    points, _ = sweeps.sweep(frame)
    coords, features, _ = pillars(points[:, :4], grid)
    if len(coords) > most:
        nearest = np.argsort(((coords - grid.size / 2 + 0.5) ** 2).sum(1), kind="stable")[:most]
        coords, features = coords[np.sort(nearest)], features[np.sort(nearest)]
    return {"features": features, "coords": coords}


def manifest(grid: Grid, radius_m: tuple[float, ...]) -> dict:
    """What the manifests of all networks on active pillars say."""
    return {
        "kind": "detection",
        "architecture": "",
        "detection": {
            "interface": "pillar_statistics",
            "range": [-grid.range_m, -grid.range_m, LOW_M, grid.range_m, grid.range_m, HIGH_M],
            "voxel_size": [grid.pillar_m, grid.pillar_m, HIGH_M - LOW_M],
            "stride": 1,
            "classes": list(CLASSES),
            "score_threshold": 0.3,
            "suppression_radius": list(radius_m),
            "features": [],
        },
        "licence": "Apache-2.0",
        "training_data": "none",
        "measured": {},
    }


def folder(name: str, checkpoint: Path, data: Path, measured: dict[str, float]) -> Folder:
    """From a checkpoint; `data` are sweeps of the training split for the golden one, `measured` figures on the test
    split."""
    network, recipe, seen = load(checkpoint)
    if recipe.model != name:
        raise SystemExit(f"{checkpoint}: expected a checkpoint of {name}, found one of {recipe.model}")
    grid = recipe.grid
    precisions = ("fp32",) if recipe.is_dense else ("fp32", "sparse_fp32")
    with torch.no_grad():
        models = {
            precision: to_onnx(network, grid.size, sparse=precision == "sparse_fp32") for precision in precisions
        }
    where = "the whole grid, 3x3" if recipe.is_dense else "active pillars, submanifold 3x3"
    described = {
        "architecture": f"U-Net over {where} convolutions, centre heads",
        "training_data": "simulated by this project (config/scenes, seeds below 800000)",
        "measured": measured,
    }
    card = (CARD_DENSE if recipe.is_dense else CARD).format(
        name=name, edge=grid.pillar_m, range=grid.range_m, seen=seen, figures=table(measured), levels=network.levels,
        sizes=", vehicles made longer, wider, higher or less so" if recipe.resize else "",
    )  # fmt: skip
    sweeps = Sweeps(data)
    golden = inputs(sweeps, 0, grid, GOLDEN_PILLARS)
    tolerance = {precision: TOLERANCE[precision] for precision in precisions}
    own = ()
    if recipe.is_dense:
        own, models["int8"] = ("int8",), in_8_bits(models["fp32"], sweeps, grid)
        file = models["int8"].SerializeToString()

        def outputs(features: np.ndarray) -> dict[str, np.ndarray]:
            return run(file, golden | {"features": features})

        tolerance["int8"] = allowed(run(file, golden), outputs, golden["features"])
    return Folder(
        models, golden, manifest(grid, RADIUS_M) | described, tolerance, card,
        max_rows={"pillars": MAX_PILLARS}, own=own, coarse=recipe.is_dense,
    )  # fmt: skip


def in_8_bits(model: onnx.ModelProto, sweeps: Sweeps, grid: Grid) -> onnx.ModelProto:
    """The dense network in QDQ form by ONNX Runtime's own calibration; the layers of single pillars and the head, which
    cost nothing, stay floats."""
    model = copy.deepcopy(model)
    layers = [node for node in model.graph.node if node.op_type == "Conv"]
    for node in (*layers[:2], layers[-1]):
        node.name = f"{EXACT}{node.name}"
    chosen = np.unique(np.linspace(0, len(sweeps) - 1, CALIBRATION).round().astype(int))
    return quantize(model, (inputs(sweeps, int(number), grid) for number in chosen), (EXACT,), fold=False)


CARD = """# {name}

Cars, trucks, buses, bicycles, pedestrians, forklifts and pallets in the sweeps of one LiDAR of 16 to 128 beams.

- **In**: pillars of {edge} m within {range} m to each side in which something stands on the ground: statistics of their points over the ground plane that the sweep itself tells, so that the height of the LiDAR does not matter.
- **Out**: for each pillar probabilities of the classes and of a corner, and a box: the runtime keeps the pillars that no neighbour exceeds, then of each class the best within a radius.
- **How**: a U-Net of {levels} levels whose convolutions read and write active pillars alone. `sparse_fp32` computes these; `fp32` is the same function with standard operators, on the whole grid, for GPUs.
- **Training**: {seen}, on sweeps of the simulator alone: all scenes in `config/scenes` with five LiDARs at heights of 0.35 to 2 m, seeds below 800000; beams, points and intensities left out at random{sizes}. Nothing was trained or tuned on seeds from 900000 on.

{figures}

- **Limits**: no real sweep was seen in training. Objects beyond {range} m, on bridges or more than 2.8 m over the ground are not found. On rough ground that leaves the plane by more than a metre small objects are missed. Trucks and buses are mistaken for each other and for other large things; which way buses, bicycles and people look is often guessed.

Made by `python -m isobath_training export --model {name}`; training/README.md tells the steps before.
"""

CARD_DENSE = """# {name}

An ordinary dense network of the layers of the sparse detector, {levels} levels of them, trained on the same sweeps: what computing everywhere is worth, and what it costs. It is here for comparison.

- **In**: as the sparse detector: pillars of {edge} m within {range} m to each side, which it lays out as a map.
- **Out**: maps of probabilities of the classes and of a corner, and of boxes, for every cell.
- **Training**: {seen}, on sweeps of the simulator alone, beginning with the weights of the sparse detector. Nothing was trained or tuned on seeds from 900000 on.

{figures}

Made by `python -m isobath_training export --model {name}`; training/README.md tells the steps before.
"""
