//! Received messages that lend their content straight from the C structs the middleware filled: an image
//! is copied once, by the middleware itself.

use std::ffi::c_char;
use std::slice;

use isobath::message::{
    CdrError, CompressedImage, Header, Image, LendCloud, LendCompressedImage, LendImage, Message,
    PointCloud2, PointField, Stamp,
};
use r2r::NativeMsg;
use r2r::sensor_msgs::msg as ros;

/// A received `sensor_msgs/Image`.
pub struct NativeImage(NativeMsg<ros::Image>);

/// A received `sensor_msgs/CompressedImage`.
pub struct NativeCompressedImage(NativeMsg<ros::CompressedImage>);

/// A received `sensor_msgs/PointCloud2`.
pub struct NativeCloud(NativeMsg<ros::PointCloud2>);

macro_rules! shared_message {
    ($($name:ident: $message:ty),*) => {$(
        impl From<NativeMsg<$message>> for $name {
            fn from(message: NativeMsg<$message>) -> Self {
                Self(message)
            }
        }

        // SAFETY: the message is a block of heap memory that this struct alone owns. These types have no
        // fixed size, so that the middleware cannot lend them and dropping one is `free`, on any thread.
        unsafe impl Send for $name {}
        // SAFETY: nothing changes the message once it is here: only `&self` methods read it.
        unsafe impl Sync for $name {}
    )*};
}

shared_message!(NativeImage: ros::Image, NativeCompressedImage: ros::CompressedImage, NativeCloud: ros::PointCloud2);

impl LendImage for NativeImage {
    fn image(&self) -> Result<Image<'_>, CdrError> {
        let message = &*self.0;
        let text = Text { type_name: Image::TYPE_NAME };
        // SAFETY: the pointers and sizes are those of one ROS message that lives as long as `self`.
        unsafe {
            Ok(Image {
                header: Header {
                    stamp: Stamp::from_parts(message.header.stamp.sec, message.header.stamp.nanosec),
                    frame_id: text.lend(
                        "header.frame_id",
                        message.header.frame_id.data,
                        message.header.frame_id.size,
                    )?,
                },
                height: message.height,
                width: message.width,
                encoding: text.lend("encoding", message.encoding.data, message.encoding.size)?,
                is_bigendian: message.is_bigendian != 0,
                step: message.step,
                data: bytes(message.data.data, message.data.size),
            })
        }
    }
}

impl LendCompressedImage for NativeCompressedImage {
    fn compressed_image(&self) -> Result<CompressedImage<'_>, CdrError> {
        let message = &*self.0;
        let text = Text { type_name: CompressedImage::TYPE_NAME };
        // SAFETY: the pointers and sizes are those of one ROS message that lives as long as `self`.
        unsafe {
            Ok(CompressedImage {
                header: Header {
                    stamp: Stamp::from_parts(message.header.stamp.sec, message.header.stamp.nanosec),
                    frame_id: text.lend(
                        "header.frame_id",
                        message.header.frame_id.data,
                        message.header.frame_id.size,
                    )?,
                },
                format: text.lend("format", message.format.data, message.format.size)?,
                data: bytes(message.data.data, message.data.size),
            })
        }
    }
}

impl LendCloud for NativeCloud {
    fn cloud(&self) -> Result<PointCloud2<'_>, CdrError> {
        let message = &*self.0;
        let text = Text { type_name: PointCloud2::TYPE_NAME };
        // SAFETY: the pointers and sizes are those of one ROS message that lives as long as `self`.
        unsafe {
            let fields = elements(message.fields.data, message.fields.size)
                .iter()
                .map(|field| {
                    Ok(PointField {
                        name: text.lend("fields.name", field.name.data, field.name.size)?,
                        offset: field.offset,
                        datatype: field.datatype,
                        count: field.count,
                    })
                })
                .collect::<Result<_, CdrError>>()?;
            Ok(PointCloud2 {
                header: Header {
                    stamp: Stamp::from_parts(message.header.stamp.sec, message.header.stamp.nanosec),
                    frame_id: text.lend(
                        "header.frame_id",
                        message.header.frame_id.data,
                        message.header.frame_id.size,
                    )?,
                },
                height: message.height,
                width: message.width,
                fields,
                is_bigendian: message.is_bigendian,
                point_step: message.point_step,
                row_step: message.row_step,
                data: bytes(message.data.data, message.data.size),
                is_dense: message.is_dense,
            })
        }
    }
}

