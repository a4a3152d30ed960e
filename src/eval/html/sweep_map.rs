//! A sweep from above with truth and detections, as SVG over a picture of the points.

use nalgebra::Vector2;

use super::encode::grey_png;
use super::svg::{ticks, unit};
use super::sweep_view::{SIDE, ShownBox, SweepView};
use super::{escape, values};
use crate::eval::picture::PictureError;

/// Most captions.
const CAPTIONS: usize = 24;
/// Room that one takes, units: one that would cover another is left out.
const CAPTION: (f64, f64) = (74.0, 13.0);

/// The map, `SIDE` units a side.
pub(super) fn map(view: &SweepView) -> Result<String, PictureError> {
    let middle = SIDE as f64 / 2.0;
    let scale = middle / view.reach_m;
    let at = |x: f64, y: f64| (middle - y * scale, middle - x * scale);
    let mut svg = format!(
        "<svg class=\"map\" viewBox=\"0 0 {SIDE} {SIDE}\" role=\"img\" aria-label=\"sweep from above\">\n\
         <rect class=\"ground\" width=\"{SIDE}\" height=\"{SIDE}\"/>"
    );
    if let Some(points) = &view.points {
        let address = grey_png(points, [SIDE, SIDE])?;
        put!(svg, "<image width=\"{SIDE}\" height=\"{SIDE}\" href=\"{address}\"/>\n");
    }
    for radius in ticks(0.0, view.reach_m, 4).into_iter().filter(|radius| *radius > 0.0) {
        let label = at(-radius * std::f64::consts::FRAC_1_SQRT_2, -radius * std::f64::consts::FRAC_1_SQRT_2);
        put!(
            svg,
            "<circle class=\"ring\" cx=\"{middle}\" cy=\"{middle}\" r=\"{}\"/><text class=\"ring\" x=\"{}\" y=\"{}\">\
             {radius} m</text>",
            unit(radius * scale),
            unit(label.0),
            unit(label.1)
        );
    }
    put!(svg, "<path class=\"robot\" d=\"M{middle} {}l6 15h-12z\"/>\n", middle - 9.0);
    let mut captions = String::new();
    let mut taken: Vec<(f64, f64)> = Vec::new();
    for shown in &view.boxes {
        let Some((outline, corner)) = outline(shown, at) else { continue };
        let kind = kind(shown);
        let class = escape::clipped(&shown.class, 24);
        let score = shown.score.map(|score| format!(" {score:.2}")).unwrap_or_default();
        put!(svg, "<path class=\"{kind}\" d=\"{outline}\"><title>{kind}: {class}{score}</title></path>\n");
        let free = |(x, y): &(f64, f64)| (x - corner.0).abs() > CAPTION.0 || (y - corner.1).abs() > CAPTION.1;
        if !shown.matched && taken.len() < CAPTIONS && taken.iter().all(free) {
            taken.push(corner);
            put!(
                captions,
                "<text class=\"{kind}\" x=\"{}\" y=\"{}\">{class}{score}</text>\n",
                unit(corner.0 + 4.0),
                unit(corner.1)
            );
        }
    }
    Ok(svg + &captions + "</svg>")
}

/// Style and title of a box.
fn kind(shown: &ShownBox) -> &'static str {
    match (shown.score.is_some(), shown.matched) {
        (false, true) => "found",
        (false, false) => "missed",
        (true, true) => "right",
        (true, false) => "wrong",
    }
}

/// A path around the footprint with a line to its front, and its rightmost corner. `None` for boxes that are
/// not finite.
fn outline(shown: &ShownBox, at: impl Fn(f64, f64) -> (f64, f64)) -> Option<(String, (f64, f64))> {
    let of = &shown.box3d;
    let (sin, cos) = of.yaw.sin_cos();
    let corner = |along: f64, across: f64| {
        let offset = Vector2::new(along * of.size.x / 2.0, across * of.size.y / 2.0);
        at(of.center.x + offset.x * cos - offset.y * sin, of.center.y + offset.x * sin + offset.y * cos)
    };
    let corners = [(1.0, 1.0), (-1.0, 1.0), (-1.0, -1.0), (1.0, -1.0)].map(|(a, b)| corner(a, b));
    let nose = [corner(0.0, 0.0), corner(1.0, 0.0)];
    let near = |(x, y): &(f64, f64)| x.abs() < 1e4 && y.abs() < 1e4;
    if !corners.iter().chain(&nose).all(near) {
        return None;
    }
    let mut path = String::new();
    for (index, (x, y)) in corners.iter().enumerate() {
        put!(path, "{}{} {}", if index == 0 { "M" } else { "L" }, unit(*x), unit(*y));
    }
    let [(x, y), (to_x, to_y)] = nose;
    put!(path, "ZM{} {}L{} {}", unit(x), unit(y), unit(to_x), unit(to_y));
    let right = corners.into_iter().reduce(|best, next| if next.0 > best.0 { next } else { best })?;
    Some((path, right))
}

/// What the lines mean.
pub(super) fn legend() -> String {
    let kinds = [
        ("found", "truth that was found"),
        ("missed", "truth that was missed"),
        ("right", "right detection"),
        ("wrong", "wrong detection"),
    ];
    let mut html = "<ul class=\"legend\">".to_owned();
    for (kind, text) in kinds {
        put!(
            html,
            "<li><svg class=\"map\" viewBox=\"0 0 34 14\" width=\"34\" height=\"14\" aria-hidden=\"true\"><rect \
             class=\"ground\" width=\"34\" height=\"14\"/><path class=\"{kind}\" d=\"M3 7H31\"/></svg>{text}</li>"
        );
    }
    html + "</ul>"
}

/// Truth, found, missed, wrong.
pub(super) fn counts(view: &SweepView) -> String {
    let figures = &view.figures;
    format!(
        "{}: {} found, {} missed; {}",
        values::count(u64::from(figures.truth), "truth box", "truth boxes"),
        figures.found,
        figures.missed,
        values::count(u64::from(figures.wrong), "wrong detection", "wrong detections")
    )
}
