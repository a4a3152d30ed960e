//! The few frames that are shown.

/// How many frames of each task have pictures.
const COUNT: usize = 5;

/// Keeps the worst frames' views, worst first; of equal ones the earlier stay.
#[derive(Clone, Debug)]
pub struct WorstViews<T>(Vec<(f64, T)>);

impl<T> Default for WorstViews<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> WorstViews<T> {
    /// Keeps what `view` makes if `badness` is among the largest. `None` of it is passed over.
    pub fn offer(&mut self, badness: f64, view: impl FnOnce() -> Option<T>) {
        let position = self.0.iter().position(|(kept, _)| badness > *kept).unwrap_or(self.0.len());
        if position < COUNT
            && let Some(view) = view()
        {
            self.0.insert(position, (badness, view));
            self.0.truncate(COUNT);
        }
    }

    /// From the worst on.
    pub fn into_views(self) -> Vec<T> {
        self.0.into_iter().map(|(_, view)| view).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_are_kept_and_others_are_not_even_made() {
        let mut worst = WorstViews::default();
        let mut made = 0;
        for (index, badness) in [0.1, 0.5, 0.5, 0.9, 0.2, 0.3, 0.05, 0.5].into_iter().enumerate() {
            worst.offer(badness, || {
                made += 1;
                Some(index)
            });
        }
        assert_eq!(worst.into_views(), [3, 1, 2, 7, 5]);
        assert_eq!(made, 7, "0.05 came too late");
    }
}
