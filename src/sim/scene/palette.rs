//! The materials of a scene. Every seed has its own shades.
//!
//! Reflectivities at 905 nm follow the ASTER and ECOSTRESS spectral libraries in kind (foliage and cloth
//! are bright, tyres and asphalt dark) and the intensities of a real sweep of an office (`lidar_realism`:
//! black plastics and metal reflect less than a tenth, white walls and furniture about as much as the white that
//! makers calibrate with); those at 77 GHz the permittivities of ITU-R P.2040.

use super::finish::{
    bands, brightness, glossy, glowing, ground, labels, metal, noise, painted, sheet, stuff, tile,
};
use crate::sim::{Material, MaterialId, Random, Texture, WorldBuilder};

/// What surfaces are made of. Lists are never empty.
pub struct Palette {
    pub asphalt: MaterialId,
    pub paving: MaterialId,
    pub kerb: MaterialId,
    pub road_paint: MaterialId,
    pub soil: MaterialId,
    pub gravel: MaterialId,
    pub grass: MaterialId,
    pub rocks: Vec<MaterialId>,
    pub concrete: MaterialId,
    pub glossy_floor: MaterialId,
    pub carpet: MaterialId,
    pub tiles: MaterialId,
    pub floor_paint: MaterialId,
    pub plaster: MaterialId,
    pub cladding: MaterialId,
    pub ceiling: MaterialId,
    pub facades: Vec<MaterialId>,
    pub bricks: MaterialId,
    pub roof: MaterialId,
    pub window: MaterialId,
    pub glass: MaterialId,
    pub steel: MaterialId,
    pub galvanised: MaterialId,
    pub chrome: MaterialId,
    pub black_metal: MaterialId,
    pub hazard: MaterialId,
    pub machine_paints: Vec<MaterialId>,
    pub rack_paints: Vec<MaterialId>,
    pub containers: Vec<MaterialId>,
    pub car_paints: Vec<MaterialId>,
    pub tarps: Vec<MaterialId>,
    pub rubber: MaterialId,
    pub dark_plastic: MaterialId,
    pub plastics: Vec<MaterialId>,
    pub upholstery: MaterialId,
    pub pallet_wood: MaterialId,
    pub furniture: Vec<MaterialId>,
    pub doors: Vec<MaterialId>,
    pub cartons: Vec<MaterialId>,
    pub film: MaterialId,
    pub sack: MaterialId,
    pub paper: MaterialId,
    pub whiteboard: MaterialId,
    pub cloth: Vec<MaterialId>,
    pub trousers: Vec<MaterialId>,
    pub skins: Vec<MaterialId>,
    pub hair: Vec<MaterialId>,
    pub vest: MaterialId,
    pub reflector: MaterialId,
    pub plate: MaterialId,
    pub headlight: MaterialId,
    pub tail_light: MaterialId,
    pub lamp: MaterialId,
    pub screen: MaterialId,
    pub signs: Vec<MaterialId>,
    pub bark: MaterialId,
    pub leaves: Vec<MaterialId>,
    pub dry_plants: MaterialId,
}

/// Width of the shades' spread, as a factor.
const SHADE: f32 = 0.18;

