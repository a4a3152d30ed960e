"""What a ViT-S loses when half of its weights are zero and the others have 8 bits, and how small its file becomes.

    cargo build --release && pip install './training[train]'
    python benches/accuracy/vit_sparsity.py --work accuracy [--markdown docs/accuracy.md] [--json results.json]

Published weights are not part of this project, so a network is trained here from nothing, at 84 × 112 and not for
long, to have something to lose. It is then pruned (`python -m isobath_training prune`, at once and with learning back),
exported with and without `--compress`, and every file is measured on frames of the test split. What is in `--work` already
is not made again.
"""

import argparse
import json
import math
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from common import FIRST_TEST_SEED, ROOT, finish
from tables import number, table

sys.path.insert(0, str(ROOT / "training"))

SIZE = (84, 112)
BATCH, RATE = 4, 3e-4
# Truth outside is left out, metres.
NEAREST_M, FARTHEST_M = 0.3, 80.0
RESAMPLES = 1000


def frames(arguments, split, count):
    """Frames of a split, made where they are not there yet."""
    out = arguments.work / f"frames_{split}"
    if not out.exists():
        from isobath_training.export_data import export_data

        scenes = sorted((ROOT / "config" / "scenes").glob("*.yaml"))
        export_data(
            scenes, split, count, out, sensors="camera,radar", image_size=f"{SIZE[1]}x{SIZE[0]}",
            isobath=str(arguments.isobath),
        )  # fmt: skip
    return out


def trained(arguments, data):
    """A network that saw `--samples` frames with their depth."""
    import torch
    from isobath_training.arrays import Joined
    from isobath_training.depth_vits.inputs import network_inputs
    from isobath_training.depth_vits.network import RADARMEETSVISION, DepthVit

    path = arguments.work / "vits.pth"
    if path.exists():
        return path
    torch.manual_seed(1)
    torch.set_num_threads(1)
    network, arrays = DepthVit(RADARMEETSVISION, RADARMEETSVISION.max_m), Joined([data])
    for parameter in (network.pretrained.pos_embed, network.pretrained.cls_token):
        torch.nn.init.trunc_normal_(parameter, std=0.02)
    optimizer = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=0.05)
    random, began = np.random.default_rng(1), time.monotonic()
    for first in range(0, arguments.samples, BATCH):
        progress = first / arguments.samples
        for group in optimizer.param_groups:
            group["lr"] = RATE * min(1, (progress + 0.002) / 0.1) * 0.5 * (1 + math.cos(math.pi * progress))
        chosen = random.integers(len(arrays), size=BATCH)
        parts = network_inputs(arrays, chosen, network.variant, SIZE)
        x = torch.from_numpy(np.concatenate([np.concatenate(list(part.values()), 1) for part in parts]))
        truth = torch.from_numpy(np.stack([arrays.depth[frame] for frame in chosen]).astype(np.float32))[:, None]
        if random.random() < 0.5:
            x, truth = x.flip(3), truth.flip(3)
        with torch.autocast("cpu", torch.bfloat16):
            depth, _ = network(x)
        valid = (truth >= NEAREST_M) & (truth <= FARTHEST_M)
        loss = (torch.log(depth.float().clamp(min=0.1)) - torch.log(truth))[valid].abs().mean()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        if first // BATCH % 50 == 0:
            speed = (first + BATCH) / (time.monotonic() - began)
            print(f"{first} of {arguments.samples} frames  off {loss.item():.3f}  {speed:.1f}/s", file=sys.stderr, flush=True)
    torch.save({"model": network.state_dict()}, path)
    return path


def command(*words):
    """`python -m isobath_training …`."""
    paths = os.pathsep.join([str(ROOT / "training"), os.environ.get("PYTHONPATH", "")])
    call = [sys.executable, "-W", "ignore", "-m", "isobath_training", *map(str, words)]
    if subprocess.run(call, env=os.environ | {"PYTHONPATH": paths}, check=False).returncode != 0:
        sys.exit(f"{' '.join(call)} failed")


def pruned(arguments, checkpoint, data, samples):
    out = arguments.work / f"vits_pruned_{samples}.pth"
    if not out.exists():
        command(
            "prune", "--model", "depth_rmv_vits", "--checkpoint", checkpoint, "--data", data, "--samples", samples,
            "--image-size", f"{SIZE[1]}x{SIZE[0]}", "--out", out,
        )  # fmt: skip
    return out


