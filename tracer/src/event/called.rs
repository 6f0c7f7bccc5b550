//! How events name the system calls that they are.

use super::What;
use forkscope_proto as proto;
use proto::calls;
use proto::process::{CLONE_VFORK, CLONE_VM};

/// Names that events have beside those of the calls' table (`forkscope_proto::calls`).
pub const OTHER_CALLS: [&str; 3] = [EXECVE, URING_SEND, URING_RECEIVE];

const EXECVE: &str = "execve";
const URING_SEND: &str = "io_uring_send";
const URING_RECEIVE: &str = "io_uring_receive";

/// Flags that only say where numbers are written, or what the new task begins with:
/// glibc's `fork` sets them too.
const NO_DIFFERENCE: u64 = (libc::CLONE_PARENT_SETTID
    | libc::CLONE_CHILD_SETTID
    | libc::CLONE_CHILD_CLEARTID
    | libc::CLONE_SETTLS
    | libc::CLONE_DETACHED) as u64;

impl What<'_> {
    /// The system call by name: for a fork by what it does, whichever call it was. `None`: it is none, or one
    /// that is not in the table.
    #[must_use]
    pub fn call(&self) -> Option<&'static str> {
        match self {
            What::Call(record, _) => calls::name(record.header.nr),
            What::Io(record, _) => calls::name(record.header.nr),
            What::Fork(record) => Some(fork_call(record).0),
            What::Exec(..) => Some(EXECVE),
            What::Uring(record) => Some(uring_call(record)),
            What::Passed(record) => calls::name(record.header.nr),
            // A library's, no system call.
            What::Plaintext(..) => None,
            What::Exit(_) | What::Socket(..) | What::Compat | What::Snapshot(_) | What::Glance(_) => None,
        }
    }

    /// What the call came to: minus the errno where it failed.
    #[must_use]
    pub fn result(&self) -> Option<i64> {
        match self {
            What::Call(record, _) => Some(record.ret),
            What::Io(record, _) => Some(record.ret),
            What::Uring(record) => Some(record.ret.into()),
            What::Fork(_) | What::Exec(..) | What::Exit(_) | What::Socket(..) | What::Passed(_) => None,
            What::Plaintext(..) | What::Compat | What::Snapshot(_) | What::Glance(_) => None,
        }
    }
}

/// `fork`, `vfork` or `clone`, whichever call it was, by what it does; and the flags that
/// say what `clone` shares.
#[must_use]
pub fn fork_call(record: &proto::Fork) -> (&'static str, u64) {
    let shared = record.flags & !NO_DIFFERENCE;
    match shared {
        0 => ("fork", shared),
        _ if shared == CLONE_VM | CLONE_VFORK => ("vfork", shared),
        _ => ("clone", shared),
    }
}

/// A transfer by io_uring: which of its operations it was, nobody knows.
#[must_use]
pub fn uring_call(record: &proto::UringIo) -> &'static str {
    if record.sent == 1 { URING_SEND } else { URING_RECEIVE }
}
