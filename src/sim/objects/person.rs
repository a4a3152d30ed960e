//! People: standing or in the phases of a walk.

use std::f32::consts::TAU;

use glam::{Affine3A, Quat, Vec3};

use super::parts::{at, block, rod};
use crate::sim::scene::{Palette, one_of};
use crate::sim::{MaterialId, Mesh, Random};

/// Shapes of one walk.
pub const PHASES: usize = 8;

/// One person: build, clothes, what they carry.
#[derive(Clone, Debug)]
pub struct Person {
    /// Head to foot, metres.
    height: f32,
    /// Of the body, as a factor.
    girth: f32,
    top: MaterialId,
    trousers: MaterialId,
    skin: MaterialId,
    hair: MaterialId,
    shoes: MaterialId,
    /// Bands of a safety vest.
    bands: Option<MaterialId>,
    helmet: Option<MaterialId>,
    backpack: Option<MaterialId>,
    /// A long coat or skirt.
    skirt: bool,
    /// Something carried with both hands.
    box_in_hands: Option<MaterialId>,
}

impl Person {
    /// Draws a person; `at_work` wears vests and helmets.
    pub fn new(palette: &Palette, random: &mut Random, at_work: bool) -> Self {
        let vest = random.chance(if at_work { 0.7 } else { 0.03 });
        let child = !at_work && random.chance(0.12);
        Self {
            height: if child { random.between(1.05, 1.45) } else { random.between(1.55, 1.95) },
            girth: random.between(0.88, 1.2),
            top: if vest { palette.vest } else { one_of(random, &palette.cloth) },
            trousers: one_of(random, &palette.trousers),
            skin: one_of(random, &palette.skins),
            hair: one_of(random, &palette.hair),
            shoes: palette.rubber,
            bands: vest.then_some(palette.reflector),
            helmet: (at_work && random.chance(0.5)).then(|| one_of(random, &palette.plastics)),
            backpack: (!at_work && random.chance(0.3)).then(|| one_of(random, &palette.cloth)),
            skirt: !at_work && random.chance(0.2),
            box_in_hands: (at_work && random.chance(0.15)).then(|| one_of(random, &palette.cartons)),
        }
    }

    /// How far one walk through [`PHASES`] goes, metres: two steps.
    pub fn stride_m(&self) -> f32 {
        0.8 * self.height
    }

    /// Standing with arms and legs a little apart.
    pub fn standing(&self, random: &mut Random) -> Mesh {
        let swing = random.between(0.0, 0.12);
        self.pose([swing, -swing], [0.05, 0.05], [random.between(-0.3, 0.9), random.between(-0.3, 0.9)])
    }

    /// In the middle of a walk.
    pub fn walking(&self) -> Vec<Mesh> {
        (0..PHASES)
            .map(|phase| {
                let angle = TAU * phase as f32 / PHASES as f32;
                let hips = [0.42 * angle.sin(), -0.42 * angle.sin()];
                // The leg that comes forward is bent.
                let knees = [0.1 + 0.75 * angle.cos().max(0.0), 0.1 + 0.75 * (-angle.cos()).max(0.0)];
                let arms = [-0.45 * angle.sin(), 0.45 * angle.sin()];
                self.pose(hips, knees, arms)
            })
            .collect()
    }

    /// Sitting on something `seat_m` high.
    pub fn sitting(&self, seat_m: f32) -> Mesh {
        let mut mesh = Mesh::default();
        let unit = self.height / 1.75;
        let hip = seat_m + 0.1 * unit;
        for side in [-0.1, 0.1] {
            let from = Vec3::new(0.0, side * unit, hip);
            let knee = Vec3::new(0.42 * unit, 1.3 * side * unit, hip);
            let foot = Vec3::new(0.46 * unit, 1.3 * side * unit, (hip - 0.45 * unit).max(0.02));
            rod(&mut mesh, self.trousers, [from, knee], [0.085 * unit, 0.065 * unit], 6);
            rod(&mut mesh, self.trousers, [knee, foot], [0.06 * unit, 0.045 * unit], 6);
            self.arm(&mut mesh, Vec3::new(0.0, 2.0 * side * unit, hip + 0.48 * unit), 0.9);
        }
        self.upper_body(&mut mesh, hip);
        mesh
    }

