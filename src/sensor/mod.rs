//! Messages as what they mean: images with a known pixel format, clouds with typed fields, radar
//! returns with units.
//!
//! In: decoded messages of [`crate::message`]. Out: views that borrow from them, or small structs.
//! What a driver got wrong (a step too short, a field beyond the point) is an error here, once.

mod bayer;
mod compressed;
mod compressed_depth;
mod compressed_format;
mod doppler_sign;
mod ego_box;
mod error;
mod field;
mod field_writer;
mod image_view;
mod lidar;
mod lidar_preset;
mod lidar_time;
mod pixel_format;
mod point_cloud;
mod radar;
mod radar_direction;
mod radar_preset;
mod row_colours;
mod rvl;
mod yuv;

pub use bayer::BayerPattern;
pub use compressed::{DecodedImage, decode_compressed};
pub use compressed_depth::{DecodedDepth, decode_compressed_depth, decode_depth_png};
pub use doppler_sign::DopplerSigns;
pub use ego_box::EgoBox;
pub use error::SensorError;
pub use field::FieldReader;
pub use field_writer::FieldWriter;
pub use image_view::ImageView;
pub use lidar::{LidarPoint, LidarPoints};
pub use lidar_preset::{LidarLayout, LidarPreset, lidar_points};
pub use lidar_time::{PointTimes, StampAt};
pub use pixel_format::PixelFormat;
pub use point_cloud::PointCloudView;
pub use radar::{RadarFields, RadarReturn, decode_radar, decode_radar_scan};
pub use radar_preset::RadarPreset;
pub use row_colours::RowColours;
pub use yuv::{ChromaOrder, PackedOrder};
