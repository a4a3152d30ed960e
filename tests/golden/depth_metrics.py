"""Expected depth figures of random images, computed by numpy in float64.

Writes depth_metrics.npz next to this file: `sizes` (case: truth columns, rows, prediction columns, rows), `truth`,
`predicted`, `confidence` (float32, all cases after one another), `near` (case, returns in pixels of the prediction,
NaN = none), `figures` (case: coverage, AbsRel, SqRel, RMSE, RMSElog, log10, SILog, delta 1 to 3), `near_figures`
(case, near and away, the same), `by_range` (case, bin, pixels and AbsRel) and `by_confidence` (same).

    python tests/golden/depth_metrics.py
"""

from pathlib import Path

import numpy as np


def figures(truth: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """One-dimensional, float64; the truth is within the range that counts."""
    covered = np.isfinite(predicted) & (predicted > 0)
    g, p = truth[covered], predicted[covered]
    d = np.log(p) - np.log(g)
    ratio = np.maximum(p / g, g / p)
    errors = np.ones(len(truth))
    errors[covered] = np.abs(p - g) / g
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = lambda x: np.nan if len(x) == 0 else x.mean()
        return np.array(
            [
                covered.mean() if len(truth) else np.nan,
                mean(errors),
                mean((p - g) ** 2 / g),
                np.sqrt(mean((p - g) ** 2)),
                np.sqrt(mean(d**2)),
                mean(np.abs(np.log10(p) - np.log10(g))),
                np.sqrt(mean(d**2) - 0.5 * mean(d) ** 2),
                *[np.float64((ratio < 1.25**k).sum()) / len(truth) for k in (1, 2, 3)],
            ]
        )


def binned(truth: np.ndarray, predicted: np.ndarray, index: np.ndarray, bins: int) -> np.ndarray:
    covered = np.isfinite(predicted) & (predicted > 0)
    errors = np.where(covered, np.abs(np.where(covered, predicted, 0) - truth) / truth, 1.0)
    return np.array([[(index == b).sum(), errors[index == b].sum()] for b in range(bins)])


def main() -> None:
    rng = np.random.default_rng(80)
    arrays = {name: [] for name in ("sizes", "near", "figures", "near_figures", "by_range", "by_confidence")}
    flat = {name: [] for name in ("truth", "predicted", "confidence")}
    sizes = [((16, 12), (16, 12))] * 8 + [((16, 12), (8, 6)), ((8, 6), (16, 12)), ((10, 8), (15, 12))]
    for case, ((width, height), (columns, rows)) in enumerate(sizes):
        truth = np.exp(rng.uniform(np.log(0.1), np.log(100), (height, width))).astype(np.float32)
        truth[rng.random(truth.shape) < 0.1] = rng.choice([np.nan, np.inf, 0, 0.2, 80])
        y = (2 * np.arange(rows) + 1) * height // (2 * rows)
        x = (2 * np.arange(columns) + 1) * width // (2 * columns)
        predicted = truth[y][:, x] * np.exp(rng.normal(0.1 * (case % 3), 0.3, (rows, columns)))
        if case % 2:
            predicted[rng.random(predicted.shape) < 0.2] = rng.choice([np.nan, np.inf, 0, -1])
        predicted = predicted.astype(np.float32)
        confidence = rng.uniform(-0.05, 1.05, (rows, columns)).astype(np.float32)
        confidence[rng.random(confidence.shape) < 0.05] = np.nan
        returns = np.full((5, 2), np.nan)
        count = case % 6
        returns[:count] = rng.uniform([-1, -1], [columns, rows], (count, 2))

        y = (2 * np.arange(height) + 1) * rows // (2 * height)
        x = (2 * np.arange(width) + 1) * columns // (2 * width)
        u, v = np.meshgrid(np.arange(columns), np.arange(rows))
        near = np.zeros((rows, columns), bool)
        for ru, rv in returns[:count]:
            near |= (u - ru) ** 2 + (v - rv) ** 2 <= (16 * columns / 640) ** 2
        counts = (truth.astype(np.float64) >= 0.2) & (truth.astype(np.float64) <= 80)
        g = truth[counts].astype(np.float64)
        p = predicted[y][:, x][counts].astype(np.float64)
        c = np.nan_to_num(confidence[y][:, x][counts].astype(np.float64), nan=0.0)
        n = near[y][:, x][counts]
        arrays["sizes"].append([width, height, columns, rows])
        arrays["near"].append(returns)
        arrays["figures"].append(figures(g, p))
        with np.errstate(invalid="ignore", divide="ignore"):
            arrays["near_figures"].append([figures(g[n], p[n]), figures(g[~n], p[~n])])
        arrays["by_range"].append(binned(g, p, np.minimum(g // 5, 15), 16))
        arrays["by_confidence"].append(binned(g, p, np.clip(np.floor(c * 10), 0, 9), 10))
        for name, image in (("truth", truth), ("predicted", predicted), ("confidence", confidence)):
            flat[name].append(image.ravel())
    np.savez_compressed(
        Path(__file__).with_suffix(".npz"),
        **{name: np.array(values) for name, values in arrays.items()},
        **{name: np.concatenate(values) for name, values in flat.items()},
    )


if __name__ == "__main__":
    main()
