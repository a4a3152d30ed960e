//! Plain CDR version 1 (OMG DDS-XTypes 1.3, 7.4.1) over borrowed bytes.
//!
//! A serialized message starts with a 4-byte encapsulation header; alignment counts from the byte
//! after it, and no primitive aligns to more than 8. Both byte orders are read, little-endian is
//! written.

mod error;
mod reader;
mod writer;

pub use error::CdrError;
pub use reader::CdrReader;
pub use writer::CdrWriter;
