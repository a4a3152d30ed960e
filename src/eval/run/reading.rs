//! Messages of a recording, one after the other, and what is wrong with them on the side.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};

use crate::bag::{Bag, BagError, BagMessage, MessageStream, ReadFilter};
use crate::message::Stamp;

/// What was unreadable, by where it was: the first of it, and how often.
#[derive(Clone, Debug, Default)]
pub(super) struct Damages(BTreeMap<String, (String, u64)>);

impl Damages {
    /// Something at `place` is unreadable.
    pub fn note(&mut self, place: &str, what: &dyn std::fmt::Display) {
        if let Some((_, count)) = self.0.get_mut(place) {
            *count += 1;
        } else {
            self.0.insert(place.to_owned(), (what.to_string(), 1));
        }
    }

    /// A file is damaged; its error names it. One that is read twice tells it twice.
    pub fn file(&mut self, error: &BagError) {
        self.0.entry(error.to_string()).or_insert_with(|| (String::new(), 1));
    }

    /// Adds what another reader found.
    pub fn merge(&mut self, other: Self) {
        for (place, (what, count)) in other.0 {
            self.0.entry(place).or_insert((what, 0)).1 += count;
        }
    }

    /// A sentence for each.
    pub fn lines(&self) -> Vec<String> {
        let line = |(place, (what, count)): (&String, &(String, u64))| match (what.as_str(), count) {
            ("", _) => place.clone(),
            (what, 1) => format!("{place}: {what}"),
            (what, count) => format!("{place}: {what} (×{count})"),
        };
        self.0.iter().map(line).collect()
    }
}

/// How far reading is, for whoever watches: seconds of all recordings, in milliseconds.
#[derive(Debug, Default)]
pub(super) struct Progress(AtomicI64);

impl Progress {
    /// Milliseconds read.
    pub fn ms(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Some topics of a recording.
pub(super) struct Reading<'a> {
    stream: MessageStream,
    /// How many messages may still be read
    allowed: u64,
    last: Option<Stamp>,
    progress: Option<&'a Progress>,
}

impl<'a> Reading<'a> {
    /// The messages of `topics` in log-time order; `progress` hears how far it is.
    pub fn logged(bag: &Bag, topics: Vec<usize>, progress: Option<&'a Progress>) -> Result<Self, BagError> {
        let filter = ReadFilter { topics: Some(topics), ..ReadFilter::default() };
        Ok(Self { stream: bag.messages(&filter)?, allowed: u64::MAX, last: None, progress })
    }

    /// Messages in the order in which they were written: of `topics`, or of all.
    pub fn written(bag: &Bag, topics: Option<Vec<usize>>) -> Result<Self, BagError> {
        let filter = ReadFilter { topics, ..ReadFilter::default() };
        let stream = bag.messages_as_written(&filter)?;
        Ok(Self { stream, allowed: u64::MAX, last: None, progress: None })
    }

    /// Ends after `count` messages from now, until it is called again.
    pub fn allow(&mut self, count: u64) {
        self.allowed = count;
    }

    /// The next message that can be read.
    pub fn next(&mut self, damages: &mut Damages) -> Option<BagMessage> {
        while self.allowed > 0 {
            match self.stream.next()? {
                Ok(message) => {
                    self.allowed -= 1;
                    if let (Some(progress), Some(last)) = (self.progress, self.last) {
                        let ms = message.log_time.0 / 1_000_000 - last.0 / 1_000_000;
                        progress.0.fetch_add(ms, Ordering::Relaxed);
                    }
                    self.last = Some(message.log_time);
                    return Some(message);
                }
                Err(error) => damages.file(&error),
            }
        }
        None
    }
}
