//! Messages that are changed between a bag and the pipelines.

use crate::bag::{Bag, BagError};
use crate::message::Stamp;
use crate::pipeline::InputKind;

/// Changes what pipelines hear of a bag. Replays through a filter are tests of something: they have nothing to say
/// about the parameters, as the run that they repeat has said it.
pub(crate) trait MessageFilter {
    /// A bag begins: `inputs` are its topics by index with what they feed; played are messages logged in `section`,
    /// from its start to before its end, or to the end of the bag, and what holds from before.
    fn begin(
        &mut self,
        bag: &Bag,
        inputs: &[(usize, InputKind)],
        section: (Stamp, Option<Stamp>),
    ) -> Result<(), BagError>;

    /// What the pipelines hear of the next message of `topic`, serialized; `None` if they do not hear of it.
    fn message(&mut self, topic: usize, data: Vec<u8>) -> Option<Vec<u8>>;
}
