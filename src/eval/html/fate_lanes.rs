//! What became of the frames of a node over the time of the recording: a lane for those that were published, and
//! one for each reason of drops.

use std::collections::BTreeMap;

use super::svg::{SERIES, Scale, WIDTH, figure, marker, tick_label, ticks, unit};
use super::values::count;
use super::{Escaped, escape};
use crate::eval::run::FateTimeline;
use crate::replay::PUBLISHED;
use crate::sync::DropReason;

/// Left and right edge, units.
const SIDES: (f64, f64) = (10.0, WIDTH - 14.0);
/// Height of a lane with its name, units.
const LANE: f64 = 36.0;
/// Height of what is drawn in a lane.
const STRIP: f64 = 16.0;
/// Least height of a bar: one frame of many is seen too.
const LEAST: f64 = 4.0;
/// Room for the names of the ticks, and of the axis.
const BELOW: f64 = 40.0;
/// Most lanes; there are twelve reasons.
const LANES: usize = 14;
/// Most ticks.
const TICKS: usize = 7;

/// The figure of the node called `label`.
pub(super) fn fate_lanes(label: &str, timeline: &FateTimeline) -> String {
    let mut totals: BTreeMap<&str, u64> = BTreeMap::new();
    for (fate, frames) in timeline.steps.iter().flat_map(|step| &step.fates) {
        *totals.entry(fate).or_default() += frames;
    }
    totals.entry(PUBLISHED).or_default();
    let mut lanes: Vec<(&str, u64)> = totals.into_iter().collect();
    // What was published first, then the reasons, the most frequent first.
    lanes.sort_by_key(|(fate, frames)| (*fate != PUBLISHED, std::cmp::Reverse(*frames)));
    let shown = lanes.len().min(LANES);
    let x = Scale::new((0.0, timeline.seconds), SIDES);
    let bottom = LANE * shown as f64;
    let mut svg = String::new();
    for tick in ticks(0.0, timeline.seconds, TICKS) {
        let at = unit(x.at(tick).unwrap_or(SIDES.0));
        put!(svg, "<line class=\"grid\" x1=\"{at}\" x2=\"{at}\" y1=\"0\" y2=\"{}\"/>", unit(bottom));
        let name = tick_label(tick, timeline.seconds, TICKS);
        put!(svg, "<text class=\"mid\" x=\"{at}\" y=\"{}\">{name}</text>", unit(bottom + 17.0));
    }
    put!(
        svg,
        "<text class=\"end\" x=\"{}\" y=\"{}\">seconds of recording</text>\n",
        unit(SIDES.1),
        unit(bottom + 34.0)
    );
    for bag_s in &timeline.bags_at_s {
        let at = unit(x.at(*bag_s).unwrap_or(SIDES.0));
        put!(svg, "<path class=\"boundary\" d=\"M{at} 0V{}\"/>", unit(bottom));
    }
    for (row, (fate, frames)) in lanes.iter().enumerate().take(LANES) {
        let floor = LANE * (row + 1) as f64;
        let name = escape::clipped(fate, 40);
        put!(
            svg,
            "<text class=\"mark\" x=\"{}\" y=\"{}\">{name}: {frames}</text>",
            unit(SIDES.0),
            unit(floor - STRIP - 5.0)
        );
        svg += &lane(&x, timeline, fate, floor);
        put!(svg, "<path class=\"axis\" d=\"M{} {}H{}\"/>\n", unit(SIDES.0), unit(floor), unit(SIDES.1));
    }
    let dropped: u64 = lanes.iter().filter(|(fate, _)| *fate != PUBLISHED).map(|(_, frames)| frames).sum();
    let how = match timeline.step_s {
        None => "A mark is a frame.".to_owned(),
        Some(step_s) => format!("The height of a bar is a share of the frames of its {step_s:.2} s."),
    };
    let more = match lanes.len() - shown {
        0 => String::new(),
        rest => format!(" {rest} more reasons are in report.json."),
    };
    let caption =
        format!("{} by log time, {dropped} dropped. {how}{more}", count(timeline.frames, "frame", "frames"));
    let title = format!("Fate of the frames of {label}");
    figure(&title, &caption, bottom + BELOW, &svg, "")
}

/// Colour and marker of a fate: the same in each figure. There are more reasons than styles, but each lane has its
/// name.
fn style(fate: &str) -> usize {
    match DropReason::ALL.iter().position(|reason| reason.as_str() == fate) {
        _ if fate == PUBLISHED => 0,
        Some(place) => 1 + place % (SERIES - 1),
        None => SERIES - 1,
    }
}

