//! A sweep from above with its detections.

use super::{Canvas, Font, PictureError, Rgb, TextAnchor};
use crate::detection::{ClassTable, Detection3d};

const BACKGROUND: Rgb = [14, 16, 22];
const INK: Rgb = [226, 230, 238];
const DIM_INK: Rgb = [170, 178, 194];
const RING: Rgb = [62, 70, 86];
/// Points from the lowest to the highest shown: grey, so that colour always means a class.
const POINT_LOW: [f32; 3] = [70.0, 80.0, 98.0];
const POINT_HIGH: [f32; 3] = [240.0, 243.0, 248.0];

/// Room around the drawn area, pixels.
const BORDER: f32 = 12.0;

/// Longest heading tick, metres: a bus needs none longer than a car.
const MAX_TICK_M: f64 = 2.0;

/// What to draw, all in the frame of the cloud (x up, y to the left in the picture).
#[derive(Clone, Copy, Debug)]
pub struct BevPicture<'a> {
    /// Short text at the top left.
    pub title: &'a str,
    /// Points, metres; not finite ones are skipped.
    pub points: &'a [[f32; 3]],
    /// Boxes.
    pub detections: &'a [Detection3d],
    /// Names of the boxes' classes.
    pub classes: &'a ClassTable,
    /// Half the side of the square shown, metres.
    pub range_m: f32,
    /// Side of the picture, pixels (900 suits a page).
    pub size_px: usize,
}

/// From metres to pixels.
#[derive(Clone, Copy)]
struct View {
    centre: f32,
    pixels_per_m: f32,
}

impl View {
    fn at(self, x_m: f32, y_m: f32) -> [f32; 2] {
        [self.centre - y_m * self.pixels_per_m, self.centre - x_m * self.pixels_per_m]
    }
}

