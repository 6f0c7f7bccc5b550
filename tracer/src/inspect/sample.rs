//! A look at a hung parent and child and their server, for tests: everything that a look can
//! show is in it somewhere.

use super::{Look, SeenCall, SeenFd, SeenProcess, SeenSocket, SeenThread, SeenWatch};
use crate::event::ProcKey;
use crate::model::Place;
use crate::report::{Backend, Host, Session, Target};
use forkscope_proto::net::{AF_INET, AF_UNIX, IPPROTO_TCP, SOCK_STREAM};
use forkscope_proto::{FileKind, Socket};
use rustc_hash::FxHashMap;

/// The parent, which opened everything; its child, which waits; the server.
pub(crate) const PARENT: u32 = 1204;
pub(crate) const SERVER: u32 = 1205;
pub(crate) const CHILD: u32 = 1206;
const SHELL: u32 = 1200;
/// Of another user.
const STRANGER: u32 = 1210;

/// A session that was one look.
pub(crate) fn session() -> Session {
    Session {
        recorded_by: None,
        backend: Backend::Snapshot,
        target: Target::Inspect { pids: vec![SHELL] },
        start: "2024-05-01T12:00:00.000000Z".into(),
        duration: 0.01,
        host: Host { kernel: "6.18.0".into(), arch: "x86_64".into() },
    }
}

/// The look.
pub(crate) fn look() -> Look {
    let (own, inherited) = (endpoints(), endpoints());
    let parent_waits = SeenCall { nr: 61, args: [0xffff_ffff, 0, 0, 0, 0, 0] };
    let child_reads = SeenCall { nr: 45, args: [3, 0x7f00, 5, 0, 0, 0] };
    let worker = |tid| thread(tid, "worker", b'S', Some(SeenCall { nr: 202, args: [0x7f00, 0, 0, 0, 0, 0] }));
    Look {
        processes: vec![
            process(SHELL, 1, "sh", "sh\0run.sh\0", vec![thread(SHELL, "sh", b'S', None)], Vec::new()),
            process(
                PARENT,
                SHELL,
                "python3",
                "python3\0app.py\0",
                (0..9)
                    .map(|n| worker(PARENT + 100 + n))
                    .chain([thread(PARENT, "python3", b'S', Some(parent_waits))])
                    .collect(),
                own,
            ),
            process(
                SERVER,
                SHELL,
                "redis-server",
                "redis-server\0",
                vec![SeenThread {
                    polled: vec![6, 4],
                    ..thread(
                        SERVER,
                        "redis-server",
                        b'S',
                        Some(SeenCall { nr: 7, args: [0x7f00, 2, 0, 0, 0, 0] }),
                    )
                }],
                vec![fd(4, FileKind::Socket, 900, None), fd(6, FileKind::Socket, 102, None)],
            ),
            SeenProcess {
                hidden: true,
                ..process(
                    STRANGER,
                    SHELL,
                    "passwd",
                    "",
                    vec![thread(STRANGER, "passwd", b'R', None)],
                    Vec::new(),
                )
            },
            SeenProcess {
                place: Place { ns_pid: Some(7), container: Some("3f2a91c04d11".into()) },
                ..process(
                    CHILD,
                    PARENT,
                    "python3",
                    "python3\0app.py\0",
                    vec![thread(CHILD, "python3", b'S', Some(child_reads))],
                    inherited,
                )
            },
        ],
        sockets: sockets(),
        notes: vec!["the descriptors of process 1210 may not be looked at: it is another user's".into()],
    }
}

/// What the parent opened and the child inherited.
fn endpoints() -> Vec<SeenFd> {
    vec![
        fd(3, FileKind::Socket, 101, Some(1)),
        fd(5, FileKind::Socket, 201, Some(2)),
        fd(7, FileKind::Socket, 202, None),
        SeenFd { access: (true, false), ..fd(8, FileKind::Pipe, 300, Some(3)) },
        SeenFd { access: (false, true), ..fd(9, FileKind::Pipe, 300, Some(4)) },
        SeenFd {
            watches: vec![SeenWatch { fd: 3, inode: Some(101) }, SeenWatch { fd: 8, inode: Some(300) }],
            ..fd(10, FileKind::Epoll, 0, Some(5))
        },
        SeenFd { eventfd: (Some(12), Some(3)), ..fd(11, FileKind::Eventfd, 0, Some(6)) },
        fd(12, FileKind::Socket, 400, Some(7)),
        fd(13, FileKind::Socket, 901, Some(8)),
    ]
}

fn sockets() -> FxHashMap<u64, SeenSocket> {
    let tcp = |local_port, remote_port, state, queues| SeenSocket {
        socket: Socket {
            family: AF_INET,
            kind: SOCK_STREAM,
            protocol: IPPROTO_TCP,
            state,
            local_port,
            remote_port,
            local: localhost(),
            remote: if remote_port == 0 { [0; 16] } else { localhost() },
            ..Socket::default()
        },
        queues: Some(queues),
        ..SeenSocket::default()
    };
    let unix = |state, peer, name: Option<&str>| SeenSocket {
        socket: Socket { family: AF_UNIX, kind: SOCK_STREAM, state, peer, ..Socket::default() },
        name: name.map(Into::into),
        queues: Some((0, 0)),
        ..SeenSocket::default()
    };
    FxHashMap::from_iter([
        (101, tcp(47742, 7777, 1, (0, 17))),
        (102, tcp(7777, 47742, 8, (17, 0))),
        (900, tcp(7777, 0, 10, (1, 511))),
        (201, unix(1, 202, None)),
        (202, unix(1, 201, None)),
        (901, unix(10, 0, Some("@app"))),
    ])
}

fn localhost() -> [u8; 16] {
    let mut address = [0; 16];
    address[..4].copy_from_slice(&[127, 0, 0, 1]);
    address
}

fn process(
    tgid: u32,
    ppid: u32,
    comm: &str,
    cmdline: &str,
    threads: Vec<SeenThread>,
    descriptors: Vec<SeenFd>,
) -> SeenProcess {
    SeenProcess {
        key: ProcKey { tgid, start: u64::from(tgid) },
        ppid,
        comm: comm.into(),
        cmdline: cmdline.into(),
        age: 60.0 - f64::from(tgid - SHELL),
        threads,
        descriptors,
        ..SeenProcess::default()
    }
}

fn thread(tid: u32, comm: &str, state: u8, call: Option<SeenCall>) -> SeenThread {
    let wchan = (state == b'S').then(|| "do_sleep".to_owned());
    SeenThread { tid, comm: comm.into(), state, wchan, call, polled: Vec::new() }
}

fn fd(fd: i32, kind: FileKind, inode: u64, open_file: Option<u32>) -> SeenFd {
    SeenFd { fd, kind, inode, open_file, ..SeenFd::default() }
}
