//! Depth as colour: a logarithmic scale over a stated range, near warm and light, far cold and dark.

use super::error::{DepthError, check_range};

/// Number of steps of the colour scale.
const STEPS: usize = 256;
/// Positive floats by sign, exponent and the first 7 bits of the fraction: steps of less than 0.8 %.
const KEYS: usize = 1 << 15;
/// Bits of the fraction that the key leaves out.
const KEY_SHIFT: u32 = 16;

/// Colours of depths from `near_m` to `far_m`.
///
/// The scale is logarithmic, so that equal ratios of distance are equal steps of colour. Depths
/// outside the range take the colour of its end, ±∞ included; NaN, zero and negative finite depths
/// are black, which is no colour of the scale.
#[derive(Clone, Debug)]
pub struct DepthColours {
    near_m: f32,
    far_m: f32,
    palette: [[u8; 3]; STEPS],
    steps: Vec<u8>,
}

impl DepthColours {
    /// Colour of a pixel without depth.
    pub const INVALID: [u8; 3] = [0, 0, 0];

    /// Computes the tables (32 KiB). The range is fixed so that a colour means the same distance in
    /// every frame.
    pub fn new(near_m: f32, far_m: f32) -> Result<Self, DepthError> {
        check_range("range of the colour scale", near_m, far_m)?;
        let per_log = (STEPS - 1) as f32 / (far_m / near_m).ln();
        let steps = (0..KEYS as u32)
            .map(|key| {
                // The middle of the floats that share the key.
                let depth_m = f32::from_bits((key << KEY_SHIFT) | (1 << (KEY_SHIFT - 1)));
                let step = ((depth_m / near_m).ln() * per_log).round();
                if step.is_nan() { u8::MAX } else { step.clamp(0.0, 255.0) as u8 }
            })
            .collect();
        let palette = std::array::from_fn(|i| palette_colour(i as f32 / (STEPS - 1) as f32));
        Ok(Self { near_m, far_m, palette, steps })
    }

    /// Near and far end of the scale in metres.
    pub const fn range_m(&self) -> (f32, f32) {
        (self.near_m, self.far_m)
    }

    /// Where a depth in metres lies on the scale, 0 near and 1 far; clamped. NaN is far.
    pub fn share(&self, depth_m: f32) -> f32 {
        let share = (depth_m / self.near_m).ln() / (self.far_m / self.near_m).ln();
        if share.is_nan() { 1.0 } else { share.clamp(0.0, 1.0) }
    }

    /// Round depths (1, 2, 5 times a power of ten) on the scale, metres, ascending.
    pub fn ticks_m(&self) -> Vec<f32> {
        let mut ticks = Vec::new();
        let mut decade = 10f32.powi(self.near_m.log10().floor() as i32);
        while decade <= self.far_m && decade > 0.0 {
            ticks.extend([1.0, 2.0, 5.0].map(|step| step * decade));
            decade *= 10.0;
        }
        // Relative slack: 0.1 · 5 is a rounding error away from 0.5.
        ticks.retain(|tick| *tick >= self.near_m * 0.999 && *tick <= self.far_m * 1.001);
        ticks
    }

    /// Colour at a share of the scale, 0 near and 1 far.
    pub fn at_share(&self, share: f32) -> [u8; 3] {
        // The conversion saturates and takes NaN to 0, so the index is at most 255.
        self.palette[((share * 255.0).round() as u8) as usize]
    }

    /// Colour of a depth in metres.
    pub fn of(&self, depth_m: f32) -> [u8; 3] {
        if depth_m > 0.0 {
            self.palette[self.step_of(depth_m) as usize]
        } else if depth_m == f32::NEG_INFINITY {
            self.palette[0]
        } else {
            Self::INVALID
        }
    }

    /// Step of a positive depth; its sign bit is 0, so the key is below `KEYS`.
    fn step_of(&self, depth_m: f32) -> u8 {
        self.steps[(depth_m.to_bits() >> KEY_SHIFT) as usize]
    }
}

/// The colour scale: in OKLCH, lightness falls evenly while the hue turns from yellow over red to
/// blue-violet, so that the order survives in grey print and for the colour-blind.
fn palette_colour(share: f32) -> [u8; 3] {
    let lightness = 0.90 - 0.58 * share;
    let hue = (100.0 - 185.0 * share).to_radians();
    // The most colourful the screen can show at this lightness and hue, up to 0.19.
    let mut chroma = 0.19_f32;
    loop {
        let rgb = oklab_to_linear_rgb(lightness, chroma * hue.cos(), chroma * hue.sin());
        if chroma <= 0.0 || rgb.iter().all(|c| (0.0..=1.0).contains(c)) {
            return rgb.map(srgb_byte);
        }
        chroma -= 0.005;
    }
}

