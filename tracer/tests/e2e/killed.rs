//! forkscope killed: the traced program goes on, and the kernel keeps nothing of it.

use crate::env::{Env, forkscope};
use crate::process::{Process, until};
use nix::sys::signal::Signal;
use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

/// Commands of bpf(2) (include/uapi/linux/bpf.h) that walk over the ids of programs and maps.
const NEXT_ID: [libc::c_long; 2] = [11, 12];
const NAMES: [&str; 2] = ["prog_id:", "map_id:"];

/// What bpf(2) takes and gives for them.
#[repr(C)]
#[derive(Default)]
struct Walk {
    start: u32,
    next: u32,
    flags: u32,
}

/// Ids of all programs (0) or maps (1) in the kernel.
fn in_kernel(kind: usize) -> BTreeSet<u32> {
    let mut walk = Walk::default();
    let mut ids = BTreeSet::new();
    // SAFETY: the kernel reads and writes one `Walk`, whose length it is given.
    while unsafe { libc::syscall(libc::SYS_bpf, NEXT_ID[kind], &raw mut walk, size_of::<Walk>()) } == 0 {
        ids.insert(walk.next);
        walk.start = walk.next;
    }
    ids
}

/// Ids of the programs (0) or maps (1) that a process holds, from what /proc says of its descriptors.
fn held(pid: u32, kind: usize) -> BTreeSet<u32> {
    let files = fs::read_dir(format!("/proc/{pid}/fdinfo")).expect("it runs").flatten();
    let text: String = files.filter_map(|file| fs::read_to_string(file.path()).ok()).collect();
    text.lines().filter_map(|line| line.strip_prefix(NAMES[kind])?.trim().parse().ok()).collect()
}

#[test]
fn killed_it_leaves_nothing() {
    let Some(_) = Env::get() else { return };
    let mut forkscope = Process::start(Command::new(forkscope()).args(["run", "--ui", "none", "--", "cat"]));
    // What goes through the program comes back: it runs, and so do the probes.
    forkscope.go_on();
    forkscope.stdout_says("");
    let pid = forkscope.pid();
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).expect("it runs");
    let program: u32 = children.split_whitespace().next().expect("a child").parse().expect("a pid");
    let ours = [0, 1].map(|kind| held(pid, kind));
    assert!(ours.iter().all(|ids| !ids.is_empty()), "it traces: {ours:?}");
    forkscope.signal(Signal::SIGKILL);
    forkscope.wait();
    forkscope.go_on();
    forkscope.stdout_says("");
    let state = fs::read_to_string(format!("/proc/{program}/stat")).expect("the program runs on");
    assert!(!state.contains(") Z") && !state.contains(") T") && !state.contains(") t"), "it runs: {state}");
    for (kind, ours) in ours.iter().enumerate() {
        until("the kernel lets go", || in_kernel(kind).is_disjoint(ours));
    }
    forkscope.close_stdin();
    until("the program ends by itself", || !fs::exists(format!("/proc/{program}/fd/0")).unwrap_or(false));
}
