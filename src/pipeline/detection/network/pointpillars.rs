//! `PointPillars` in one file, as `OpenPCDet` and `mmdeploy` export it: pillars in, anchors out.

use super::pillar_input::{FEATURES, PillarInput};
use super::{DecodeLimits, NetworkError, NetworkSource, SweepCounts, SweepLimits, suppression_steps};
use crate::detection::{
    AnchorHead, AnchorPlacement, Anchors, BevGrid, ChannelOrder, Detection3d, DirectionBins, RankedPlaces,
    SuppressionStep, decode_anchors, suppress_boxes,
};
use crate::inference::{AnchorSettings, Dimension, Manifest, ModelSession, Placement, TensorSpec};
use crate::pipeline::FrameError;
use crate::sensor::LidarPoint;

/// Role of the number of points of each pillar.
const COUNTS: &str = "counts";
/// Role of the cells of the pillars: `(batch, z, y, x)` or `(z, y, x)`.
const COORDS: &str = "coords";

/// How the head's tensors are laid out.
#[derive(Clone, Copy)]
struct HeadShape {
    order: ChannelOrder,
    /// Cells along y
    rows: usize,
    /// Cells along x
    cols: usize,
}

impl HeadShape {
    /// The shape of a tensor with so many channels.
    const fn of(self, channels: usize) -> [usize; 4] {
        match self.order {
            ChannelOrder::First => [1, channels, self.rows, self.cols],
            ChannelOrder::Last => [1, self.rows, self.cols, channels],
        }
    }
}

/// One session between pillars and anchors.
pub(in crate::pipeline::detection) struct PointPillarsNetwork {
    input: PillarInput,
    session: ModelSession,
    /// Columns of the cells' tensor
    coord_columns: usize,
    counts: Vec<i32>,
    coords: Vec<i32>,
    anchors: Anchors,
    classes: usize,
    head: HeadShape,
    steps: Vec<SuppressionStep>,
    ranked: RankedPlaces,
}

impl PointPillarsNetwork {
    pub(super) fn load(source: &NetworkSource<'_>) -> Result<Self, NetworkError> {
        let refuse = |reason: String| NetworkError::Interface(reason);
        let manifest = source.manifest();
        if manifest.encoder.is_some() {
            return Err(refuse("interface pointpillars: expected no section encoder, found one".to_owned()));
        }
        let Some(settings) = &source.settings.anchors else {
            return Err(refuse("expected detection.anchors, found none".to_owned()));
        };
        let anchors = anchors(settings);
        anchors.check().map_err(|error| refuse(format!("detection.anchors: {error}")))?;
        let input = PillarInput::new(source, &manifest.inputs)?;
        let coord_columns = check_inputs(manifest, input.rows()).map_err(refuse)?;
        let classes = source.classes.len();
        let head = check_outputs(manifest, input.grid(), &anchors, classes, source.settings.stride)
            .map_err(refuse)?;
        let capacity = input.pillars().capacity();
        Ok(Self {
            input,
            session: ModelSession::open(source.folder, source.options)?,
            coord_columns,
            counts: Vec::with_capacity(capacity),
            coords: Vec::with_capacity(capacity * coord_columns),
            anchors,
            classes,
            head,
            steps: suppression_steps(source.settings),
            ranked: RankedPlaces::default(),
        })
    }

    pub(super) fn prepare(
        &mut self,
        points: impl IntoIterator<Item = LidarPoint>,
        limits: SweepLimits,
    ) -> Result<SweepCounts, FrameError> {
        let counts = self.input.prepare(points, limits, &mut self.session)?;
        let pillars = self.input.pillars();
        let cols = self.input.grid().cols();
        self.counts.clear();
        self.coords.clear();
        for &cell in pillars.cells() {
            self.counts.push(pillars.points(cell).len() as i32);
            let (x, y) = (cell as usize / cols, cell as usize % cols);
            let coords = [0, 0, y as i32, x as i32];
            self.coords.extend_from_slice(&coords[coords.len() - self.coord_columns..]);
        }
        if !pillars.cells().is_empty() {
            self.session.set_integers(COUNTS, &self.counts).map_err(FrameError::inference)?;
            self.session.set_integers(COORDS, &self.coords).map_err(FrameError::inference)?;
        }
        Ok(counts)
    }

    /// Without a pillar there is nothing to run: such networks divide by the number of points.
    pub(super) fn run(&mut self) -> Result<(), FrameError> {
        if self.input.pillars().cells().is_empty() {
            return Ok(());
        }
        self.session.run().map_err(FrameError::inference)
    }

