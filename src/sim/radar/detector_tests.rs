use super::*;

fn model(name: &str) -> &'static RadarModel {
    RadarModel::named(name).unwrap()
}

fn echo(range_m: f32, azimuth: f32, power: f32) -> Echo {
    Echo { range_m, azimuth, elevation: 0.01, range_rate_mps: 0.0, power, is_ghost: false, object: None }
}

#[test]
fn clutter_on_both_sides_hides_what_it_does_not_hide_on_one() {
    let model = model("awr1843");
    let half = 0.5 * model.range_resolution_m;
    let found = |sides: &[f32]| {
        let mut echoes = vec![echo(6.0, 0.1, 300.0)];
        let [guard, training] = model.cfar.range.map(|cells| 2 * cells);
        for side in sides {
            let steps = guard + 1..=guard + training;
            echoes.extend(steps.map(|step| echo(6.0 + side * step as f32 * half, 0.1, 1e4)));
        }
        let is_it = |item: &SimulatedReturn| !item.is_ghost && (item.range_m - 6.0).abs() < 2.0 * half;
        (0..200).filter(|&frame| detect(&echoes, model, 3, frame).iter().any(is_it)).count()
    };
    // Alone it is found in 96 % of the frames.
    assert!(found(&[]) > 180 && found(&[1.0]) > 180 && found(&[-1.0]) > 180);
    assert!(found(&[-1.0, 1.0]) < 5, "{}", found(&[-1.0, 1.0]));
}

#[test]
fn directions_are_told_apart_as_often_as_their_strengths_are_alike() {
    for (name, apart) in [("awr1843", 1.2), ("ars548", 0.2)] {
        let model = model(name);
        let echoes = [echo(6.0, 0.1, 1e6), echo(6.0, 0.1 - apart, 1e6)];
        let frames = 600;
        let both = (0..frames).filter(|&frame| {
            let real = detect(&echoes, model, 5, frame).into_iter().filter(|item| !item.is_ghost);
            real.count() == 2
        });
        let rate = both.count() as f32 / frames as f32;
        // The ratio t of two exponential powers is below c with probability c / (1 + c).
        let contrast = model.angular_contrast;
        let expected = (contrast - 1.0) / (contrast + 1.0);
        let error = (expected * (1.0 - expected) / frames as f32).sqrt();
        assert!((rate - expected).abs() < 4.0 * error + 1e-3, "{name}: {rate} {expected}");
    }
}

#[test]
fn one_range_and_doppler_has_few_directions() {
    for name in RadarModel::NAMES {
        let model = model(name);
        let beams = (model.half_azimuth / model.azimuth_resolution) as i32;
        let everywhere: Vec<Echo> =
            (-beams..=beams).map(|beam| echo(6.0, beam as f32 * model.azimuth_resolution, 1e6)).collect();
        let mut most = 0;
        for frame in 0..50 {
            most =
                most.max(detect(&everywhere, model, 5, frame).iter().filter(|item| !item.is_ghost).count());
        }
        assert_eq!(most, model.most_directions, "{name}");
    }
}

#[test]
fn echoes_at_the_ends_of_what_can_be_counted_are_not_lost() {
    let model = model("ars548");
    for rate_mps in [-1e9, 1e9] {
        let fast = Echo { range_rate_mps: rate_mps, ..echo(model.farthest_m, 0.0, 1e6) };
        let returns = detect(&[fast], model, 1, 0);
        assert_eq!(returns.iter().filter(|item| !item.is_ghost).count(), 1);
    }
}
