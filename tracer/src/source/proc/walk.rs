//! One look at processes and their descendants, with no tracing.

use super::{cmdline, endpoints, key, place, process, same, sockets, thread, to_io, with_descendants};
use crate::event::ProcKey;
use crate::inspect::{Look, SeenProcess};
use crate::model::Place;
use forkscope_proto::FileKind;
use nix::time::{ClockId, clock_gettime};
use nix::unistd::{SysconfVar, sysconf};
use std::collections::BTreeSet;
use std::io;
use std::time::Duration;

/// Looks at these processes and all their descendants. What may not be looked at is left out, and noted.
#[must_use]
pub fn walk(pids: &[u32]) -> Look {
    let mut look = Look::default();
    let mut known = BTreeSet::new();
    for pid in pids.iter().flat_map(|&pid| with_descendants(pid)) {
        // One that has ended meanwhile is no failure. forkscope itself may be a descendant of a shell.
        if pid != std::process::id()
            && known.insert(pid)
            && let Ok(seen) = one(pid)
        {
            look.processes.push(seen);
        }
    }
    note_hidden(&mut look);
    if same::number(&mut look.processes) > 0 {
        look.notes.push(
            "of some descriptors it could not be asked whether they are one open file (kcmp(2)): they are told by \
             their inodes, or by what they watch; asking takes the right to trace their processes"
                .to_owned(),
        );
    }
    let seen = look.processes.iter().filter(|process| !process.descriptors.is_empty());
    let pids: Vec<u32> = seen.map(|process| process.key.tgid).collect();
    let descriptors = look.processes.iter().flat_map(|process| &process.descriptors);
    let inodes = descriptors.filter(|entry| entry.kind == FileKind::Socket).map(|entry| entry.inode);
    let told = sockets::look_up(&pids, inodes);
    for pid in &told.by_proc {
        look.notes.push(format!(
            "the network namespace of process {pid} could not be entered: its sockets are told by /proc/{pid}/net, \
             which does not know the peers of unix sockets; root may enter it"
        ));
    }
    look.sockets = told.sockets();
    look
}

/// A process as /proc shows it now.
fn one(pid: u32) -> io::Result<SeenProcess> {
    let of = process(pid)?;
    let stat = of.stat().map_err(to_io)?;
    let seen = ProcKey { tgid: pid, start: stat.starttime };
    let (descriptors, hidden) = match endpoints::of(pid) {
        Ok(descriptors) => (descriptors, false),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => (Vec::new(), true),
        Err(error) => return Err(error),
    };
    let threads = thread::of(pid);
    // The number may have become another process' meanwhile.
    if key(pid)? != seen {
        return Err(io::ErrorKind::NotFound.into());
    }
    Ok(SeenProcess {
        key: seen,
        ppid: u32::try_from(stat.ppid).unwrap_or(0),
        comm: stat.comm,
        cmdline: cmdline(pid),
        place: Place { container: place::container(pid), ..place(pid)? },
        exe: of.exe().ok().map(|path| path.to_string_lossy().into_owned()),
        age: age(stat.starttime),
        threads,
        descriptors,
        hidden,
    })
}

/// Seconds since a moment that is given in clock ticks since boot (field 22 of /proc/PID/stat).
fn age(ticks: u64) -> f64 {
    let now = clock_gettime(ClockId::CLOCK_BOOTTIME).map_or(0.0, |time| Duration::from(time).as_secs_f64());
    let per_second = sysconf(SysconfVar::CLK_TCK).ok().flatten().unwrap_or(100);
    (now - ticks as f64 / per_second as f64).max(0.0)
}

fn note_hidden(look: &mut Look) {
    let hidden: Vec<String> = look
        .processes
        .iter()
        .filter(|process| process.hidden)
        .map(|process| process.key.tgid.to_string())
        .collect();
    if hidden.is_empty() {
        return;
    }
    let (noun, why) = match hidden.len() {
        1 => ("process", "it is another user's, or has given up its privileges"),
        _ => ("processes", "they are another user's, or have given up their privileges"),
    };
    let cure = match nix::unistd::geteuid().is_root() {
        true => "root needs CAP_SYS_PTRACE for it, which a container may lack",
        false => "run it as root (sudo)",
    };
    let pids = hidden.join(", ");
    look.notes.push(format!("the descriptors of {noun} {pids} may not be looked at: {why}; {cure}"));
}
