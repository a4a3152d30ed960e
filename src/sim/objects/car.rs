//! Passenger cars and vans.

use glam::Vec3;

use super::parts::{at, block, mirror, rod, skin, wheel};
use crate::sim::scene::{Palette, one_of};
use crate::sim::{MaterialId, Mesh, Random};

/// The proportions of a car, metres.
#[derive(Clone, Copy, Debug)]
struct Body {
    length: f32,
    width: f32,
    height: f32,
    /// Lower edge of the windows.
    belt: f32,
    /// Front end of the bonnet.
    bonnet: f32,
    /// Rear end of the body.
    tail: f32,
    /// Where windows begin at the belt: front and rear, from the middle.
    cabin: [f32; 2],
    /// Where the roof begins and ends.
    roof: [f32; 2],
    wheel: f32,
    clearance: f32,
    /// Panels instead of windows behind the doors.
    closed: bool,
}

impl Body {
    fn draw(random: &mut Random) -> Self {
        let kind = random.below(10);
        let mut scale = |low: f32, high: f32| random.between(low, high);
        let (length, width, height) = match kind {
            0..=2 => (scale(3.6, 4.25), scale(1.66, 1.8), scale(1.44, 1.56)),
            3 | 4 => (scale(4.4, 5.0), scale(1.78, 1.9), scale(1.42, 1.5)),
            5 => (scale(4.4, 4.95), scale(1.78, 1.88), scale(1.45, 1.55)),
            6..=8 => (scale(4.2, 4.9), scale(1.8, 1.96), scale(1.6, 1.8)),
            _ => (scale(4.7, 5.6), scale(1.9, 2.05), scale(1.9, 2.5)),
        };
        let end = 0.5 * length;
        let car = Self {
            length,
            width,
            height,
            belt: 0.63 * height,
            bonnet: 0.5 * height,
            tail: 0.6 * height,
            cabin: [end - 0.27 * length, -end + 0.1],
            roof: [end - 0.45 * length, -end + 0.45],
            wheel: scale(0.3, 0.34),
            clearance: 0.19,
            closed: false,
        };
        match kind {
            0..=2 => Self { cabin: [end - 0.24 * length, -end + 0.08], ..car },
            3 | 4 => Self {
                cabin: [end - 0.28 * length, -end + 0.17 * length],
                roof: [end - 0.44 * length, -end + 0.34 * length],
                tail: 0.64 * height,
                ..car
            },
            5 => Self { roof: [end - 0.44 * length, -end + 0.3], ..car },
            6..=8 => Self {
                belt: 0.62 * height,
                bonnet: 0.54 * height,
                cabin: [end - 0.25 * length, -end + 0.08],
                roof: [end - 0.41 * length, -end + 0.35],
                wheel: scale(0.34, 0.39),
                clearance: 0.24,
                ..car
            },
            _ => Self {
                belt: 1.12,
                bonnet: 0.95,
                tail: 1.12,
                cabin: [end - 0.16 * length, -end + 0.04],
                roof: [end - 0.3 * length, -end + 0.08],
                closed: scale(0.0, 1.0) < 0.6,
                ..car
            },
        }
    }

    /// The axles, front and rear.
    fn axles(&self) -> [f32; 2] {
        [0.5 * self.length - 0.19 * self.length, -0.5 * self.length + 0.18 * self.length]
    }

    /// The top of the hull below the windows.
    fn top(&self, x: f32) -> f32 {
        let end = 0.5 * self.length;
        let knots = [
            (-end, self.tail - 0.12),
            (-end + 0.12, self.tail),
            (self.cabin[1], self.belt),
            (self.cabin[0], self.belt),
            (end - 0.25, self.bonnet),
            (end, self.bonnet - 0.16),
        ];
        let after = knots.iter().position(|&(knot, _)| knot >= x).unwrap_or(5).max(1);
        let ((x0, z0), (x1, z1)) = (knots[after - 1], knots[after]);
        z0 + (z1 - z0) * ((x - x0) / (x1 - x0).max(1e-3)).clamp(0.0, 1.0)
    }
}

/// A car.
pub fn car(palette: &Palette, random: &mut Random) -> Mesh {
    let body = Body::draw(random);
    let paint = one_of(random, &palette.car_paints);
    let mut mesh = Mesh::default();
    hull(&mut mesh, paint, &body);
    cabin(&mut mesh, palette, paint, &body);
    let half = 0.5 * body.width;
    for x in body.axles() {
        for y in [-half + 0.1, half - 0.1] {
            wheel(&mut mesh, [palette.rubber, palette.steel], [x, y, body.wheel], body.wheel, 0.2);
        }
    }
    trim(&mut mesh, palette, &body);
    mesh
}

