//! `rcl_interfaces/Log`.

use super::{CdrError, CdrReader, CdrWriter, Message, Stamp};

/// One line of `/rosout`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Log<'a> {
    /// When it was written.
    pub stamp: Stamp,
    /// One of the constants.
    pub level: u8,
    /// Logger, the node's name.
    pub name: &'a str,
    /// The line.
    pub msg: &'a str,
    /// Source file.
    pub file: &'a str,
    /// Source function.
    pub function: &'a str,
    /// Source line.
    pub line: u32,
}

impl Log<'_> {
    /// For developers.
    pub const DEBUG: u8 = 10;
    /// Good to know.
    pub const INFO: u8 = 20;
    /// Needs a look.
    pub const WARN: u8 = 30;
    /// Something failed.
    pub const ERROR: u8 = 40;
    /// The node cannot go on.
    pub const FATAL: u8 = 50;
}

impl<'a> Message<'a> for Log<'a> {
    const TYPE_NAME: &'static str = "rcl_interfaces/msg/Log";
    const TYPE_HASH: &'static str = "RIHS01_e28ce254ca8abc06abf92773b74602cdbf116ed34fbaf294fb9f81da9f318eac";
    const DEFINITION: &'static str = definition!("rcl_interfaces/Log", "builtin_interfaces/Time");

    fn read(r: &mut CdrReader<'a>) -> Result<Self, CdrError> {
        Ok(Self {
            stamp: r.stamp("stamp")?,
            level: r.u8("level")?,
            name: r.str("name")?,
            msg: r.str("msg")?,
            file: r.str("file")?,
            function: r.str("function")?,
            line: r.u32("line")?,
        })
    }

    fn write(&self, w: &mut CdrWriter<'_>) {
        w.stamp(self.stamp);
        w.u8(self.level);
        w.str(self.name);
        w.str(self.msg);
        w.str(self.file);
        w.str(self.function);
        w.u32(self.line);
    }
}
