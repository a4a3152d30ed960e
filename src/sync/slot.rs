//! A slot of one: a slow consumer meets the newest value, never a queue.

/// Holds at most one value; a newer one takes the place of one nobody took.
#[derive(Debug)]
pub struct KeepLatest<T> {
    value: Option<T>,
}

impl<T> KeepLatest<T> {
    /// An empty slot.
    pub const fn new() -> Self {
        Self { value: None }
    }

    /// Stores `value` and hands back the one it supersedes, so that the caller can count it.
    #[must_use = "a superseded value is a drop that must be counted"]
    pub fn put(&mut self, value: T) -> Option<T> {
        self.value.replace(value)
    }

    /// Takes the value out, leaving the slot empty.
    pub fn take(&mut self) -> Option<T> {
        self.value.take()
    }

    /// Whether nothing is waiting.
    pub const fn is_empty(&self) -> bool {
        self.value.is_none()
    }
}

impl<T> Default for KeepLatest<T> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::KeepLatest;

    #[test]
    fn the_newest_value_wins_and_the_older_is_handed_back() {
        let mut slot = KeepLatest::new();
        assert_eq!(slot.put(1), None);
        assert_eq!(slot.put(2), Some(1));
        assert_eq!(slot.take(), Some(2));
        assert_eq!(slot.take(), None);
        assert!(slot.is_empty());
    }
}
