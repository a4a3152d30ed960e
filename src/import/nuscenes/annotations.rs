//! Annotated boxes, moved from the map into the LiDAR's frame at the sweep.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use nalgebra::Vector3;
use serde_json::{Value, json};

use super::json_table::{Token, each_row};
use super::scenes::{self, Scene};
use super::tables::{AnnotationRow, InstanceRow, NameRow};
use crate::geometry::Pose;
use crate::import::recorder::TruthBox;
use crate::import::{ImportError, rigid};

/// The class of this project for a category; `None` where there is none. Where both have a class they agree
/// with the data set's detection benchmark.
fn class_of(category: &str) -> Option<&'static str> {
    Some(match category {
        "vehicle.car" => "car",
        "vehicle.truck" => "truck",
        "vehicle.bus.bendy" | "vehicle.bus.rigid" => "bus",
        "vehicle.bicycle" => "bicycle",
        "human.pedestrian.adult"
        | "human.pedestrian.child"
        | "human.pedestrian.construction_worker"
        | "human.pedestrian.police_officer" => "pedestrian",
        _ => return None,
    })
}

/// An object in a sample.
#[derive(Debug)]
struct Annotation {
    instance: Token,
    category: Token,
    t_odom_box: Pose,
    /// Length, width, height, metres
    size: [f64; 3],
    points: [i64; 2],
    visibility: u8,
    attributes: Vec<Token>,
}

/// The truth of the scenes wanted.
#[derive(Debug, Default)]
pub(super) struct Truth {
    samples: BTreeMap<Token, Vec<Annotation>>,
    /// Of categories and attributes
    names: BTreeMap<Token, String>,
}

/// What is known about a sweep.
pub(super) struct SampleTruth<'t> {
    pub boxes: Vec<TruthBox>,
    /// What else is said about each of them
    pub message: Value,
    /// Categories of the others
    pub left_out: Vec<&'t str>,
}

/// Reads the annotations of `scenes`.
pub(super) fn read(folder: &Path, scenes: &[Scene]) -> Result<Truth, ImportError> {
    let mut truth = Truth::default();
    for table in ["category.json", "attribute.json"] {
        each_row(folder, table, |row: NameRow| {
            truth.names.insert(row.token, row.name);
        })?;
    }
    let mut categories = BTreeMap::new();
    each_row(folder, "instance.json", |row: InstanceRow| {
        categories.insert(row.token, row.category_token);
    })?;
    let wanted: BTreeSet<Token> = scenes.iter().flat_map(Scene::samples).collect();
    let name = "sample_annotation.json";
    let mut wrong = None;
    each_row(folder, name, |row: AnnotationRow| {
        if !wanted.contains(&row.sample_token) {
            return;
        }
        match annotation(row, &categories) {
            Ok((sample, annotation)) => truth.samples.entry(sample).or_default().push(annotation),
            Err(reason) => drop(wrong.get_or_insert(reason)),
        }
    })?;
    wrong.map_or(Ok(truth), |reason| Err(ImportError::file(&folder.join(name), reason)))
}

fn annotation(
    row: AnnotationRow,
    categories: &BTreeMap<Token, Token>,
) -> Result<(Token, Annotation), String> {
    let [width, length, height] = row.size;
    let fail = |reason: String| format!("{}: {reason}", row.token);
    if ![width, length, height].iter().all(|edge| *edge > 0.0) {
        return Err(fail(format!("expected edges above 0, found {:?}", row.size)));
    }
    let category = categories.get(&row.instance_token).copied();
    let annotation = Annotation {
        instance: row.instance_token,
        category: category
            .ok_or_else(|| fail(format!("expected its instance {} in instance.json", row.instance_token)))?,
        t_odom_box: scenes::pose(row.translation, row.rotation).map_err(fail)?,
        size: [length, width, height],
        points: [row.num_lidar_pts, row.num_radar_pts],
        visibility: row.visibility_token.parse().unwrap_or_default(),
        attributes: row.attribute_tokens,
    };
    Ok((row.sample_token, annotation))
}

impl Truth {
    /// The objects of a sample for a LiDAR at `t_odom_lidar`; `None` for all samples of a version without
    /// annotations, as the test set is.
    pub fn of(&self, scene: &str, sample: Token, t_odom_lidar: &Pose) -> Option<SampleTruth<'_>> {
        if self.samples.is_empty() {
            return None;
        }
        let t_lidar_odom = t_odom_lidar.inverse();
        let name = |token: &Token| self.names.get(token).map_or("", String::as_str);
        let (mut boxes, mut objects, mut left_out) = (Vec::new(), Vec::new(), Vec::new());
        for annotation in self.samples.get(&sample).into_iter().flatten() {
            let category = name(&annotation.category);
            let Some(class) = class_of(category) else {
                left_out.push(category);
                continue;
            };
            let t_lidar_box = t_lidar_odom * annotation.t_odom_box;
            let forward = t_lidar_box * Vector3::x();
            let box3d = rigid::upright(t_lidar_box.translation.vector.into(), forward, annotation.size);
            boxes.push(TruthBox { class, box3d, id: annotation.instance.to_string() });
            let [lidar_points, radar_points] = annotation.points;
            let attributes: Vec<_> = annotation.attributes.iter().map(name).collect();
            objects.push(json!({
                "category": category,
                "lidar_points": lidar_points,
                "radar_points": radar_points,
                "visibility": annotation.visibility,
                "attributes": attributes,
            }));
        }
        let message = json!({
            "source": "nuscenes",
            "scene": scene,
            "sample": sample.to_string(),
            "objects": objects,
        });
        Some(SampleTruth { boxes, message, left_out })
    }
}
