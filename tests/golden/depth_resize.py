"""Golden values for image resizing, from dense weight matrices in float64.

Conventions: pixel centres at integer coordinates, u' = (u + 0.5) * s - 0.5, border pixels repeat;
an axis that shrinks to half or less is averaged over its footprint, others are bilinear.

    python tests/golden/depth_resize.py > tests/golden/depth_resize.json
"""

import json

import numpy as np


def bilinear(source, target):
    """Target x source weights: triangle kernel at the mapped centres."""
    centres = (np.arange(target) + 0.5) * source / target - 0.5
    centres = np.clip(centres, 0, source - 1)
    return np.maximum(0.0, 1.0 - np.abs(centres[:, None] - np.arange(source)[None, :]))


def area(source, target):
    """Target x source weights: share of each footprint that a source pixel covers."""
    fine = np.linspace(0, target, target * source + 1)
    middles = (fine[:-1] + fine[1:]) / 2
    weights = np.zeros((target, source))
    np.add.at(weights, (middles.astype(int), (middles * source / target).astype(int)), 1.0 / source)
    return weights


def axis(source, target):
    return area(source, target) if source >= 2 * target else bilinear(source, target)


def main():
    rng = np.random.default_rng(20)
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    images = []
    # (width, height) of image and tensor: copy, up, slightly down, half, a fraction beyond half, mixed.
    for source, target in [
        ((4, 3), (4, 3)),
        ((3, 2), (7, 5)),
        ((7, 6), (5, 4)),
        ((8, 6), (4, 3)),
        ((11, 13), (4, 5)),
        ((9, 2), (2, 4)),
        ((1, 1), (3, 2)),
    ]:
        image = rng.integers(0, 256, (source[1], source[0], 3))
        rows, columns = axis(source[1], target[1]), axis(source[0], target[0])
        tensor = np.einsum("yh,xw,hwc->cyx", rows, columns, (image / 255.0 - mean) / std)
        images.append(
            {
                "source": source,
                "target": target,
                "rgb": image.ravel().tolist(),
                "tensor": np.round(tensor, 6).ravel().tolist(),
            }
        )

    depths = []
    for source, target in [((3, 2), (7, 5)), ((4, 4), (4, 4)), ((5, 4), (11, 9)), ((6, 5), (4, 3))]:
        depth = rng.uniform(1.0, 9.0, (source[1], source[0]))
        depth[rng.uniform(size=depth.shape) < 0.3] = 0.0
        depth = np.round(depth, 3)
        weights = np.einsum(
            "yh,xw->yxhw", bilinear(source[1], target[1]), bilinear(source[0], target[0])
        ) * (depth > 0)
        total = weights.sum((2, 3))
        with np.errstate(invalid="ignore"):
            value = (weights * depth).sum((2, 3)) / total
        depths.append(
            {
                "source": source,
                "target": target,
                "network": depth.ravel().tolist(),
                "image": [None if np.isnan(v) else round(v, 6) for v in value.ravel().tolist()],
            }
        )
    print(json.dumps({"images": images, "depths": depths}))


if __name__ == "__main__":
    main()
