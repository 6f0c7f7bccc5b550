//! Panics: those that are awaited, as of readers of other people's files, and those that end forkscope.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::{Mutex, Once, PoisonError};

thread_local! {
    /// Whether this thread awaits a panic.
    static AWAITED: Cell<bool> = const { Cell::new(false) };
}

/// Calls a function that may panic: then there is no answer, and nothing is said of it. What the function has
/// changed may be half of something.
pub fn quietly<T>(function: impl FnOnce() -> T) -> Option<T> {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| before(|| ()));
    let outer = AWAITED.replace(true);
    let answer = catch_unwind(AssertUnwindSafe(function));
    AWAITED.set(outer);
    answer.ok()
}

/// What is done before a panic's message is printed, unless the panic is awaited.
pub fn before(act: impl Fn() + Send + Sync + 'static) {
    // A hook is taken and set in two calls: what another thread sets between them would be lost.
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let then = take_hook();
    set_hook(Box::new(move |panic| {
        if !AWAITED.get() {
            act();
            then(panic);
        }
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    thread_local! {
        static ACTS: Cell<u32> = const { Cell::new(0) };
    }

    /// An act stands for the message too: both come from hooks that lie under the last one.
    #[test]
    fn awaited_panics_are_silent_and_others_are_not() {
        before(|| ACTS.set(ACTS.get() + 1));
        before(|| ());
        assert_eq!(quietly(|| 5), Some(5));
        assert_eq!(quietly(|| panic!("as a reader does")), None::<()>);
        let inner = quietly(|| (quietly(|| panic!("within")), quietly(|| 6)));
        assert_eq!(inner, Some((None::<()>, Some(6))));
        assert_eq!(quietly(|| quietly(|| ()).map(|()| panic!("after another"))), None::<Option<()>>);
        assert_eq!(ACTS.get(), 0);
        assert!(catch_unwind(|| panic!("one that is to be read")).is_err());
        assert_eq!(ACTS.get(), 1);
    }
}
