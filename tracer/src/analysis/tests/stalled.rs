//! Children of processes with several threads: those that wait for what did not cross the fork,
//! and those that only wait.

use super::{C, Kernel, P};
use crate::event::{Glance, GlancedThread, ParentThread, SeenCall, WaitsOn, WantedGlance};
use crate::model::Place;
use crate::report::{Confidence, Severity};
use forkscope_proto::{FileKind, calls};

const SECOND: u64 = 1_000_000_000;
/// Longer than it takes to tell.
const LONG: u64 = 12 * SECOND;
/// A thread of the parent that did not cross.
const LOST: u32 = 101;
/// `FUTEX_WAIT | FUTEX_PRIVATE_FLAG`, and `FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME` (futex(2)).
const PRIVATE: u64 = 128;
const SHARED: u64 = 0x109;
/// A mask of `SigCgt` with SIGTERM alone, and with SIGINT alone, as Python has it.
const TERM: u64 = 1 << 14;
const INT: u64 = 1 << 1;

fn thread(tid: u32, nr: u64, args: [u64; 6], on: WaitsOn) -> GlancedThread {
    GlancedThread { tid, ticks: 3, switches: 5, call: Some(SeenCall { nr, args }), on }
}

/// A thread that waits on a futex while it has a value.
fn futex(tid: u32, operation: u64, value: u64, timeout: u64, on: WaitsOn) -> GlancedThread {
    thread(tid, 202, [0x7f00, operation, value, timeout, 0, 0], on)
}

fn own(owner: Option<u32>) -> WaitsOn {
    WaitsOn::Futex { owner, shared: Some(false) }
}

fn glance(threads: Vec<GlancedThread>) -> Glance {
    Glance { threads, moved: Some(700), caught: INT, ..Glance::default() }
}

/// What a look shows besides: close or not, with the parent's threads or without.
fn as_wanted(glance: &Glance, wanted: &WantedGlance) -> Glance {
    let mut glance = glance.clone();
    if !wanted.closely {
        glance.threads.iter_mut().for_each(|thread| thread.on = WaitsOn::Unknown);
    }
    let thread = |tid, comm: &str| ParentThread { tid, comm: comm.to_owned() };
    glance.parent = wanted.parent.map(|parent| vec![thread(parent, "main"), thread(LOST, "worker")]);
    glance
}

/// A child that is in these calls all the time: whether it is told, how sure.
fn stands(kernel: &mut Kernel, glance: &Glance) -> Option<Confidence> {
    let looks = kernel.watch(LONG, |_, wanted| as_wanted(glance, wanted));
    assert!(looks >= 8, "{looks} looks");
    told(kernel)
}

/// Whether the child is told, and how sure: as an error, with the fork and the threads that did not cross it.
fn told(kernel: &Kernel) -> Option<Confidence> {
    let told = kernel.findings();
    let found = kernel.analysis.findings().iter().find(|finding| finding.rule.name() == "stalled-child");
    assert_eq!(told.len(), usize::from(found.is_some()), "{told:?}");
    found.map(|finding| {
        assert_eq!((finding.pid, &finding.other_pids[..], finding.severity), (C, &[P][..], Severity::Error));
        assert!(finding.count > 1 && finding.last_seen > finding.first_seen, "it goes on");
        let fork = finding.evidence.iter().find(|step| step.pid == P && step.what.contains("7 threads"));
        assert!(fork.is_some_and(|step| step.what.contains("did not cross: worker")), "{fork:?}");
        finding.confidence
    })
}

/// As [`stands`], of a child without descriptors of interest.
fn child(glance: &Glance) -> Option<Confidence> {
    let mut kernel = Kernel::new();
    kernel.fork_threaded(P, C, 7, 0);
    stands(&mut kernel, glance)
}

#[test]
fn a_lock_that_says_who_holds_it() {
    for (owner, told) in [
        (LOST, Some(Confidence::Certain)),
        // The thread that forked: the child is its copy, and locked twice.
        (P, Some(Confidence::Likely)),
        // Not a thread of the parent any more: the lock proves nothing.
        (555, Some(Confidence::Likely)),
        // Its own.
        (C, None),
    ] {
        assert_eq!(child(&glance(vec![futex(C, PRIVATE, 2, 0, own(Some(owner)))])), told, "{owner}");
    }
    // A thread that waits in turns waits for the same owner, handlers or not.
    let turns = Glance { caught: TERM, ..glance(vec![futex(C, PRIVATE, 2, 0x7ffc, own(Some(LOST)))]) };
    assert_eq!(child(&turns), Some(Confidence::Certain));
}

