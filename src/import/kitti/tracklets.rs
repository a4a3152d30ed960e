//! `tracklet_labels.xml` of raw drives: boxes over time in the LiDAR's frame, as Boost serialised them.

use std::path::Path;
use std::str::FromStr;

use nalgebra::{Point3, Vector3};
use roxmltree::{Document, Node, ParsingOptions};
use serde_json::{Value, json};

use super::class_of;
use crate::geometry::Box3d;
use crate::import::recorder::TruthBox;
use crate::import::{ImportError, files};

/// An object and its poses in consecutive frames.
#[derive(Debug)]
struct Tracklet {
    /// KITTI's own class
    name: String,
    /// Length, width, height, metres
    size: [f64; 3],
    first_frame: u64,
    poses: Vec<TrackPose>,
}

#[derive(Debug)]
struct TrackPose {
    /// Middle of the bottom, metres
    bottom: [f64; 3],
    /// About z, radians
    yaw: f64,
    /// -1 unknown, 0 visible, 1 partly, 2 fully occluded
    occlusion: i64,
    /// -1 unknown, 0 in the image, 1 truncated, 2 outside, 99 behind the camera
    truncation: i64,
}

/// The tracklets of a drive.
#[derive(Debug)]
pub(super) struct Tracklets(Vec<Tracklet>);

impl Tracklets {
    /// Reads the file; `None` where a drive has none.
    pub fn read(path: &Path) -> Result<Option<Self>, ImportError> {
        let Some(text) = files::text_if_there(path)? else { return Ok(None) };
        // Boost names a document type. Elements of a drive with thousands of objects fit many times.
        let options = ParsingOptions { allow_dtd: true, nodes_limit: 1 << 24, ..ParsingOptions::default() };
        let document = Document::parse_with_options(&text, options).map_err(|error| {
            ImportError::line(path, error.pos().row as usize, format!("expected XML: {error}"))
        })?;
        let reader = Reader { path, document: &document };
        let list = document.descendants().find(|node| node.has_tag_name("tracklets"));
        let list =
            list.ok_or_else(|| ImportError::file(path, "expected an element 'tracklets', found none"))?;
        items(list).map(|item| reader.tracklet(item)).collect::<Result<_, _>>().map(|list| Some(Self(list)))
    }

    /// The boxes of a frame with what else the file says about each, and the names of what has no class here.
    pub fn frame(&self, frame: u64) -> (Vec<TruthBox>, Value, Vec<&str>) {
        let (mut boxes, mut objects, mut left_out) = (Vec::new(), Vec::new(), Vec::new());
        for (number, tracklet) in self.0.iter().enumerate() {
            let age = frame.checked_sub(tracklet.first_frame).and_then(|age| usize::try_from(age).ok());
            let Some(pose) = age.and_then(|age| tracklet.poses.get(age)) else { continue };
            let Some(class) = class_of(&tracklet.name) else {
                left_out.push(tracklet.name.as_str());
                continue;
            };
            let [x, y, z] = pose.bottom;
            let [_, _, height] = tracklet.size;
            boxes.push(TruthBox {
                class,
                box3d: Box3d {
                    center: Point3::new(x, y, z + 0.5 * height),
                    size: Vector3::from(tracklet.size),
                    yaw: pose.yaw,
                },
                id: number.to_string(),
            });
            objects.push(json!({
                "type": tracklet.name,
                "occlusion": pose.occlusion,
                "truncation": pose.truncation,
            }));
        }
        let message = json!({
            "source": "kitti_raw",
            "frame": format!("{frame:010}"),
            "objects": objects,
        });
        (boxes, message, left_out)
    }
}

fn items<'a, 'i>(list: Node<'a, 'i>) -> impl Iterator<Item = Node<'a, 'i>> {
    list.children().filter(|node| node.has_tag_name("item"))
}

struct Reader<'d, 'i> {
    path: &'d Path,
    document: &'d Document<'i>,
}

impl Reader<'_, '_> {
    fn tracklet(&self, item: Node<'_, '_>) -> Result<Tracklet, ImportError> {
        let poses = self.child(item, "poses")?;
        let tracklet = Tracklet {
            name: self.child(item, "objectType")?.text().unwrap_or_default().trim().to_owned(),
            size: [self.finite(item, "l")?, self.finite(item, "w")?, self.finite(item, "h")?],
            first_frame: self.value(item, "first_frame", "a frame number")?,
            poses: items(poses).map(|pose| self.pose(pose)).collect::<Result<_, _>>()?,
        };
        if !tracklet.size.iter().all(|edge| *edge > 0.0) {
            let reason = format!("expected edges above 0, found {:?}", tracklet.size);
            return Err(ImportError::line(self.path, self.line(item), reason));
        }
        Ok(tracklet)
    }

    fn pose(&self, item: Node<'_, '_>) -> Result<TrackPose, ImportError> {
        Ok(TrackPose {
            bottom: [self.finite(item, "tx")?, self.finite(item, "ty")?, self.finite(item, "tz")?],
            yaw: self.finite(item, "rz")?,
            occlusion: self.value(item, "occlusion", "a whole number")?,
            truncation: self.value(item, "truncation", "a whole number")?,
        })
    }

    fn line(&self, node: Node<'_, '_>) -> usize {
        self.document.text_pos_at(node.range().start).row as usize
    }

    fn child<'a, 'i>(&self, node: Node<'a, 'i>, name: &str) -> Result<Node<'a, 'i>, ImportError> {
        node.children().find(|child| child.has_tag_name(name)).ok_or_else(|| {
            ImportError::line(self.path, self.line(node), format!("expected an element '{name}', found none"))
        })
    }

    fn value<T: FromStr>(&self, node: Node<'_, '_>, name: &str, expected: &str) -> Result<T, ImportError> {
        let child = self.child(node, name)?;
        let text = child.text().unwrap_or_default().trim();
        text.parse().map_err(|_| {
            let reason = format!("{name}: expected {expected}, found '{text}'");
            ImportError::line(self.path, self.line(child), reason)
        })
    }

    fn finite(&self, node: Node<'_, '_>, name: &str) -> Result<f64, ImportError> {
        let child = self.child(node, name)?;
        files::number(self.path, self.line(child), child.text().unwrap_or_default().trim())
    }
}
