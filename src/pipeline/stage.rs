//! The steps of a frame that are timed.

/// A step of a frame, in the order in which a frame takes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// Compressed image to pixels
    Decode,
    /// Sensor views to the model's tensors
    Preprocess,
    /// The model
    Inference,
    /// The model's tensors to depth or boxes
    Postprocess,
    /// Depth or boxes to messages
    Encode,
}

impl Stage {
    /// How many there are.
    pub const COUNT: usize = Self::ALL.len();
    /// All, in their order.
    pub const ALL: [Self; 5] =
        [Self::Decode, Self::Preprocess, Self::Inference, Self::Postprocess, Self::Encode];

    /// The name in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Decode => "decode",
            Self::Preprocess => "preprocess",
            Self::Inference => "inference",
            Self::Postprocess => "postprocess",
            Self::Encode => "encode",
        }
    }
}
