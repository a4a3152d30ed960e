//! `std_msgs/String`.

use super::{CdrError, CdrReader, CdrWriter, Message};

/// Text without a stamp; here a JSON object where no other message fits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Text<'a> {
    /// The text.
    pub data: &'a str,
}

impl<'a> Message<'a> for Text<'a> {
    const TYPE_NAME: &'static str = "std_msgs/msg/String";
    const TYPE_HASH: &'static str = "RIHS01_df668c740482bbd48fb39d76a70dfd4bd59db1288021743503259e948f6b1a18";
    const DEFINITION: &'static str = definition!("std_msgs/String");

    fn read(r: &mut CdrReader<'a>) -> Result<Self, CdrError> {
        Ok(Self { data: r.str("data")? })
    }

    fn write(&self, w: &mut CdrWriter<'_>) {
        w.str(self.data);
    }
}