/// The painted body with its wheel arches, from bumper to bumper.
fn hull(mesh: &mut Mesh, paint: MaterialId, body: &Body) {
    let end = 0.5 * body.length;
    let arch = body.wheel + 0.07;
    let mut stations =
        vec![-end, -end + 0.05, -end + 0.14, body.cabin[1], body.cabin[0], end - 0.25, end - 0.06, end];
    for axle in body.axles() {
        stations.extend([-1.02, -1.0, -0.7, -0.3, 0.3, 0.7, 1.0, 1.02].map(|share| axle + share * arch));
    }
    stations.sort_by(f32::total_cmp);
    let sections: Vec<Vec<Vec3>> = stations
        .into_iter()
        .filter(|x| x.abs() <= end)
        .map(|x| {
            let over = body.axles().into_iter().find(|axle| (x - axle).abs() <= 1.001 * arch);
            let bottom = over.map_or(body.clearance, |axle| {
                body.wheel + (arch * arch - (x - axle) * (x - axle)).max(0.0).sqrt()
            });
            let from_end = end - x.abs();
            let bottom = if from_end < 0.1 { bottom.max(body.clearance + 0.08) } else { bottom };
            let half = 0.5 * body.width * (1.0 - 0.16 * (1.0 - from_end / 0.35).clamp(0.0, 1.0).powi(2));
            let top = body.top(x).max(bottom + 0.06);
            let waist = bottom.max(0.5 * (bottom + top));
            let side = [(0.95, bottom), (1.0, waist), (0.98, top - 0.05), (0.89, top)];
            let left = side.iter().map(|&(share, z)| Vec3::new(x, share * half, z));
            let right = side.iter().rev().map(|&(share, z)| Vec3::new(x, -share * half, z));
            left.chain(right).collect()
        })
        .collect();
    skin(mesh, paint, &sections);
}

/// Roof, pillars, windows and what is behind them.
fn cabin(mesh: &mut Mesh, palette: &Palette, paint: MaterialId, body: &Body) {
    let (low, high) = (0.44 * body.width, 0.365 * body.width + if body.closed { 0.06 } else { 0.0 });
    let roof = body.height - 0.05;
    let [front, rear] = body.cabin;
    let [front_roof, rear_roof] = body.roof;
    let lower = |x: f32, side: f32| Vec3::new(x, side * low, body.belt - 0.01);
    let upper = |x: f32, side: f32| Vec3::new(x, side * high, roof);
    let outline = |inset: f32| {
        let (f, r, h) = (front_roof + 0.03 - inset, rear_roof - 0.03 + inset, high + 0.01 - inset);
        [
            [f, -0.8 * h],
            [f, 0.8 * h],
            [f - 0.12, h],
            [r + 0.12, h],
            [r, 0.8 * h],
            [r, -0.8 * h],
            [r + 0.12, -h],
            [f - 0.12, -h],
        ]
    };
    mesh.add_loft(paint, &at(0.0, 0.0, 0.0), &outline(0.0), &outline(0.12), [roof, body.height]);
    mesh.add_quad(
        palette.glass,
        [lower(front, -1.0), lower(front, 1.0), upper(front_roof, 1.0), upper(front_roof, -1.0)],
    );
    let back = if body.closed { paint } else { palette.glass };
    mesh.add_quad(back, [lower(rear, -1.0), lower(rear, 1.0), upper(rear_roof, 1.0), upper(rear_roof, -1.0)]);
    // Between the doors, from belt to roof, and where the rear window of the side ends.
    let middle = 0.5 * (front + rear) + 0.1;
    let door = [middle, 0.5 * (front_roof + rear_roof) + 0.15];
    let last = [rear + 0.25 * (middle - rear), rear_roof + 0.2 * (door[1] - rear_roof)];
    for side in [-1.0, 1.0] {
        let pane = |mesh: &mut Mesh, material, [x0, x1]: [f32; 2], [r0, r1]: [f32; 2]| {
            mesh.add_quad(material, [lower(x0, side), lower(x1, side), upper(r1, side), upper(r0, side)]);
        };
        pane(mesh, palette.glass, [front, door[0]], [front_roof, door[1]]);
        pane(mesh, back, [door[0], last[0]], [door[1], last[1]]);
        pane(mesh, back, [last[0], rear], [last[1], rear_roof]);
        for [x, r] in [[front, front_roof], door, last, [rear, rear_roof]] {
            rod(mesh, paint, [lower(x, side), upper(r, side)], [0.045, 0.035], 4);
        }
        rod(mesh, paint, [upper(front_roof, side), upper(rear_roof, side)], [0.035, 0.035], 4);
        rod(mesh, palette.dark_plastic, [lower(front, side), lower(rear, side)], [0.015, 0.015], 4);
    }
    // Two rows of seats and the dashboard.
    let head = body.belt + 0.62 * (roof - body.belt);
    for x in [middle - 0.05, (middle - 0.95).max(rear + 0.3)] {
        for y in [-0.2, 0.2].map(|share| share * body.width) {
            block(
                mesh,
                palette.upholstery,
                [x - 0.09, x + 0.05],
                [y - 0.22, y + 0.22],
                [body.belt - 0.1, 0.5 * (head + body.belt)],
            );
            block(
                mesh,
                palette.upholstery,
                [x - 0.08, x],
                [y - 0.12, y + 0.12],
                [0.5 * (head + body.belt), head],
            );
        }
    }
    block(
        mesh,
        palette.dark_plastic,
        [front - 0.55, front - 0.1],
        [-0.8 * low, 0.8 * low],
        [body.belt - 0.1, body.belt + 0.05],
    );
    let wheel = [
        Vec3::new(front - 0.6, 0.2 * body.width, body.belt),
        Vec3::new(front - 0.66, 0.2 * body.width, body.belt + 0.1),
    ];
    rod(mesh, palette.dark_plastic, wheel, [0.16, 0.16], 8);
}