/// Frames of one fate above `floor`.
fn lane(x: &Scale, timeline: &FateTimeline, fate: &str, floor: f64) -> String {
    let style = style(fate);
    let mut svg = String::new();
    let (mut path, mut bars) = (String::new(), String::new());
    for step in &timeline.steps {
        let Some(frames) = step.fates.get(fate).copied().filter(|frames| *frames > 0) else { continue };
        let Some(left) = x.at(step.at_s) else { continue };
        match timeline.step_s {
            // Those that were published are many and a plain row; what was dropped is looked for.
            None if fate == PUBLISHED => {
                put!(path, "M{} {}v{}", unit(left), unit(floor - STRIP + 2.0), STRIP - 4.0);
            }
            None => svg += &marker(left, floor - STRIP / 2.0, style),
            Some(step_s) => {
                let all: u64 = step.fates.values().sum();
                let height = (STRIP * frames as f64 / all.max(1) as f64).max(LEAST);
                let right = x.at(step.at_s + step_s).unwrap_or(left);
                put!(
                    bars,
                    "<rect class=\"lane s{style}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"><title>{} s: {frames} \
                     of {all}</title></rect>",
                    unit(left),
                    unit(floor - height),
                    unit((right - left).max(1.2)),
                    unit(height),
                    Escaped(format!("{:.2}", step.at_s))
                );
            }
        }
    }
    if !path.is_empty() {
        put!(svg, "<path class=\"tick s{style}\" d=\"{path}\"/>");
    }
    svg + &bars
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::run::FateStep;

    fn timeline(step_s: Option<f64>, steps: &[(f64, &[(&str, u64)])]) -> FateTimeline {
        let step = |(at_s, fates): &(f64, &[(&str, u64)])| FateStep {
            at_s: *at_s,
            fates: fates.iter().map(|(fate, frames)| ((*fate).to_owned(), *frames)).collect(),
        };
        let steps: Vec<FateStep> = steps.iter().map(step).collect();
        let frames = steps.iter().flat_map(|step| step.fates.values()).sum();
        FateTimeline { frames, seconds: 10.0, bags_at_s: vec![5.0], step_s, steps }
    }

    fn elements<'a>(document: &'a roxmltree::Document<'_>, class: &str) -> Vec<roxmltree::Node<'a, 'a>> {
        document.descendants().filter(|node| node.attribute("class") == Some(class)).collect()
    }

    #[test]
    fn each_frame_has_its_mark_in_the_lane_of_its_fate() {
        let steps: [(f64, &[(&str, u64)]); 4] = [
            (0.0, &[("published", 1)]),
            (2.5, &[("superseded", 1)]),
            (5.0, &[("<b>", 1)]),
            (10.0, &[("superseded", 1)]),
        ];
        let html = fate_lanes("depth", &timeline(None, &steps));
        let document = roxmltree::Document::parse(&html).unwrap();
        assert_eq!(elements(&document, "full s1").len(), 2, "a square each");
        assert_eq!(elements(&document, "open s7").len(), 1, "a cross for a reason that is not known");
        let published = elements(&document, "tick s0")[0].attribute("d").unwrap();
        assert_eq!(published.matches('M').count(), 1);
        let names: Vec<_> = elements(&document, "mark").iter().filter_map(roxmltree::Node::text).collect();
        assert_eq!(names, ["published: 1", "superseded: 2", "<b>: 1"]);
        assert_eq!(elements(&document, "boundary").len(), 1);
        assert!(html.contains("4 frames by log time, 3 dropped. A mark is a frame."), "{html}");
    }

    #[test]
    fn bars_are_shares_and_a_rare_drop_is_seen() {
        let steps: [(f64, &[(&str, u64)]); 2] = [
            (0.0, &[("published", 100), ("superseded", 100)]),
            (5.0, &[("published", 999), ("superseded", 1)]),
        ];
        let html = fate_lanes("depth", &timeline(Some(5.0), &steps));
        let document = roxmltree::Document::parse(&html).unwrap();
        let heights: Vec<&str> =
            elements(&document, "lane s1").iter().filter_map(|bar| bar.attribute("height")).collect();
        assert_eq!(heights, ["8", "4"]);
        assert!(html.contains("1 of 1000"), "{html}");
    }

    #[test]
    fn a_node_that_published_nothing_and_one_without_extent_are_shown() {
        let html = fate_lanes("depth", &timeline(None, &[(0.0, &[("no_camera_info", 1)])]));
        assert!(html.contains("published: 0") && html.contains("no_camera_info: 1"), "{html}");
        let mut still = timeline(Some(0.0), &[(0.0, &[("published", 300)])]);
        still.seconds = 0.0;
        let html = fate_lanes("depth", &still);
        assert!(!html.contains("NaN") && !html.contains("inf"), "{html}");
    }
}
