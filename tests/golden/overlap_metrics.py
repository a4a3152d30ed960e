"""Expected KITTI (40 recall points) and Waymo (heading-weighted) average precision of random boxes, in numpy.

Written from the published procedures, with another polygon intersection than the library's: corners inside the
other box and crossings of edges, sorted about their middle.

Writes overlap_metrics.npz next to this file. A box is a row of `boxes`: frame, class (0 car, 1 pedestrian), x, y, z,
length, width, height (cm), yaw (mrad), score (1/1000, -1 = truth); its case is the one whose `rows` it is
among. Expected is `ap`: (case, class, KITTI from above, KITTI 3D, both as the devkit, Waymo AP, Waymo APH), -1
without truth.

    python tests/golden/overlap_metrics.py
"""

from pathlib import Path

import numpy as np

CASES = 60
IOU = [0.7, 0.5]


def corners(box: dict) -> np.ndarray:
    c, s = np.cos(box["yaw"]), np.sin(box["yaw"])
    l, w = box["size"][0] / 2, box["size"][1] / 2
    local = np.array([[l, w], [-l, w], [-l, -w], [l, -w]])
    return local @ np.array([[c, s], [-s, c]]) + box["center"][:2]


def inside(points: np.ndarray, box: dict) -> np.ndarray:
    c, s = np.cos(box["yaw"]), np.sin(box["yaw"])
    local = (points - box["center"][:2]) @ np.array([[c, -s], [s, c]])
    return (np.abs(local) <= box["size"][:2] / 2 + 1e-12).all(1)


def crossings(a: np.ndarray, b: np.ndarray) -> list[np.ndarray]:
    found = []
    for p, q in zip(a, np.roll(a, -1, 0)):
        for r, t in zip(b, np.roll(b, -1, 0)):
            matrix = np.array([q - p, r - t]).T
            if abs(np.linalg.det(matrix)) < 1e-12:
                continue
            u, v = np.linalg.solve(matrix, r - p)
            if 0 <= u <= 1 and 0 <= v <= 1:
                found.append(p + u * (q - p))
    return found


def overlaps(a: dict, b: dict) -> tuple[float, float]:
    """Intersection over union from above and in 3D."""
    ca, cb = corners(a), corners(b)
    points = np.array([*ca[inside(ca, b)], *cb[inside(cb, a)], *crossings(ca, cb)])
    area = 0.0
    if len(points) >= 3:
        around = points - points.mean(0)
        x, y = around[np.argsort(np.arctan2(around[:, 1], around[:, 0]))].T
        area = 0.5 * abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))
    low = max(a["center"][2] - a["size"][2] / 2, b["center"][2] - b["size"][2] / 2)
    high = min(a["center"][2] + a["size"][2] / 2, b["center"][2] + b["size"][2] / 2)
    volume = area * max(0.0, high - low)
    areas = a["size"][:2].prod() + b["size"][:2].prod()
    volumes = a["size"].prod() + b["size"].prod()
    return area / (areas - area), volume / (volumes - volume)


def kitti_devkit(frames: list, which: int, minimum: float) -> float:
    """Frames of (truth, detections, overlaps[which] as truth × detections)."""
    total = sum(len(truth) for truth, _, _ in frames)
    if total == 0:
        return -1.0
    scores = []
    for _, detections, overlap in frames:
        free = np.ones(len(detections), bool)
        for row in overlap[which]:
            candidates = [j for j in range(len(detections)) if free[j] and row[j] > minimum]
            if candidates:
                best = max(candidates, key=lambda j: (detections[j]["score"], -j))
                free[best] = False
                scores.append(detections[best]["score"])
    scores = sorted(scores, reverse=True)
    thresholds, wanted = [], 0.0
    for i, score in enumerate(scores):
        here = (i + 1) / total
        ahead = (i + 2) / total if i + 1 < len(scores) else here
        if i + 1 < len(scores) and ahead - wanted < wanted - here:
            continue
        thresholds.append(score)
        wanted += 1 / 40
    precision = np.zeros(41)
    for k, threshold in enumerate(thresholds):
        hits = counted = 0
        for _, detections, overlap in frames:
            sure = np.array([d["score"] >= threshold for d in detections], bool)
            counted += sure.sum()
            free = sure.copy()
            for row in overlap[which]:
                candidates = [j for j in range(len(detections)) if free[j] and row[j] > minimum]
                if candidates:
                    free[max(candidates, key=lambda j: (row[j], -j))] = False
                    hits += 1
        precision[k] = hits / counted
    return float(np.mean([precision[k:].max() for k in range(1, 41)]))


def ranked_hits(frames: list, which: int, minimum: float) -> list:
    """Score of each detection, falling, and 1 - heading error / pi if it found something, else None."""
    ranked = [(d["score"], f, j) for f, (_, dets, _) in enumerate(frames) for j, d in enumerate(dets)]
    ranked.sort(reverse=True)
    taken, hits = set(), []
    for score, f, j in ranked:
        truth, detections, overlap = frames[f]
        column = overlap[which][:, j]
        candidates = [i for i in range(len(truth)) if (f, i) not in taken and column[i] > minimum]
        weight = None
        if candidates:
            best = max(candidates, key=lambda i: (column[i], -i))
            taken.add((f, best))
            turned = abs(np.angle(np.exp(1j * (truth[best]["yaw"] - detections[j]["yaw"]))))
            weight = 1 - turned / np.pi
        hits.append((score, weight))
    return hits