/// `OKLab` to linear sRGB, with the published matrices (B. Ottosson, "A perceptual color space for
/// image processing", 2020).
fn oklab_to_linear_rgb(lightness: f32, a: f32, b: f32) -> [f32; 3] {
    let l = (lightness + 0.396_337_78 * a + 0.215_803_76 * b).powi(3);
    let m = (lightness - 0.105_561_346 * a - 0.063_854_17 * b).powi(3);
    let s = (lightness - 0.089_484_18 * a - 1.291_485_5 * b).powi(3);
    [
        4.076_741_7 * l - 3.307_711_6 * m + 0.230_969_94 * s,
        -1.268_438 * l + 2.609_757_4 * m - 0.341_319_38 * s,
        -0.004_196_086_3 * l - 0.703_418_6 * m + 1.707_614_7 * s,
    ]
}

/// Linear light to an sRGB byte (IEC 61966-2-1).
fn srgb_byte(linear: f32) -> u8 {
    let linear = linear.clamp(0.0, 1.0);
    let coded = if linear <= 0.003_130_8 { 12.92 * linear } else { 1.055 * linear.powf(1.0 / 2.4) - 0.055 };
    (coded * 255.0).round() as u8
}

#[cfg(test)]
mod tests {
    use super::DepthColours;

    fn luma([r, g, b]: [u8; 3]) -> f32 {
        0.2126 * r as f32 + 0.7152 * g as f32 + 0.0722 * b as f32
    }

    #[test]
    fn near_is_warm_and_far_is_cold() {
        let colours = DepthColours::new(0.5, 50.0).unwrap();
        let [r, _, b] = colours.of(0.5);
        assert!(r > 200 && b < 130, "{:?}", colours.of(0.5));
        let [r, _, b] = colours.of(50.0);
        assert!(b > r, "{:?}", colours.of(50.0));
    }

    #[test]
    fn farther_is_darker() {
        let colours = DepthColours::new(0.5, 50.0).unwrap();
        let lumas: Vec<f32> = (0..=16).map(|i| luma(colours.at_share(i as f32 / 16.0))).collect();
        assert!(lumas.windows(2).all(|w| w[1] < w[0]), "{lumas:?}");
        assert!(lumas[16] > 20.0, "the far end must not look like a hole");
    }

    #[test]
    fn the_scale_is_logarithmic_to_one_step() {
        let colours = DepthColours::new(1.0, 100.0).unwrap();
        for i in 0..=100_u8 {
            let share = i as f32 / 100.0;
            let step = colours.step_of(100.0_f32.powf(share)) as f32;
            assert!((step - 255.0 * share).abs() <= 1.0, "share {share}: step {step}");
        }
    }

    #[test]
    fn what_is_no_depth_is_black_and_what_is_outside_takes_the_end() {
        let colours = DepthColours::new(1.0, 10.0).unwrap();
        for none in [f32::NAN, 0.0, -0.0, -3.0] {
            assert_eq!(colours.of(none), DepthColours::INVALID);
        }
        assert_eq!(colours.of(f32::INFINITY), colours.at_share(1.0));
        assert_eq!(colours.of(f32::MAX), colours.at_share(1.0));
        assert_eq!(colours.of(f32::NEG_INFINITY), colours.at_share(0.0));
        assert_eq!(colours.of(f32::MIN_POSITIVE), colours.at_share(0.0));
        assert_ne!(colours.at_share(1.0), DepthColours::INVALID);
    }

    #[test]
    fn ticks_are_round_and_within() {
        assert_eq!(DepthColours::new(0.5, 20.0).unwrap().ticks_m(), [0.5, 1.0, 2.0, 5.0, 10.0, 20.0]);
        assert_eq!(DepthColours::new(3.0, 4.0).unwrap().ticks_m(), Vec::<f32>::new());
    }

    #[test]
    fn a_range_must_be_one() {
        for (near, far) in [(0.0, 1.0), (2.0, 1.0), (1.0, 1.0), (1.0, f32::INFINITY), (f32::NAN, 1.0)] {
            assert!(DepthColours::new(near, far).is_err());
        }
    }
}