    pub(super) fn decode(
        &mut self,
        limits: DecodeLimits,
        detections: &mut Vec<Detection3d>,
    ) -> Result<(), FrameError> {
        detections.clear();
        if self.input.pillars().cells().is_empty() {
            return Ok(());
        }
        let session = &self.session;
        let HeadShape { order, rows, cols } = self.head;
        let directions = if self.anchors.direction.is_some() { session.output("directions").1 } else { &[] };
        let head = AnchorHead {
            order,
            scores: session.output("scores").1,
            boxes: session.output("boxes").1,
            directions,
            rows,
            cols,
            classes: self.classes,
        };
        let (grid, anchors) = (self.input.grid(), &self.anchors);
        decode_anchors(&head, grid, anchors, limits.score_threshold, &mut self.ranked, detections)
            .map_err(FrameError::inference)?;
        suppress_boxes(detections, &self.steps, limits.max_detections);
        Ok(())
    }

    pub(super) fn session(&self) -> &ModelSession {
        &self.session
    }

    pub(super) fn active_share(&self) -> f64 {
        self.input.active_share()
    }
}

fn anchors(settings: &AnchorSettings) -> Anchors {
    Anchors {
        sizes_m: settings.sizes.clone(),
        bottoms_m: settings.bottoms.clone(),
        rotations_rad: settings.rotations.clone(),
        placement: match settings.placement {
            Placement::CellCenters => AnchorPlacement::CellCenters,
            Placement::RangeEnds => AnchorPlacement::RangeEnds,
        },
        direction: settings.direction.map(|direction| DirectionBins {
            bins: direction.bins,
            offset_rad: direction.offset,
            limit_offset: direction.limit_offset,
        }),
    }
}

/// Columns of the cells' tensor; fails unless there are features, counts and cells of the same rows alone.
fn check_inputs(manifest: &Manifest, rows: &str) -> Result<usize, String> {
    let shape = |role: &str| manifest.input(role).map(|tensor| tensor.shape.as_slice());
    let fits = |found: &Dimension| matches!(found, Dimension::Rows(found) if found == rows);
    let counted = match shape(COUNTS) {
        Some([found] | [found, Dimension::Fixed(1)]) => fits(found),
        _ => false,
    };
    let columns = match shape(COORDS) {
        Some([found, Dimension::Fixed(columns @ (3 | 4))]) if fits(found) => Some(*columns),
        _ => None,
    };
    match columns {
        Some(columns) if counted && manifest.inputs.len() == 3 => Ok(columns),
        _ => Err(format!(
            "expected inputs {FEATURES}, {COUNTS} [{rows}] and {COORDS} [{rows}, 4] (batch, z, y, x), found {:?}",
            manifest.inputs
        )),
    }
}

/// Layout of the head; fails unless the outputs fit grid, anchors and classes.
fn check_outputs(
    manifest: &Manifest,
    grid: &BevGrid,
    anchors: &Anchors,
    classes: usize,
    stride: u32,
) -> Result<HeadShape, String> {
    let scores = manifest.output("scores").and_then(TensorSpec::fixed_sizes);
    let channels = anchors.per_cell().saturating_mul(classes);
    let head = match scores.as_deref() {
        Some(&[1, found, rows, cols]) if found == channels => {
            HeadShape { order: ChannelOrder::First, rows, cols }
        }
        Some(&[1, rows, cols, found]) if found == channels => {
            HeadShape { order: ChannelOrder::Last, rows, cols }
        }
        _ => {
            return Err(format!(
                "expected output scores [1, {channels}, H, W] or [1, H, W, {channels}] ({} anchors of {classes} \
                 classes), found {scores:?}",
                anchors.per_cell()
            ));
        }
    };
    let found = grid.stride_of(head.cols, head.rows).map_err(|error| error.to_string())?;
    if u32::try_from(found) != Ok(stride) {
        return Err(format!("expected a head of the stride {stride} that the manifest says, found {found}"));
    }
    let bins = anchors.direction.map(|direction| ("directions", direction.bins));
    for (role, channels) in [("boxes", 7)].into_iter().chain(bins) {
        let shape = head.of(anchors.per_cell().saturating_mul(channels));
        let found = manifest.output(role).map(|tensor| &tensor.shape);
        if found.is_none_or(|found| *found != shape) {
            return Err(format!(
                "expected output {role} {shape:?} ({} anchors of {channels}), found {found:?}",
                anchors.per_cell()
            ));
        }
    }
    Ok(head)
}
