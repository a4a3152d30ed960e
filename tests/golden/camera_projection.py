#!/usr/bin/env python3
"""Writes camera_projection.json: pixels of a few points as OpenCV projects them, and rays of a few pixels.

Run with `opencv-python-headless` 5.0.0 and `numpy` installed: python3 tests/golden/camera_projection.py
"""

import json
from pathlib import Path

import cv2
import numpy as np

K = np.array([[500.0, 0.0, 319.5], [0.0, 510.0, 239.5], [0.0, 0.0, 1.0]])
CASES = {
    "": [],
    "plumb_bob": [-0.28, 0.09, 0.0012, -0.0007, -0.011],
    "rational_polynomial": [0.55, 0.11, -0.0004, 0.0008, 0.004, 0.87, 0.27, 0.021],
    "equidistant": [-0.012, 0.021, -0.018, 0.004],
}
POINTS = np.array(
    [[0, 0, 1], [0.1, -0.05, 1], [-0.5, 0.4, 1], [1.2, 0.8, 2], [-3, -2, 5], [0.02, 7, 12], [40, -22, 70]], dtype=float
)
# Corners, the middle and between, of 640×480.
PIXELS = np.array([[0, 0], [639, 0], [0, 479], [639, 479], [320, 240], [100, 250], [413, 52]])
PRECISE = (cv2.TERM_CRITERIA_COUNT + cv2.TERM_CRITERIA_EPS, 500, 1e-14)


def project(model, d):
    zero = np.zeros(3)
    if model == "equidistant":
        pixels, _ = cv2.fisheye.projectPoints(POINTS.reshape(-1, 1, 3), zero, zero, K, np.array(d))
    else:
        pixels, _ = cv2.projectPoints(POINTS, zero, zero, K, np.array(d) if d else None)
    return pixels.reshape(-1, 2).tolist()


def unproject(model, d):
    pixels = PIXELS.astype(float).reshape(-1, 1, 2)
    if model == "equidistant":
        rays = cv2.fisheye.undistortPoints(pixels, K, np.array(d), criteria=PRECISE)
    else:
        rays = cv2.undistortPoints(pixels, K, np.array(d) if d else None, criteria=PRECISE)
    return rays.reshape(-1, 2).tolist()


def main():
    cases = [
        {
            "model": m,
            "k": K.ravel().tolist(),
            "d": d,
            "points": POINTS.tolist(),
            "pixels": project(m, d),
            "ray_pixels": PIXELS.tolist(),
            "rays": unproject(m, d),
        }
        for m, d in CASES.items()
    ]
    out = Path(__file__).with_suffix(".json")
    out.write_text(json.dumps({"opencv": cv2.__version__, "cases": cases}, indent=1) + "\n")


if __name__ == "__main__":
    main()
