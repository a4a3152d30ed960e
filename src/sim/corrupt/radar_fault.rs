//! Faults of radars whose size is known exactly, for measuring what a network makes of its radar.
//!
//! Kinds of corruption are graded by how bad they are; these say by how much: so many returns, so many degrees.
//! Weaker faults lie within stronger ones: the returns of a sparser radar are among those of a denser one, and what is
//! a ghost at 10 % is the same ghost at 30 %.

use super::draw::{Draws, TopicDraws};
use super::message_edit::{Act, MessageEdit, Step};
use super::radar::{Frame, RadarModel, Row, wrapped};
use super::ranking::{Ranking, items};

/// By which factors the range of a ghost is off.
const GHOST_FACTORS: [f32; 2] = [0.25, 4.0];

/// What is wrong with a radar.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum RadarFault {
    /// Any `messages` in a row have `returns` returns together, drawn at random; fewer where there are not as many
    Sparser {
        /// Returns
        returns: u64,
        /// Messages that have them, at least 1
        messages: u64,
    },
    /// So many in a hundred returns have another range, from a quarter to four times theirs, uniform in the logarithm
    Ghosts {
        /// Of a hundred
        percent: u64,
    },
    /// The radar is turned about its z axis by so many degrees, to a side that the seed decides
    Yaw(f32),
    /// The same about its y axis
    Pitch(f32),
    /// The radar is so many metres from where it should be, across its x axis, in a direction that the seed decides
    Moved(f32),
}

impl RadarFault {
    /// Name of its random numbers: that of weaker and stronger ones too.
    const fn kind(self) -> &'static str {
        match self {
            Self::Sparser { .. } => "sparser",
            Self::Ghosts { .. } => "range-ghosts",
            Self::Yaw(_) => "yaw",
            Self::Pitch(_) => "pitch",
            Self::Moved(_) => "moved",
        }
    }
}

/// Puts a fault into the messages of one topic.
pub(crate) struct RadarEdit {
    edit: MessageEdit,
    steps: [Step; 1],
    messages: u64,
}

impl RadarEdit {
    /// With random numbers of `seed` and of the name of the topic.
    pub fn new(fault: RadarFault, seed: u64, topic: &str) -> Self {
        let draws = TopicDraws::new(seed, fault.kind(), topic);
        let model = FaultModel { fault, ranking: Ranking::default(), chosen: Vec::new(), returns: 0 };
        let steps = [Step { draws, act: Act::Radar(Box::new(model)) }];
        Self { edit: MessageEdit::default(), steps, messages: 0 }
    }

    /// The next message of the topic with the fault in it; `None` if it cannot be read and stays as it is.
    pub fn apply<'b>(&'b mut self, type_name: &str, bytes: &'b [u8]) -> Option<&'b [u8]> {
        let index = self.messages;
        self.messages += 1;
        // How many messages there are does not matter to these faults.
        self.edit.apply(type_name, bytes, &mut self.steps, (index, 0)).ok().flatten()
    }
}

/// A fault, and what it has seen so far of its topic.
struct FaultModel {
    fault: RadarFault,
    ranking: Ranking,
    chosen: Vec<bool>,
    /// Returns so far
    returns: u64,
}

impl FaultModel {
    /// Chooses `count` of the rows that are returns, each as likely as any other.
    fn choose(&mut self, rows: &[Row], count: u64, draws: Draws) {
        let returns = rows.iter().enumerate().filter(|(_, row)| is_return(row)).map(|(i, _)| i);
        self.chosen.clear();
        self.chosen.resize(rows.len(), false);
        for i in items(self.ranking.lowest(returns, count as usize, draws)) {
            self.chosen.iter_mut().skip(i).take(1).for_each(|chosen| *chosen = true);
        }
    }

    fn sparser(&mut self, frame: &mut Frame, draws: Draws, returns: u64, messages: u64) {
        let index = draws.message();
        let until =
            |index: u64| (u128::from(index) * u128::from(returns) / u128::from(messages.max(1))) as u64;
        self.choose(&frame.rows, until(index + 1) - until(index), draws);
        let mut chosen = self.chosen.iter();
        frame.rows.retain(|_| chosen.next() == Some(&true));
    }

    fn ghosts(&mut self, frame: &mut Frame, draws: Draws, percent: u64) {
        let before = self.returns;
        self.returns += frame.rows.iter().filter(|row| is_return(row)).count() as u64;
        // So that there are as many also of radars with a handful of returns a message.
        self.choose(&frame.rows, self.returns * percent / 100 - before * percent / 100, draws);
        for (i, (row, _)) in frame.rows.iter_mut().zip(&self.chosen).enumerate().filter(|(_, (_, is))| **is) {
            let mut random = draws.at(i);
            // The first number of the stream is the rank of the return.
            random.bits();
            row.range *= random.log_between(GHOST_FACTORS[0], GHOST_FACTORS[1]);
        }
    }
}

impl RadarModel for FaultModel {
    fn apply(&mut self, frame: &mut Frame, draws: Draws) {
        let mut lasting = draws.lasting().at(0);
        let side = if lasting.chance(0.5) { 1.0 } else { -1.0 };
        match self.fault {
            RadarFault::Sparser { returns, messages } => self.sparser(frame, draws, returns, messages),
            RadarFault::Ghosts { percent } => self.ghosts(frame, draws, percent),
            RadarFault::Yaw(degrees) => {
                let angle = side * degrees.to_radians();
                frame.rows.iter_mut().for_each(|row| row.azimuth = wrapped(row.azimuth + angle));
            }
            RadarFault::Pitch(degrees) => {
                let (sin, cos) = (side * degrees.to_radians()).sin_cos();
                displace(frame, |[x, y, z]| [cos * x + sin * z, y, cos * z - sin * x]);
            }
            RadarFault::Moved(metres) => {
                let (sin, cos) = lasting.between(0.0, std::f32::consts::TAU).sin_cos();
                displace(frame, |[x, y, z]| [x, y + metres * cos, z + metres * sin]);
            }
        }
    }
}

/// Puts every return elsewhere.
fn displace(frame: &mut Frame, to: impl Fn([f32; 3]) -> [f32; 3]) {
    for row in frame.rows.iter_mut().filter(|row| is_return(row)) {
        let Row { range, azimuth, elevation, .. } = Row::at(row.source, to(row.position()));
        *row = Row { range, azimuth, elevation, ..*row };
    }
}

fn is_return(row: &Row) -> bool {
    row.range.is_finite() && row.azimuth.is_finite() && row.elevation.is_finite()
}

#[cfg(test)]
#[path = "radar_fault_tests.rs"]
mod tests;
