//! Label files of the object benchmark: one object a line, in the rectified frame of the reference camera.

use std::path::Path;

use nalgebra::{Point3, Vector3};
use serde_json::{Value, json};

use super::{Difficulty, class_of};
use crate::geometry::{Box3d, Pose};
use crate::import::recorder::TruthBox;
use crate::import::{ImportError, files, rigid};

/// Regions whose objects were not labelled.
const DONT_CARE: &str = "DontCare";
/// Numbers behind the name.
const NUMBERS: usize = 14;

/// One line.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Label {
    /// KITTI's own class
    name: String,
    /// Share outside the image, 0 to 1
    truncated: f64,
    /// 0 visible, 1 partly, 2 largely occluded, 3 unknown
    occluded: f64,
    /// Angle at which the camera sees it, radians
    alpha: f64,
    /// Left, top, right, bottom, pixels
    box_px: [f64; 4],
    /// Height, width, length, metres
    size: [f64; 3],
    /// Middle of its bottom, metres
    location: [f64; 3],
    /// Turn about the camera's y axis, radians
    rotation_y: f64,
}

impl Label {
    fn parse(path: &Path, line: usize, text: &str) -> Result<Self, ImportError> {
        let mut fields = text.split_whitespace();
        let name = fields.next().unwrap_or_default().to_owned();
        let [truncated, occluded, alpha, l, t, r, b, height, width, length, x, y, z, rotation_y] =
            files::numbers::<NUMBERS>(path, line, fields)?;
        let is_object = name != DONT_CARE;
        if is_object && ![height, width, length].iter().all(|edge| *edge > 0.0) {
            let found = format!("{height} {width} {length}");
            return Err(ImportError::line(path, line, format!("expected edges above 0, found {found}")));
        }
        Ok(Self {
            name,
            truncated,
            occluded,
            alpha,
            box_px: [l, t, r, b],
            size: [height, width, length],
            location: [x, y, z],
            rotation_y,
        })
    }

    /// The box in the LiDAR's frame.
    fn box_in_lidar(&self, t_reference_lidar: &Pose) -> Box3d {
        let [height, width, length] = self.size;
        let [x, y, z] = self.location;
        let t_lidar_reference = t_reference_lidar.inverse();
        // y points down; length lies along x when the turn is 0.
        let center = t_lidar_reference * Point3::new(x, y - 0.5 * height, z);
        let (sin, cos) = self.rotation_y.sin_cos();
        let forward = t_lidar_reference * Vector3::new(cos, 0.0, -sin);
        rigid::upright(center, forward, [length, width, height])
    }

    /// What else the line says.
    fn annotation(&self) -> Value {
        let [_, top, _, bottom] = self.box_px;
        let difficulty = Difficulty::of(bottom - top, self.occluded, self.truncated);
        json!({
            "type": self.name,
            "truncated": self.truncated,
            "occluded": self.occluded,
            "alpha": self.alpha,
            "box_px": self.box_px,
            "difficulty": difficulty.map(Difficulty::as_str),
        })
    }
}

/// The objects of a frame.
#[derive(Debug, Default)]
pub(super) struct Labels {
    /// Those with a class
    pub boxes: Vec<TruthBox>,
    /// What the file says about each of them
    annotations: Vec<Value>,
    /// Names and places in the image of the others
    ignored: Vec<Value>,
    /// KITTI's names of the others
    pub left_out: Vec<String>,
}

impl Labels {
    /// Reads the labels of a frame into the LiDAR's frame.
    pub fn read(path: &Path, t_reference_lidar: &Pose) -> Result<Self, ImportError> {
        let text = files::text(path)?;
        let mut labels = Self::default();
        for (line, text) in files::lines(&text) {
            let label = Label::parse(path, line, text)?;
            if let Some(class) = class_of(&label.name) {
                let box3d = label.box_in_lidar(t_reference_lidar);
                labels.boxes.push(TruthBox { class, box3d, id: String::new() });
                labels.annotations.push(label.annotation());
            } else {
                labels.ignored.push(json!({ "type": label.name, "box_px": label.box_px }));
                labels.left_out.push(label.name);
            }
        }
        Ok(labels)
    }

    /// The message beside the boxes.
    pub fn message(&mut self, frame: u64) -> Value {
        json!({
            "source": "kitti_object",
            "frame": format!("{frame:06}"),
            "objects": std::mem::take(&mut self.annotations),
            "ignored": std::mem::take(&mut self.ignored),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_come_into_the_lidars_frame() {
        // The camera looks along the LiDAR's x, 1 m above it.
        let axes = rigid::pose([0.0, -1.0, 0.0, 0.0, 0.0, 0.0, -1.0, 1.0, 1.0, 0.0, 0.0, 0.0]).unwrap();
        let line = "Van 0.10 1 0.2 10 20 30 90 2.0 1.5 4.0 1.0 1.5 10.0 0.0";
        let label = Label::parse(Path::new("l.txt"), 1, line).unwrap();
        let found = label.box_in_lidar(&axes);
        // Its centre is at (1, 0.5, 10) for the camera, which is (10, -1, 0.5) for the LiDAR.
        assert!((found.center - Point3::new(10.0, -1.0, 0.5)).norm() < 1e-12, "{found:?}");
        assert_eq!(found.size, Vector3::new(4.0, 1.5, 2.0));
        assert!((found.yaw + std::f64::consts::FRAC_PI_2).abs() < 1e-12, "{found:?}");
        assert_eq!(label.annotation()["difficulty"], "moderate");
    }

    #[test]
    fn lines_that_are_none_say_what_is_wrong() {
        let parse = |text| Label::parse(Path::new("l.txt"), 4, text).unwrap_err().to_string();
        assert!(parse("Car 0 0 0").contains("'l.txt', line 4: expected 14 numbers, found 3"));
        assert!(parse("Car 0 0 0 1 2 3 4 1 1 one 0 0 0 0").contains("found 'one'"));
        assert!(parse("Car 0 0 0 1 2 3 4 0 1 1 0 0 0 0").contains("edges above 0"));
    }
}
