//! What changes are about, so that rules are asked only about those that they look at: most transfers are one
//! process' own, and no rule has a word to say on them.

use super::Change;
use crate::protocol::Sign;

/// What a change is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Topic {
    /// [`Change::Forked`].
    Forked,
    /// [`Change::Connected`].
    Connected,
    /// [`Change::Crossed`].
    Crossed,
    /// [`Change::Executed`].
    Executed,
    /// [`Change::Ended`].
    Ended,
    /// [`Change::Failed`].
    Failed,
    /// [`Change::Used`].
    Used,
    /// [`Change::LetGo`].
    LetGo,
    /// [`Change::StreamEnded`].
    StreamEnded,
    /// [`Change::InVain`].
    InVain,
    /// [`Change::Misdirected`].
    Misdirected,
    /// [`Change::Said`], where more than one process has to do with it, or something ends.
    Said,
    /// [`Change::Said`], of what each session consists of.
    Routine,
    /// [`Change::Glanced`].
    Glanced,
    /// [`Change::Epoll`].
    Epoll,
    /// [`Change::Taken`].
    Taken,
    /// [`Change::Uncertain`].
    Uncertain,
}

impl Topic {
    /// How many there are.
    pub const COUNT: usize = Self::Uncertain as usize + 1;
}

impl Change {
    /// What it is about.
    #[must_use]
    pub fn topic(&self) -> Topic {
        match self {
            Self::Forked { .. } => Topic::Forked,
            Self::Connected { .. } => Topic::Connected,
            Self::Crossed { .. } => Topic::Crossed,
            Self::Executed { .. } => Topic::Executed,
            Self::Ended { .. } => Topic::Ended,
            Self::Failed(_) => Topic::Failed,
            Self::Used { .. } => Topic::Used,
            Self::LetGo { .. } => Topic::LetGo,
            Self::StreamEnded { .. } => Topic::StreamEnded,
            Self::InVain { .. } => Topic::InVain,
            Self::Misdirected { .. } => Topic::Misdirected,
            Self::Said { sign, .. } if is_routine(sign) => Topic::Routine,
            Self::Said { .. } => Topic::Said,
            Self::Glanced { .. } => Topic::Glanced,
            Self::Epoll(_) => Topic::Epoll,
            Self::Taken(_) => Topic::Taken,
            Self::Uncertain { .. } => Topic::Uncertain,
        }
    }
}

fn is_routine(sign: &Sign) -> bool {
    match *sign {
        Sign::Recognised(_) | Sign::Frame { .. } | Sign::StreamOpened { .. } | Sign::Request { .. } => true,
        Sign::Preface { again, .. } => !again,
        Sign::Reply { requester, reader, sure } => !sure || requester.is_none_or(|asker| asker == reader),
        Sign::StreamReused { .. }
        | Sign::Answer { .. }
        | Sign::Torn { .. }
        | Sign::Cancelled { .. }
        | Sign::Goodbye { .. }
        | Sign::UsedAfterEnd { .. }
        | Sign::PeerGoodbye { .. } => false,
    }
}
