//! Histograms of real and simulated returns, as tables and as SVG.

#![allow(clippy::print_stdout, reason = "its purpose")]

use std::fmt::Write;

/// Shares in equal bins from zero, percent; the last has all that is beyond.
pub struct Curve {
    label: &'static str,
    shares: Vec<f32>,
}

impl Curve {
    pub fn new(label: &'static str, values: &[f32], width: f32, bins: usize) -> Self {
        let mut shares = vec![0.0; bins];
        let one = 100.0 / values.len().max(1) as f32;
        for value in values {
            let bin = (value / width).max(0.0) as usize;
            if let Some(share) = shares.get_mut(bin.min(bins.saturating_sub(1))) {
                *share += one;
            }
        }
        Self { label, shares }
    }
}

/// One histogram.
pub struct Panel {
    pub title: String,
    /// Of a bin.
    pub width: f32,
    pub real: Curve,
    pub simulated: Curve,
}

impl Panel {
    /// Prints it as a table.
    pub fn print(&self) {
        println!(
            "\n| {} | {}, % | {}, % |\n|---|---|---|",
            self.title, self.real.label, self.simulated.label
        );
        for (bin, (real, simulated)) in self.real.shares.iter().zip(&self.simulated.shares).enumerate() {
            println!("| {}… | {real:.1} | {simulated:.1} |", bin as f32 * self.width);
        }
    }
}

/// Size of a panel and of the margins about its axes.
const SIZE: [f32; 2] = [340.0, 220.0];
const MARGIN: [f32; 2] = [36.0, 28.0];

/// The panels side by side.
pub fn svg(panels: &[Panel]) -> String {
    let [width, height] = [SIZE[0] * panels.len() as f32, SIZE[1]];
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"sans-serif\" font-size=\"11\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    for (index, panel) in panels.iter().enumerate() {
        draw(&mut out, panel, SIZE[0] * index as f32);
    }
    out.push_str("</svg>\n");
    out
}

fn draw(out: &mut String, panel: &Panel, left: f32) {
    let bins = panel.real.shares.len();
    let most = panel.real.shares.iter().chain(&panel.simulated.shares).fold(1.0_f32, |a, &b| a.max(b));
    let (x0, y0) = (left + MARGIN[0], SIZE[1] - MARGIN[1]);
    let step = (SIZE[0] - MARGIN[0] - 12.0) / bins as f32;
    let x = |bin: usize| x0 + step * bin as f32;
    let y = |share: f32| y0 - (y0 - MARGIN[1] - 6.0) * share / most;
    // Writing to a String cannot fail.
    let _ = writeln!(out, "<text x=\"{x0}\" y=\"16\" font-weight=\"bold\">{}</text>", panel.title);
    for (bin, &share) in panel.real.shares.iter().enumerate() {
        let (at, top) = (x(bin), y(share));
        let _ = writeln!(
            out,
            "<rect x=\"{at:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{:.1}\" fill=\"#b8b8b8\"/>",
            step - 0.6,
            y0 - top
        );
    }
    let mut line = format!("M{:.1} {y0:.1}", x(0));
    for (bin, &share) in panel.simulated.shares.iter().enumerate() {
        let _ = write!(line, " V{:.1} H{:.1}", y(share), x(bin + 1));
    }
    let _ =
        writeln!(out, "<path d=\"{line} V{y0:.1}\" fill=\"none\" stroke=\"#c0392b\" stroke-width=\"1.6\"/>");
    let _ = writeln!(out, "<path d=\"M{x0} {y0} H{:.1}\" stroke=\"black\"/>", x(bins));
    for bin in (0..=bins).step_by(if bins > 20 { 5 } else { 4 }) {
        let value = bin as f32 * panel.width;
        let _ = writeln!(
            out,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{value}</text>",
            x(bin),
            y0 + 14.0
        );
    }
    let _ = writeln!(
        out,
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{most:.0} %</text>",
        x0 - 4.0,
        y(most) + 4.0
    );
    for (row, (label, colour)) in
        [(panel.real.label, "#888888"), (panel.simulated.label, "#c0392b")].into_iter().enumerate()
    {
        let at = 40.0 + 14.0 * row as f32;
        let _ = writeln!(
            out,
            "<text x=\"{:.1}\" y=\"{at}\" text-anchor=\"end\" fill=\"{colour}\">{label}</text>",
            x(bins)
        );
    }
}
