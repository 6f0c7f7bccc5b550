//! Events made one by one, for what the traffic has none of.

use forkscope::analysis::Analysis;
use forkscope::event::{Event, ProcKey, Snapshot, What};
use forkscope_proto::{self as proto, FileKind, FileRef, Header, Kind, calls};

/// A process as its events name it.
#[derive(Clone, Copy)]
pub(super) struct Made {
    pub(super) pid: u32,
}

impl Made {
    fn event<'a>(self, time: u64, what: What<'a>) -> Event<'a> {
        let Header { start, tgid, tid, .. } = self.header(time, Kind::Call, 0);
        Event { time, process: ProcKey { tgid, start }, tid, what }
    }

    fn header(self, time: u64, kind: Kind, nr: u16) -> Header {
        let start = u64::from(self.pid) * 7;
        Header { time, start, tgid: self.pid, tid: self.pid, kind: kind as u16, nr, payload: 0 }
    }

    /// It is there, with one thread and nothing open.
    pub(super) fn appear(self, analysis: &mut Analysis) {
        let seen = Snapshot { threads: 1, whole: true, started_here: true, ..Snapshot::default() };
        analysis.apply(&self.event(1, What::Snapshot(&seen)));
    }

    /// It opens a file.
    pub(super) fn open(self, analysis: &mut Analysis, time: u64, fd: i32) {
        let inode = u64::from(fd as u32) + 100;
        let file = FileRef { file: inode << 8, inode, kind: FileKind::Regular as u8, ..FileRef::NONE };
        let header = self.header(time, Kind::Call, calls::OPENAT);
        let call = proto::Call { header, fd, other_fd: -1, ret: fd.into(), file, ..Default::default() };
        analysis.apply(&self.event(time, What::Call(&call, b"/etc/hosts")));
    }

    /// It connects a socket.
    pub(super) fn connect(self, analysis: &mut Analysis, time: u64, fd: i32) {
        let inode = u64::from(fd as u32) + 1_000_000;
        let file = FileRef { file: inode << 8, inode, kind: FileKind::Socket as u8, ..FileRef::NONE };
        let mut socket =
            proto::Socket { file, family: 2, kind: 1, protocol: 6, state: 1, ..Default::default() };
        socket.header = self.header(time, Kind::Socket, 0);
        (socket.local_port, socket.remote_port) = (40_000, 6379);
        [socket.local[0], socket.remote[0]] = [127; 2];
        analysis.apply(&self.event(time, What::Socket(&socket, &[])));
        let header = self.header(time, Kind::Call, calls::SOCKET);
        let call = proto::Call { header, fd, other_fd: -1, ret: fd.into(), file, ..Default::default() };
        analysis.apply(&self.event(time, What::Call(&call, &[])));
    }

    /// It closes a number.
    pub(super) fn close(self, analysis: &mut Analysis, time: u64, fd: i32, file: FileRef) {
        let header = self.header(time, Kind::Call, calls::CLOSE);
        let call = proto::Call { header, fd, other_fd: -1, file, ..Default::default() };
        analysis.apply(&self.event(time, What::Call(&call, &[])));
    }

    /// A fork, as its event tells it.
    pub(super) fn forking(self, time: u64, child: u32) -> proto::Fork {
        let header = self.header(time, Kind::Fork, 0);
        let child_start = u64::from(child) * 7;
        proto::Fork { header, child_start, child_tgid: child, child_tid: child, ..Default::default() }
    }

    /// It forks.
    pub(super) fn fork(self, analysis: &mut Analysis, fork: &proto::Fork) {
        analysis.apply(&self.event(fork.header.time, What::Fork(fork)));
    }

    /// It ends.
    pub(super) fn exit(self, analysis: &mut Analysis, time: u64) {
        let header = self.header(time, Kind::Exit, 0);
        analysis.apply(&self.event(time, What::Exit(&proto::Exit { header, status: 0, last: 1 })));
    }
}