def curve(hits: list, total: int, value) -> list:
    """(recall, precision) at each score there is."""
    points = []
    for cut in sorted({score for score, _ in hits}, reverse=True):
        kept = [weight for score, weight in hits if score >= cut]
        gained = sum(value(weight) for weight in kept)
        points.append((gained / total, gained / len(kept)))
    return points


def kitti(frames: list, which: int, minimum: float) -> float:
    """Mean over the recalls 1/40 ... 1 of the best precision at that recall or a higher one."""
    total = sum(len(truth) for truth, _, _ in frames)
    if total == 0:
        return -1.0
    points = curve(ranked_hits(frames, which, minimum), total, lambda w: float(w is not None))
    best = lambda recall: max((p for r, p in points if r >= recall - 1e-12), default=0.0)
    return float(np.mean([best(k / 40) for k in range(1, 41)]))


def waymo(frames: list, minimum: float) -> tuple[float, float]:
    total = sum(len(truth) for truth, _, _ in frames)
    if total == 0:
        return -1.0, -1.0
    hits = ranked_hits(frames, 1, minimum)
    results = []
    for value in (lambda w: float(w is not None), lambda w: w or 0.0):
        points = curve(hits, total, value)
        area, before = 0.0, 0.0
        for k, (recall, _) in enumerate(points):
            area += (recall - before) * max(p for _, p in points[k:])
            before = recall
        results.append(area)
    return tuple(results)


def random_case(rng: np.random.Generator, number: int) -> list[list[int]]:
    rows = []
    for frame in range(int(rng.integers(1, 12 if number % 10 == 9 else 4))):
        truth = []
        for _ in range(int(rng.integers(0, 6))):
            kind = int(rng.integers(0, 2)) if number % 6 else 0
            size = [440, 180, 150] if kind == 0 else [70, 65, 175]
            size = (np.array(size) * rng.uniform(0.85, 1.15, 3)).astype(int).tolist()
            position = rng.integers(-1500, 1500, 2).tolist()
            if truth and rng.random() < 0.25:
                # Close to the one before, so that one detection may fit both.
                position = [truth[-1][2] + int(rng.integers(-40, 40)), truth[-1][3] + int(rng.integers(-30, 30))]
            truth.append([frame, kind, *position, int(rng.integers(-20, 20)), *size, int(rng.integers(-3142, 3142)), -1])
        detections = []
        for row in truth:
            for _ in range(int(rng.choice([0, 1, 1, 1, 2]))):
                spread = 22 if row[1] == 0 else 9
                copy = list(row)
                copy[2:5] = (np.array(row[2:5]) + rng.normal(0, spread, 3)).astype(int).tolist()
                copy[5:8] = np.maximum(10, np.array(row[5:8]) * rng.normal(1, 0.05, 3)).astype(int).tolist()
                copy[8] = int(row[8] + rng.normal(0, 60) + rng.choice([0, 0, 0, 3142, 1571 if row[1] else 0]))
                copy[9] = int(rng.integers(50, 1001)) if number % 3 else int(rng.choice([200, 500, 800]))
                detections.append(copy)
        for _ in range(int(rng.integers(0, 3))):
            row = [frame, int(rng.integers(0, 2)), *rng.integers(-1500, 1500, 2).tolist(), 0, 300, 150, 150, 0]
            detections.append([*row, int(rng.integers(20, 800))])
        rng.shuffle(detections)
        rows += truth + detections
    return rows


def box(row: list[int]) -> dict:
    return {
        "center": np.array(row[2:5]) / 100,
        "size": np.array(row[5:8]) / 100,
        "yaw": row[8] / 1000,
        "score": row[9] / 1000,
    }


def main() -> None:
    rng = np.random.default_rng(40)
    counts, boxes, results = [], [], []
    for number in range(CASES):
        rows = random_case(rng, number)
        counts.append(len(rows))
        boxes += rows
        result = []
        for kind in range(2):
            frames = []
            for frame in range(max((row[0] for row in rows), default=-1) + 1):
                of = [row for row in rows if row[0] == frame and row[1] == kind]
                truth = [box(row) for row in of if row[9] < 0]
                detections = [box(row) for row in of if row[9] >= 0]
                pairs = np.array([[overlaps(t, d) for d in detections] for t in truth])
                pairs = pairs.reshape(len(truth), len(detections), 2)
                frames.append((truth, detections, [pairs[..., 0], pairs[..., 1]]))
            minimum = IOU[kind]
            result.append(
                [
                    *(kitti(frames, which, minimum) for which in range(2)),
                    *(kitti_devkit(frames, which, minimum) for which in range(2)),
                    *waymo(frames, minimum),
                ]
            )
        results.append(result)
    np.savez_compressed(
        Path(__file__).with_suffix(".npz"),
        rows=np.array(counts, dtype=np.int16),
        boxes=np.ascontiguousarray(np.array(boxes, dtype=np.int16).T),
        ap=np.array(results),
    )


if __name__ == "__main__":
    main()
