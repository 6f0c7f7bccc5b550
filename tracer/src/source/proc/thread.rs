//! The threads of a process, and what each is doing.

use super::at_most;
use super::link::number;
use crate::inspect::{self, SeenCall, SeenThread};
use nix::sys::uio::{RemoteIoVec, process_vm_readv};
use nix::unistd::Pid;
use std::fs;
use std::io::IoSliceMut;
use std::os::unix::ffi::OsStrExt;

/// The most that is read of each file, in bytes: each has one line.
const MOST: u64 = 4096;
/// The most descriptors that are read of one list.
const MOST_POLLED: usize = 256;

/// The threads of a process, by number. One that ends meanwhile is left out.
pub(super) fn of(pid: u32) -> Vec<SeenThread> {
    thread_numbers(pid).into_iter().filter_map(|tid| thread(pid, tid)).collect()
}

fn thread(pid: u32, tid: u32) -> Option<SeenThread> {
    let file = |name: &str| at_most(MOST, &format!("/proc/{pid}/task/{tid}/{name}"));
    let Stat { comm, state, .. } = Stat::read(&file("stat").ok()?)?;
    let call = file("syscall").ok().and_then(|text| syscall(&text));
    let polled = call.filter(|call| inspect::polls(call.nr)).map_or_else(Vec::new, |call| polled(pid, call));
    let wchan = file("wchan").ok().map(|text| String::from_utf8_lossy(&text).into_owned());
    // `0`: it does not sleep, or that may not be seen.
    let wchan = wchan.filter(|name| !name.is_empty() && name != "0");
    Some(SeenThread { tid, comm, state, wchan, call, polled })
}

/// What a `stat` line tells (proc_pid_stat(5)).
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stat {
    /// Its name.
    pub(super) comm: String,
    /// Its state.
    pub(super) state: u8,
    /// Processor time that it has used, in clock ticks.
    pub(super) ticks: u64,
    /// When it was started, in clock ticks since boot.
    pub(super) start: u64,
}

impl Stat {
    /// Reads a line. The name stands in parentheses, and may have some itself.
    pub(super) fn read(text: &[u8]) -> Option<Self> {
        let open = text.iter().position(|&byte| byte == b'(')?;
        let close = text.iter().rposition(|&byte| byte == b')')?;
        let comm = String::from_utf8_lossy(text.get(open + 1..close)?).into_owned();
        let rest = text.get(close + 2..)?;
        let mut fields = rest.split(u8::is_ascii_whitespace);
        let state = *fields.next()?.first()?;
        // From the fourth field on: `utime` and `stime` are the 14th and 15th, `starttime` the 22nd.
        let mut field = |skipped| number(fields.nth(skipped)?);
        let ticks = field(10)?.saturating_add(field(0)?);
        Some(Self { comm, state, ticks, start: field(6)? })
    }
}

/// A `syscall` line (proc_pid_syscall(5)): number, six arguments, stack pointer, program counter.
/// `None` where the thread runs or is in no call, and for a 32-bit program, whose numbers are others:
/// its stack lies below 4 GiB.
pub(super) fn syscall(text: &[u8]) -> Option<SeenCall> {
    let mut words = std::str::from_utf8(text).ok()?.split_ascii_whitespace();
    let nr = words.next()?.parse().ok()?;
    let mut hex = || u64::from_str_radix(words.next()?.strip_prefix("0x")?, 16).ok();
    let mut args = [0; 6];
    for argument in &mut args {
        *argument = hex()?;
    }
    let stack = hex()?;
    (stack > u64::from(u32::MAX)).then_some(SeenCall { nr, args })
}

/// The numbers of a process' threads, lowest first.
#[must_use]
pub fn thread_numbers(pid: u32) -> Vec<u32> {
    let Ok(folder) = fs::read_dir(format!("/proc/{pid}/task")) else { return Vec::new() };
    let numbers = folder.flatten().filter_map(|entry| number(entry.file_name().as_bytes())?.try_into().ok());
    let mut numbers: Vec<u32> = numbers.collect();
    numbers.sort_unstable();
    numbers
}

/// Program counter and stack pointer of a thread that waits, as `syscall` ends with them
/// (proc_pid_syscall(5)). `None` where it runs.
#[must_use]
pub fn stands_at(pid: u32, tid: u32) -> Option<[u64; 2]> {
    let text = at_most(MOST, &format!("/proc/{pid}/task/{tid}/syscall")).ok()?;
    let mut words = std::str::from_utf8(&text).ok()?.split_ascii_whitespace().rev();
    let mut hex = || u64::from_str_radix(words.next()?.strip_prefix("0x")?, 16).ok();
    Some([hex()?, hex()?])
}

