//! What is no call on a descriptor: tasks begin, execute programs and end; descriptors
//! arrive; io_uring transfers.

use super::names::CLONE_FLAGS;
use super::value::{bytes, flags, quoted, until_nul, write};
use crate::errno;
use crate::event::{Glance, fork_call, uring_call};
use crate::inspect::waiting_call;
use forkscope_proto as proto;
use nix::sys::signal::Signal;
use proto::Config;

/// `fork() = CHILD`, `vfork() = CHILD`, or `clone(FLAGS) = TID`: whichever call it was, by what it does.
pub(super) fn fork(record: &proto::Fork, out: &mut String) {
    let (name, shared) = fork_call(record);
    write(out, format_args!("{name}("));
    if name == "clone" {
        flags(shared, CLONE_FLAGS, out);
    }
    write(out, format_args!(") = {}", record.child_tid));
}

/// `execve(_, ["program", "argument"]) = 0`; without a command line, the process' name.
pub(super) fn exec(record: &proto::Exec, payload: &[u8], out: &mut String) {
    out.push_str("execve(");
    if payload.is_empty() {
        quoted(until_nul(&record.comm), out);
        out.push_str(", ...) = 0");
        return;
    }
    out.push_str("_, [");
    let words = payload.strip_suffix(&[0]).unwrap_or(payload);
    for (place, word) in words.split(|byte| *byte == 0).enumerate() {
        out.push_str(if place > 0 { ", " } else { "" });
        quoted(word, out);
    }
    // No probe takes more: there may be more.
    out.push_str(if payload.len() >= Config::MOST_DETAIL { "..." } else { "" });
    out.push_str("], ...) = 0");
}

/// `exited with 3`, `killed by SIGSEGV`; of a thread that is not its process' last, `thread exited with 0`;
/// `ended, unseen`: the event was lost.
pub(super) fn exit(record: &proto::Exit, out: &mut String) {
    out.push_str(if record.last == 0 { "thread " } else { "" });
    let Some(status) = record.status() else {
        out.push_str("ended, unseen");
        return;
    };
    // Its parts: wait(2).
    let (signal, code) = (status & 0x7f, status >> 8 & 0xff);
    match i32::try_from(signal).ok().and_then(|signal| Signal::try_from(signal).ok()) {
        Some(signal) => write(out, format_args!("killed by {}", signal.as_str())),
        None if signal == 0 => write(out, format_args!("exited with {code}")),
        None => write(out, format_args!("killed by signal {signal}")),
    }
    out.push_str(if signal != 0 && status & 0x80 != 0 { ", core dumped" } else { "" });
}

/// `io_uring_send(socket:[4711]) = 12`: which descriptor it was, nobody knows.
pub(super) fn uring(record: &proto::UringIo, out: &mut String) {
    let result = errno::result(i64::from(record.ret));
    write(out, format_args!("{}(socket:[{}]) = {result}", uring_call(record), record.file.inode));
}

/// `SSL_write("GET / HTTP/1.1") = 14 inside TLS on fd 3`; `on no socket`: the call used none.
pub(super) fn plaintext(record: &proto::Plaintext, payload: &[u8], out: &mut String) {
    write(out, format_args!("{}(", record.act().map_or("SSL", proto::Act::name)));
    if let Some(proto::Act::Read | proto::Act::Write) = record.act() {
        bytes(payload, u64::try_from(record.ret).unwrap_or(0), out);
    }
    write(out, format_args!(") = {} inside TLS on ", record.ret));
    match record.fd {
        0.. => write(out, format_args!("fd {}", record.fd)),
        _ => out.push_str("no socket"),
    }
}

/// `received fds 5, 6 over fd 3`.
pub(super) fn passed(record: &proto::Passed, out: &mut String) {
    let listed = record.fds.iter().take(record.count as usize);
    out.push_str(if record.count == 1 { "received fd " } else { "received fds " });
    for (place, passed) in listed.enumerate() {
        write(out, format_args!("{}{}", if place > 0 { ", " } else { "" }, passed.fd));
    }
    let more = (record.count as usize).saturating_sub(record.fds.len());
    if more > 0 {
        write(out, format_args!(" and {more} more"));
    }
    write(out, format_args!(" over fd {}", record.via));
}

/// `looked at: epoll_wait(0x3), futex(0x7f00)`: the call that each thread of a child is
/// in, and its first argument.
pub(super) fn glance(seen: &Glance, out: &mut String) {
    out.push_str("looked at: ");
    for (place, thread) in seen.threads.iter().enumerate() {
        out.push_str(if place > 0 { ", " } else { "" });
        match thread.call.map(|call| (waiting_call(call.nr), call)) {
            Some((Some(name), call)) => write(out, format_args!("{name}({:#x})", call.args[0])),
            Some((None, call)) => write(out, format_args!("syscall_{:#x}({:#x})", call.nr, call.args[0])),
            None => out.push_str("running"),
        }
    }
}
