//! The memory of a session's inputs: grown to the most rows seen, never beyond what the manifest allows.

use ort::{session::SessionInputValue, value::TensorRef};

use super::{ElementType, TensorSpec};

/// Values of an input, by their type.
enum Values {
    Float32(Vec<f32>),
    Int32(Vec<i32>),
    Int64(Vec<i64>),
}

/// An input with the buffer that lives as long as the session.
pub(super) struct InputBuffer {
    pub spec: TensorSpec,
    /// Sizes of the next run.
    shape: Vec<usize>,
    /// Values of the next run: the first of the buffer, which keeps its length.
    len: usize,
    /// Values with the most rows allowed.
    limit: usize,
    values: Values,
}

impl InputBuffer {
    /// Zeros for one row, or for the whole of a fixed shape.
    pub fn zeros(spec: &TensorSpec, max_rows: usize) -> Self {
        let len = spec.len_with(1);
        let values = match spec.dtype {
            ElementType::Float32 => Values::Float32(vec![0.0; len]),
            ElementType::Int32 => Values::Int32(vec![0; len]),
            ElementType::Int64 => Values::Int64(vec![0; len]),
        };
        Self { spec: spec.clone(), shape: spec.sizes(1), len, limit: spec.len_with(max_rows), values }
    }

    /// Takes `rows` rows from the next run on; a tensor of fixed shape stays as it is. The rows keep what was
    /// last written to them, new ones are zero.
    pub fn set_rows(&mut self, rows: usize) {
        if self.spec.rows().is_none() {
            return;
        }
        if let Some(outermost) = self.shape.first_mut() {
            *outermost = rows;
        }
        self.len = self.spec.len_with(rows);
        match &mut self.values {
            Values::Float32(values) => grow(values, self.len, self.limit),
            Values::Int32(values) => grow(values, self.len, self.limit),
            Values::Int64(values) => grow(values, self.len, self.limit),
        }
    }

    /// The values of the next run, row-major; empty when they are integers.
    pub fn floats_mut(&mut self) -> &mut [f32] {
        match &mut self.values {
            Values::Float32(values) => values.get_mut(..self.len).unwrap_or_default(),
            Values::Int32(_) | Values::Int64(_) => &mut [],
        }
    }

    /// Writes whole numbers, whatever the type. Fails with the length expected when there are more or fewer.
    pub fn set_integers(&mut self, source: &[i32]) -> Result<(), usize> {
        if source.len() != self.len {
            return Err(self.len);
        }
        match &mut self.values {
            Values::Float32(values) => values.iter_mut().zip(source).for_each(|(to, &v)| *to = v as f32),
            Values::Int32(values) => values.iter_mut().zip(source).for_each(|(to, &v)| *to = v),
            Values::Int64(values) => values.iter_mut().zip(source).for_each(|(to, &v)| *to = i64::from(v)),
        }
        Ok(())
    }

    /// Makes all values zero.
    pub fn clear(&mut self) {
        match &mut self.values {
            Values::Float32(values) => values.fill(0.0),
            Values::Int32(values) => values.fill(0),
            Values::Int64(values) => values.fill(0),
        }
    }

    /// What ONNX Runtime reads.
    pub fn view(&self) -> ort::Result<SessionInputValue<'_>> {
        let shape = self.shape.as_slice();
        Ok(match &self.values {
            Values::Float32(values) => TensorRef::from_array_view((shape, first(values, self.len)))?.into(),
            Values::Int32(values) => TensorRef::from_array_view((shape, first(values, self.len)))?.into(),
            Values::Int64(values) => TensorRef::from_array_view((shape, first(values, self.len)))?.into(),
        })
    }
}

/// The first `len` values, which the buffer has.
fn first<T>(values: &[T], len: usize) -> &[T] {
    values.get(..len).unwrap_or_default()
}

/// Lengthens `values` to `len`; half as much again is reserved, so that slowly growing frames seldom move
/// them, but never more than `limit`.
fn grow<T: Clone + Default>(values: &mut Vec<T>, len: usize, limit: usize) {
    if len > values.capacity() {
        let reserved = len.saturating_add(len / 2).min(limit).max(len);
        values.reserve_exact(reserved - values.len());
    }
    if len > values.len() {
        values.resize(len, T::default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buffer(dtype: &str, max_rows: usize) -> InputBuffer {
        let spec = format!(r#"{{"name": "x", "role": "x", "shape": ["pillars", 3], "dtype": "{dtype}"}}"#);
        InputBuffer::zeros(&serde_saphyr::from_str(&spec).unwrap(), max_rows)
    }

    fn capacity(buffer: &InputBuffer) -> usize {
        match &buffer.values {
            Values::Float32(values) => values.capacity(),
            Values::Int32(values) => values.capacity(),
            Values::Int64(values) => values.capacity(),
        }
    }

    #[test]
    fn memory_grows_to_the_most_rows_seen_and_not_beyond_the_limit() {
        let mut x = buffer("float32", 100);
        assert_eq!(x.floats_mut().len(), 3);
        x.set_rows(40);
        x.floats_mut().fill(1.0);
        let grown = capacity(&x);
        assert!((120..=180).contains(&grown), "{grown}");
        x.set_rows(2);
        assert_eq!(x.floats_mut(), [1.0; 6]);
        x.set_rows(41);
        assert_eq!((capacity(&x), &x.floats_mut()[117..]), (grown, &[1.0, 1.0, 1.0, 0.0, 0.0, 0.0][..]));
        x.set_rows(100);
        assert_eq!((capacity(&x), x.floats_mut().len()), (300, 300));
    }

    #[test]
    fn integers_go_to_any_type_and_fit_exactly() {
        for dtype in ["float32", "int32", "int64"] {
            let mut x = buffer(dtype, 9);
            x.set_rows(2);
            assert_eq!(x.set_integers(&[1, 2]), Err(6));
            assert_eq!(x.set_integers(&[1, 2, 3, 4, 5, -6]), Ok(()));
            match &x.values {
                Values::Float32(values) => assert_eq!(values[..], [1.0, 2.0, 3.0, 4.0, 5.0, -6.0]),
                Values::Int32(values) => assert_eq!(values[..], [1, 2, 3, 4, 5, -6]),
                Values::Int64(values) => assert_eq!(values[..], [1, 2, 3, 4, 5, -6]),
            }
        }
    }
}
