//! Frame by frame: figures and frames without.

use super::svg::{Area, Axis, round_top, unit};
use super::values::count;
use super::{Escaped, Fate, FrameMark};

/// Most steps along; longer recordings have several frames in one.
const STEPS: usize = 200;
/// Height of the area of figures, units.
const HEIGHT: f64 = 120.0;
/// Height of a lane with its name, units.
const LANE: f64 = 30.0;

/// What is in one step.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Step {
    /// Run of its first frame
    run: usize,
    scored: u64,
    sum: f64,
    low: f64,
    high: f64,
    not_published: u64,
    without_truth: u64,
    not_compared: u64,
}

impl Step {
    fn add(&mut self, fate: Fate) {
        match fate {
            Fate::Scored(figure) => {
                (self.low, self.high) = if self.scored == 0 {
                    (figure, figure)
                } else {
                    (self.low.min(figure), self.high.max(figure))
                };
                self.sum += figure;
                self.scored += 1;
            }
            Fate::NotCompared => self.not_compared += 1,
            Fate::NotPublished => self.not_published += 1,
            Fate::WithoutTruth => self.without_truth += 1,
        }
    }
}

/// How often each kind of frame without a figure is, with its style and name.
type Lane = (&'static str, &'static str, fn(&Step) -> u64);
const LANES: [Lane; 3] = [
    ("dropped", "truth without an output: dropped or never triggered", |step| step.not_published),
    ("alone", "output without truth", |step| step.without_truth),
    ("unlike", "not compared", |step| step.not_compared),
];

/// The timeline of one task: `figure` is what is scored, at least up to `top`.
pub(super) fn timeline(title: &str, figure: &'static str, top: f64, frames: &[FrameMark]) -> String {
    let lost: Vec<(Lane, u64)> = LANES
        .iter()
        .map(|lane| (*lane, frames.iter().map(|mark| (lane.2)(&one(mark.fate))).sum::<u64>()))
        .filter(|(_, total)| *total > 0)
        .collect();
    let scored = frames.iter().filter(|mark| matches!(mark.fate, Fate::Scored(_))).count();
    let told: Vec<String> = lost.iter().map(|((_, name, _), total)| format!("{name}: {total}")).collect();
    let told = if told.is_empty() { "every frame has its figure".to_owned() } else { told.join("; ") };
    if scored == 0 {
        return format!("<p>{}: no frame has a figure; {}.</p>\n", Escaped(title), Escaped(told));
    }
    let per_step = frames.len().div_ceil(STEPS).max(1);
    let steps: Vec<Step> = frames.chunks(per_step).map(merged).collect();
    let y_top = round_top(steps.iter().filter(|step| step.scored > 0).map(|step| step.high)).max(top);
    let x = Axis { title: "frame", min: 0.0, max: frames.len() as f64 };
    let (area, mut svg) = Area::new(&x, &Axis { title: figure, min: 0.0, max: y_top }, HEIGHT);
    svg += &curve(&area, &steps, per_step);
    svg += &boundaries(&area, frames);
    let mut below = area.height();
    for ((style, name, of), _) in &lost {
        put!(svg, "<text x=\"{}\" y=\"{}\">{name}</text>", unit(area.sides.0), unit(below + 10.0));
        for (index, step) in steps.iter().enumerate().filter(|(_, step)| of(step) > 0) {
            let [left, right] = [index, index + 1].map(|i| area.x.at((i * per_step) as f64).unwrap_or(0.0));
            put!(
                svg,
                "<rect class=\"lane {style}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"11\"><title>{}</title></rect>",
                unit(left),
                unit(below + 14.0),
                unit((right - left).max(1.2)),
                of(step)
            );
        }
        put!(
            svg,
            "<path class=\"axis\" d=\"M{} {}H{}\"/>\n",
            unit(area.sides.0),
            unit(below + 26.0),
            unit(area.sides.1)
        );
        below += LANE;
    }
    let steps_told = match per_step {
        1 => String::new(),
        more => format!(" A step is the mean of {more} frames, the band their lowest to highest."),
    };
    let stamps = match (frames.first(), frames.last()) {
        (Some(first), Some(last)) => format!(" (stamps {} to {} s)", first.stamp, last.stamp),
        _ => String::new(),
    };
    let caption = format!(
        "{} in their order{stamps}, {scored} scored; {told}.{steps_told} Reasons of drops are in the table of the runs.",
        count(frames.len() as u64, "frame", "frames")
    );
    super::svg::figure(title, &caption, below + 4.0, &svg, "")
}

