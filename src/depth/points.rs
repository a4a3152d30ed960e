//! Depth image → point cloud in the optical frame.

use smallvec::SmallVec;

use super::error::{DepthError, check_length, pixel_count};
use super::point_mask::{MaskRow, PointMask};
use crate::geometry::RayTable;
use crate::message::{Header, PointCloud2, PointField};
use crate::sensor::{ImageView, PixelFormat};

/// Bytes of a point: x, y, z and colour, 4 each.
const POINT_STEP: usize = 16;

/// Appends the points of a depth image to `out` as the data of a [`PointCloud2`] (see [`cloud`]) and
/// gives their number.
///
/// - `depth_m`: `height × width` metres along the optical axis, of the size of `image`; pixels that
///   are not finite and positive give no point.
/// - `rays`: the table of the image's camera; a pixel without a ray gives no point. Its stride is that
///   of the points.
/// - `mask`: decided for this image; what it does not take gives no point.
/// - Per point: x, y, z as little-endian f32 metres (x right, y down, z forward), then the bytes blue,
///   green, red, 0: RViz and PCL read them as a float field `rgb`.
pub fn write_points(
    depth_m: &[f32],
    rays: &RayTable,
    mask: &PointMask,
    image: &ImageView<'_>,
    out: &mut Vec<u8>,
) -> Result<usize, DepthError> {
    let (width, height) = (image.width() as usize, image.height() as usize);
    check_length("depth image", pixel_count("image", width, height)?, depth_m.len())?;
    if rays.image_size() != (width, height) {
        let found = rays.image_size();
        return Err(DepthError::SizeMismatch { what: "ray table", expected: (width, height), found });
    }
    if mask.image_size() != (width, height) {
        let found = mask.image_size();
        return Err(DepthError::SizeMismatch { what: "point mask", expected: (width, height), found });
    }
    let start = out.len();
    // At full length from the start: a loop that grows its output checks the capacity at each point.
    out.resize(start + rays.rays().len() * POINT_STEP, 0);
    let (points, _) = out[start..].as_chunks_mut::<POINT_STEP>();
    let mut n = 0;
    for (k, depth_m) in depth_m.chunks_exact(width).step_by(rays.stride()).enumerate() {
        let y = k * rays.stride();
        let row = Row { depth_m, rays: rays.row(k), mask: mask.row(y), stride: rays.stride() };
        let y = y as u32;
        let (pixels, points) = (image.row(y), &mut points[n..]);
        n += match image.format() {
            PixelFormat::Bgr8 => row.write(pixels.as_chunks().0, |[b, g, r]: &[u8; 3]| [*b, *g, *r], points),
            PixelFormat::Rgb8 => row.write(pixels.as_chunks().0, |[r, g, b]: &[u8; 3]| [*b, *g, *r], points),
            PixelFormat::Bgra8 => {
                row.write(pixels.as_chunks().0, |[b, g, r, _]: &[u8; 4]| [*b, *g, *r], points)
            }
            PixelFormat::Rgba8 => {
                row.write(pixels.as_chunks().0, |[r, g, b, _]: &[u8; 4]| [*b, *g, *r], points)
            }
            _ => {
                let colours = image.colours(y);
                let bgr = |x: usize| {
                    let [r, g, b] = colours.rgb(x as u32);
                    [b, g, r]
                };
                row.write_at(width, bgr, points)
            }
        };
    }
    out.truncate(start + n * POINT_STEP);
    Ok(n)
}

/// One row of a depth image.
struct Row<'a> {
    depth_m: &'a [f32],
    /// Of every `stride`-th pixel.
    rays: &'a [[f32; 2]],
    mask: MaskRow<'a>,
    stride: usize,
}

impl Row<'_> {
    /// Writes its points from the start of `points` on; how many. `bgr` reads a pixel's colour.
    fn write<P>(&self, pixels: &[P], bgr: impl Fn(&P) -> [u8; 3], points: &mut [[u8; POINT_STEP]]) -> usize {
        self.write_at(pixels.len(), |x| bgr(&pixels[x]), points)
    }

    /// As [`Row::write`] for `columns` pixels whose colour is read by column.
    fn write_at(
        &self,
        columns: usize,
        bgr: impl Fn(usize) -> [u8; 3],
        points: &mut [[u8; POINT_STEP]],
    ) -> usize {
        // Slices of one known length and one branch, so that the loop has no others.
        let width = self.depth_m.len().min(columns);
        let depth_m = &self.depth_m[..width];
        let (mut x, mut n) = (0, 0);
        for ray in self.rays {
            if x >= width || n >= points.len() {
                break;
            }
            let z = depth_m[x];
            let (x_m, y_m) = (ray[0] * z, ray[1] * z);
            let [b, g, r] = bgr(x);
            let point = &mut points[n];
            point[0..4].copy_from_slice(&x_m.to_le_bytes());
            point[4..8].copy_from_slice(&y_m.to_le_bytes());
            point[8..12].copy_from_slice(&z.to_le_bytes());
            point[12..16].copy_from_slice(&[b, g, r, 0]);
            // One that does not count is overwritten by the next.
            let is_point = (z > 0.0) & z.is_finite() & x_m.is_finite() & y_m.is_finite();
            n += usize::from(is_point & self.mask.takes(x));
            x += self.stride;
        }
        n
    }
}

