//! 3D objects from LiDAR points.
//!
//! In: a point cloud view. Out: oriented boxes with class and score, in the frame of the cloud.
