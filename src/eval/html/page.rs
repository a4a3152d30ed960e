//! The page as a whole.

use std::path::Path;

use serde_json::Value as Json;

use super::svg::SERIES;
use super::{
    ClassCurve, DepthView, FrameMark, SweepView, ablation_part, depth_part, detection_part, environment,
    escape, pictures, timeline, timing, values,
};
use crate::eval::picture::PictureError;
use crate::eval::run::Report;
use crate::message::Stamp;

const STYLE: &str = include_str!("style.css");
/// Most notes that are shown.
const NOTES: usize = 60;

/// What the page is made of.
#[derive(Clone, Debug)]
pub struct Page<'a> {
    /// The report.
    pub report: &'a Report,
    /// Parameters by run; `None` where they are not known.
    pub configs: Vec<Option<&'a Json>>,
    /// Frames of depth, in their order.
    pub depth_frames: Vec<FrameMark>,
    /// Frames of detection, in their order.
    pub detection_frames: Vec<FrameMark>,
    /// Precision over recall of the classes.
    pub curves: Vec<ClassCurve>,
    /// The worst depth images.
    pub depth_views: Vec<DepthView>,
    /// The worst sweeps.
    pub sweep_views: Vec<SweepView>,
}

impl Page<'_> {
    /// The page as text; fails if a picture cannot be encoded.
    pub fn render(&self) -> Result<String, PictureError> {
        let report = self.report;
        let title = self.title();
        let mut html = format!(
            "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/>\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
             <meta name=\"color-scheme\" content=\"light dark\"/>\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src \
             'unsafe-inline'\"/>\n<title>{title}</title>\n<style>\n{STYLE}</style></head>\n<body><main>\n\
             <header><h1>{title}</h1>\n"
        );
        html += &self.verdict();
        let ablation = if report.ablation.is_some() { "<a href=\"#ablation\">Ablation</a> " } else { "" };
        put!(html, "<nav><a href=\"#depth\">Depth</a> {ablation}");
        html += "<a href=\"#detection\">Detection</a> <a \
                 href=\"#frames\">Frames</a> <a href=\"#times\">Times</a> <a href=\"#worst\">Worst frames</a> <a \
                 href=\"#environment\">Environment</a></nav></header>\n";
        html += &self.notes();
        html += &depth_part::part(report.depth.as_ref());
        html += &ablation_part::part(report.ablation.as_ref());
        html += &detection_part::part(report.detection.as_ref(), &self.curves);
        html += "<section id=\"frames\"><h2>Frame by frame</h2><div class=\"plots\">\n";
        for (title, figure, top, frames) in [
            ("Depth, frame by frame", "AbsRel of the image", 0.0, &self.depth_frames),
            ("Detection, frame by frame", "F1 at 2 m, score 0.3", 1.0, &self.detection_frames),
        ] {
            if frames.is_empty() {
                put!(html, "<p>{title}: there is no frame with a truth.</p>\n");
            } else {
                html += &timeline::timeline(title, figure, top, frames);
            }
        }
        html += "</div></section>\n";
        html += &timing::part(self);
        html += &pictures::part(self)?;
        html += &environment::part(self);
        Ok(html + "</main></body></html>\n")
    }

    /// A frame of a run, escaped.
    pub(super) fn frame(&self, run: usize, stamp: Stamp) -> String {
        let of = if self.report.runs.len() > 1 { format!("run {}, ", run + 1) } else { String::new() };
        format!("{of}stamp {stamp} s")
    }

    /// Something of a run, by its number where there are several; plain text.
    pub(super) fn of_run(&self, run: usize, name: &str) -> String {
        if self.report.runs.len() > 1 { format!("run {}: {name}", run + 1) } else { name.to_owned() }
    }

    fn title(&self) -> String {
        let base = |path: &str| {
            let base = Path::new(path).file_name().map(|base| base.to_string_lossy().into_owned());
            escape::clipped(&base.unwrap_or_else(|| path.to_owned()), 60)
        };
        let runs = &self.report.runs;
        let names: Vec<String> = runs.iter().take(3).map(|run| base(&run.path)).collect();
        let more = if runs.len() > 3 { format!(" and {} more", runs.len() - 3) } else { String::new() };
        format!("Evaluation of {}{more}", names.join(", "))
    }

    /// The figures that most look for, in one line each.
    fn verdict(&self) -> String {
        let mut html = "<dl class=\"verdict\">".to_owned();
        let mut item = |name: &str, value: &str, note: &str| {
            put!(html, "<div><dt>{name}</dt><dd>{value}</dd><dd class=\"note\">{note}</dd></div>");
        };
        match self.report.depth.as_ref().filter(|depth| depth.figures.frames > 0) {
            Some(depth) => {
                let of = &depth.figures.figures;
                let frames = values::count(depth.figures.frames, "depth image", "depth images");
                item("AbsRel", &values::figure(of.abs_rel), &frames);
                item("δ1", &values::figure(of.delta1), "share within 25 %");
                item("coverage", &values::percent(of.coverage), "of the truth's pixels");
            }
            None => item("depth", "–", "not scored"),
        }
        match self.report.detection.as_ref().filter(|detection| detection.figures.frames > 0) {
            Some(detection) => {
                let of = &detection.figures.nuscenes;
                let frames = values::count(detection.figures.frames, "sweep", "sweeps");
                item("mAP", &values::figure(of.map), &frames);
                item("NDS", &values::figure(of.nds3), "of three errors");
            }
            None => item("detection", "–", "not scored"),
        }
        let (lost, truth) = [
            self.report.depth.as_ref().map(|section| section.matching),
            self.report.detection.as_ref().map(|section| section.matching),
        ]
        .into_iter()
        .flatten()
        .fold((0, 0), |(lost, truth), matching| {
            (lost + matching.truth_without_output, truth + matching.truth)
        });
        if truth > 0 {
            item("no output", &lost.to_string(), &format!("of {truth} frames with truth"));
        }
        html + "</dl>\n"
    }

    fn notes(&self) -> String {
        let notes = &self.report.notes;
        if notes.is_empty() {
            return String::new();
        }
        let mut html = "<section id=\"notes\" class=\"notes\"><h2>Notes</h2><ul>\n".to_owned();
        for note in notes.iter().take(NOTES) {
            put!(html, "<li>{}</li>\n", escape::clipped(note, 1000));
        }
        if notes.len() > NOTES {
            put!(html, "<li>{} more are in report.json.</li>\n", notes.len() - NOTES);
        }
        html + "</ul></section>\n"
    }
}

// Every style of a series has its rule in the sheet.
const _: () = assert!(SERIES == 8);