/// The message around the bytes of [`write_points`]: one row, little-endian, every point finite.
pub fn cloud<'a>(header: Header<'a>, data: &'a [u8]) -> PointCloud2<'a> {
    let names = ["x", "y", "z", "rgb"];
    let fields: SmallVec<_> = (0_u32..)
        .zip(names)
        .map(|(i, name)| PointField { name, offset: 4 * i, datatype: PointField::FLOAT32, count: 1 })
        .collect();
    PointCloud2 {
        header,
        height: 1,
        width: (data.len() / POINT_STEP) as u32,
        fields,
        is_bigendian: false,
        point_step: POINT_STEP as u32,
        row_step: data.len() as u32,
        data,
        is_dense: true,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Deserialize;

    use super::{cloud, write_points};
    use crate::depth::{PointFilter, PointMask};
    use crate::geometry::{CameraModel, RayTable};
    use crate::message::{CameraInfo, Header, PointCloud2, Stamp, from_cdr, to_cdr};
    use crate::sensor::{ImageView, PixelFormat, PointCloudView};

    fn camera() -> CameraModel {
        CameraModel::pinhole(8, 6, 7.0, 7.5, 3.6, 2.4).unwrap()
    }

    /// A mask that takes all of an image.
    fn everything(image: &ImageView<'_>) -> PointMask {
        let mut mask = PointMask::default();
        let (filter, size) = (
            PointFilter { min_confidence: 0.0, max_step: 0.0 },
            (image.width() as usize, image.height() as usize),
        );
        mask.decide(filter, &[1.0], &[1.0], (1, 1), size).unwrap();
        mask
    }

    /// Colours that tell the pixel: red is the column, green the row.
    fn pixels() -> Vec<u8> {
        (0..48).flat_map(|i| [i % 8, i / 8, 200]).collect()
    }

    #[test]
    fn a_reader_finds_points_and_colours() {
        let pixels = pixels();
        let image = ImageView::from_parts(8, 6, PixelFormat::Rgb8, 24, &pixels).unwrap();
        let mut depth_m = [f32::NAN; 48];
        depth_m[8 + 2] = 3.0;
        depth_m[0] = f32::INFINITY;
        depth_m[1] = f32::NEG_INFINITY;
        depth_m[2] = 0.0;
        let mut data = vec![1; 3];
        assert_eq!(
            write_points(&depth_m, &RayTable::new(&camera()), &everything(&image), &image, &mut data),
            Ok(1)
        );
        assert_eq!(data.drain(..3).collect::<Vec<_>>(), [1; 3]);

        let mut bytes = Vec::new();
        let header = Header { stamp: Stamp(5), frame_id: "camera" };
        to_cdr(&cloud(header, &data), &mut bytes);
        let message: PointCloud2<'_> = from_cdr(&bytes).unwrap();
        assert_eq!((message.header, message.height, message.width), (header, 1, 1));
        assert!(message.is_dense);
        let view = PointCloudView::new(&message).unwrap();
        let [x, y, z] = view.xyz(0);
        assert!((x - 3.0 * (2.0 - 3.6) / 7.0).abs() < 1e-6);
        assert!((y - 3.0 * (1.0 - 2.4) / 7.5).abs() < 1e-6);
        assert_eq!(z, 3.0);
        assert_eq!(view.field("rgb").unwrap().f32(0).to_bits(), 0x0002_01c8);
    }

    #[test]
    fn what_the_mask_leaves_out_gives_no_point() {
        let pixels = pixels();
        let image = ImageView::from_parts(8, 6, PixelFormat::Rgb8, 24, &pixels).unwrap();
        let mut mask = PointMask::default();
        let filter = PointFilter { min_confidence: 0.5, max_step: 0.0 };
        mask.decide(filter, &[2.0; 4], &[0.9, 0.1, 0.1, 0.6], (2, 2), (8, 6)).unwrap();
        let mut data = Vec::new();
        let rays = RayTable::sampled(&camera(), 2);
        assert_eq!(write_points(&[2.0; 48], &rays, &mask, &image, &mut data), Ok(6));
        let seen: Vec<_> = data.chunks_exact(16).map(|point| (point[14], point[13])).collect();
        assert_eq!(seen, [(0, 0), (2, 0), (0, 2), (2, 2), (4, 4), (6, 4)]);
    }

    #[derive(Deserialize)]
    struct Golden {
        cases: Vec<Case>,
    }

    #[derive(Deserialize)]
    struct Case {
        model: String,
        k: [f64; 9],
        d: Vec<f64>,
        ray_pixels: Vec<[usize; 2]>,
        rays: Vec<[f32; 2]>,
    }

    #[test]
    fn points_of_a_distorted_image_lie_where_opencv_undistorts_their_pixels() {
        let golden: Golden =
            serde_json::from_str(include_str!("../../tests/golden/camera_projection.json")).unwrap();
        let (width, height, z) = (640, 480, 2.5);
        let pixels = vec![0; width * height];
        let image = ImageView::from_parts(640, 480, PixelFormat::Mono8, 640, &pixels).unwrap();
        for case in &golden.cases {
            let info = CameraInfo {
                width: 640,
                height: 480,
                distortion_model: &case.model,
                d: case.d.as_slice().into(),
                k: case.k,
                ..CameraInfo::default()
            };
            let camera = CameraModel::from_camera_info(&info).unwrap();
            let rays = RayTable::new(&camera);
            assert_eq!(case.rays.len(), 7);
            for (&[u, v], ray) in case.ray_pixels.iter().zip(&case.rays) {
                let mut depth_m = vec![f32::NAN; width * height];
                depth_m[v * width + u] = z;
                let mut data = Vec::new();
                assert_eq!(write_points(&depth_m, &rays, &everything(&image), &image, &mut data), Ok(1));
                let message = cloud(Header::default(), &data);
                let found = PointCloudView::new(&message).unwrap().xyz(0);
                for (found, expected) in found.iter().zip([ray[0] * z, ray[1] * z, z]) {
                    assert!((found - expected).abs() < 1e-5, "{} {u} {v}: {found}", case.model);
                }
            }
        }
    }

    #[test]
    fn an_empty_depth_image_is_an_empty_cloud() {
        let pixels = pixels();
        let image = ImageView::from_parts(8, 6, PixelFormat::Rgb8, 24, &pixels).unwrap();
        let mut data = Vec::new();
        assert_eq!(
            write_points(
                &[f32::NAN; 48],
                &RayTable::sampled(&camera(), 2),
                &everything(&image),
                &image,
                &mut data
            ),
            Ok(0)
        );
        let message = cloud(Header::default(), &data);
        assert_eq!((message.width, message.row_step), (0, 0));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let pixels = pixels();
        let image = ImageView::from_parts(8, 6, PixelFormat::Rgb8, 24, &pixels).unwrap();
        let rays = RayTable::new(&camera());
        let other = RayTable::new(&camera().scaled(4, 3));
        assert!(write_points(&[1.0; 47], &rays, &everything(&image), &image, &mut Vec::new()).is_err());
        assert!(write_points(&[1.0; 48], &other, &everything(&image), &image, &mut Vec::new()).is_err());
    }

    #[test]
    fn every_layout_gives_the_same_points() {
        let pixels = pixels();
        let write = |format: PixelFormat, order: &[usize]| {
            let bytes: Vec<u8> = pixels
                .chunks_exact(3)
                .flat_map(|p| order.iter().map(|&c| if c == 3 { 77 } else { p[c] }))
                .collect();
            let step = 8 * order.len() as u64;
            let image = ImageView::from_parts(8, 6, format, step, &bytes).unwrap();
            let mut data = Vec::new();
            assert_eq!(
                write_points(&[2.0; 48], &RayTable::new(&camera()), &everything(&image), &image, &mut data),
                Ok(48)
            );
            data
        };
        let expected = write(PixelFormat::Rgb8, &[0, 1, 2]);
        assert_eq!(write(PixelFormat::Bgr8, &[2, 1, 0]), expected);
        assert_eq!(write(PixelFormat::Rgba8, &[0, 1, 2, 3]), expected);
        assert_eq!(write(PixelFormat::Bgra8, &[2, 1, 0, 3]), expected);
        let grey = write(PixelFormat::Mono8, &[1]);
        assert_eq!(grey[16 * 9 + 12..][..4], [1, 1, 1, 0]);
    }

    proptest! {
        #[test]
        fn points_project_back_onto_their_pixels(
            depth_m in prop::collection::vec(prop_oneof![0.2_f32..90.0, Just(f32::NAN)], 48),
            stride in 1_usize..10,
        ) {
            let pixels = pixels();
            let image = ImageView::from_parts(8, 6, PixelFormat::Rgb8, 24, &pixels).unwrap();
            let camera = camera();
            let mut data = Vec::new();
            let rays = RayTable::sampled(&camera, stride);
            let n = write_points(&depth_m, &rays, &everything(&image), &image, &mut data).unwrap();
            let expected = (0..48)
                .filter(|i| (i % 8) % stride == 0 && (i / 8) % stride == 0 && depth_m[*i].is_finite())
                .count();
            prop_assert_eq!(n, expected);
            let message = cloud(Header::default(), &data);
            let view = PointCloudView::new(&message).unwrap();
            for i in 0..n {
                let [x, y, z] = view.xyz(i);
                let point = nalgebra::Point3::new(x as f64, y as f64, z as f64);
                let (u, v) = camera.project(&point).unwrap();
                let colour = view.field("rgb").unwrap().f32(i).to_bits();
                prop_assert!((u - (colour >> 16) as f64).abs() < 1e-4);
                prop_assert!((v - ((colour >> 8) & 255) as f64).abs() < 1e-4);
                prop_assert_eq!(z, depth_m[v.round() as usize * 8 + u.round() as usize]);
            }
        }
    }
}
