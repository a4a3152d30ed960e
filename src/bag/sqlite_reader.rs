//! An SQLite file of rosbag2 as a stream in log-time order.
//!
//! The reader pages through message keys by (timestamp, id), which the recorder's index on the
//! timestamp serves without sorting, and fetches one payload at a time.

use std::{
    collections::{HashMap, VecDeque},
    fmt::Write as _,
    fs::File,
    os::unix::{ffi::OsStrExt, fs::FileExt},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rusqlite::{Connection, OpenFlags, OptionalExtension, params};

use super::{
    BagError, BagMessage, TopicInfo,
    info::{FileInfo, TimeSpan},
    qos::OfferedQos,
    stream::FileFilter,
};
use crate::message::Stamp;

/// Message keys fetched at once; 24 bytes each.
const PAGE_ROWS: i64 = 1024;

/// The one connection to a file: opened once, so that the file may lose its name afterwards. Streams
/// hold it for a page of keys or a payload at a time.
type Shared = Arc<Mutex<Connection>>;

/// Largest message accepted; see the same limit of MCAP records.
const MESSAGE_LIMIT: i64 = 512 << 20;

/// An SQLite storage file.
pub struct SqliteReader {
    path: PathBuf,
    connection: Shared,
    topics: Vec<TopicInfo>,
    /// The database's topic ids, parallel to `topics`.
    ids: Vec<i64>,
    spans: Vec<Option<TimeSpan>>,
    damage: Option<String>,
}

impl SqliteReader {
    /// Opens `path`, reads its topics and counts their messages.
    pub fn open(path: &Path) -> Result<Self, BagError> {
        Self::open_at(path, path)
    }

    /// As [`SqliteReader::open`] for a file that lies at `place` and is called `path` in errors.
    pub fn open_at(place: &Path, path: &Path) -> Result<Self, BagError> {
        let connection = connect(place, path)?;
        let (ids, topics) =
            read_topics(&connection).map_err(|e| BagError::sqlite(path, "reading topics", &e))?;
        let (topics, spans, counted) = count(&connection, &ids, topics);
        Ok(Self {
            path: path.to_path_buf(),
            connection: Arc::new(Mutex::new(connection)),
            topics,
            ids,
            spans,
            // Damage here costs the messages behind it, not those before.
            damage: counted.err().map(|error| error.to_string()),
        })
    }

    /// What the file holds.
    pub fn info(&self) -> FileInfo {
        let mut span = None;
        for of_topic in self.spans.iter().flatten() {
            TimeSpan::extend(&mut span, *of_topic);
        }
        FileInfo { topics: self.topics.clone(), span, compressions: vec!["none".into()] }
    }

    /// First and last log time of each topic.
    pub fn topic_spans(&self) -> Vec<Option<TimeSpan>> {
        self.spans.clone()
    }

    /// The messages that pass `filter`.
    pub fn messages(&self, filter: &FileFilter) -> SqliteStream {
        let topics: HashMap<i64, usize> =
            self.ids.iter().enumerate().filter(|(i, _)| filter.wants(*i)).map(|(i, &id)| (id, i)).collect();
        SqliteStream {
            path: self.path.clone(),
            connection: Arc::clone(&self.connection),
            topics,
            next: (filter.start, i64::MIN),
            end: filter.end,
            keys: VecDeque::new(),
            exhausted: false,
            damage: self.damage.clone(),
        }
    }
}

/// Counts the messages of each topic and finds their spans, up to the first damage.
fn count(
    connection: &Connection,
    ids: &[i64],
    mut topics: Vec<TopicInfo>,
) -> (Vec<TopicInfo>, Vec<Option<TimeSpan>>, rusqlite::Result<()>) {
    let by_id: HashMap<i64, usize> = ids.iter().enumerate().map(|(i, &id)| (id, i)).collect();
    let mut spans = vec![None; topics.len()];
    let mut read = || {
        let mut statement = connection.prepare("SELECT topic_id, timestamp FROM messages")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let Some(&topic) = by_id.get(&row.get(0)?) else { continue };
            if let (Some(info), Some(span)) = (topics.get_mut(topic), spans.get_mut(topic)) {
                info.count += 1;
                TimeSpan::extend(span, TimeSpan::at(Stamp(row.get(1)?)));
            }
        }
        Ok(())
    };
    let counted = read();
    (topics, spans, counted)
}

