//! Codes, directions and places of anchors.

use std::f64::consts::{FRAC_PI_2, FRAC_PI_4, PI};

use super::*;

const ROWS: usize = 2;
const COLS: usize = 3;
const PLANE: usize = ROWS * COLS;

fn anchors() -> Anchors {
    Anchors {
        sizes_m: vec![[3.0, 4.0, 2.0], [0.8, 0.6, 1.7]],
        bottoms_m: vec![-1.5, -0.5],
        rotations_rad: vec![0.0, FRAC_PI_2 as f32],
        placement: AnchorPlacement::CellCenters,
        direction: Some(DirectionBins { bins: 2, offset_rad: 0.0, limit_offset: 0.0 }),
    }
}

/// Two classes, four anchors; nothing anywhere but what `change` writes to scores, boxes, directions.
fn decode(
    anchors: &Anchors,
    change: impl Fn(&mut [Vec<f32>; 3]),
) -> Result<Vec<Detection3d>, DetectionError> {
    let mut tensors = [vec![-9.0; 8 * PLANE], vec![0.0; 28 * PLANE], vec![0.0; 8 * PLANE]];
    change(&mut tensors);
    let [scores, boxes, directions] = &tensors;
    let order = ChannelOrder::First;
    let head = AnchorHead { order, scores, boxes, directions, rows: ROWS, cols: COLS, classes: 2 };
    let grid = BevGrid::new([0.0, -4.0, -3.0, 12.0, 4.0, 1.0], [1.0, 1.0]).unwrap();
    let mut detections = Vec::new();
    decode_anchors(&head, &grid, anchors, 0.3, &mut RankedPlaces::default(), &mut detections)?;
    Ok(detections)
}

#[test]
fn an_anchor_becomes_the_box_it_describes() {
    let cell = COLS + 2;
    let detections = decode(&anchors(), |[scores, boxes, directions]| {
        // Anchor 1: the first size, turned.
        scores[(2 + 1) * PLANE + cell] = 1.0;
        for (channel, value) in [0.2, -0.4, 0.5, 2.0_f32.ln(), 0.0, 0.5_f32.ln(), 0.1].into_iter().enumerate()
        {
            boxes[(CODE + channel) * PLANE + cell] = value;
        }
        directions[(2 + 1) * PLANE + cell] = 3.0;
    })
    .unwrap();
    let [Detection3d { box3d, class: 1, score }] = detections[..] else { panic!("{detections:?}") };
    assert!((score - 0.731_059).abs() < 1e-6, "{score}");
    // Cells of 4 m from (0, -4); the diagonal is 5.
    let center = Point3::new(10.0 + 0.2 * 5.0, 2.0 - 0.4 * 5.0, -1.5 + 1.0 + 0.5 * 2.0);
    assert!((box3d.center - center).norm() < 1e-6, "{}", box3d.center);
    assert!((box3d.size - Vector3::new(6.0, 4.0, 1.0)).norm() < 1e-6, "{}", box3d.size);
    // Half a turn further, in the second bin.
    assert!((box3d.yaw - (FRAC_PI_2 + 0.1 - PI)).abs() < 1e-6, "{}", box3d.yaw);
}

#[test]
fn the_direction_is_resolved_within_its_bin() {
    let turned = |offset_rad: f64, limit_offset, yaw, bin| {
        DirectionBins { bins: 2, offset_rad: offset_rad as f32, limit_offset }.resolve(yaw, bin)
    };
    assert!((turned(0.0, 0.0, -0.5, 0) - (PI - 0.5)).abs() < 1e-6);
    assert!((turned(0.0, 0.0, 0.5, 1) - (PI + 0.5)).abs() < 1e-6);
    assert!((turned(0.0, 0.5, -0.5, 0) + 0.5).abs() < 1e-6);
    assert!((turned(0.0, 1.0, 0.5, 0) - (0.5 - PI)).abs() < 1e-6);
    // The first bin goes from 45° to 225°.
    assert!((turned(FRAC_PI_4, 0.0, 0.5, 0) - (0.5 + PI)).abs() < 1e-6);
    assert!((turned(FRAC_PI_4, 0.0, 1.0, 0) - 1.0).abs() < 1e-6);
    let mut undirected = anchors();
    undirected.direction = None;
    let yaw = decode(&undirected, |[scores, boxes, directions]| {
        directions.clear();
        scores[0] = 1.0;
        boxes[6 * PLANE] = -0.5;
    });
    assert!((yaw.unwrap()[0].box3d.yaw + 0.5).abs() < 1e-6);
}

#[test]
fn anchors_are_in_the_middle_of_cells_or_reach_the_ends() {
    let positions = |placement: AnchorPlacement, count| {
        (0..count).map(|i| placement.at(0.0, 12.0, i, count)).collect::<Vec<_>>()
    };
    assert_eq!(positions(AnchorPlacement::CellCenters, 3), [2.0, 6.0, 10.0]);
    assert_eq!(positions(AnchorPlacement::RangeEnds, 3), [0.0, 6.0, 12.0]);
    assert_eq!(positions(AnchorPlacement::RangeEnds, 1), [0.0]);
}

#[test]
fn what_does_not_fit_is_refused() {
    let fine = |_: &mut [Vec<f32>; 3]| {};
    assert_eq!(decode(&anchors(), fine), Ok(Vec::new()));
    let changes: [fn(&mut Anchors); 6] = [
        |a| a.sizes_m.clear(),
        |a| a.sizes_m[0][1] = 0.0,
        |a| a.bottoms_m.truncate(1),
        |a| a.rotations_rad.clear(),
        |a| a.rotations_rad[0] = f32::NAN,
        |a| a.direction = Some(DirectionBins { bins: 0, offset_rad: 0.0, limit_offset: 0.0 }),
    ];
    for change in changes {
        let mut wrong = anchors();
        change(&mut wrong);
        assert!(matches!(decode(&wrong, fine), Err(DetectionError::Config { .. })), "{wrong:?}");
    }
    let message =
        decode(&anchors(), |[scores, ..]| scores[2 * PLANE + 4] = f32::NAN).unwrap_err().to_string();
    assert!(message.contains("'scores'") && message.contains("channel 2 at row 1, column 1"), "{message}");
    let short = decode(&anchors(), |[_, boxes, _]| boxes.truncate(3));
    let expected = 28 * PLANE;
    assert_eq!(short, Err(DetectionError::TensorLength { tensor: HeadTensor::Boxes, expected, found: 3 }));
}