/// Lights, plates, bumpers, grille, mirrors.
fn trim(mesh: &mut Mesh, palette: &Palette, body: &Body) {
    let (end, half) = (0.5 * body.length, 0.5 * body.width);
    let nose = body.bonnet - 0.14;
    block(mesh, palette.dark_plastic, [end - 0.12, end + 0.02], [-0.72 * half, 0.72 * half], [0.24, 0.36]);
    block(
        mesh,
        palette.dark_plastic,
        [end - 0.1, end + 0.012],
        [-0.45 * half, 0.45 * half],
        [nose - 0.16, nose - 0.03],
    );
    block(mesh, palette.dark_plastic, [-end - 0.02, -end + 0.12], [-0.74 * half, 0.74 * half], [0.26, 0.42]);
    block(mesh, palette.plate, [end, end + 0.03], [-0.26, 0.26], [0.38, 0.49]);
    let plate = body.tail - 0.3;
    block(mesh, palette.plate, [-end - 0.03, -end], [-0.26, 0.26], [plate, plate + 0.11]);
    for side in [-1.0, 1.0] {
        let across = |low: f32, high: f32| [side * low * half, side * high * half];
        block(
            mesh,
            palette.headlight,
            [end - 0.22, end + 0.005],
            across(0.55, 0.87),
            [nose - 0.08, nose + 0.06],
        );
        block(
            mesh,
            palette.tail_light,
            [-end - 0.008, -end + 0.2],
            across(0.62, 0.9),
            [body.tail - 0.26, body.tail - 0.1],
        );
        let (x, y) = (body.cabin[0] - 0.25, side * (half + 0.08));
        let up = [body.belt, body.belt + 0.13];
        mirror(mesh, palette.dark_plastic, [x - 0.06, x + 0.05], [y - 0.09, y + 0.09], up);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::WorldBuilder;

    #[test]
    fn cars_have_the_size_of_cars_and_stand_on_their_wheels() {
        let mut random = Random::new(5, &[]);
        let palette = Palette::new(&mut WorldBuilder::default(), &mut random, 1.0);
        let mut lengths = Vec::new();
        for _ in 0..60 {
            let mesh = car(&palette, &mut random);
            let [low, high] = mesh.body_bounds();
            let size = high - low;
            assert!(low.z.abs() < 0.01 && (1.3..2.6).contains(&high.z), "{low} {high}");
            assert!((3.5..5.8).contains(&size.x) && (1.6..2.1).contains(&size.y), "{size}");
            let with_mirrors = mesh.bounds()[1].y - mesh.bounds()[0].y;
            assert!((0.3..0.4).contains(&(with_mirrors - size.y)), "{with_mirrors} {size}");
            assert!(mesh.positions.iter().all(|p| p.is_finite()) && mesh.triangles.len() < 1300);
            lengths.push(size.x);
        }
        let mean = lengths.iter().sum::<f32>() / 60.0;
        assert!(lengths.iter().map(|l| (l - mean).powi(2)).sum::<f32>() / 60.0 > 0.04);
    }
}
