"""Expected nuScenes detection metrics, computed by nuscenes-devkit 1.2.0 on random boxes.

Writes nuscenes_metrics.npz next to this file. A box is a row of `boxes`: frame, class, x, y, length, width,
height (cm), yaw (mrad), velocity along x and y (cm/s, -32768 = not known), score (1/1000, -1 = truth); its case
is the one whose `rows` it is among. Each case has `frames` frames, some of them empty. Expected are `ap` (case,
class, distance), `errors` (case, class, ATE ASE AOE AVE) and `scores` (case, mAP NDS).

    pip install nuscenes-devkit==1.2.0 "numpy<2"
    python tests/golden/nuscenes_metrics.py
"""

from pathlib import Path

import numpy as np
from nuscenes.eval.common.config import config_factory
from nuscenes.eval.common.data_classes import EvalBoxes
from nuscenes.eval.common.utils import center_distance
from nuscenes.eval.detection.algo import accumulate, calc_ap, calc_tp
from nuscenes.eval.detection.constants import TP_METRICS
from nuscenes.eval.detection.data_classes import DetectionBox, DetectionMetrics

CONFIG = config_factory("detection_cvpr_2019")
CLASSES = list(CONFIG.class_names)
UNKNOWN = -32768
CASES = 216


def random_case(rng: np.random.Generator, number: int) -> tuple[int, list[list[int]]]:
    """Frames and boxes. The kind of difficulty goes round with the number."""
    kind = number % 8
    large = number % 27 == 26
    frames = int(rng.integers(12, 25)) if large else int(rng.integers(1, 6))
    classes = rng.choice(len(CLASSES), int(rng.integers(1, 4)), replace=False)
    rows = []
    for frame in range(frames):
        # Empty frames, of either side or of both.
        truth_count = 0 if rng.random() < 0.15 or kind == 6 and rng.random() < 0.5 else int(rng.integers(1, 6))
        truth = []
        for _ in range(truth_count):
            size = rng.integers([60, 50, 80], [500, 220, 300]).tolist()
            position = rng.integers(-2000, 2000, 2).tolist()
            if kind == 3 and truth and rng.random() < 0.5:
                position = truth[-1][2:4]
            truth.append(
                [frame, int(rng.choice(classes)), *position, *size, int(rng.integers(-3142, 3143))]
                + rng.integers(-900, 900, 2).tolist()
                + [-1]
            )
        if kind == 5:
            # A class that truth does not have.
            truth = [row for row in truth if row[1] != classes[0]]
        found = [row for row in truth if rng.random() < 0.8]
        if kind == 4:
            # One that detections do not have.
            found = [row for row in found if row[1] != classes[0]]
        detections = []
        for row in found:
            for _ in range(2 if kind == 3 and rng.random() < 0.4 else 1):
                spread = rng.choice([10, 60, 150])
                copy = list(row)
                copy[2:4] = (np.array(row[2:4]) + rng.normal(0, spread, 2)).astype(int).tolist()
                if kind == 3 and rng.random() < 0.3:
                    copy[2:4] = row[2:4]
                copy[4:7] = np.maximum(20, np.array(row[4:7]) + rng.normal(0, 20, 3)).astype(int).tolist()
                copy[7] = int(row[7] + rng.normal(0, 300) + rng.choice([0, 0, 0, 3142]))
                copy[8:10] = (np.array(row[8:10]) + rng.normal(0, 80, 2)).astype(int).tolist()
                copy[10] = int(rng.integers(50, 1001))
                detections.append(copy)
        for _ in range(int(rng.integers(0, 3))):
            detections.append(
                [frame, int(rng.choice(classes)), *rng.integers(-2000, 2000, 2).tolist(), 200, 150, 160, 0, 0, 0]
                + [int(rng.integers(20, 700))]
            )
        for row in detections:
            if kind == 1:
                row[10] = int(rng.choice([100, 200, 300]))
            if kind == 2:
                row[10] = int(rng.choice([0, 0, 400, 900]))
            if kind == 7 and rng.random() < (1.0 if number % 16 == 7 else 0.4):
                row[8:10] = [UNKNOWN, UNKNOWN]
        rng.shuffle(detections)
        rows += truth + detections
    return frames, rows


def devkit_box(row: list[int]) -> DetectionBox:
    frame, number, x, y, length, width, height, yaw, vx, vy, score = row
    half = yaw / 1000 / 2
    return DetectionBox(
        sample_token=str(frame),
        translation=(x / 100, y / 100, 0.0),
        size=(width / 100, length / 100, height / 100),
        rotation=(np.cos(half), 0.0, 0.0, np.sin(half)),
        velocity=tuple(np.nan if v == UNKNOWN else v / 100 for v in (vx, vy)),
        detection_name=CLASSES[number],
        detection_score=float(score / 1000) if score >= 0 else -1.0,
    )


def devkit_metrics(frames: int, rows: list[list[int]]) -> tuple[np.ndarray, np.ndarray, list[float]]:
    sides = EvalBoxes(), EvalBoxes()
    for frame in range(frames):
        for side in sides:
            side.add_boxes(str(frame), [])
    for row in rows:
        sides[row[10] >= 0].add_boxes(str(row[0]), [devkit_box(row)])
    truth, detections = sides
    metrics = DetectionMetrics(CONFIG)
    for name in CLASSES:
        data = {d: accumulate(truth, detections, name, center_distance, d) for d in CONFIG.dist_ths}
        for distance in CONFIG.dist_ths:
            ap = calc_ap(data[distance], CONFIG.min_recall, CONFIG.min_precision)
            metrics.add_label_ap(name, distance, ap)
        for metric in TP_METRICS:
            unscored = {"traffic_cone": ["attr_err", "vel_err", "orient_err"], "barrier": ["attr_err", "vel_err"]}
            error = calc_tp(data[CONFIG.dist_th_tp], CONFIG.min_recall, metric)
            metrics.add_label_tp(name, metric, np.nan if metric in unscored.get(name, []) else error)
    ap = [[metrics.get_label_ap(name, d) for d in CONFIG.dist_ths] for name in CLASSES]
    order = ["trans_err", "scale_err", "orient_err", "vel_err"]
    errors = [[metrics.get_label_tp(name, metric) for metric in order] for name in CLASSES]
    return np.array(ap), np.array(errors), [metrics.mean_ap, metrics.nd_score]


def main() -> None:
    rng = np.random.default_rng(12)
    frames, counts, boxes, aps, errors, scores = [], [], [], [], [], []
    for number in range(CASES):
        count, rows = random_case(rng, number)
        ap, error, score = devkit_metrics(count, rows)
        frames.append(count)
        counts.append(len(rows))
        boxes += rows
        aps.append(ap)
        errors.append(error)
        scores.append(score)
    # Column by column, which compresses better.
    np.savez_compressed(
        Path(__file__).with_suffix(".npz"),
        classes=np.array([list(name.encode().ljust(24)) for name in CLASSES], dtype=np.uint8),
        frames=np.array(frames, dtype=np.int16),
        rows=np.array(counts, dtype=np.int16),
        boxes=np.ascontiguousarray(np.array(boxes, dtype=np.int16).T),
        ap=np.round(np.array(aps), 9),
        errors=np.round(np.array(errors), 9),
        scores=np.array(scores),
    )


if __name__ == "__main__":
    main()
