//! What forkscope recorded of the scripted program equals what strace recorded of it, thread by thread.

use crate::env::{Env, example};
use crate::process::{Process, said};
use crate::run::Session;
use crate::strace::{Call, calls, plain};
use crate::ways::{Backend, on_each_backend};
use forkscope::event::{Event, ProcKey, What};
use forkscope::sinks::log::event::line;
use forkscope_proto::{Header, Io, Shape, calls as table};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// The traced calls, and which of their arguments two tracers print alike:
/// descriptors, lengths, counts, names.
const TRACED: &[(&str, &[usize])] = &[
    ("read", &[0, 2]),
    ("write", &[0, 2]),
    ("readv", &[0, 2]),
    ("writev", &[0, 2]),
    ("preadv2", &[0, 2]),
    ("pwritev2", &[0, 2]),
    ("sendto", &[0, 2, 3]),
    ("recvfrom", &[0, 2, 3]),
    ("sendmsg", &[0, 2]),
    ("recvmsg", &[0, 2]),
    ("sendmmsg", &[0, 2, 3]),
    ("recvmmsg", &[0, 2, 3]),
    ("sendfile", &[0, 1, 3]),
    ("splice", &[0, 2, 4]),
    ("socket", &[]),
    ("socketpair", &[]),
    ("connect", &[0]),
    ("bind", &[0]),
    ("listen", &[0, 1]),
    ("accept", &[0]),
    ("accept4", &[0]),
    ("shutdown", &[0, 1]),
    ("getsockopt", &[0, 1, 2]),
    ("close", &[0]),
    ("close_range", &[0, 1]),
    ("dup", &[0]),
    ("dup2", &[0, 1]),
    ("dup3", &[0, 1]),
    ("fcntl", &[0, 1]),
    ("ioctl", &[0, 1]),
    ("open", &[]),
    ("openat", &[]),
    ("openat2", &[]),
    ("creat", &[]),
    ("open_by_handle_at", &[]),
    ("open_tree", &[]),
    ("pipe", &[]),
    ("pipe2", &[]),
    ("eventfd", &[0]),
    ("eventfd2", &[0]),
    ("signalfd", &[]),
    ("signalfd4", &[]),
    ("timerfd_create", &[]),
    ("inotify_init", &[]),
    ("inotify_init1", &[]),
    ("fanotify_init", &[]),
    ("memfd_create", &[]),
    ("memfd_secret", &[]),
    ("mq_open", &[]),
    ("perf_event_open", &[]),
    ("userfaultfd", &[]),
    ("landlock_create_ruleset", &[]),
    ("io_uring_setup", &[]),
    ("fsopen", &[]),
    ("fsmount", &[]),
    ("fspick", &[]),
    ("pidfd_open", &[]),
    ("pidfd_getfd", &[0, 1]),
    ("unshare", &[]),
    ("epoll_create", &[]),
    ("epoll_create1", &[]),
    ("epoll_ctl", &[0, 1, 2]),
    ("epoll_wait", &[0, 2, 3]),
    ("epoll_pwait", &[0, 2, 3]),
    ("epoll_pwait2", &[0, 2]),
];

/// By role in the program: the calls of that thread.
type Record = BTreeMap<String, Vec<Call>>;

/// Whether forkscope records this call, by what strace says is behind its descriptors.
fn recorded(call: &Call) -> bool {
    let behind = |place: usize| call.arguments.get(place).map_or("", String::as_str);
    let socket =
        |place| ["<socket:", "<TCP", "<UDP", "<UNIX"].iter().any(|kind| behind(place).contains(kind));
    let moved = call.result.parse().unwrap_or(0);
    // Of pipes, what may be a wake-up.
    let wakes = |place| behind(place).contains("<pipe:[") && (1..=8).contains(&moved);
    let endpoint = |place| socket(place) || behind(place).contains("<anon_inode:[eventfd]") || wakes(place);
    // A call that was to be on something, and on which nothing is.
    let nothing = |places: &[usize]| {
        call.result == "-1 EBADF" && places.iter().any(|&place| !behind(place).contains('<'))
    };
    match call.name.as_str() {
        "read" | "write" | "readv" | "writev" | "preadv2" | "pwritev2" => endpoint(0) || nothing(&[0]),
        "sendfile" => socket(0) || socket(1) || nothing(&[0, 1]),
        "splice" => socket(0) || socket(2) || nothing(&[0, 2]),
        "fcntl" => ["F_DUPFD", "F_DUPFD_CLOEXEC", "F_SETFD"].contains(&behind(1)),
        "ioctl" => ["FIOCLEX", "FIONCLEX"].contains(&behind(1)),
        "getsockopt" => behind(1) == "SOL_SOCKET" && behind(2) == "SO_ERROR",
        "unshare" => behind(0).split('|').any(|flag| flag == "CLONE_FILES"),
        _ => true,
    }
}

/// Leaves what can be compared, of the threads that said who they are.
fn record(said: &[Value], mut calls: BTreeMap<u32, Vec<Call>>, keep: impl Fn(&Call) -> bool) -> Record {
    let thread = |line: &Value| {
        let tid = u32::try_from(line["tid"].as_u64()?).ok()?;
        let role = line["role"].as_str()?.to_owned();
        // A call that the kernel begins anew, after a signal or a tracer's stop, is the one that ends.
        let ended = |call: &Call| !call.result.starts_with('?');
        let calls = calls.remove(&tid).unwrap_or_default().into_iter();
        let calls = calls.filter(ended).filter(&keep).filter_map(comparable);
        // What comes before is the dynamic linker's, and the tracer's own between fork and exec.
        let skip = |call: &Call| role == "first" && call.name != "socketpair";
        let calls = calls.skip_while(skip).collect();
        Some((role, calls))
    };
    said.iter().filter_map(thread).collect()
}