fn one(fate: Fate) -> Step {
    let mut step = Step::default();
    step.add(fate);
    step
}

fn merged(frames: &[FrameMark]) -> Step {
    let mut step = Step { run: frames.first().map_or(0, |mark| mark.run), ..Step::default() };
    for mark in frames {
        step.add(mark.fate);
    }
    step
}

/// The mean of each step, broken where there is none and between runs, over a band from lowest to highest.
fn curve(area: &Area, steps: &[Step], per_step: usize) -> String {
    let (mut line, mut band, mut broken) = (String::new(), String::new(), true);
    let mut dots = String::new();
    let mut run = 0;
    for (index, step) in steps.iter().enumerate() {
        broken |= std::mem::replace(&mut run, step.run) != step.run;
        if step.scored == 0 {
            broken = true;
            continue;
        }
        let at = |value: f64| area.y.at(value).unwrap_or(area.rows.1);
        let x = area.x.at((index as f64 + 0.5) * per_step as f64).unwrap_or(0.0);
        let y = at(step.sum / step.scored as f64);
        put!(line, "{}{} {}", if broken { "M" } else { "L" }, unit(x), unit(y));
        broken = false;
        if steps.len() <= 60 {
            put!(dots, "<circle class=\"full s0\" cx=\"{}\" cy=\"{}\" r=\"2.2\"/>", unit(x), unit(y));
        }
        if step.high > step.low {
            put!(band, "M{} {}V{}", unit(x), unit(at(step.low)), unit(at(step.high)));
        }
    }
    format!("<path class=\"band s0\" d=\"{band}\"/><path class=\"line s0\" d=\"{line}\"/>{dots}\n")
}

/// Where the next run begins.
fn boundaries(area: &Area, frames: &[FrameMark]) -> String {
    let mut svg = String::new();
    let ends = frames.windows(2).enumerate().filter(|(_, pair)| matches!(pair, [a, b] if a.run != b.run));
    for (index, _) in ends.take(100) {
        let x = unit(area.x.at(index as f64 + 1.0).unwrap_or(0.0));
        put!(svg, "<path class=\"boundary\" d=\"M{x} {}V{}\"/>", unit(area.rows.0), unit(area.rows.1));
    }
    svg
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Stamp;

    fn marks(fates: impl Iterator<Item = Fate>) -> Vec<FrameMark> {
        (0..)
            .zip(fates)
            .map(|(sequence, fate)| FrameMark { sequence, run: 0, stamp: Stamp(0), fate })
            .collect()
    }

    #[test]
    fn every_frame_is_shown_or_told() {
        let fates = (0..2000).map(|i| if i % 100 == 7 { Fate::NotPublished } else { Fate::Scored(0.1) });
        let html = timeline("Depth", "AbsRel", 0.0, &marks(fates));
        let document = roxmltree::Document::parse(&html).unwrap();
        let told: u64 = document
            .descendants()
            .filter(|node| node.has_tag_name("rect"))
            .flat_map(|node| node.descendants().filter_map(|inner| inner.text()?.parse::<u64>().ok()).take(1))
            .sum();
        assert_eq!(told, 20);
        assert!(html.contains("mean of 10 frames") && html.contains("1980 scored"), "{html}");
        assert!(html.len() < 40_000, "{}", html.len());
    }

    #[test]
    fn runs_are_not_joined() {
        let mut frames = marks([Fate::Scored(0.1); 4].into_iter());
        frames.iter_mut().skip(2).for_each(|mark| mark.run = 1);
        let html = timeline("Depth", "AbsRel", 0.0, &frames);
        let document = roxmltree::Document::parse(&html).unwrap();
        let line = document.descendants().find(|node| node.attribute("class") == Some("line s0")).unwrap();
        assert_eq!(line.attribute("d").unwrap().matches('M').count(), 2);
        assert_eq!(html.matches("boundary").count(), 1);
    }

    #[test]
    fn without_a_figure_there_are_words_and_no_plot() {
        let html = timeline("Depth", "AbsRel", 0.0, &marks([Fate::NotPublished; 4].into_iter()));
        assert!(
            !html.contains("<svg") && html.contains("without an output") && html.contains(": 4"),
            "{html}"
        );
    }
}
