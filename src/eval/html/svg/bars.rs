//! Horizontal bars with a range each.

use super::plot::figure;
use super::{Scale, WIDTH, round_top, tick_label, ticks, unit};
use crate::eval::html::{escape, values};

/// Room for the names, units.
const LEFT: f64 = 118.0;
/// Room for the numbers.
const RIGHT: f64 = 98.0;
const TOP: f64 = 6.0;
const ROW: f64 = 24.0;

/// A name with a value and a higher one.
#[derive(Clone, Debug)]
pub(in crate::eval::html) struct Bar {
    /// Plain text.
    pub name: String,
    /// Length of the bar.
    pub value: f64,
    /// End of the line behind it.
    pub high: f64,
}

/// A figure of bars from 0; `unit_name` is that of the values.
pub(in crate::eval::html) fn bar_chart(title: &str, caption: &str, unit_name: &str, bars: &[Bar]) -> String {
    let top = round_top(bars.iter().flat_map(|bar| [bar.value, bar.high]));
    let scale = Scale::new((0.0, top), (LEFT, WIDTH - RIGHT));
    let bottom = TOP + ROW * bars.len() as f64;
    let mut svg = String::new();
    for tick in ticks(0.0, top, 4) {
        let at = unit(scale.at(tick).unwrap_or(LEFT));
        put!(
            svg,
            "<line class=\"grid\" x1=\"{at}\" x2=\"{at}\" y1=\"{}\" y2=\"{}\"/><text class=\"mid\" x=\"{at}\" \
             y=\"{}\">{}</text>",
            unit(TOP),
            unit(bottom),
            unit(bottom + 17.0),
            tick_label(tick, top, 4)
        );
    }
    for (row, bar) in bars.iter().enumerate() {
        let middle = TOP + ROW * (row as f64 + 0.5);
        put!(
            svg,
            "<text class=\"end\" x=\"{}\" y=\"{}\">{}</text>",
            unit(LEFT - 6.0),
            unit(middle + 4.5),
            escape::clipped(&bar.name, 15)
        );
        if let Some(end) = scale.at(bar.value) {
            put!(
                svg,
                "<rect class=\"bar s0\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"13\"/>",
                unit(LEFT),
                unit(middle - 6.5),
                unit(end - LEFT)
            );
            if let Some(high) = scale.at(bar.high) {
                put!(
                    svg,
                    "<path class=\"whisker\" d=\"M{} {middle:.1}H{}m0-5v10\"/>",
                    unit(end),
                    unit(high),
                    middle = middle
                );
            }
        }
        put!(
            svg,
            "<text class=\"end\" x=\"{}\" y=\"{}\">{} / {}</text>\n",
            unit(WIDTH - 2.0),
            unit(middle + 4.5),
            values::short(bar.value),
            values::short(bar.high)
        );
    }
    put!(svg, "<path class=\"axis\" d=\"M{} {}V{}\"/>", unit(LEFT), unit(TOP), unit(bottom));
    put!(
        svg,
        "<text class=\"end\" x=\"{}\" y=\"{}\">{}</text>",
        unit(WIDTH - 2.0),
        unit(bottom + 17.0),
        escape::name(unit_name)
    );
    figure(title, caption, bottom + 26.0, &svg, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_end_where_their_values_are() {
        let bar = |name: &str, value, high| Bar { name: name.to_owned(), value, high };
        let bars = [bar("decode", 5.0, 10.0), bar("<model>", f64::NAN, 1.0)];
        let html = bar_chart("Stages", "", "ms", &bars);
        let document = roxmltree::Document::parse(&html).unwrap();
        let rects: Vec<_> = document.descendants().filter(|node| node.has_tag_name("rect")).collect();
        assert_eq!(rects.len(), 1);
        let full = WIDTH - RIGHT - LEFT;
        assert_eq!(rects[0].attribute("width"), Some(unit(full / 2.0).as_str()));
        assert!(document.descendants().any(|node| node.text() == Some("<model>")));
    }
}
