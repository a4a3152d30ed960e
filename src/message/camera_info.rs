//! `sensor_msgs/CameraInfo`.

use smallvec::SmallVec;

use super::{CdrError, CdrReader, CdrWriter, Header, Message};

/// Calibration of one camera at one resolution.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CameraInfo<'a> {
    /// Acquisition time of the image it belongs to, optical frame.
    pub header: Header<'a>,
    /// Rows at full resolution.
    pub height: u32,
    /// Columns at full resolution.
    pub width: u32,
    /// As `plumb_bob`, `rational_polynomial`, `equidistant`.
    pub distortion_model: &'a str,
    /// Distortion coefficients; how many, the model says.
    pub d: SmallVec<[f64; 14]>,
    /// Intrinsics of the raw image, 3×3 row-major, pixels.
    pub k: [f64; 9],
    /// Rectification rotation, 3×3 row-major.
    pub r: [f64; 9],
    /// Projection of the rectified image, 3×4 row-major, pixels.
    pub p: [f64; 12],
    /// Columns combined into one; 0 means 1.
    pub binning_x: u32,
    /// Rows combined into one; 0 means 1.
    pub binning_y: u32,
    /// The part of the sensor that the image shows, in full-resolution pixels.
    pub roi: RegionOfInterest,
}

/// `sensor_msgs/RegionOfInterest`; all zero means the full image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RegionOfInterest {
    /// Leftmost column.
    pub x_offset: u32,
    /// Topmost row.
    pub y_offset: u32,
    /// Rows.
    pub height: u32,
    /// Columns.
    pub width: u32,
    /// Whether a rectified region is to be made of it.
    pub do_rectify: bool,
}

impl<'a> Message<'a> for CameraInfo<'a> {
    const TYPE_NAME: &'static str = "sensor_msgs/msg/CameraInfo";
    const TYPE_HASH: &'static str = "RIHS01_b3dfd68ff46c9d56c80fd3bd4ed22c7a4ddce8c8348f2f59c299e73118e7e275";
    const DEFINITION: &'static str = definition!(
        "sensor_msgs/CameraInfo",
        "std_msgs/Header",
        "builtin_interfaces/Time",
        "sensor_msgs/RegionOfInterest"
    );

    fn read(r: &mut CdrReader<'a>) -> Result<Self, CdrError> {
        Ok(Self {
            header: Header::read(r)?,
            height: r.u32("height")?,
            width: r.u32("width")?,
            distortion_model: r.str("distortion_model")?,
            d: r.sequence("d", 8, |r| r.f64("d"))?,
            k: r.f64_array("k")?,
            r: r.f64_array("r")?,
            p: r.f64_array("p")?,
            binning_x: r.u32("binning_x")?,
            binning_y: r.u32("binning_y")?,
            roi: RegionOfInterest {
                x_offset: r.u32("roi.x_offset")?,
                y_offset: r.u32("roi.y_offset")?,
                height: r.u32("roi.height")?,
                width: r.u32("roi.width")?,
                do_rectify: r.bool("roi.do_rectify")?,
            },
        })
    }

    fn write(&self, w: &mut CdrWriter<'_>) {
        self.header.write(w);
        w.u32(self.height);
        w.u32(self.width);
        w.str(self.distortion_model);
        w.sequence(&self.d, |&value, w| w.f64(value));
        w.f64_array(&self.k);
        w.f64_array(&self.r);
        w.f64_array(&self.p);
        w.u32(self.binning_x);
        w.u32(self.binning_y);
        w.u32(self.roi.x_offset);
        w.u32(self.roi.y_offset);
        w.u32(self.roi.height);
        w.u32(self.roi.width);
        w.bool(self.roi.do_rectify);
    }
}
