//! Why bytes are not the message they were taken for.

use thiserror::Error;

/// A decoding error: which message type, which field, at which byte (of the whole buffer,
/// encapsulation header included), what was expected and what was there.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum CdrError {
    /// The buffer is shorter than an encapsulation header.
    #[error("{type_name}: expected a 4-byte encapsulation header, found {found} bytes")]
    NoEncapsulation {
        /// Message type being decoded.
        type_name: &'static str,
        /// Length of the buffer.
        found: usize,
    },
    /// The encapsulation kind is not plain CDR.
    #[error("{type_name}: expected encapsulation 0x0000 or 0x0001 (plain CDR), found 0x{found:04x}")]
    Encapsulation {
        /// Message type being decoded.
        type_name: &'static str,
        /// Encapsulation identifier found.
        found: u16,
    },
    /// The message ends inside a field.
    #[error("{type_name}.{field} at byte {offset}: expected {expected} bytes, found {found}")]
    Truncated {
        /// Message type being decoded.
        type_name: &'static str,
        /// Field, dotted from the nearest message struct.
        field: &'static str,
        /// Byte offset in the buffer.
        offset: usize,
        /// Bytes the field needs.
        expected: usize,
        /// Bytes left.
        found: usize,
    },
    /// A sequence announces more elements than the rest of the message can hold.
    #[error(
        "{type_name}.{field} at byte {offset}: expected at most {limit} elements, found a count of {found}"
    )]
    Count {
        /// Message type being decoded.
        type_name: &'static str,
        /// Field, dotted from the nearest message struct.
        field: &'static str,
        /// Byte offset of the count in the buffer.
        offset: usize,
        /// Elements that fit in the remaining bytes.
        limit: usize,
        /// Announced count.
        found: u32,
    },
    /// A string or a boolean holds bytes that its type forbids.
    #[error("{type_name}.{field} at byte {offset}: expected {expected}, found {found}")]
    Value {
        /// Message type being decoded.
        type_name: &'static str,
        /// Field, dotted from the nearest message struct.
        field: &'static str,
        /// Byte offset in the buffer.
        offset: usize,
        /// What the type demands.
        expected: &'static str,
        /// What is there.
        found: String,
    },
    /// More bytes follow the last field than padding explains: the bytes are another type.
    #[error("{type_name}: expected the end at byte {offset}, found {found} more bytes")]
    TrailingBytes {
        /// Message type being decoded.
        type_name: &'static str,
        /// Where the last field ended.
        offset: usize,
        /// Bytes after it.
        found: usize,
    },
}
