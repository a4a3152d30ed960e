//! The comparison as a picture.

use std::fmt::Write;

use crate::Seen;
use crate::histogram::Comparison;

/// Colour of what is real.
pub const REAL: &str = "#1b6ca8";
/// And of what is simulated.
pub const SIMULATED: &str = "#d9662b";
const INK: &str = "#333";

/// Pixels of a panel, with its margins, and inside of them.
const PANEL: [f32; 2] = [320.0, 220.0];
const LEFT: f32 = 44.0;
const TOP: f32 = 30.0;
const INNER: [f32; 2] = [260.0, 150.0];
const COLUMNS: usize = 3;
/// Most that a bird's-eye view shows, metres ahead and to the sides.
const AHEAD_M: f32 = 300.0;
const ASIDE_M: f32 = 75.0;

/// Panels, row by row, as SVG.
#[derive(Default)]
pub struct Plot {
    body: String,
    panels: usize,
}

impl Plot {
    /// Returns a frame in several scenes, as dots, with the real ones' limits and median.
    pub fn counts(&mut self, scenes: &[(&str, Vec<usize>)], [least, median, most]: [usize; 3]) {
        let highest = scenes.iter().flat_map(|(_, counts)| counts).copied().max().unwrap_or(0).max(most);
        let top = 10.0 * ((highest as f32 + 5.0) / 10.0).ceil();
        self.begin("returns a frame, AWR1843AOP indoors");
        self.ticks(&[0.0, 0.5 * top, top], top);
        let y = |count: usize| INNER[1] * (1.0 - count as f32 / top);
        let band = y(least) - y(most);
        self.add(&format!(
            "<rect x='0' y='{:.1}' width='{}' height='{band:.1}' fill='{REAL}' opacity='0.15'/>",
            y(most),
            INNER[0]
        ));
        self.line([0.0, y(median)], [INNER[0], y(median)], REAL);
        self.text([4.0, y(most) + 12.0], "start", &format!("real: {least} to {most}, median {median}"));
        let width = INNER[0] / scenes.len().max(1) as f32;
        for (number, (scene, counts)) in scenes.iter().enumerate() {
            let left = number as f32 * width;
            for (index, &count) in counts.iter().enumerate() {
                let x = left + width * (0.2 + 0.6 * index as f32 / counts.len() as f32);
                self.dot([x, y(count)], SIMULATED);
            }
            self.text([left + 0.5 * width, INNER[1] + 14.0], "middle", scene);
        }
        self.end();
    }

    /// Shares in bins, drawn equally wide.
    pub fn histogram(&mut self, comparison: &Comparison) {
        let most = comparison.shares.iter().flatten().copied().fold(5.0, f32::max);
        // Room for the distance.
        let top = 10.0 * ((most + 4.0) / 10.0).ceil();
        let Comparison { name, moved, misplaced, .. } = comparison;
        self.begin(name);
        self.ticks(&[0.0, 0.5 * top, top], top);
        self.text([INNER[0], 10.0], "end", &format!("distance {moved:.1}, misplaced {misplaced:.0} %"));
        let width = INNER[0] / (comparison.limits.len() - 1) as f32;
        for (which, (shares, colour)) in comparison.shares.iter().zip([REAL, SIMULATED]).enumerate() {
            for (bin, share) in shares.iter().enumerate() {
                let (x, height) = ((bin as f32 + 0.1 + 0.4 * which as f32) * width, INNER[1] * share / top);
                self.add(&format!(
                    "<rect x='{x:.1}' y='{:.1}' width='{:.1}' height='{height:.1}' fill='{colour}'/>",
                    INNER[1] - height,
                    0.4 * width
                ));
            }
        }
        for (number, limit) in comparison.limits.iter().enumerate() {
            let below = [number as f32 * width, INNER[1] + 14.0];
            self.add(&format!(
                "<text x='{:.1}' y='{:.1}' text-anchor='middle' font-size='9'>{limit}</text>",
                below[0], below[1]
            ));
        }
        self.end();
    }

    /// Where returns are: ahead is to the right.
    pub fn birds_eye(&mut self, title: &str, seen: &[Seen], colour: &str) {
        self.begin(&format!("{title} from above, {} returns", seen.len()));
        for s in seen {
            let ((sin, cos), flat) =
                (s.azimuth_deg.to_radians().sin_cos(), s.range_m * s.elevation_deg.to_radians().cos());
            let (ahead, aside) = (flat * cos, flat * sin);
            if aside.abs() < ASIDE_M && ahead < AHEAD_M {
                let y = 0.5 * INNER[1] * (1.0 - aside / ASIDE_M);
                self.dot([INNER[0] * ahead / AHEAD_M, y], colour);
            }
        }
        for ahead in [0.0, 100.0, 200.0, 300.0] {
            let at = [INNER[0] * ahead / AHEAD_M, INNER[1] + 14.0];
            self.text(at, "middle", &format!("{ahead} m"));
        }
        for aside in [-50.0, 0.0, 50.0] {
            let y = 0.5 * INNER[1] * (1.0 - aside / ASIDE_M);
            self.text([-5.0, y + 4.0], "end", &format!("{aside}"));
        }
        self.end();
    }

    /// The picture.
    pub fn finish(self) -> String {
        let rows = self.panels.div_ceil(COLUMNS);
        let (width, height) = (PANEL[0] * COLUMNS as f32, PANEL[1] * rows as f32 + 24.0);
        let key = |x: f32, colour: &str, name: &str| {
            format!(
                "<rect x='{x}' y='{}' width='12' height='12' fill='{colour}'/><text x='{}' y='{}'>{name}</text>",
                height - 20.0,
                x + 18.0,
                height - 10.0
            )
        };
        format!(
            "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {height}' font-family='sans-serif' \
             font-size='11' fill='{INK}'>\n<rect width='{width}' height='{height}' fill='white'/>\n{}{}{}\n</svg>\n",
            self.body,
            key(LEFT, REAL, "real"),
            key(LEFT + 80.0, SIMULATED, "simulated")
        )
    }

    fn begin(&mut self, title: &str) {
        let (row, column) = (self.panels / COLUMNS, self.panels % COLUMNS);
        let (x, y) = (PANEL[0] * column as f32 + LEFT, PANEL[1] * row as f32 + TOP);
        self.panels += 1;
        self.add(&format!("<g transform='translate({x} {y})'>"));
        self.add(&format!("<text x='0' y='-10' font-weight='bold'>{title}</text>"));
        let [width, height] = INNER;
        self.add(&format!("<path d='M0 0V{height}H{width}' fill='none' stroke='{INK}'/>"));
    }

    fn ticks(&mut self, values: &[f32], top: f32) {
        for value in values {
            self.text([-5.0, INNER[1] * (1.0 - value / top) + 4.0], "end", &value.to_string());
        }
    }

    fn end(&mut self) {
        self.add("</g>");
    }

    fn dot(&mut self, [x, y]: [f32; 2], colour: &str) {
        self.add(&format!("<circle cx='{x:.1}' cy='{y:.1}' r='1.6' fill='{colour}'/>"));
    }

    fn line(&mut self, [x, y]: [f32; 2], [to_x, to_y]: [f32; 2], colour: &str) {
        self.add(&format!("<path d='M{x} {y:.1}L{to_x} {to_y:.1}' stroke='{colour}'/>"));
    }

    fn text(&mut self, [x, y]: [f32; 2], anchor: &str, text: &str) {
        self.add(&format!("<text x='{x:.1}' y='{y:.1}' text-anchor='{anchor}'>{text}</text>"));
    }

    fn add(&mut self, element: &str) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.body, "{element}");
    }
}
