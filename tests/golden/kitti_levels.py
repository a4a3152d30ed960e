"""Expected KITTI average precision by difficulty of random scenes, in numpy, and where their boxes are in the image.

Written from the rules that KITTI's development kit states in `evaluate_object.cpp`: what is ignored at a level, how
truth boxes choose detections, at which scores precision is sampled.

Writes kitti_levels.npz next to this file. A box is a row of `boxes`: frame, kind (truth: place in KINDS; detection:
place in CLASSES), x, y, z, length, width, height (cm), yaw (mrad), score (1/1000, -1 = truth), and of truth its
height in the image as labelled (1/10 px), occlusion and truncation (1/100). Its case is the one whose `rows` it is
among. `camera` is width, height, fx, fy, cx, cy; it looks along x from `camera_position` (m). Expected are `image`:
left, top, right, bottom of each box in the image, -1 where it is not in it; and `ap`: (case, class, level, from above
or in 3D), -1 where nothing of the truth counts.

    python tests/golden/kitti_levels.py
"""

from pathlib import Path

import numpy as np
from overlap_metrics import overlaps

CASES = 60
KINDS = ["Car", "Van", "Pedestrian", "Person_sitting", "Cyclist", "Truck"]
CLASSES = ["car", "pedestrian", "bicycle", "truck"]
EVALUATED = [("Car", "Van", 0.7), ("Pedestrian", "Person_sitting", 0.5), ("Cyclist", None, 0.5)]
LEVELS = [(40, 0, 0.15), (25, 1, 0.30), (25, 2, 0.50)]
SIZES = {
    "Car": (390, 160, 150),
    "Van": (500, 190, 220),
    "Pedestrian": (80, 60, 175),
    "Person_sitting": (80, 60, 125),
    "Cyclist": (175, 60, 172),
    "Truck": (900, 260, 320),
}
CLASS_OF = {"Car": 0, "Van": 0, "Pedestrian": 1, "Person_sitting": 1, "Cyclist": 2, "Truck": 3}
CAMERA = (1242, 375, 721.5, 721.5, 609.6, 172.9)
CAMERA_POSITION = (0.27, 0.06, -0.08)
NEAR = 0.01


def image_box(box: dict) -> tuple:
    """The rectangle about the part of a box before the camera, in the image; None outside."""
    width, height, fx, fy, cx, cy = CAMERA
    signs = np.array(np.meshgrid([-1, 1], [-1, 1], [-1, 1], indexing="ij")).reshape(3, 8).T
    c, s = np.cos(box["yaw"]), np.sin(box["yaw"])
    world = (signs * box["size"] / 2) @ np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]]) + box["center"]
    seen = (world - CAMERA_POSITION) @ np.array([[0, 0, 1], [-1, 0, 0], [0, -1, 0]])
    points = list(seen[seen[:, 2] >= NEAR])
    for i in range(8):
        for j in range(i):
            # Corners of an edge differ in one sign.
            if (signs[i] != signs[j]).sum() == 1 and (seen[i, 2] < NEAR) != (seen[j, 2] < NEAR):
                points.append(seen[i] + (NEAR - seen[i, 2]) / (seen[j, 2] - seen[i, 2]) * (seen[j] - seen[i]))
    if not points:
        return None
    x, y, z = np.array(points).T
    u, v = np.clip(fx * x / z + cx, 0, width - 1), np.clip(fy * y / z + cy, 0, height - 1)
    found = (u.min(), v.min(), u.max(), v.max())
    return found if found[0] < found[2] and found[1] < found[3] else None


def roles(frame: dict, kind: int, level: int) -> tuple[list, list]:
    """Of truth and detections: 0 counts, 1 is ignored, None is not looked at."""
    name, neighbour, _ = EVALUATED[kind]
    least_height, most_occluded, most_truncated = LEVELS[level]
    of_truth = []
    for truth in frame["truth"]:
        hard = (
            truth["height_px"] < least_height
            or truth["occluded"] > most_occluded
            or truth["truncated"] > most_truncated
        )
        if truth["kind"] == name:
            of_truth.append(1 if hard else 0)
        else:
            of_truth.append(1 if truth["kind"] == neighbour else None)
    of_detections = []
    for detection in frame["detections"]:
        if detection["image"] is None:
            of_detections.append(None)
        elif detection["image"][3] - detection["image"][1] < least_height:
            of_detections.append(1)
        else:
            of_detections.append(0 if detection["class"] == kind else None)
    return of_truth, of_detections


def choose(frame: dict, which: int, least: float, given: tuple, threshold) -> tuple[list, int]:
    """Scores of the right detections, and how many are wrong. Without a threshold the surest is chosen."""
    of_truth, of_detections = given
    scores = [detection["score"] for detection in frame["detections"]]
    free = [role is not None and (threshold is None or s >= threshold) for role, s in zip(of_detections, scores)]
    counted = [f and role == 0 for f, role in zip(free, of_detections)]
    right = []
    for i, role in enumerate(of_truth):
        if role is None:
            continue
        candidates = [j for j in range(len(scores)) if free[j] and frame["overlaps"][i, j, which] > least]
        if not candidates:
            continue
        if threshold is None:
            best = max(candidates, key=lambda j: (scores[j], -j))
        else:
            usual = [j for j in candidates if of_detections[j] == 0]
            best = max(usual, key=lambda j: (frame["overlaps"][i, j, which], -j)) if usual else candidates[0]
        free[best] = counted[best] = False
        if role == 0 and of_detections[best] == 0:
            right.append(scores[best])
    return right, sum(counted)


