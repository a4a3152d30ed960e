//! NumPy's array file, written row by row.

use std::fs::File;
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::sim::SimulationError;

/// Bytes before the data. More than any header here needs, so that the number of rows can be filled in last.
const HEADER_BYTES: usize = 192;

/// A `.npy` file of version 1.0 whose first axis grows
/// (<https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>).
pub(super) struct NpyWriter {
    path: PathBuf,
    file: BufWriter<File>,
    /// NumPy's description of an element, as `<f4`.
    dtype: &'static str,
    /// Lengths of the other axes.
    row_shape: Vec<usize>,
    row_bytes: usize,
    bytes: u64,
}

impl NpyWriter {
    /// A new file. `dtype` is NumPy's name of a plain little-endian type with its size in the last place.
    pub fn create(
        folder: &Path,
        name: &str,
        dtype: &'static str,
        row_shape: &[usize],
    ) -> Result<Self, SimulationError> {
        let path = folder.join(name);
        let file = File::create_new(&path).map_err(|error| SimulationError::write(&path, &error))?;
        let size = dtype.as_bytes().last().map_or(1, |digit| usize::from(digit.saturating_sub(b'0')));
        let mut writer = Self {
            path,
            file: BufWriter::with_capacity(1 << 20, file),
            dtype,
            row_shape: row_shape.to_vec(),
            row_bytes: size * row_shape.iter().product::<usize>(),
            bytes: 0,
        };
        writer.header()?;
        Ok(writer)
    }

    /// Appends rows, little-endian as x86 and ARM have them.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), SimulationError> {
        debug_assert_eq!(bytes.len() % self.row_bytes.max(1), 0, "{}", self.path.display());
        self.bytes += bytes.len() as u64;
        self.file.write_all(bytes).map_err(|error| SimulationError::write(&self.path, &error))
    }

    /// Fills in the number of rows.
    pub fn finish(mut self) -> Result<(), SimulationError> {
        self.file.seek(SeekFrom::Start(0)).map_err(|error| SimulationError::write(&self.path, &error))?;
        self.header()?;
        self.file.flush().map_err(|error| SimulationError::write(&self.path, &error))
    }

    fn header(&mut self) -> Result<(), SimulationError> {
        let rows = self.bytes / self.row_bytes.max(1) as u64;
        let shape: String = std::iter::once(rows.to_string())
            .chain(self.row_shape.iter().map(usize::to_string))
            .map(|length| length + ", ")
            .collect();
        let dtype = self.dtype;
        let text = format!("{{'descr': '{dtype}', 'fortran_order': False, 'shape': ({shape}), }}");
        let length = HEADER_BYTES - 10;
        let mut header = b"\x93NUMPY\x01\x00".to_vec();
        header.extend((length as u16).to_le_bytes());
        header.extend(text.as_bytes());
        header.resize(HEADER_BYTES - 1, b' ');
        header.push(b'\n');
        self.file.write_all(&header).map_err(|error| SimulationError::write(&self.path, &error))
    }
}

/// Rows whose number differs from frame to frame: the rows one after the other, and where each frame's begin.
pub(super) struct RaggedWriter {
    rows: NpyWriter,
    offsets: NpyWriter,
    count: u64,
}

impl RaggedWriter {
    /// `<name>.npy` with the rows, `<name>_offsets.npy` with one number more than there are frames.
    pub fn create(
        folder: &Path,
        name: &str,
        dtype: &'static str,
        columns: usize,
    ) -> Result<Self, SimulationError> {
        let rows = NpyWriter::create(folder, &format!("{name}.npy"), dtype, &[columns])?;
        let mut offsets = NpyWriter::create(folder, &format!("{name}_offsets.npy"), "<i8", &[])?;
        offsets.append(&0_i64.to_le_bytes())?;
        Ok(Self { rows, offsets, count: 0 })
    }

    /// Appends the rows of a frame.
    pub fn append(&mut self, rows: &[u8]) -> Result<(), SimulationError> {
        self.rows.append(rows)?;
        self.count += (rows.len() / self.rows.row_bytes.max(1)) as u64;
        self.offsets.append(&self.count.to_le_bytes())
    }

    /// Fills in the numbers of rows.
    pub fn finish(self) -> Result<(), SimulationError> {
        self.rows.finish()?;
        self.offsets.finish()
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array1, Array3};

    use super::*;

    #[test]
    fn arrays_grow_and_are_read_by_others() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = NpyWriter::create(folder.path(), "a.npy", "<f4", &[2, 3]).unwrap();
        let values: Vec<f32> = (0..24).map(|k| k as f32).collect();
        for frame in values.chunks(6) {
            writer.append(bytemuck::cast_slice(frame)).unwrap();
        }
        writer.finish().unwrap();
        let read: Array3<f32> = ndarray_npy::read_npy(folder.path().join("a.npy")).unwrap();
        assert_eq!((read.shape(), read.as_slice()), (&[4, 2, 3][..], Some(values.as_slice())));
        // A data set is never overwritten.
        assert!(NpyWriter::create(folder.path(), "a.npy", "|u1", &[]).is_err());
    }

    #[test]
    fn ragged_rows_have_offsets() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = RaggedWriter::create(folder.path(), "points", "<f4", 2).unwrap();
        for count in [2, 0, 1] {
            writer.append(bytemuck::cast_slice(&vec![1.5_f32; 2 * count])).unwrap();
        }
        writer.finish().unwrap();
        let offsets: Array1<i64> = ndarray_npy::read_npy(folder.path().join("points_offsets.npy")).unwrap();
        assert_eq!(offsets.to_vec(), [0, 2, 2, 3]);
    }
}
