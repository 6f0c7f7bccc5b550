//! Transfers that io_uring makes are seen, from the first ring on, and no other transfer is taken for one.

use crate::env::{Env, program};
use forkscope::decode::Batch;
use forkscope::event::What;
use forkscope::source::ebpf::{EbpfSource, Settings};
use forkscope::source::{Known, Source as _, proc};
use forkscope_proto::{FileKind, calls};
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// A transfer as it was told: by which call, whether it was a send, and the inode of its socket.
type Told = (u16, bool, u64);

/// The program, traced from when it has begun or has made its ring.
struct Traced {
    source: EbpfSource,
    child: Child,
    stdin: ChildStdin,
    said: BufReader<ChildStdout>,
    /// Of its two sockets.
    inodes: [u64; 2],
    _folder: TempDir,
}

impl Traced {
    fn start(with_ring: bool) -> Self {
        let folder = TempDir::new().expect("a folder");
        let (source, built) = (program("uring.c"), folder.path().join("uring"));
        let status = Command::new("cc").arg(&source).arg("-o").arg(&built).status();
        assert!(status.is_ok_and(|status| status.success()), "cc builds {}", source.display());
        let mut child =
            Command::new(built).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it starts");
        let (stdin, stdout) = (child.stdin.take().expect("a pipe"), child.stdout.take().expect("a pipe"));
        let source = EbpfSource::start(&Settings { count_cost: true, ..Settings::default() })
            .expect("eBPF works here");
        assert!(source.sees_uring(), "this kernel has the tracepoints");
        let said = BufReader::new(stdout);
        let mut traced = Self { source, child, stdin, said, inodes: [0; 2], _folder: folder };
        let inodes = traced.answer();
        traced.inodes = inodes
            .split(' ')
            .map(|inode| inode.parse().expect("a number"))
            .collect::<Vec<_>>()
            .try_into()
            .expect("two");
        if with_ring {
            traced.does("ring");
        }
        let key = proc::key(traced.child.id()).expect("it runs");
        traced.source.follow(key, Known { uring: with_ring, ..Known::default() }).expect("it can be traced");
        traced
    }

    fn answer(&mut self) -> String {
        let mut line = String::new();
        self.said.read_line(&mut line).expect("it answers");
        line.trim().to_owned()
    }

    fn does(&mut self, line: &str) {
        writeln!(self.stdin, "{line}").expect("it listens");
        assert_eq!(self.answer(), "done", "{line}");
    }

    /// What was told of transfers on its sockets.
    fn told(&mut self) -> Vec<Told> {
        let (mut batch, mut told) = (Batch::default(), Vec::new());
        self.source.drain(&mut batch);
        batch.take(None, None, |event, _| {
            let (nr, sent, file) = match event.what {
                What::Io(io, _) => (io.header.nr, io.header.nr == calls::SENDTO, io.file),
                What::Uring(io) => (io.header.nr, io.sent == 1, io.file),
                _ => return,
            };
            if self.inodes.contains(&file.inode) {
                assert_eq!(FileKind::from_number(file.kind), FileKind::Socket);
                told.push((nr, sent, file.inode));
            }
        });
        told
    }

    /// The ring's transfers are told, and those of calls, each once.
    #[track_caller]
    fn tells_transfers(&mut self) {
        let [here, there] = self.inodes;
        for _ in 0..2 {
            self.does("transfer");
            let by_ring = [(calls::IO_URING_ENTER, true, here), (calls::IO_URING_ENTER, false, there)];
            assert_eq!(self.told(), by_ring);
            self.does("call");
            assert_eq!(self.told(), [(calls::SENDTO, true, here), (calls::RECVFROM, false, there)]);
        }
    }

    fn end(mut self) {
        drop(self.stdin);
        assert!(self.child.wait().expect("it ends").success());
    }
}

#[test]
fn transfers_are_seen_once_a_traced_process_has_made_a_ring() {
    if Env::get().is_none() {
        return;
    }
    let mut traced = Traced::start(false);
    traced.does("call");
    assert_eq!(traced.told().len(), 2);
    let account = traced.source.account();
    let on_transfers = account
        .programs
        .iter()
        .filter(|program| ["forkscope_sent", "forkscope_received"].contains(&&*program.name));
    assert_eq!(on_transfers.map(|program| program.runs).collect::<Vec<_>>(), [0, 0], "nobody has a ring");
    let woken = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).expect("an epoll instance");
    let edges = EpollFlags::EPOLLIN | EpollFlags::EPOLLET;
    woken.add(traced.source.wake(), EpollEvent::new(edges, 0)).expect("it can be waited for");
    traced.does("ring");
    let within = EpollTimeout::try_from(Duration::from_secs(20)).expect("no long time");
    assert_eq!(woken.wait(&mut [EpollEvent::empty()], within), Ok(1), "it hears of the ring at once");
    assert_eq!(traced.told(), []);
    traced.tells_transfers();
    traced.end();
}

#[test]
fn transfers_are_seen_of_a_process_that_had_a_ring_before() {
    if Env::get().is_none() {
        return;
    }
    let mut traced = Traced::start(true);
    traced.tells_transfers();
    traced.end();
}
