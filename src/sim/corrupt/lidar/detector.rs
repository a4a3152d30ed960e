//! Which echoes a LiDAR hears.
//!
//! The power of an echo is that of the LiDAR equation for a matt surface that fills the beam: reflectivity
//! over the square of the range, with what the path lets through; the sensor's own constants cancel.

/// The weakest echo heard: a surface of 10 % at 120 m in clear air, as data sheets of automotive LiDARs
/// put it.
pub const MIN_POWER: f32 = 0.1 / (120.0 * 120.0);

/// Power of an echo from a surface, 1/m²; `transmission` is that of the way there and back.
#[inline]
pub fn power(reflectivity: f32, range: f32, transmission: f32) -> f32 {
    reflectivity * transmission / (range * range)
}

/// The power that an echo must have to be heard, where one of `clear` was. A sensor that heard less than the
/// data sheets promise has some reserve there, too: half of what it heard.
#[inline]
pub fn threshold(clear: f32) -> f32 {
    MIN_POWER.min(0.5 * clear)
}
