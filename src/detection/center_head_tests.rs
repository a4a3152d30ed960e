//! Decoding of centre heads, beside a naive one.

use proptest::prelude::*;

use super::*;

/// A head on 8x6 cells of 1 m from (-4, -3), every box 4 x 2 x 1.5 m at z = 0.5, yaw 0.
struct Owned {
    heatmap: Vec<f32>,
    offset: Vec<f32>,
    height: Vec<f32>,
    size: Vec<f32>,
    rotation: Vec<f32>,
    classes: usize,
}

const ROWS: usize = 8;
const COLS: usize = 6;
const PLANE: usize = ROWS * COLS;

impl Owned {
    fn new(classes: usize) -> Self {
        let planes = |values: &[f32]| values.iter().flat_map(|v| [*v; PLANE]).collect::<Vec<_>>();
        Self {
            heatmap: vec![0.0; classes * PLANE],
            offset: planes(&[0.5, 0.5]),
            height: planes(&[0.5]),
            size: planes(&[4.0, 2.0, 1.5]),
            rotation: planes(&[0.0, 1.0]),
            classes,
        }
    }

    fn head(&self) -> CenterHead<'_> {
        CenterHead {
            heatmap: &self.heatmap,
            offset: &self.offset,
            height: &self.height,
            size: &self.size,
            rotation: &self.rotation,
            rows: ROWS,
            cols: COLS,
            classes: self.classes,
            ground: None,
        }
    }

    fn decode(&self, threshold: f32, max: usize, radius: f32) -> Result<Vec<Detection3d>, DetectionError> {
        let grid = BevGrid::new([-4.0, -3.0, -2.0, 4.0, 3.0, 2.0], [0.5, 0.5]).unwrap();
        let radii = vec![radius; self.classes];
        let config =
            DecodeConfig { score_threshold: threshold, max_detections: max, suppression_radius_m: &radii };
        let mut detections = Vec::new();
        decode_centers(&self.head(), &grid, &config, &mut DecodeScratch::default(), &mut detections)?;
        Ok(detections)
    }
}

#[test]
fn a_peak_becomes_the_box_it_describes() {
    let mut owned = Owned::new(2);
    let cell = 3 * COLS + 4;
    owned.heatmap[PLANE + cell] = 0.8;
    owned.offset[cell] = 0.25;
    owned.offset[PLANE + cell] = 1.5;
    owned.rotation[cell] = 2.0;
    owned.rotation[PLANE + cell] = 0.0;
    owned.size[PLANE + cell] = -1.0;
    let detections = owned.decode(0.05, 500, 0.0).unwrap();
    assert_eq!(detections.len(), 1);
    let Detection3d { box3d, class, score } = detections[0];
    assert_eq!((class, score), (1, 0.8));
    assert_eq!(box3d.center, Point3::new(-4.0 + 3.25, -3.0 + 5.5, 0.5));
    assert_eq!(box3d.size, Vector3::new(4.0, f64::from(MIN_EDGE_M), 1.5));
    assert!((box3d.yaw - std::f64::consts::FRAC_PI_2).abs() < 1e-12);
}

#[test]
fn a_plateau_yields_its_first_cell() {
    let mut owned = Owned::new(1);
    for cell in [7, 8, 13, 14] {
        owned.heatmap[cell] = 0.6;
    }
    let detections = owned.decode(0.05, 500, 0.0).unwrap();
    assert_eq!(detections.len(), 1);
    assert_eq!(detections[0].box3d.center.xy(), nalgebra::Point2::new(-4.0 + 1.5, -3.0 + 1.5));
}

#[test]
fn values_that_are_not_finite_are_named() {
    let mut owned = Owned::new(2);
    owned.heatmap[PLANE + 9] = f32::NAN;
    let message = owned.decode(0.05, 500, 0.0).unwrap_err().to_string();
    assert!(message.contains("'heatmap'") && message.contains("channel 1 at row 1, column 3"), "{message}");

    for tensor in [HeadTensor::Offset, HeadTensor::Height, HeadTensor::Size, HeadTensor::Rotation] {
        let mut owned = Owned::new(1);
        owned.heatmap[20] = 0.9;
        match tensor {
            HeadTensor::Offset => owned.offset[20] = f32::INFINITY,
            HeadTensor::Height => owned.height[20] = f32::NAN,
            HeadTensor::Size => owned.size[2 * PLANE + 20] = f32::INFINITY,
            _ => owned.rotation[PLANE + 20] = f32::NEG_INFINITY,
        }
        match owned.decode(0.05, 500, 0.0) {
            Err(DetectionError::NonFinite { tensor: found, row: 3, col: 2, .. }) => {
                assert_eq!(found, tensor);
            }
            other => panic!("{tensor}: {other:?}"),
        }
    }
}

