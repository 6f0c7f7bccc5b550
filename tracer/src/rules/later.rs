//! What is judged only when a while has passed: a fork is no fault, but that its child still
//! holds something may be one.

use std::collections::VecDeque;
use std::collections::vec_deque::Iter;

/// What waits to be judged for so many nanoseconds, oldest first. It is bounded: where too much waits,
/// what comes is not judged.
#[derive(Debug)]
pub(super) struct Later<T, const GRACE: u64> {
    waiting: VecDeque<T>,
}

impl<T, const GRACE: u64> Default for Later<T, GRACE> {
    fn default() -> Self {
        Self { waiting: VecDeque::new() }
    }
}

impl<T, const GRACE: u64> Later<T, GRACE> {
    /// The most that wait at once.
    const MOST: usize = 256;

    /// Whether no more can wait.
    pub(super) fn is_full(&self) -> bool {
        self.waiting.len() >= Self::MOST
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// It waits from now on.
    pub(super) fn push(&mut self, what: T) {
        if !self.is_full() {
            self.waiting.push_back(what);
        }
    }

    /// The oldest, where it has waited long enough since it happened.
    pub(super) fn due(&mut self, now: u64, happened: impl Fn(&T) -> u64) -> Option<T> {
        let is_due = self.waiting.front().is_some_and(|oldest| now.saturating_sub(happened(oldest)) >= GRACE);
        if is_due { self.waiting.pop_front() } else { None }
    }

    /// Only these go on waiting.
    pub(super) fn retain(&mut self, stays: impl FnMut(&T) -> bool) {
        self.waiting.retain(stays);
    }

    pub(super) fn iter(&self) -> Iter<'_, T> {
        self.waiting.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_are_due_and_too_many_do_not_wait() {
        let mut later = Later::<u64, 10>::default();
        [1, 5].into_iter().for_each(|happened| later.push(happened));
        let due = |later: &mut Later<u64, 10>, now| later.due(now, |&happened| happened);
        assert_eq!(
            [10, 11, 11, 15, 99].map(|now| due(&mut later, now)),
            [None, Some(1), None, Some(5), None]
        );
        (0..1000).for_each(|happened| later.push(happened));
        assert_eq!((later.is_full(), later.iter().count()), (true, Later::<u64, 10>::MOST));
    }
}
