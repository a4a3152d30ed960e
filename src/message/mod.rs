//! ROS messages as plain structs that borrow from the buffer they were decoded from, their CDR
//! encoding and their official type hashes.
//!
//! In: a serialized message (4 encapsulation bytes, then XCDR1). Out: the same. No I/O, no clock.
//! One message type a file, named after the type.

mod stamp;

pub use stamp::Stamp;
