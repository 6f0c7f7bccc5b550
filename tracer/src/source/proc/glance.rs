//! A glance at a child that may stand still: a few small files of /proc, and only where it
//! seems to, what it waits on.

use super::link::{Details, number};
use super::thread::{self, Stat};
use super::{at_most, key};
use crate::event::{
    FutexWait, Glance, GlancedThread, MOST_PARENT_THREADS, MOST_THREADS, MOST_WATCHED, ParentThread, ProcKey,
    SeenCall, WaitsOn, WantedGlance,
};
use crate::inspect;
use forkscope_proto::calls;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::ffi::OsStrExt;

/// The most that is read of a status, io or fdinfo file, in bytes.
const MOST: u64 = 1 << 14;
/// The most that is read of a process' mappings, in bytes: enough for ten thousand of them.
const MOST_MAPS: u64 = 1 << 20;

/// Looks at a child.
///
/// # Errors
/// Where there is no such process any more.
pub fn glance(wanted: &WantedGlance) -> io::Result<Glance> {
    let pid = wanted.child.tgid;
    let (tids, more) = tids(pid, MOST_THREADS)?;
    let seen = tids.into_iter().filter_map(|tid| one(pid, tid, wanted.closely));
    let mut threads: Vec<(GlancedThread, u64)> = seen.collect();
    threads.sort_by_key(|(thread, _)| thread.tid);
    let caught = threads.first().map_or(0, |(_, caught)| *caught);
    let glance = Glance {
        threads: threads.into_iter().map(|(thread, _)| thread).collect(),
        more,
        moved: at_most(MOST, &format!("/proc/{pid}/io")).ok().and_then(|text| moved(&text)),
        caught,
        parent: wanted.parent.and_then(|parent| parent_threads(parent, wanted.child).ok()),
    };
    // The number may have become another process' meanwhile.
    if key(pid)? == wanted.child { Ok(glance) } else { Err(io::ErrorKind::NotFound.into()) }
}

/// The numbers of a process' threads, and whether there are more.
fn tids(pid: u32, most: usize) -> io::Result<(Vec<u32>, bool)> {
    let folder = fs::read_dir(format!("/proc/{pid}/task"))?;
    let mut numbers =
        folder.flatten().filter_map(|entry| u32::try_from(number(entry.file_name().as_bytes())?).ok());
    let tids = numbers.by_ref().take(most).collect();
    Ok((tids, numbers.next().is_some()))
}

/// A thread, and the signals that its process catches.
fn one(pid: u32, tid: u32, closely: bool) -> Option<(GlancedThread, u64)> {
    let file = |name: &str| at_most(MOST, &format!("/proc/{pid}/task/{tid}/{name}")).ok();
    let Stat { ticks, .. } = Stat::read(&file("stat")?)?;
    let (switches, caught) = status(&file("status")?);
    let call = file("syscall").and_then(|text| thread::syscall(&text));
    let on = call.filter(|_| closely).map_or(WaitsOn::Unknown, |call| waits_on(pid, call));
    Some((GlancedThread { tid, ticks, switches, call, on }, caught))
}

/// How often a thread has begun to wait, and the signals that its process catches (proc_pid_status(5)).
fn status(text: &[u8]) -> (u64, u64) {
    let (mut switches, mut caught) = (0, 0);
    for line in text.split(|&byte| byte == b'\n') {
        if let Some(count) = line.strip_prefix(b"voluntary_ctxt_switches:") {
            switches = number(count.trim_ascii()).unwrap_or(0);
        } else if let Some(mask) = line.strip_prefix(b"SigCgt:") {
            let mask = std::str::from_utf8(mask.trim_ascii()).unwrap_or_default();
            caught = u64::from_str_radix(mask, 16).unwrap_or(0);
        }
    }
    (switches, caught)
}

/// Bytes read and written (proc_pid_io(5)).
fn moved(text: &[u8]) -> Option<u64> {
    let lines = || text.split(|&byte| byte == b'\n');
    let field = |name: &[u8]| number(lines().find_map(|line| line.strip_prefix(name))?);
    Some(field(b"rchar: ")?.saturating_add(field(b"wchar: ")?))
}

/// What a call waits on, beyond its arguments.
fn waits_on(pid: u32, call: SeenCall) -> WaitsOn {
    if let Some(wait) = call.futex() {
        let shared = if wait.private { Some(false) } else { is_shared(pid, wait.address) };
        return WaitsOn::Futex { owner: wait.owner(&words(pid, wait.address)), shared };
    }
    if inspect::polls(call.nr) {
        let mut fds = thread::polled(pid, call);
        fds.truncate(MOST_WATCHED);
        return WaitsOn::Poll(fds);
    }
    let nr = u16::try_from(call.nr).unwrap_or(0);
    if matches!(nr, calls::EPOLL_WAIT | calls::EPOLL_PWAIT | calls::EPOLL_PWAIT2) {
        // The kernel takes the lower half.
        return WaitsOn::Epoll(watched(pid, call.args[0] as i32));
    }
    WaitsOn::Unknown
}

/// The words at an address of a process.
fn words(pid: u32, address: u64) -> Vec<u32> {
    let mut bytes = [0; FutexWait::WORDS * size_of::<u32>()];
    let read = thread::memory(pid, address, &mut bytes);
    bytes[..read].as_chunks().0.iter().copied().map(u32::from_ne_bytes).collect()
}

/// Whether an address lies in a mapping that a process may share with others:
/// `7f00-7f10 rw-s` (proc_pid_maps(5)).
fn is_shared(pid: u32, address: u64) -> Option<bool> {
    let maps = File::open(format!("/proc/{pid}/maps")).ok()?.take(MOST_MAPS);
    shared_in(BufReader::with_capacity(1 << 16, maps), address)
}

fn shared_in(mut maps: impl BufRead, address: u64) -> Option<bool> {
    let mut line = Vec::new();
    while maps.read_until(b'\n', &mut line).ok()? > 0 {
        let mut words = line.split(|&byte| byte == b' ');
        let range = std::str::from_utf8(words.next()?).ok()?;
        let (from, to) = range.split_once('-')?;
        let hex = |digits| u64::from_str_radix(digits, 16).ok();
        if (hex(from)?..hex(to)?).contains(&address) {
            return Some(words.next()?.get(3) == Some(&b's'));
        }
        line.clear();
    }
    None
}

/// What an epoll instance watches.
fn watched(pid: u32, fd: i32) -> Option<Vec<(i32, Option<u64>)>> {
    let text = at_most(MOST, &format!("/proc/{pid}/fdinfo/{fd}")).ok()?;
    let watches = Details::read(&text).watches;
    let whole = text.len() < MOST as usize && watches.len() <= MOST_WATCHED;
    whole.then(|| watches.into_iter().map(|watch| (watch.fd, watch.inode)).collect())
}

/// The threads of a process that are older than another process. Of those that began in one clock tick,
/// numbers tell: they are given out in order (`alloc_pid`, kernel/pid.c), but where they begin anew.
pub(super) fn parent_threads(pid: u32, child: ProcKey) -> io::Result<Vec<ParentThread>> {
    let (tids, _) = tids(pid, MOST_PARENT_THREADS)?;
    let thread = |tid| {
        let text = at_most(MOST, &format!("/proc/{pid}/task/{tid}/stat")).ok()?;
        let stat = Stat::read(&text)?;
        ((stat.start, tid) < (child.start, child.tgid)).then_some(ParentThread { tid, comm: stat.comm })
    };
    Ok(tids.into_iter().filter_map(thread).collect())
}

#[cfg(test)]
mod tests;
