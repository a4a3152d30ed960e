"""`quantize`: from a model folder and sweeps to the folder with 8-bit files."""

import time
from pathlib import Path

from ..detector_s.features import Grid
from .folder import network_of, quantized, read_manifest, write
from .frames import frames
from .layers import QuantizationError
from .ptq import Options
from .sweeps import LEAST_SWEEPS, of_arrays, of_bag

METHODS = {
    "lidar_ptq": Options(),
    "grid": Options(global_loss=False, adaptive_rounding=False),
    "grid_global": Options(adaptive_rounding=False),
}

TOLD = """- **8 bits**: `int8`, `int8_sym` and `sparse_int8` are rounded by `{method}` on {sweeps} sweeps ({source}) in {minutes:.1f} minutes: `python -m isobath_training quantize`. The first two layers, of single pillars, stay floats."""


def quantize_folder(
    model: Path, out: Path, *, bag: Path | None, data: Path | None, topic: str | None, most: int, method: str
) -> None:
    """Refused in one sentence where the model or the sweeps are not what is needed."""
    began = time.monotonic()
    if out.exists():
        raise QuantizationError(f"{out}: expected a folder that is not there yet")
    if most < LEAST_SWEEPS:
        raise QuantizationError(f"--frames: expected at least {LEAST_SWEEPS}, found {most}")
    manifest = read_manifest(model)
    network = network_of(model, manifest)
    low_x, *_, high_x, _, _ = manifest["detection"]["range"]
    grid = Grid(high_x, manifest["detection"]["voxel_size"][0])
    if low_x != -high_x or grid.size != network.rows:
        raise QuantizationError(f"{model}: expected a square grid of {network.rows} pillars around the sensor")
    sweeps = of_bag(bag, topic, grid, most) if bag else of_arrays(data, grid, most)
    seen = frames(network, sweeps)
    if len(seen) < LEAST_SWEEPS:
        raise QuantizationError(f"{bag or data}: expected {LEAST_SWEEPS} sweeps with something in them, found {len(seen)}")
    options = METHODS.get(method) or Options(ranges=method)
    files = quantized(network, seen, len(manifest["detection"]["classes"]), options)
    source = "a recording" if bag else "simulated, seeds below 800000"
    told = TOLD.format(method=method, sweeps=len(seen), source=source, minutes=(time.monotonic() - began) / 60)
    write(model, out, network, files, told)
