//! Who opened which channel of a session (specification, 2.2.3 and 2.2.5), and who closed it.

use crate::protocol::{Sign, User};

/// Channels that are remembered; clients use few.
const MOST: usize = 64;

/// A channel.
///
/// ```text
///   open --- closed by its opener, or by the server ---> forgotten
///    '---- closed by another process ---> gone --- its opener uses it ---> told, forgotten
/// ```
#[derive(Clone, Copy, Debug)]
struct Channel {
    number: u16,
    opener: User,
    /// Another process, which closed it.
    closed: Option<User>,
}

/// The channels that were opened while everything was seen.
#[derive(Clone, Debug, Default)]
pub(super) struct Channels {
    all: Vec<Channel>,
}

impl Channels {
    fn at(&self, number: u16) -> Option<usize> {
        self.all.iter().position(|channel| channel.number == number)
    }

    /// Channel.Open was sent: of one that another process has open, it is an error (504, 1.3.2 of the
    /// reference).
    pub(super) fn open(&mut self, number: u16, user: User, exact: bool, out: &mut dyn FnMut(Sign)) {
        if let Some(at) = self.at(number) {
            let old = self.all.swap_remove(at);
            if exact && old.closed.is_none() && old.opener != user {
                out(Sign::StreamReused { stream: number.into(), first: old.opener, again: user });
            }
        }
        if self.all.len() == MOST {
            self.all.remove(0);
        }
        self.all.push(Channel { number, opener: user, closed: None });
    }

    /// Channel.Close was sent.
    pub(super) fn close(&mut self, number: u16, user: User) {
        let Some(at) = self.at(number) else { return };
        if self.all[at].opener == user {
            self.all.swap_remove(at);
        } else {
            self.all[at].closed = Some(user);
        }
    }

    /// The server closed it.
    pub(super) fn gone(&mut self, number: u16) {
        if let Some(at) = self.at(number) {
            self.all.swap_remove(at);
        }
    }

    /// A method was sent on it.
    pub(super) fn used(&mut self, number: u16, user: User, exact: bool, out: &mut dyn FnMut(Sign)) {
        let Some(at) = self.at(number) else { return };
        let Channel { opener, closed: Some(by), .. } = self.all[at] else { return };
        if opener == user {
            self.all.swap_remove(at);
            if exact {
                out(Sign::UsedAfterEnd { stream: number.into(), opener, by });
            }
        }
    }
}
