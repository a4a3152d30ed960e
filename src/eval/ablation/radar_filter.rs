//! Puts the fault of a condition into what the radars of a bag say.

use std::collections::BTreeMap;

use super::Fault;
use super::shuffle::Shuffle;
use crate::bag::{Bag, BagError};
use crate::message::Stamp;
use crate::pipeline::InputKind;
use crate::replay::MessageFilter;
use crate::sim::corrupt::{RadarEdit, RadarFault};

/// The topic of a radar.
struct Radar {
    type_name: String,
    edit: Option<RadarEdit>,
}

/// The filter of a condition. Random numbers depend on the seed, on topic and number of a message and on the place of
/// its return, so that the order of bags and the number of threads change nothing.
pub(super) struct RadarFilter {
    fault: Fault,
    seed: u64,
    /// Scans of each radar that a frame uses
    scans: u64,
    radars: BTreeMap<usize, Radar>,
    shuffle: Option<Shuffle>,
    /// Topics of radars, over all bags
    pub topics: usize,
}

impl RadarFilter {
    /// For frames that use so many scans of each radar.
    pub fn new(fault: Fault, seed: u64, scans: u64) -> Self {
        Self { fault, seed, scans, radars: BTreeMap::new(), shuffle: None, topics: 0 }
    }

    /// What is to be changed in the messages of radar `index` of `count`.
    fn fault_of(&self, index: u64, count: u64) -> Option<RadarFault> {
        Some(match self.fault {
            Fault::Sparser(returns) => {
                let returns = (index + 1) * returns / count.max(1) - index * returns / count.max(1);
                RadarFault::Sparser { returns, messages: self.scans }
            }
            Fault::Ghosts(percent) => RadarFault::Ghosts { percent },
            Fault::Yaw(degrees) => RadarFault::Yaw(degrees),
            Fault::Pitch(degrees) => RadarFault::Pitch(degrees),
            Fault::Moved(metres) => RadarFault::Moved(metres),
            Fault::None | Fault::Dropped | Fault::Shuffled | Fault::Shifted(_) => return None,
        })
    }
}

impl MessageFilter for RadarFilter {
    fn begin(
        &mut self,
        bag: &Bag,
        inputs: &[(usize, InputKind)],
        section: (Stamp, Option<Stamp>),
    ) -> Result<(), BagError> {
        let is_radar = |kind: InputKind| matches!(kind, InputKind::Radar(_) | InputKind::RadarScan(_));
        let mut topics: Vec<usize> =
            inputs.iter().filter(|(_, kind)| is_radar(*kind)).map(|(topic, _)| *topic).collect();
        topics.sort_unstable();
        topics.dedup();
        self.topics += topics.len();
        self.radars.clear();
        for (index, topic) in (0..).zip(&topics) {
            let Some(info) = bag.info().topics.get(*topic) else { continue };
            let fault = self.fault_of(index, topics.len() as u64);
            let edit = fault.map(|fault| RadarEdit::new(fault, self.seed, &info.name));
            self.radars.insert(*topic, Radar { type_name: info.type_name.clone(), edit });
        }
        self.shuffle = match self.fault {
            Fault::Shuffled => Some(Shuffle::new(bag, topics, section, self.seed)?),
            _ => None,
        };
        Ok(())
    }

    fn message(&mut self, topic: usize, data: Vec<u8>) -> Option<Vec<u8>> {
        let Some(radar) = self.radars.get_mut(&topic) else { return Some(data) };
        if self.fault == Fault::Dropped {
            return None;
        }
        if let Some(shuffle) = &mut self.shuffle {
            return Some(shuffle.next(topic, &radar.type_name, data));
        }
        let changed = radar.edit.as_mut().and_then(|edit| edit.apply(&radar.type_name, &data));
        let changed = changed.map(<[u8]>::to_vec);
        Some(changed.unwrap_or(data))
    }
}

#[cfg(test)]
#[path = "radar_filter_tests.rs"]
mod tests;
