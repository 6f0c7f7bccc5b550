//! What many connections have alike, kept once for all of them: most streams of a program look like its
//! others, and most of its connections have had the same header fields.
//!
//! Nothing can be told from outside: what is shared is equal to what it stands for, and is
//! copied before it changes.

use rustc_hash::FxHashSet;
use std::hash::Hash;
use std::rc::Rc;

/// So many are kept before those are looked for that nobody has any more.
const FEW: usize = 64;

/// For how many more room is made at once.
const AT_ONCE: usize = 8;

/// Each different thing that was shared, once.
#[derive(Debug)]
pub(super) struct Pool<T> {
    known: FxHashSet<Rc<T>>,
    sweep_at: usize,
    /// Room for others, so that most are shared without asking for memory.
    room: Vec<Rc<T>>,
}

impl<T> Default for Pool<T> {
    fn default() -> Self {
        Self { known: FxHashSet::default(), sweep_at: FEW, room: Vec::new() }
    }
}

impl<T: Clone + Default + Eq + Hash> Pool<T> {
    /// The one that all share who have this.
    pub(super) fn share(&mut self, own: &T) -> Rc<T> {
        if let Some(known) = self.known.get(own) {
            return Rc::clone(known);
        }
        if self.known.len() >= self.sweep_at {
            self.sweep();
        }
        if self.room.is_empty() {
            self.room.resize_with(AT_ONCE, Rc::default);
        }
        let mut shared = self.room.pop().unwrap_or_default();
        Rc::make_mut(&mut shared).clone_from(own);
        self.known.insert(Rc::clone(&shared));
        shared
    }

    /// Forgets what nobody has any more.
    fn sweep(&mut self) {
        for mut gone in self.known.extract_if(|known| Rc::strong_count(known) == 1) {
            if let Some(room) = Rc::get_mut(&mut gone).filter(|_| self.room.len() < FEW) {
                *room = T::default();
                self.room.push(gone);
            }
        }
        self.sweep_at = FEW.max(2 * self.known.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_alike_is_kept_once_and_what_nobody_has_is_forgotten() {
        let mut pool = Pool::default();
        let [one, other] = [String::from("a"), String::from("a")].map(|own| pool.share(&own));
        assert_eq!(*one, "a");
        assert!(Rc::ptr_eq(&one, &other));
        for number in 0..10_000 {
            pool.share(&number.to_string());
            assert!(pool.known.len() <= FEW);
        }
        assert!(pool.known.contains(&*one), "it is in use");
    }
}
