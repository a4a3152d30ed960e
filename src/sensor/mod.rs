//! Messages as what they mean: images with a known pixel format, clouds with typed fields, radar
//! returns with units.
//!
//! In: decoded messages of [`crate::message`]. Out: views that borrow from them, or small structs.
//! What a driver got wrong (a step too short, a field beyond the point) is an error here, once.