/// After a late attach, what /proc shows of the layout of its memory tells that it is a copy.
#[test]
fn a_child_that_was_there_before() {
    for (copied_from, told_so) in [(Some(7), true), (Some(1), false), (None, false)] {
        let mut kernel = Kernel::new();
        kernel.was_there(P, C, copied_from);
        let seen = glance(vec![futex(C, PRIVATE, 2, 0, own(Some(LOST)))]);
        kernel.watch(LONG, |_, wanted| as_wanted(&seen, wanted));
        assert_eq!(told(&kernel), told_so.then_some(Confidence::Certain), "{copied_from:?}");
    }
}

/// There the numbers of threads are others.
#[test]
fn in_another_pid_namespace_numbers_prove_nothing() {
    let mut kernel = Kernel::new();
    kernel.fork_threaded(P, C, 7, 0);
    kernel.settle(C, &Place { ns_pid: Some(8), container: None });
    let seen = glance(vec![futex(C, PRIVATE, 2, 0, own(Some(LOST)))]);
    assert_eq!(stands(&mut kernel, &seen), Some(Confidence::Likely));
}

#[test]
fn a_wait_that_no_thread_can_end() {
    let likely = Some(Confidence::Likely);
    let unshared = WaitsOn::Futex { owner: None, shared: Some(false) };
    let shared = WaitsOn::Futex { owner: None, shared: Some(true) };
    let unknown = WaitsOn::Futex { owner: None, shared: None };
    let waits = |on: &WaitsOn| futex(C, SHARED, 0, 0, on.clone());
    let reads = thread(C + 1, 0, [4, 0, 0, 0, 0, 0], WaitsOn::Unknown);
    let more = |thread: GlancedThread| vec![futex(C, PRIVATE, 0, 0, own(None)), thread];
    for (what, seen, told) in [
        ("alone", glance(vec![futex(C, PRIVATE, 0, 0, own(None))]), likely),
        ("by a call without the flag, on its own memory", glance(vec![waits(&unshared)]), likely),
        ("two that wait for each other", glance(more(futex(C + 1, PRIVATE, 0, 0, own(None)))), likely),
        ("a semaphore that processes share", glance(vec![waits(&shared)]), None),
        ("on what could not be looked at", glance(vec![waits(&unknown)]), None),
        ("with a time-out: so one sleeps", glance(vec![futex(C, PRIVATE, 0, 0x7ffc, own(None))]), None),
        ("another thread reads a pipe", glance(more(reads)), None),
        ("another thread's wait has a time-out", glance(more(futex(C + 1, PRIVATE, 0, 9, own(None)))), None),
        (
            "until a signal comes",
            Glance { caught: TERM | INT, ..glance(vec![futex(C, PRIVATE, 0, 0, own(None))]) },
            None,
        ),
        (
            "not all threads were looked at",
            Glance { more: true, ..glance(vec![futex(C, PRIVATE, 0, 0, own(None))]) },
            None,
        ),
    ] {
        assert_eq!(child(&seen), told, "{what}");
    }
}

#[test]
fn what_a_child_waits_for_when_it_is_idle() {
    let (pipe, listener) = ([0, 1, 7], [43, 288]);
    let mut calls: Vec<u64> = pipe.into_iter().chain(listener).collect();
    // Sleeps, waits for children and signals, select, file locks, what nobody knows.
    calls.extend([35, 230, 61, 247, 34, 130, 128, 23, 270, 73, 219, 9999]);
    for nr in calls {
        let on = if nr == 7 { WaitsOn::Poll(vec![4]) } else { WaitsOn::Unknown };
        assert_eq!(child(&glance(vec![thread(C, nr, [4, 1, 0, 0, 0, 0], on)])), None, "{nr}");
    }
}

#[test]
fn whoever_goes_on_does_not_stand_still() {
    let waits = || futex(C, PRIVATE, 0, 0, own(None));
    let of = |thread: GlancedThread| glance(vec![thread]);
    for (what, at) in [
        ("it waits anew", |n, waits| GlancedThread { switches: n, ..waits }),
        ("it computes", |n, waits| GlancedThread { ticks: 20 * n, ..waits }),
        ("it waits elsewhere", |n, waits: GlancedThread| {
            let call = SeenCall { nr: 202, args: [0x7f00 + n, PRIVATE, 0, 0, 0, 0] };
            GlancedThread { call: Some(call), ..waits }
        }),
    ] as [(&str, fn(u64, GlancedThread) -> GlancedThread); 3]
    {
        let (mut kernel, mut looks) = (Kernel::new(), 0);
        kernel.fork_threaded(P, C, 7, 0);
        kernel.watch(LONG, |_, wanted| {
            looks += 1;
            as_wanted(&of(at(looks, waits())), wanted)
        });
        assert_eq!(kernel.findings(), [], "{what}");
    }
    let (mut kernel, mut moved) = (Kernel::new(), 0);
    kernel.fork_threaded(P, C, 7, 0);
    kernel.watch(LONG, |_, wanted| {
        moved += 1;
        as_wanted(&Glance { moved: Some(moved), ..of(waits()) }, wanted)
    });
    assert_eq!(kernel.findings(), [], "it reads or writes");
    let mut kernel = Kernel::new();
    kernel.fork_threaded(P, C, 7, 0);
    for _ in 0..6 {
        kernel.watch(2 * SECOND, |_, wanted| as_wanted(&of(waits()), wanted));
        kernel.open(C, "/tmp/work");
    }
    assert_eq!(kernel.findings(), [], "it opens a file now and then");
}

