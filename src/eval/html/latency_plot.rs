//! How the latency of a node is distributed, with its percentiles and its budget.

use serde_json::Value as Json;

use super::svg::{Area, Axis, figure, round_top, unit};
use super::values::{number, short};

/// Most buckets that are drawn: from a microsecond to an hour there are 128.
const BUCKETS: usize = 128;
/// Height of the area, units.
const HEIGHT: f64 = 170.0;
/// Most labels along.
const LABELS: usize = 8;
/// Share of the height that bars may take: names of the marks are above.
const BARS: f64 = 0.72;

/// The figure of `node`, called `label`; empty where it tells no distribution.
pub(super) fn latency_plot(label: &str, node: &Json) -> String {
    let buckets = buckets(node);
    let (Some(first), Some(last)) = (buckets.first(), buckets.last()) else { return String::new() };
    let latency = node.get("latency_ms").unwrap_or(&Json::Null);
    let marks: Vec<(&str, &str, f64)> = [
        ("p50", "s7", number(latency, "p50")),
        ("p99", "s3", number(latency, "p99")),
        ("budget", "s1", node.get("budget").map_or(f64::NAN, |budget| number(budget, "ms"))),
    ]
    .into_iter()
    .filter(|(_, _, ms)| ms.is_finite() && *ms > 0.0)
    .collect();
    let (min_ms, max_ms) =
        marks.iter().fold((first.0, last.1), |(min, max), (_, _, ms)| (min.min(*ms), max.max(*ms)));
    // A little beyond, so that no mark is on an edge; equal steps are equal ratios.
    let x = Axis {
        title: "milliseconds, equal ratios equally wide",
        min: (min_ms / 1.1).log2(),
        max: (max_ms * 1.1).log2(),
    };
    let most = buckets.iter().map(|bucket| bucket.2).fold(0.0, f64::max);
    let y = Axis { title: "frames", min: 0.0, max: round_top([most / BARS]) };
    let (area, mut svg) = Area::labelled(&x, &labels(min_ms, max_ms), &y, HEIGHT);
    for (from, to, frames) in &buckets {
        let edges = area.x.at(from.log2()).zip(area.x.at(to.log2()));
        let (Some((left, right)), Some(top)) = (edges, area.y.at(*frames)) else { continue };
        if *frames > 0.0 {
            put!(
                svg,
                "<rect class=\"bar s0\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"><title>{} to {} ms: {frames}\
                 </title></rect>",
                unit(left + 0.5),
                unit(top),
                unit((right - left - 1.0).max(0.5)),
                unit(area.rows.1 - top),
                short(*from),
                short(*to)
            );
        }
    }
    for (row, (name, style, ms)) in marks.iter().enumerate() {
        let Some(at) = area.x.at(ms.log2()) else { continue };
        let text_y = area.rows.0 + 13.0 + 14.0 * row as f64;
        // Towards the middle, where there is room.
        let (side, class) =
            if at > area.sides.0.midpoint(area.sides.1) { (-5.0, "mark end") } else { (5.0, "mark") };
        put!(
            svg,
            "<path class=\"line {style}\" d=\"M{at} {}V{}\"/><text class=\"{class}\" x=\"{}\" y=\"{}\">{name} {} \
             ms</text>\n",
            unit(text_y - 10.0),
            unit(area.rows.1),
            unit(at + side),
            unit(text_y),
            short(*ms),
            at = unit(at)
        );
    }
    let misses = node.pointer("/budget/misses").and_then(Json::as_u64);
    let budget = misses.map_or(String::new(), |misses| format!(" {misses} took longer than the budget."));
    let caption =
        format!("Published frames by the time from a complete frame to its encoded outputs.{budget}");
    figure(&format!("Distribution of latency of {label}"), &caption, area.height(), &svg, "")
}

/// Lower and upper edge in milliseconds, and frames: those that make sense.
fn buckets(node: &Json) -> Vec<(f64, f64, f64)> {
    let listed = node.get("latency_histogram").and_then(Json::as_array).into_iter().flatten();
    let bucket = |of: &Json| {
        let (from, to, frames) = (number(of, "min_ms"), number(of, "max_ms"), number(of, "frames"));
        let makes_sense = 0.0 < from && from < to && to < 1e9 && (0.0..1e15).contains(&frames);
        makes_sense.then_some((from, to, frames))
    };
    listed.filter_map(bucket).take(BUCKETS).collect()
}

