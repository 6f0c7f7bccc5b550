//! System calls that wait, and where each names what it waits for.

use super::look::SeenThread;
use forkscope_proto::calls;

/// Where a call names its descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Names {
    /// In its first argument.
    First,
    /// In a list in memory.
    List,
    /// It names none.
    None,
}

/// Calls that wait and that are not traced (arch/x86/entry/syscalls/syscall_64.tbl, Linux 6.18).
const OTHERS: [(u64, &str, Names); 30] = [
    (7, "poll", Names::List),
    (17, "pread64", Names::First),
    (18, "pwrite64", Names::First),
    (23, "select", Names::None),
    (34, "pause", Names::None),
    (35, "nanosleep", Names::None),
    (61, "wait4", Names::None),
    (65, "semop", Names::None),
    (69, "msgsnd", Names::None),
    (70, "msgrcv", Names::None),
    (73, "flock", Names::First),
    (74, "fsync", Names::First),
    (75, "fdatasync", Names::First),
    (128, "rt_sigtimedwait", Names::None),
    (130, "rt_sigsuspend", Names::None),
    (202, "futex", Names::None),
    (208, "io_getevents", Names::None),
    (219, "restart_syscall", Names::None),
    (220, "semtimedop", Names::None),
    (230, "clock_nanosleep", Names::None),
    (231, "exit_group", Names::None),
    (242, "mq_timedsend", Names::First),
    (243, "mq_timedreceive", Names::First),
    (247, "waitid", Names::None),
    (270, "pselect6", Names::None),
    (271, "ppoll", Names::List),
    (276, "tee", Names::First),
    (278, "vmsplice", Names::First),
    (449, "futex_waitv", Names::None),
    (455, "futex_wait", Names::None),
];

/// Whether a call has a list of descriptors in memory: `struct pollfd`, whose address and length are its
/// first two arguments (poll(2)).
#[must_use]
pub fn polls(nr: u64) -> bool {
    OTHERS.iter().any(|&(number, _, names)| number == nr && names == Names::List)
}

/// The name of a call that waits, traced or not.
#[must_use]
pub fn waiting_call(nr: u64) -> Option<&'static str> {
    let other = OTHERS.iter().find(|(number, _, _)| *number == nr).map(|&(_, name, _)| name);
    other.or_else(|| calls::name(u16::try_from(nr).ok()?))
}

/// The call that a thread is in: its name, and the descriptors that it names.
pub(super) fn call(thread: &SeenThread) -> Option<(String, Vec<i32>)> {
    let call = thread.call?;
    // The kernel takes the lower half.
    let first = || vec![call.args[0] as i32];
    if let Some(&(_, name, names)) = OTHERS.iter().find(|(nr, _, _)| *nr == call.nr) {
        let fds = match names {
            Names::First => first(),
            Names::List => thread.polled.clone(),
            Names::None => Vec::new(),
        };
        return Some((name.to_owned(), fds));
    }
    let nr = u16::try_from(call.nr).ok().filter(|nr| usize::from(*nr) < calls::TABLE);
    match nr.and_then(|nr| Some((calls::name(nr)?, calls::SPECS[usize::from(nr)]))) {
        Some((name, spec)) => Some((name.to_owned(), if spec.fd == 0 { first() } else { Vec::new() })),
        None => Some((format!("system call {}", call.nr), Vec::new())),
    }
}

#[cfg(test)]
mod tests {
    use super::super::look::SeenCall;
    use super::*;

    #[test]
    fn calls_name_what_they_wait_on() {
        for (nr, args, polled, expected) in [
            (45, [3, 0x7f00, 10, 0, 0, 0], vec![], Some(("recvfrom", vec![3]))),
            (232, [5, 0x7f00, 10, 0, 0, 0], vec![], Some(("epoll_wait", vec![5]))),
            (7, [0x7f00, 2, 0, 0, 0, 0], vec![4, 9], Some(("poll", vec![4, 9]))),
            (202, [0x7f00, 0, 0, 0, 0, 0], vec![], Some(("futex", vec![]))),
            (17, [8, 0, 0, 0, 0, 0], vec![], Some(("pread64", vec![8]))),
            (257, [0xffff_ff9c, 0, 0, 0, 0, 0], vec![], Some(("openat", vec![]))),
            (0, [0xffff_ffff_ffff_ffff, 0, 0, 0, 0, 0], vec![], Some(("read", vec![-1]))),
            (9999, [0; 6], vec![], Some(("system call 9999", vec![]))),
        ] {
            let thread = SeenThread { call: Some(SeenCall { nr, args }), polled, ..SeenThread::default() };
            let expected = expected.map(|(name, fds): (&str, _)| (name.to_owned(), fds));
            assert_eq!(call(&thread), expected, "{nr}");
        }
        assert_eq!(call(&SeenThread::default()), None);
    }

    #[test]
    fn no_call_is_in_both_tables() {
        for (nr, name, _) in OTHERS {
            assert_eq!(u16::try_from(nr).ok().and_then(calls::name), None, "{name}");
        }
    }
}
