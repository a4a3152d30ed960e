//! A table as a Parquet file, written while its rows come.
//!
//! Columns are required and of four kinds. Rows are gathered into groups, so that memory does not grow
//! with the table. The file has its name only when it is whole.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::basic::{LogicalType, Repetition, Type as PhysicalType};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;

/// Rows of a group.
const GROUP_ROWS: usize = 16_384;

/// Why a table could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// The file system refused.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The encoder or the decoder refused.
    #[error(transparent)]
    Parquet(#[from] ParquetError),
    /// A row does not have the table's columns.
    #[error(
        "row: expected a value for each of {expected} columns, of its kind, found another in place {place}"
    )]
    Row {
        /// Columns.
        expected: usize,
        /// Index of the first value that does not fit.
        place: usize,
    },
    /// A file without a column that is needed.
    #[error("expected a required column '{name}' of type {expected}, found {found}")]
    Column {
        /// Its name.
        name: String,
        /// Its physical type.
        expected: String,
        /// What is there.
        found: String,
    },
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnKind {
    /// 64-bit integers
    Integer,
    /// 64-bit floats; NaN is what is not known
    Float,
    /// Yes or no
    Flag,
    /// UTF-8
    Text,
}

/// One value of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell<'a> {
    /// Of an integer column
    Integer(i64),
    /// Of a float column
    Float(f64),
    /// Of a flag column
    Flag(bool),
    /// Of a text column
    Text(&'a str),
}

/// Values of a column that wait for their group.
enum Values {
    Integer(Vec<i64>),
    Float(Vec<f64>),
    Flag(Vec<bool>),
    Text(Vec<ByteArray>),
}

impl Values {
    fn new(kind: ColumnKind) -> Self {
        match kind {
            ColumnKind::Integer => Self::Integer(Vec::new()),
            ColumnKind::Float => Self::Float(Vec::new()),
            ColumnKind::Flag => Self::Flag(Vec::new()),
            ColumnKind::Text => Self::Text(Vec::new()),
        }
    }

    /// Whether `cell` is of the column's kind, and is taken.
    fn push(&mut self, cell: Cell<'_>) -> bool {
        match (self, cell) {
            (Self::Integer(values), Cell::Integer(value)) => values.push(value),
            (Self::Float(values), Cell::Float(value)) => values.push(value),
            (Self::Flag(values), Cell::Flag(value)) => values.push(value),
            (Self::Text(values), Cell::Text(value)) => values.push(value.into()),
            _ => return false,
        }
        true
    }
}

/// A table that is being written. Without [`ParquetTable::finish`] there is no file.
pub struct ParquetTable {
    path: PathBuf,
    partial: PathBuf,
    writer: SerializedFileWriter<BufWriter<File>>,
    columns: Vec<Values>,
    rows: usize,
}

impl ParquetTable {
    /// A table at `path` with these columns.
    pub fn create(path: &Path, columns: &[(&str, ColumnKind)]) -> Result<Self, TableError> {
        let field = |(name, kind): &(&str, ColumnKind)| {
            let (physical, logical) = match kind {
                ColumnKind::Integer => (PhysicalType::INT64, None),
                ColumnKind::Float => (PhysicalType::DOUBLE, None),
                ColumnKind::Flag => (PhysicalType::BOOLEAN, None),
                ColumnKind::Text => (PhysicalType::BYTE_ARRAY, Some(LogicalType::String)),
            };
            Type::primitive_type_builder(name, physical)
                .with_repetition(Repetition::REQUIRED)
                .with_logical_type(logical)
                .build()
                .map(Arc::new)
        };
        let fields = columns.iter().map(field).collect::<Result<_, _>>()?;
        let schema = Arc::new(Type::group_type_builder("row").with_fields(fields).build()?);
        let properties = WriterProperties::builder().set_created_by("isobath".to_owned()).build();
        let mut partial = path.as_os_str().to_owned();
        partial.push(".partial");
        let partial = PathBuf::from(partial);
        let writer =
            SerializedFileWriter::new(BufWriter::new(File::create(&partial)?), schema, Arc::new(properties))?;
        let columns = columns.iter().map(|(_, kind)| Values::new(*kind)).collect();
        Ok(Self { path: path.to_owned(), partial, writer, columns, rows: 0 })
    }

