//! The radar prior of networks that take footprints: where a return may be, and how much it weighs there.

use std::ops::RangeInclusive;

use super::error::{DepthError, check_length, check_range, pixel_count};
use super::prior::{PriorStats, pixel_of};
use crate::geometry::CameraModel;

/// Half axes of a footprint in standard deviations of the direction.
const REACH: f32 = 0.5;
/// Limits of the half axes, cells. A return covers at least the cell that it is in.
const HALF_AXIS: RangeInclusive<f32> = 0.5..=6.0;

/// A radar return in the optical frame of the camera.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PlacedReturn {
    /// x right, y down, z forward, metres.
    pub position: [f32; 3],
    /// Standard deviations of its direction across columns and across rows, radians; NaN counts as 0.
    pub direction_std: [f32; 2],
}

/// Draws returns into `out`: first the depth along the optical axis in metres, 0 where there is none, then
/// the weight of the return there.
///
/// A return covers an ellipse of half a standard deviation of its direction, and weighs one in all: a return
/// that may be anywhere says little about each place. Where footprints overlap the nearest wins. `camera` is
/// the model *at the size of the grid*; `out` has `2 × height × width` values and is overwritten. Depths
/// outside `range_m` are not drawn. The order of the returns does not matter.
pub fn draw_footprints(
    returns: impl IntoIterator<Item = PlacedReturn>,
    camera: &CameraModel,
    range_m: (f32, f32),
    out: &mut [f32],
) -> Result<PriorStats, DepthError> {
    let (width, height) = (camera.width as usize, camera.height as usize);
    let cells = pixel_count("prior", width, height)?;
    check_length("prior", 2 * cells, out.len())?;
    check_range("depth range of the prior", range_m.0, range_m.1)?;
    out.fill(0.0);
    let (depths, weights) = out.split_at_mut(cells);

    let mut stats = PriorStats::default();
    for PlacedReturn { position, direction_std } in returns {
        let z = position[2];
        if !position.iter().all(|v| v.is_finite()) {
            stats.not_finite += 1;
        } else if z <= 0.0 {
            stats.behind += 1;
        } else if z < range_m.0 || z > range_m.1 {
            stats.out_of_range += 1;
        } else if let Some((column, row)) = pixel_of(position, camera) {
            stats.drawn += 1;
            let ellipse = Ellipse::new(direction_std, camera);
            let weight = 1.0 / ellipse.cells() as f32;
            for (dy, reach) in ellipse.rows() {
                let Some(y) = row.checked_add_signed(dy).filter(|y| *y < height) else { continue };
                let columns =
                    y * width + column.saturating_sub(reach)..y * width + (column + reach + 1).min(width);
                for (depth, known) in depths[columns.clone()].iter_mut().zip(&mut weights[columns]) {
                    // Of two at the same depth the surer, so that their order does not matter.
                    let nearer = z < *depth || (z == *depth && weight > *known);
                    if *known == 0.0 || nearer {
                        (*depth, *known) = (z, weight);
                    }
                }
            }
        } else {
            stats.outside += 1;
        }
    }
    Ok(stats)
}

/// A footprint about its middle cell.
struct Ellipse {
    /// Half axes, columns and rows.
    half: [f32; 2],
}

impl Ellipse {
    fn new(direction_std: [f32; 2], camera: &CameraModel) -> Self {
        let focal = [camera.fx as f32, camera.fy as f32];
        let half = std::array::from_fn(|axis| {
            // `max` and `min` drop NaN.
            (REACH * focal[axis] * direction_std[axis]).max(*HALF_AXIS.start()).min(*HALF_AXIS.end())
        });
        Self { half }
    }

    /// Offsets of the rows, with how far each reaches to both sides.
    fn rows(&self) -> impl Iterator<Item = (isize, usize)> + use<> {
        let [a, b] = self.half;
        let most = b as isize;
        (-most..=most).filter_map(move |dy| {
            let rest = 1.0 - (dy as f32 / b).powi(2);
            (rest >= 0.0).then(|| {
                // The widest column that is inside, decided as the training decides it.
                let reach = (0..=a as usize)
                    .rev()
                    .find(|dx| (*dx as f32 / a).powi(2) + (dy as f32 / b).powi(2) <= 1.0);
                (dy, reach.unwrap_or(0))
            })
        })
    }