/// Ticks at 1, 2 and 5 times powers of ten, or at powers of ten where those are too many; by their logarithms.
fn labels(min_ms: f64, max_ms: f64) -> Vec<(f64, String)> {
    let at = |steps: &[f64]| -> Vec<f64> {
        (-4..9)
            .flat_map(|decade| steps.iter().map(move |step| step * 10_f64.powi(decade)))
            .filter(|tick| (min_ms / 1.1..=max_ms * 1.1).contains(tick))
            .collect()
    };
    let fine = at(&[1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0]);
    let usual = at(&[1.0, 2.0, 5.0]);
    let ticks = match (fine.len(), usual.len()) {
        (..=LABELS, _) => fine,
        (_, ..=LABELS) => usual,
        _ => at(&[1.0]),
    };
    let label = |tick: f64| {
        let decimals = if tick < 0.01 { 4 } else { 2 };
        let text = format!("{tick:.decimals$}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    };
    ticks.into_iter().map(|tick| (tick.log2(), label(tick))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn node() -> Json {
        json!({
            "latency_ms": { "p50": 20.0, "p99": 64.0 },
            "latency_histogram": [
                { "min_ms": 16.0, "max_ms": 19.03, "frames": 10 },
                { "min_ms": 19.03, "max_ms": 22.63, "frames": 30 },
                { "min_ms": 22.63, "max_ms": 26.91, "frames": 0 },
                { "min_ms": 26.91, "max_ms": 32.0, "frames": 2 },
            ],
            "budget": { "ms": 50.0, "misses": 1 },
        })
    }

    #[test]
    fn bars_are_as_high_as_their_frames_and_marks_are_where_they_belong() {
        let html = latency_plot("depth", &node());
        let document = roxmltree::Document::parse(&html).unwrap();
        let bars: Vec<f64> = document
            .descendants()
            .filter(|node| node.has_tag_name("rect"))
            .map(|bar| bar.attribute("height").unwrap().parse().unwrap())
            .collect();
        assert_eq!(bars.len(), 3, "an empty bucket has no bar");
        assert!((bars[1] / bars[0] - 3.0).abs() < 0.02 && (bars[0] / bars[2] - 5.0).abs() < 0.1, "{bars:?}");
        let place = |style: &str| -> f64 {
            let class = format!("line {style}");
            let line = document.descendants().find(|node| node.attribute("class") == Some(&class)).unwrap();
            line.attribute("d").unwrap()[1..].split(' ').next().unwrap().parse().unwrap()
        };
        assert!(place("s7") < place("s1") && place("s1") < place("s3"), "20 < 50 < 64");
        for text in ["p50 20.0 ms", "p99 64.0 ms", "budget 50.0 ms"] {
            assert!(html.contains(text), "{text}: {html}");
        }
        assert!(html.contains("1 took longer than the budget"));
    }

    #[test]
    fn what_makes_no_sense_is_not_drawn() {
        assert_eq!(latency_plot("depth", &json!({ "latency_ms": { "p50": 1.0 } })), "");
        let mut strange = node();
        strange["latency_histogram"] = json!([
            { "min_ms": 0.0, "max_ms": 1.0, "frames": 3 },
            { "min_ms": 4.0, "max_ms": 2.0, "frames": 3 },
            { "min_ms": 1.0, "max_ms": 2.0, "frames": -3 },
            "x",
        ]);
        assert_eq!(latency_plot("depth", &strange), "");
        strange = node();
        strange["budget"] = json!({ "ms": "soon" });
        strange["latency_ms"] = json!(7);
        let html = latency_plot("<depth>", &strange);
        assert!(!html.contains("NaN") && !html.contains("<depth>") && !html.contains("mark"), "{html}");
    }

    #[test]
    fn labels_are_few_and_round() {
        let text = |min, max| labels(min, max).into_iter().map(|(_, text)| text).collect::<Vec<_>>();
        assert_eq!(text(2.0, 13.0), ["2", "3", "4", "5", "7", "10"]);
        assert_eq!(text(0.5, 80.0), ["0.5", "1", "2", "5", "10", "20", "50"]);
        assert_eq!(text(0.001, 3_600_000.0).len(), 10);
        assert_eq!(text(0.001, 0.003), ["0.001", "0.0015", "0.002", "0.003"]);
    }
}