impl BevPicture<'_> {
    /// Draws the picture.
    ///
    /// A caption that would cover another is left out, lower scores first; boxes always show. Fails on
    /// a range that is not positive or a picture that is empty or oversized.
    pub fn render(&self) -> Result<Canvas, PictureError> {
        if !(self.range_m.is_finite() && self.range_m > 0.0) {
            return Err(PictureError::Range {
                what: "range of the bird's-eye view",
                expected: "positive metres",
                found: self.range_m.to_string(),
            });
        }
        let mut canvas = Canvas::new(self.size_px, self.size_px, BACKGROUND)?;
        let centre = (self.size_px as f32 - 1.0) / 2.0;
        let view = View { centre, pixels_per_m: (centre - BORDER).max(1.0) / self.range_m };
        let rings = ring_step_m(self.range_m);

        draw_rings(&mut canvas, view, rings, self.range_m);
        self.draw_points(&mut canvas, view);
        draw_axes(&mut canvas, view);
        for detection in self.detections.iter().rev() {
            draw_box(&mut canvas, view, detection);
        }
        let mut taken = self.draw_legend(&mut canvas);
        taken.extend(label_rings(&mut canvas, view, rings, self.range_m));
        self.draw_captions(&mut canvas, view, taken);
        Ok(canvas)
    }

    fn draw_points(&self, canvas: &mut Canvas, view: View) {
        let visible = |p: &&[f32; 3]| {
            p.iter().all(|v| v.is_finite()) && p[0].abs() <= self.range_m && p[1].abs() <= self.range_m
        };
        let mut heights: Vec<f32> = self.points.iter().filter(visible).map(|p| p[2]).collect();
        heights.sort_unstable_by(f32::total_cmp);
        let (Some(&low), Some(&high)) =
            (heights.get(heights.len() / 20), heights.get(heights.len() * 19 / 20))
        else {
            return;
        };
        let span = (high - low).max(0.1);
        for point in self.points.iter().filter(visible) {
            let share = ((point[2] - low) / span).clamp(0.0, 1.0);
            let colour = [0, 1, 2].map(|c| (POINT_LOW[c] + (POINT_HIGH[c] - POINT_LOW[c]) * share) as u8);
            canvas.disc(view.at(point[0], point[1]), 0.9, colour, 0.85);
        }
    }

    /// Title, counts and class legend; returns the rectangles they take.
    fn draw_legend(&self, canvas: &mut Canvas) -> Vec<[i64; 4]> {
        let mut taken = Vec::new();
        let mut plate = |canvas: &mut Canvas, at, font: Font, colour, text: &str| {
            canvas.plated_text(at, TextAnchor::TopLeft, font, colour, text);
            taken.push(TextAnchor::TopLeft.bounds(at, font.measure(text)));
        };
        plate(canvas, [14, 12], Font::Large, INK, self.title);
        let boxes = if self.detections.len() == 1 { "box" } else { "boxes" };
        let counts = format!("{} points, {} {boxes}", self.points.len(), self.detections.len());
        plate(canvas, [14, 36], Font::Small, DIM_INK, &counts);

        let rows: Vec<(u16, &str, usize)> = (0u16..)
            .zip(self.classes.names())
            .map(|(id, name)| (id, name, self.detections.iter().filter(|d| d.class == id).count()))
            .filter(|(_, _, count)| *count > 0)
            .collect();
        let bottom = self.size_px as i64 - 12;
        for (row, (id, name, count)) in rows.iter().rev().enumerate() {
            let y = bottom - 18 * (row as i64 + 1);
            let colour = ClassTable::colour(*id);
            plate(canvas, [34, y], Font::Bold, colour, &format!("{name} {count}"));
            canvas.fill_rect([14, y, 28, y + 13], colour, 1.0);
        }
        taken
    }

    fn draw_captions(&self, canvas: &mut Canvas, view: View, mut taken: Vec<[i64; 4]>) {
        let side = self.size_px as i64;
        for detection in self.detections {
            let Some(name) = self.classes.name(detection.class) else { continue };
            // The heading tick counts as part of the box, so that no caption covers it.
            let mut corners = corners(view, detection).to_vec();
            corners.push(heading_tick(view, detection)[1]);
            if corners.iter().flatten().any(|v| !v.is_finite()) {
                continue;
            }
            let text = format!("{name} {:.2}", detection.score);
            let [width, height] = Font::Bold.measure(&text);
            let edge = |axis: usize, pick: fn(f32, f32) -> f32| {
                corners.iter().map(|c| c[axis]).reduce(pick).unwrap_or_default() as i64
            };
            let (left, right) = (edge(0, f32::min), edge(0, f32::max));
            let (top, bottom) = (edge(1, f32::min), edge(1, f32::max));
            let (middle_x, middle_y) = (left.midpoint(right), top.midpoint(bottom));
            let places = [
                [middle_x, top - height / 2 - 5],
                [middle_x, bottom + height / 2 + 6],
                [right + width / 2 + 7, middle_y],
                [left - width / 2 - 7, middle_y],
            ];
            let free = places.into_iter().find(|at| {
                let [x0, y0, x1, y1] = TextAnchor::Centre.bounds(*at, [width + 6, height + 2]);
                x0 >= 0
                    && y0 >= 0
                    && x1 <= side
                    && y1 <= side
                    && taken.iter().all(|t| x1 <= t[0] || x0 >= t[2] || y1 <= t[1] || y0 >= t[3])
            });
            if let Some(at) = free {
                let colour = ClassTable::colour(detection.class);
                canvas.plated_text(at, TextAnchor::Centre, Font::Bold, colour, &text);
                taken.push(TextAnchor::Centre.bounds(at, [width + 6, height + 2]));
            }
        }
    }
}

