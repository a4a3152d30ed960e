//! What the `format` of a compressed image says.
//!
//! The transports write `<encoding>; <codec> compressed <order>` (`compressed_image_transport`) or
//! `<encoding>; compressedDepth <codec>` (`compressed_depth_image_transport`, whose older versions
//! leave the codec out); other publishers write the codec alone.

/// Codec of a camera image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Codec {
    Jpeg,
    Png,
    Rvl,
}

impl Codec {
    fn of(name: &str) -> Option<Self> {
        const NAMES: [(&str, Codec); 4] =
            [("jpeg", Codec::Jpeg), ("jpg", Codec::Jpeg), ("png", Codec::Png), ("rvl", Codec::Rvl)];
        NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, codec)| *codec)
    }
}

/// A `format`, taken apart. Upper and lower case mean the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CompressedFormat<'a> {
    /// Encoding of the image before it was compressed; empty when it is not told
    pub encoding: &'a str,
    /// Whether the transport is `compressedDepth`
    pub is_compressed_depth: bool,
    /// How the image is coded, if that is known
    pub codec: Option<Codec>,
    /// Whether the file holds blue where red belongs: the order handed to an encoder that takes its
    /// input for BGR was RGB.
    pub swaps_red_and_blue: bool,
}

impl<'a> CompressedFormat<'a> {
    pub fn parse(format: &'a str) -> Self {
        let (encoding, rest) = format.rsplit_once(';').unwrap_or(("", format));
        let mut words = rest.split_whitespace();
        let first = words.next().unwrap_or("");
        let is_compressed_depth = first.eq_ignore_ascii_case("compressedDepth");
        let codec = match words.next() {
            None if is_compressed_depth => Some(Codec::Png),
            Some(codec) if is_compressed_depth => Codec::of(codec),
            _ => Codec::of(first),
        };
        let order = words.next().and_then(|order| order.get(..3));
        Self {
            encoding: encoding.trim(),
            is_compressed_depth,
            codec,
            swaps_red_and_blue: !is_compressed_depth
                && order.is_some_and(|order| order.eq_ignore_ascii_case("rgb")),
        }
    }

    /// Whether the image was depth before it was compressed.
    pub fn is_depth(&self) -> bool {
        self.is_compressed_depth || ["16UC1", "32FC1"].iter().any(|name| self.is_encoding(name))
    }

    /// Whether the image was a Bayer mosaic before it was compressed.
    pub fn is_bayer(&self) -> bool {
        self.encoding.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("bayer_"))
    }

    /// Whether `name` is the encoding before compression.
    pub fn is_encoding(&self, name: &str) -> bool {
        self.encoding.eq_ignore_ascii_case(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_in_use_is_taken_apart() {
        let camera = |encoding, codec, swaps_red_and_blue| CompressedFormat {
            encoding,
            is_compressed_depth: false,
            codec: Some(codec),
            swaps_red_and_blue,
        };
        for (format, expected) in [
            ("jpeg", camera("", Codec::Jpeg, false)),
            ("PNG", camera("", Codec::Png, false)),
            ("rgb8; jpeg compressed bgr8", camera("rgb8", Codec::Jpeg, false)),
            ("rgb8; jpeg compressed rgb8", camera("rgb8", Codec::Jpeg, true)),
            ("rgb8; jpeg compressed", camera("rgb8", Codec::Jpeg, false)),
            ("mono8; jpeg compressed ", camera("mono8", Codec::Jpeg, false)),
            ("rgb16; png compressed rgb16", camera("rgb16", Codec::Png, true)),
        ] {
            assert_eq!(CompressedFormat::parse(format), expected, "{format}");
        }
        for (format, encoding, codec) in [
            ("16UC1; compressedDepth", "16UC1", Some(Codec::Png)),
            ("32FC1; compressedDepth png", "32FC1", Some(Codec::Png)),
            ("16UC1; compressedDepth rvl", "16UC1", Some(Codec::Rvl)),
            ("16UC1; compressedDepth zstd", "16UC1", None),
        ] {
            let found = CompressedFormat::parse(format);
            assert!(found.is_compressed_depth && found.is_depth() && !found.swaps_red_and_blue);
            assert_eq!((found.encoding, found.codec), (encoding, codec), "{format}");
        }
    }

    #[test]
    fn anything_else_has_no_codec() {
        for format in ["", ";", "webp", "rgb8; ", "bgr8; avif compressed bgr8", "é; é é é"] {
            assert_eq!(CompressedFormat::parse(format).codec, None, "{format}");
        }
        assert!(CompressedFormat::parse("16UC1; png compressed ").is_depth());
        assert!(CompressedFormat::parse("bayer_rggb8; png compressed ").is_bayer());
    }
}
