//! A report of the founding case, for tests: every kind of member has a value somewhere.

use super::{
    Backend, CallError, Confidence, Connection, Evidence, Exec, Exit, Family, Finding, Fix, Holder, Host,
    Http2, Library, LossCause, Process, ProgramCost, Report, RuleId, Session, Severity, Stream, Target,
    Unseen,
};
use std::collections::{BTreeMap, BTreeSet};

const PARENT: u32 = 4240;
const CHILD: u32 = 4242;

/// The founding case: one error.
pub(crate) fn report() -> Report {
    let mut report = Report::new(session());
    report.processes = vec![parent(), child()];
    report.connections = vec![connection()];
    report.findings = vec![finding()];
    report.stats.events = BTreeMap::from([("call".into(), 812), ("fork".into(), 1), ("io".into(), 97)]);
    report.stats.lose(LossCause::RingFull, "io", 3);
    let cost = ProgramCost { runs: 4096, run_time: 0.0021, missed: 0 };
    report.stats.overhead.programs.insert("sys_exit".into(), cost);
    report
}

pub(crate) fn session() -> Session {
    Session {
        backend: Backend::Ebpf,
        recorded_by: None,
        target: Target::Run { command: words("python3.8 demo.py") },
        start: "2024-05-01T12:00:00.000000Z".into(),
        duration: 1.92,
        host: Host { kernel: "6.18.0".into(), arch: "x86_64".into() },
    }
}

fn parent() -> Process {
    let path = "/usr/lib/python3/dist-packages/grpc/_cython/cygrpc.so".into();
    Process {
        pid: PARENT,
        ppid: Some(4200),
        comm: "python3.8".into(),
        cmdline: words("python3.8 demo.py"),
        exe: Some("/usr/bin/python3.8".into()),
        start: 0.01,
        execs: vec![Exec { time: 0.02, comm: "python3.8".into() }],
        libraries: vec![Library { name: "grpc".into(), version: Some("1.28.1".into()), path }],
        unseen: BTreeSet::from([Unseen::LostEvents]),
        ..Process::default()
    }
}

fn child() -> Process {
    Process {
        pid: CHILD,
        ppid: Some(PARENT),
        comm: "python3.8".into(),
        cmdline: words("python3.8 demo.py"),
        start: 0.53,
        forked_at: Some(0.530_214),
        threads_at_fork: Some(4),
        environment: BTreeMap::from([("GRPC_ENABLE_FORK_SUPPORT".into(), "0".into())]),
        exit: Some(Exit { time: 1.8, status: Some(1), signal: None }),
        ..Process::default()
    }
}

fn connection() -> Connection {
    let frames = BTreeMap::from([("DATA".into(), 1), ("HEADERS".into(), 1)]);
    let method = Some("/helloworld.Greeter/SayHello".into());
    let stream = Stream {
        id: 1,
        pid: PARENT,
        opened: true,
        method,
        verb: Some("POST".into()),
        status: Some(200),
        grpc_status: Some("OK".into()),
        messages_sent: Some(1),
        messages_received: Some(1),
        frames_sent: frames.clone(),
        frames_received: frames,
        ..Stream::default()
    };
    let error = CallError { time: 1.0, syscall: "recvmsg".into(), errno: "ECONNRESET".into() };
    Connection {
        id: 1,
        inode: 81_234,
        cookie: Some(0x1f),
        family: Family::Inet,
        local: Some("127.0.0.1:47742".into()),
        remote: Some("127.0.0.1:30001".into()),
        protocol: Some("http2".into()),
        tls: false,
        tls_session: None,
        creator: Some(PARENT),
        opened_at: Some(0.412),
        holders: vec![
            Holder {
                pid: PARENT,
                fd: 6,
                since: Some(0.412),
                bytes_sent: 310,
                bytes_received: 180,
                calls_sent: 4,
                calls_received: 5,
                last_error: Some(error),
                ..Holder::default()
            },
            Holder {
                pid: CHILD,
                fd: 6,
                inherited_from: Some(PARENT),
                since: Some(0.530_214),
                closed_at: Some(0.531),
                ..Holder::default()
            },
        ],
        http2: Some(Http2 { streams: vec![stream], ..Http2::default() }),
        ..Connection::default()
    }
}

/// The founding case's finding.
pub(crate) fn finding() -> Finding {
    Finding {
        id: 1,
        fingerprint: "enotsock; python, child of python; HTTP/2; tcp loopback port 30001; sendmsg ENOTSOCK".into(),
        known: false,
        rule: RuleId::Enotsock,
        severity: Severity::Error,
        confidence: Confidence::Certain,
        title: "sendmsg on fd 6 failed with ENOTSOCK: the number was an inherited gRPC connection".into(),
        summary: "4240 opened a connection and forked 4242. A fork handler in 4242 closed the inherited descriptor 6, \
                  /dev/null took the number, and the library then sent on it as if it were still the connection."
            .into(),
        pid: CHILD,
        other_pids: vec![PARENT],
        fd: Some(6),
        connection: Some(1),
        syscall: Some("sendmsg".into()),
        errno: Some("ENOTSOCK".into()),
        first_seen: 0.700_102,
        last_seen: 0.700_102,
        count: 1,
        evidence: vec![
            step(0.412, PARENT, "opened the connection to 127.0.0.1:30001", "connect", Some(6), "0"),
            step(0.530_214, PARENT, "4242 inherited fd 6", "clone", None, "4242"),
            step(0.531, CHILD, "closed its copy, in a fork handler", "close", Some(6), "0"),
            step(0.531_4, CHILD, "/dev/null took the number", "openat", Some(6), "6"),
            step(0.700_102, CHILD, "136 bytes meant for the connection", "sendmsg", Some(6), "-1 ENOTSOCK"),
        ],
        stacks: Vec::new(),
        fix: vec![
            fix("close the channel before the fork, or use it in a `with` block", "then nothing is inherited"),
            fix("set GRPC_ENABLE_FORK_SUPPORT=1", "gRPC then rebuilds its connections in the child"),
            fix("start the child with multiprocessing's \"spawn\"", "a new program inherits no connection"),
        ],
        docs: "forkscope explain enotsock".into(),
    }
}

/// One step of evidence.
pub(crate) fn step(
    time: f64,
    pid: u32,
    what: &str,
    syscall: &str,
    fd: Option<i32>,
    result: &str,
) -> Evidence {
    let (syscall, result) = (Some(syscall.into()), Some(result.into()));
    Evidence { time, pid, tid: pid, what: what.into(), syscall, fd, result }
}

fn fix(text: &str, why: &str) -> Fix {
    Fix { text: text.into(), why: why.into() }
}

fn words(line: &str) -> Vec<String> {
    line.split(' ').map(Into::into).collect()
}