def exported(arguments, checkpoint, data, compress):
    out = arguments.work / f"{checkpoint.stem}{'_zst' if compress else ''}"
    if not out.exists():
        command(
            "export", "--model", "depth_rmv_vits", "--checkpoint", checkpoint, "--data", data,
            "--image-size", f"{SIZE[1]}x{SIZE[0]}", "--out", out, *(["--compress"] if compress else []),
        )  # fmt: skip
    return out


def errors(file, data):
    """Mean relative error of the depth of each frame."""
    import onnxruntime
    from isobath_training.arrays import Joined
    from isobath_training.depth_vits.inputs import network_inputs
    from isobath_training.depth_vits.network import RADARMEETSVISION

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    arrays, found = Joined([data]), []
    for frame, inputs in enumerate(network_inputs(arrays, range(len(arrays)), RADARMEETSVISION, SIZE)):
        depth, truth = session.run(["depth"], inputs)[0][0, 0], arrays.depth[frame].astype(np.float32)
        valid = (truth >= NEAREST_M) & (truth <= FARTHEST_M)
        if valid.any():
            found.append(float((np.abs(depth[valid] - truth[valid]) / truth[valid]).mean()))
    return np.array(found)


def interval(differences):
    """95 % of what the mean may be, by drawing frames anew."""
    random = np.random.default_rng(0)
    drawn = random.integers(len(differences), size=(RESAMPLES, len(differences)))
    return np.quantile(differences[drawn].mean(1), (0.025, 0.975)).tolist()


def measure(arguments):
    data, test = (frames(arguments, split, n) for split, n in (("train", arguments.frames), ("test", arguments.tested)))
    whole = trained(arguments, data)
    networks = {
        "all weights": whole,
        "2 of 4, at once": pruned(arguments, whole, data, 0),
        f"2 of 4, {arguments.learned:,} frames to learn back": pruned(arguments, whole, data, arguments.learned),
    }
    results, first = {}, None
    for name, checkpoint in networks.items():
        plain, small = (exported(arguments, checkpoint, data, compress) for compress in (False, True))
        for precision, file in (("fp32", "model.onnx"), ("int8", "model_int8.onnx")):
            of = errors(plain / file, test)
            first = of if first is None else first
            results[f"{name}, {precision}"] = {
                "bytes": (plain / file).stat().st_size, "compressed": (small / f"{file}.zst").stat().st_size,
                "abs_rel": float(of.mean()), "frames": len(of), "difference": float((of - first).mean()),
                "interval": interval(of - first),
            }  # fmt: skip
    return results


def markdown(results):
    whole = next(iter(results.values()))
    rows = []
    for name, of in results.items():
        beside = "" if of is whole else f"{of['difference']:+.4f} ({of['interval'][0]:+.4f} to {of['interval'][1]:+.4f})"
        sizes = [f"{of[key] / 1e6:.1f} MB ({whole['bytes'] / of[key]:.1f}×)" for key in ("bytes", "compressed")]
        rows.append([name, *sizes, number(of["abs_rel"]), beside])
    head = ["weights", "`.onnx`", "`.onnx.zst`", "AbsRel", "− first, 95 % interval"]
    return f"{whole['frames']} frames, seeds from {FIRST_TEST_SEED} on.\n\n{table(head, rows)}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    parser.add_argument("--work", type=Path, required=True, help="folder for frames and networks")
    parser.add_argument("--frames", type=int, default=3000, help="frames to train with")
    parser.add_argument("--tested", type=int, default=360, help="frames to test with")
    parser.add_argument("--samples", type=int, default=6000, help="how many frames the network sees")
    parser.add_argument("--learned", type=int, default=2000, help="how many it sees when it is pruned")
    parser.add_argument("--isobath", type=Path, default=target / "release" / "isobath", help="our command")
    parser.add_argument("--markdown", type=Path, help="file whose block of tables is replaced")
    parser.add_argument("--json", type=Path, help="file for all figures")
    arguments = parser.parse_args()
    arguments.work = arguments.work.resolve()
    results = measure(arguments)
    finish(arguments, "vit_sparsity.py", json.loads(json.dumps(results)), markdown(results))


if __name__ == "__main__":
    main()
