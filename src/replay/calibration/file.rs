//! The YAML of a calibration file; `config/calibration.example.yaml` shows it.

use std::collections::BTreeMap;
use std::path::Path;

use nalgebra::{Quaternion, UnitQuaternion};
use serde::Deserialize;
use serde_saphyr::Spanned;

use super::{Calibration, CalibrationError, CameraCalibration, FixedTransform, ros_file};
use crate::geometry::CameraModel;
use crate::message::Header;

/// How far a quaternion's length may be from 1: what rounding to three digits leaves.
const LENGTH_TOLERANCE: f64 = 2e-3;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(default)]
    transforms: Vec<Spanned<TransformEntry>>,
    #[serde(default)]
    cameras: BTreeMap<String, Spanned<CameraEntry>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TransformEntry {
    parent: Spanned<String>,
    child: Spanned<String>,
    translation: Spanned<Vec<f64>>,
    rotation: Option<Spanned<Vec<f64>>>,
    rpy_deg: Option<Spanned<Vec<f64>>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct CameraEntry {
    file: Option<Spanned<String>>,
    width: Option<Spanned<u32>>,
    height: Option<Spanned<u32>>,
    distortion_model: Option<Spanned<String>>,
    d: Option<Spanned<Vec<f64>>>,
    k: Option<Spanned<Vec<f64>>>,
    fx: Option<Spanned<f64>>,
    fy: Option<Spanned<f64>>,
    cx: Option<Spanned<f64>>,
    cy: Option<Spanned<f64>>,
}

/// Where in the file an error is.
struct Place<'a> {
    path: &'a Path,
    line: u64,
    field: String,
}

impl Place<'_> {
    fn error(&self, message: impl std::fmt::Display) -> CalibrationError {
        CalibrationError {
            path: self.path.to_path_buf(),
            line: Some(self.line),
            message: format!("{}: {message}", self.field),
        }
    }

    /// The place of one of its fields.
    fn at<T>(&self, field: &str, value: &Spanned<T>) -> Self {
        Self { path: self.path, line: value.referenced.line(), field: format!("{}.{field}", self.field) }
    }

    fn numbers<const N: usize>(&self, values: &[f64], names: &str) -> Result<[f64; N], CalibrationError> {
        let values = <[f64; N]>::try_from(values)
            .map_err(|_| self.error(format!("expected {N} numbers ({names}), found {}", values.len())))?;
        match values.iter().find(|value| !value.is_finite()) {
            Some(value) => Err(self.error(format!("expected finite numbers, found {value}"))),
            None => Ok(values),
        }
    }

    /// A frame id without a leading slash, as ROS 2 has them.
    fn frame(&self, name: &str) -> Result<String, CalibrationError> {
        match name.trim().trim_start_matches('/') {
            "" => Err(self.error("expected a frame id, found an empty one")),
            name => Ok(name.to_owned()),
        }
    }
}

impl Calibration {
    /// Reads and checks the file at `path`; files it names are looked for beside it.
    pub fn load(path: &Path) -> Result<Self, CalibrationError> {
        let text = CalibrationError::read(path)?;
        let document: Option<Document> = serde_saphyr::from_str(&text).map_err(|error| {
            let mut error = CalibrationError::yaml(path, &error);
            if text.contains("camera_matrix:") {
                error
                    .message
                    .push_str("; name a file of camera_calibration as cameras: {<frame>: {file: <it>}}");
            }
            error
        })?;
        let document = document.unwrap_or(Document { transforms: Vec::new(), cameras: BTreeMap::new() });
        if document.transforms.is_empty() && document.cameras.is_empty() {
            return Err(CalibrationError::whole(path, "expected transforms or cameras, found neither"));
        }
        let mut calibration = Self::default();
        for (index, entry) in document.transforms.iter().enumerate() {
            let place = Place { path, line: entry.referenced.line(), field: format!("transforms[{index}]") };
            let transform = read_transform(&place, &entry.value)?;
            if calibration.transforms.iter().any(|other| other.child == transform.child) {
                let place = place.at("child", &entry.value.child);
                return Err(
                    place.error(format!("expected each child once, found '{}' again", transform.child))
                );
            }
            calibration.transforms.push(transform);
        }
        for (name, entry) in &document.cameras {
            let place = Place { path, line: entry.referenced.line(), field: format!("cameras.{name}") };
            let frame = place.frame(name)?;
            let camera = read_camera(&place, &entry.value)?;
            // What the pipeline would refuse is refused here, where the line is known.
            CameraModel::from_camera_info(&camera.message(Header::default()))
                .map_err(|error| place.error(error))?;
            calibration.cameras.insert(frame, camera);
        }
        Ok(calibration)
    }
}

