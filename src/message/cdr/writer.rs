//! Writing plain CDR, little-endian, into a buffer that keeps its capacity.

use crate::message::Stamp;

/// Appends one serialized message to a cleared buffer.
#[derive(Debug)]
pub struct CdrWriter<'b> {
    out: &'b mut Vec<u8>,
}

macro_rules! primitive {
    ($($name:ident: $type:ty),*) => {$(
        #[doc = concat!("Writes a `", stringify!($type), "`, aligned to its size.")]
        pub fn $name(&mut self, value: $type) {
            self.align(size_of::<$type>());
            self.out.extend_from_slice(&value.to_le_bytes());
        }
    )*};
}

impl<'b> CdrWriter<'b> {
    /// Clears `out` and writes the encapsulation header.
    pub fn new(out: &'b mut Vec<u8>) -> Self {
        out.clear();
        out.extend_from_slice(&[0, 1, 0, 0]);
        Self { out }
    }

    primitive!(u8: u8, i8: i8, u16: u16, i16: i16, u32: u32, i32: i32, u64: u64, i64: i64, f32: f32, f64: f64);

    /// Writes a boolean as one byte.
    pub fn bool(&mut self, value: bool) {
        self.u8(value.into());
    }

    /// Writes `builtin_interfaces/Time`.
    pub fn stamp(&mut self, value: Stamp) {
        let (sec, nanosec) = value.to_parts();
        self.i32(sec);
        self.u32(nanosec);
    }

    /// Writes a string with its length (NUL included) and NUL.
    pub fn str(&mut self, value: &str) {
        self.count(value.len() + 1);
        self.out.extend_from_slice(value.as_bytes());
        self.out.push(0);
    }

    /// Writes a `uint8[]`.
    pub fn bytes(&mut self, value: &[u8]) {
        self.count(value.len());
        self.out.extend_from_slice(value);
    }

    /// Writes a fixed-size array of doubles (no count).
    pub fn f64_array(&mut self, values: &[f64]) {
        for &value in values {
            self.f64(value);
        }
    }

    /// Writes a sequence.
    pub fn sequence<T>(&mut self, values: &[T], mut element: impl FnMut(&T, &mut Self)) {
        self.count(values.len());
        for value in values {
            element(value, self);
        }
    }

    fn count(&mut self, count: usize) {
        // CDR counts are 32-bit; a message of 4 GiB cannot be sent, so no real list saturates.
        self.u32(u32::try_from(count).unwrap_or(u32::MAX));
    }

    fn align(&mut self, size: usize) {
        let misaligned = (self.out.len() - 4) % size;
        if misaligned != 0 {
            self.out.resize(self.out.len() + size - misaligned, 0);
        }
    }
}