    /// Adds a row: a value for each column, of its kind.
    pub fn row(&mut self, cells: &[Cell<'_>]) -> Result<(), TableError> {
        let expected = self.columns.len();
        if cells.len() != expected {
            return Err(TableError::Row { expected, place: cells.len().min(expected) });
        }
        for (place, (column, cell)) in self.columns.iter_mut().zip(cells).enumerate() {
            if !column.push(*cell) {
                return Err(TableError::Row { expected, place });
            }
        }
        self.rows += 1;
        if self.rows >= GROUP_ROWS { self.write_group() } else { Ok(()) }
    }

    /// Writes what waits and gives the file its name.
    pub fn finish(mut self) -> Result<(), TableError> {
        if self.rows > 0 {
            self.write_group()?;
        }
        self.writer.finish()?;
        std::fs::rename(&self.partial, &self.path)?;
        Ok(())
    }

    fn write_group(&mut self) -> Result<(), TableError> {
        let mut group = self.writer.next_row_group()?;
        for values in &mut self.columns {
            let Some(mut column) = group.next_column()? else { break };
            match values {
                Values::Integer(values) => {
                    column.typed::<Int64Type>().write_batch(values, None, None)?;
                    values.clear();
                }
                Values::Float(values) => {
                    column.typed::<DoubleType>().write_batch(values, None, None)?;
                    values.clear();
                }
                Values::Flag(values) => {
                    column.typed::<BoolType>().write_batch(values, None, None)?;
                    values.clear();
                }
                Values::Text(values) => {
                    column.typed::<ByteArrayType>().write_batch(values, None, None)?;
                    values.clear();
                }
            }
            column.close()?;
        }
        group.close()?;
        self.rows = 0;
        Ok(())
    }
}

impl Drop for ParquetTable {
    fn drop(&mut self) {
        // After `finish` it is gone already; otherwise the error that ended the work is the one to tell.
        let _ = std::fs::remove_file(&self.partial);
    }
}

#[cfg(test)]
mod tests {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::RowAccessor;

    use super::*;

    const COLUMNS: [(&str, ColumnKind); 4] = [
        ("stamp_ns", ColumnKind::Integer),
        ("abs_rel", ColumnKind::Float),
        ("found", ColumnKind::Flag),
        ("class", ColumnKind::Text),
    ];

    #[test]
    fn rows_come_back_from_several_groups() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.parquet");
        let mut table = ParquetTable::create(&path, &COLUMNS).unwrap();
        let count = GROUP_ROWS as i64 + 5;
        for i in 0..count {
            let name = format!("c{}", i % 7);
            let row = [
                Cell::Integer(i << 33),
                Cell::Float(i as f64 * 0.5),
                Cell::Flag(i % 3 == 0),
                Cell::Text(&name),
            ];
            table.row(&row).unwrap();
        }
        assert!(!path.exists());
        table.finish().unwrap();
        let reader = SerializedFileReader::new(File::open(&path).unwrap()).unwrap();
        assert_eq!(reader.metadata().num_row_groups(), 2);
        let mut read = 0;
        for (i, row) in (0_i64..).zip(reader.get_row_iter(None).unwrap()) {
            let row = row.unwrap();
            assert_eq!((row.get_long(0).unwrap(), row.get_double(1).unwrap()), (i << 33, i as f64 * 0.5));
            assert_eq!(row.get_bool(2).unwrap(), i % 3 == 0);
            assert_eq!(row.get_string(3).unwrap(), &format!("c{}", i % 7));
            read += 1;
        }
        assert_eq!(read, count);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn rows_that_do_not_fit_are_refused_and_leave_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let mut table = ParquetTable::create(&folder.path().join("t.parquet"), &COLUMNS).unwrap();
        assert!(matches!(table.row(&[Cell::Integer(1)]), Err(TableError::Row { expected: 4, place: 1 })));
        let wrong = [Cell::Integer(1), Cell::Integer(1), Cell::Flag(true), Cell::Text("")];
        assert!(matches!(table.row(&wrong), Err(TableError::Row { expected: 4, place: 1 })));
        drop(table);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
