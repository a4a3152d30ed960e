//! `diagnostic_msgs/DiagnosticArray` and its parts.

use std::borrow::Cow;

use super::{CdrError, CdrReader, CdrWriter, Header, Message};

/// What a node reports about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DiagnosticArray<'a> {
    /// Time of the report.
    pub header: Header<'a>,
    /// One entry a component.
    pub status: Vec<DiagnosticStatus<'a>>,
}

/// The state of one component.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DiagnosticStatus<'a> {
    /// One of the constants.
    pub level: u8,
    /// Component, as `node: part`.
    pub name: Cow<'a, str>,
    /// The state in words.
    pub message: Cow<'a, str>,
    /// Which hardware.
    pub hardware_id: Cow<'a, str>,
    /// Details.
    pub values: Vec<KeyValue<'a>>,
}

impl DiagnosticStatus<'_> {
    /// Works.
    pub const OK: u8 = 0;
    /// Works, but not as it should.
    pub const WARN: u8 = 1;
    /// Does not work.
    pub const ERROR: u8 = 2;
    /// Not heard of for too long.
    pub const STALE: u8 = 3;
}

/// One named detail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyValue<'a> {
    /// What.
    pub key: Cow<'a, str>,
    /// How much.
    pub value: Cow<'a, str>,
}

impl<'a> Message<'a> for DiagnosticArray<'a> {
    const TYPE_NAME: &'static str = "diagnostic_msgs/msg/DiagnosticArray";
    const TYPE_HASH: &'static str = "RIHS01_5a8a36efb05fb25070fa0fb3810290c0e6cd4862b54a8fb975a1ee8dc55a333e";
    const DEFINITION: &'static str = definition!(
        "diagnostic_msgs/DiagnosticArray",
        "std_msgs/Header",
        "builtin_interfaces/Time",
        "diagnostic_msgs/DiagnosticStatus",
        "diagnostic_msgs/KeyValue"
    );

    fn read(r: &mut CdrReader<'a>) -> Result<Self, CdrError> {
        Ok(Self { header: Header::read(r)?, status: r.sequence("status", 20, DiagnosticStatus::read)? })
    }

    fn write(&self, w: &mut CdrWriter<'_>) {
        self.header.write(w);
        w.sequence(&self.status, DiagnosticStatus::write);
    }
}

impl<'a> DiagnosticStatus<'a> {
    fn read(r: &mut CdrReader<'a>) -> Result<Self, CdrError> {
        Ok(Self {
            level: r.u8("status.level")?,
            name: Cow::Borrowed(r.str("status.name")?),
            message: Cow::Borrowed(r.str("status.message")?),
            hardware_id: Cow::Borrowed(r.str("status.hardware_id")?),
            values: r.sequence("status.values", 10, |r| {
                Ok(KeyValue {
                    key: Cow::Borrowed(r.str("status.values.key")?),
                    value: Cow::Borrowed(r.str("status.values.value")?),
                })
            })?,
        })
    }

    fn write(&self, w: &mut CdrWriter<'_>) {
        w.u8(self.level);
        w.str(&self.name);
        w.str(&self.message);
        w.str(&self.hardware_id);
        w.sequence(&self.values, |entry, w| {
            w.str(&entry.key);
            w.str(&entry.value);
        });
    }
}
