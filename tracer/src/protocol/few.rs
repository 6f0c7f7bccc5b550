//! A list of which most have one element: that one is not beside it on the heap.

use std::hash::{Hash, Hasher};
use std::ops::{Deref, DerefMut};

/// A list of few elements.
#[derive(Clone, Debug, Default)]
pub enum Few<T> {
    /// Of none.
    #[default]
    None,
    /// Of one.
    One(T),
    /// Of any number.
    Many(Vec<T>),
}

impl<T> Few<T> {
    /// Adds one at its end.
    pub(crate) fn push(&mut self, element: T) {
        *self = match std::mem::take(self) {
            Self::None => Self::One(element),
            Self::One(first) => Self::Many(vec![first, element]),
            Self::Many(mut all) => {
                if all.len() == all.capacity() {
                    // Most lists stay short, and there are many.
                    all.reserve_exact((all.len() / 4).max(2));
                }
                all.push(element);
                Self::Many(all)
            }
        };
    }

    /// Puts one before that at this place.
    pub(crate) fn insert(&mut self, at: usize, element: T) {
        match self {
            Self::Many(all) => all.insert(at, element),
            Self::None | Self::One(_) => {
                self.push(element);
                self[at..].rotate_right(1);
            }
        }
    }

    /// Removes all. There is room for as many in what had more than one.
    pub(crate) fn clear(&mut self) {
        self.retain_mut(|_| false);
    }

    /// Removes those that are not to be kept.
    pub(crate) fn retain_mut(&mut self, mut keep: impl FnMut(&mut T) -> bool) {
        match self {
            Self::None => {}
            Self::One(one) => {
                if !keep(one) {
                    *self = Self::None;
                }
            }
            Self::Many(all) => all.retain_mut(keep),
        }
    }

    /// Removes the one at this place, if there is one.
    pub(crate) fn remove(&mut self, at: usize) {
        match self {
            Self::None => {}
            Self::One(_) if at == 0 => *self = Self::None,
            Self::One(_) => {}
            Self::Many(all) if at < all.len() => drop(all.remove(at)),
            Self::Many(_) => {}
        }
    }
}

impl<T> Deref for Few<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match self {
            Self::None => &[],
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(all) => all,
        }
    }
}

impl<T> DerefMut for Few<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        match self {
            Self::None => &mut [],
            Self::One(one) => std::slice::from_mut(one),
            Self::Many(all) => all,
        }
    }
}

impl<'a, T> IntoIterator for &'a Few<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<T: PartialEq> PartialEq for Few<T> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<T: Eq> Eq for Few<T> {}

impl<T: Hash> Hash for Few<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Elements are added, put between others, or removed.
        #[test]
        fn few_are_what_a_list_is(steps in prop::collection::vec((0..9_u8, 0..4_usize), 0..20)) {
            let (mut few, mut list) = (Few::default(), Vec::new());
            for (what, number) in steps {
                match what {
                    0..3 => {
                        few.push(number);
                        list.push(number);
                    }
                    3..5 if number <= list.len() => {
                        few.insert(number, number);
                        list.insert(number, number);
                    }
                    5 => {
                        few.retain_mut(|kept| *kept != number);
                        list.retain(|kept| *kept != number);
                    }
                    _ => {
                        few.remove(number);
                        list = list.iter().enumerate().filter(|(at, _)| *at != number).map(|(_, kept)| *kept).collect();
                    }
                }
                prop_assert_eq!(&few[..], &list[..]);
                prop_assert_eq!(few.iter_mut().map(|number| *number).collect::<Vec<_>>(), list.clone());
            }
        }
    }
}
