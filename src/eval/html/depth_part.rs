//! Figures of depth: tables, error over range, calibration of confidence.

use super::svg::{Axis, Plot, Series, Shape, round_top};
use super::table::Table;
use super::values::{count, figure, percent};
use crate::eval::depth::{DepthFigures, TRUTH_MAX_M};
use crate::eval::run::DepthSection;

/// The part of depth.
pub(super) fn part(depth: Option<&DepthSection>) -> String {
    let mut html = "<section id=\"depth\"><h2>Depth</h2>\n".to_owned();
    match depth {
        None => {
            html +=
                "<p>There are no figures of depth: no output of it has a truth. The notes say more.</p>\n";
        }
        Some(section) if section.figures.frames == 0 => {
            let matching = &section.matching;
            put!(
                html,
                "<p>No depth image was scored: {}, {}, {} of both with one stamp, of which {} could not be compared \
                 and {} had too little truth.</p>\n",
                count(matching.truth, "truth image", "truth images"),
                count(matching.outputs, "output", "outputs"),
                matching.matched,
                section.incomparable,
                section.figures.frames_with_too_little_truth
            );
        }
        Some(section) => html += &scored(section),
    }
    html + "</section>\n"
}

fn scored(section: &DepthSection) -> String {
    let report = &section.figures;
    let caption = format!(
        "Means over {} with truth from 0.2 to 80 m; AbsRel counts a pixel without depth as 1",
        count(report.frames, "image", "images")
    );
    let heads = [
        "pixels", "coverage", "AbsRel", "SqRel m", "RMSE m", "RMSE log", "log10", "SILog", "δ1", "δ2", "δ3",
        "share",
    ];
    let mut table = Table::new(&caption, &heads);
    table.row("all", cells(&report.figures, 1.0));
    if let Some(near) = &report.near_returns {
        table.row("near radar returns", cells(&near.figures, near.share));
    }
    if let Some(away) = &report.away_from_returns {
        table.row("away from them", cells(&away.figures, away.share));
    }
    let mut html = table.finish();
    html += "<div class=\"plots\">\n";
    html += &by_range(section);
    html += &by_confidence(section);
    html += "</div><div class=\"plots\">\n";

    let mut table = Table::new("By range of the truth", &["from … to", "AbsRel", "coverage", "share"]);
    for row in &report.by_range {
        let head = format!("{:.0} … {:.0} m", row.min_m, row.max_m);
        table.row(&head, [figure(row.abs_rel), percent(row.coverage), percent(row.share)]);
    }
    html += &table.finish();
    if !report.by_confidence.is_empty() {
        let mut table = Table::new("By confidence", &["from … to", "AbsRel", "coverage", "share"]);
        for row in &report.by_confidence {
            let head = format!("{:.1} … {:.1}", row.min, row.max);
            table.row(&head, [figure(row.abs_rel), percent(row.coverage), percent(row.share)]);
        }
        html += &table.finish();
    }
    html + "</div>\n"
}

fn cells(of: &DepthFigures, share: f64) -> [String; 11] {
    [
        percent(of.coverage),
        figure(of.abs_rel),
        figure(of.sq_rel),
        figure(of.rmse),
        figure(of.rmse_log),
        figure(of.log10),
        figure(of.silog),
        figure(of.delta1),
        figure(of.delta2),
        figure(of.delta3),
        percent(share),
    ]
}

fn by_range(section: &DepthSection) -> String {
    let rows = &section.figures.by_range;
    // Where only near things were seen, the rest of the axis would be empty.
    let farthest = rows.iter().map(|row| row.max_m).fold(0.0, f64::max);
    Plot {
        title: "Error over range".to_owned(),
        caption: "Mean of |p − g| / g over the pixels of each step of range.".to_owned(),
        x: Axis { title: "range of the truth, m", min: 0.0, max: farthest.clamp(5.0, TRUTH_MAX_M) },
        y: Axis { title: "AbsRel", min: 0.0, max: round_top(rows.iter().map(|row| row.abs_rel)) },
        series: vec![Series {
            name: "AbsRel".to_owned(),
            shape: Shape::Bars(rows.iter().map(|row| (row.min_m, row.max_m, row.abs_rel)).collect()),
        }],
    }
    .html()
}

fn by_confidence(section: &DepthSection) -> String {
    let rows = &section.figures.by_confidence;
    if rows.is_empty() {
        return "<p>The run has no confidence, so there is no calibration of it.</p>\n".to_owned();
    }
    Plot {
        title: "Calibration of confidence".to_owned(),
        caption:
            "Mean error of the pixels by their confidence: one that means something falls to the right. Bars \
                  are the share of the pixels."
                .to_owned(),
        x: Axis { title: "confidence", min: 0.0, max: 1.0 },
        y: Axis {
            title: "AbsRel, share",
            min: 0.0,
            max: round_top(rows.iter().flat_map(|row| [row.abs_rel, row.share])),
        },
        series: vec![
            Series {
                name: "AbsRel".to_owned(),
                shape: Shape::Line(rows.iter().map(|row| (row.min.midpoint(row.max), row.abs_rel)).collect()),
            },
            Series {
                name: "share".to_owned(),
                shape: Shape::Bars(rows.iter().map(|row| (row.min, row.max, row.share)).collect()),
            },
        ],
    }
    .html()
}
