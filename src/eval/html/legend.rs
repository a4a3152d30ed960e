//! Colour scales of the pictures.

use super::diverging;
use super::svg::unit;
use crate::depth::DepthColours;

const WIDTH: f64 = 320.0;
const STRIPES: u32 = 64;

/// A strip of colours with labels below; `ticks` are shares of its width.
fn strip(label: &str, colour: impl Fn(f32) -> [u8; 3], ticks: &[(f64, String)]) -> String {
    let mut svg =
        format!("<svg class=\"scale\" viewBox=\"0 0 {WIDTH} 36\" role=\"img\" aria-label=\"{label}\">");
    let width = WIDTH / f64::from(STRIPES);
    for stripe in 0..STRIPES {
        let [r, g, b] = colour(stripe as f32 / (STRIPES - 1) as f32);
        let x = unit(f64::from(stripe) * width);
        // A little wider, so that no gap shows between two.
        put!(
            svg,
            "<rect x=\"{x}\" width=\"{}\" height=\"14\" fill=\"#{r:02x}{g:02x}{b:02x}\"/>",
            width + 0.5
        );
    }
    let mut last = f64::NEG_INFINITY;
    for (share, text) in ticks {
        let at = share * WIDTH;
        if at - last < 30.0 {
            continue;
        }
        last = at;
        let anchor = match at {
            at if at < 16.0 => "start",
            at if at > WIDTH - 24.0 => "end",
            _ => "mid",
        };
        put!(svg, "<text class=\"{anchor}\" x=\"{}\" y=\"30\">{text}</text>", unit(at));
    }
    svg + "</svg>"
}

/// Of depths.
pub(super) fn depth(colours: &DepthColours) -> String {
    let ticks: Vec<(f64, String)> = colours
        .ticks_m()
        .into_iter()
        .map(|tick| (f64::from(colours.share(tick)), format!("{tick} m")))
        .collect();
    strip("colours of depths", |share| colours.at_share(share), &ticks)
}

/// Of relative errors.
pub(super) fn error() -> String {
    let full = f64::from(diverging::FULL) * 100.0;
    let ticks = [
        (0.0, format!("−{full:.0} % too near")),
        (0.5, "0".to_owned()),
        (1.0, format!("too far +{full:.0} %")),
    ];
    strip("colours of errors", |share| diverging::colour((2.0 * share - 1.0) * diverging::FULL), &ticks)
}
