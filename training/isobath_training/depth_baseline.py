"""Depth from the radar prior alone: multi-scale normalised convolution.

Knutsson and Westin, "Normalized and differential convolution", CVPR 1993: an average of what is
known, weighted by where it is known. From coarse to fine, each scale is

    e = (log_depth · support + ε · e_coarser) / (support + ε)

so a return decides near itself and coarser scales fill the rest.
"""

import numpy as np

from .folder import Folder
from .graph import Graph

HEIGHT, WIDTH = 240, 320
MIN_M, MAX_M = 0.2, 120.0
LEVELS = 4
# Pull towards the coarser scale, in units of one known pixel of that scale.
EPSILON = [0.02, 0.3, 0.3, 0.3, 0.3]
# Standard deviations of the widest averages, in cells of 16 pixels.
WIDE_SIGMA = [5.0, 2.0]
# Confidence falls by e over this many pixels.
CONFIDENCE_PX = 20.0
CONFIDENCE_STEPS = 20


def gaussian(sigma: float) -> np.ndarray:
    radius = int(np.ceil(2.5 * sigma))
    kernel = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    return (kernel / kernel.sum()).astype(np.float32)


def blur(g: Graph, value: str, kernel: np.ndarray, channels: int) -> str:
    """Separable blur of every channel; what is outside counts as unknown (zero)."""
    n, r = len(kernel), len(kernel) // 2
    rows = np.tile(kernel.reshape(1, 1, n, 1), (channels, 1, 1, 1))
    columns = np.tile(kernel.reshape(1, 1, 1, n), (channels, 1, 1, 1))
    value = g.op("Conv", value, rows, kernel_shape=[n, 1], pads=[r, 0, r, 0], group=channels)
    return g.op("Conv", value, columns, kernel_shape=[1, n], pads=[0, r, 0, r], group=channels)


def build() -> Graph:
    g = Graph("depth_baseline")
    prior = g.input("prior", [1, 1, HEIGHT, WIDTH])
    known = g.greater(prior, np.float32(0))
    clipped = g.op("Clip", prior, np.float32(MIN_M), np.float32(MAX_M))
    pyramid = [g.op("Concat", g.mul(g.op("Log", clipped), known), known, axis=1)]
    for _ in range(LEVELS):
        pyramid.append(g.op("AveragePool", pyramid[-1], kernel_shape=[2, 2], strides=[2, 2]))

    def parts(value: str) -> tuple[str, str]:
        axis = np.array([1], np.int64)
        cut = [
            g.op("Slice", value, np.array([i], np.int64), np.array([i + 1], np.int64), axis) for i in (0, 1)
        ]
        return cut[0], cut[1]

    def refine(value: str, coarser: str, epsilon: float) -> str:
        sums, support = parts(value)
        e = np.float32(epsilon)
        return g.div(g.add(sums, g.mul(coarser, e)), g.add(support, e))

    mean_sums, mean_support = parts(g.op("GlobalAveragePool", pyramid[LEVELS]))
    estimate = g.div(mean_sums, g.add(mean_support, np.float32(1e-9)))
    one_pixel = 0.25**LEVELS
    for sigma in WIDE_SIGMA:
        peak = one_pixel / (2 * np.pi * sigma**2)
        estimate = refine(blur(g, pyramid[LEVELS], gaussian(sigma), 2), estimate, 0.05 * peak)
    binomial = np.array([0.25, 0.5, 0.25], np.float32)
    for level in range(LEVELS, -1, -1):
        if level < LEVELS:
            estimate = g.resize(estimate, 2)
        value = pyramid[level] if level == 0 else blur(g, pyramid[level], binomial, 2)
        estimate = refine(value, estimate, EPSILON[level] * 0.25**level)
    anything = g.greater(mean_support, np.float32(0))
    g.output(g.mul(g.op("Exp", estimate), anything), "depth", [1, 1, HEIGHT, WIDTH])

    # Decay spreads from known cells in eight directions: an octagonal distance.
    confidence = g.max_pool(known, 4, 4, 4)
    straight, diagonal = (np.float32(np.exp(-4 * s / CONFIDENCE_PX)) for s in (1.0, 2**0.5))
    for _ in range(CONFIDENCE_STEPS):
        cross = g.max(g.max_pool(confidence, 1, 3), g.max_pool(confidence, 3, 1))
        confidence = g.max(
            confidence, g.mul(cross, straight), g.mul(g.max_pool(confidence, 3, 3), diagonal)
        )
    confidence = g.max(known, g.resize(confidence, 4))
    g.output(confidence, "confidence", [1, 1, HEIGHT, WIDTH])
    return g


def golden_inputs() -> dict[str, np.ndarray]:
    """Discs at fixed places, nearest wins."""
    prior = np.zeros((HEIGHT, WIDTH), np.float32)
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    random = np.random.Generator(np.random.PCG64(7))
    for row, column, depth in random.uniform((90, 0, 1.5), (170, WIDTH, 40.0), (25, 3)):
        disc = (rows - row) ** 2 + (columns - column) ** 2 <= 2.5**2
        nearer = disc & ((prior == 0) | (prior > depth))
        prior[nearer] = np.float32(depth)
    return {"prior": prior[None, None]}


# The logarithm and exponential differ by some units in the last place between processors.
TOLERANCE = {"abs": 1e-3, "rel": 1e-3}
MANIFEST = {
    "kind": "depth",
    "architecture": "multi-scale normalised convolution (no learned weights)",
    "depth": {
        "min_m": MIN_M,
        "max_m": MAX_M,
        "mean": [0.0, 0.0, 0.0],
        "std": [1.0, 1.0, 1.0],
        "fusion": "none",
        "uses_prior": True,
    },
    "licence": "Apache-2.0",
    "training_data": "none",
    "measured": {},
}
CARD = f"""# depth_baseline

Metric depth from the radar prior alone. It sees no image: a floor to beat, and depth when nothing better is installed.

- **In**: `prior` [1, 1, {HEIGHT}, {WIDTH}], camera-frame z in metres, 0 where there is no return.
- **Out**: `depth` in metres, everywhere as soon as there is one return, 0 everywhere when there is none; `confidence` 0 to 1.
- **How**: normalised convolution of log depth over {LEVELS + 1} scales and three wide averages. At a return the depth is that return to within 2 % of the log difference to its surroundings.
- **Confidence** is a heuristic, not a probability: exp(−d / {CONFIDENCE_PX:g} px) with d the octagonal distance to the nearest return at {WIDTH}×{HEIGHT}, in steps of 4 px; 0 beyond {4 * CONFIDENCE_STEPS + 8} px.
- **Weights**: none learned, so no training data.
- **Limits**: returns are smeared over object borders; floor, ceiling and sky get the depth of the nearest returns. A ghost return pulls its surroundings with it.

Made by `python -m isobath_training export --model depth_baseline --out models/depth_baseline`.
"""


def folder() -> Folder:
    """The whole model folder."""
    return Folder({"fp32": build().model()}, golden_inputs(), MANIFEST, {"fp32": TOLERANCE}, CARD)
