"""`quantize`: from a model folder and sweeps to the folder with 8-bit files."""

import time
from pathlib import Path

from ..detector_s.features import Grid
from .folder import network_of, quantized, read_manifest, unsigned, write
from .frames import frames
from .layers import QuantizationError
from .ptq import Options, quantize
from .qat import quantize_aware
from .sweeps import LEAST_SWEEPS, of_arrays, of_bag

# What every other method stands beside: training that knows of the rounding.
QAT = "qat"
METHODS = {
    "lidar_ptq": Options(),
    "grid": Options(global_loss=False, adaptive_rounding=False),
    "grid_global": Options(adaptive_rounding=False),
}

TOLD = """{files} are rounded by `{method}` on {sweeps} sweeps ({source}) in {minutes:.1f} minutes: `python -m isobath_training quantize`. The first two layers, of single pillars, stay floats."""


def quantize_folder(
    model: Path,
    out: Path,
    *,
    bag: Path | None,
    data: Path | None,
    topic: str | None,
    most: int,
    method: str,
    samples: int = 20_000,
    replace: bool = False,
) -> None:
    """Refused in one sentence where the model or the sweeps are not what is needed. `samples`: those that
    quantization-aware training sees; `replace`: files of an earlier run give way."""
    began = time.monotonic()
    if out.exists():
        raise QuantizationError(f"{out}: expected a folder that is not there yet")
    if most < LEAST_SWEEPS:
        raise QuantizationError(f"--frames: expected at least {LEAST_SWEEPS}, found {most}")
    if method == QAT and data is None:
        raise QuantizationError(f"--method {QAT}: expected --data, as a recording has no labels to train with")
    manifest = read_manifest(model, check_quantized=not replace)
    network = network_of(model, manifest)
    low_x, *_, high_x, _, _ = manifest["detection"]["range"]
    grid = Grid(high_x, manifest["detection"]["voxel_size"][0])
    if low_x != -high_x or grid.size != network.rows:
        raise QuantizationError(f"{model}: expected a square grid of {network.rows} pillars around the sensor")
    sweeps = of_bag(bag, topic, grid, most) if bag else of_arrays(data, grid, most)
    seen = frames(network, sweeps)
    if len(seen) < LEAST_SWEEPS:
        raise QuantizationError(f"{bag or data}: expected {LEAST_SWEEPS} sweeps with something in them, found {len(seen)}")
    classes = len(manifest["detection"]["classes"])
    if method == QAT:
        began_with = quantize(network, seen, classes, Options(ranges="min_max"))
        files = unsigned(network, quantize_aware(network, began_with, data, grid, samples))
    else:
        files = quantized(network, seen, classes, METHODS.get(method) or Options(ranges=method))
    source = "a recording" if bag else "simulated, seeds below 800000"
    names = [f"`{name}`" for name in sorted(files)]
    told = TOLD.format(
        files=f"{', '.join(names[:-1])} and {names[-1]}", method=method, sweeps=len(seen), source=source,
        minutes=(time.monotonic() - began) / 60,
    )  # fmt: skip
    write(model, out, network, files, told)
