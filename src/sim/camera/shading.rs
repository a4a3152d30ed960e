//! The light that a surface sends towards the camera.

use glam::{Vec3, Vec3A};

use super::lamps::{LampTable, Lamps};
use super::pattern;
use crate::sim::{Hit, Lighting, Material, Random, Ray, Snapshot};

/// Surfaces in glass and mirrors behind this many others are not looked at.
const MAX_BOUNCES: u32 = 3;
/// Mirrors rougher than this blur what they show.
pub(super) const SHARP: f32 = 0.06;
/// A mirror weaker than this shows only the sky's mean.
const LEAST_MIRROR: f32 = 0.06;
/// The same for mirrors that are seen in a mirror or through a pane.
const LEAST_MIRROR_WITHIN: f32 = 0.25;
/// Half the width of the sun's disc with its glare, radians.
const SUN_RADIUS: f32 = 0.01;
/// Of the time that the shutter is open.
pub(super) const MIDDLE: f32 = 0.5;
/// A lamp's fitting does not shade its own light, metres.
const FITTING_M: f32 = 0.4;

/// What light reaches a point, so that neighbours can share it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Visibility {
    /// 1 where the sun, or the lamp that matters most, is seen.
    pub direct: f32,
    /// 1 where nothing is near, 0 in a corner.
    pub ambient: f32,
}

/// What the rays of a pixel meet next; `None` for the sky.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ahead {
    /// Along the ray of [`mirrored`].
    pub mirrored: Option<Hit>,
    /// Along the ray of [`behind`].
    pub behind: Option<Hit>,
}

impl Visibility {
    /// Nothing in the way.
    pub const UNHINDERED: Self = Self { direct: 1.0, ambient: 1.0 };
}

/// The world while the shutter is open, with its lamps.
pub(super) struct View<'a> {
    pub snapshot: &'a Snapshot<'a>,
    pub lamps: LampTable,
}

/// What shading a pixel takes from its neighbours.
#[derive(Clone, Copy)]
pub(super) struct Shared<'a> {
    /// What is seen of the lights.
    pub visibility: Visibility,
    /// The lamps there.
    pub lamps: &'a Lamps,
    /// What a blurred mirror shows, which changes little from pixel to pixel.
    pub mirrored: Option<[f32; 3]>,
    /// What is there to see in a sharp mirror and through a pane, if that was looked up.
    pub ahead: Option<&'a Ahead>,
}

/// Where a ray meets the sky.
pub(super) fn sky(lighting: &Lighting, direction: Vec3A) -> [f32; 3] {
    let up = direction.z;
    let base = if up >= 0.0 {
        mix(lighting.horizon, lighting.zenith, up.sqrt())
    } else {
        mix(lighting.horizon, lighting.ground, (-4.0 * up).min(1.0))
    };
    let sun = Vec3A::from(lighting.sun_direction).dot(direction).max(0.0);
    // A glare about the sun's disc.
    let glare = 0.3 * sun.powi(64) + 4.0 * sun.powi(2000);
    add(base, scale(lighting.sun, glare))
}

/// How much of the sun, or indoors of the lamp that shines most there, is seen from a point.
pub(super) enum Direct {
    /// This share.
    Known(f32),
    /// All of it, unless something blocks the ray.
    Along(Ray),
}

/// Where to look for the sun or the lamp.
pub(super) fn direct(view: &View<'_>, hit: &Hit, lamps: &Lamps, random: &mut Random) -> Direct {
    let lighting = &view.snapshot.world().lighting;
    let (direction, distance) = if lighting.sun == [0.0; 3] {
        match lamps.strongest {
            Some((_, distance, _)) if distance < 2.0 * FITTING_M => return Direct::Known(1.0),
            Some((towards, distance, _)) => (towards, distance - FITTING_M),
            None => return Direct::Known(1.0),
        }
    } else {
        (Vec3A::from(lighting.sun_direction), f32::INFINITY)
    };
    if hit.normal.dot(direction) <= 0.0 {
        return Direct::Known(0.0);
    }
    let jitter = SUN_RADIUS * random.direction();
    Direct::Along(Ray {
        origin: hit.point + 2e-3 * hit.normal,
        direction: (direction + jitter).normalize(),
        max_m: distance.min(500.0),
    })
}

