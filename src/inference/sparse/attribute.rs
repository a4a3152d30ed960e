//! Attributes of a node.

use ort::{Error, Result, operator::KernelContext};

/// An integer within `range`; `default` where the node says nothing, an error without.
pub(super) fn integer(
    context: &KernelContext<'_>,
    name: &str,
    default: Option<i64>,
    range: std::ops::RangeInclusive<i64>,
) -> Result<i64> {
    let (first, last) = (range.start(), range.end());
    match context.get::<i64>(name).or(default) {
        Some(value) if range.contains(&value) => Ok(value),
        Some(value) => {
            Err(Error::new(format!("attribute {name}: expected {first} to {last}, found {value}")))
        }
        None => Err(Error::new(format!("attribute {name}: expected an integer, found none"))),
    }
}

/// Whether the attribute `relu` is 1; it may be absent.
pub(super) fn relu(context: &KernelContext<'_>) -> Result<bool> {
    Ok(integer(context, "relu", Some(0), 0..=1)? == 1)
}

/// A zero point: 0 to 255, 0 where the node says nothing.
pub(super) fn zero_point(context: &KernelContext<'_>, name: &str) -> Result<u8> {
    Ok(integer(context, name, Some(0), 0..=255)? as u8)
}
