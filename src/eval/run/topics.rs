//! Topics of a recording by name, with their types checked.

use std::path::Path;

use super::EvalError;
use crate::bag::BagInfo;
use crate::message::Message;

/// The index of topic `name` if the recording has it; an error if it has another type.
pub(super) fn find<'m, M: Message<'m>>(
    bag: &Path,
    info: &BagInfo,
    name: &str,
) -> Result<Option<usize>, EvalError> {
    let Some((index, topic)) = info.topics.iter().enumerate().find(|(_, topic)| topic.name == name) else {
        return Ok(None);
    };
    if topic.type_name != M::TYPE_NAME {
        return Err(EvalError::TopicType {
            bag: bag.to_owned(),
            topic: name.to_owned(),
            expected: M::TYPE_NAME,
            found: topic.type_name.clone(),
        });
    }
    Ok(Some(index))
}

/// As [`find`], for a topic that was asked for by name: an error if it is not there.
pub(super) fn expect<'m, M: Message<'m>>(bag: &Path, info: &BagInfo, name: &str) -> Result<usize, EvalError> {
    find::<M>(bag, info, name)?.ok_or_else(|| EvalError::NoTopic {
        bag: bag.to_owned(),
        topic: name.to_owned(),
        type_name: M::TYPE_NAME,
        found: names(info),
    })
}

/// All names, for messages to people.
pub(super) fn names(info: &BagInfo) -> String {
    let names: Vec<&str> = info.topics.iter().map(|topic| topic.name.as_str()).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// `name` as topics are recorded: from the root.
pub(super) fn absolute(name: &str) -> String {
    if name.starts_with('/') { name.to_owned() } else { format!("/{name}") }
}

/// Frame ids as they are compared.
pub(super) fn frame(id: &str) -> &str {
    id.trim_start_matches('/')
}
