//! `visualization_msgs/MarkerArray` and its parts.

use std::borrow::Cow;

use super::{CdrError, CdrReader, CdrWriter, CompressedImage, Header, Message, Point, Pose, Vector3};

/// What a 3D viewer is to draw.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MarkerArray<'a> {
    /// In order of execution.
    pub markers: Vec<Marker<'a>>,
}

/// One shape or one action on shapes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Marker<'a> {
    /// Time and frame of the pose.
    pub header: Header<'a>,
    /// Namespace; with `id` it names the marker.
    pub ns: &'a str,
    /// Number within the namespace.
    pub id: i32,
    /// Shape, `type` in the definition; one of the constants.
    pub kind: i32,
    /// What to do; one of the constants.
    pub action: i32,
    /// Where to draw.
    pub pose: Pose,
    /// Edge lengths in metres; for text, z is the height of a capital letter.
    pub scale: Vector3,
    /// Colour of the whole shape.
    pub color: ColorRgba,
    /// How long to keep it; zero means until deleted.
    pub lifetime: Duration,
    /// Whether it follows its frame.
    pub frame_locked: bool,
    /// Vertices of lists and strips.
    pub points: Vec<Point>,
    /// Colour per vertex, or none.
    pub colors: Vec<ColorRgba>,
    /// Resource of the texture.
    pub texture_resource: &'a str,
    /// Texture sent along.
    pub texture: CompressedImage<'a>,
    /// Texture coordinate per vertex, or none.
    pub uv_coordinates: Vec<UvCoordinate>,
    /// Shown by text markers.
    pub text: Cow<'a, str>,
    /// Resource of the mesh.
    pub mesh_resource: &'a str,
    /// Mesh sent along.
    pub mesh_file: MeshFile<'a>,
    /// Whether the mesh brings its own materials.
    pub mesh_use_embedded_materials: bool,
}

impl Marker<'_> {
    /// A box.
    pub const CUBE: i32 = 1;
    /// A sphere.
    pub const SPHERE: i32 = 2;
    /// Pairs of points joined by lines.
    pub const LINE_LIST: i32 = 5;
    /// Text that faces the viewer.
    pub const TEXT_VIEW_FACING: i32 = 9;
    /// Add or replace.
    pub const ADD: i32 = 0;
    /// Remove the marker of this namespace and number.
    pub const DELETE: i32 = 2;
    /// Remove every marker.
    pub const DELETEALL: i32 = 3;
}

/// `std_msgs/ColorRGBA`, each 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ColorRgba {
    /// Red.
    pub r: f32,
    /// Green.
    pub g: f32,
    /// Blue.
    pub b: f32,
    /// Opacity.
    pub a: f32,
}

/// `builtin_interfaces/Duration`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Duration {
    /// Seconds.
    pub sec: i32,
    /// Nanoseconds on top.
    pub nanosec: u32,
}

/// `visualization_msgs/UVCoordinate`, 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct UvCoordinate {
    /// From the left.
    pub u: f32,
    /// From the top.
    pub v: f32,
}

/// `visualization_msgs/MeshFile`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MeshFile<'a> {
    /// Name, whose ending tells the format.
    pub filename: &'a str,
    /// The file.
    pub data: &'a [u8],
}

impl<'a> Message<'a> for MarkerArray<'a> {
    const TYPE_NAME: &'static str = "visualization_msgs/msg/MarkerArray";
    const TYPE_HASH: &'static str = "RIHS01_86cb8800b6fb05b5eff1abd7a56f62a5641d3ae9a1c29e78e67e704f1d067dcf";
    const DEFINITION: &'static str = definition!(
        "visualization_msgs/MarkerArray",
        "visualization_msgs/Marker",
        "std_msgs/Header",
        "builtin_interfaces/Time",
        "geometry_msgs/Pose",
        "geometry_msgs/Point",
        "geometry_msgs/Quaternion",
        "geometry_msgs/Vector3",
        "std_msgs/ColorRGBA",
        "builtin_interfaces/Duration",
        "sensor_msgs/CompressedImage",
        "visualization_msgs/UVCoordinate",
        "visualization_msgs/MeshFile"
    );

    fn read(r: &mut CdrReader<'a>) -> Result<Self, CdrError> {
        // Headers, strings, counts, pose, scale, colour: a marker never takes less.
        Ok(Self { markers: r.sequence("markers", 190, Marker::read)? })
    }

    fn write(&self, w: &mut CdrWriter<'_>) {
        w.sequence(&self.markers, Marker::write);
    }
}

