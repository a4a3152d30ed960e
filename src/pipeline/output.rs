//! What a pipeline publishes.

use crate::message::{Message, Stamp};

/// A topic that a pipeline can publish.
#[derive(Clone, Copy, Debug)]
pub struct OutputTopic {
    /// Relative name, remappable
    pub name: &'static str,
    /// `package/msg/Name`
    pub type_name: &'static str,
    /// Official type hash, `RIHS01_…`
    pub type_hash: &'static str,
    /// Message definition with its dependencies, as MCAP schemas carry it
    pub definition: &'static str,
    /// Whether replay records it unless told to record all
    pub recorded: bool,
}

impl OutputTopic {
    /// The topic `name` with messages of type `M`.
    pub const fn of<'a, M: Message<'a>>(name: &'static str, recorded: bool) -> Self {
        Self { name, type_name: M::TYPE_NAME, type_hash: M::TYPE_HASH, definition: M::DEFINITION, recorded }
    }
}

/// Which of a pipeline's output topics anybody listens to; nothing is computed for the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WantedTopics(u32);

impl WantedTopics {
    /// Nobody listens.
    pub const NONE: Self = Self(0);
    /// Somebody listens to each.
    pub const ALL: Self = Self(u32::MAX);

    /// With topic number `index` wanted too; numbers beyond 31 do not occur.
    pub const fn with(self, index: usize) -> Self {
        Self(self.0 | (1 << (index & 31)))
    }

    /// Whether topic number `index` is wanted.
    pub const fn has(self, index: usize) -> bool {
        index < 32 && self.0 & (1 << index) != 0
    }

    /// Whether nothing is wanted.
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }
}

/// One encoded message, valid until the next one is made.
#[derive(Clone, Copy, Debug)]
pub struct OutputMessage<'a> {
    /// Index into the pipeline's output topics
    pub topic: usize,
    /// Stamp of the trigger
    pub stamp: Stamp,
    /// CDR with its encapsulation header: published and recorded as it is
    pub bytes: &'a [u8],
}