    fn cells(&self) -> usize {
        self.rows().map(|(_, reach)| 2 * reach + 1).sum()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Deserialize;

    use super::{PlacedReturn, draw_footprints};
    use crate::depth::PriorStats;
    use crate::geometry::{CameraModel, CameraParameters, Roi};

    #[derive(Deserialize)]
    struct Case {
        camera: [f64; 9],
        grid: (usize, usize),
        returns: Vec<[f32; 5]>,
        prior: Vec<f32>,
    }

    fn camera(values: &[f64; 9], (rows, columns): (usize, usize)) -> CameraModel {
        let [fx, fy, cx, cy, d @ ..] = values;
        let k = [*fx, 0.0, *cx, 0.0, *fy, *cy, 0.0, 0.0, 1.0];
        CameraModel::new(&CameraParameters {
            width: columns as u32,
            height: rows as u32,
            k,
            distortion_model: "plumb_bob",
            d,
            roi: Roi::default(),
            binning: (1, 1),
        })
        .unwrap()
    }

    fn placed([x, y, z, across, along]: [f32; 5]) -> PlacedReturn {
        PlacedReturn { position: [x, y, z], direction_std: [across, along] }
    }

    #[test]
    fn agrees_with_the_prior_of_the_training() {
        let text = include_str!("../../tests/golden/depth_footprints.json");
        let cases: Vec<Case> = serde_json::from_str(text).unwrap();
        assert!(cases.len() >= 6);
        for case in cases {
            let mut out = vec![f32::NAN; case.prior.len()];
            let returns = case.returns.iter().copied().map(placed);
            let camera = camera(&case.camera, case.grid);
            draw_footprints(returns, &camera, (0.2, 120.0), &mut out).unwrap();
            for (cell, (found, expected)) in out.iter().zip(&case.prior).enumerate() {
                assert!((found - expected).abs() <= 1e-6 * expected, "{cell}: {expected}, {found}");
            }
        }
    }

    fn draw(returns: &[[f32; 5]]) -> (Vec<f32>, PriorStats) {
        let camera = CameraModel::pinhole(80, 60, 50.0, 50.0, 40.0, 30.0).unwrap();
        let mut out = vec![f32::NAN; 2 * 80 * 60];
        let stats =
            draw_footprints(returns.iter().copied().map(placed), &camera, (0.2, 120.0), &mut out).unwrap();
        (out, stats)
    }

    #[test]
    fn a_return_weighs_one_however_large_it_is() {
        for std in [0.0, 0.02, 0.1, 0.2, 5.0, f32::NAN, f32::INFINITY] {
            let (out, stats) = draw(&[[0.0, 0.0, 7.0, std, 0.5 * std]]);
            assert_eq!(stats, PriorStats { drawn: 1, ..PriorStats::default() });
            assert!((out[80 * 60..].iter().sum::<f32>() - 1.0).abs() < 1e-5, "{std}");
            assert!(out[..80 * 60].iter().all(|z| [0.0, 7.0].contains(z)));
        }
        let sure = draw(&[[0.0, 0.0, 7.0, 0.01, 0.01]]).0;
        assert_eq!(sure.iter().filter(|z| **z == 7.0).count(), 1);
    }

    #[test]
    fn what_cannot_be_drawn_is_counted() {
        let nan = f32::NAN;
        let returns =
            [[9.0, 0.0, 5.0], [0.0, 0.0, -5.0], [0.0, 0.0, 0.1], [0.0, 0.0, 130.0], [nan, 0.0, 5.0]];
        let (out, stats) = draw(&returns.map(|[x, y, z]| [x, y, z, 0.1, 0.1]));
        assert_eq!(stats, PriorStats { drawn: 0, outside: 1, behind: 1, out_of_range: 2, not_finite: 1 });
        assert!(out.iter().all(|v| *v == 0.0));
        let camera = CameraModel::pinhole(80, 60, 50.0, 50.0, 40.0, 30.0).unwrap();
        assert!(draw_footprints([], &camera, (0.2, 120.0), &mut [0.0; 3]).is_err());
        assert!(draw_footprints([], &camera, (2.0, 1.0), &mut vec![0.0; 9600]).is_err());
    }

    proptest! {
        #[test]
        fn the_order_does_not_matter(
            (returns, shuffled) in prop::collection::vec(
                (-6.0_f32..6.0, -4.0_f32..4.0, 1_u8..6, 0.0_f32..0.2, 0.0_f32..0.3)
                    .prop_map(|(x, y, z, across, along)| [x, y, f32::from(z), across, along]),
                0..40,
            )
            .prop_flat_map(|returns| (Just(returns.clone()), Just(returns).prop_shuffle())),
        ) {
            prop_assert_eq!(draw(&returns), draw(&shuffled));
        }
    }
}