#[test]
fn logits_are_told_from_probabilities() {
    let mut owned = Owned::new(1);
    owned.heatmap[3] = -4.0;
    assert!(matches!(owned.decode(0.05, 500, 0.0), Err(DetectionError::NotProbability { col: 3, .. })));
    owned.heatmap[3] = 1.0005;
    assert_eq!(owned.decode(0.05, 500, 0.0).unwrap()[0].score, 1.0);
}

#[test]
fn shapes_and_settings_that_do_not_fit_are_refused() {
    let mut owned = Owned::new(1);
    assert!(matches!(owned.decode(f32::NAN, 500, 0.0), Err(DetectionError::Config { .. })));
    assert!(matches!(owned.decode(0.05, 500, f32::NAN), Err(DetectionError::Config { .. })));
    owned.size.pop();
    assert!(matches!(
        owned.decode(0.05, 500, 0.0),
        Err(DetectionError::TensorLength { tensor: HeadTensor::Size, expected: 144, found: 143 })
    ));
}

/// Peaks by literal reading of the rule, then suppression by repeated selection of the best.
fn naive(owned: &Owned, threshold: f32, max: usize, radius: f64) -> Vec<(f32, u16, f64, f64)> {
    let mut peaks = Vec::new();
    for class in 0..owned.classes {
        let at = |row: i64, col: i64| {
            let inside = (0..ROWS as i64).contains(&row) && (0..COLS as i64).contains(&col);
            inside.then(|| owned.heatmap[class * PLANE + row as usize * COLS + col as usize])
        };
        for row in 0..ROWS as i64 {
            for col in 0..COLS as i64 {
                let score = at(row, col).unwrap();
                let beaten = (-1..=1).flat_map(|dr| (-1..=1).map(move |dc| (dr, dc))).any(|(dr, dc)| {
                    at(row + dr, col + dc)
                        .is_some_and(|other| other > score || (other == score && (dr, dc) < (0, 0)))
                });
                if score >= threshold && !beaten {
                    let cell = row as usize * COLS + col as usize;
                    let x = -4.0 + row as f64 + f64::from(owned.offset[cell]);
                    let y = -3.0 + col as f64 + f64::from(owned.offset[PLANE + cell]);
                    peaks.push((score, class as u16, x, y));
                }
            }
        }
    }
    let mut kept: Vec<(f32, u16, f64, f64)> = Vec::new();
    while kept.len() < max && !peaks.is_empty() {
        // Peaks are in (class, cell) order, so the first of equals is the right one.
        let best = (0..peaks.len()).rev().max_by(|a, b| peaks[*a].0.total_cmp(&peaks[*b].0)).unwrap();
        let best = peaks.remove(best);
        peaks.retain(|p| p.1 != best.1 || (p.2 - best.2).hypot(p.3 - best.3) > radius);
        kept.push(best);
    }
    kept
}

proptest! {
    #[test]
    fn agrees_with_a_naive_decoder(
        heatmap in prop::collection::vec(0u8..8, 2 * PLANE),
        offset in prop::collection::vec(0.0f32..1.0, 2 * PLANE),
        threshold in 0.0f32..0.9,
        max in 0usize..12,
        radius in 0.0f32..4.0,
    ) {
        let mut owned = Owned::new(2);
        owned.heatmap = heatmap.iter().map(|v| f32::from(*v) / 8.0).collect();
        owned.offset = offset;
        let found: Vec<_> = owned.decode(threshold, max, radius).unwrap().iter()
            .map(|d| (d.score, d.class, d.box3d.center.x, d.box3d.center.y)).collect();
        let expected = naive(&owned, threshold, max, f64::from(radius));
        prop_assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(&expected) {
            prop_assert_eq!((found.0, found.1), (expected.0, expected.1));
            prop_assert!((found.2 - expected.2).abs() < 1e-9 && (found.3 - expected.3).abs() < 1e-9);
        }
    }
}