/// The same for a single point.
pub(super) fn direct_visibility(view: &View<'_>, hit: &Hit, lamps: &Lamps, random: &mut Random) -> f32 {
    match direct(view, hit, lamps, random) {
        Direct::Known(share) => share,
        Direct::Along(ray) if view.snapshot.is_blocked(&ray, MIDDLE) => 0.0,
        Direct::Along(_) => 1.0,
    }
}

/// One sample of whether something near keeps the ambient light away.
pub(super) fn ambient_visibility(view: &View<'_>, hit: &Hit, random: &mut Random) -> f32 {
    const REACH_M: f32 = 2.0;
    // The normal plus a point of the unit sphere: directions by their cosine.
    let direction = (hit.normal + random.direction()).normalize_or(hit.normal);
    let ray = Ray { origin: hit.point + 2e-3 * hit.normal, direction, max_m: REACH_M };
    if view.snapshot.is_blocked(&ray, MIDDLE) { 0.0 } else { 1.0 }
}

/// Radiance from a hit towards the ray's origin, air included. `footprint_m` is the width of a pixel there.
pub(super) fn radiance(
    view: &View<'_>,
    ray: &Ray,
    hit: &Hit,
    footprint_m: f32,
    shared: Shared<'_>,
    bounce: u32,
) -> [f32; 3] {
    let world = view.snapshot.world();
    let lighting = &world.lighting;
    let Shared { visibility, lamps, ahead, .. } = shared;
    let Some(material) = world.materials.get(hit.material.0 as usize) else { return [0.0; 3] };
    let albedo = pattern::albedo(material, &world.images, hit, footprint_m);

    let towards_sky = 0.5 + 0.5 * hit.normal.z;
    let skylight = mix(lighting.ground, mix(lighting.horizon, lighting.zenith, 0.5), towards_sky);
    // Corners get light from their own walls, so they are never quite black.
    let ambient = scale(skylight, 0.25 + 0.75 * visibility.ambient);
    let mut light = ambient;
    let mut highlight = [0.0; 3];
    let mut shine = |towards: Vec3A, irradiance: [f32; 3], share: f32| {
        let cosine = hit.normal.dot(towards);
        if cosine <= 0.0 || share <= 0.0 {
            return;
        }
        light = add(light, scale(irradiance, cosine * share));
        if material.specular > 0.0 && material.roughness < 0.9 {
            let half = (towards - ray.direction).normalize_or_zero();
            // Blinn's lobe with its energy kept; the exponent follows Beckmann's roughness.
            let width = (material.roughness * material.roughness).max(1e-3);
            let exponent = (2.0 / (width * width) - 2.0).clamp(1.0, 4000.0);
            let lobe = (exponent + 8.0) / 25.0 * hit.normal.dot(half).max(0.0).powf(exponent);
            let strength = fresnel(material.specular, half.dot(towards)) * lobe * cosine * share;
            highlight = add(highlight, scale(irradiance, strength));
        }
    };
    if lighting.sun != [0.0; 3] {
        shine(Vec3A::from(lighting.sun_direction), lighting.sun, visibility.direct);
    }
    if let Some((towards, _, irradiance)) = lamps.strongest {
        let share = if lighting.sun == [0.0; 3] { visibility.direct } else { 1.0 };
        shine(towards, irradiance, share);
    }
    light = add(light, scale(lamps.others, 0.3 + 0.7 * visibility.ambient));

    let cosine = -hit.normal.dot(ray.direction);
    let mirror = if material.specular > 0.0 { fresnel(material.specular, cosine) } else { 0.0 };
    let matt = (1.0 - mirror) * (1.0 - material.transmission);
    let mut colour = add(add(multiply(albedo, scale(light, matt)), highlight), material.emission);
    if mirror > 0.0 {
        let seen = match shared.mirrored {
            Some(known) if material.roughness > SHARP => known,
            _ => match mirrored(view, ray, hit, material, footprint_m, bounce) {
                Mirrored::Anything(light) => light,
                Mirrored::Along(ray, blurred_m) => match ahead.filter(|_| material.roughness <= SHARP) {
                    Some(ahead) => {
                        seen(view, &ray, ahead.mirrored, blurred_m, Visibility::UNHINDERED, bounce + 1)
                    }
                    None => look(view, &ray, blurred_m, Visibility::UNHINDERED, bounce + 1),
                },
            },
        };
        colour = add(colour, scale(seen, mirror * (1.0 - material.roughness)));
    }
    if material.transmission > 0.0 {
        let onward = behind(ray, hit);
        let seen = match ahead {
            Some(ahead) => seen(view, &onward, ahead.behind, footprint_m, visibility, bounce + 1),
            None => look(view, &onward, footprint_m, visibility, bounce + 1),
        };
        let tint = mix(albedo, [1.0; 3], 0.7);
        colour = add(colour, multiply(tint, scale(seen, (1.0 - mirror) * material.transmission)));
    }
    air(lighting, colour, hit.distance_m)
}

