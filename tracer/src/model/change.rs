//! What an event changed.

use super::{EpollUse, Origin, ProcId, SockId, Taken};
use crate::protocol::Sign;

/// One thing that an event changed, for the rules and screens to look at.
#[derive(Clone, Copy, Debug)]
pub enum Change {
    /// A process was forked.
    Forked {
        /// By which process.
        parent: ProcId,
        /// The new one.
        child: ProcId,
    },
    /// A process has a connection that was not known before.
    Connected {
        /// Which process.
        process: ProcId,
    },
    /// A connection crossed a fork for the first time.
    Crossed {
        /// Which.
        socket: SockId,
        /// Its number, the same in both.
        fd: i32,
        /// Who forked.
        parent: ProcId,
        /// Who inherited it.
        child: ProcId,
    },
    /// A process executed a program.
    Executed {
        /// Which.
        process: ProcId,
    },
    /// A process ended.
    Ended {
        /// Which.
        process: ProcId,
    },
    /// A call on a descriptor failed.
    Failed(Failure),
    /// Bytes moved on a socket.
    Used {
        /// Which.
        socket: SockId,
        /// Who moved them, when and by which call.
        by: Origin,
        /// Under which number.
        fd: i32,
        /// Sent, or else received.
        sent: bool,
        /// How many.
        bytes: u64,
        /// Turns on it that are remembered by now.
        turns: usize,
    },
    /// A process closed its last descriptor for a connection that it had used, and others hold it still.
    LetGo {
        /// Which.
        socket: SockId,
        /// Who closed it, when and by which call.
        by: Origin,
        /// Under which number.
        fd: i32,
    },
    /// A receive said that no more will come: the peer, or a holder, has ended the stream.
    StreamEnded {
        /// Which.
        socket: SockId,
        /// Who was told, when and by which call.
        by: Origin,
        /// Under which number.
        fd: i32,
    },
    /// A receive found nothing, or was interrupted. Told of connections that have crossed a fork.
    InVain {
        /// Which.
        socket: SockId,
        /// Who waits.
        process: ProcId,
    },
    /// Bytes that continue the session of an inherited connection went to another
    /// socket under its old number.
    Misdirected {
        /// Which socket got them.
        socket: SockId,
        /// Which one they continue.
        meant: SockId,
        /// Who sent them, when and by which call.
        by: Origin,
        /// Under which number.
        fd: i32,
        /// How many.
        bytes: u64,
    },
    /// What the bytes just moved on a socket meant.
    Said {
        /// Which.
        socket: SockId,
        /// Who moved them, when and by which call.
        by: Origin,
        /// Under which number.
        fd: i32,
        /// The meaning.
        sign: Sign,
    },
    /// A child of a process with several threads was looked at.
    Glanced {
        /// Which.
        process: ProcId,
    },
    /// An epoll instance that another process made or uses, too, was changed, or told somebody of an event.
    Epoll(EpollUse),
    /// A process read from an eventfd or pipe what another had written.
    Taken(Taken),
    /// A number changed hands in a race that the order of events does not decide: ask /proc.
    Uncertain {
        /// Whose table.
        process: ProcId,
    },
}

/// A call that failed on a descriptor.
#[derive(Clone, Copy, Debug)]
pub struct Failure {
    /// Who called, when and what.
    pub by: Origin,
    /// The descriptor.
    pub fd: i32,
    /// The error.
    pub errno: i32,
    /// For `epoll_ctl`: the operation.
    pub operation: u32,
    /// It sent a session's goodbye and nothing else: that of what the number is or was. It is no
    /// loss that it did not arrive.
    pub goodbye: bool,
}

impl Failure {
    /// Of a call on a number, of which no more is known.
    pub(super) fn new(by: Origin, fd: i32, errno: i32) -> Self {
        Self { by, fd, errno, operation: 0, goodbye: false }
    }
}
