//! Plots as SVG inside the page: axes with round ticks, lines, steps and bars.
//!
//! All are [`WIDTH`] units wide and take the width of their column; text grows and shrinks with them.
//! Colours, dashes and fonts are those of the page's style sheet (`s0` … `s7`).

mod area;
mod bars;
mod plot;
mod scale;

pub(super) use area::Area;
pub(super) use bars::{Bar, bar_chart};
pub(super) use plot::{Axis, Plot, Series, Shape, figure, marker};
pub(super) use scale::{Scale, round_top, tick_label, ticks};

/// Width of every plot, its own units: those of 13 px text on a column of that many pixels.
pub(super) const WIDTH: f64 = 460.0;
/// How many series are told apart in one plot.
pub(super) const SERIES: usize = 8;

/// A coordinate: a tenth of a unit is finer than any screen.
pub(super) fn unit(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}