/// Through the air: haze takes light and adds its own.
pub(super) fn air(lighting: &Lighting, colour: [f32; 3], distance_m: f32) -> [f32; 3] {
    mix(lighting.haze, colour, (-lighting.haze_per_m * distance_m).exp())
}

/// What a mirror shows.
pub(super) enum Mirrored {
    /// This, whatever is there: it is too weak or too rough.
    Anything([f32; 3]),
    /// What a ray sees, in detail no finer than this, metres.
    Along(Ray, f32),
}

/// Where a surface mirrors a ray to that has left as many surfaces as `bounce`.
pub(super) fn mirrored(
    view: &View<'_>,
    ray: &Ray,
    hit: &Hit,
    material: &Material,
    footprint_m: f32,
    bounce: u32,
) -> Mirrored {
    let lighting = &view.snapshot.world().lighting;
    let cosine = -hit.normal.dot(ray.direction);
    let share = fresnel(material.specular, cosine) * (1.0 - material.roughness);
    let least = if bounce == 0 { LEAST_MIRROR } else { LEAST_MIRROR_WITHIN };
    if share < least || material.roughness > 0.5 {
        return Mirrored::Anything(scale(mix(lighting.horizon, lighting.ground, 0.5), 0.5));
    }
    let direction = ray.direction - 2.0 * ray.direction.dot(hit.normal) * hit.normal;
    let ray = Ray { origin: hit.point + 2e-3 * hit.normal, direction, max_m: ray.max_m };
    // A rough mirror blurs, as coarse pixels do.
    Mirrored::Along(ray, footprint_m + material.roughness * hit.distance_m)
}

/// The rest of a ray that goes on through a pane.
pub(super) fn behind(ray: &Ray, hit: &Hit) -> Ray {
    Ray { origin: hit.point + 2e-3 * ray.direction, ..*ray }
}

/// What a ray that has left a surface sees.
fn look(view: &View<'_>, ray: &Ray, footprint_m: f32, visibility: Visibility, bounce: u32) -> [f32; 3] {
    if bounce > MAX_BOUNCES {
        return view.snapshot.world().lighting.horizon;
    }
    seen(view, ray, view.snapshot.cast(ray, MIDDLE), footprint_m, visibility, bounce)
}

/// What a ray sees that has met something, or the sky.
pub(super) fn seen(
    view: &View<'_>,
    ray: &Ray,
    hit: Option<Hit>,
    footprint_m: f32,
    visibility: Visibility,
    bounce: u32,
) -> [f32; 3] {
    let Some(hit) = hit else { return sky(&view.snapshot.world().lighting, ray.direction) };
    let lamps = view.lamps.at(&hit);
    let shared = Shared { visibility, lamps: &lamps, mirrored: None, ahead: None };
    radiance(view, ray, &hit, footprint_m, shared, bounce)
}

/// Schlick's reflectance at an angle given by its cosine.
fn fresnel(at_normal: f32, cosine: f32) -> f32 {
    at_normal + (1.0 - at_normal) * (1.0 - cosine.clamp(0.0, 1.0)).powi(5)
}

/// Of a linear colour, as an eye weighs it.
pub(super) fn luminance([r, g, b]: [f32; 3]) -> f32 {
    Vec3::new(r, g, b).dot(Vec3::new(0.2126, 0.7152, 0.0722))
}

fn add(a: [f32; 3], b: [f32; 3]) -> [f32; 3] {
    [a[0] + b[0], a[1] + b[1], a[2] + b[2]]
}

fn multiply(a: [f32; 3], b: [f32; 3]) -> [f32; 3] {
    [a[0] * b[0], a[1] * b[1], a[2] * b[2]]
}

fn scale(a: [f32; 3], factor: f32) -> [f32; 3] {
    a.map(|c| c * factor)
}

fn mix(a: [f32; 3], b: [f32; 3], share: f32) -> [f32; 3] {
    [0, 1, 2].map(|c: usize| a[c] + (b[c] - a[c]) * share)
}