impl<'a> Message<'a> for Marker<'a> {
    const TYPE_NAME: &'static str = "visualization_msgs/msg/Marker";
    const TYPE_HASH: &'static str = "RIHS01_45b13ccf791f225962bf74e746f9644518855d783a6f42ba0cc14fde2b4f3ce0";
    const DEFINITION: &'static str = definition!(
        "visualization_msgs/Marker",
        "std_msgs/Header",
        "builtin_interfaces/Time",
        "geometry_msgs/Pose",
        "geometry_msgs/Point",
        "geometry_msgs/Quaternion",
        "geometry_msgs/Vector3",
        "std_msgs/ColorRGBA",
        "builtin_interfaces/Duration",
        "sensor_msgs/CompressedImage",
        "visualization_msgs/UVCoordinate",
        "visualization_msgs/MeshFile"
    );

    fn read(r: &mut CdrReader<'a>) -> Result<Self, CdrError> {
        Ok(Self {
            header: Header::read(r)?,
            ns: r.str("ns")?,
            id: r.i32("id")?,
            kind: r.i32("type")?,
            action: r.i32("action")?,
            pose: Pose::read(r, "pose")?,
            scale: Vector3::read(r, "scale")?,
            color: ColorRgba::read(r, "color")?,
            lifetime: Duration { sec: r.i32("lifetime.sec")?, nanosec: r.u32("lifetime.nanosec")? },
            frame_locked: r.bool("frame_locked")?,
            points: r.sequence("points", 24, |r| Point::read(r, "points"))?,
            colors: r.sequence("colors", 16, |r| ColorRgba::read(r, "colors"))?,
            texture_resource: r.str("texture_resource")?,
            texture: CompressedImage::read(r)?,
            uv_coordinates: r.sequence("uv_coordinates", 8, |r| {
                Ok(UvCoordinate { u: r.f32("uv_coordinates.u")?, v: r.f32("uv_coordinates.v")? })
            })?,
            text: Cow::Borrowed(r.str("text")?),
            mesh_resource: r.str("mesh_resource")?,
            mesh_file: MeshFile { filename: r.str("mesh_file.filename")?, data: r.bytes("mesh_file.data")? },
            mesh_use_embedded_materials: r.bool("mesh_use_embedded_materials")?,
        })
    }

    fn write(&self, w: &mut CdrWriter<'_>) {
        self.header.write(w);
        w.str(self.ns);
        w.i32(self.id);
        w.i32(self.kind);
        w.i32(self.action);
        self.pose.write(w);
        self.scale.write(w);
        self.color.write(w);
        w.i32(self.lifetime.sec);
        w.u32(self.lifetime.nanosec);
        w.bool(self.frame_locked);
        w.sequence(&self.points, Point::write);
        w.sequence(&self.colors, ColorRgba::write);
        w.str(self.texture_resource);
        self.texture.write(w);
        w.sequence(&self.uv_coordinates, |uv, w| {
            w.f32(uv.u);
            w.f32(uv.v);
        });
        w.str(&self.text);
        w.str(self.mesh_resource);
        w.str(self.mesh_file.filename);
        w.bytes(self.mesh_file.data);
        w.bool(self.mesh_use_embedded_materials);
    }
}

impl ColorRgba {
    fn read(r: &mut CdrReader<'_>, field: &'static str) -> Result<Self, CdrError> {
        Ok(Self { r: r.f32(field)?, g: r.f32(field)?, b: r.f32(field)?, a: r.f32(field)? })
    }

    fn write(&self, w: &mut CdrWriter<'_>) {
        for value in [self.r, self.g, self.b, self.a] {
            w.f32(value);
        }
    }
}
