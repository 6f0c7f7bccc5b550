//! All ways in which programs on system calls read the kernel's structures tell the same.

use crate::env::Env;
use crate::process::until;
use aya::programs::loaded_programs;
use forkscope::decode::Batch;
use forkscope::event::{Event, What};
use forkscope::source::ebpf::{Access, EbpfSource, Settings};
use forkscope::source::{Known, Source as _, proc};
use forkscope_proto::{FileKind, calls};
use nix::sys::eventfd::{EfdFlags, EventFd};
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::process::Command;
use std::time::{Duration, Instant};

/// What a shell does on a socket, a pipe, a file and a number that is free.
const SCRIPT: &str = "echo ready; read line; exec 4>&1; exec 5</dev/null; exec 4>&-; echo answer >&1; (echo child); echo >&7; exit 5";

/// What it and its child did, without what differs from run to run: addresses, inodes, numbers of processes.
/// It is traced as a process of so many threads.
fn told(access: Access, threads: u32) -> [Vec<String>; 2] {
    let mut source = EbpfSource::start(&Settings { access, ..Settings::default() }).expect("eBPF works here");
    // Not the other pair, which is taken where the first is refused.
    let programs: Vec<String> = source.account().programs.into_iter().map(|program| program.name).collect();
    // Before Linux 5.11 the kernel refuses typed programs; then the probing pair is
    // loaded, whatever is asked for.
    let typed = access != Access::Probing && kernel() >= (5, 11);
    let probing = ["forkscope_enter_probing", "forkscope_exit_probing"];
    for (followed, probed) in ["forkscope_enter", "forkscope_exit"].into_iter().zip(probing) {
        let loaded = [followed, probed].map(|name| programs.iter().any(|program| program == name));
        assert_eq!(loaded, [typed, !typed], "{programs:?}");
    }
    let listener = TcpListener::bind("127.0.0.1:0").expect("listen");
    let mut here = TcpStream::connect(listener.local_addr().expect("an address")).expect("connect");
    let there = OwnedFd::from(listener.accept().expect("accept").0);
    let mut shell = Command::new("sh");
    shell.args(["-c", SCRIPT]).stdin(there.try_clone().expect("dup")).stdout(there);
    // It complains of the free number there.
    let complaints = EventFd::from_flags(EfdFlags::EFD_NONBLOCK).expect("an eventfd");
    let mut child = shell.stderr(OwnedFd::from(complaints)).spawn().expect("sh");
    drop(shell);
    let key = proc::key(child.id()).expect("it runs");
    // What its start asks for is not the same each time.
    let mut ready = [0; 6];
    here.read_exact(&mut ready).expect("read");
    assert_eq!(&ready, b"ready\n");
    // The call that wrote it may not have ended: it waits for the line then.
    until("the shell reads", || {
        let call = fs::read_to_string(format!("/proc/{}/syscall", child.id())).expect("it runs");
        call.starts_with(&format!("{} 0x0 ", calls::READ))
    });
    source.follow(key, Known { threads, ..Known::default() }).expect("it can be traced");
    here.write_all(b"go on\n").expect("write");
    let mut answer = String::new();
    here.read_to_string(&mut answer).expect("read");
    assert_eq!(answer, "answer\nchild\n");
    child.wait().expect("it ends");
    let (mut batch, mut lines) = (Batch::default(), [Vec::new(), Vec::new()]);
    let mut ended = false;
    let patience = Instant::now() + Duration::from_secs(20);
    while !ended && Instant::now() < patience {
        source.drain(&mut batch);
        batch.take(None, None, |event, _| {
            assert!(event.process.start >= key.start, "{event:?}");
            ended |= event.process == key && matches!(event.what, What::Exit(exit) if exit.last == 1);
            lines[usize::from(event.process != key)].extend(line(event));
        });
    }
    assert!(ended, "the end of the shell was not seen: {lines:#?}");
    lines
}

/// The running kernel's release, its first two numbers.
fn kernel() -> (u32, u32) {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").expect("a release");
    let mut numbers =
        release.split(|char: char| !char.is_ascii_digit()).map(|part| part.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}

fn line(event: &Event<'_>) -> Option<String> {
    Some(match event.what {
        What::Io(io, payload) => {
            let text = String::from_utf8_lossy(payload);
            let has_position = io.seq != 0;
            let on = (io.fd, io.file.kind, has_position);
            format!("transfer {} on {on:?} = {}: {text}", io.header.nr, io.ret)
        }
        What::Call(call, _) => {
            let (file, other) = (call.file, call.other);
            let kinds = (file.kind, file.device, file.flags, other.kind, other.flags, call.replaced.kind);
            let ret = if call.file.kind == 0 { call.ret } else { call.ret.min(100) };
            format!("call {} on {}, {}: {kinds:?} = {ret}", call.header.nr, call.fd, call.other_fd)
        }
        What::Socket(socket, _) => format!("socket {} {} {}", socket.family, socket.kind, socket.state),
        What::Fork(fork) => format!("fork, {} threads", fork.threads),
        What::Exit(exit) => format!("exit {}", exit.status),
        _ => return None,
    })
}

#[test]
fn pointers_lead_to_the_same_in_whichever_way_they_are_followed() {
    if Env::get().is_none() {
        return;
    }
    let accesses = [Access::Casting, Access::Typed, Access::Probing];
    let [cast, followed, probed] = accesses.map(|access| told(access, 1));
    let [shell, child] = &followed;
    assert!(shell.iter().any(|line| line.starts_with("socket 2 1")), "{followed:#?}");
    for (lines, said) in [(shell, "answer"), (child, "child")] {
        let is_it = |line: &String| line.contains("(1, 1, true)") && line.contains(said);
        assert!(lines.iter().any(is_it), "{followed:#?}");
    }
    let eventfd = format!("transfer 1 on (2, {}, false)", FileKind::Eventfd as u8);
    assert!(shell.iter().any(|line| line.starts_with(&eventfd)), "{followed:#?}");
    assert_eq!(followed, probed);
    assert_eq!(cast, probed);
    // What is behind a number is taken at the entry then.
    for access in accesses {
        assert_eq!(told(access, 2), probed, "{access:?}");
    }
}

/// What the kernel's verifier may look at in the programs on system calls, each time that a session begins:
/// a few tens of milliseconds. A pointer that is followed on many ways, or memory that is cleared byte by
/// byte, makes it twice as much.
const MOST_VERIFIED: u32 = 36_000;
/// Likewise of the older kernel's verifier, which knows fewer of them by another.
const MOST_VERIFIED_BEFORE_6_18: u32 = 48_000;

#[test]
fn the_verifier_has_little_to_look_at() {
    // The kernel counts since Linux 5.16.
    if Env::get().is_none() || kernel() < (5, 16) {
        return;
    }
    let programs = || loaded_programs().filter_map(Result::ok);
    let before: Vec<u32> = programs().map(|program| program.id()).collect();
    let _source = EbpfSource::start(&Settings::default()).expect("eBPF works here");
    let programs = programs().filter(|program| !before.contains(&program.id()));
    let counts: Vec<(String, u32)> = programs
        .filter_map(|program| {
            Some((program.name_as_str()?.to_owned(), program.verified_instruction_count()?))
        })
        .filter(|(name, _)| ["forkscope_enter", "forkscope_exit"].contains(&name.as_str()))
        .collect();
    assert!(counts.len() >= 2, "{counts:?}");
    let most = if kernel() < (6, 18) { MOST_VERIFIED_BEFORE_6_18 } else { MOST_VERIFIED };
    assert!(counts.iter().all(|&(_, count)| count <= most), "{counts:?}");
}
