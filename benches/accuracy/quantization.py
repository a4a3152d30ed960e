"""What 8 bits cost a detector, by the way they are chosen.

    cargo build --release && pip install './training[train,bag]'
    python benches/accuracy/quantization.py --model detector_s --data sweeps --work accuracy \\
        [--method min_max …] [--markdown docs/accuracy.md] [--json results.json]

Quantizes the model with each method on the same sweeps (`python -m isobath_training quantize`), replays the test
recordings of `detection.py` with `sparse_int8`, and compares every run with that of `sparse_fp32` frame by frame
(`isobath compare`). What is in `--work` already is not made again.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

from common import ROOT, Model, add_block, finish
from detection import parse_sweeps, simulate
from paired import difference, figures, replayed
from tables import number, table

# Of the table; `qat`, which trains, is measured when it is asked for.
METHODS = ("min_max", "entropy", "percentile", "mse", "grid", "grid_global", "lidar_ptq")
NAMES = {
    "min_max": "min–max", "entropy": "entropy", "percentile": "percentile 99.99", "mse": "MSE", "grid": "grid search",
    "grid_global": "grid search, global positive loss", "lidar_ptq": "LiDAR-PTQ: these and adaptive rounding",
    "qat": "training that knows of the rounding",
}  # fmt: skip


def quantized(arguments, name, folder, method):
    """The folder that `method` makes of `folder`, and the minutes of processor time it took."""
    out = arguments.work / "quantized" / f"{name}_{method}"
    took = out.with_suffix(".json")
    if not took.exists():
        shutil.rmtree(out, ignore_errors=True)
        print(f"quantizing by {method}", file=sys.stderr)
        began = resource.getrusage(resource.RUSAGE_CHILDREN)
        command = [
            sys.executable, "-m", "isobath_training", "quantize", "--model", folder, "--data", arguments.data,
            "--frames", str(arguments.calibration), "--method", method, "--samples", str(arguments.samples),
            "--threads", "1", "--out", out,
        ]  # fmt: skip
        paths = os.pathsep.join([str(ROOT / "training"), os.environ.get("PYTHONPATH", "")])
        done = subprocess.run(command, env=os.environ | {"PYTHONPATH": paths}, check=False)
        if done.returncode != 0:
            sys.exit(f"quantize --method {method} ended with {done.returncode}")
        ended = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds = ended.ru_utime + ended.ru_stime - began.ru_utime - began.ru_stime
        took.write_text(json.dumps({"minutes": seconds / 60}))
    return out, json.loads(took.read_text())["minutes"]


def measure(arguments):
    recordings = simulate(arguments, arguments.work)
    bags = [bag for of_key in recordings.values() for bag in of_key]
    results = {}
    for model in arguments.model:
        folder, name = Path(model.path), model.name
        folder = folder if folder.is_dir() else ROOT / "models" / folder
        base = replayed(arguments, Model(f"{folder}:sparse_fp32"), bags, f"{name}_sparse_fp32")
        results[name] = {"float": figures(arguments, base, base), "methods": {}, "calibration": arguments.calibration}
        for method in arguments.method or METHODS:
            made, minutes = quantized(arguments, name, folder, method)
            of = replayed(arguments, Model(f"{made}:sparse_int8"), bags, f"{name}_{method}")
            results[name]["methods"][method] = {"minutes": minutes, **figures(arguments, of, base)}
    return results


def of_model(results):
    base = results["float"]
    rows = [["`sparse_fp32`", number(base["map"]), "", number(base["nds3"]), "", ""]]
    for method, found in results["methods"].items():
        differences = found["differences"]
        cells = [number(found["map"]), difference(differences["map"]), number(found["nds3"]), difference(differences["nds3"])]
        rows.append([NAMES[method], *cells, number(found["minutes"], 1)])
    head = ["`sparse_int8` by", "map", "− floats, 95 % interval", "nds3", "− floats, 95 % interval", "minutes"]
    return f"{base['frames']} sweeps; {results['calibration']} sweeps to calibrate with.\n\n{table(head, rows)}"


def markdown(results):
    if len(results) == 1:
        return of_model(*results.values())
    return "\n\n".join(f"`{name}`: {of_model(found)}" for name, found in results.items())


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="sweeps of the training split to calibrate with")
    parser.add_argument("--calibration", type=int, default=128, help="so many of them")
    parser.add_argument("--samples", type=int, default=20_000, help="how many `qat` is trained with")
    parser.add_argument("--method", action="append", choices=tuple(NAMES), help="only these")
    add_block(parser, "quantization.py")
    return parse_sweeps(parser)


def main():
    arguments = parse_arguments()
    results = measure(arguments)
    finish(arguments, arguments.block, results, markdown(results))


if __name__ == "__main__":
    main()
