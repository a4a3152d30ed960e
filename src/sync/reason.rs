//! Why an input produced no output.

use std::fmt;

macro_rules! drop_reasons {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $explain:literal;)+) => {
        /// Why an image or a cloud that was received has no published result.
        ///
        /// The names are stable: they are the keys of `dropped` in reports and diagnostics.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum DropReason { $($(#[$doc])* $variant,)+ }

        impl DropReason {
            /// Every reason, in declaration order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The `snake_case` name used in reports.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// One sentence for a person who reads a report: what happened and where to look.
            pub const fn explain(self) -> &'static str {
                match self { $(Self::$variant => $explain,)+ }
            }
        }
    };
}

drop_reasons! {
    /// A newer input arrived before this one was processed.
    Superseded = "superseded",
        "A newer input arrived before this one was processed: the model is slower than the sensor.";
    /// No `CameraInfo` had been received.
    NoCameraInfo = "no_camera_info",
        "No camera_info has arrived: check its topic name and QoS.";
    /// The `CameraInfo` does not describe this image, or cannot be used.
    CameraInfoMismatch = "camera_info_mismatch",
        "The camera_info is unusable or does not fit the image: check size, ROI, binning and calibration.";
    /// A needed transform was not available at the stamp.
    NoTransform = "no_transform",
        "A transform was not available at the stamp of the input: check the tf tree and the frame ids.";
    /// Nobody subscribed to any output.
    NoSubscriber = "no_subscriber",
        "Nobody subscribed to an output, so nothing was computed.";
    /// The message could not be decoded.
    Undecodable = "undecodable",
        "The message could not be decoded: check its encoding and fields.";
    /// The stamp is unset.
    ZeroStamp = "zero_stamp",
        "The stamp of the message is unset: its driver must fill header.stamp.";
    /// A radar that the frame must have had nothing usable at its stamp.
    RadarAbsent = "radar_absent",
        "A required radar had no message near the stamp of the image: check that it runs, and its clock.";
    /// Not newer than an input taken before.
    OutOfOrder = "out_of_order",
        "The input was not newer than the one before it: duplicated or reordered messages.";
    /// Time jumped back while the input waited.
    TimeJump = "time_jump",
        "Time jumped back while the input waited: a restarted bag, simulation or clock.";
    /// The model failed on this input.
    InferenceFailed = "inference_failed",
        "The model failed on this input: the log has the error of the session.";
    /// The process ended before the input was processed.
    Shutdown = "shutdown",
        "The process ended before the input was processed.";
}

impl fmt::Display for DropReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::DropReason;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_unique_snake_case_and_explained() {
        let names: BTreeSet<_> = DropReason::ALL.iter().map(|reason| reason.as_str()).collect();
        assert_eq!(names.len(), DropReason::ALL.len());
        for reason in DropReason::ALL {
            assert!(reason.as_str().chars().all(|c| c.is_ascii_lowercase() || c == '_'));
            assert!(reason.explain().ends_with('.'));
        }
    }
}