/// A thread that a tracer stops for a moment, or that runs just then, says nothing.
#[test]
fn a_look_that_shows_no_call_says_neither() {
    let (mut kernel, mut looks) = (Kernel::new(), 0);
    kernel.fork_threaded(P, C, 7, 0);
    kernel.watch(3 * LONG, |_, wanted| {
        looks += 1;
        let call = (looks % 3 != 0).then_some(SeenCall { nr: 202, args: [0x7f00, PRIVATE, 0, 0, 0, 0] });
        let thread = GlancedThread { call, ..futex(C, PRIVATE, 0, 0, own(None)) };
        as_wanted(&glance(vec![thread]), wanted)
    });
    assert_eq!(kernel.findings(), [("stalled-child", C, None)]);
}

#[test]
fn only_children_that_lack_threads_are_looked_at() {
    let seen = glance(vec![futex(C, PRIVATE, 0, 0, own(None))]);
    for (what, threads, flags, execs, ends, looked) in [
        ("a fork", 2, 0, false, false, true),
        ("its parent has one thread", 1, 0, false, false, false),
        ("a vfork", 2, 0x4100, false, false, false),
        ("it executes a program", 2, 0, true, false, false),
        ("it ends", 2, 0, false, true, false),
    ] {
        let mut kernel = Kernel::new();
        kernel.fork_threaded(P, C, threads, flags);
        if execs {
            kernel.exec(C);
        }
        if ends {
            kernel.exit(C);
        }
        let looks = kernel.watch(LONG, |_, wanted| as_wanted(&seen, wanted));
        assert_eq!(looks > 0, looked, "{what}");
        assert_eq!(!kernel.findings().is_empty(), looked, "{what}");
    }
}

/// Many children of one parent: each has its turn, no round is long, and who is idle is looked at seldom.
#[test]
fn looks_are_bounded() {
    const MANY: u32 = 3000;
    let idle = glance(vec![thread(C, 0, [4, 0, 0, 0, 0, 0], WaitsOn::Unknown)]);
    let mut kernel = Kernel::new();
    for child in 1..=MANY {
        kernel.fork_threaded(P, 1000 + child, 7, 0);
    }
    let mut seen = std::collections::BTreeSet::new();
    let looks = kernel.watch(40 * SECOND, |_, wanted| {
        seen.insert(wanted.child.tgid);
        as_wanted(&idle, wanted)
    });
    assert!(looks <= 16 * 8 * 40, "{looks} looks");
    assert_eq!(seen.len(), 1024);
    let mut kernel = Kernel::new();
    kernel.fork_threaded(P, C, 7, 0);
    kernel.watch(60 * SECOND, |_, wanted| as_wanted(&idle, wanted));
    let later = kernel.watch(60 * SECOND, |_, wanted| as_wanted(&idle, wanted));
    assert!(later <= 16, "{later} looks in a minute");
}

/// Whose semaphore it is, is found out once.
#[test]
fn a_worker_that_waits_for_work_is_looked_at_closely_once() {
    let shared = WaitsOn::Futex { owner: None, shared: Some(true) };
    let seen = glance(vec![futex(C, SHARED, 0, 0, shared)]);
    let (mut kernel, mut close) = (Kernel::new(), 0);
    kernel.fork_threaded(P, C, 7, 0);
    kernel.watch(5 * LONG, |_, wanted| {
        close += u32::from(wanted.closely);
        as_wanted(&seen, wanted)
    });
    assert_eq!((close, kernel.findings()), (1, vec![]));
}

/// What an epoll instance watches.
#[derive(Clone, Copy, Debug)]
enum Watched {
    Eventfd,
    Connection,
    Listener,
    Pipe,
    OwnEventfd,
    Accepted,
}