def average_precision(frames: list, kind: int, level: int, which: int) -> float:
    least = EVALUATED[kind][2]
    given = [roles(frame, kind, level) for frame in frames]
    total = sum(of_truth.count(0) for of_truth, _ in given)
    if total == 0:
        return -1.0
    scores = sorted((s for f, g in zip(frames, given) for s in choose(f, which, least, g, None)[0]), reverse=True)
    precision, wanted = np.zeros(41), 0.0
    sample = 0
    for i, score in enumerate(scores):
        here = (i + 1) / total
        ahead = (i + 2) / total if i + 1 < len(scores) else here
        if i + 1 < len(scores) and ahead - wanted < wanted - here:
            continue
        found = [choose(f, which, least, g, score) for f, g in zip(frames, given)]
        right, wrong = sum(len(r) for r, _ in found), sum(w for _, w in found)
        precision[sample] = right / (right + wrong) if right + wrong else 0.0
        sample += 1
        wanted += 1 / 40
    return float(np.mean([precision[k:].max() for k in range(1, 41)]))


def box(row: list) -> dict:
    read = {
        "center": np.array(row[2:5]) / 100,
        "size": np.array(row[5:8]) / 100,
        "yaw": row[8] / 1000,
    }
    read["image"] = image_box(read)
    if row[9] < 0:
        return read | {
            "kind": KINDS[row[1]],
            "height_px": row[10] / 10,
            "occluded": row[11],
            "truncated": row[12] / 100,
        }
    return read | {"class": row[1], "score": row[9] / 1000}


def random_case(rng: np.random.Generator, number: int) -> list:
    rows = []
    for frame in range(int(rng.integers(20, 30) if number % 6 == 0 else rng.integers(1, 5))):
        truth = []
        for _ in range(int(rng.integers(0, 10))):
            kind = int(rng.choice(6, p=[0.4, 0.12, 0.22, 0.08, 0.13, 0.05]))
            size = (np.array(SIZES[KINDS[kind]]) * rng.uniform(0.9, 1.1, 3)).astype(int).tolist()
            x = int(rng.uniform(400, 5500))
            position = [x, int(x * rng.uniform(-0.8, 0.8)), int(rng.integers(-100, -70))]
            if truth and rng.random() < 0.2:
                # On the one before, so that one detection may fit both.
                position = [truth[-1][2] + int(rng.integers(-25, 25)), truth[-1][3] + int(rng.integers(-15, 15)), -80]
            row = [frame, kind, *position, *size, int(rng.integers(-3142, 3142)), -1]
            seen = image_box({"center": np.array(position) / 100, "size": np.array(size) / 100, "yaw": row[8] / 1000})
            height = 0.0 if seen is None else (seen[3] - seen[1]) * rng.uniform(0.9, 1.1)
            occluded, truncated = int(rng.choice(4, p=[0.5, 0.25, 0.2, 0.05])), int(rng.choice([0, 0, 0, 10, 25, 45, 80]))
            truth.append([*row, int(height * 10), occluded, truncated])
        detections = []
        for row in truth:
            for _ in range(int(rng.choice([0, 1, 1, 1, 2]))):
                spread = 9 if CLASS_OF[KINDS[row[1]]] == 0 else 4
                copy = list(row)
                copy[1] = CLASS_OF[KINDS[row[1]]] if rng.random() < 0.85 else int(rng.integers(0, 4))
                copy[2:5] = (np.array(row[2:5]) + rng.normal(0, spread, 3)).astype(int).tolist()
                copy[5:8] = np.maximum(10, np.array(row[5:8]) * rng.normal(1, 0.04, 3)).astype(int).tolist()
                copy[8] = int(row[8] + rng.normal(0, 50))
                copy[9] = int(rng.integers(50, 1001)) if number % 3 else int(rng.choice([200, 500, 800]))
                detections.append([*copy[:10], 0, 0, 0])
        for _ in range(int(rng.integers(0, 5))):
            # Anywhere, behind and beside the camera too.
            place = rng.integers(-2500, 5000, 2).tolist()
            row = [frame, int(rng.integers(0, 4)), *place, -80, 390, 160, 150, int(rng.integers(-3142, 3142))]
            detections.append([*row, int(rng.integers(20, 900)), 0, 0, 0])
        rng.shuffle(detections)
        rows += truth + detections
    return rows


def main() -> None:
    rng = np.random.default_rng(2012)
    counts, boxes, images, results = [], [], [], []
    for number in range(CASES):
        rows = random_case(rng, number)
        counts.append(len(rows))
        boxes += rows
        read = [box(row) for row in rows]
        images += [(-1.0,) * 4 if of["image"] is None else of["image"] for of in read]
        frames = []
        for frame in range(max((row[0] for row in rows), default=-1) + 1):
            of = [(row, found) for row, found in zip(rows, read) if row[0] == frame]
            truth = [found for row, found in of if row[9] < 0]
            detections = [found for row, found in of if row[9] >= 0]
            pairs = np.array([[overlaps(t, d) for d in detections] for t in truth])
            pairs = pairs.reshape(len(truth), len(detections), 2)
            frames.append({"truth": truth, "detections": detections, "overlaps": pairs})
        results.append(
            [
                [[average_precision(frames, kind, level, which) for which in range(2)] for level in range(3)]
                for kind in range(3)
            ]
        )
    np.savez_compressed(
        Path(__file__).with_suffix(".npz"),
        rows=np.array(counts, dtype=np.int16),
        boxes=np.ascontiguousarray(np.array(boxes, dtype=np.int16).T),
        image=np.array(images, dtype=np.float32),
        ap=np.array(results),
        camera=np.array(CAMERA, dtype=np.float64),
        camera_position=np.array(CAMERA_POSITION),
    )


if __name__ == "__main__":
    main()
