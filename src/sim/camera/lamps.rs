//! The lamps of a scene, eight at a time.

use glam::Vec3A;
use multiversion::multiversion;

use super::shading::luminance;
use crate::sim::{Hit, Light};

const LANES: usize = 8;
/// Nothing is lit from nearer, metres: the square of the distance stays away from zero.
const NEAREST_M: f32 = 0.05;

/// All lamps of a scene. Places without one shine with nothing.
#[derive(Clone, Debug, Default)]
pub(super) struct LampTable {
    groups: Vec<Group>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Group {
    position: [[f32; LANES]; 3],
    colour: [[f32; LANES]; 3],
    luminance: [f32; LANES],
    square_range: [f32; LANES],
}

/// The lamp that shines most on a point, and the light of the others.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Lamps {
    /// Direction, distance in metres, irradiance of a surface that faces it.
    pub strongest: Option<(Vec3A, f32, [f32; 3])>,
    /// Irradiance of the surface by all others.
    pub others: [f32; 3],
}

impl LampTable {
    pub fn new(lights: &[Light]) -> Self {
        let group = |lights: &[Light]| {
            let mut group = Group::default();
            for (lane, light) in lights.iter().enumerate() {
                let position = light.position.to_array();
                group.position.iter_mut().zip(position).for_each(|(lanes, p)| lanes[lane] = p);
                group.colour.iter_mut().zip(light.colour).for_each(|(lanes, c)| lanes[lane] = c);
                group.luminance[lane] = luminance(light.colour);
                group.square_range[lane] = light.range_m * light.range_m;
            }
            group
        };
        Self { groups: lights.chunks(LANES).map(group).collect() }
    }

    /// The lamps about a hit.
    pub fn at(&self, hit: &Hit) -> Lamps {
        if self.groups.is_empty() {
            return Lamps::default();
        }
        add_up(self, hit.point.to_array(), hit.normal.to_array())
    }
}

#[multiversion(targets("x86_64+avx+avx2"))]
fn add_up(table: &LampTable, [px, py, pz]: [f32; 3], [nx, ny, nz]: [f32; 3]) -> Lamps {
    let mut sums = [[0.0; LANES]; 3];
    let mut most = 0.0;
    let mut strongest = None;
    for group in &table.groups {
        let mut strengths = [0.0; LANES];
        // Share of the lamp's colour that the surface gets.
        let mut shares = [0.0; LANES];
        for lane in 0..LANES {
            let dx = group.position[0][lane] - px;
            let dy = group.position[1][lane] - py;
            let dz = group.position[2][lane] - pz;
            let square = dx * dx + dy * dy + dz * dz;
            let square_here = if square > NEAREST_M * NEAREST_M { square } else { NEAREST_M * NEAREST_M };
            let slope = dx * nx + dy * ny + dz * nz;
            let is_lit = (slope > 0.0) & (square <= group.square_range[lane]);
            let share = slope / (square_here * square_here.sqrt());
            shares[lane] = if is_lit { share } else { 0.0 };
            strengths[lane] = shares[lane] * group.luminance[lane];
        }
        for (sum, colour) in sums.iter_mut().zip(&group.colour) {
            for lane in 0..LANES {
                sum[lane] += shares[lane] * colour[lane];
            }
        }
        let best = strengths.iter().fold(0.0, |best, &s| if s > best { s } else { best });
        if best <= most {
            continue;
        }
        for lane in 0..LANES {
            if strengths[lane] > most {
                most = strengths[lane];
                strongest = Some((group, lane, shares[lane]));
            }
        }
    }
    let mut others = sums.map(|lanes| lanes.iter().sum::<f32>());
    let strongest = strongest.map(|(group, lane, share)| {
        let colour = [0, 1, 2].map(|c: usize| group.colour[c][lane]);
        others.iter_mut().zip(colour).for_each(|(sum, c)| *sum = (*sum - share * c).max(0.0));
        let [x, y, z] = [0, 1, 2].map(|axis: usize| group.position[axis][lane]);
        let offset = Vec3A::new(x - px, y - py, z - pz);
        let distance = offset.length().max(NEAREST_M);
        (offset / distance, distance, colour.map(|c| c / (distance * distance)))
    });
    Lamps { strongest, others }
}

#[cfg(test)]
mod tests {
    use glam::Vec3;

    use super::*;
    use crate::sim::{MaterialId, Random};

    /// One by one, as the definition says.
    fn slowly(lights: &[Light], hit: &Hit) -> ([f32; 3], Option<Vec3A>) {
        let (mut sum, mut most, mut strongest) = ([0.0; 3], 0.0, None);
        for light in lights {
            let offset = Vec3A::from(light.position) - hit.point;
            let distance = offset.length();
            if distance > light.range_m {
                continue;
            }
            let share = (offset / distance).dot(hit.normal).max(0.0) / (distance * distance);
            sum.iter_mut().zip(light.colour).for_each(|(sum, c)| *sum += share * c);
            if share * luminance(light.colour) > most {
                most = share * luminance(light.colour);
                strongest = Some(offset / distance);
            }
        }
        (sum, strongest)
    }

    #[test]
    fn groups_add_up_to_what_single_lamps_give() {
        let mut random = Random::new(3, &[]);
        let mut place = |reach: f32| {
            Vec3::new(random.between(-reach, reach), random.between(-reach, reach), random.between(0.0, 6.0))
        };
        let lights: Vec<Light> = (0..21)
            .map(|k| Light { position: place(20.0), colour: [1.0 + k as f32, 5.0, 2.0], range_m: 15.0 })
            .collect();
        for _ in 0..500 {
            let normal = Vec3A::from(place(1.0)).normalize();
            let point = Vec3A::from(place(20.0));
            let hit = Hit {
                distance_m: 1.0,
                point,
                normal,
                material: MaterialId(0),
                object: None,
                local_point: point,
                local_normal: normal,
                tint: [1.0; 3],
                texture_coordinates: None,
            };
            let lamps = LampTable::new(&lights).at(&hit);
            let (sum, direction) = slowly(&lights, &hit);
            assert_eq!(lamps.strongest.is_some(), direction.is_some());
            let mut found = lamps.others;
            if let (Some((towards, _, irradiance)), Some(direction)) = (lamps.strongest, direction) {
                assert!(towards.distance(direction) < 1e-4);
                let cosine = towards.dot(normal);
                found.iter_mut().zip(irradiance).for_each(|(f, i)| *f += cosine * i);
            }
            for (found, sum) in found.into_iter().zip(sum) {
                assert!((found - sum).abs() < 1e-3 * sum.max(0.1), "{found} {sum}");
            }
        }
        assert_eq!(LampTable::new(&[]).groups.len(), 0);
    }
}