impl Palette {
    /// Draws the shades and adds all materials. `light` scales what lamps and headlights give off.
    pub fn new(builder: &mut WorldBuilder, random: &mut Random, light: f32) -> Self {
        let mut add = |name: &str, albedo: [f32; 3], finish: &dyn Fn(&mut Random, &mut Material)| {
            let brightness = 1.0 + SHADE * (2.0 * random.unit() - 1.0);
            let shade = albedo.map(|c| (c * brightness * (1.0 + 0.025 * random.normal())).clamp(0.01, 0.92));
            let mut material = Material::matt(name, shade);
            finish(random, &mut material);
            builder.material(material)
        };
        let glowing = |strength: f32| glowing(strength * light);
        let upright = std::f32::consts::FRAC_PI_2;
        let mut list = |name: &str, colours: &[[f32; 3]], finish: &dyn Fn(&mut Random, &mut Material)| {
            colours.iter().map(|&colour| add(name, colour, finish)).collect::<Vec<_>>()
        };
        macro_rules! one {
            ($name:literal, $colour:expr, $finish:expr) => {
                list($name, &[$colour], $finish)[0]
            };
        }
        Self {
            asphalt: one!("asphalt", [0.10, 0.10, 0.10], &ground(noise(1.5, 0.18), 0.16, 0.15, 1.0)),
            paving: one!(
                "paving",
                [0.36, 0.34, 0.32],
                &ground(tile([0.4, 0.4], 0.008, false, 0.12, 0.1), 0.3, 0.2, 0.7)
            ),
            kerb: one!(
                "kerb",
                [0.45, 0.44, 0.42],
                &ground(tile([1.0, 0.3], 0.01, false, 0.15, 0.08), 0.35, 0.22, 0.6)
            ),
            road_paint: one!("road paint", [0.75, 0.75, 0.72], &ground(noise(0.5, 0.2), 1.2, 0.15, 0.8)),
            soil: one!("soil", [0.20, 0.15, 0.10], &ground(noise(2.5, 0.22), 0.25, 0.3, 6.0)),
            gravel: one!("gravel", [0.32, 0.30, 0.27], &ground(noise(0.15, 0.3), 0.28, 0.15, 6.0)),
            grass: one!("grass", [0.10, 0.17, 0.05], &ground(noise(0.8, 0.28), 0.5, 0.08, 12.0)),
            rocks: list(
                "rock",
                &[[0.34, 0.32, 0.29], [0.22, 0.21, 0.20], [0.42, 0.36, 0.28]],
                &ground(noise(0.3, 0.25), 0.3, 0.25, 4.0),
            ),
            concrete: one!("concrete", [0.42, 0.41, 0.39], &ground(noise(1.2, 0.12), 0.35, 0.22, 0.5)),
            glossy_floor: one!("glossy floor", [0.30, 0.33, 0.33], &|r, m| {
                m.texture = Texture::Noise { scale_m: 2.5, contrast: 0.06 };
                m.specular = r.between(0.04, 0.07);
                m.roughness = r.between(0.03, 0.15);
                m.lidar_reflectivity = r.between(0.2, 0.35);
                m.radar_roughness_mm = 0.1;
            }),
            carpet: one!(
                "carpet",
                [0.16, 0.17, 0.20],
                &ground(tile([0.5, 0.5], 0.003, false, 0.1, 0.07), 0.3, 0.1, 1.5)
            ),
            tiles: one!("tiles", [0.50, 0.48, 0.44], &|r, m| {
                m.texture = tile([0.6, 0.3], 0.005, r.chance(0.5), 0.25, 0.05);
                m.specular = 0.04;
                m.roughness = r.between(0.05, 0.3);
                m.lidar_reflectivity = 0.4;
                m.radar_roughness_mm = 0.1;
            }),
            floor_paint: one!("floor paint", [0.75, 0.55, 0.05], &ground(noise(0.4, 0.2), 0.5, 0.2, 0.3)),
            plaster: one!("plaster", [0.68, 0.66, 0.61], &ground(noise(1.8, 0.04), 0.88, 0.12, 0.4)),
            cladding: one!("cladding", [0.52, 0.54, 0.55], &|r, m| {
                metal(0.06, 0.4, 0.45)(r, m);
                m.texture = bands(0.25, upright, 0.35, m.albedo.map(|c| 0.7 * c));
                m.radar_roughness_mm = 0.6;
            }),
            ceiling: one!(
                "ceiling",
                [0.66, 0.66, 0.64],
                &ground(tile([0.62, 0.62], 0.02, false, 0.45, 0.03), 0.75, 0.1, 0.5)
            ),
            facades: list(
                "facade",
                &[
                    [0.62, 0.55, 0.42],
                    [0.55, 0.38, 0.28],
                    [0.70, 0.68, 0.64],
                    [0.38, 0.42, 0.46],
                    [0.58, 0.47, 0.33],
                ],
                &ground(noise(2.5, 0.08), 0.5, 0.15, 0.8),
            ),
            bricks: one!(
                "bricks",
                [0.36, 0.17, 0.11],
                &ground(tile([0.24, 0.08], 0.012, true, 0.4, 0.14), 0.35, 0.2, 0.9)
            ),
            roof: one!(
                "roof",
                [0.28, 0.13, 0.09],
                &ground(bands(0.3, 0.0, 0.3, [0.2, 0.09, 0.06]), 0.3, 0.15, 2.0)
            ),
            window: one!("window", [0.04, 0.05, 0.06], &|_, m| {
                m.specular = 0.08;
                m.roughness = 0.02;
                m.lidar_reflectivity = 0.06;
                m.radar_reflectivity = 0.3;
                m.radar_roughness_mm = 0.05;
            }),
            glass: one!("glass", [0.02, 0.025, 0.025], &|r, m| {
                m.specular = 0.06;
                m.roughness = 0.01;
                m.transmission = r.between(0.65, 0.85);
                m.lidar_reflectivity = 0.04;
                m.radar_reflectivity = 0.3;
                m.radar_roughness_mm = 0.03;
            }),
            steel: one!("steel", [0.42, 0.42, 0.43], &metal(0.45, 0.35, 0.35)),
            galvanised: one!("galvanised", [0.50, 0.52, 0.53], &metal(0.3, 0.45, 0.4)),
            chrome: one!("chrome", [0.30, 0.30, 0.31], &metal(0.7, 0.12, 0.3)),
            black_metal: one!("black metal", [0.03, 0.03, 0.032], &metal(0.04, 0.4, 0.05)),
            hazard: one!("hazard marks", [0.75, 0.58, 0.04], &|r, m| {
                painted(r, m);
                m.texture = bands(0.3, 0.785, 0.5, [0.02; 3]);
            }),
            machine_paints: list(
                "machine paint",
                &[
                    [0.10, 0.28, 0.20],
                    [0.55, 0.57, 0.58],
                    [0.08, 0.16, 0.38],
                    [0.72, 0.70, 0.62],
                    [0.55, 0.14, 0.06],
                    [0.75, 0.52, 0.04],
                ],
                &painted,
            ),
            rack_paints: list(
                "rack paint",
                &[[0.05, 0.12, 0.42], [0.75, 0.22, 0.02], [0.45, 0.46, 0.47]],
                &painted,
            ),
            containers: list(
                "container",
                &[
                    [0.10, 0.20, 0.40],
                    [0.40, 0.09, 0.06],
                    [0.14, 0.28, 0.16],
                    [0.55, 0.52, 0.46],
                    [0.55, 0.25, 0.05],
                ],
                &|r, m| {
                    painted(r, m);
                    m.texture = bands(0.28, upright, 0.5, m.albedo.map(|c| 0.72 * c));
                    m.radar_roughness_mm = 0.5;
                },
            ),
            car_paints: list(
                "car paint",
                &[
                    [0.78, 0.78, 0.77],
                    [0.02, 0.02, 0.022],
                    [0.30, 0.31, 0.32],
                    [0.52, 0.53, 0.54],
                    [0.05, 0.09, 0.25],
                    [0.40, 0.03, 0.03],
                    [0.10, 0.11, 0.12],
                    [0.16, 0.22, 0.18],
                    [0.45, 0.40, 0.32],
                    [0.65, 0.63, 0.58],
                ],
                &|r, m| {
                    let [red, green, blue] = m.albedo;
                    m.specular = 0.05;
                    m.roughness = r.between(0.03, 0.12);
                    // Black paint takes up the near infrared too.
                    m.lidar_reflectivity = (0.04 + 0.8 * (red + green + blue) / 3.0).min(0.8);
                    m.radar_reflectivity = 0.95;
                    m.radar_roughness_mm = 0.05;
                },
            ),
            tarps: list(
                "tarp",
                &[
                    [0.10, 0.18, 0.42],
                    [0.66, 0.65, 0.60],
                    [0.45, 0.06, 0.05],
                    [0.12, 0.30, 0.16],
                    [0.60, 0.42, 0.05],
                ],
                &|r, m| {
                    m.texture = Texture::Labels { scale_m: r.between(2.0, 5.0), other: [0.7; 3] };
                    m.specular = 0.04;
                    m.roughness = 0.5;
                    m.radar_reflectivity = 0.1;
                },
            ),
            rubber: one!("rubber", [0.025, 0.025, 0.025], &stuff(Texture::Plain, 0.05, 0.12)),
            dark_plastic: one!("dark plastic", [0.035, 0.035, 0.038], &|r, m| {
                stuff(Texture::Plain, 0.035, 0.08)(r, m);
                m.specular = 0.04;
                m.roughness = 0.4;
            }),
            plastics: list(
                "plastic",
                &[
                    [0.08, 0.25, 0.55],
                    [0.55, 0.08, 0.06],
                    [0.10, 0.38, 0.16],
                    [0.72, 0.55, 0.06],
                    [0.55, 0.56, 0.57],
                ],
                &glossy(0.04, 0.3),
            ),
            upholstery: one!("upholstery", [0.08, 0.08, 0.09], &|r, m| {
                stuff(noise(0.2, 0.1), 0.3, 0.08)(r, m);
                m.lidar_reflectivity = r.between(0.06, 0.5);
            }),
            pallet_wood: one!(
                "pallet wood",
                [0.46, 0.33, 0.19],
                &stuff(bands(0.09, 0.0, 0.25, [0.34, 0.23, 0.12]), 0.5, 0.1)
            ),
            furniture: list(
                "furniture",
                &[[0.62, 0.50, 0.34], [0.72, 0.71, 0.68], [0.30, 0.18, 0.10], [0.20, 0.21, 0.23]],
                &|r, m| {
                    stuff(bands(0.2, 0.0, 0.15, [0.35, 0.25, 0.15]), 0.5, 0.1)(r, m);
                    m.lidar_reflectivity = brightness(m, 0.03) * r.between(0.8, 1.25);
                },
            ),
            doors: list(
                "door",
                &[[0.50, 0.36, 0.22], [0.66, 0.65, 0.61], [0.15, 0.25, 0.38], [0.42, 0.43, 0.44]],
                &|r, m| {
                    stuff(noise(1.0, 0.05), 0.5, 0.15)(r, m);
                    m.specular = 0.04;
                    m.roughness = 0.5;
                },
            ),
            cartons: list(
                "carton",
                &[[0.45, 0.32, 0.18], [0.52, 0.38, 0.23], [0.36, 0.24, 0.13], [0.66, 0.62, 0.55]],
                &stuff(labels(0.6, [0.75, 0.74, 0.7]), 0.6, 0.12),
            ),
            film: one!("wrapping film", [0.48, 0.48, 0.46], &|r, m| {
                stuff(tile([0.4, 0.3], 0.006, true, 0.25, 0.15), 0.35, 0.12)(r, m);
                m.specular = 0.06;
                m.roughness = 0.15;
            }),
            sack: one!("sack", [0.58, 0.53, 0.43], &stuff(noise(0.3, 0.12), 0.5, 0.15)),
            paper: one!("paper", [0.72, 0.72, 0.70], &stuff(labels(0.25, [0.2, 0.2, 0.25]), 0.85, 0.05)),
            whiteboard: one!("whiteboard", [0.85, 0.85, 0.85], &|r, m| {
                metal(0.05, 0.2, 0.4)(r, m);
                m.lidar_reflectivity = r.between(0.9, 1.3);
                m.texture = labels(1.2, [0.5, 0.5, 0.6]);
            }),
            cloth: list(
                "cloth",
                &[
                    [0.06, 0.07, 0.10],
                    [0.45, 0.06, 0.06],
                    [0.10, 0.16, 0.35],
                    [0.60, 0.58, 0.54],
                    [0.12, 0.25, 0.14],
                    [0.30, 0.29, 0.28],
                    [0.55, 0.42, 0.12],
                    [0.28, 0.14, 0.28],
                ],
                &|r, m| {
                    stuff(noise(0.15, 0.1), 0.45, 0.45)(r, m);
                    m.lidar_reflectivity = r.between(0.25, 0.75);
                    m.radar_roughness_mm = 1.5;
                },
            ),
            trousers: list(
                "trousers",
                &[[0.05, 0.06, 0.09], [0.10, 0.14, 0.24], [0.22, 0.20, 0.17], [0.04, 0.04, 0.04]],
                &|r, m| {
                    stuff(noise(0.15, 0.1), 0.4, 0.45)(r, m);
                    m.radar_roughness_mm = 1.5;
                },
            ),
            skins: list(
                "skin",
                &[[0.58, 0.38, 0.28], [0.40, 0.24, 0.15], [0.18, 0.10, 0.06]],
                &stuff(Texture::Plain, 0.5, 0.5),
            ),
            hair: list(
                "hair",
                &[[0.03, 0.02, 0.02], [0.16, 0.09, 0.04], [0.42, 0.32, 0.18], [0.35, 0.35, 0.35]],
                &stuff(Texture::Plain, 0.3, 0.3),
            ),
            vest: one!("vest", [0.75, 0.80, 0.05], &stuff(Texture::Plain, 0.75, 0.4)),
            reflector: one!("reflector", [0.60, 0.60, 0.60], &sheet(6.0)),
            plate: one!("number plate", [0.75, 0.75, 0.72], &sheet(3.0)),
            headlight: one!("headlight", [0.80, 0.80, 0.78], &|r, m| {
                glowing(0.6)(r, m);
                m.lidar_reflectivity = 0.8;
            }),
            tail_light: one!("tail light", [0.45, 0.02, 0.02], &|r, m| {
                glowing(0.25)(r, m);
                m.lidar_reflectivity = 2.0 * r.between(0.6, 1.4);
            }),
            lamp: one!("lamp", [0.90, 0.88, 0.82], &glowing(2.5)),
            screen: one!("screen", [0.10, 0.14, 0.20], &|r, m| {
                glowing(1.5)(r, m);
                m.lidar_reflectivity = r.between(0.02, 0.06);
            }),
            signs: list(
                "sign",
                &[[0.70, 0.70, 0.70], [0.05, 0.15, 0.50], [0.60, 0.04, 0.04], [0.75, 0.60, 0.05]],
                &sheet(5.0),
            ),
            bark: one!("bark", [0.14, 0.11, 0.08], &ground(noise(0.2, 0.3), 0.3, 0.12, 5.0)),
            leaves: list(
                "leaves",
                &[[0.07, 0.14, 0.03], [0.12, 0.17, 0.04], [0.05, 0.11, 0.04], [0.22, 0.14, 0.03]],
                &ground(noise(0.3, 0.25), 0.5, 0.06, 8.0),
            ),
            dry_plants: one!("dry plants", [0.36, 0.30, 0.16], &ground(noise(0.3, 0.25), 0.5, 0.05, 8.0)),
        }
    }
}

/// One of a palette's lists.
pub fn one_of(random: &mut Random, materials: &[MaterialId]) -> MaterialId {
    random.pick(materials).copied().unwrap_or_default()
}