/// Opens read-only. `immutable` spares locks and side files and so works on read-only media; a file
/// with a write-ahead log must be opened the ordinary way, or what is in the log would be missing.
fn connect(place: &Path, path: &Path) -> Result<Connection, BagError> {
    let absolute = place.canonicalize().map_err(|e| BagError::io(path, e))?;
    let mut uri = String::from("file:");
    for &byte in absolute.as_os_str().as_bytes() {
        if byte.is_ascii_alphanumeric() || b"/._-~".contains(&byte) {
            uri.push(byte as char);
        } else {
            // Writing into a String cannot fail.
            let _ = write!(uri, "%{byte:02x}");
        }
    }
    let mut log = absolute.into_os_string();
    log.push("-wal");
    let has_log = std::fs::metadata(&log).is_ok_and(|metadata| metadata.len() > 0);
    if !has_log {
        check_length(place, path)?;
    }
    uri.push_str(if has_log { "?mode=ro" } else { "?mode=ro&immutable=1" });
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(&uri, flags).map_err(|e| BagError::sqlite(path, "opening the database", &e))
}

/// Refuses a file shorter than its header says. SQLite refuses that too, but not where the cut lies in
/// the last page: it would read zeros there, and a message would be silently wrong.
/// Header fields: <https://www.sqlite.org/fileformat2.html#the_database_header>.
fn check_length(place: &Path, path: &Path) -> Result<(), BagError> {
    let fail = |message: String| BagError::Sqlite { path: path.to_path_buf(), message };
    let file = File::open(place).map_err(|e| BagError::io(path, e))?;
    let size = file.metadata().map_err(|e| BagError::io(path, e))?.len();
    let mut header = [0; 100];
    if size < header.len() as u64 {
        return Err(fail(format!("cut off: the file has {size} bytes, less than its header")));
    }
    file.read_exact_at(&mut header, 0).map_err(|e| BagError::io(path, e))?;
    let page_size = match u16::from_be_bytes([header[16], header[17]]) {
        1 => 65_536,
        bytes => u64::from(bytes),
    };
    let pages = u32::from_be_bytes([header[28], header[29], header[30], header[31]]);
    // The count of pages is only meant if the last change wrote it.
    let counted = header[24..28] == header[92..96];
    let expected = page_size * u64::from(pages);
    if counted && size < expected {
        return Err(fail(format!(
            "cut off: expected {expected} bytes as its header says, found {size}; `sqlite3 <file> .recover` \
             may save what is left"
        )));
    }
    Ok(())
}

/// Topics in the order of their ids. Columns came over time: `offered_qos_profiles` with Dashing,
/// `type_description_hash` with Iron; the table of definitions with Iron too.
fn read_topics(connection: &Connection) -> rusqlite::Result<(Vec<i64>, Vec<TopicInfo>)> {
    let columns: Vec<String> = connection
        .prepare("SELECT name FROM pragma_table_info('topics')")?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let column =
        |name: &str| if columns.iter().any(|known| known == name) { name.to_owned() } else { "''".into() };
    let sql = format!(
        "SELECT id, name, type, serialization_format, {}, {} FROM topics ORDER BY id",
        column("offered_qos_profiles"),
        column("type_description_hash")
    );
    let mut ids = Vec::new();
    let mut topics = Vec::new();
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let name: String = row.get(1)?;
        let qos: String = row.get(4)?;
        let hash: String = row.get(5)?;
        let offered_qos = OfferedQos::parse_list(&qos).unwrap_or_else(|error| {
            tracing::warn!(topic = name, error, "offered_qos_profiles is not understood");
            Vec::new()
        });
        ids.push(row.get(0)?);
        topics.push(TopicInfo {
            name,
            type_name: row.get(2)?,
            type_hash: Some(hash).filter(|hash| !hash.is_empty()),
            encoding: row.get(3)?,
            definition: String::new(),
            offered_qos,
            count: 0,
        });
    }
    let has_definitions: Option<i64> = connection
        .query_row(
            "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'message_definitions'",
            [],
            |row| row.get(0),
        )
        .optional()?;
    if has_definitions.is_some() {
        let mut statement = connection
            .prepare("SELECT encoded_message_definition FROM message_definitions WHERE topic_type = ?1")?;
        for topic in &mut topics {
            let found: Option<String> =
                statement.query_row([&topic.type_name], |row| row.get(0)).optional()?;
            topic.definition = found.unwrap_or_default();
        }
    }
    Ok((ids, topics))
}

