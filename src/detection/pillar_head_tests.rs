use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// 8 × 6 cells of 0.5 m from (-2, -1.5).
fn grid() -> BevGrid {
    BevGrid::new([-2.0, -1.5, -2.0, 2.0, 1.5, 2.0], [0.5, 0.5]).unwrap()
}

const GROUND: GroundPlane = GroundPlane([-1.0, 0.1, 0.0]);

/// Rows for pillars with scores of one class; every box 4 x 2 x 1.5 m, 0.75 m over the ground, a quarter pillar off.
struct Owned {
    coords: Vec<[i32; 2]>,
    heatmap: Vec<f32>,
    offset: Vec<f32>,
    height: Vec<f32>,
    size: Vec<f32>,
    rotation: Vec<f32>,
}

impl Owned {
    fn new(pillars: &[([i32; 2], f32)]) -> Self {
        let repeat = |values: &[f32]| pillars.iter().flat_map(|_| values.to_vec()).collect::<Vec<_>>();
        Self {
            coords: pillars.iter().map(|(place, _)| *place).collect(),
            heatmap: pillars.iter().map(|(_, score)| *score).collect(),
            offset: repeat(&[0.25, 0.0]),
            height: repeat(&[0.75]),
            size: repeat(&[4.0, 2.0, 1.5]),
            rotation: repeat(&[0.0, 1.0]),
        }
    }

    fn head(&self) -> PillarHead<'_> {
        PillarHead {
            coords: &self.coords,
            heatmap: &self.heatmap,
            offset: &self.offset,
            height: &self.height,
            size: &self.size,
            rotation: &self.rotation,
            classes: 1,
        }
    }

    fn decode(&self, threshold: f32, radius_m: f32) -> Result<Vec<Detection3d>, DetectionError> {
        let config = DecodeConfig {
            score_threshold: threshold,
            max_detections: 100,
            suppression_radius_m: &[radius_m],
        };
        let (mut decoder, mut detections) = (PillarDecoder::default(), Vec::new());
        decoder.decode(&self.head(), &grid(), &GROUND, &config, &mut detections)?;
        assert!(decoder.rows.iter().all(|row| *row == NONE), "nothing is left for the next frame");
        Ok(detections)
    }
}

#[test]
fn a_peak_becomes_the_box_it_describes() {
    let mut owned = Owned::new(&[([1, 1], 0.3), ([1, 2], 0.8), ([5, 4], 0.6)]);
    owned.rotation[2] = 2.0;
    owned.rotation[3] = 0.0;
    owned.size[4] = -1.0;
    let detections = owned.decode(0.05, 0.0).unwrap();
    assert_eq!(detections.iter().map(|d| d.score).collect::<Vec<_>>(), [0.8, 0.6]);
    let Detection3d { box3d, class, .. } = detections[0];
    let expected = Point3::new(-2.0 + 0.75 + 0.125, -1.5 + 1.25, -1.0 + 0.1 * (-2.0 + 0.75) + 0.75);
    assert!((box3d.center - expected).norm() < 1e-6, "{:?}", box3d.center);
    assert_eq!(box3d.size, Vector3::new(4.0, f64::from(MIN_EDGE_M), 1.5));
    assert!((box3d.yaw - std::f64::consts::FRAC_PI_2).abs() < 1e-12 && class == 0);
}

#[test]
fn what_is_not_active_suppresses_nothing() {
    // Two cells apart, nothing between them.
    let apart = Owned::new(&[([3, 1], 0.5), ([3, 3], 0.9)]);
    assert_eq!(apart.decode(0.05, 0.0).unwrap().len(), 2);
    assert_eq!(apart.decode(0.05, 1.0).unwrap().len(), 1);
    let even = Owned::new(&[([3, 1], 0.5), ([3, 2], 0.5)]);
    assert_eq!(even.decode(0.05, 0.0).unwrap().len(), 1);
    assert!(Owned::new(&[]).decode(0.05, 1.0).unwrap().is_empty());
}

#[test]
fn values_that_do_not_fit_are_named() {
    let pillars = [([1, 1], 0.3), ([4, 2], 0.8)];
    let mut owned = Owned::new(&pillars);
    owned.heatmap[1] = f32::NAN;
    assert!(matches!(
        owned.decode(0.05, 0.0),
        Err(DetectionError::NonFinite { tensor: HeadTensor::Heatmap, .. })
    ));
    owned.heatmap[1] = -3.0;
    assert!(matches!(owned.decode(0.05, 0.0), Err(DetectionError::NotProbability { .. })));
    let mut owned = Owned::new(&pillars);
    owned.size[5] = f32::INFINITY;
    let error = owned.decode(0.05, 0.0).unwrap_err();
    assert!(matches!(
        error,
        DetectionError::NonFinite { tensor: HeadTensor::Size, channel: 2, row: 4, col: 2, .. }
    ));
    let mut owned = Owned::new(&pillars);
    owned.height.pop();
    assert!(matches!(
        owned.decode(0.05, 0.0),
        Err(DetectionError::TensorLength { tensor: HeadTensor::Height, expected: 2, found: 1 })
    ));
    for outside in [[8, 0], [-1, 0], [0, 6]] {
        let owned = Owned::new(&[(outside, 0.5)]);
        assert!(matches!(owned.decode(0.05, 0.0), Err(DetectionError::Config { what: "pillar", .. })));
    }
}

proptest! {
    #[test]
    fn peaks_are_those_of_a_literal_search(
        scores in prop::collection::btree_map((0i32..8, 0i32..6), 0u8..5, 0..30)
    ) {
        let pillars: Vec<_> = scores.iter().map(|((i, j), score)| ([*i, *j], f32::from(*score) / 5.0)).collect();
        let found = Owned::new(&pillars).decode(0.1, 0.0).unwrap();
        let map: BTreeMap<_, _> = pillars.iter().map(|(place, score)| (*place, *score)).collect();
        let expected = map.iter().filter(|(place, score)| {
            let around = (-1..=1).flat_map(|i| (-1..=1).map(move |j| (i, j))).filter(|step| *step != (0, 0));
            **score >= 0.1 && around.into_iter().all(|(i, j)| {
                map.get(&[place[0] + i, place[1] + j]).is_none_or(|other| other < *score || (other == *score && (i, j) > (0, 0)))
            })
        });
        prop_assert_eq!(found.len(), expected.count());
    }
}