/// Distance between rings: 1, 2 or 5 times a power of ten, at most six rings in the range.
fn ring_step_m(range_m: f32) -> f32 {
    let decade = 10f32.powf((range_m / 8.0).log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .map(|s| s * decade)
        .into_iter()
        .find(|step| range_m / step <= 6.0)
        .unwrap_or(range_m)
}

fn ring_radii_m(step_m: f32, range_m: f32) -> impl Iterator<Item = f32> {
    (1..=8).map(move |ring| ring as f32 * step_m).take_while(move |radius| *radius <= range_m * 1.001)
}

fn draw_rings(canvas: &mut Canvas, view: View, step_m: f32, range_m: f32) {
    for radius in ring_radii_m(step_m, range_m) {
        canvas.circle([view.centre; 2], radius * view.pixels_per_m, 1.2, RING, 1.0);
    }
    for [x, y] in [[1.0, 0.0], [0.0, 1.0]] {
        let (from, to) = (view.at(x * range_m, y * range_m), view.at(-x * range_m, -y * range_m));
        canvas.line(from, to, 1.0, RING, 0.6);
    }
}

/// Metres at the rings, to the lower right where the legend and the title are not.
fn label_rings(canvas: &mut Canvas, view: View, step_m: f32, range_m: f32) -> Vec<[i64; 4]> {
    let mut taken = Vec::new();
    for radius in ring_radii_m(step_m, range_m) {
        let diagonal = radius * std::f32::consts::FRAC_1_SQRT_2;
        let at = view.at(-diagonal, -diagonal).map(|v| v.round() as i64);
        let text = format!("{radius} m");
        canvas.plated_text(at, TextAnchor::Centre, Font::Small, DIM_INK, &text);
        taken.push(TextAnchor::Centre.bounds(at, Font::Small.measure(&text)));
    }
    taken
}

/// The sensor with x (forward) and y (left).
fn draw_axes(canvas: &mut Canvas, view: View) {
    let origin = [view.centre; 2];
    let length = 46.0;
    for (direction, name, colour) in [([0.0, -1.0], "x", [255, 120, 90]), ([-1.0, 0.0], "y", [120, 220, 160])]
    {
        let tip = [origin[0] + direction[0] * length, origin[1] + direction[1] * length];
        canvas.line(origin, tip, 2.4, colour, 1.0);
        let across = [-direction[1], direction[0]];
        let head = [
            [tip[0] + direction[0] * 8.0, tip[1] + direction[1] * 8.0],
            [tip[0] + across[0] * 4.5, tip[1] + across[1] * 4.5],
            [tip[0] - across[0] * 4.5, tip[1] - across[1] * 4.5],
        ];
        canvas.fill_convex(&head, colour, 1.0);
        let at = [tip[0] + direction[0] * 17.0, tip[1] + direction[1] * 17.0].map(|v| v.round() as i64);
        canvas.text(at, TextAnchor::Centre, Font::Bold, colour, name);
    }
    canvas.disc(origin, 4.5, INK, 1.0);
}

/// Front left, rear left, rear right, front right in pixels.
fn corners(view: View, detection: &Detection3d) -> [[f32; 2]; 4] {
    let half = [detection.box3d.size.x / 2.0, detection.box3d.size.y / 2.0];
    [[1.0, 1.0], [-1.0, 1.0], [-1.0, -1.0], [1.0, -1.0]]
        .map(|[along, across]| to_pixels(view, detection, along * half[0], across * half[1]))
}

/// A point of the box, `along` its heading and `across` to the left of its centre, metres.
fn to_pixels(view: View, detection: &Detection3d, along: f64, across: f64) -> [f32; 2] {
    let (sin, cos) = detection.box3d.yaw.sin_cos();
    let x = detection.box3d.center.x + along * cos - across * sin;
    let y = detection.box3d.center.y + along * sin + across * cos;
    view.at(x as f32, y as f32)
}

fn draw_box(canvas: &mut Canvas, view: View, detection: &Detection3d) {
    let colour = ClassTable::colour(detection.class);
    let corners = corners(view, detection);
    canvas.fill_convex(&corners, colour, 0.22);
    canvas.outline(&corners, 2.0, colour);
    let [from, to] = heading_tick(view, detection);
    canvas.line(from, to, 2.4, colour, 1.0);
}

/// From the middle of the front to the tip, pixels.
fn heading_tick(view: View, detection: &Detection3d) -> [[f32; 2]; 2] {
    let length = detection.box3d.size.x;
    let shortest_m = 7.0 / f64::from(view.pixels_per_m);
    let tip = length / 2.0 + (0.35 * length).min(MAX_TICK_M).max(shortest_m);
    [to_pixels(view, detection, length / 2.0, 0.0), to_pixels(view, detection, tip, 0.0)]
}

#[cfg(test)]
mod tests {
    use nalgebra::{Point3, Vector3};

    use super::*;
    use crate::geometry::Box3d;

    fn detection(class: u16, x: f64, y: f64, yaw: f64) -> Detection3d {
        let box3d = Box3d { center: Point3::new(x, y, 0.0), size: Vector3::new(8.0, 4.0, 1.5), yaw };
        Detection3d { box3d, class, score: 0.5 }
    }

    fn render(points: &[[f32; 3]], detections: &[Detection3d]) -> Canvas {
        let classes = ClassTable::new(["car", "truck"]).unwrap();
        BevPicture { title: "sweep", points, detections, classes: &classes, range_m: 20.0, size_px: 400 }
            .render()
            .unwrap()
    }

    fn view() -> View {
        View { centre: 199.5, pixels_per_m: 187.5 / 20.0 }
    }

    fn has_colour(canvas: &Canvas, at: [f32; 2], colour: Rgb) -> bool {
        let (x, y) = (at[0].round() as usize, at[1].round() as usize);
        (y - 1..=y + 1).any(|y| (x - 1..=x + 1).any(|x| canvas.pixel(x, y) == Some(colour)))
    }

    #[test]
    fn forward_is_up_and_left_is_left() {
        let canvas = render(&[[10.0, 0.0, 5.0], [0.0, 10.0, 0.0]], &[]);
        let empty = render(&[], &[]);
        let differs = |x_m: f32, y_m: f32| {
            let [x, y] = view().at(x_m, y_m).map(|v| v.round() as usize);
            canvas.pixel(x, y) != empty.pixel(x, y)
        };
        assert!(view().at(10.0, 0.0)[1] < 199.5 && view().at(0.0, 10.0)[0] < 199.5);
        assert!(differs(10.0, 0.0) && differs(0.0, 10.0));
        assert!(!differs(-10.0, 0.0) && !differs(0.0, -10.0));
    }

    #[test]
    fn a_box_shows_its_edges_and_its_heading() {
        let yaw = std::f64::consts::FRAC_PI_2;
        let canvas = render(&[], &[detection(1, 8.0, -3.0, yaw)]);
        let colour = ClassTable::colour(1);
        // Heading +y: the box spans y -7..1 and x 6..10, its tick leaves the front at y = 1.
        for [x, y] in [[6.0, -3.0], [10.0, -3.0], [8.0, -7.0], [8.0, 1.0], [8.0, 2.5]] {
            assert!(has_colour(&canvas, view().at(x, y), colour), "{x}, {y}");
        }
        assert!(!has_colour(&canvas, view().at(8.0, -8.5), colour));
    }

    #[test]
    fn hostile_points_and_boxes_are_not_drawn() {
        let points =
            [[f32::NAN, 0.0, 0.0], [f32::INFINITY, 0.0, 0.0], [1e30, 1e30, 0.0], [0.0, 0.0, f32::NAN]];
        assert_eq!(
            render(&points, &[]).rgb()[200 * 400 * 3..],
            render(&[[50.0, 0.0, 0.0]; 4], &[]).rgb()[200 * 400 * 3..]
        );
        render(&[], &[detection(0, f64::NAN, 0.0, 0.0), detection(9, 1e300, 0.0, f64::INFINITY)]);
    }

    #[test]
    fn ranges_that_are_none_are_refused() {
        let classes = ClassTable::new(["car"]).unwrap();
        for (range_m, size_px) in [(0.0, 400), (f32::NAN, 400), (-4.0, 400), (40.0, 0), (40.0, 100_000)] {
            let picture =
                BevPicture { title: "", points: &[], detections: &[], classes: &classes, range_m, size_px };
            assert!(picture.render().is_err(), "{range_m} {size_px}");
        }
    }

    #[test]
    fn rings_are_round_and_few() {
        for (range, step) in [(40.0, 10.0), (51.2, 10.0), (20.0, 5.0), (5.0, 1.0), (100.0, 20.0)] {
            assert_eq!(ring_step_m(range), step, "{range}");
        }
    }
}
