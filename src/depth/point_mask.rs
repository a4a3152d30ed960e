//! Which pixels become points: not those of little confidence, and not those between two surfaces.

use super::error::{DepthError, check_length, pixel_count};

/// What a pixel needs to become a point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PointFilter {
    /// Least confidence, 0..1; 0 takes all.
    pub min_confidence: f32,
    /// Largest relative step of depth to a neighbour of the network's image; 0 takes all. A network draws the
    /// border of an object as a ramp, whose points would float between it and what is behind.
    pub max_step: f32,
}

/// Which pixels of an image are taken, decided at the size of the network. Memory is kept between frames.
#[derive(Clone, Debug, Default)]
pub struct PointMask {
    network: (usize, usize),
    image: (usize, usize),
    taken: Vec<bool>,
    /// Column of the network of each column of the image
    columns: Vec<usize>,
}

impl PointMask {
    /// Decides for a frame: `depth_m` and `confidence` have the network's size, `(width, height)`.
    pub fn decide(
        &mut self,
        filter: PointFilter,
        depth_m: &[f32],
        confidence: &[f32],
        network: (usize, usize),
        image: (usize, usize),
    ) -> Result<(), DepthError> {
        let pixels = pixel_count("network output", network.0, network.1)?;
        pixel_count("image", image.0, image.1)?;
        check_length("network depth", pixels, depth_m.len())?;
        check_length("network confidence", pixels, confidence.len())?;
        if (self.network, self.image) != (network, image) {
            (self.network, self.image) = (network, image);
            self.columns = (0..image.0).map(|x| x * network.0 / image.0).collect();
        }
        let least = filter.min_confidence;
        self.taken.clear();
        self.taken.extend(confidence.iter().map(|c| least <= 0.0 || *c >= least));
        if filter.max_step > 0.0 {
            self.leave_out_steps(depth_m, 1.0 + filter.max_step);
        }
        Ok(())
    }

    /// Both sides of a step are left out, and what is beside a pixel without depth.
    fn leave_out_steps(&mut self, depth_m: &[f32], ratio: f32) {
        let width = self.network.0;
        // NaN and ±∞ are no neighbours of anything.
        let fits = |a: f32, b: f32| a <= ratio * b && b <= ratio * a && a.is_finite() && b.is_finite();
        for (row, taken) in depth_m.chunks_exact(width).zip(self.taken.chunks_exact_mut(width)) {
            for x in 1..width {
                let fit = fits(row[x - 1], row[x]);
                taken[x - 1] &= fit;
                taken[x] &= fit;
            }
        }
        for below in width..depth_m.len() {
            let fit = fits(depth_m[below - width], depth_m[below]);
            self.taken[below - width] &= fit;
            self.taken[below] &= fit;
        }
    }

    /// Width and height of the image that it is for.
    pub const fn image_size(&self) -> (usize, usize) {
        self.image
    }

    /// What is taken of image row `y`.
    pub(super) fn row(&self, y: usize) -> MaskRow<'_> {
        let start = (y * self.network.1 / self.image.1.max(1)) * self.network.0;
        let taken = self.taken.get(start..start + self.network.0).unwrap_or(&[]);
        MaskRow { taken, columns: &self.columns }
    }
}

/// One row of an image.
#[derive(Clone, Copy)]
pub(super) struct MaskRow<'a> {
    taken: &'a [bool],
    columns: &'a [usize],
}

impl MaskRow<'_> {
    pub fn takes(self, x: usize) -> bool {
        self.columns.get(x).and_then(|column| self.taken.get(*column)).is_some_and(|taken| *taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: PointFilter = PointFilter { min_confidence: 0.0, max_step: 0.0 };

    /// What is taken of an image twice as wide as a network with these rows of depth and confidence.
    fn taken(filter: PointFilter, depth_m: &[f32], confidence: &[f32], width: usize) -> Vec<String> {
        let (network, image) = ((width, depth_m.len() / width), (2 * width, depth_m.len() / width));
        let mut mask = PointMask::default();
        mask.decide(filter, depth_m, confidence, network, image).unwrap();
        (0..image.1)
            .map(|y| (0..image.0).map(|x| if mask.row(y).takes(x) { '#' } else { '.' }).collect())
            .collect()
    }

    #[test]
    fn little_confidence_is_left_out() {
        let confidence = [0.5, 0.29, 0.31, f32::NAN];
        let filter = PointFilter { min_confidence: 0.3, ..ALL };
        assert_eq!(taken(filter, &[2.0; 4], &confidence, 4), ["##..##.."]);
        assert_eq!(taken(ALL, &[2.0; 4], &confidence, 4), ["########"]);
    }

    #[test]
    fn the_ramp_between_two_surfaces_is_left_out() {
        let filter = PointFilter { max_step: 0.15, ..ALL };
        let ramp = [2.0, 2.1, 2.0, 3.0, 4.0, 4.1, 4.2];
        assert_eq!(taken(filter, &ramp, &[1.0; 7], 7), ["####......####"]);
        let column = [2.0, 2.0, 5.0, 5.0];
        assert_eq!(taken(filter, &column, &[1.0; 4], 1), ["##", "..", "..", "##"]);
        let sky = [2.0, 2.0, f32::INFINITY, 1000.0, f32::NAN];
        assert_eq!(taken(filter, &sky, &[1.0; 5], 5), ["##........"]);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let mut mask = PointMask::default();
        assert!(mask.decide(ALL, &[1.0; 3], &[1.0; 4], (2, 2), (4, 4)).is_err());
        assert!(mask.decide(ALL, &[1.0; 4], &[1.0; 3], (2, 2), (4, 4)).is_err());
        assert!(mask.decide(ALL, &[], &[], (0, 2), (4, 4)).is_err());
        assert!(!mask.row(0).takes(0) && !mask.row(9).takes(9));
    }
}
