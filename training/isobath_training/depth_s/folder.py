"""The model folders `depth_s` and `depth_s_vision`."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import numpy as np
import onnx

from ..figures import table
from ..folder import Folder, run
from ..quantize import quantize
from .export import HEIGHT, WIDTH, load, to_onnx
from .match import fit
from .network import MAX_M, MIN_M
from .samples import MEAN, STD, Frames

# Frames that tell the ranges of the activations: as they are, and changed as in training, half of them in worlds of
# another scale, so that the ranges hold for cameras and places that no scene has.
PLAIN_FRAMES, VARIED_FRAMES = 60, 120
# Frames without a return: what is zero everywhere then has a range of its own.
BLIND_FRAMES = 30
# Median difference of the depths of two precisions up to which they say the same.
SAME = 0.1
# Golden frames are tried until one whose pixels are all far from the border of the sky.
GOLDEN_TRIALS = 40
# Kept exact: outputs, and what works on depths instead of features.
EXACT = (
    "/guess/", "/agreement/", "/relief/", "/trust/", "/gain/", "/spread", "/matcher/", "/head/", "/network/stem/",
)  # fmt: skip
TOLERANCE = {"fp32": {"abs": 0.01, "rel": 0.005}, "int8": {"abs": 0.1, "rel": 0.25}}


def inputs(frames: Frames, numbers: range, names: list[str]) -> Iterator[dict[str, np.ndarray]]:
    """Network inputs of frames."""
    for number in numbers:
        batch = frames.batch(number, 1, (HEIGHT, WIDTH))
        tensors = {"image": batch.image, "rays": batch.rays, "prior": batch.prior}
        yield {name: tensors[name].contiguous().numpy() for name in names}


def blind(feeds: Iterator[dict[str, np.ndarray]]) -> Iterator[dict[str, np.ndarray]]:
    """The same without radar returns."""
    for feed in feeds:
        yield feed | ({"prior": np.zeros_like(feed["prior"])} if "prior" in feed else {})


def check_blind(models: dict[str, onnx.ModelProto], frames: Frames, names: list[str]) -> None:
    """Without returns all precisions must say the same: a radar may fall silent."""
    files = {precision: model.SerializeToString() for precision, model in models.items()}
    for feed in blind(inputs(frames, range(0, len(frames), max(1, len(frames) // 8)), names)):
        expected = run(files["fp32"], feed)["depth"]
        for precision, file in files.items():
            off = float(np.median(np.abs(np.log(run(file, feed)["depth"] / expected))))
            if off > SAME:
                raise SystemExit(f"{precision} without radar: depths differ by {off:.2f} of their logarithm from fp32")


def deviation(
    found: dict[str, np.ndarray], expected: dict[str, np.ndarray], tolerance: dict[str, float]
) -> float:
    """The largest difference as a share of the tolerance."""
    return max(
        float(
            (
                np.abs(found[n] - expected[n]) / (tolerance["abs"] + tolerance["rel"] * np.abs(expected[n]))
            ).max()
        )
        for n in expected
    )


def golden(models: dict[str, onnx.ModelProto], frames: Frames, names: list[str]) -> dict[str, np.ndarray]:
    """The inputs on which all precisions agree best."""
    files = {precision: model.SerializeToString() for precision, model in models.items()}
    best: tuple[float, dict[str, np.ndarray]] | None = None
    for candidate in inputs(frames, range(GOLDEN_TRIALS), names):
        expected = run(files["fp32"], candidate)
        worst = max(deviation(run(files[p], candidate), expected, TOLERANCE[p]) for p in files)
        if best is None or worst < best[0]:
            best = (worst, candidate)
    if best is None or best[0] > 0.8:
        raise SystemExit(f"no frame on which the precisions agree: {best and best[0]:.2f} of the tolerance")
    return best[1]


def folder(name: str, checkpoint: Path, data: Path | list[Path], measured: dict[str, float]) -> Folder:
    """From a checkpoint; `data` are frames of the training split to calibrate with, `measured` figures on the test split."""
    network, recipe = load(checkpoint)
    uses_prior = network.uses_prior
    frames = Frames(data, seed=0, training=False)
    model = to_onnx(network, fit(network, frames) if uses_prior else None)
    names = [value.name for value in model.graph.input]
    varied = Frames(data, seed=0, training=True, scaled=0.5)
    chosen = range(0, len(frames), max(1, len(frames) // PLAIN_FRAMES))
    without = range(0, len(frames), max(1, len(frames) // BLIND_FRAMES))
    seen = chain(
        inputs(frames, chosen, names),
        inputs(varied, range(VARIED_FRAMES), names),
        blind(inputs(frames, without, names)),
    )
    models = {"fp32": model, "int8": quantize(model, seen, EXACT)}
    check_blind(models, frames, names)
    manifest = {
        "kind": "depth",
        "architecture": "two-look U-Net with radar residuals"
        if uses_prior
        else "two-look U-Net, image alone",
        "depth": {
            "min_m": MIN_M,
            "max_m": MAX_M,
            "mean": list(MEAN),
            "std": list(STD),
            "fusion": "none",
            "uses_prior": uses_prior,
            "prior": "footprints",
        },
        "licence": "Apache-2.0",
        "training_data": "simulated by this project (config/scenes, seeds below 800000)",
        "measured": measured,
    }
    how, also_in, prior = (HOW, " and sparse radar", PRIOR) if uses_prior else (HOW_VISION, "", "")
    outputs, limits = (OUTPUTS, LIMITS) if uses_prior else ("", "")
    card = CARD.format(
        name=name, how=how, radar=also_in, prior_text=prior, outputs=outputs, limits=limits,
        figures=table(measured), **recipe,
    )  # fmt: skip
    return Folder(models, golden(models, frames, names), manifest, TOLERANCE, card)


HOW = """The image alone gives a first depth. Each radar return tells how far that is off at its place; differences that the network trusts are spread over the image, and a second, lighter pass corrects the rest. Without returns the first depth stands."""
HOW_VISION = """The network of `depth_s` trained on the same frames, without radar, for as long as that helped on the validation split."""
PRIOR = (
    "; `prior` [1, 2, 60, 80], metres of the nearest return that may be in a cell (0 = none) and its weight"
)
OUTPUTS = "; `first_look` [1, 1, 60, 80], metres of the image alone, and `radar_match` [1, 1], the probability that the returns are of the image"
LIMITS = " Without returns only the shape of the depth is to be trusted, not its scale. Cameras that look down at near things, as on a desk, are its weak side: there `depth_baseline` was better on the two real frames that were tried."
CARD = """# {name}

Metric depth from one camera{radar}.

- **In**: `image` [1, 3, 240, 320], ImageNet normalisation; `rays` [1, 2, 60, 80], x/z and y/z of what each cell of 4 × 4 pixels sees{prior_text}.
- **Out**: `depth` [1, 1, 240, 320] in metres, 1000 for the sky; `confidence`, the probability that the depth is within 10 % of the truth{outputs}.
- **How**: {how}
- **Training**: {seen} samples of {samples}, seed {seed}, on frames of the simulator alone: all scenes in `config/scenes`, seeds below 800000. Nothing was trained or tuned on seeds from 900000 on.

{figures}

- **Limits**: no real image was seen in training. Glass and mirrors have the depth of their surface. Beyond the range of the radar the scale is that of the nearer parts.{limits}

Made by `python -m isobath_training export --model {name}`; training/README.md tells the steps before.
"""