/// Lends the strings of one message.
struct Text {
    type_name: &'static str,
}

impl Text {
    /// # Safety
    /// `data` is null or points to `size` characters that live as long as `'a`.
    unsafe fn lend<'a>(
        &self,
        field: &'static str,
        data: *const c_char,
        size: usize,
    ) -> Result<&'a str, CdrError> {
        // SAFETY: by the contract of this function.
        let characters = unsafe { elements(data.cast::<u8>(), size) };
        std::str::from_utf8(characters).map_err(|error| CdrError::Value {
            type_name: self.type_name,
            field,
            offset: error.valid_up_to(),
            expected: "UTF-8",
            found: String::from_utf8_lossy(characters).into_owned(),
        })
    }
}

/// # Safety
/// `data` is null or points to `size` bytes that live as long as `'a`.
unsafe fn bytes<'a>(data: *const u8, size: usize) -> &'a [u8] {
    // SAFETY: by the contract of this function.
    unsafe { elements(data, size) }
}

/// An empty ROS sequence may have a null pointer, which a slice must not.
///
/// # Safety
/// `data` is null or points to `size` elements that live as long as `'a`.
unsafe fn elements<'a, T>(data: *const T, size: usize) -> &'a [T] {
    if data.is_null() || size == 0 {
        return &[];
    }
    // SAFETY: by the contract of this function, and `data` is not null.
    unsafe { slice::from_raw_parts(data, size) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cloud_is_lent_as_it_was_filled() {
        let typed = ros::PointCloud2 {
            header: r2r::std_msgs::msg::Header {
                stamp: r2r::builtin_interfaces::msg::Time { sec: 7, nanosec: 9 },
                frame_id: "lidar".into(),
            },
            height: 1,
            width: 2,
            fields: vec![ros::PointField { name: "x".into(), offset: 4, datatype: 7, count: 1 }],
            point_step: 8,
            row_step: 16,
            data: (0..16).collect(),
            is_dense: true,
            ..Default::default()
        };
        let cloud = NativeCloud::from(NativeMsg::from(&typed));
        let lent = cloud.cloud().unwrap();
        assert_eq!(lent.header, Header { stamp: Stamp(7_000_000_009), frame_id: "lidar" });
        assert_eq!(lent.fields.len(), 1);
        assert_eq!((lent.fields[0].name, lent.fields[0].offset, lent.fields[0].datatype), ("x", 4, 7));
        assert_eq!((lent.width, lent.point_step, lent.row_step), (2, 8, 16));
        assert_eq!(lent.data, (0..16).collect::<Vec<u8>>());
    }

    #[test]
    fn an_empty_message_has_null_pointers_and_is_fine() {
        let image = NativeImage::from(NativeMsg::<ros::Image>::new());
        let lent = image.image().unwrap();
        assert!(lent.data.is_empty() && lent.encoding.is_empty() && lent.header.frame_id.is_empty());
    }

    #[test]
    fn a_string_that_is_no_text_is_an_error_not_undefined() {
        let typed = ros::CompressedImage { format: "jpeg".into(), ..Default::default() };
        let mut native = NativeMsg::from(&typed);
        // SAFETY: the string has 4 characters.
        unsafe { *native.format.data = -1 };
        let error = NativeCompressedImage::from(native).compressed_image().unwrap_err();
        assert!(error.to_string().contains("format"), "{error}");
    }
}
