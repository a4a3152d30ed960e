//! What a surface is to the three sensors.

/// An index into [`super::World::materials`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct MaterialId(pub u16);

/// A surface.
#[derive(Clone, Debug, PartialEq)]
pub struct Material {
    /// As `concrete`; for messages and tests.
    pub name: String,
    /// Share of visible light scattered, red, green, blue, linear 0..1.
    pub albedo: [f32; 3],
    /// What varies over the surface.
    pub texture: Texture,
    /// Reflectance of the smooth layer on top at normal incidence, 0..1 (0.04 for varnish, water, glass,
    /// 0.5 and more for bare metal). Grazing reflectance follows Schlick.
    pub specular: f32,
    /// Width of the highlight, 0 (mirror)..1 (none).
    pub roughness: f32,
    /// Share of light and of the LiDAR's pulse that goes straight through, 0..1: window glass 0.85.
    pub transmission: f32,
    /// Diffuse reflectivity at 905 nm, 0..1; above 1 for retroreflective sheets (road signs, vests).
    pub lidar_reflectivity: f32,
    /// Share of the power at 77 GHz that is reflected at normal incidence, 0..1: metal 1, wet soil 0.5,
    /// concrete 0.2, wood 0.1, dry foliage 0.05.
    pub radar_reflectivity: f32,
    /// Root mean square height of the surface, millimetres: against the radar's 3.9 mm wavelength this
    /// makes a mirror (0.1), a glossy (0.5) or a diffuse (2 and more) scatterer.
    pub radar_roughness_mm: f32,
    /// Light given off, red, green, blue, in the unit of a sunlit white surface.
    pub emission: [f32; 3],
}

impl Material {
    /// A matt surface of one colour: the start of every other.
    pub fn matt(name: &str, albedo: [f32; 3]) -> Self {
        let [r, g, b] = albedo;
        Self {
            name: name.to_owned(),
            albedo,
            texture: Texture::Plain,
            specular: 0.0,
            roughness: 1.0,
            transmission: 0.0,
            // Most paints and natural surfaces are brighter in the near infrared than to the eye.
            lidar_reflectivity: (0.08 + 0.9 * (0.4 * r + 0.3 * g + 0.3 * b)).min(0.9),
            radar_reflectivity: 0.2,
            radar_roughness_mm: 1.0,
            emission: [0.0; 3],
        }
    }
}

/// A procedural pattern over an object, in metres of its own frame, or an image of a mesh file. The
/// pattern multiplies the albedo by a factor around 1 or blends it towards a second colour.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Texture {
    /// One colour.
    #[default]
    Plain,
    /// Fractal noise: dirt, asphalt, plaster, grass. `contrast` is the standard deviation of the factor.
    Noise {
        /// Size of the largest blotches, metres.
        scale_m: f32,
        /// 0 (plain)..0.5.
        contrast: f32,
    },
    /// Lines between rectangular pieces: tiles, bricks, slabs, cassettes.
    Grid {
        /// Width and height of a piece, metres.
        size_m: [f32; 2],
        /// Width of the lines, metres.
        gap_m: f32,
        /// Every second row is shifted by half a piece.
        staggered: bool,
        /// Colour of the lines.
        gap: [f32; 3],
        /// How much pieces differ, as a factor's standard deviation.
        contrast: f32,
    },
    /// Parallel bands: planks, corrugated sheet, shutters, hazard marks.
    Stripes {
        /// From one band to the next but one, metres.
        period_m: f32,
        /// Direction in the surface, radians.
        angle: f32,
        /// Share of the second colour, 0..1.
        share: f32,
        /// The second colour.
        other: [f32; 3],
    },
    /// Rectangles of print and labels scattered over the surface: cartons, posters, shop fronts.
    Labels {
        /// Mean distance between labels, metres.
        scale_m: f32,
        /// Their colour.
        other: [f32; 3],
    },
    /// An image of the scene's mesh file, by texture coordinates.
    Image {
        /// Index into [`super::World::images`].
        index: u32,
    },
}
