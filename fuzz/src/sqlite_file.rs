//! Databases with rosbag2's tables and any values in them.

use std::path::Path;

use arbitrary::Arbitrary;
use rusqlite::{
    Connection, ToSql,
    types::{ToSqlOutput, ValueRef},
};

/// What a database file is before anything is written to it.
pub const EMPTY: &[u8] = b"";

/// The two tables; SQLite columns take values of every type.
#[derive(Arbitrary, Debug)]
pub struct Database<'a> {
    has_hashes: bool,
    topics: Vec<[Cell<'a>; 6]>,
    messages: Vec<[Cell<'a>; 3]>,
}

#[derive(Arbitrary, Debug)]
enum Cell<'a> {
    Null,
    Near(u8),
    Integer(i64),
    Real(f64),
    Text(&'a str),
    Blob(&'a [u8]),
}

impl ToSql for Cell<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match *self {
            Self::Null => ValueRef::Null,
            Self::Near(value) => ValueRef::Integer(value.into()),
            Self::Integer(value) => ValueRef::Integer(value),
            Self::Real(value) => ValueRef::Real(value),
            Self::Text(value) => ValueRef::Text(value.as_bytes()),
            Self::Blob(value) => ValueRef::Blob(value),
        }))
    }
}

impl Database<'_> {
    /// Writes the database to `path`.
    ///
    /// # Panics
    ///
    /// Where SQLite cannot write it: that is no finding, but nothing can be tested either.
    pub fn write(&self, path: &Path) {
        let mut connection = Connection::open(path).expect("an empty database");
        let transaction = connection.transaction().expect("a transaction");
        // Columns without a type keep the values as they are.
        transaction
            .execute_batch(if self.has_hashes {
                "CREATE TABLE topics(id, name, type, serialization_format, offered_qos_profiles, \
                 type_description_hash); CREATE TABLE messages(id INTEGER PRIMARY KEY, topic_id, timestamp, data)"
            } else {
                "CREATE TABLE topics(id, name, type, serialization_format, offered_qos_profiles, other); \
                 CREATE TABLE messages(id INTEGER PRIMARY KEY, topic_id, timestamp, data)"
            })
            .expect("two tables");
        for [id, name, kind, format, qos, hash] in &self.topics {
            transaction
                .execute("INSERT INTO topics VALUES (?, ?, ?, ?, ?, ?)", (id, name, kind, format, qos, hash))
                .expect("a topic");
        }
        for [topic, timestamp, data] in &self.messages {
            transaction
                .execute(
                    "INSERT INTO messages (topic_id, timestamp, data) VALUES (?, ?, ?)",
                    (topic, timestamp, data),
                )
                .expect("a message");
        }
        transaction.commit().expect("space for a database");
    }
}
