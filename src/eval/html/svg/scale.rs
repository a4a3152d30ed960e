//! From values to positions, and the values that are labelled.

/// A linear scale. A domain without extent puts everything at its start.
#[derive(Clone, Copy, Debug)]
pub(in crate::eval::html) struct Scale {
    from: (f64, f64),
    to: (f64, f64),
}

impl Scale {
    /// Takes `from` (values) to `to` (units).
    pub const fn new(from: (f64, f64), to: (f64, f64)) -> Self {
        Self { from, to }
    }

    /// Where `value` is; those outside are at the end they are beyond. `None` for what is no number.
    pub fn at(&self, value: f64) -> Option<f64> {
        if value.is_nan() {
            return None;
        }
        let share = (value - self.from.0) / (self.from.1 - self.from.0);
        let share = if share.is_nan() { 0.0 } else { share.clamp(0.0, 1.0) };
        Some(self.to.0 + share * (self.to.1 - self.to.0))
    }
}

/// The step of about `count` ticks over `extent`: 1, 2 or 5 times a power of ten.
fn step(extent: f64, count: usize) -> f64 {
    let rough = extent / count.max(1) as f64;
    if !(rough.is_finite() && rough > 0.0) {
        return 1.0;
    }
    let decade = 10_f64.powf(rough.log10().floor());
    let fits = |factor: &&f64| **factor * decade >= rough * 0.999_999;
    [1.0, 2.0, 5.0].iter().find(fits).map_or(10.0 * decade, |factor| factor * decade)
}

/// Round values from `min` to `max`, at most about `count` of them.
pub(in crate::eval::html) fn ticks(min: f64, max: f64, count: usize) -> Vec<f64> {
    if !(min.is_finite() && max.is_finite() && min <= max) {
        return Vec::new();
    }
    let step = step(max - min, count);
    let first = (min / step - 1e-9).ceil();
    (0..=2 * count as u32 + 2)
        .map(|i| (first + f64::from(i)) * step)
        .take_while(|tick| *tick <= max + step * 1e-6)
        // No minus before nothing.
        .map(|tick| if tick.abs() < step * 1e-6 { 0.0 } else { tick })
        .collect()
}

/// A tick of about `count` over `extent` with as many decimals as their step needs.
pub(in crate::eval::html) fn tick_label(tick: f64, extent: f64, count: usize) -> String {
    let decimals = (-step(extent, count).log10() - 1e-9).ceil().clamp(0.0, 9.0) as usize;
    format!("{tick:.decimals$}")
}

/// The end of an axis from 0 that holds `values`: the round value at or above the largest; 1 without any.
pub(in crate::eval::html) fn round_top(values: impl IntoIterator<Item = f64>) -> f64 {
    let largest = values.into_iter().filter(|value| value.is_finite()).fold(0.0, f64::max);
    if largest <= 0.0 {
        return 1.0;
    }
    let step = step(largest, 5);
    (largest / step - 1e-9).ceil() * step
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(min: f64, max: f64) -> Vec<String> {
        ticks(min, max, 5).into_iter().map(|tick| tick_label(tick, max - min, 5)).collect()
    }

    #[test]
    fn ticks_are_round_and_labelled_without_noise() {
        assert_eq!(labels(0.0, 1.0), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(labels(0.0, 0.3), ["0.0", "0.1", "0.2", "0.3"]);
        assert_eq!(labels(0.0, 80.0), ["0", "20", "40", "60", "80"]);
        assert_eq!(labels(-1.0, 1.0), ["-1.0", "-0.5", "0.0", "0.5", "1.0"]);
        assert_eq!(labels(0.0, 0.0013), ["0.0000", "0.0005", "0.0010"]);
        assert_eq!(labels(3.0, 3.0), ["3"]);
        assert_eq!(labels(7.3, 31.0), ["10", "15", "20", "25", "30"]);
    }

    #[test]
    fn no_range_makes_ticks_without_end() {
        for (min, max) in [(0.0, f64::INFINITY), (f64::NAN, 1.0), (2.0, 1.0)] {
            assert!(ticks(min, max, 5).is_empty());
        }
        assert!(ticks(1e300, 1.000_001e300, 5).len() <= 13);
        assert!(ticks(0.0, 1e-300, 5).len() <= 13);
    }

    #[test]
    fn an_axis_ends_at_or_above_its_values() {
        assert_eq!(round_top([0.33, f64::NAN, 0.1]), 0.4);
        assert_eq!(round_top([1.0]), 1.0);
        assert_eq!(round_top([f64::NAN]), 1.0);
        for largest in [1e-9, 0.07, 3.0, 4.2e6] {
            let top = round_top([largest]);
            assert!(top >= largest * 0.999_999 && top <= largest * 1.5, "{largest}: {top}");
        }
    }

    #[test]
    fn values_outside_are_at_the_ends() {
        let scale = Scale::new((0.0, 10.0), (100.0, 0.0));
        let found = [-5.0, 0.0, 2.5, 10.0, f64::INFINITY].map(|value| scale.at(value).unwrap());
        assert_eq!(found, [100.0, 100.0, 75.0, 0.0, 0.0]);
        assert_eq!(scale.at(f64::NAN), None);
        assert_eq!(Scale::new((1.0, 1.0), (0.0, 9.0)).at(1.0), Some(0.0));
    }
}