/// Key of a message and its size.
struct Key {
    id: i64,
    topic: usize,
    timestamp: i64,
    size: i64,
}

/// Messages of one database. Holds one page of keys and one payload. A message that cannot be read is
/// an error among the others; the stream goes on behind it.
pub struct SqliteStream {
    path: PathBuf,
    connection: Shared,
    /// Wanted topic ids and their indices.
    topics: HashMap<i64, usize>,
    /// Timestamp and id after which the next page starts.
    next: (i64, i64),
    end: i64,
    keys: VecDeque<Key>,
    exhausted: bool,
    damage: Option<String>,
}

fn lock(connection: &Shared) -> MutexGuard<'_, Connection> {
    connection.lock().unwrap_or_else(PoisonError::into_inner)
}

impl SqliteStream {
    /// Fetches keys until there is a wanted one. Rows read before SQLite reports damage are kept.
    fn fill(&mut self) -> rusqlite::Result<()> {
        let connection = lock(&self.connection);
        while self.keys.is_empty() && !self.exhausted {
            let mut statement = connection.prepare_cached(
                "SELECT timestamp, id, topic_id, length(data) FROM messages \
                 WHERE timestamp >= ?1 AND timestamp < ?3 AND (timestamp > ?1 OR id > ?2) \
                 ORDER BY timestamp, id LIMIT ?4",
            )?;
            let mut rows = statement.query(params![self.next.0, self.next.1, self.end, PAGE_ROWS])?;
            let mut count = 0;
            while let Some(row) = rows.next()? {
                let (timestamp, id) = (row.get(0)?, row.get(1)?);
                count += 1;
                self.next = (timestamp, id);
                if let Some(&topic) = self.topics.get(&row.get(2)?) {
                    self.keys.push_back(Key { id, topic, timestamp, size: row.get(3)? });
                }
            }
            self.exhausted = count < PAGE_ROWS;
        }
        Ok(())
    }

    fn payload(&self, key: &Key) -> Result<BagMessage, BagError> {
        if key.size > MESSAGE_LIMIT {
            return Err(BagError::Sqlite {
                path: self.path.clone(),
                message: format!(
                    "message {} of {} bytes, at most {MESSAGE_LIMIT} are accepted",
                    key.id, key.size
                ),
            });
        }
        let read = || {
            lock(&self.connection)
                .prepare_cached("SELECT data FROM messages WHERE id = ?1")?
                .query_row([key.id], |row| row.get(0))
        };
        let data = read().map_err(|e| {
            BagError::sqlite(&self.path, &format!("reading message {} (damaged)", key.id), &e)
        })?;
        Ok(BagMessage { topic: key.topic, log_time: Stamp(key.timestamp), data })
    }
}

impl Iterator for SqliteStream {
    type Item = Result<BagMessage, BagError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.keys.is_empty()
            && !self.exhausted
            && let Err(error) = self.fill()
        {
            self.exhausted = true;
            self.damage = Some(error.to_string());
        }
        if let Some(key) = self.keys.pop_front() {
            return Some(self.payload(&key));
        }
        self.damage.take().map(|message| {
            Err(BagError::Sqlite {
                path: self.path.clone(),
                message: format!("damaged, some messages are missing: {message}"),
            })
        })
    }
}
