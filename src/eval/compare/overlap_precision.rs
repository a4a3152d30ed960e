//! Average precision by overlap over frames that count several times, as KITTI (40 recall points) and Waymo have it.
//! What a detection found is a matter of its own frame, so it is found out once, whichever frames are drawn.

/// Recalls of KITTI at which precision is taken, beside 0.
const RECALL_STEPS: u64 = 40;

/// Average precision by overlap.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct OverlapPrecision {
    /// KITTI, seen from above.
    pub bev: f64,
    /// KITTI, in 3D.
    pub volume: f64,
    /// Waymo.
    pub ap: f64,
    /// Waymo, weighted by heading.
    pub aph: f64,
}

/// All detections down to one score, if that is one at which something is found: those below only lower precision.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct OverlapPoint {
    /// Truth boxes found, seen from above.
    pub bev: u64,
    /// Truth boxes found in 3D.
    pub volume: u64,
    /// The same, each counting 1 − |Δθ|/π.
    pub weighted: f64,
    /// How many detections there are.
    pub detections: u64,
}

/// The best precision so far, from the last recall on. Divides only where it rises.
#[derive(Clone, Copy, Debug, Default)]
struct Best(f64);

impl Best {
    fn raise(&mut self, found: f64, detections: u64) {
        let detections = detections as f64;
        if found > self.0 * detections {
            self.0 = found / detections;
        }
    }
}

/// Mean of the best precision at a recall or a higher one.
#[derive(Clone, Copy, Debug)]
struct Steps {
    /// The highest recall whose precision is not known yet, in fortieths.
    step: u64,
    best: Best,
    sum: f64,
}

impl Steps {
    fn new() -> Self {
        Self { step: RECALL_STEPS, best: Best::default(), sum: 0.0 }
    }

    fn pass(&mut self, found: u64, detections: u64, truth: u64) {
        while self.step > 0 && found * RECALL_STEPS < self.step * truth {
            self.sum += self.best.0;
            self.step -= 1;
        }
        self.best.raise(found as f64, detections);
    }

    fn finish(self) -> f64 {
        (self.sum + self.step as f64 * self.best.0) / RECALL_STEPS as f64
    }
}

/// Area under the best precision at a recall or a higher one.
#[derive(Clone, Copy, Debug, Default)]
struct Area {
    /// What was found at the point before, which is a higher recall.
    above: f64,
    best: Best,
    sum: f64,
}

impl Area {
    fn pass(&mut self, found: f64, detections: u64) {
        self.sum += (self.above - found) * self.best.0;
        self.best.raise(found, detections);
        self.above = found;
    }

    fn finish(self, truth: u64) -> f64 {
        (self.sum + self.above * self.best.0) / truth as f64
    }
}

/// From the points of a curve by falling score, among `truth` boxes, at least one.
pub(super) fn overlap_precision(points: &[OverlapPoint], truth: u64) -> OverlapPrecision {
    let (mut bev, mut volume) = (Steps::new(), Steps::new());
    let (mut ap, mut aph) = (Area::default(), Area::default());
    for point in points.iter().rev() {
        bev.pass(point.bev, point.detections, truth);
        volume.pass(point.volume, point.detections, truth);
        ap.pass(point.volume as f64, point.detections);
        aph.pass(point.weighted, point.detections);
    }
    OverlapPrecision {
        bev: bev.finish(),
        volume: volume.finish(),
        ap: ap.finish(truth),
        aph: aph.finish(truth),
    }
}
