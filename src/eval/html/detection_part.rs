//! Figures of detection: tables, precision over recall, precision over range.

use super::svg::{Axis, Plot, SERIES, Series, Shape};
use super::table::Table;
use super::values::{count, figure};
use super::{ClassCurve, escape};
use crate::eval::detection::DetectionReport;
use crate::eval::run::DetectionSection;

/// Most classes that a caption names.
const NAMES: usize = 12;

/// The part of detection.
pub(super) fn part(detection: Option<&DetectionSection>, curves: &[ClassCurve]) -> String {
    let mut html = "<section id=\"detection\"><h2>Detection</h2>\n".to_owned();
    match detection {
        None => {
            html += "<p>There are no figures of detection: no output of it has a truth. The notes say more.</p>\n";
        }
        Some(section) if section.figures.frames == 0 => {
            let matching = &section.matching;
            put!(
                html,
                "<p>No sweep was scored: {}, {}, {} of both with one stamp, of which {} had no transform.</p>\n",
                count(matching.truth, "truth message", "truth messages"),
                count(matching.outputs, "output", "outputs"),
                matching.matched,
                section.without_transform
            );
        }
        Some(section) => html += &scored(section, curves),
    }
    html + "</section>\n"
}

fn scored(section: &DetectionSection, curves: &[ClassCurve]) -> String {
    let report = &section.figures;
    let detections: u64 = report.nuscenes.per_class.values().map(|class| class.detections).sum();
    let mut html = String::new();
    if detections == 0 {
        html += "<p class=\"note\">There is not one detection of a scored class within range.</p>\n";
    }
    html += &summary(report);
    html += &per_class(report);
    html += &kitti_levels(report);
    html += "<div class=\"plots\">\n";
    html += &precision_recall(curves);
    html += &over_range(report, curves);
    html += "</div>\n";
    html += &range_table(report);
    html + &left_out(section)
}

fn summary(report: &DetectionReport) -> String {
    let nuscenes = &report.nuscenes;
    let caption = format!("nuScenes, over {}", count(report.frames, "sweep", "sweeps"));
    let heads = ["classes", "mAP", "NDS", "ATE m", "ASE", "AOE rad"];
    let mut table = Table::new(&caption, &heads);
    let [ate, ase, aoe] = [nuscenes.ate, nuscenes.ase, nuscenes.aoe].map(figure);
    table.row(
        "with truth (NDS of three errors)",
        [figure(nuscenes.map), figure(nuscenes.nds3), ate, ase, aoe],
    );
    let [map, nds] = [nuscenes.map_devkit, nuscenes.nds_devkit].map(figure);
    table.row("all, as the devkit", [map, nds, String::new(), String::new(), String::new()]);
    table.finish()
}

fn per_class(report: &DetectionReport) -> String {
    let heads = [
        "class",
        "truth",
        "detections",
        "AP",
        "AP 0.5 m",
        "1 m",
        "2 m",
        "4 m",
        "ATE m",
        "ASE",
        "AOE rad",
        "AVE m/s",
        "R40 BEV",
        "R40 3D",
        "AP 3D",
        "APH 3D",
        "IoU >",
    ];
    let caption = "By class: detections that are scored, nuScenes by centre distance, KITTI at 40 recalls, Waymo \
                   plain and weighted by heading";
    let mut table = Table::new(caption, &heads);
    for (name, class) in &report.nuscenes.per_class {
        if class.truth == 0 && class.detections == 0 {
            continue;
        }
        let (kitti, waymo) = (report.kitti_r40.get(name), report.waymo.get(name));
        let of_kitti = |value: Option<f64>| figure(value.unwrap_or(f64::NAN));
        let mut cells = vec![class.truth.to_string(), class.detections.to_string(), figure(class.ap)];
        cells.extend(class.ap_by_distance.iter().map(|ap| figure(*ap)));
        cells.extend([class.ate, class.ase, class.aoe, class.ave.unwrap_or(f64::NAN)].map(figure));
        cells.extend([
            of_kitti(kitti.map(|found| found.bev)),
            of_kitti(kitti.map(|found| found.volume)),
            of_kitti(waymo.map(|found| found.ap)),
            of_kitti(waymo.map(|found| found.aph)),
            kitti.map_or_else(|| "–".to_owned(), |found| format!("{}", found.iou)),
        ]);
        table.row(name, cells);
    }
    table.finish()
}

