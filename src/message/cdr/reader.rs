//! Reading plain CDR: a cursor over borrowed bytes.

use super::CdrError;
use crate::message::Stamp;

const ENCAPSULATION: usize = 4;

/// DDS pads a payload to 4 bytes, some writers to 8.
const MAX_PADDING: usize = 7;

/// A cursor over one serialized message. Strings and byte sequences are lent, not copied.
#[derive(Debug)]
pub struct CdrReader<'a> {
    /// The whole buffer, encapsulation header included.
    bytes: &'a [u8],
    position: usize,
    big_endian: bool,
    type_name: &'static str,
}

macro_rules! primitive {
    ($($name:ident: $type:ty),*) => {$(
        #[doc = concat!("The next `", stringify!($type), "`, aligned to its size.")]
        pub fn $name(&mut self, field: &'static str) -> Result<$type, CdrError> {
            let bytes = self.fixed(field)?;
            Ok(if self.big_endian { <$type>::from_be_bytes(bytes) } else { <$type>::from_le_bytes(bytes) })
        }
    )*};
}

impl<'a> CdrReader<'a> {
    /// Starts after the encapsulation header of `bytes`; `type_name` is for error texts.
    pub fn new(bytes: &'a [u8], type_name: &'static str) -> Result<Self, CdrError> {
        let &[high, low, _, _, ..] = bytes else {
            return Err(CdrError::NoEncapsulation { type_name, found: bytes.len() });
        };
        let kind = u16::from_be_bytes([high, low]);
        if kind > 1 {
            return Err(CdrError::Encapsulation { type_name, found: kind });
        }
        Ok(Self { bytes, position: ENCAPSULATION, big_endian: kind == 0, type_name })
    }

    primitive!(u8: u8, i8: i8, u16: u16, i16: i16, u32: u32, i32: i32, u64: u64, i64: i64, f32: f32, f64: f64);

    /// A boolean: one byte, 0 or 1.
    pub fn bool(&mut self, field: &'static str) -> Result<bool, CdrError> {
        match self.u8(field)? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(self.value(field, self.position - 1, "0 or 1", other.to_string())),
        }
    }

    /// `builtin_interfaces/Time`.
    pub fn stamp(&mut self, field: &'static str) -> Result<Stamp, CdrError> {
        let sec = self.i32(field)?;
        Ok(Stamp::from_parts(sec, self.u32(field)?))
    }

    /// A string: length including the terminating NUL, UTF-8 bytes, NUL.
    pub fn str(&mut self, field: &'static str) -> Result<&'a str, CdrError> {
        let length = self.u32(field)? as usize;
        let offset = self.position;
        let bytes = self.take(field, length)?;
        let Some((&0, text)) = bytes.split_last() else {
            let found =
                bytes.last().map_or_else(|| "a length of 0".to_owned(), |last| format!("0x{last:02x}"));
            return Err(self.value(field, offset, "a string that ends with NUL", found));
        };
        std::str::from_utf8(text).map_err(|error| self.value(field, offset, "UTF-8", error.to_string()))
    }

    /// A `uint8[]`, lent.
    pub fn bytes(&mut self, field: &'static str) -> Result<&'a [u8], CdrError> {
        let count = self.count(field, 1)?;
        self.take(field, count)
    }

    /// A fixed-size array of doubles.
    pub fn f64_array<const N: usize>(&mut self, field: &'static str) -> Result<[f64; N], CdrError> {
        let mut values = [0.0; N];
        for value in &mut values {
            *value = self.f64(field)?;
        }
        Ok(values)
    }

    /// The count of a sequence whose elements take at least `min_element_size` bytes each.
    /// A count that the remaining bytes cannot hold is an error, so callers may reserve it.
    pub fn count(&mut self, field: &'static str, min_element_size: usize) -> Result<usize, CdrError> {
        let found = self.u32(field)?;
        let limit = self.remaining() / min_element_size.max(1);
        if found as usize > limit {
            let offset = self.position - 4;
            return Err(CdrError::Count { type_name: self.type_name, field, offset, limit, found });
        }
        Ok(found as usize)
    }

    /// A sequence, element by element, into any list.
    pub fn sequence<T, L: FromIterator<T>>(
        &mut self,
        field: &'static str,
        min_element_size: usize,
        mut element: impl FnMut(&mut Self) -> Result<T, CdrError>,
    ) -> Result<L, CdrError> {
        let count = self.count(field, min_element_size)?;
        (0..count).map(|_| element(self)).collect()
    }

    /// Checks that nothing but padding follows.
    pub fn finish(&self) -> Result<(), CdrError> {
        let found = self.remaining();
        if found > MAX_PADDING {
            return Err(CdrError::TrailingBytes { type_name: self.type_name, offset: self.position, found });
        }
        Ok(())
    }

    fn remaining(&self) -> usize {
        self.bytes.len().saturating_sub(self.position)
    }

    fn fixed<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], CdrError> {
        let misaligned = (self.position - ENCAPSULATION) % N;
        if misaligned != 0 {
            self.position += N - misaligned;
        }
        match self.bytes.get(self.position..).and_then(<[u8]>::first_chunk::<N>) {
            Some(chunk) => {
                self.position += N;
                Ok(*chunk)
            }
            None => Err(self.truncated(field, N)),
        }
    }

    fn take(&mut self, field: &'static str, length: usize) -> Result<&'a [u8], CdrError> {
        let Some(taken) = self.bytes.get(self.position..).and_then(|rest| rest.get(..length)) else {
            return Err(self.truncated(field, length));
        };
        self.position += length;
        Ok(taken)
    }

    fn truncated(&self, field: &'static str, expected: usize) -> CdrError {
        CdrError::Truncated {
            type_name: self.type_name,
            field,
            offset: self.position,
            expected,
            found: self.remaining(),
        }
    }

    fn value(&self, field: &'static str, offset: usize, expected: &'static str, found: String) -> CdrError {
        CdrError::Value { type_name: self.type_name, field, offset, expected, found }
    }
}
