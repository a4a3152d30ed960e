//! Relative errors as colour.

use crate::eval::picture::Rgb;

/// Errors of this size or more, of the truth, have the full colour.
pub(super) const FULL: f32 = 0.5;
/// Too near: blue of Okabe and Ito.
const NEAR: Rgb = [0, 90, 178];
/// No error.
const NONE: Rgb = [246, 246, 246];
/// Too far: their vermillion.
const FAR: Rgb = [200, 70, 0];

/// The colour of (p − g) / g: from blue (too near) over white to vermillion (too far).
pub(super) fn colour(error: f32) -> Rgb {
    let share = (error / FULL).clamp(-1.0, 1.0);
    let end = if share < 0.0 { NEAR } else { FAR };
    let mix =
        |from: u8, to: u8| (f32::from(from) + (f32::from(to) - f32::from(from)) * share.abs()).round() as u8;
    [mix(NONE[0], end[0]), mix(NONE[1], end[1]), mix(NONE[2], end[2])]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_differ_and_the_ends_hold() {
        assert_eq!([colour(-9.0), colour(0.0), colour(0.5)], [NEAR, NONE, FAR]);
        assert!(colour(-0.1)[2] > colour(-0.1)[0] && colour(0.1)[0] > colour(0.1)[2]);
    }
}