/// By KITTI's difficulty; nothing where the truth does not tell it.
fn kitti_levels(report: &DetectionReport) -> String {
    if report.kitti_levels().next().is_none() {
        return String::new();
    }
    let caption =
        "By KITTI's difficulty, at 40 recalls: truth that is harder counts neither as found nor as missed";
    let mut table = Table::new(caption, &["class", "difficulty", "truth", "R40 BEV", "R40 3D"]);
    for (name, level, found) in report.kitti_levels() {
        table.row(name, [level.to_owned(), found.truth.to_string(), figure(found.bev), figure(found.volume)]);
    }
    table.finish()
}

fn precision_recall(curves: &[ClassCurve]) -> String {
    let found: Vec<&ClassCurve> = curves.iter().filter(|curve| !curve.points.is_empty()).collect();
    if found.is_empty() {
        return "<p>Nothing of any class was found within 2 m, so there is no precision over recall.</p>\n"
            .to_owned();
    }
    let mut caption = format!("Centres less than {} m apart, as far as recall goes.", ClassCurve::DISTANCE_M);
    let missed: Vec<String> = curves
        .iter()
        .filter(|curve| curve.points.is_empty())
        .map(|curve| curve.name.chars().take(40).collect())
        .collect();
    if let Some(first) = missed.get(..missed.len().min(NAMES)).filter(|first| !first.is_empty()) {
        let more = if missed.len() > NAMES { " …" } else { "" };
        put!(caption, " Not found at all: {}{more}.", first.join(", "));
    }
    if found.len() > SERIES {
        put!(caption, " The {SERIES} of {} classes with most truth are shown.", found.len());
    }
    let axis = |title| Axis { title, min: 0.0, max: 1.0 };
    Plot {
        title: "Precision over recall".to_owned(),
        caption,
        x: axis("recall"),
        y: axis("precision"),
        series: found
            .into_iter()
            .take(SERIES)
            .map(|curve| Series { name: curve.name.clone(), shape: Shape::Line(curve.points.clone()) })
            .collect(),
    }
    .html()
}

/// AP of each class by range; a class keeps its colour of the plot beside.
fn over_range(report: &DetectionReport, curves: &[ClassCurve]) -> String {
    let rows = &report.nuscenes.by_range;
    let classes: Vec<&ClassCurve> =
        curves.iter().filter(|curve| !curve.points.is_empty()).take(SERIES).collect();
    if rows.is_empty() || classes.is_empty() {
        return "<p>Nothing was found at any range, so there is no precision over range.</p>\n".to_owned();
    }
    let series = classes.into_iter().map(|class| {
        let at = rows.iter().map(|row| {
            let middle = row.min_m.midpoint(row.max_m);
            (middle, row.per_class.get(&class.name).copied().unwrap_or(f64::NAN))
        });
        Series { name: class.name.clone(), shape: Shape::Line(at.collect()) }
    });
    Plot {
        title: "AP over range".to_owned(),
        caption: "Mean over four centre distances in steps of 10 m from the LiDAR; gaps have no truth."
            .to_owned(),
        x: Axis {
            title: "range of the truth, m",
            min: 0.0,
            max: rows.iter().map(|row| row.max_m).fold(10.0, f64::max),
        },
        y: Axis { title: "AP", min: 0.0, max: 1.0 },
        series: series.collect(),
    }
    .html()
}

fn range_table(report: &DetectionReport) -> String {
    let rows = &report.nuscenes.by_range;
    if rows.is_empty() {
        return "<p>There is no truth box at any range.</p>\n".to_owned();
    }
    let heads: Vec<&str> =
        ["range", "truth", "mAP"].into_iter().chain(names(report).into_iter().map(String::as_str)).collect();
    let mut table = Table::new("AP by range and class", &heads);
    for row in rows {
        let mut cells = vec![row.truth.to_string(), figure(row.map)];
        let of = |name: &&String| figure(row.per_class.get(*name).copied().unwrap_or(f64::NAN));
        cells.extend(names(report).iter().map(of));
        table.row(&format!("{:.0} … {:.0} m", row.min_m, row.max_m), cells);
    }
    table.finish()
}

/// Classes with truth.
fn names(report: &DetectionReport) -> Vec<&String> {
    report.nuscenes.per_class.iter().filter(|(_, class)| class.truth > 0).map(|(name, _)| name).collect()
}

/// What was not scored.
fn left_out(section: &DetectionSection) -> String {
    let mut parts = vec![
        count(
            section.truth_without_points,
            "truth box that no LiDAR point is in",
            "truth boxes that no LiDAR point is in",
        ),
        count(section.unusable_boxes, "unusable box", "unusable boxes"),
    ];
    for (name, detections) in section.other_classes.iter().take(SERIES) {
        parts.push(format!("{detections} × {}, which the truth does not have", escape::name(name)));
    }
    format!("<p class=\"note\">Not scored: {}.</p>\n", parts.join("; "))
}
