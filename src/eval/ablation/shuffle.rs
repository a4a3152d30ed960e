//! Returns of other times: each radar's messages exchange what they say, and keep their stamps.

use std::collections::{BTreeMap, VecDeque};

use super::derangement::far_away;
use crate::bag::{Bag, BagError, BagMessage, MessageStream, ReadFilter};
use crate::message::{Message, PointCloud2, RadarScan, Stamp, from_cdr, to_cdr};
use crate::sim::Random;

/// Messages exchange what they say within so much of the recording, or up to twice as much where what is left would
/// be shorter: bounds the memory, nanoseconds.
const BLOCK_NS: i64 = 30_000_000_000;

/// Returns of other times for the messages of some topics. Reads the bag a block ahead.
pub(super) struct Shuffle {
    stream: MessageStream,
    /// The first message of the next block
    ahead: Option<BagMessage>,
    /// Log time of the last message, about
    end: Stamp,
    seed: u64,
    blocks: u64,
    /// By topic, in the order in which they are due
    due: BTreeMap<usize, VecDeque<Vec<u8>>>,
}

impl Shuffle {
    /// Of `topics`, over a section of `bag`.
    pub fn new(
        bag: &Bag,
        topics: Vec<usize>,
        (start, end): (Stamp, Option<Stamp>),
        seed: u64,
    ) -> Result<Self, BagError> {
        let filter = ReadFilter { topics: Some(topics), start: Some(start), end };
        let last = end.map_or(bag.info().end, |end| end.min(bag.info().end));
        let stream = bag.messages(&filter)?;
        Ok(Self { stream, ahead: None, end: last, seed, blocks: 0, due: BTreeMap::new() })
    }

    /// `data`, the next message of `topic`, with what another one says; as it is where one of the two cannot be read.
    pub fn next(&mut self, topic: usize, type_name: &str, data: Vec<u8>) -> Vec<u8> {
        if self.due.get(&topic).is_none_or(VecDeque::is_empty) {
            self.read_block();
        }
        let Some(other) = self.due.get_mut(&topic).and_then(VecDeque::pop_front) else { return data };
        exchanged(type_name, &data, &other).unwrap_or(data)
    }

    fn read_block(&mut self) {
        let mut block: BTreeMap<usize, Vec<(i64, Vec<u8>)>> = BTreeMap::new();
        let mut until = None;
        // What is damaged is told by who plays the bag.
        while let Some(message) = self.ahead.take().or_else(|| self.stream.find_map(Result::ok)) {
            let until = *until.get_or_insert_with(|| {
                let until = message.log_time.offset_ns(BLOCK_NS);
                if self.end.since_ns(until) < BLOCK_NS { Stamp(i64::MAX) } else { until }
            });
            if message.log_time >= until {
                self.ahead = Some(message);
                break;
            }
            block.entry(message.topic).or_default().push((message.log_time.0, message.data));
        }
        for (topic, messages) in block {
            let (times, mut data): (Vec<i64>, Vec<Vec<u8>>) = messages.into_iter().unzip();
            let mut random = Random::new(self.seed, &[topic as u64, self.blocks]);
            let from = far_away(&times, &mut random).into_iter();
            let taken = from.map(|from| data.get_mut(from).map(std::mem::take).unwrap_or_default());
            self.due.entry(topic).or_default().extend(taken.collect::<Vec<_>>());
        }
        self.blocks += 1;
    }
}

/// The header of `own` over what `other` says.
fn exchanged(type_name: &str, own: &[u8], other: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(other.len());
    if type_name == RadarScan::TYPE_NAME {
        let header = from_cdr::<RadarScan<'_>>(own).ok()?.header;
        to_cdr(&RadarScan { header, ..from_cdr(other).ok()? }, &mut bytes);
    } else {
        let header = from_cdr::<PointCloud2<'_>>(own).ok()?.header;
        to_cdr(&PointCloud2 { header, ..from_cdr(other).ok()? }, &mut bytes);
    }
    Some(bytes)
}
