//! A small kernel for tests: it keeps descriptor tables, and reports what is done to
//! them as the probes would.

use super::Analysis;
use crate::event::{Event, Glance, ProcKey, Snapshot, SnapshotFd, WantedGlance, What};
use crate::model::{Audience, Place};
use crate::protocol::Kept;
use crate::report::{Connection, Finding, sample};
use forkscope_proto::{self as proto, Act, FileKind, FileRef, Header, Kind, Plaintext, calls};
use proto::arguments::EPOLL_EVENT;
use proto::net::{AF_INET, AF_UNIX, IPPROTO_TCP, SOCK_DGRAM, SOCK_STREAM, TCP_CLOSE, TCP_ESTABLISHED};
use std::collections::{BTreeMap, HashMap};

/// Who is told of each event once it is analysed, and what is known then.
type Listener = Box<dyn FnMut(&Event<'_>, &Analysis)>;

/// Processes, their tables, and the analyser that watches them.
pub(crate) struct Kernel {
    pub(crate) analysis: Analysis,
    /// The same, which of transfers sees what a recording keeps, and to which nobody listens.
    replayed: Analysis,
    tables: HashMap<u32, BTreeMap<i32, FileRef>>,
    time: u64,
    serial: u64,
    sees_addresses: bool,
    names_children: bool,
    listener: Listener,
}

impl Kernel {
    /// With one process, 100, that has just been started.
    pub(crate) fn new() -> Self {
        Self::heard_by(Box::new(|_, _| ()))
    }

    /// As [`Kernel::new`], with somebody who hears of all events.
    pub(crate) fn heard_by(listener: Listener) -> Self {
        let [analysis, mut replayed] = [(), ()].map(|()| Analysis::new(0, BTreeMap::new()));
        replayed.model.set_audience(Audience { screen: false, recording: false });
        let (tables, time, serial, sees_addresses) = (HashMap::new(), 0, 1000, true);
        let names_children = false;
        let mut kernel =
            Self { analysis, replayed, tables, time, serial, sees_addresses, names_children, listener };
        kernel.tables.insert(100, BTreeMap::new());
        let snapshot = Snapshot { started_here: true, whole: true, threads: 1, ..Snapshot::default() };
        kernel.event(100, What::Snapshot(&snapshot));
        kernel
    }

    /// The process has held a TCP connection since before forkscope looked; returns its number.
    pub(crate) fn held_before(&mut self, pid: u32) -> i32 {
        let (file, fd) = (self.file(FileKind::Socket), self.lowest(pid));
        self.set(pid, fd, file);
        let mut socket = tcp(file, TCP_ESTABLISHED);
        (socket.local_port, socket.remote_port) = (self.serial as u16, 80);
        let entry = SnapshotFd { fd, file, socket: Some(socket), ..SnapshotFd::default() };
        let snapshot = Snapshot { threads: 1, descriptors: vec![entry], ..Snapshot::default() };
        self.event(pid, What::Snapshot(&snapshot));
        fd
    }

    /// The process has held a file of a kind since before forkscope looked; returns its number.
    pub(crate) fn held_kind_before(&mut self, pid: u32, kind: FileKind) -> i32 {
        let file = self.file(kind);
        self.tables.entry(pid).or_default();
        self.held(pid, file)
    }

    /// Another process has held what this one holds under a number, since before forkscope looked;
    /// returns its number there.
    pub(crate) fn shared_before(&mut self, pid: u32, fd: i32, other: u32) -> i32 {
        let file = self.at(pid, fd);
        self.tables.entry(other).or_default();
        self.held(other, file)
    }

    fn held(&mut self, pid: u32, file: FileRef) -> i32 {
        let fd = self.lowest(pid);
        self.set(pid, fd, file);
        let entry = SnapshotFd { fd, file: FileRef { file: 0, ..file }, ..SnapshotFd::default() };
        let snapshot = Snapshot { threads: 1, descriptors: vec![entry], ..Snapshot::default() };
        self.event(pid, What::Snapshot(&snapshot));
        fd
    }

    /// From here on events tell what ptrace can: no addresses of open files, and one
    /// inode for all that have none.
    pub(crate) fn hide_addresses(&mut self) {
        self.sees_addresses = false;
    }

    /// From here on forked processes have their parents' names, as in a real kernel.
    pub(crate) fn name_children(&mut self) {
        self.names_children = true;
    }

    fn event(&mut self, pid: u32, what: What<'_>) {
        self.time += 1_000_000;
        let process = ProcKey { tgid: pid, start: u64::from(pid) };
        let event = Event { time: self.time, process, tid: pid, what };
        // Of the other one nothing is foreseen: both must come to the same.
        self.analysis.foresee(&event);
        self.analysis.apply(&event);
        (self.listener)(&event, &self.analysis);
        let kept = self.analysis.model.kept();
        let shown = |(at, &byte): (usize, &u8)| if kept.has(at) { byte } else { Kept::FILL };
        let shown = |payload: &[u8]| payload.iter().enumerate().map(shown).collect::<Vec<u8>>();
        match what {
            What::Io(io, payload) => {
                self.replayed.apply(&Event { what: What::Io(io, &shown(payload)), ..event });
            }
            What::Plaintext(record, payload) => {
                self.replayed.apply(&Event { what: What::Plaintext(record, &shown(payload)), ..event });
            }
            _ => self.replayed.apply(&event),
        }
    }

    fn header(&self, pid: u32, kind: Kind, nr: u16) -> Header {
        Header { time: self.time, start: pid.into(), tgid: pid, tid: pid, kind: kind as u16, nr, payload: 0 }
    }

    /// A call that made or changed something; `change` fills the record in.
    pub(crate) fn call(&mut self, pid: u32, nr: u16, payload: &[u8], change: impl FnOnce(&mut proto::Call)) {
        let mut call = proto::Call {
            header: self.header(pid, Kind::Call, nr),
            fd: -1,
            other_fd: -1,
            ..Default::default()
        };
        change(&mut call);
        self.event(pid, What::Call(&call, payload));
    }

    fn file(&mut self, kind: FileKind) -> FileRef {
        self.serial += 1;
        // Those without a place in a file system share one inode (`anon_inode_inode`, fs/anon_inodes.c).
        let is_anonymous = matches!(kind, FileKind::Epoll | FileKind::Eventfd);
        FileRef {
            file: if self.sees_addresses { 0xffff_0000 + self.serial * 64 } else { 0 },
            inode: if is_anonymous { 1 } else { self.serial },
            kind: kind as u8,
            ..FileRef::NONE
        }
    }

    /// What is behind a number.
    pub(crate) fn at(&self, pid: u32, fd: i32) -> FileRef {
        self.tables[&pid].get(&fd).copied().unwrap_or_default()
    }

    fn lowest(&self, pid: u32) -> i32 {
        (3..).find(|fd| !self.tables[&pid].contains_key(fd)).expect("a number is free")
    }

    fn set(&mut self, pid: u32, fd: i32, file: FileRef) {
        self.tables.get_mut(&pid).expect("lives").insert(fd, file);
    }

    /// Opens a file; returns its number.
    pub(crate) fn open(&mut self, pid: u32, path: &str) -> i32 {
        let file = self.file(FileKind::Regular);
        self.make(pid, calls::OPENAT, file, path.as_bytes())
    }

    /// Makes an anonymous file of a kind.
    pub(crate) fn make_kind(&mut self, pid: u32, nr: u16, kind: FileKind) -> i32 {
        self.make_kind_with(pid, nr, kind, 0)
    }

    /// As [`Kernel::make_kind`], with flags as its second argument.
    pub(crate) fn make_kind_with(&mut self, pid: u32, nr: u16, kind: FileKind, flags: u64) -> i32 {
        let (file, fd) = (self.file(kind), self.lowest(pid));
        self.set(pid, fd, file);
        self.call(pid, nr, b"", |call| {
            (call.ret, call.fd, call.file, call.args[1]) = (fd.into(), fd, file, flags);
        });
        fd
    }

    /// Makes a pipe: the numbers of its reading and its writing end.
    pub(crate) fn pipe(&mut self, pid: u32) -> (i32, i32) {
        let reader = self.file(FileKind::Pipe);
        let writer = FileRef { inode: reader.inode, ..self.file(FileKind::Pipe) };
        let read_fd = self.lowest(pid);
        self.set(pid, read_fd, reader);
        let write_fd = self.lowest(pid);
        self.set(pid, write_fd, writer);
        self.call(pid, calls::PIPE2, b"", |call| {
            (call.fd, call.file) = (read_fd, reader);
            (call.other_fd, call.other) = (write_fd, writer);
        });
        (read_fd, write_fd)
    }

    fn make(&mut self, pid: u32, nr: u16, file: FileRef, payload: &[u8]) -> i32 {
        let fd = self.lowest(pid);
        self.set(pid, fd, file);
        self.call(pid, nr, payload, |call| {
            call.ret = fd.into();
            call.fd = fd;
            call.file = file;
        });
        fd
    }

    /// Opens a TCP connection to a port.
    pub(crate) fn connect(&mut self, pid: u32, port: u16) -> i32 {
        let file = self.file(FileKind::Socket);
        let fd = self.lowest(pid);
        let mut socket = tcp(file, TCP_CLOSE);
        socket.header = self.header(pid, Kind::Socket, 0);
        self.event(pid, What::Socket(&socket, b""));
        self.make(pid, calls::SOCKET, file, b"");
        (socket.state, socket.local_port, socket.remote_port) = (TCP_ESTABLISHED, self.serial as u16, port);
        [socket.local[0], socket.local[3], socket.remote[0], socket.remote[3]] = [127, 1, 127, 1];
        self.event(pid, What::Socket(&socket, b""));
        self.call(pid, calls::CONNECT, b"", |call| (call.fd, call.file) = (fd, file));
        fd
    }

    /// The probe finds a connection in another state, and describes it once more.
    pub(crate) fn came_to(&mut self, pid: u32, fd: i32, state: u16) {
        let mut socket = tcp(self.at(pid, fd), state);
        socket.header = self.header(pid, Kind::Socket, 0);
        self.event(pid, What::Socket(&socket, b""));
    }

    /// Makes a datagram socket.
    pub(crate) fn datagram(&mut self, pid: u32) -> i32 {
        let file = self.file(FileKind::Socket);
        let mut socket = proto::Socket { file, family: AF_UNIX, kind: SOCK_DGRAM, ..Default::default() };
        socket.header = self.header(pid, Kind::Socket, 0);
        self.event(pid, What::Socket(&socket, b""));
        self.make(pid, calls::SOCKET, file, b"")
    }

    /// Accepts a TCP connection on a port.
    pub(crate) fn accept(&mut self, pid: u32, port: u16) -> i32 {
        let file = self.file(FileKind::Socket);
        let fd = self.lowest(pid);
        self.set(pid, fd, file);
        let mut socket = tcp(file, TCP_ESTABLISHED);
        (socket.local_port, socket.remote_port) = (port, self.serial as u16);
        socket.header = self.header(pid, Kind::Socket, 0);
        self.event(pid, What::Socket(&socket, b""));
        self.call(pid, calls::ACCEPT4, b"", |call| {
            (call.ret, call.other_fd, call.other) = (fd.into(), fd, file);
        });
        fd
    }

    /// `dup2(2)`.
    pub(crate) fn copy(&mut self, pid: u32, from: i32, to: i32) {
        let (file, replaced) = (self.at(pid, from), self.at(pid, to));
        self.set(pid, to, file);
        self.call(pid, calls::DUP2, b"", |call| {
            (call.args[0], call.args[1], call.ret) = (from as u64, to as u64, to.into());
            (call.fd, call.file, call.other_fd, call.other, call.replaced) = (from, file, to, file, replaced);
        });
    }

    /// Closes a number.
    pub(crate) fn close(&mut self, pid: u32, fd: i32) {
        let file = self.at(pid, fd);
        self.tables.get_mut(&pid).expect("lives").remove(&fd);
        self.call(pid, calls::CLOSE, b"", |call| (call.fd, call.file) = (fd, file));
    }

    /// An exec has closed what was marked for it, of which no call tells.
    pub(crate) fn gone(&mut self, pid: u32, fd: i32) {
        self.tables.get_mut(&pid).expect("lives").remove(&fd);
    }

    /// Forks with clone flags.
    pub(crate) fn fork(&mut self, parent: u32, child: u32, flags: u64) {
        self.fork_threaded(parent, child, 1, flags);
    }

    /// Forks as a process of several threads does.
    pub(crate) fn fork_threaded(&mut self, parent: u32, child: u32, threads: u32, flags: u64) {
        self.tables.insert(child, self.tables[&parent].clone());
        let mut comm = [0; 16];
        let parent_name = self.analysis.model.by_pid(parent).filter(|_| self.names_children);
        let name = parent_name.map(|process| process.comm.clone()).unwrap_or_default();
        let kept = name.len().min(comm.len() - 1);
        comm[..kept].copy_from_slice(&name.as_bytes()[..kept]);
        let fork = proto::Fork {
            header: self.header(parent, Kind::Fork, 0),
            comm,
            flags,
            child_start: child.into(),
            child_tgid: child,
            child_tid: child,
            threads,
            ..Default::default()
        };
        self.event(parent, What::Fork(&fork));
    }

    /// A child of a process that forkscope finds beside it, a copy of a process with so
    /// many older threads or not.
    pub(crate) fn was_there(&mut self, parent: u32, child: u32, copied_from: Option<u32>) {
        self.tables.insert(child, BTreeMap::new());
        let snapshot = Snapshot { ppid: parent, threads: 1, copied_from, ..Snapshot::default() };
        self.event(child, What::Snapshot(&snapshot));
    }

    /// Looks at a child as often as is asked for in this time, in nanoseconds; `seen` says what each look
    /// shows. How many looks that were.
    pub(crate) fn watch(&mut self, time: u64, mut seen: impl FnMut(&Self, &WantedGlance) -> Glance) -> usize {
        const ROUND: u64 = 125_000_000;
        let mut looks = 0;
        for _ in 0..time / ROUND {
            self.wait(ROUND);
            for wanted in self.analysis.wanted_glances(self.time) {
                let glance = seen(self, &wanted);
                self.event(wanted.child.tgid, What::Glance(&glance));
                looks += 1;
            }
        }
        looks
    }

    /// Says where a process lives.
    pub(crate) fn settle(&mut self, pid: u32, place: &Place) {
        self.analysis.settle(pid, place.clone());
        self.replayed.settle(pid, place.clone());
    }

    /// The inode behind a number.
    pub(crate) fn inode(&self, pid: u32, fd: i32) -> u64 {
        self.at(pid, fd).inode
    }

    /// Executes a program: what is close-on-exec goes.
    pub(crate) fn exec(&mut self, pid: u32) {
        self.exec_as(pid, "program", &["program"]);
    }

    /// As [`Kernel::exec`], with a name, of which the kernel keeps 15 bytes, and a command line.
    pub(crate) fn exec_as(&mut self, pid: u32, name: &str, words: &[&str]) {
        let mut exec = proto::Exec { header: self.header(pid, Kind::Exec, 0), ..Default::default() };
        let kept = name.len().min(exec.comm.len() - 1);
        exec.comm[..kept].copy_from_slice(&name.as_bytes()[..kept]);
        let cmdline: String = words.iter().flat_map(|word| [*word, "\0"]).collect();
        self.event(pid, What::Exec(&exec, cmdline.as_bytes()));
    }

    /// Ends a process.
    pub(crate) fn exit(&mut self, pid: u32) {
        self.die(pid, 0);
    }

    /// Ends a process by a signal; 0: by itself.
    pub(crate) fn die(&mut self, pid: u32, signal: u32) {
        let exit = proto::Exit { header: self.header(pid, Kind::Exit, 0), status: signal, last: 1 };
        self.event(pid, What::Exit(&exit));
    }

    /// Moves bytes; an error where `ret` is negative.
    pub(crate) fn transfer(&mut self, pid: u32, nr: u16, fd: i32, data: &[u8], ret: i64) {
        let file = self.at(pid, fd);
        let io = proto::Io { header: self.header(pid, Kind::Io, nr), file, ret, fd, ..Default::default() };
        self.event(pid, What::Io(&io, data));
    }

    /// Sends bytes.
    pub(crate) fn send(&mut self, pid: u32, fd: i32, data: &[u8]) {
        self.transfer(pid, calls::SENDTO, fd, data, data.len() as i64);
    }

    /// Receives bytes.
    pub(crate) fn receive(&mut self, pid: u32, fd: i32, data: &[u8]) {
        self.transfer(pid, calls::RECVFROM, fd, data, data.len() as i64);
    }

    /// A call of OpenSSL on an `SSL` object, which did all it was to do; on a socket, or without one.
    pub(crate) fn openssl(&mut self, pid: u32, act: Act, session: u64, fd: Option<i32>, data: &[u8]) {
        let moves = matches!(act, Act::Read | Act::Write);
        let flags = match (fd, act) {
            (None, _) => 0,
            (_, Act::Read) => Plaintext::RECEIVED,
            (_, Act::Handshake | Act::Write | Act::Shutdown) => Plaintext::SENT,
        };
        let ret = if moves { data.len() as i64 } else { 1 };
        let file = fd.map_or(FileRef::NONE, |fd| self.at(pid, fd));
        let record = Plaintext { file, session, ret, act: act as u16, flags, ..Default::default() };
        self.plaintext(pid, Plaintext { fd: fd.unwrap_or(-1), ..record }, data);
    }

    /// The same, whatever it says.
    pub(crate) fn plaintext(&mut self, pid: u32, record: Plaintext, data: &[u8]) {
        let nr = if record.act == Act::Read as u16 { calls::RECVFROM } else { calls::SENDTO };
        let record = Plaintext { header: self.header(pid, Kind::Plaintext, nr), ..record };
        self.event(pid, What::Plaintext(&record, data));
    }

    /// `epoll_ctl(2)`: 1 adds, 2 removes, 3 modifies.
    pub(crate) fn epoll(&mut self, pid: u32, epoll: i32, operation: u64, fd: i32, data: u64) {
        let (file, other) = (self.at(pid, epoll), self.at(pid, fd));
        self.call(pid, calls::EPOLL_CTL, &epoll_event(data), |call| {
            (call.fd, call.file, call.args[1]) = (epoll, file, operation);
            (call.other_fd, call.other) = (fd, other);
        });
    }

    /// `epoll_wait(2)` that gave these data; none: its time was over.
    pub(crate) fn epoll_wait(&mut self, pid: u32, epoll: i32, data: &[u64]) {
        let file = self.at(pid, epoll);
        let payload: Vec<u8> = data.iter().flat_map(|&data| epoll_event(data)).collect();
        self.call(pid, calls::EPOLL_WAIT, &payload, |call| {
            (call.fd, call.file, call.ret) = (epoll, file, data.len() as i64);
        });
    }

    /// Lets nanoseconds pass.
    pub(crate) fn wait(&mut self, time: u64) {
        self.time += time;
    }

    /// `shutdown(2)` of a direction: 1 is `SHUT_WR`, 2 `SHUT_RDWR`.
    pub(crate) fn shut_down(&mut self, pid: u32, fd: i32, how: u64) {
        let file = self.at(pid, fd);
        self.call(pid, calls::SHUTDOWN, b"", |call| (call.fd, call.file, call.args[1]) = (fd, file, how));
    }

    /// Receives the end of the stream.
    pub(crate) fn receive_end(&mut self, pid: u32, fd: i32) {
        let file = self.at(pid, fd);
        let header = self.header(pid, Kind::Io, calls::RECVFROM);
        let io = proto::Io { header, file, ret: 0, len: 4096, fd, ..Default::default() };
        self.event(pid, What::Io(&io, b""));
    }

    /// A receive that fails: nothing is there, or it was interrupted.
    pub(crate) fn receive_nothing(&mut self, pid: u32, fd: i32, errno: i32) {
        let file = self.at(pid, fd);
        let header = self.header(pid, Kind::Io, calls::RECVFROM);
        let io = proto::Io { header, file, ret: -i64::from(errno), len: 4096, fd, ..Default::default() };
        self.event(pid, What::Io(&io, b""));
    }

    /// The findings so far that are no information: rule, process, number. From a
    /// recording they would be the same.
    pub(crate) fn findings(&self) -> Vec<(&'static str, u32, Option<i32>)> {
        let told = |finding: &&Finding| finding.severity > crate::report::Severity::Info;
        let all = |analysis: &Analysis| -> Vec<String> {
            let line = |f: &Finding| format!("{} {} {} {}", f.count, f.title, f.summary, f.fingerprint);
            analysis.findings().iter().map(line).collect()
        };
        assert_eq!(all(&self.analysis), all(&self.replayed));
        self.connections();
        self.analysis.findings().iter().filter(told).map(|f| (f.rule.name(), f.pid, f.fd)).collect()
    }

    /// The connections in the report. From a recording they would be the same.
    pub(crate) fn connections(&self) -> Vec<Connection> {
        let [connections, replayed] =
            [&self.analysis, &self.replayed].map(|analysis| analysis.report(sample::session()).connections);
        assert_eq!(connections, replayed);
        connections
    }

    /// What the model thinks of a table: numbers and inodes.
    pub(crate) fn modelled(&self, pid: u32) -> Vec<(i32, u64)> {
        let model = &self.analysis.model;
        let table = model.by_pid(pid).and_then(|process| model.table(process.id));
        table.map_or_else(Vec::new, |table| table.iter().map(|(fd, held)| (fd, held.file.inode)).collect())
    }

    /// What the table really is.
    pub(crate) fn real(&self, pid: u32) -> Vec<(i32, u64)> {
        self.tables[&pid].iter().map(|(fd, file)| (*fd, file.inode)).collect()
    }
}

/// `struct epoll_event`: readable, with this data.
fn epoll_event(data: u64) -> [u8; EPOLL_EVENT] {
    let mut event = [0; EPOLL_EVENT];
    event[0] = 1;
    event[4..].copy_from_slice(&data.to_le_bytes());
    event
}

/// A TCP socket, before it has addresses.
fn tcp(file: FileRef, state: u16) -> proto::Socket {
    let (family, kind, protocol) = (AF_INET, SOCK_STREAM, IPPROTO_TCP);
    proto::Socket { file, family, kind, protocol, state, ..Default::default() }
}