/// Reads a process' memory by pieces, up to the first that cannot be read as a whole.
#[must_use]
pub fn memory_by_pieces(pid: u32, address: u64, most: usize, piece: usize) -> Vec<u8> {
    let mut bytes = vec![0; most];
    let mut read = 0;
    for room in bytes.chunks_mut(piece) {
        let length = room.len();
        if memory(pid, address.wrapping_add(read as u64), room) < length {
            break;
        }
        read += length;
    }
    bytes.truncate(read);
    bytes
}

/// The descriptors in the list of a `poll`, read from the process' memory where that is allowed.
pub(super) fn polled(pid: u32, call: SeenCall) -> Vec<i32> {
    /// `struct pollfd` (poll(2)): the descriptor, and two masks.
    const ENTRY: usize = 8;
    let [list, length, ..] = call.args;
    let count = usize::try_from(length).unwrap_or(usize::MAX).min(MOST_POLLED);
    let mut bytes = vec![0; count * ENTRY];
    let read = memory(pid, list, &mut bytes);
    let entries = bytes[..read].chunks_exact(ENTRY);
    let fds = entries.map(|entry| i32::from_ne_bytes([entry[0], entry[1], entry[2], entry[3]]));
    // Negative ones are passed over.
    fds.filter(|&fd| fd >= 0).collect()
}

/// Reads a process' memory, where that is allowed: how many bytes.
pub(super) fn memory(pid: u32, address: u64, bytes: &mut [u8]) -> usize {
    let (Ok(pid), Ok(base)) = (i32::try_from(pid), usize::try_from(address)) else { return 0 };
    let remote = [RemoteIoVec { base, len: bytes.len() }];
    process_vm_readv(Pid::from_raw(pid), &mut [IoSliceMut::new(bytes)], &remote).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lines_are_read() {
        let line = b"7 (a) b) S 1 7 7 0 -1 4194304 123 0 0 0 11 5 0 0 20 0 1 0 9876 8192 0";
        let expected = Stat { comm: "a) b".to_owned(), state: b'S', ticks: 16, start: 9876 };
        assert_eq!(Stat::read(line), Some(expected));
        for wrong in [&b""[..], b"7 (a", b"7 )a( S", b"7 (a)", b"7 (a) S 1 7 7 0"] {
            assert_eq!(Stat::read(wrong), None);
        }
        let line = "45 0x3 0x7f00 0xa 0x0 0x0 0x0 0x7ffc5e8f3a48 0x7f1c\n";
        let call = SeenCall { nr: 45, args: [3, 0x7f00, 10, 0, 0, 0] };
        assert_eq!(syscall(line.as_bytes()), Some(call));
        for wrong in ["running\n", "-1 0x7ffc5e8f3a48 0x7f1c\n", "3 0x1 0x2 0x3 0x4 0x5 0x0 0xffffd000 0x1\n"]
        {
            assert_eq!(syscall(wrong.as_bytes()), None, "{wrong}");
        }
    }

    #[test]
    fn a_thread_that_polls_is_told_with_its_list() {
        use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
        use std::os::fd::{AsFd, AsRawFd};
        let (reader, writer) = std::io::pipe().expect("a pipe");
        let fd = reader.as_raw_fd();
        let thread = std::thread::spawn(move || {
            let mut list = [PollFd::new(reader.as_fd(), PollFlags::POLLIN)];
            poll(&mut list, PollTimeout::NONE)
        });
        let polls = || of(std::process::id()).into_iter().find(|thread| thread.polled == [fd]);
        let seen =
            std::iter::repeat_with(polls).flatten().next().expect("it waits until something is written");
        assert!(seen.call.is_some_and(|call| inspect::polls(call.nr)));
        let own = std::process::id();
        assert!(thread_numbers(own).contains(&seen.tid));
        let [ip, sp] = stands_at(own, seen.tid).expect("it waits");
        assert_eq!(memory_by_pieces(own, sp, 1024, 512).len(), 1024);
        assert!(ip != 0 && memory_by_pieces(own, 8, 1024, 512).is_empty());
        drop(writer);
        thread.join().expect("no panic").expect("the other end was closed");
    }

    proptest! {
        #[test]
        fn no_bytes_are_a_panic(bytes: Vec<u8>) {
            Stat::read(&bytes);
            syscall(&bytes);
        }
    }
}
