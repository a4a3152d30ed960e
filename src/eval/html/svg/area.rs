//! The area of a plot with its axes.

use super::{Axis, Scale, WIDTH, tick_label, ticks, unit};
use crate::eval::html::Escaped;

const LEFT: f64 = 48.0;
const RIGHT: f64 = 14.0;
const TOP: f64 = 26.0;
/// Ticks and title of the horizontal axis.
const BOTTOM: f64 = 42.0;
/// Least distance of ticks along and up, units: about that of their labels.
const TICK_EVERY: (f64, f64) = (60.0, 24.0);

/// The area that values are drawn in.
#[derive(Clone, Copy, Debug)]
pub(in crate::eval::html) struct Area {
    /// Values along to units.
    pub x: Scale,
    /// Values up to units.
    pub y: Scale,
    /// Left and right edge, units.
    pub sides: (f64, f64),
    /// Upper and lower edge, units.
    pub rows: (f64, f64),
}

impl Area {
    /// An area `height` units high with room for its axes, and what is to be drawn first: grid, ticks, titles.
    pub fn new(x: &Axis, y: &Axis, height: f64) -> (Self, String) {
        let count = ((WIDTH - RIGHT - LEFT) / TICK_EVERY.0) as usize;
        let label = |tick| (tick, tick_label(tick, x.max - x.min, count));
        let labels: Vec<_> = ticks(x.min, x.max, count).into_iter().map(label).collect();
        Self::labelled(x, &labels, y, height)
    }

    /// As [`Area::new`], with the ticks along given: values and what is written there.
    pub fn labelled(x: &Axis, labels: &[(f64, String)], y: &Axis, height: f64) -> (Self, String) {
        let sides = (LEFT, WIDTH - RIGHT);
        let rows = (TOP, TOP + height);
        let area = Self {
            x: Scale::new((x.min, x.max), sides),
            y: Scale::new((y.min, y.max), (rows.1, rows.0)),
            sides,
            rows,
        };
        let mut svg = String::new();
        let (left, right) = (unit(sides.0), unit(sides.1));
        let count = (height / TICK_EVERY.1) as usize;
        for tick in ticks(y.min, y.max, count) {
            let Some(at) = area.y.at(tick) else { continue };
            let line = unit(at);
            put!(svg, "<line class=\"grid\" x1=\"{left}\" x2=\"{right}\" y1=\"{line}\" y2=\"{line}\"/>");
            let label = tick_label(tick, y.max - y.min, count);
            put!(
                svg,
                "<text class=\"end\" x=\"{}\" y=\"{}\">{label}</text>",
                unit(sides.0 - 6.0),
                unit(at + 4.5)
            );
        }
        let (top, bottom) = (unit(rows.0), unit(rows.1));
        for (tick, label) in labels {
            let Some(at) = area.x.at(*tick) else { continue };
            let line = unit(at);
            put!(svg, "<line class=\"grid\" x1=\"{line}\" x2=\"{line}\" y1=\"{top}\" y2=\"{bottom}\"/>");
            put!(svg, "<text class=\"mid\" x=\"{line}\" y=\"{}\">{label}</text>", unit(rows.1 + 17.0));
        }
        put!(svg, "<path class=\"axis\" d=\"M{left} {top}V{bottom}H{right}\"/>");
        put!(svg, "<text x=\"2\" y=\"15\">{}</text>", Escaped(y.title));
        put!(
            svg,
            "<text class=\"end\" x=\"{right}\" y=\"{}\">{}</text>\n",
            unit(rows.1 + 35.0),
            Escaped(x.title)
        );
        (area, svg)
    }

    /// Height of a picture with nothing below the axis.
    pub fn height(&self) -> f64 {
        self.rows.1 + BOTTOM
    }
}
