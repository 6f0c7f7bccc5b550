//! What forkscope and its keeper say to each other: commands and replies, a message each.

use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, recv, send};
use std::os::fd::{AsRawFd, OwnedFd};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, TryFromBytes};

/// What forkscope asks of the keeper.
#[derive(Clone, Copy, Debug, PartialEq, Eq, TryFromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(u32)]
pub(super) enum Ask {
    /// Trace the process and all its threads.
    Follow = 1,
    /// As `Follow`; the process will install the filter.
    FollowFiltered = 2,
    /// Trace the process no more.
    Leave = 3,
    /// Say what it has cost.
    Account = 4,
    /// Let everything go, as far as that can be, and end.
    Quit = 5,
    /// Stop the process, or leave it stopped.
    Hold = 6,
    /// Let the process go on, if it was stopped here.
    Release = 7,
    /// Others have let it go on.
    Forget = 8,
}

/// A command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, TryFromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(super) struct Command {
    /// What to do.
    pub(super) ask: Ask,
    /// About which process; 0: none.
    pub(super) tgid: u32,
    /// Its number, for the answer.
    pub(super) serial: u32,
}

/// What the keeper says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, TryFromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(u32)]
pub(super) enum Say {
    /// The command with the number in `about` is done: 0 or an errno; for [`Ask::Account`]
    /// microseconds of processor time.
    Done = 1,
    /// Many records wait.
    Wake = 2,
    /// Records of the kind in `about` were lost, so many in all.
    Lost = 3,
    /// The filter could not be installed in the process in `about`: the errno.
    NoFilter = 4,
    /// The process in `about` installs a filter of its own.
    OwnFilter = 5,
    /// The process in `about` makes 32-bit calls.
    Compat = 6,
    /// The process in `about` does not let its descriptors be looked at.
    Hidden = 7,
    /// The process in `about` is stopped at a failing call. It waits for a word.
    Stopped = 8,
}

/// A reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, TryFromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(super) struct Reply {
    /// What is said.
    pub(super) say: Say,
    /// About which process, kind or command.
    pub(super) about: u32,
    /// See [`Say`].
    pub(super) value: u64,
}

/// Sends a message.
///
/// # Errors
/// `EPIPE` where the other side is gone; `EAGAIN`, with `MSG_DONTWAIT`, where it has not read for long.
pub(super) fn tell<M: IntoBytes + Immutable>(to: &OwnedFd, message: &M, flags: MsgFlags) -> nix::Result<()> {
    send(to.as_raw_fd(), message.as_bytes(), flags | MsgFlags::MSG_NOSIGNAL).map(drop)
}

/// Receives a message; `None` where the other side is gone, or spoke nonsense.
///
/// # Errors
/// `EAGAIN`, with `MSG_DONTWAIT`, where there is none.
pub(super) fn hear<M: TryFromBytes>(from: &OwnedFd, flags: MsgFlags) -> nix::Result<Option<M>> {
    let mut bytes = [0; 16];
    loop {
        match recv(from.as_raw_fd(), &mut bytes, flags) {
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno),
            Ok(length) => {
                return Ok(bytes.get(..length).and_then(|bytes| M::try_read_from_bytes(bytes).ok()));
            }
        }
    }
}

/// What stands before each record in the pipe: its length in bytes.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(super) struct Length(pub(super) u32);

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};

    #[test]
    fn messages_arrive_whole_and_nonsense_is_none() {
        let flags = SockFlag::SOCK_CLOEXEC;
        let (here, there) =
            socketpair(AddressFamily::Unix, SockType::SeqPacket, None, flags).expect("a pair");
        let command = Command { ask: Ask::Follow, tgid: 7, serial: 1 };
        tell(&here, &command, MsgFlags::empty()).expect("there is room");
        tell(&here, &[9_u32, 9], MsgFlags::empty()).expect("there is room");
        assert_eq!(hear(&there, MsgFlags::empty()), Ok(Some(command)));
        assert_eq!(hear::<Command>(&there, MsgFlags::empty()), Ok(None));
        assert_eq!(hear::<Command>(&there, MsgFlags::MSG_DONTWAIT), Err(Errno::EAGAIN));
        drop(here);
        assert_eq!(hear::<Command>(&there, MsgFlags::empty()), Ok(None));
    }
}
