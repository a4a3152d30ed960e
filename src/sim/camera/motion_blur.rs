//! The blur of a shutter that is open for a while.

use rayon::prelude::*;

use super::CameraFrame;

/// Shorter ways are not seen, pixels.
const LEAST: f32 = 0.7;
/// Longer ways are cut, pixels: what moves that fast is a streak anyway.
const MOST: f32 = 40.0;
/// Pixels that are averaged at most, evenly along the way.
const MOST_STEPS: f32 = 16.0;

/// Averages each pixel along its way, from `radiance` into itself.
pub(super) fn blur(frame: &mut CameraFrame) {
    let (width, height) = (frame.width, frame.height);
    let moves = |[u, v]: [f32; 2]| u.abs().max(v.abs()) > LEAST;
    if width == 0 || !frame.flow.iter().any(|&flow| moves(flow)) {
        return;
    }
    let (radiance, flow) = (&frame.radiance, &frame.flow);
    frame.blurred.par_chunks_mut(width).enumerate().for_each(|(row, out)| {
        for (column, out) in out.iter_mut().enumerate() {
            let pixel = row * width + column;
            let way = flow[pixel];
            *out = if moves(way) {
                let length = way[0].hypot(way[1]);
                let way = way.map(|v| v * (MOST / length).min(1.0));
                along(radiance, [width, height], [column as f32, row as f32], way)
            } else {
                radiance[pixel]
            };
        }
    });
    std::mem::swap(&mut frame.radiance, &mut frame.blurred);
}

/// The mean over a way centred at a pixel; what would lie outside the image is left out.
fn along(radiance: &[[f32; 3]], [width, height]: [usize; 2], at: [f32; 2], way: [f32; 2]) -> [f32; 3] {
    let steps = way[0].abs().max(way[1].abs()).ceil().clamp(1.0, MOST_STEPS) as usize;
    let (mut sum, mut count) = ([0.0; 3], 0.0_f32);
    for step in 0..=steps {
        let share = step as f32 / steps as f32 - 0.5;
        let [x, y] = [at[0] + share * way[0], at[1] + share * way[1]].map(f32::round);
        if x < 0.0 || y < 0.0 || x >= width as f32 || y >= height as f32 {
            continue;
        }
        let sample = radiance[y as usize * width + x as usize];
        sum.iter_mut().zip(sample).for_each(|(sum, s)| *sum += s);
        count += 1.0;
    }
    sum.map(|s| s / count.max(1.0))
}