    /// On the saddle of a bicycle, pedals turned by `angle`, radians.
    pub fn riding(&self, angle: f32) -> Mesh {
        let mut body = Mesh::default();
        let hip = Vec3::new(-0.22, 0.0, 1.0);
        let unit = self.height / 1.75;
        self.upper_body(&mut body, 0.0);
        let lean = Affine3A::from_rotation_translation(Quat::from_rotation_y(0.45), hip);
        let mut mesh = Mesh::default();
        mesh.append(&body, &lean);
        for (side, turn) in [(0.1, angle), (-0.1, angle + 0.5 * TAU)] {
            let from = hip + Vec3::new(0.0, side * unit, 0.0);
            let pedal = Vec3::new(-0.05 + 0.17 * turn.sin(), side * 1.2, 0.32 + 0.17 * turn.cos());
            // The knee is ahead of the line from hip to pedal, as far as the leg is long.
            let (middle, reach) = (from.midpoint(pedal), 0.5 * from.distance(pedal));
            let bend = (0.44 * unit * 0.44 * unit - reach * reach).max(0.0025).sqrt();
            let ahead = (pedal - from).cross(Vec3::Y).normalize_or(Vec3::X);
            let knee = middle + bend * if ahead.x > 0.0 { ahead } else { -ahead };
            rod(&mut mesh, self.trousers, [from, knee], [0.08 * unit, 0.06 * unit], 6);
            rod(&mut mesh, self.trousers, [knee, pedal], [0.058 * unit, 0.04 * unit], 6);
            mesh.add_box(self.shoes, &at(pedal.x + 0.05, pedal.y, pedal.z), [0.26, 0.09, 0.07]);
            let shoulder = lean.transform_point3(Vec3::new(0.0, 2.0 * side * unit, 0.49 * unit));
            let hand = Vec3::new(0.33, 2.4 * side, 1.05);
            let elbow = shoulder.midpoint(hand) + Vec3::new(-0.05, 0.3 * side, -0.06);
            rod(&mut mesh, self.top, [shoulder, elbow], [0.05 * unit, 0.042 * unit], 6);
            rod(&mut mesh, self.skin, [elbow, hand], [0.04 * unit, 0.033 * unit], 6);
        }
        mesh
    }

    /// Angles in radians, left and right: legs forward, knees bent back, arms forward.
    fn pose(&self, hips: [f32; 2], knees: [f32; 2], arms: [f32; 2]) -> Mesh {
        let mut mesh = Mesh::default();
        let unit = self.height / 1.75;
        let (thigh, calf) = (0.43 * unit, 0.41 * unit);
        // The body sinks as the legs spread, so that a foot stays on the ground.
        let reach = |hip: f32, knee: f32| thigh * hip.cos() + calf * (hip - knee).cos();
        let hip_height = reach(hips[0], knees[0]).max(reach(hips[1], knees[1])) + 0.07 * unit;
        for (side, ((hip, knee), arm)) in
            [0.095, -0.095].into_iter().zip(hips.into_iter().zip(knees).zip(arms))
        {
            let from = Vec3::new(0.0, side * unit, hip_height);
            let bend = from + thigh * Vec3::new(hip.sin(), 0.0, -hip.cos());
            let ankle = bend + calf * Vec3::new((hip - knee).sin(), 0.0, -(hip - knee).cos());
            let girth = self.girth * unit;
            rod(&mut mesh, self.trousers, [from, bend], [0.085 * girth, 0.062 * girth], 7);
            rod(&mut mesh, self.trousers, [bend, ankle], [0.06 * girth, 0.042 * girth], 7);
            let pitch = Affine3A::from_rotation_translation(
                Quat::from_rotation_y((knee - hip).clamp(-0.3, 0.9)),
                ankle + Vec3::new(0.05 * unit, 0.0, -0.03 * unit),
            );
            mesh.add_box(self.shoes, &pitch, [0.26 * unit, 0.09 * unit, 0.08 * unit]);
            let swing = if self.box_in_hands.is_some() { 0.7 } else { arm };
            self.arm(&mut mesh, Vec3::new(0.0, 2.1 * side * unit, hip_height + 0.5 * unit), swing);
        }
        self.upper_body(&mut mesh, hip_height);
        if self.skirt {
            let at = at(0.0, 0.0, hip_height - 0.4 * unit);
            mesh.add_cone(self.top, &at, [0.24 * unit, 0.17 * unit], 0.45 * unit, 9);
        }
        if let Some(carton) = self.box_in_hands {
            let z = hip_height + 0.12 * unit;
            block(&mut mesh, carton, [0.2, 0.5], [-0.2, 0.2], [z, z + 0.26]);
        }
        mesh
    }

