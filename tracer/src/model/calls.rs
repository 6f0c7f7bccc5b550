//! What calls that are no transfers do to tables and sockets.

use super::race::Span;
use super::{Change, Failure, Farewell, Model, Origin};
use crate::errno;
use forkscope_proto as proto;
use proto::arguments::{F_SETFD, FIOCLEX};
use proto::{Call, FileRef, Produces, Shape, calls};

impl Model {
    pub(super) fn call(&mut self, at: Origin, call: &Call, payload: &[u8], out: &mut Vec<Change>) {
        if matches!(at.nr, calls::EPOLL_WAIT | calls::EPOLL_PWAIT | calls::EPOLL_PWAIT2)
            && errno::of(call.ret).is_none_or(errno::is_not_now)
        {
            self.epoll_waited(at, call, payload, out);
        }
        if call.ret < 0 {
            self.failed_call(at, call, out);
            if at.nr != calls::CLOSE {
                return;
            }
        }
        match at.nr {
            calls::CLOSE => {
                self.close(at, Span::of(at, call).to, call.fd, &call.file, call.ret, out);
            }
            calls::CLOSE_RANGE => self.close_range(at, call, out),
            calls::SHUTDOWN => {
                let socket = self.socket_of(&call.file).and_then(|id| self.sockets.get_mut(&id));
                if let Some(socket) = socket {
                    let how = Farewell::Shutdown(call.args[1] as i32);
                    socket.end_for_all(at, call.fd, how);
                }
            }
            calls::EPOLL_CTL => self.epoll_changed(at, call, payload, out),
            calls::UNSHARE => self.unshare(at),
            calls::FCNTL if call.args[1] == F_SETFD => self.set_cloexec(at, call.fd, call.args[2] & 1 != 0),
            calls::IOCTL => self.set_cloexec(at, call.fd, call.args[1] == FIOCLEX),
            _ => self.produce(at, call, payload, out),
        }
        if at.nr == calls::IO_URING_SETUP {
            self.with(at.process, |process| process.uring = true);
        }
        self.race(at, call, out);
    }

    /// Puts the descriptors that a call made into the table.
    fn produce(&mut self, at: Origin, call: &Call, payload: &[u8], out: &mut Vec<Change>) {
        let Some(spec) = calls::SPECS.get(usize::from(at.nr)) else { return };
        let began = Span::of(at, call).from;
        match (spec.produces, at.nr) {
            (Produces::Result, calls::PIDFD_GETFD) => {
                self.install(at, began, call.fd, &call.file, None, None);
                self.note_passed(at, call.fd, &call.file);
            }
            (Produces::Result, _) => {
                let path = matches!(spec.capture, proto::Capture::Path0 | proto::Capture::Path1);
                self.install(at, began, call.fd, &call.file, None, path.then_some(payload));
                self.made_eventfd(at, call);
            }
            (Produces::Other, calls::ACCEPT | calls::ACCEPT4) => {
                self.install(at, began, call.other_fd, &call.other, None, None);
                if let Some(socket) = self.socket_of(&call.other).and_then(|id| self.sockets.get_mut(&id)) {
                    socket.accept();
                }
            }
            // dup2 of a number onto itself changes nothing (dup(2)).
            (Produces::Other, calls::DUP2) if call.args[0] == call.args[1] => {}
            (Produces::Other, _) | (Produces::Nothing, calls::FCNTL) => {
                let source = self.held(at, call.fd).filter(|file| file.is(&call.file));
                self.install(at, began, call.other_fd, &call.other, source, None);
                let replaced = self.socket_of(&call.replaced);
                out.extend(replaced.and_then(|socket| self.give_up(at, call.other_fd, socket)));
            }
            (Produces::Pair0 | Produces::Pair3, _) => {
                self.install(at, began, call.fd, &call.file, None, None);
                self.install(at, began, call.other_fd, &call.other, None, None);
            }
            (Produces::Nothing, _) if spec.shape == Shape::Transfer => self.inside(at, call, out),
            (Produces::Nothing, _) => {}
        }
    }

    fn set_cloexec(&mut self, at: Origin, fd: i32, cloexec: bool) {
        if let Some(table) = self.table_id(at).and_then(|id| self.tables.get_mut(&id)) {
            table.set_cloexec(fd, cloexec);
        }
    }

    fn failed_call(&mut self, at: Origin, call: &Call, out: &mut Vec<Change>) {
        let Some(errno) = errno::of(call.ret) else { return };
        if call.fd >= 0 && call.file == FileRef::NONE {
            self.resolve(at, call.fd, &call.file, out);
        }
        let on = match (at.nr, call.file.is_some(), call.other.is_some()) {
            // The first is there, the second is not: what an epoll should watch, or the other end of a copy.
            (calls::EPOLL_CTL | calls::SENDFILE | calls::SPLICE, true, false) => call.other_fd,
            _ => call.fd,
        };
        let failure = Failure { operation: call.args[1] as u32, ..Failure::new(at, on, errno) };
        self.failure(&call.file, failure, out);
    }

    /// Hands on a failed call, unless the failure is how non-blocking calls say "not now".
    pub(super) fn failure(&mut self, file: &FileRef, failure: Failure, out: &mut Vec<Change>) {
        let Failure { by, fd, errno, .. } = failure;
        if fd < 0 || errno::is_not_now(errno) {
            return;
        }
        let socket = self.socket_of(file).and_then(|id| self.sockets.get_mut(&id));
        if let Some(usage) = socket.and_then(|socket| socket.usage_mut(by.process, fd)) {
            usage.fails(&failure);
        }
        out.push(Change::Failed(failure));
    }

    /// Bytes moved inside the kernel, from or to a socket.
    fn inside(&mut self, at: Origin, call: &Call, out: &mut Vec<Change>) {
        let (first, second) = ((&call.file, call.fd), (&call.other, call.other_fd));
        let (to, from) = if at.nr == calls::SENDFILE { (first, second) } else { (second, first) };
        for ((file, fd), sent) in [(to, true), (from, false)] {
            if let Some(id) = self.socket_of(file) {
                self.moved_unseen(at, id, fd, sent, call.ret.max(0) as u64, out);
            }
        }
    }

    pub(super) fn note_passed(&mut self, at: Origin, fd: i32, file: &FileRef) {
        let socket = self.socket_of(file).and_then(|id| self.sockets.get_mut(&id));
        if let Some(usage) = socket.and_then(|socket| socket.usage_mut(at.process, fd)) {
            usage.passed = true;
        }
    }
}