fn read_transform(place: &Place<'_>, entry: &TransformEntry) -> Result<FixedTransform, CalibrationError> {
    let parent = place.at("parent", &entry.parent).frame(&entry.parent.value)?;
    let child_place = place.at("child", &entry.child);
    let child = child_place.frame(&entry.child.value)?;
    if parent == child {
        return Err(child_place.error(format!("expected another frame than the parent, found '{child}'")));
    }
    let translation =
        place.at("translation", &entry.translation).numbers(&entry.translation.value, "x, y, z in metres")?;
    let rotation = match (&entry.rotation, &entry.rpy_deg) {
        (Some(_), Some(rpy)) => {
            return Err(place.at("rpy_deg", rpy).error("expected either rotation or rpy_deg, found both"));
        }
        (Some(rotation), None) => {
            let at = place.at("rotation", rotation);
            let [x, y, z, w] = at.numbers(&rotation.value, "x, y, z, w")?;
            let quaternion = Quaternion::new(w, x, y, z);
            let length = quaternion.norm();
            if (length - 1.0).abs() > LENGTH_TOLERANCE {
                return Err(at.error(format!("expected a quaternion of length 1, found {length:.4}")));
            }
            UnitQuaternion::from_quaternion(quaternion)
        }
        (None, Some(rpy)) => {
            let at = place.at("rpy_deg", rpy);
            let [roll, pitch, yaw] =
                at.numbers(&rpy.value, "roll, pitch, yaw in degrees")?.map(f64::to_radians);
            UnitQuaternion::from_euler_angles(roll, pitch, yaw)
        }
        (None, None) => UnitQuaternion::identity(),
    };
    let q = rotation.coords;
    Ok(FixedTransform { parent, child, translation, rotation: [q.x, q.y, q.z, q.w] })
}

