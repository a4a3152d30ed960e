//! Light for squares of two by two pixels: neighbours on one surface share their lamps, shadows and mirrors.

use glam::Vec3A;

use super::{
    lamps::Lamps,
    shading,
    shading::{Direct, MIDDLE, Mirrored, SHARP, Visibility},
    strip::{Scratch, Strip, TILE},
};
use crate::sim::{Hit, Packet, RAYS, Random};

/// Surfaces whose normals have at least this cosine and whose distances differ by less than this share have
/// the same light.
pub(super) const SAME_NORMAL: f32 = 0.96;
pub(super) const SAME_DISTANCE: f32 = 0.02;

/// What the first pixel of a square has found.
#[derive(Clone, Copy, Default)]
pub(super) struct Square {
    distance_m: f32,
    normal: Vec3A,
    object: Option<u32>,
    pub lamps: Lamps,
    /// What a blurred mirror shows there.
    pub mirrored: Option<[f32; 3]>,
    /// Pixels it moves by while the shutter is open.
    pub flow: [f32; 2],
    is_hit: bool,
}

impl Square {
    /// Whether a pixel of the square lies on the surface that was sampled.
    pub fn covers(&self, hit: &Hit) -> bool {
        self.is_hit
            && self.object == hit.object
            && self.normal.dot(hit.normal) > SAME_NORMAL
            && (self.distance_m - hit.distance_m).abs() < SAME_DISTANCE * self.distance_m
    }
}

impl Strip<'_> {
    /// Shadow and ambient samples and what blurred mirrors show, one of each for a square.
    pub(super) fn look_for_light(
        &self,
        random: &mut Random,
        width: usize,
        rows: usize,
        scratch: &mut Scratch,
    ) {
        let (columns, rows) = (width.div_ceil(2), rows.div_ceil(2));
        scratch.squares.clear();
        scratch.squares.resize(columns * rows, Square::default());
        scratch.samples.reset(columns * rows);
        for top in (0..rows).step_by(TILE) {
            for left in (0..columns).step_by(TILE) {
                self.look_from_tile(random, [top, left], [rows, columns], width, scratch);
            }
        }
    }

    /// The same for a tile of squares, whose rays share their way through the scene.
    fn look_from_tile(
        &self,
        random: &mut Random,
        [top, left]: [usize; 2],
        [rows, columns]: [usize; 2],
        width: usize,
        scratch: &mut Scratch,
    ) {
        let snapshot = self.view.snapshot;
        let (mut to_light, mut to_mirrored) = (Packet::default(), Packet::default());
        let mut blurs_m = [0.0; RAYS];
        let mut squares = [None; RAYS];
        for place in 0..RAYS {
            let (row, column) = (top + place / TILE, left + place % TILE);
            if row >= rows || column >= columns {
                continue;
            }
            let Some((ray, hit)) = scratch.hits[2 * row * width + 2 * column] else { continue };
            let index = row * columns + column;
            let lamps = self.view.lamps.at(&hit);
            let direct = match shading::direct(self.view, &hit, &lamps, random) {
                Direct::Known(share) => share,
                Direct::Along(ray) => {
                    to_light.set(place, &ray, MIDDLE);
                    1.0
                }
            };
            // Two dozen neighbours are averaged, so that every other square is enough.
            let is_sampled = (row + column) % 2 == 0;
            let ambient = is_sampled.then(|| shading::ambient_visibility(self.view, &hit, random));
            scratch.samples.set(index, hit.normal, hit.distance_m, direct, ambient);
            let mut mirrored = None;
            let material = snapshot.world().materials.get(hit.material.0 as usize);
            if let Some(material) = material.filter(|m| m.specular > 0.0 && m.roughness > SHARP) {
                match shading::mirrored(self.view, &ray, &hit, material, self.footprint_m(&ray, &hit), 0) {
                    Mirrored::Anything(light) => mirrored = Some(light),
                    Mirrored::Along(ray, blurred_m) => {
                        to_mirrored.set(place, &ray, MIDDLE);
                        blurs_m[place] = blurred_m;
                    }
                }
            }
            scratch.squares[index] = Square {
                distance_m: hit.distance_m,
                normal: hit.normal,
                object: hit.object,
                lamps,
                mirrored,
                flow: self.flow(&hit),
                is_hit: true,
            };
            squares[place] = Some(index);
        }
        for (is_blocked, square) in snapshot.are_blocked(&mut to_light).into_iter().zip(squares) {
            if let (true, Some(square)) = (is_blocked, square) {
                scratch.samples.shade(square);
            }
        }
        let rays = to_mirrored.clone();
        let mut hits = [None; RAYS];
        snapshot.cast_packet(&mut to_mirrored, |place, hit| hits[place] = Some(hit));
        for place in rays.places() {
            let Some(square) = squares[place].and_then(|index| scratch.squares.get_mut(index)) else {
                continue;
            };
            let (ray, _) = rays.ray(place);
            let blurred_m = blurs_m[place];
            let light = shading::seen(self.view, &ray, hits[place], blurred_m, Visibility::UNHINDERED, 1);
            square.mirrored = Some(light);
        }
    }
}
