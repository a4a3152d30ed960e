//! Against numpy in float64: `tests/golden/depth_metrics.py`.

use std::fs::File;
use std::path::Path;

use ndarray::{Array1, Array2, Array3};
use ndarray_npy::NpzReader;

use super::*;
use crate::message::Image;

#[track_caller]
fn assert_close(found: f64, expected: f64, what: &str) {
    let equal =
        (found - expected).abs() <= 1e-9 * expected.abs().max(1.0) || found.is_nan() && expected.is_nan();
    assert!(equal, "{what}: expected {expected}, found {found}");
}

#[track_caller]
fn assert_figures(found: &DepthFigures, expected: &[f64], what: &str) {
    let found = serde_json::to_value(found).unwrap();
    for ((name, value), expected) in found.as_object().unwrap().iter().zip(expected) {
        assert_close(value.as_f64().unwrap_or(f64::NAN), *expected, &format!("{what}, {name}"));
    }
}

fn image(width: usize, data: &[u8]) -> Image<'_> {
    let height = (data.len() / 4 / width) as u32;
    Image { width: width as u32, height, encoding: "32FC1", step: 4 * width as u32, data, ..Image::default() }
}

#[test]
fn figures_are_those_of_numpy() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/depth_metrics.npz");
    let mut file = NpzReader::new(File::open(path).unwrap()).unwrap();
    let sizes: Array2<i64> = file.by_name("sizes").unwrap();
    let returns: Array3<f64> = file.by_name("near").unwrap();
    let figures: Array2<f64> = file.by_name("figures").unwrap();
    let near_figures: Array3<f64> = file.by_name("near_figures").unwrap();
    let by_range: Array3<f64> = file.by_name("by_range").unwrap();
    let by_confidence: Array3<f64> = file.by_name("by_confidence").unwrap();
    let mut pixels = |name: &str| {
        let array: Array1<f32> = file.by_name(name).unwrap();
        array.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>()
    };
    let (truth, predicted, confidence) = (pixels("truth"), pixels("predicted"), pixels("confidence"));
    let (mut of_truth, mut of_prediction) = (0, 0);
    let mut average = DepthAverage::default();
    for (case, size) in sizes.rows().into_iter().enumerate() {
        let [width, height, columns, rows] = size.to_vec()[..] else { panic!() };
        let (truth_end, end) = (of_truth + 4 * width * height, of_prediction + 4 * columns * rows);
        let part = of_prediction as usize..end as usize;
        let points = returns.outer_iter().nth(case).unwrap();
        let points = points.rows().into_iter().map(|point| (point[0], point[1])).collect::<Vec<_>>();
        let near = NearMask::new(columns as u32, rows as u32, points);
        let sums = score_image(&DepthImages {
            truth: &image(width as usize, &truth[of_truth as usize..truth_end as usize]),
            predicted: &image(columns as usize, &predicted[part.clone()]),
            confidence: Some(&image(columns as usize, &confidence[part])),
            near: Some(&near),
        })
        .unwrap();
        (of_truth, of_prediction) = (truth_end, end);

        let expected = |array: &Array2<f64>| array.row(case).to_vec();
        assert_figures(&average.add(&sums).unwrap(), &expected(&figures), &format!("case {case}"));
        for (part, sums) in sums.near_and_away.unwrap().iter().enumerate() {
            let expected: Vec<f64> = (0..10).map(|k| near_figures[[case, part, k]]).collect();
            assert_figures(&DepthFigures::of(sums), &expected, &format!("case {case}, near or away {part}"));
        }
        for (bins, expected) in [(&sums.by_range[..], &by_range), (&sums.by_confidence, &by_confidence)] {
            for (bin, found) in bins.iter().enumerate() {
                assert_eq!(found.pixels as f64, expected[[case, bin, 0]], "case {case}, bin {bin}");
                assert_close(found.abs_rel, expected[[case, bin, 1]], &format!("case {case}, bin {bin}"));
            }
        }
    }
    let mean = |k: usize| figures.column(k).mean().unwrap();
    let expected: Vec<f64> = (0..10).map(mean).collect();
    assert_figures(&average.report().figures, &expected, "mean over images");
}
