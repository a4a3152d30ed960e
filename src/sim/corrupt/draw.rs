//! What randomness a corruption may use: numbers that depend on the seed and on what they are for, so
//! that neither the order of messages and topics nor the number of threads changes a recording.

use crate::sim::Random;

/// In place of the number of a message, for what stays over a recording.
const LASTING: u64 = u64::MAX;

/// The random numbers of one corruption of one topic.
#[derive(Clone, Copy, Debug)]
pub(super) struct TopicDraws {
    seed: u64,
    kind: u64,
    topic: u64,
}

/// The random numbers of one message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Draws {
    of: TopicDraws,
    message: u64,
}

impl TopicDraws {
    /// Those of the kind and the topic of these names.
    pub fn new(seed: u64, kind: &str, topic: &str) -> Self {
        Self { seed, kind: key(kind), topic: key(topic) }
    }

    /// Those of message number `index` of the topic.
    pub const fn message(self, index: u64) -> Draws {
        Draws { of: self, message: index }
    }

    /// Those that are the same in every message.
    pub const fn lasting(self) -> Draws {
        self.message(LASTING)
    }
}

impl Draws {
    /// The stream of item `index`: a point, a row of an image, a return.
    #[inline]
    pub fn at(self, index: usize) -> Random {
        let TopicDraws { seed, kind, topic } = self.of;
        Random::new(seed, &[kind, topic, self.message, index as u64])
    }

    /// The same for every message of the topic.
    pub const fn lasting(self) -> Self {
        self.of.lasting()
    }

    /// The number of the message in its topic.
    pub const fn message(self) -> u64 {
        self.message
    }
}

/// A number for a name: FNV-1a, 64 bits.
fn key(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_the_published_hash() {
        // Test vectors of the FNV authors.
        assert_eq!(key(""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(key("foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn everything_that_is_named_counts() {
        let first = |seed, kind, topic, message, item| {
            TopicDraws::new(seed, kind, topic).message(message).at(item).bits()
        };
        let base = first(1, "fog", "/a", 0, 0);
        assert_eq!(base, first(1, "fog", "/a", 0, 0));
        for other in [
            first(2, "fog", "/a", 0, 0),
            first(1, "snow", "/a", 0, 0),
            first(1, "fog", "/b", 0, 0),
            first(1, "fog", "/a", 1, 0),
            first(1, "fog", "/a", 0, 1),
            TopicDraws::new(1, "fog", "/a").lasting().at(0).bits(),
        ] {
            assert_ne!(base, other);
        }
    }
}
