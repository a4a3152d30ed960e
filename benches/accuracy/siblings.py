"""Detectors beside each other on the same test recordings: a table of differences from the first of each seed.

    cargo build --release && pip install './training[train]'
    python benches/accuracy/siblings.py --block twin --model detector_s:sparse_fp32 --model detector_s_dense:fp32 \\
        --data sweeps --work accuracy [--markdown docs/accuracy.md] [--json results.json]

Replays the recordings of `detection.py` with each model and compares each run with that of the first, sweep by sweep: of
the models whose names end with the same number, which is their seed, or with none. Models whose names differ in
that number alone are one with several seeds: their means are shown as well. Products are
those of active pillars, counted on sweeps of the training split. With `--latency RECORDING` all networks take turns on its
sweeps (`isobath bench`). What is in `--work` already is not made again.
"""

import argparse
import json
import re
import sys
from pathlib import Path

import numpy as np
from common import ROOT, finish, run
from detection import parse_sweeps, simulate
from paired import difference, figures, replayed
from tables import number, table

sys.path.insert(0, str(ROOT / "training"))

# Sweeps that products are counted on.
COUNTED = 24


def counted(folder, data):
    """Parameters of a network that are not zero, and millions of products a sweep where its layers read active pillars alone."""
    import onnx
    from isobath_training.detector_s.features import Grid
    from isobath_training.quantization.folder import network_of, read_manifest
    from isobath_training.quantization.frames import frames
    from isobath_training.quantization.sweeps import of_arrays

    if not (folder / "model_sparse_fp32.onnx").exists():
        # A dense network computes every cell.
        constants = onnx.load(folder / "model.onnx").graph.initializer
        arrays = [onnx.numpy_helper.to_array(i) for i in constants if len(i.dims) in (1, 4) and i.data_type == 1]
        return sum(map(np.count_nonzero, arrays)), None
    manifest = read_manifest(folder, check_quantized=False)
    network = network_of(folder, manifest)
    parameters = sum(np.count_nonzero(array) for layer in network.layers for array in (layer.weight, layer.bias))
    grid = Grid(manifest["detection"]["range"][3], manifest["detection"]["voxel_size"][0])
    products = 0
    sweeps = frames(network, of_arrays(data, grid, COUNTED))
    for frame in sweeps:
        rows = {network.features: len(frame.features)}
        for layer in network.layers:
            index = frame.index[layer.table] if layer.table else None
            rows[layer.out] = rows[layer.x] if index is None else len(index)
            if index is not None:
                # Places whose weights are all zero are not read.
                index = index[:, layer.weight.reshape(index.shape[1], -1).any(1)]
            taps = rows[layer.out] if index is None else int((index < rows[layer.x]).sum())
            inputs = layer.weight.shape[0] // (1 if index is None else frame.index[layer.table].shape[1])
            products += taps * inputs * layer.weight.shape[1]
    return parameters, products / len(sweeps) / 1e6


def latencies(arguments):
    """Median milliseconds on one core of each network, in turns, and of all from points to boxes."""
    precisions = {model.precision for model in arguments.model}
    if len(precisions) > 1:
        sys.exit(f"--latency: expected models of one precision, found {', '.join(sorted(precisions))}")
    command = [arguments.isobath, "bench", *(model.path for model in arguments.model), "--precision", *precisions]
    told = json.loads(run([*command, "--input", arguments.latency, "--json"]))
    times = [{name: of["stages_ms"][name]["p50"] for name in ("inference", "total")} for of in told["runs"]]
    return dict(zip([model.name for model in arguments.model], times, strict=True))


def measure(arguments):
    bags = [bag for of_key in simulate(arguments, arguments.work).values() for bag in of_key]
    results, bases = {}, {}
    for model in arguments.model:
        folder = Path(model.path) if Path(model.path).is_dir() else ROOT / "models" / model.path
        of = replayed(arguments, model, bags, model.folder())
        base = bases.setdefault(seed_of(model.name), of)
        parameters, products = counted(folder, arguments.data)
        results[model.name] = {"parameters": int(parameters), "products": products, **figures(arguments, of, base)}
    for name, times in (latencies(arguments) if arguments.latency else {}).items():
        results[name]["ms"] = times
    return results


def seed_of(name):
    """The number that ends a name."""
    found = re.search(r"_(\d+)(?=$| )", name)
    return found and int(found[1])


def stem(name):
    """`name_3 precision` → `name precision`."""
    return re.sub(r"_\d+(?=$| )", "", name)


def markdown(results):
    first = next(iter(results))
    timed = ["network, ms"] if "ms" in results[first] else []
    groups = {}
    for name in results:
        groups.setdefault(stem(name), []).append(name)
    rows = []
    for group, names in groups.items():
        for name in names:
            found = results[name]
            differences = found.get("differences")
            rows.append([
                f"`{name}`", f"{found['parameters'] / 1000:.0f} k", number(found["products"], 0),
                *([number(found["ms"]["inference"], 2)] if "ms" in found else []),
                number(found["map"]), difference(differences["map"]) if differences else "",
                number(found["nds3"]), difference(differences["nds3"]) if differences else "",
            ])  # fmt: skip
        if len(names) > 1:
            cells = []
            for key in ("map", "nds3"):
                cells.append(number(np.mean([results[name][key] for name in names])))
                beside = [results[name].get("differences", {}).get(key, {}).get("difference") for name in names]
                cells.append(f"{np.mean(beside):+.4f}" if None not in beside else "")
            rows.append([f"**{group}**, {len(names)} seeds", "", "", *([""] if timed else []), *cells])
    head = [
        "model", "parameters", "million products", *timed, "map", "− first of its seed, 95 % interval", "nds3",
        "− first of its seed, 95 % interval",
    ]  # fmt: skip
    return f"{results[first]['frames']} sweeps.\n\n{table(head, rows)}"


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--block", required=True, help="name of the block in the Markdown file: siblings.py NAME")
    parser.add_argument("--data", type=Path, required=True, help="sweeps of the training split to count products on")
    parser.add_argument("--latency", type=Path, help="recording of a LiDAR to time the networks on")
    arguments = parse_sweeps(parser)
    arguments.data = arguments.data.resolve()
    return arguments


def main():
    arguments = parse_arguments()
    results = measure(arguments)
    finish(arguments, f"siblings.py {arguments.block}", results, markdown(results))


if __name__ == "__main__":
    main()
