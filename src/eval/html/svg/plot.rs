//! Series over two axes.

use super::{Area, SERIES, WIDTH, unit};
use crate::eval::html::{Escaped, escape};

/// Most markers on one line: more are a smear.
const MARKERS: usize = 12;
/// Height of the area, units.
const HEIGHT: f64 = 190.0;

/// One axis, from `min` to `max`.
#[derive(Clone, Copy, Debug)]
pub(in crate::eval::html) struct Axis {
    /// What it is, with its unit; plain text.
    pub title: &'static str,
    /// Value at its start.
    pub min: f64,
    /// Value at its end.
    pub max: f64,
}

/// How a series is drawn.
#[derive(Clone, Debug)]
pub(in crate::eval::html) enum Shape {
    /// A line through x, y; broken where a value is no number.
    Line(Vec<(f64, f64)>),
    /// A bar from x to x of height y each.
    Bars(Vec<(f64, f64, f64)>),
}

/// Values of one kind.
#[derive(Clone, Debug)]
pub(in crate::eval::html) struct Series {
    /// For the legend, plain text.
    pub name: String,
    /// The values.
    pub shape: Shape,
}

/// A plot with its legend.
#[derive(Clone, Debug)]
pub(in crate::eval::html) struct Plot {
    /// Heading, plain text.
    pub title: String,
    /// One sentence on how to read it, plain text.
    pub caption: String,
    /// Along.
    pub x: Axis,
    /// Up.
    pub y: Axis,
    /// At most [`SERIES`]; others are left out.
    pub series: Vec<Series>,
}

impl Plot {
    /// As a figure.
    pub fn html(&self) -> String {
        let (area, axes) = Area::new(&self.x, &self.y, HEIGHT);
        let mut svg = axes;
        let series = || self.series.iter().take(SERIES).map(|series| &series.shape).enumerate();
        // Lines are over bars.
        for (style, shape) in series() {
            if let Shape::Bars(bars) = shape {
                svg += &columns(&area, bars, style);
            }
        }
        for (style, shape) in series() {
            if let Shape::Line(points) = shape {
                svg += &line(&area, points, style);
            }
        }
        let legend = if self.series.len() > 1 { legend(&self.series) } else { String::new() };
        figure(&self.title, &self.caption, area.height(), &svg, &legend)
    }
}

/// A plot's frame: heading, picture, legend, caption. `svg` and `legend` are markup.
pub(in crate::eval::html) fn figure(
    title: &str,
    caption: &str,
    height: f64,
    svg: &str,
    legend: &str,
) -> String {
    let title = Escaped(title);
    format!(
        "<figure class=\"plot\"><h3>{title}</h3><svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{title}\">\n\
         {svg}</svg>{legend}<figcaption>{}</figcaption></figure>\n",
        unit(WIDTH),
        unit(height),
        Escaped(caption)
    )
}

fn line(area: &Area, points: &[(f64, f64)], style: usize) -> String {
    let at = |&(x, y): &(f64, f64)| area.x.at(x).zip(area.y.at(y));
    let (mut path, mut broken) = (String::new(), true);
    let mut shown = Vec::new();
    for point in points {
        let Some((x, y)) = at(point) else {
            broken = true;
            continue;
        };
        put!(path, "{}{} {}", if broken { "M" } else { "L" }, unit(x), unit(y));
        broken = false;
        shown.push((x, y));
    }
    let mut svg = format!("<path class=\"line s{style}\" d=\"{path}\"/>");
    let every = shown.len().div_ceil(MARKERS).max(1);
    // Those of different series are not at the same place where they can help it.
    for (x, y) in shown.iter().skip(if shown.len() > MARKERS { style % every } else { 0 }).step_by(every) {
        svg += &marker(*x, *y, style);
    }
    svg + "\n"
}

/// A marker of each style: disc, square, triangle, diamond, ring, box, cross, bar.
pub(in crate::eval::html) fn marker(x: f64, y: f64, style: usize) -> String {
    let path = match style % SERIES {
        0 | 4 => "m-3.6 0a3.6 3.6 0 1 0 7.2 0a3.6 3.6 0 1 0-7.2 0z",
        1 | 5 => "m-3.3-3.3h6.6v6.6h-6.6z",
        2 => "m0-4.4l4.2 7.4h-8.4z",
        3 => "m0-4.6l4.6 4.6l-4.6 4.6l-4.6-4.6z",
        6 => "m-3.6-3.6l7.2 7.2m0-7.2l-7.2 7.2",
        _ => "m0-4.4v8.8m-4.4-4.4h8.8",
    };
    let filled = if style % SERIES < 4 { "full" } else { "open" };
    format!("<path class=\"{filled} s{style}\" d=\"M{} {}{path}\"/>", unit(x), unit(y))
}

fn columns(area: &Area, bars: &[(f64, f64, f64)], style: usize) -> String {
    let mut svg = String::new();
    for (from, to, value) in bars {
        let (Some(left), Some(right), Some(top)) = (area.x.at(*from), area.x.at(*to), area.y.at(*value))
        else {
            continue;
        };
        put!(
            svg,
            "<rect class=\"bar s{style}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>",
            unit(left + 0.5),
            unit(top),
            unit((right - left - 1.0).max(0.5)),
            unit(area.rows.1 - top)
        );
    }
    svg + "\n"
}

fn legend(series: &[Series]) -> String {
    let mut html = "<ul class=\"legend\">".to_owned();
    for (style, series) in series.iter().take(SERIES).enumerate() {
        let sample = match series.shape {
            Shape::Line(_) => {
                format!("<path class=\"line s{style}\" d=\"M0 7H34\"/>{}", marker(17.0, 7.0, style))
            }
            Shape::Bars(_) => {
                format!("<rect class=\"bar s{style}\" x=\"10\" y=\"1\" width=\"14\" height=\"12\"/>")
            }
        };
        put!(
            html,
            "<li><svg viewBox=\"0 0 34 14\" width=\"34\" height=\"14\" aria-hidden=\"true\">{sample}</svg>{}</li>",
            escape::clipped(&series.name, 40)
        );
    }
    html + "</ul>"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plot(points: &[(f64, f64)], name: &str) -> String {
        let series = |name: &str| Series { name: name.to_owned(), shape: Shape::Line(points.to_vec()) };
        let axis = Axis { title: "recall", min: 0.0, max: 1.0 };
        Plot {
            title: "Precision <&> recall".to_owned(),
            caption: "a < b".to_owned(),
            x: axis,
            y: axis,
            series: vec![series(name), series("b")],
        }
        .html()
    }

    #[test]
    fn lines_break_where_values_are_missing_and_stay_inside() {
        let html = plot(&[(0.0, 0.0), (0.5, f64::NAN), (0.5, 1.0), (1.0, 9.0)], "<b>");
        let document = roxmltree::Document::parse(&html).unwrap();
        let path = document.descendants().find(|node| node.attribute("class") == Some("line s0")).unwrap();
        assert_eq!(path.attribute("d"), Some("M48 216M247 26L446 26"));
        let names: Vec<_> = document.descendants().filter(|n| n.has_tag_name("li")).collect();
        assert_eq!(names[0].descendants().find_map(|node| node.text()), Some("<b>"));
    }

    #[test]
    fn nothing_that_is_no_number_is_drawn() {
        let html = plot(&[(f64::NAN, 0.0), (0.0, f64::NAN), (f64::INFINITY, f64::NEG_INFINITY)], "a");
        assert!(!html.contains("NaN") && !html.contains("inf"), "{html}");
    }
}
