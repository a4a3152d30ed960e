//! Which pixels have a radar return near them.

/// Distance up to which a return is near, pixels of an image 640 wide: about 1.5° of an ordinary lens,
/// three times the radius at which returns are drawn for a network.
const RADIUS_PX: f64 = 16.0;

/// A mask over an image: true near a radar return.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NearMask {
    width: u32,
    height: u32,
    near: Vec<bool>,
}

impl NearMask {
    /// Discs about `returns_px`, columns and rows of an image of `width × height`. Those outside it count
    /// as far as their disc reaches in.
    pub fn new(width: u32, height: u32, returns_px: impl IntoIterator<Item = (f64, f64)>) -> Self {
        let mut near = vec![false; width as usize * height as usize];
        let radius = RADIUS_PX * f64::from(width) / 640.0;
        for (u, v) in returns_px {
            if !(u.is_finite() && v.is_finite()) {
                continue;
            }
            // Casts saturate: what lies left of or above the image begins at its edge.
            let first = (v - radius).ceil().max(0.0) as u32;
            let rows = near.chunks_exact_mut(width.max(1) as usize).zip(0_u32..).skip(first as usize);
            for (row, y) in rows.take_while(|(_, y)| f64::from(*y) <= v + radius) {
                let half = (radius * radius - (f64::from(y) - v).powi(2)).max(0.0).sqrt();
                let left = (u - half).ceil().max(0.0) as usize;
                let right = (u + half).floor();
                if right >= 0.0 && left < row.len() {
                    let right = (right as usize).min(row.len() - 1);
                    if let Some(part) = row.get_mut(left..=right) {
                        part.fill(true);
                    }
                }
            }
        }
        Self { width, height, near }
    }

    /// Columns and rows.
    pub const fn size(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    /// Row `y`; empty below the image.
    pub fn row(&self, y: u32) -> &[bool] {
        let width = self.width as usize;
        self.near.get(y as usize * width..).and_then(|rest| rest.get(..width)).unwrap_or(&[])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn discs_have_their_radius_and_are_cut_at_the_edges() {
        let returns = [(30.2, 40.0), (-3.0, 5.0), (81.0, 61.0), (1e9, 1e9), (f64::NAN, 1.0), (40.0, -100.0)];
        let radius = 16.0 * 80.0 / 640.0;
        let mask = NearMask::new(80, 60, returns);
        for y in 0..60 {
            for x in 0..80 {
                let inside =
                    returns.iter().any(|(u, v)| (u - f64::from(x)).hypot(v - f64::from(y)) <= radius);
                assert_eq!(mask.row(y)[x as usize], inside, "{x} {y}");
            }
        }
        assert!(mask.row(60).is_empty());
        assert!(mask.row(40)[30]);
    }
}
