//! Random looks at the light, averaged with those of neighbours on the same surface.

use glam::Vec3A;

use super::shading::Visibility;
use super::squares::{SAME_DISTANCE, SAME_NORMAL};

/// How far ambient samples are averaged, to each side.
const AMBIENT: usize = 3;
/// How far shadows are, whose edges are sharper.
const DIRECT: usize = 1;
/// Neighbours may be farther apart than the pixels of one square.
const DISTANCE_FACTOR: f32 = 3.0;

/// One sample for each square of pixels, row by row.
#[derive(Default)]
pub(super) struct Samples {
    taken: Vec<Sample>,
    /// Sums over the neighbours in the row.
    rows: Vec<Sums>,
    smooth: Vec<Visibility>,
}

/// What was seen, and from what surface; its distance is not a number where there is none, which is near to
/// nothing.
#[derive(Clone, Copy, Debug)]
struct Sample {
    normal: Vec3A,
    distance_m: f32,
    visibility: Visibility,
    /// 1 if the ambient light was sampled, else 0.
    weight: f32,
}

#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    ambient: f32,
    ambient_count: f32,
    direct: f32,
    direct_count: f32,
}

impl Samples {
    /// Makes room for some squares, all of them empty.
    pub fn reset(&mut self, squares: usize) {
        let (normal, visibility) = (Vec3A::ZERO, Visibility::UNHINDERED);
        self.taken.clear();
        self.taken.resize(squares, Sample { normal, distance_m: f32::NAN, visibility, weight: 0.0 });
    }

    /// Notes what was seen from a square; `ambient` if it was sampled there.
    pub fn set(&mut self, square: usize, normal: Vec3A, distance_m: f32, direct: f32, ambient: Option<f32>) {
        let visibility = Visibility { direct, ambient: ambient.unwrap_or(1.0) };
        let weight = if ambient.is_some() { 1.0 } else { 0.0 };
        self.taken[square] = Sample { normal, distance_m, visibility, weight };
    }

    /// Notes that a square does not see the sun or its lamp.
    pub fn shade(&mut self, square: usize) {
        self.taken[square].visibility.direct = 0.0;
    }

    /// Averages: along rows of `columns`, then across them.
    pub fn smooth(&mut self, columns: usize) {
        let Self { taken, rows, smooth } = self;
        rows.clear();
        for row in taken.chunks(columns.max(1)) {
            for (column, here) in row.iter().enumerate() {
                let mut sums = Sums::default();
                let from = column.saturating_sub(AMBIENT);
                let to = (column + AMBIENT + 1).min(row.len());
                for (x, other) in (from..).zip(&row[from..to]) {
                    let weight = here.is_near(other);
                    sums.ambient += weight * other.weight * other.visibility.ambient;
                    sums.ambient_count += weight * other.weight;
                    let weight = if x.abs_diff(column) <= DIRECT { weight } else { 0.0 };
                    sums.direct += weight * other.visibility.direct;
                    sums.direct_count += weight;
                }
                rows.push(sums);
            }
        }
        smooth.clear();
        let height = taken.len() / columns.max(1);
        for (index, here) in taken.iter().enumerate() {
            let (row, column) = (index / columns.max(1), index % columns.max(1));
            let mut sums = Sums::default();
            for y in row.saturating_sub(AMBIENT)..(row + AMBIENT + 1).min(height) {
                let other = y * columns + column;
                let weight = here.is_near(&taken[other]);
                sums.ambient += weight * rows[other].ambient;
                sums.ambient_count += weight * rows[other].ambient_count;
                let weight = if y.abs_diff(row) <= DIRECT { weight } else { 0.0 };
                sums.direct += weight * rows[other].direct;
                sums.direct_count += weight * rows[other].direct_count;
            }
            let mean = |sum: f32, count: f32| if count > 0.0 { sum / count } else { 1.0 };
            smooth.push(Visibility {
                direct: mean(sums.direct, sums.direct_count),
                ambient: mean(sums.ambient, sums.ambient_count),
            });
        }
    }

    /// The average of a square.
    pub fn visibility(&self, square: usize) -> Visibility {
        self.smooth.get(square).copied().unwrap_or_default()
    }
}

impl Sample {
    /// 1 for a sample of the same surface, else 0.
    fn is_near(&self, other: &Self) -> f32 {
        let apart = (self.distance_m - other.distance_m).abs();
        let is_near = self.normal.dot(other.normal) > SAME_NORMAL
            && apart < DISTANCE_FACTOR * SAME_DISTANCE * self.distance_m;
        if is_near { 1.0 } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn surfaces_are_averaged_and_edges_kept() {
        let mut samples = Samples::default();
        let (columns, rows) = (20, 12);
        samples.reset(columns * rows);
        for row in 0..rows {
            for column in 0..columns {
                // Two surfaces; the right one is in the light, of the left one every other square.
                let is_right = column >= 10;
                let lit = if is_right || (row + column) % 2 == 0 { 1.0 } else { 0.0 };
                let distance_m = if is_right { 5.0 } else { 10.0 };
                let square = row * columns + column;
                samples.set(square, Vec3A::Z, distance_m, 1.0, Some(lit));
                if lit == 0.0 {
                    samples.shade(square);
                }
            }
        }
        samples.smooth(columns);
        for row in 0..rows {
            for column in 0..columns {
                let seen = samples.visibility(row * columns + column);
                if column >= 10 {
                    assert_eq!((seen.direct, seen.ambient), (1.0, 1.0));
                } else {
                    assert!((seen.ambient - 0.5).abs() < 0.08, "{seen:?}");
                    assert!((seen.direct - 0.5).abs() < 0.2, "{seen:?}");
                }
            }
        }
        samples.reset(1);
        samples.smooth(1);
        assert_eq!(samples.visibility(0).direct, 1.0);
        assert!(samples.visibility(7) == Visibility::default());
    }
}
