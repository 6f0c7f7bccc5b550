//! A call is on what was behind its descriptor when it began, whatever another thread has put there since.

use crate::env::{Env, program};
use forkscope::decode::Batch;
use forkscope::event::What;
use forkscope::source::ebpf::{Access, EbpfSource, Settings};
use forkscope::source::{Known, Source as _, proc};
use forkscope_proto::{FileKind, calls};
use std::io::Write as _;
use std::process::{Command, Stdio};

/// The calls that wait in the program.
const WAITS: [u16; 4] = [calls::READ, calls::RECVFROM, calls::EPOLL_WAIT, calls::ACCEPT4];

/// What those that have ended well are told to have been on: their number, and kind and inode of the file.
fn told(access: Access) -> (Vec<(u16, FileKind, u64)>, String) {
    let mut source = EbpfSource::start(&Settings { access, ..Settings::default() }).expect("eBPF works here");
    let mut python = Command::new("python3");
    python.arg(program("displaced.py")).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = python.spawn().expect("python3");
    source.follow(proc::key(child.id()).expect("it runs"), Known::default()).expect("it can be traced");
    child.stdin.take().expect("a pipe").write_all(b"go on\n").expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success());
    let (mut batch, mut on) = (Batch::default(), Vec::new());
    source.drain(&mut batch);
    batch.take(None, None, |event, _| {
        let (nr, ret, file) = match event.what {
            What::Io(io, _) => (io.header.nr, io.ret, io.file),
            What::Call(call, _) => (call.header.nr, call.ret, call.file),
            _ => return,
        };
        if ret >= 0 && WAITS.contains(&nr) {
            on.push((nr, FileKind::from_number(file.kind), file.inode));
        }
    });
    (on, String::from_utf8(output.stdout).expect("text"))
}

#[test]
fn a_call_goes_on_with_what_another_thread_displaces() {
    if Env::get().is_none() {
        return;
    }
    for access in [Access::Casting, Access::Typed, Access::Probing] {
        let (mut on, said) = told(access);
        let expected: Vec<(u16, u64)> =
            said.lines().map(|line| serde_json::from_str(line).expect("a call and an inode")).collect();
        assert_eq!(expected.len(), 8, "{said}");
        for (nr, inode) in expected {
            let kind = match nr {
                calls::READ => FileKind::Eventfd,
                calls::EPOLL_WAIT => FileKind::Epoll,
                _ => FileKind::Socket,
            };
            // Instances of epoll and eventfds have one inode: each is taken out, so that
            // one does not stand for two.
            let found = on.iter().position(|told| *told == (nr, kind, inode));
            let found = found.unwrap_or_else(|| panic!("{access:?}: no {nr} on {kind:?} {inode}: {on:?}"));
            on.remove(found);
        }
    }
}
