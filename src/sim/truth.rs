//! The boxes of the objects about a sensor.

use std::collections::BTreeMap;

use glam::{EulerRot, Quat, Vec3A};

use super::{ObjectClass, Placement, Snapshot};

/// Boxes farther from the sensor are left out, metres: beyond every range that is scored.
const FARTHEST_M: f32 = 90.0;

/// An object's box, in the frame of the sensor at the start of its sweep.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TruthBox {
    /// Number of the object, the same in all frames.
    pub object: u32,
    /// What it is.
    pub class: ObjectClass,
    /// Centre, and turn about the sensor's z axis; the box stands upright in the sensor's frame.
    pub pose: Placement,
    /// Full lengths: forward, across, up, metres.
    pub size: [f32; 3],
    /// The sensor's points on it.
    pub points: u32,
}

/// How the points of a sweep fall on an object.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Seen {
    points: u32,
    moments: f32,
}

/// The boxes about a sensor whose sweep starts at `start`. `hits` gives for each point the object it lies on
/// and the moment it was measured, 0..1 of the snapshot.
///
/// A box is where its object was when the sweep came by: points and box fit, as in recorded data sets,
/// whose boxes are drawn about the points. An object without points is taken half-way through the sweep.
pub fn boxes(
    snapshot: &Snapshot<'_>,
    start: &Placement,
    hits: impl Iterator<Item = (u32, f32)>,
) -> Vec<TruthBox> {
    let mut seen = BTreeMap::<u32, Seen>::new();
    for (object, moment) in hits {
        let seen = seen.entry(object).or_default();
        seen.points += 1;
        seen.moments += moment;
    }
    let to_sensor = start.inverse();
    let objects = (0..).zip(&snapshot.world().objects);
    objects
        .filter_map(|(number, object)| {
            let class = object.class?;
            let Seen { points, moments } = seen.get(&number).copied().unwrap_or_default();
            let moment = if points > 0 { moments / points as f32 } else { 0.5 };
            let placement = to_sensor.then(&snapshot.placement(number, moment)?);
            let centre = placement.point(Vec3A::from(object.centre));
            if centre.length() > FARTHEST_M {
                return None;
            }
            let yaw = placement.rotation.to_euler(EulerRot::ZYX).0;
            let pose = Placement { position: centre, rotation: Quat::from_rotation_z(yaw) };
            Some(TruthBox { object: number, class, pose, size: object.size, points })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use glam::{Affine3A, Vec3};

    use super::*;
    use crate::sim::{Lighting, Material, Mesh, Motion, Path, PathEnd, WorldBuilder};

    #[test]
    fn boxes_are_where_the_sweep_saw_their_objects() {
        let mut builder = WorldBuilder::default();
        let grey = builder.material(Material::matt("grey", [0.5; 3]));
        let mut body = Mesh::default();
        let lifted = Affine3A::from_translation(Vec3::new(0.0, 0.0, 1.0));
        body.add_box(grey, &lifted, [4.0, 2.0, 2.0]);
        // A mirror, which no box holds.
        let corners = body.positions.len() as u32;
        body.add_box(grey, &Affine3A::from_translation(Vec3::new(1.0, 1.2, 1.0)), [0.2; 3]);
        body.protruding.push(corners..body.positions.len() as u32);
        builder.standing(Some(ObjectClass::Truck), &body, Placement::upright(Vec3::new(0.0, 9.0, 0.0), 1.0));
        builder.standing(None, &body, Placement::upright(Vec3::new(0.0, -9.0, 0.0), 0.0));
        builder.standing(Some(ObjectClass::Car), &body, Placement::upright(Vec3::new(200.0, 0.0, 0.0), 0.0));
        let shape = builder.shape(body);
        let way = [Vec3::new(10.0, 0.0, 0.0), Vec3::new(99.0, 0.0, 0.0)];
        let motion = Motion::Path(Path::new(&way, 10.0, 0.0, 1.0, PathEnd::Stop));
        builder.moving(Some(ObjectClass::Car), vec![shape], 1.0, motion);
        let world = builder.build(Lighting::default());
        let snapshot = world.during(0.0, 0.1);
        let start = Placement { position: Vec3A::new(1.0, 0.0, 2.0), rotation: Quat::from_rotation_z(0.5) };
        let found = boxes(&snapshot, &start, [(3, 0.2), (3, 0.4)].into_iter());
        let [truck, car] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!((truck.object, truck.class, truck.points), (0, ObjectClass::Truck, 0));
        assert_eq!(truck.size, [4.0, 2.0, 2.0]);
        assert_eq!((car.object, car.points, car.size), (3, 2, [4.0, 2.0, 2.0]));
        // 0.3 of 0.1 s at 10 m/s, its middle 1 m up, seen from (1, 0, 2) turned by 0.5.
        let expected = Quat::from_rotation_z(-0.5) * Vec3A::new(9.3, 0.0, -1.0);
        assert!(car.pose.position.distance(expected) < 1e-4, "{car:?}");
        let yaw = truck.pose.rotation.to_euler(EulerRot::ZYX).0;
        assert!((yaw - 0.5).abs() < 1e-5, "{yaw}");
    }
}
