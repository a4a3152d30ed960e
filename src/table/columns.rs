//! Columns of a Parquet file as [`super::ParquetTable`] writes them.

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;

use parquet::data_type::{BoolType, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::file::reader::{FileReader, SerializedFileReader};

use super::TableError;

/// Rows that are decoded at once.
const BATCH_ROWS: usize = 16_384;

/// A file whose columns are read by name.
pub struct ParquetColumns(SerializedFileReader<File>);

/// A column of text in which few different values occur.
pub struct TextColumn {
    /// Index into `names` of each row.
    pub rows: Vec<u16>,
    /// The values, in the order in which they first occur.
    pub names: Vec<String>,
}

impl ParquetColumns {
    /// Opens a file.
    pub fn open(path: &Path) -> Result<Self, TableError> {
        Ok(Self(SerializedFileReader::new(File::open(path)?)?))
    }

    /// A column of integers.
    pub fn integers(&self, name: &str) -> Result<Vec<i64>, TableError> {
        self.column::<Int64Type, _>(name, Ok)
    }

    /// A column of floats.
    pub fn floats(&self, name: &str) -> Result<Vec<f64>, TableError> {
        self.column::<DoubleType, _>(name, Ok)
    }

    /// A column of flags.
    pub fn flags(&self, name: &str) -> Result<Vec<bool>, TableError> {
        self.column::<BoolType, _>(name, Ok)
    }

    /// A column of text.
    pub fn texts(&self, name: &str) -> Result<TextColumn, TableError> {
        let mut names = Vec::new();
        let mut known: HashMap<Vec<u8>, u16> = HashMap::new();
        let rows = self.column::<ByteArrayType, _>(name, |text| {
            if let Some(index) = known.get(text.data()) {
                return Ok(*index);
            }
            let index = u16::try_from(names.len()).map_err(|_| {
                column_error(name, "text with at most 65536 values".to_owned(), "more".to_owned())
            })?;
            names.push(String::from_utf8_lossy(text.data()).into_owned());
            known.insert(text.data().to_vec(), index);
            Ok(index)
        })?;
        Ok(TextColumn { rows, names })
    }

    fn column<T: DataType, V>(
        &self,
        name: &str,
        mut value: impl FnMut(T::T) -> Result<V, TableError>,
    ) -> Result<Vec<V>, TableError> {
        let schema = self.0.metadata().file_metadata().schema_descr();
        let expected = || T::get_physical_type().to_string();
        let Some(place) = schema.columns().iter().position(|column| column.name() == name) else {
            let names: Vec<&str> = schema.columns().iter().map(|column| column.name()).collect();
            return Err(column_error(name, expected(), format!("columns {}", names.join(", "))));
        };
        let column = schema.column(place);
        let is_required = column.max_def_level() == 0 && column.max_rep_level() == 0;
        if column.physical_type() != T::get_physical_type() || !is_required {
            let kind = if is_required { "a required" } else { "an optional or repeated" };
            return Err(column_error(name, expected(), format!("{kind} one of {}", column.physical_type())));
        }
        let mut values = Vec::new();
        let mut batch: Vec<T::T> = Vec::new();
        for group in 0..self.0.num_row_groups() {
            let reader = self.0.get_row_group(group)?.get_column_reader(place)?;
            let Some(mut reader) = T::get_column_reader(reader) else {
                return Err(column_error(name, expected(), "another".to_owned()));
            };
            while reader.read_records(BATCH_ROWS, None, None, &mut batch)?.0 > 0 {
                for found in batch.drain(..) {
                    values.push(value(found)?);
                }
            }
        }
        Ok(values)
    }
}

fn column_error(name: &str, expected: String, found: String) -> TableError {
    TableError::Column { name: name.to_owned(), expected, found }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::{Cell, ColumnKind, ParquetTable};

    #[test]
    fn columns_are_what_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.parquet");
        let kinds = [
            ("n", ColumnKind::Integer),
            ("x", ColumnKind::Float),
            ("yes", ColumnKind::Flag),
            ("name", ColumnKind::Text),
        ];
        let mut table = ParquetTable::create(&path, &kinds).unwrap();
        let count = 40_000_i64;
        for i in 0..count {
            let name = ["b", "a", ""][i as usize % 3];
            let cells = [
                Cell::Integer(i),
                Cell::Float(if i == 7 { f64::NAN } else { i as f64 }),
                Cell::Flag(i % 5 == 0),
                Cell::Text(name),
            ];
            table.row(&cells).unwrap();
        }
        table.finish().unwrap();
        let columns = ParquetColumns::open(&path).unwrap();
        assert_eq!(columns.integers("n").unwrap(), (0..count).collect::<Vec<_>>());
        let floats = columns.floats("x").unwrap();
        assert!(floats[7].is_nan() && floats[39_999] == 39_999.0);
        assert_eq!(columns.flags("yes").unwrap().iter().filter(|yes| **yes).count(), 8000);
        let texts = columns.texts("name").unwrap();
        assert_eq!(texts.names, ["b", "a", ""]);
        assert_eq!(texts.rows[..4], [0, 1, 2, 0]);
        let missing = columns.floats("y").unwrap_err().to_string();
        assert!(missing.contains("'y'") && missing.contains("n, x, yes, name"), "{missing}");
        assert!(matches!(columns.floats("n"), Err(TableError::Column { .. })));
        std::fs::write(&path, b"PAR1 no PAR1").unwrap();
        assert!(ParquetColumns::open(&path).is_err());
    }
}