fn read_camera(place: &Place<'_>, entry: &CameraEntry) -> Result<CameraCalibration, CalibrationError> {
    if let Some(file) = &entry.file {
        let others = entry.width.is_some()
            || entry.height.is_some()
            || entry.k.is_some()
            || entry.d.is_some()
            || entry.distortion_model.is_some()
            || [&entry.fx, &entry.fy, &entry.cx, &entry.cy].iter().any(|value| value.is_some());
        if others {
            let place = place.at("file", file);
            return Err(place.error("expected either a file or the values, found both"));
        }
        let folder = place.path.parent().unwrap_or(Path::new(""));
        return ros_file::read(&folder.join(&file.value));
    }
    let missing = |field: &str| place.error(format!("expected field '{field}', found none"));
    let width = entry.width.as_ref().ok_or_else(|| missing("width"))?.value;
    let height = entry.height.as_ref().ok_or_else(|| missing("height"))?.value;
    let named = [("fx", &entry.fx), ("fy", &entry.fy), ("cx", &entry.cx), ("cy", &entry.cy)];
    let k = if let Some(k) = &entry.k {
        if let Some((name, value)) = named.iter().find_map(|(name, value)| Some((name, value.as_ref()?))) {
            return Err(place.at(name, value).error("expected either k or fx, fy, cx, cy, found both"));
        }
        place.at("k", k).numbers(&k.value, "3×3, row by row")?
    } else {
        let value = |(name, value): (&str, &Option<Spanned<f64>>)| {
            value.as_ref().map(|value| value.value).ok_or_else(|| missing(&format!("k' or '{name}")))
        };
        let [fx, fy, cx, cy] = named.map(value);
        [fx?, 0.0, cx?, 0.0, fy?, cy?, 0.0, 0.0, 1.0]
    };
    let [fx, skew, cx, k10, fy, cy, k20, k21, k22] = k;
    let d = entry.d.as_ref().map_or_else(Vec::new, |d| d.value.clone());
    let model = entry.distortion_model.as_ref().map(|model| model.value.clone());
    if let (Some(given), None) = (&entry.d, &model)
        && !d.is_empty()
    {
        return Err(place.at("d", given).error("expected a distortion_model beside it, found none"));
    }
    Ok(CameraCalibration {
        width,
        height,
        distortion_model: model.unwrap_or_else(|| "plumb_bob".to_owned()),
        d,
        k,
        r: [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0],
        p: [fx, skew, cx, 0.0, k10, fy, cy, 0.0, k20, k21, k22, 0.0],
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// The calibration in `text`, or the error without the file's name.
    fn load(text: &str) -> Result<Calibration, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("calibration.yaml");
        fs::write(&path, text).unwrap();
        Calibration::load(&path).map_err(|error| {
            let text = error.to_string();
            assert!(text.contains("calibration.yaml'") && !text.contains('\n'), "{text}");
            text
        })
    }

    #[test]
    fn the_shipped_example_loads() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/calibration.example.yaml");
        let calibration = Calibration::load(&path).unwrap();
        let children: Vec<&str> = calibration.transforms.iter().map(|fixed| fixed.child.as_str()).collect();
        assert_eq!(children, ["camera_optical_frame", "radar", "lidar"]);
        // The optical frame looks along the robot's x axis.
        let [x, y, z, w] = calibration.transforms[0].rotation;
        let turn = UnitQuaternion::from_quaternion(Quaternion::new(w, x, y, z));
        assert!((turn * nalgebra::Vector3::z() - nalgebra::Vector3::x()).norm() < 1e-9);
        assert!((turn * nalgebra::Vector3::y() + nalgebra::Vector3::z()).norm() < 1e-9);
        let camera = &calibration.cameras["camera_optical_frame"];
        assert_eq!((camera.width, camera.height), (640, 480));
    }

    #[test]
    fn angles_and_quaternions_mean_the_same() {
        let calibration = load(
            "transforms:\n- {parent: /base, child: /a, translation: [1, 2, 3], rpy_deg: [0, 0, 90]}\n\
             - {parent: base, child: b, translation: [1, 2, 3], rotation: [0, 0, 0.7071, 0.7071]}\n\
             - {parent: base, child: c, translation: [0, 0, 0]}\n",
        )
        .unwrap();
        let [a, b, c] = calibration.transforms.try_into().unwrap();
        assert_eq!((a.parent.as_str(), a.child.as_str()), ("base", "a"));
        for (x, y) in a.rotation.iter().zip(b.rotation) {
            assert!((x - y).abs() < 1e-6);
        }
        assert_eq!(c.rotation, [0.0, 0.0, 0.0, 1.0]);
    }

    #[test]
    fn intrinsics_come_as_a_matrix_by_name_or_from_a_camera_calibration_file() {
        let folder = tempfile::tempdir().unwrap();
        let ros = "image_width: 640\nimage_height: 480\ncamera_name: narrow_stereo\ncamera_matrix:\n  rows: 3\n  \
                   cols: 3\n  data: [500, 0, 320, 0, 510, 240, 0, 0, 1]\ndistortion_model: plumb_bob\n\
                   distortion_coefficients:\n  rows: 1\n  cols: 5\n  data: [0.1, -0.2, 0, 0, 0]\n\
                   rectification_matrix:\n  rows: 3\n  cols: 3\n  data: [1, 0, 0, 0, 1, 0, 0, 0, 1]\n\
                   projection_matrix:\n  rows: 3\n  cols: 4\n  data: [490, 0, 321, 0, 0, 505, 241, 0, 0, 0, 1, 0]\n";
        fs::write(folder.path().join("cam.yaml"), ros).unwrap();
        let path = folder.path().join("calibration.yaml");
        let text = "cameras:\n  a: {file: cam.yaml}\n  b: {width: 640, height: 480, k: [500, 0, 320, 0, 510, 240, 0, 0, 1]}\n  \
                    c: {width: 640, height: 480, fx: 500, fy: 510, cx: 320, cy: 240}\n";
        fs::write(&path, text).unwrap();
        let cameras = Calibration::load(&path).unwrap().cameras;
        assert_eq!(cameras["a"].k, cameras["b"].k);
        assert_eq!(cameras["b"], cameras["c"]);
        assert_eq!(cameras["a"].d, [0.1, -0.2, 0.0, 0.0, 0.0]);
        assert_eq!(cameras["a"].p[0], 490.0);
        assert_eq!(cameras["b"].p, [500.0, 0.0, 320.0, 0.0, 0.0, 510.0, 240.0, 0.0, 0.0, 0.0, 1.0, 0.0]);

        fs::write(folder.path().join("cam.yaml"), ros.replace("[500, 0, 320,", "[500, 320,")).unwrap();
        let error = Calibration::load(&path).unwrap_err().to_string();
        assert!(
            error.contains("cam.yaml', line ") && error.contains("expected 9 numbers, found 8"),
            "{error}"
        );
        // Given itself, such a file is explained.
        let error = Calibration::load(&folder.path().join("cam.yaml")).unwrap_err().to_string();
        assert!(error.contains("cameras: {<frame>: {file:"), "{error}");
    }

    #[test]
    fn each_wrong_field_is_named_with_its_line() {
        let transform = "transforms:\n- parent: base\n  child: a\n";
        let camera = "cameras:\n  cam:\n    width: 640\n    height: 480\n";
        let cases = [
            (String::new(), "expected transforms or cameras"),
            ("transforms: []\n".into(), "expected transforms or cameras"),
            ("transform: []\n".into(), "line 1: unknown field `transform`"),
            ("transforms: [\n".into(), "line"),
            (transform.into(), "missing field `translation`"),
            (
                format!("{transform}  translation: [1, 2]\n"),
                "line 4: transforms[0].translation: expected 3 numbers",
            ),
            (
                format!("{transform}  translation: [1, 2, .nan]\n"),
                "line 4: transforms[0].translation: expected finite",
            ),
            (format!("{transform}  translation: [1, 2, x]\n"), "line 4"),
            (
                format!("{transform}  translation: [1, 2, 3]\n  rotation: [0, 0, 0, 2]\n"),
                "line 5: transforms[0].rotation: expected a quaternion of length 1, found 2.0000",
            ),
            (
                format!(
                    "{transform}  translation: [1, 2, 3]\n  rotation: [0, 0, 0, 1]\n  rpy_deg: [0, 0, 0]\n"
                ),
                "line 6: transforms[0].rpy_deg: expected either rotation or rpy_deg",
            ),
            (
                format!(
                    "{transform}  translation: [1, 2, 3]\n- {{parent: b, child: a, translation: [1, 2, 3]}}\n"
                ),
                "line 5: transforms[1].child: expected each child once, found 'a' again",
            ),
            (
                "transforms:\n- {parent: a, child: /a, translation: [1, 2, 3]}\n".into(),
                "expected another frame than the parent",
            ),
            (camera.into(), "line 3: cameras.cam: expected field 'k' or 'fx', found none"),
            (format!("{camera}    k: [1, 2, 3]\n"), "line 5: cameras.cam.k: expected 9 numbers"),
            (
                format!("{camera}    fx: 500\n    fy: 500\n    cx: 320\n    cy: 240\n    k: [1]\n"),
                "line 5: cameras.cam.fx: expected either k or fx",
            ),
            (
                format!("{camera}    fx: 0\n    fy: 500\n    cx: 320\n    cy: 240\n"),
                "cameras.cam: camera k: expected finite numbers with fx, fy > 0",
            ),
            (
                format!(
                    "{camera}    fx: 1\n    fy: 1\n    cx: 1\n    cy: 1\n    distortion_model: fisheye8\n    d: [1]\n"
                ),
                "expected plumb_bob, rational_polynomial or equidistant",
            ),
            (
                format!("{camera}    fx: 1\n    fy: 1\n    cx: 1\n    cy: 1\n    d: [1, 2, 3, 4]\n"),
                "line 9: cameras.cam.d: expected a distortion_model",
            ),
            (format!("{camera}    file: cam.yaml\n"), "line 5: cameras.cam.file: expected either a file"),
            ("cameras:\n  cam: {width: -1}\n".into(), "line 2"),
        ];
        for (text, expected) in cases {
            let error = load(&text).unwrap_err();
            assert!(error.contains(expected), "{text}\n{error}");
        }
        let error = Calibration::load(Path::new("no/such.yaml")).unwrap_err().to_string();
        assert!(error.contains("no/such.yaml"), "{error}");
    }
}