    fn arm(&self, mesh: &mut Mesh, shoulder: Vec3, swing: f32) {
        let unit = self.height / 1.75;
        let outward = 0.12 * shoulder.y.signum();
        let elbow = shoulder + 0.29 * unit * Vec3::new(swing.sin(), outward, -swing.cos());
        let bent = swing + 0.35;
        let wrist = elbow + 0.25 * unit * Vec3::new(bent.sin(), 0.0, -bent.cos());
        rod(mesh, self.top, [shoulder, elbow], [0.052 * unit, 0.042 * unit], 5);
        rod(mesh, self.top, [elbow, wrist], [0.04 * unit, 0.032 * unit], 5);
        mesh.add_ellipsoid(self.skin, &at(wrist.x, wrist.y, wrist.z), [0.045 * unit; 3], 5);
    }

    fn upper_body(&self, mesh: &mut Mesh, hip: f32) {
        let unit = self.height / 1.75;
        let girth = self.girth * unit;
        let oval = |along: f32, across: f32| -> Vec<[f32; 2]> {
            let point = |k: u32| {
                let (sin, cos) = (TAU * k as f32 / 10.0).sin_cos();
                [along * girth * cos, across * girth * sin]
            };
            (0..10).map(point).collect()
        };
        let here = at(0.0, 0.0, hip);
        let [low, waist, chest, shoulder] = [-0.06, 0.2, 0.42, 0.53].map(|z| z * unit);
        mesh.add_loft(self.trousers, &here, &oval(0.11, 0.16), &oval(0.105, 0.15), [low, 0.5 * waist]);
        mesh.add_loft(self.top, &here, &oval(0.108, 0.152), &oval(0.12, 0.185), [0.4 * waist, chest]);
        mesh.add_loft(self.top, &here, &oval(0.12, 0.185), &oval(0.07, 0.14), [chest, shoulder]);
        if let Some(bands) = self.bands {
            for z in [waist, chest - 0.06 * unit] {
                mesh.add_loft(bands, &here, &oval(0.124, 0.186), &oval(0.124, 0.188), [z, z + 0.05]);
            }
        }
        let neck = Vec3::new(0.0, 0.0, hip + shoulder - 0.02 * unit);
        rod(mesh, self.skin, [neck, neck + Vec3::new(0.01, 0.0, 0.1 * unit)], [0.055 * unit, 0.05 * unit], 7);
        let head = hip + 0.71 * unit;
        mesh.add_ellipsoid(self.skin, &at(0.015, 0.0, head), [0.095 * unit, 0.075 * unit, 0.115 * unit], 9);
        let (cap, size) = match self.helmet {
            Some(helmet) => (helmet, [0.13, 0.11, 0.1]),
            None => (self.hair, [0.095, 0.082, 0.095]),
        };
        mesh.add_ellipsoid(cap, &at(-0.015, 0.0, head + 0.045 * unit), size.map(|s| s * unit), 8);
        if let Some(backpack) = self.backpack {
            let (x, z) = (-0.12 * girth, hip + 0.12 * unit);
            block(mesh, backpack, [x - 0.17, x], [-0.15, 0.15], [z, z + 0.4 * unit]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::WorldBuilder;

    #[test]
    fn people_are_as_tall_as_people_and_touch_the_ground() {
        let mut random = Random::new(1, &[]);
        let palette = Palette::new(&mut WorldBuilder::default(), &mut random, 1.0);
        for k in 0..40 {
            let person = Person::new(&palette, &mut random, k % 2 == 0);
            let mut meshes = person.walking();
            assert_eq!(meshes.len(), PHASES);
            meshes.push(person.standing(&mut random));
            for mesh in meshes {
                let [low, high] = mesh.bounds();
                assert!(low.z.abs() < 0.09, "feet at {}", low.z);
                assert!((high.z - person.height).abs() < 0.15, "{} of {}", high.z, person.height);
                assert!(high.y - low.y < 1.0 && mesh.triangles.len() < 700, "{}", mesh.triangles.len());
            }
        }
    }
}
