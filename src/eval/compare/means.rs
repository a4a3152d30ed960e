//! Figures that are means over frames.

use super::PairedFigures;

/// One figure of one frame in both runs.
#[derive(Clone, Copy, Debug)]
struct Pair {
    /// 1, or 0 where a run does not tell it.
    known: f64,
    values: [f64; 2],
}

/// Means of several figures over the frames where both runs tell them.
#[derive(Clone, Debug, Default)]
pub struct PairedMeans(Vec<Vec<Pair>>);

impl PairedMeans {
    /// From the values of each figure, by frame, of A and of B; NaN is what is not known.
    pub fn new(figures: impl IntoIterator<Item = (Vec<f64>, Vec<f64>)>) -> Self {
        let pair = |(a, b): (f64, f64)| {
            if a.is_finite() && b.is_finite() {
                Pair { known: 1.0, values: [a, b] }
            } else {
                Pair { known: 0.0, values: [0.0; 2] }
            }
        };
        Self(figures.into_iter().map(|(a, b)| a.into_iter().zip(b).map(pair).collect()).collect())
    }
}

impl PairedFigures for PairedMeans {
    fn count(&self) -> usize {
        self.0.len()
    }

    fn figures(&self, times: &[u32], out: &mut [[f64; 2]]) {
        for (pairs, out) in self.0.iter().zip(out) {
            let (mut known, mut sums) = (0.0, [0.0; 2]);
            for (pair, times) in pairs.iter().zip(times) {
                let times = f64::from(*times);
                known += times * pair.known;
                sums[0] += times * pair.values[0];
                sums[1] += times * pair.values[1];
            }
            *out = sums.map(|sum| sum / known);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_that_one_run_does_not_tell_count_in_neither() {
        let means = PairedMeans::new([
            (vec![1.0, 2.0, 9.0], vec![2.0, 4.0, f64::NAN]),
            (vec![f64::NAN; 3], vec![1.0; 3]),
        ]);
        let mut out = [[0.0; 2]; 2];
        means.figures(&[1, 1, 1], &mut out);
        assert_eq!(out[0], [1.5, 3.0]);
        assert!(out[1][0].is_nan());
        means.figures(&[3, 1, 0], &mut out);
        assert_eq!(out[0], [1.25, 2.5]);
    }
}
