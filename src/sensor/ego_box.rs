//! The vehicle's own body in the cloud, whose points are no objects.

use std::str::FromStr;

use super::SensorError;

/// A box along the axes of the cloud's frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EgoBox {
    min: [f32; 3],
    max: [f32; 3],
}

impl EgoBox {
    /// Whether a point is inside or on the surface.
    #[inline]
    pub fn contains(&self, [x, y, z]: [f32; 3]) -> bool {
        let [x0, y0, z0] = self.min;
        let [x1, y1, z1] = self.max;
        // Without branches: few points are inside.
        (x >= x0) & (x <= x1) & (y >= y0) & (y <= y1) & (z >= z0) & (z <= z1)
    }
}

impl FromStr for EgoBox {
    type Err = SensorError;

    /// From `x0 y0 z0 x1 y1 z1`, metres, with spaces or commas between.
    fn from_str(text: &str) -> Result<Self, SensorError> {
        let numbers: Option<Vec<f32>> = text
            .split([' ', ','])
            .filter(|word| !word.is_empty())
            .map(|word| word.parse().ok().filter(|number: &f32| number.is_finite()))
            .collect();
        match numbers.as_deref() {
            Some(&[x0, y0, z0, x1, y1, z1]) if x0 < x1 && y0 < y1 && z0 < z1 => {
                Ok(Self { min: [x0, y0, z0], max: [x1, y1, z1] })
            }
            _ => Err(SensorError::EgoBox { found: text.to_owned() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six_ascending_numbers_are_a_box() {
        let ego: EgoBox = "-1, -0.5 -2  3 0.5,1".parse().unwrap();
        let inside = |x, y, z| ego.contains([x, y, z]);
        assert!(inside(-1.0, 0.5, 1.0) && inside(0.0, 0.0, 0.0));
        assert!(!inside(-1.1, 0.0, 0.0) && !inside(0.0, 0.6, 0.0) && !inside(0.0, 0.0, -2.1));
        assert!(!inside(f32::NAN, 0.0, 0.0));
        for wrong in ["", "1 2 3", "0 0 0 1 1 nan", "1 0 0 0 1 1", "0 0 0 1 1 1 1", "a b c d e f"] {
            assert!(wrong.parse::<EgoBox>().is_err(), "{wrong}");
        }
    }
}