/// A child in turns of an epoll instance that its parent made, and waited on or not.
fn in_a_loop(looped: bool, watched: &[Watched]) -> Option<Confidence> {
    let mut kernel = Kernel::new();
    let epoll = kernel.make_kind(P, calls::EPOLL_CREATE1, FileKind::Epoll);
    let make = |kernel: &mut Kernel, what: &Watched| match what {
        Watched::Eventfd => kernel.make_kind(P, calls::EVENTFD2, FileKind::Eventfd),
        Watched::Connection => kernel.connect(P, 80),
        Watched::Accepted => kernel.accept(P, 80),
        Watched::Listener => kernel.make_kind(P, calls::SOCKET, FileKind::Socket),
        Watched::Pipe => kernel.make_kind(P, calls::PIPE2, FileKind::Pipe),
        Watched::OwnEventfd => kernel.make_kind(C, calls::EVENTFD2, FileKind::Eventfd),
    };
    let is_own = |what: &&Watched| matches!(what, Watched::OwnEventfd);
    let mut fds: Vec<i32> =
        watched.iter().filter(|what| !is_own(what)).map(|what| make(&mut kernel, what)).collect();
    if looped {
        turn(&mut kernel, P, epoll, 1);
    }
    kernel.fork_threaded(P, C, 7, 0);
    fds.extend(watched.iter().filter(is_own).map(|what| make(&mut kernel, what)).collect::<Vec<_>>());
    let watches = fds.iter().map(|&fd| (fd, Some(kernel.inode(C, fd)))).collect();
    let call = [epoll as u64, 0x7f00, 100, 201, 0, 0];
    let mut thread = thread(C, calls::EPOLL_WAIT.into(), call, WaitsOn::Epoll(Some(watches)));
    // It waits in turns, each of which ends empty.
    for _ in 0..60 {
        turn(&mut kernel, C, epoll, 0);
        thread.switches += 1;
        let seen = glance(vec![thread.clone()]);
        kernel.watch(SECOND / 4, |_, wanted| as_wanted(&seen, wanted));
    }
    told(&kernel)
}

fn turn(kernel: &mut Kernel, pid: u32, epoll: i32, events: i64) {
    kernel.call(pid, calls::EPOLL_WAIT, b"", |call| {
        (call.fd, call.ret, call.file) = (epoll, events, kernel_file(FileKind::Epoll));
    });
}

/// What the model need not compare: it asks its own table.
fn kernel_file(kind: FileKind) -> forkscope_proto::FileRef {
    forkscope_proto::FileRef { kind: kind as u8, ..forkscope_proto::FileRef::NONE }
}

#[test]
fn turns_in_the_loop_of_the_parent() {
    use Watched::{Accepted, Connection, Eventfd, Listener, OwnEventfd, Pipe};
    let likely = Some(Confidence::Likely);
    for (looped, watched, told) in [
        (true, &[Eventfd][..], likely),
        (true, &[Eventfd, Connection], likely),
        // A way to tell children something: its maker never waited there.
        (false, &[Eventfd], None),
        (true, &[], None),
        (true, &[Eventfd, OwnEventfd], None),
        (true, &[Eventfd, Listener], None),
        (true, &[Eventfd, Pipe], None),
        (true, &[Eventfd, Accepted], None),
    ] {
        assert_eq!(in_a_loop(looped, watched), told, "{looped} {watched:?}");
    }
}

/// The child asks on a connection of its parent and waits; the parent reads meanwhile, or does not.
#[test]
fn an_answer_that_the_parent_reads() {
    for (parent_reads, waits_in) in [(true, 45), (true, 7), (false, 45)] {
        let mut kernel = Kernel::new();
        let fd = kernel.connect(P, 9);
        kernel.send(P, fd, b"hello");
        kernel.receive(P, fd, b"hello");
        kernel.fork_threaded(P, C, 7, 0);
        kernel.send(C, fd, b"question");
        if parent_reads {
            kernel.receive(P, fd, b"answer");
        }
        let on = if waits_in == 7 { WaitsOn::Poll(vec![fd]) } else { WaitsOn::Unknown };
        let seen = glance(vec![thread(C, waits_in, [fd as u64, 1, 0, 0, 0, 0], on)]);
        kernel.watch(LONG, |_, wanted| as_wanted(&seen, wanted));
        let told: Vec<_> =
            kernel.analysis.findings().iter().filter(|found| found.severity == Severity::Error).collect();
        assert_eq!(told.len(), usize::from(parent_reads), "{told:#?}");
        for found in told {
            assert_eq!((found.rule.name(), found.pid, found.fd), ("stalled-child", C, Some(fd)));
            assert!(found.connection.is_some());
        }
    }
}
