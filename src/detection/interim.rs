//! Interim.
#![allow(missing_docs)]
use nalgebra::{Point3, Vector3};
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LidarPoint {
    pub x: f32,
    pub y: f32,
    pub z: f32,
    pub intensity: f32,
}
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Box3d {
    pub center: Point3<f64>,
    pub size: Vector3<f64>,
    pub yaw: f64,
}
