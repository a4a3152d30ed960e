"""What whole detection networks cost over the share of active cells, on one core: a table and a plot.

    pip install onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6 matplotlib==3.10.8
    python benches/peers/detector_speed.py --markdown docs/performance.md [--plot docs/images/detector_speed.png]

Runs `benches/detector.rs` with the fastest kernels of this processor and with those of AVX2 or portable ones, then reads
what criterion wrote. Beside our networks stands CenterPoint's on pillars (Yin et al. 2021; 64 channels on 256 x 256
cells, three stages of stride 2) with random weights, made here: times do not depend on them.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "benches" / "accuracy"))

from common import write_block  # noqa: E402
from onnx_timing import median_ms  # noqa: E402
from tables import table  # noqa: E402

OCCUPANCIES = (2, 4, 6, 12, 25, 100)
# Stages: channels and further layers; heads: channels of what they tell.
STAGES = ((64, 3), (128, 5), (256, 5))
HEADS = {"heatmap": 7, "offset": 2, "height": 1, "size": 3, "rotation": 2, "velocity": 2}


class Graph:
    """Convolutions with random weights, one after the other."""

    def __init__(self):
        self.nodes, self.weights, self.random = [], [], np.random.default_rng(1)

    def weight(self, shape):
        name = f"w{len(self.weights)}"
        values = self.random.normal(0, 0.05, shape).astype(np.float32)
        self.weights.append(numpy_helper.from_array(values, name))
        return name

    def node(self, kind, inputs, **attributes):
        name = f"x{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def conv(self, x, inputs, outputs, side=3, stride=1, relu=True):
        names = [x, self.weight((outputs, inputs, side, side)), self.weight((outputs,))]
        y = self.node("Conv", names, strides=[stride] * 2, pads=[side // 2] * 4, kernel_shape=[side] * 2)
        return self.node("Relu", [y]) if relu else y

    def up(self, x, inputs, outputs, times):
        names = [x, self.weight((inputs, outputs, times, times)), self.weight((outputs,))]
        y = self.node("ConvTranspose", names, strides=[times] * 2, kernel_shape=[times] * 2)
        return self.node("Relu", [y])


def centerpoint(path):
    """Writes the network on pillars of CenterPoint."""
    graph, x, inputs, merged = Graph(), "input", 64, []
    for number, (channels, layers) in enumerate(STAGES):
        x = graph.conv(x, inputs, channels, stride=2)
        for _ in range(layers):
            x = graph.conv(x, channels, channels)
        merged.append(graph.up(x, channels, 128, 2**number) if number else graph.conv(x, channels, 128, side=1))
        inputs = channels
    x = graph.conv(graph.node("Concat", merged, axis=1), 3 * 128, 64)
    outputs = []
    for name, channels in HEADS.items():
        y = graph.conv(graph.conv(x, 64, 64), 64, channels, relu=False)
        graph.nodes.append(helper.make_node("Identity", [y], [name]))
        outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, channels, 128, 128]))
    given = helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 64, 256, 256])
    made = helper.make_graph(graph.nodes, "centerpoint_pillar", [given], outputs, graph.weights)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, path)


def roomy(folder, model):
    """`NAME:PRECISION` as a copy of the bundled model that takes a whole grid of pillars."""
    name, precision = model.split(":")
    copy = folder / name
    if not copy.exists():
        shutil.copytree(ROOT / "models" / name, copy)
        manifest = copy / "model.yaml"
        text, changed = re.subn(r"(max_rows:\n  pillars:) \d+", r"\1 65536", manifest.read_text())
        if changed != 1:
            sys.exit(f"{manifest}: expected max_rows of pillars")
        manifest.write_text(text)
    return f"{copy}:{precision}"


def bench(models, kernels):
    """Median milliseconds by network and percent of active cells."""
    changed = {"ISOBATH_BENCH_MODELS": ",".join(models)}
    if kernels:
        changed["ISOBATH_SPARSE_KERNELS"] = kernels
    done = subprocess.run(
        ["cargo", "bench", "--bench", "detector"], cwd=ROOT, env=os.environ | changed, capture_output=True, text=True, check=False
    )  # fmt: skip
    if done.returncode != 0:
        sys.exit(done.stderr)
    folder = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "criterion" / "detector"
    found = {}
    for name in [Path(model).name.replace(":", " ") for model in models]:
        for percent in OCCUPANCIES:
            path = folder / name / str(percent) / "new" / "estimates.json"
            if path.exists():
                found.setdefault(name, {})[percent] = json.loads(path.read_text())["median"]["point_estimate"] / 1e6
    return found


def plot(path, lines):
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6.4, 4), dpi=120)
    for name, times in lines.items():
        if len(times) == 1:
            axes.axhline(next(iter(times.values())), linestyle="--", color="grey", linewidth=1)
            axes.annotate(name, (1.02, next(iter(times.values()))), xycoords=("axes fraction", "data"), fontsize=7)
        else:
            axes.plot(list(times), list(times.values()), marker="o", label=name)
    axes.set(xscale="log", yscale="log", xlabel="active cells of 256 × 256, %", ylabel="one run on one core, ms")
    axes.set_xticks(OCCUPANCIES, [str(percent) for percent in OCCUPANCIES])
    axes.minorticks_off()
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    figure.savefig(path, bbox_inches="tight")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--sparse", nargs="*", default=["detector_s:sparse_int8", "detector_s:sparse_fp32"],
        help="NAME:PRECISION that run with all kernels",
    )  # fmt: skip
    parser.add_argument("--dense", action="append", default=[], help="NAME:PRECISION of others")
    parser.add_argument("--kernels", nargs="*", default=["avx2"], help="kernels beside the fastest")
    parser.add_argument("--markdown", type=Path, help="file whose block of tables is replaced")
    parser.add_argument("--plot", type=Path, help="picture to write")
    arguments = parser.parse_args()
    lines = {}
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        file = folder / "centerpoint_pillar.onnx"
        centerpoint(file)
        models = [roomy(folder, model) for model in [*arguments.sparse, *arguments.dense]]
        lines |= bench(models, None) | {file.stem: {100: median_ms(file, np.random.default_rng(1).random((1, 64, 256, 256), np.float32))}}
        for kernels in arguments.kernels:
            for name, times in bench(models[: len(arguments.sparse)], kernels).items():
                lines[f"{name}, {kernels}"] = times
    rows = []
    for name, times in lines.items():
        cells = [f"{times[percent]:.1f}" if percent in times else "" for percent in OCCUPANCIES]
        rows.append([name, *cells])
    text = table(["ms at so many active cells", *(f"{percent} %" for percent in OCCUPANCIES)], rows)
    print(text)
    if arguments.markdown:
        write_block(arguments.markdown, "detector_speed.py", text)
    if arguments.plot:
        plot(arguments.plot, lines)


if __name__ == "__main__":
    main()