fn comparable(mut call: Call) -> Option<Call> {
    let (_, places) = TRACED.iter().find(|(name, _)| *name == call.name)?;
    let argument = |place: &usize| call.arguments.get(*place).map(|argument| plain(argument).to_owned());
    call.arguments = places.iter().filter_map(argument).collect();
    Some(call)
}

fn by_strace() -> Record {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    let mut strace = Command::new("strace");
    strace.args(["-f", "-yy", "-o"]).arg(file.path()).arg(example("scripted"));
    let ended = Process::start(&mut strace).end();
    assert!(ended.status.success(), "{ended:#?}");
    let text = std::fs::read(file.path()).expect("strace wrote it");
    record(&said(&ended.stdout), calls(&String::from_utf8_lossy(&text)), recorded)
}

/// One line of forkscope's log: `+0.000123 PID/TID call(fd, argument…) = result [ERRNO]`.
fn log_line(line: &str) -> Option<(u32, Call)> {
    let mut words = line.strip_prefix('+')?.splitn(3, ' ');
    let (_, thread, call) = (words.next()?, words.next()?, words.next()?);
    let (_, tid) = thread.split_once('/')?;
    Some((tid.parse().ok()?, Call::parse(call)?))
}

fn by_forkscope(on: Backend) -> Record {
    let program = example("scripted");
    let arguments = ["-v".as_ref(), "-v".as_ref(), "--".as_ref(), program.as_os_str()];
    let outcome = Session::start(on, "run", &arguments, &[("NO_COLOR", "1")]).end();
    assert_eq!(outcome.status, 0, "{:#?}", outcome.stderr);
    let mut calls: BTreeMap<u32, Vec<Call>> = BTreeMap::new();
    for (tid, call) in outcome.stderr.iter().filter_map(|line| log_line(line)) {
        calls.entry(tid).or_default().push(call);
    }
    record(&outcome.said, calls, |_| true)
}

/// A call that is traced but not compared would be a gap that no test sees.
#[test]
fn each_traced_call_is_compared() {
    let traced = (0..table::TABLE as u16)
        .filter(|number| table::SPECS[usize::from(*number)].shape != Shape::Ignored)
        .filter_map(table::name);
    let (traced, compared): (BTreeSet<_>, BTreeSet<_>) =
        (traced.collect(), TRACED.iter().map(|(name, _)| *name).collect());
    assert_eq!(traced, compared);
}

/// A flag of transfers that has no name.
const UNNAMED: u32 = 0x100_0000;

/// What the log writes, this reads: each compared argument in its place.
#[test]
fn log_lines_are_read() {
    for number in 0..table::TABLE as u16 {
        let Some((name, places)) = TRACED.iter().find(|(name, _)| table::name(number) == Some(*name)) else {
            continue;
        };
        let header = Header { nr: number, tid: 8, ..Header::default() };
        let args = [100, 101, 102, 103, 104, 105];
        let call = forkscope_proto::Call { header, args, ret: -9, fd: 100, ..Default::default() };
        let io = Io { header, fd: 100, len: 102, flags: UNNAMED, ret: -9, ..Io::default() };
        let payload = b"a, (\" = b\\";
        let what = match table::SPECS[usize::from(number)].shape {
            Shape::Send | Shape::Receive => What::Io(&io, payload),
            Shape::Plain | Shape::Transfer | Shape::Ignored => What::Call(&call, payload),
        };
        let mut text = String::new();
        line(&Event { time: 0, process: ProcKey::default(), tid: 8, what }, 0, &mut text);
        let (tid, call) = log_line(&text).unwrap_or_else(|| panic!("unread: {text}"));
        let call = comparable(call).unwrap_or_else(|| panic!("not compared: {text}"));
        // Decimal, or hexadecimal where it stands for a name; a transfer's flags.
        let expected = |place: &usize| {
            [(100 + place).to_string(), format!("{:#x}", 100 + place), format!("{UNNAMED:#x}")]
        };
        assert_eq!((tid, call.name.as_str(), call.result.as_str()), (8, *name, "-1 EBADF"), "{text}");
        assert_eq!(call.arguments.len(), places.len(), "{text}");
        for (argument, place) in call.arguments.iter().zip(*places) {
            assert!(expected(place).contains(argument), "argument {place} of {text}");
        }
    }
}

/// The oracle must agree with itself first: two runs of strace.
#[test]
fn scripted_is_the_same_each_time() {
    let Some(_) = Env::get() else { return };
    let (first, second) = (by_strace(), by_strace());
    assert!(first.values().map(Vec::len).sum::<usize>() > 500, "several hundred calls: {first:#?}");
    equal(&first, &second);
}

fn forkscope_records_what_strace_records(on: Backend) {
    let Some(_) = Env::get() else { return };
    equal(&by_strace(), &by_forkscope(on));
}

#[track_caller]
fn equal(expected: &Record, recorded: &Record) {
    assert_eq!(expected.keys().collect::<Vec<_>>(), recorded.keys().collect::<Vec<_>>());
    for (role, expected) in expected {
        let recorded = &recorded[role];
        let longest = expected.len().max(recorded.len());
        let differs = (0..longest).find(|place| expected.get(*place) != recorded.get(*place));
        if let Some(place) = differs {
            let near = |calls: &[Call]| {
                format!("{:#?}", calls.iter().skip(place.saturating_sub(2)).take(5).collect::<Vec<_>>())
            };
            panic!("{role}, call {place}: expected {}, recorded {}", near(expected), near(recorded));
        }
    }
}

on_each_backend! {
    forkscope_records_what_strace_records
}
