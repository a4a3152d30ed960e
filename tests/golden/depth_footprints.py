"""Golden values of the radar prior as footprints, drawn as the training draws them.

    PYTHONPATH=training python tests/golden/depth_footprints.py > tests/golden/depth_footprints.json
"""

import json

import numpy as np
from isobath_training.depth_s.prior import draw


def main():
    random = np.random.default_rng(31)
    cases = []
    for grid, count, k1 in [
        ((15, 20), 0, 0.0),
        ((15, 20), 3, 0.0),
        ((15, 20), 40, -0.2),
        ((12, 16), 25, 0.0),
        ((30, 40), 60, -0.1),
        ((18, 10), 80, 0.02),
    ]:
        rows, columns = grid
        focal = columns * random.uniform(0.5, 1.2)
        camera = [focal, focal * 1.02, columns / 2 - 0.4, rows / 2 + 0.3, k1, 0.01, 0.001, -0.001, 0.0]
        z = np.exp(random.uniform(-1.8, 5.0, count))
        x, y = z * random.uniform(-0.9, 0.9, count), z * random.uniform(-0.7, 0.7, count)
        points = np.stack([x, y, z], 1).astype(np.float32)
        sigmas = np.exp(random.uniform(-5, -1.5, (count, 2))).astype(np.float32)
        prior = draw(points, sigmas, np.array(camera), grid)
        cases.append(
            {
                "camera": camera,
                "grid": grid,
                "returns": np.concatenate([points, sigmas], 1).astype(float).round(9).tolist(),
                "prior": [float(f"{v:.8g}") for v in prior.ravel()],
            }
        )
    print(json.dumps(cases))


if __name__ == "__main__":
    main()
