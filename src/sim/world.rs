//! Everything that sensors can see, over time.

use glam::Vec3;

use super::{Geometry, Lighting, Material, MaterialId, Mesh, Motion, PointReflector, Snapshot};

/// A scene: geometry, materials, light, and objects with their motions.
pub struct World {
    /// By [`MaterialId`].
    pub materials: Vec<Material>,
    /// Images of [`super::Texture::Image`].
    pub images: Vec<RgbTexture>,
    /// By object number, which is also the `id` in the truth.
    pub objects: Vec<Object>,
    /// Light and air.
    pub lighting: Lighting,
    /// Bright points for the radars.
    pub reflectors: Vec<PointReflector>,
    /// What never moves, in the world's frame.
    fixed: Geometry,
    /// The object of each triangle of `fixed`.
    fixed_objects: Vec<Option<u32>>,
    /// What moves, each in its object's frame.
    shapes: Vec<Geometry>,
}

/// Something that is told apart: a labelled object, or anything that moves.
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    /// What the truth calls it; `None` for things that detectors need not know.
    pub class: Option<ObjectClass>,
    /// Centre of its box in its own frame, metres.
    pub centre: Vec3,
    /// Full lengths of its box: forward, across, up, metres.
    pub size: [f32; 3],
    /// Where it is.
    pub motion: Motion,
    /// The shapes it goes through as it moves, as the phases of a walk; empty where the geometry is among
    /// what never moves.
    pub shapes: Vec<u32>,
    /// How far it moves while it goes through its shapes once, metres.
    pub stride_m: f32,
}

/// The classes of the truth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ObjectClass {
    /// Passenger cars and vans.
    Car,
    /// Lorries.
    Truck,
    /// Buses.
    Bus,
    /// Bicycles with their riders.
    Bicycle,
    /// People on foot.
    Pedestrian,
    /// Forklifts and pallet trucks with a mast.
    Forklift,
    /// Pallets, with their load.
    Pallet,
}

impl ObjectClass {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Car, Self::Truck, Self::Bus, Self::Bicycle, Self::Pedestrian, Self::Forklift, Self::Pallet];

    /// The `class_id` of the truth.
    pub fn name(self) -> &'static str {
        match self {
            Self::Car => "car",
            Self::Truck => "truck",
            Self::Bus => "bus",
            Self::Bicycle => "bicycle",
            Self::Pedestrian => "pedestrian",
            Self::Forklift => "forklift",
            Self::Pallet => "pallet",
        }
    }
}

/// An image of a mesh file.
#[derive(Clone, Debug, PartialEq)]
pub struct RgbTexture {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Linear colours, row by row from the top.
    pub pixels: Vec<[f32; 3]>,
}

/// Puts a world together.
#[derive(Default)]
pub struct WorldBuilder {
    materials: Vec<Material>,
    images: Vec<RgbTexture>,
    objects: Vec<Object>,
    reflectors: Vec<PointReflector>,
    fixed: Mesh,
    fixed_objects: Vec<Option<u32>>,
    shapes: Vec<Mesh>,
}

impl WorldBuilder {
    /// Adds a material. Beyond 65,535 the last one is given.
    pub fn material(&mut self, material: Material) -> MaterialId {
        if u16::try_from(self.materials.len()).is_ok() {
            self.materials.push(material);
        }
        MaterialId((self.materials.len() - 1) as u16)
    }

    /// Adds an image for [`super::Texture::Image`].
    pub fn image(&mut self, image: RgbTexture) -> u32 {
        self.images.push(image);
        (self.images.len() - 1) as u32
    }

    /// Adds a bright point for the radars.
    pub fn reflector(&mut self, reflector: PointReflector) {
        self.reflectors.push(reflector);
    }

    /// Adds scenery: it never moves and has no name.
    pub fn scenery(&mut self, mesh: &Mesh, at: &glam::Affine3A) {
        self.fixed.append(mesh, at);
        self.fixed_objects.resize(self.fixed.triangles.len(), None);
    }

    /// Adds a shape for objects that move; several may share it.
    pub fn shape(&mut self, mesh: Mesh) -> u32 {
        self.shapes.push(mesh);
        (self.shapes.len() - 1) as u32
    }

    /// Adds an object that stands still, with the box of its mesh, what protrudes left out.
    pub fn standing(&mut self, class: Option<ObjectClass>, mesh: &Mesh, at: super::Placement) -> u32 {
        let number = self.objects.len() as u32;
        let transform = glam::Affine3A::from_rotation_translation(at.rotation, at.position.into());
        self.fixed.append(mesh, &transform);
        self.fixed_objects.resize(self.fixed.triangles.len(), Some(number));
        let [low, high] = mesh.body_bounds();
        self.objects.push(Object {
            class,
            centre: 0.5 * (low + high),
            size: (high - low).to_array(),
            motion: Motion::Still(at),
            shapes: Vec::new(),
            stride_m: 0.0,
        });
        number
    }

    /// Adds an object that moves through some shapes, with the box around all of them.
    pub fn moving(
        &mut self,
        class: Option<ObjectClass>,
        shapes: Vec<u32>,
        stride_m: f32,
        motion: Motion,
    ) -> u32 {
        let bounds = shapes.iter().filter_map(|&s| self.shapes.get(s as usize)).map(Mesh::body_bounds);
        let [low, high] = bounds.reduce(|[l, h], [low, high]| [l.min(low), h.max(high)]).unwrap_or_default();
        self.objects.push(Object {
            class,
            centre: 0.5 * (low + high),
            size: (high - low).to_array(),
            motion,
            shapes,
            stride_m,
        });
        (self.objects.len() - 1) as u32
    }

    /// The world, ready for rays.
    pub fn build(self, lighting: Lighting) -> World {
        let fixed = Geometry::new(self.fixed, &self.materials);
        let shapes = self.shapes.into_iter().map(|mesh| Geometry::new(mesh, &self.materials)).collect();
        World {
            fixed,
            fixed_objects: self.fixed_objects,
            shapes,
            materials: self.materials,
            images: self.images,
            objects: self.objects,
            reflectors: self.reflectors,
            lighting,
        }
    }
}

impl World {
    /// The world during an interval, seconds.
    pub fn during(&self, from_s: f64, to_s: f64) -> Snapshot<'_> {
        Snapshot::new(self, from_s, to_s)
    }

    /// Triangles of the scenery and of all shapes.
    pub fn triangle_count(&self) -> usize {
        self.shapes.iter().chain([&self.fixed]).map(|geometry| geometry.mesh().triangles.len()).sum()
    }

    pub(super) fn fixed(&self) -> &Geometry {
        &self.fixed
    }

    pub(super) fn fixed_object(&self, triangle: usize) -> Option<u32> {
        self.fixed_objects.get(triangle).copied().flatten()
    }

    /// The shape of an object at a time.
    pub(super) fn shape(&self, object: &Object, time_s: f64) -> Option<&Geometry> {
        let phase = object.motion.travelled_m(time_s) / f64::from(object.stride_m.max(0.01));
        let index = (phase.rem_euclid(1.0) * object.shapes.len() as f64) as usize;
        self.shapes.get(*object.shapes.get(index).or(object.shapes.last())? as usize)
    }
}
