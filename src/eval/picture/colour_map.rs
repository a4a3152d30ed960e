//! Distances as colours that keep their order under colour blindness and in grey.
//!
//! Near is bright and warm, far is dark and cold. Between the anchors colours are mixed in Oklab
//! (Ottosson, "A perceptual color space for image processing", 2020), whose lightness falls from one
//! anchor to the next, so that brightness alone tells the distance.

use super::Rgb;

/// From near to far, sRGB.
const ANCHORS: [Rgb; 6] =
    [[255, 247, 188], [254, 196, 79], [240, 112, 60], [190, 50, 100], [105, 35, 130], [30, 25, 75]];

/// Distances from `near_m` to `far_m` on a logarithmic scale, in 256 steps.
#[derive(Clone, Debug, PartialEq)]
pub struct ColourMap {
    near_m: f32,
    far_m: f32,
    table: Vec<Rgb>,
}

impl ColourMap {
    /// `None` unless `0 < near_m < far_m`, both finite.
    pub fn new(near_m: f32, far_m: f32) -> Option<Self> {
        if !(near_m > 0.0 && near_m < far_m && far_m.is_finite()) {
            return None;
        }
        let anchors = ANCHORS.map(to_oklab);
        let table = (0..256)
            .map(|step| {
                let position = step as f32 / 255.0 * (ANCHORS.len() - 1) as f32;
                let first = (position as usize).min(ANCHORS.len() - 2);
                let (a, b, t) = (anchors[first], anchors[first + 1], position - first as f32);
                from_oklab([0, 1, 2].map(|channel| a[channel] + (b[channel] - a[channel]) * t))
            })
            .collect();
        Some(Self { near_m, far_m, table })
    }

    /// Where a distance lies between near (0) and far (1); clamped. NaN is far.
    pub fn position(&self, distance_m: f32) -> f32 {
        let position = (distance_m / self.near_m).ln() / (self.far_m / self.near_m).ln();
        if position.is_nan() { 1.0 } else { position.clamp(0.0, 1.0) }
    }

    /// The colour at `position` 0 (near) to 1 (far).
    pub fn at(&self, position: f32) -> Rgb {
        let step = (position.clamp(0.0, 1.0) * 255.0).round() as usize;
        self.table.get(step).copied().unwrap_or_default()
    }

    /// The colour of a distance in metres.
    pub fn colour(&self, distance_m: f32) -> Rgb {
        self.at(self.position(distance_m))
    }

    /// Round distances (1, 2, 5 times a power of ten) between near and far, metres, ascending.
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
}

fn to_oklab(colour: Rgb) -> [f32; 3] {
    let [r, g, b] = colour.map(|channel| {
        let value = f32::from(channel) / 255.0;
        if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    });
    let l = (0.412_221_46 * r + 0.536_332_55 * g + 0.051_445_995 * b).cbrt();
    let m = (0.211_903_5 * r + 0.680_699_5 * g + 0.107_396_96 * b).cbrt();
    let s = (0.088_302_46 * r + 0.281_718_85 * g + 0.629_978_7 * b).cbrt();
    [
        0.210_454_26 * l + 0.793_617_8 * m - 0.004_072_047 * s,
        1.977_998_5 * l - 2.428_592_2 * m + 0.450_593_7 * s,
        0.025_904_037 * l + 0.782_771_77 * m - 0.808_675_77 * s,
    ]
}

fn from_oklab([lightness, a, b]: [f32; 3]) -> Rgb {
    let l = (lightness + 0.396_337_78 * a + 0.215_803_76 * b).powi(3);
    let m = (lightness - 0.105_561_346 * a - 0.063_854_17 * b).powi(3);
    let s = (lightness - 0.089_484_18 * a - 1.291_485_5 * b).powi(3);
    [
        4.076_741_7 * l - 3.307_711_6 * m + 0.230_969_94 * s,
        -1.268_438 * l + 2.609_757_4 * m - 0.341_319_38 * s,
        -0.004_196_086_3 * l - 0.703_418_6 * m + 1.707_614_7 * s,
    ]
    .map(|value| {
        let value = value.clamp(0.0, 1.0);
        let encoded =
            if value <= 0.003_130_8 { 12.92 * value } else { 1.055 * value.powf(1.0 / 2.4) - 0.055 };
        (encoded * 255.0).round() as u8
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn oklab_round_trips_and_white_is_one() {
        for colour in ANCHORS.into_iter().chain([[0; 3], [255; 3], [255, 0, 0], [0, 0, 255]]) {
            let back = from_oklab(to_oklab(colour));
            assert!(back.iter().zip(colour).all(|(a, b)| a.abs_diff(b) <= 1), "{colour:?} {back:?}");
        }
        let [lightness, a, b] = to_oklab([255; 3]);
        assert!((lightness - 1.0).abs() < 1e-3 && a.abs() < 1e-3 && b.abs() < 1e-3);
    }

    #[test]
    fn brightness_falls_all_the_way() {
        let map = ColourMap::new(0.5, 50.0).unwrap();
        let luma = |[r, g, b]: Rgb| 0.2126 * f32::from(r) + 0.7152 * f32::from(g) + 0.0722 * f32::from(b);
        for step in 1..64 {
            assert!(luma(map.at(step as f32 / 63.0)) < luma(map.at((step - 1) as f32 / 63.0)), "step {step}");
        }
        assert_eq!((map.colour(0.5), map.colour(50.0)), (ANCHORS[0], ANCHORS[5]));
        assert_eq!(
            (map.colour(0.0), map.colour(f32::INFINITY), map.colour(f32::NAN)),
            (ANCHORS[0], ANCHORS[5], ANCHORS[5])
        );
    }

    #[test]
    fn ticks_are_round_and_within() {
        assert_eq!(ColourMap::new(0.5, 20.0).unwrap().ticks_m(), [0.5, 1.0, 2.0, 5.0, 10.0, 20.0]);
        assert_eq!(ColourMap::new(3.0, 4.0).unwrap().ticks_m(), Vec::<f32>::new());
        assert!(ColourMap::new(0.0, 4.0).is_none() && ColourMap::new(4.0, 4.0).is_none());
        assert!(ColourMap::new(1.0, f32::INFINITY).is_none() && ColourMap::new(f32::NAN, 1.0).is_none());
    }
}
