//! Which events have a line, by how much the user wants to see.

use crate::errno;
use crate::event::{Event, What};
use forkscope_proto as proto;
use proto::process::CLONE_THREAD;
use proto::{FileKind, FileRef, Spec, calls};

/// Whether the event has a line in the log: at 0 none, at 1 (`-v`) what makes, ends or hands on processes and
/// connections, and calls on descriptors that failed; from 2 (`-vv`) each call.
#[must_use]
pub fn worth(event: &Event<'_>, verbosity: u8) -> bool {
    let of_interest = match event.what {
        What::Socket(..) | What::Snapshot(_) => return false,
        // Of no interest by itself, but each is one from 2 on.
        What::Glance(_) | What::Plaintext(..) => false,
        What::Fork(fork) => fork.flags & CLONE_THREAD == 0,
        What::Exit(exit) => exit.last != 0,
        What::Exec(..) | What::Passed(_) | What::Compat => true,
        What::Call(call, _) => of_interest(call),
        What::Io(io, _) => io.fd >= 0 && failed(io.ret),
        What::Uring(io) => failed(i64::from(io.ret)),
    };
    match verbosity {
        0 => false,
        1 => of_interest,
        _ => true,
    }
}

fn of_interest(call: &proto::Call) -> bool {
    let spec = calls::SPECS.get(usize::from(call.header.nr)).unwrap_or(&Spec::IGNORED);
    // A number below zero never was a descriptor: healthy programs close it too.
    if failed(call.ret) && spec.fd != Spec::NO_FD && call.fd >= 0 {
        return true;
    }
    match call.header.nr {
        // A connect that is under way is the usual beginning of a connection.
        calls::CONNECT => socket(&call.file),
        calls::ACCEPT | calls::ACCEPT4 => socket(&call.other),
        calls::CLOSE | calls::SHUTDOWN => call.fd >= 0 && socket(&call.file),
        calls::DUP2 | calls::DUP3 => socket(&call.replaced) || call.ret >= 0 && socket(&call.file),
        calls::PIDFD_GETFD => socket(&call.file),
        calls::CLOSE_RANGE | calls::UNSHARE => true,
        _ => false,
    }
}

fn socket(file: &FileRef) -> bool {
    file.kind() == FileKind::Socket
}

fn failed(ret: i64) -> bool {
    errno::of(ret).is_some_and(|errno| !errno::is_not_now(errno))
}
