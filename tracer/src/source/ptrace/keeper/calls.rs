//! System calls: what is taken where they begin, and the record where they end.

use super::memory::{self, Message};
use super::{Context, Say, now};
use forkscope_proto as proto;
use proto::arguments::{
    EBADF, EPOLL_EVENT, SCM_RIGHTS, SOL_SOCKET, transfer_flags, transfer_length, worth_taking,
};
use proto::{Capture, Config, Enter, FileKind, FileRef, Gate, Kind, PassedFd, Produces, Shape, Spec, calls};

/// A call that has begun.
#[derive(Clone, Copy, Debug)]
pub(super) struct Begun {
    number: u16,
    spec: Spec,
    args: [u64; 6],
    time: u64,
    /// What is behind the descriptor that it names, and behind the second.
    file: FileRef,
    other: FileRef,
    /// What its target replaces.
    replaced: FileRef,
}

impl Begun {
    /// The call.
    pub(super) fn number(&self) -> u16 {
        self.number
    }

    /// The descriptor that it names; -1: none.
    pub(super) fn fd(&self) -> i32 {
        if self.spec.fd == Spec::NO_FD { -1 } else { self.arg(self.spec.fd) as i32 }
    }

    fn arg(&self, at: u8) -> u64 {
        self.args.get(usize::from(at)).copied().unwrap_or(0)
    }
}

impl Context<'_> {
    /// Takes what a call has with it when it begins; `None` where its end need not be seen.
    pub(super) fn begin(&mut self, number: u64, args: [u64; 6]) -> Option<Begun> {
        let number = u16::try_from(number).ok()?;
        let spec = *calls::SPECS.get(usize::from(number))?;
        let none = FileRef::NONE;
        let mut begun = Begun { number, spec, args, time: now(), file: none, other: none, replaced: none };
        if spec.shape == Shape::Ignored || !spec.gate.wants(|at| begun.arg(at)) {
            return None;
        }
        if spec.fd != Spec::NO_FD && spec.produces != Produces::Result {
            begun.file = self.behind(begun.arg(spec.fd) as i32);
        }
        // Of a pipe the result decides.
        let is_other = |file: &FileRef| file.is_some() && !file.is_endpoint(1);
        if spec.gate == Gate::Endpoint && is_other(&begun.file) {
            return None;
        }
        if spec.other != Spec::NO_FD {
            begun.other = self.behind(begun.arg(spec.other) as i32);
        }
        // Where nothing is behind a number the result decides.
        if spec.gate == Gate::EitherSocket && !begun.file.either_matters(&begun.other, EBADF) {
            return None;
        }
        if spec.enter == Enter::Replaced {
            begun.replaced = self.behind(begun.args[1] as i32);
            self.meet_end(begun.args[1] as i32, &begun.replaced);
        } else if spec.enter == Enter::Target {
            self.meet_end(begun.arg(spec.fd) as i32, &begun.file);
            // What was told of it comes before its close.
            begun.time = now();
        }
        Some(begun)
    }

    /// What is behind a number; a socket that forkscope has not met is described to it first.
    fn behind(&mut self, fd: i32) -> FileRef {
        let file = self.keeper.looker.behind(self.tid as u32, fd);
        if self.keeper.looker.take_refused() {
            self.hidden();
        }
        self.meet(fd, &file);
        file
    }

    /// The process does not let itself be looked at: said once.
    pub(super) fn hidden(&mut self) {
        let process = self.keeper.processes.get_mut(&self.tgid).filter(|process| !process.hidden);
        if let Some(process) = process {
            process.hidden = true;
            self.keeper.out.say(Say::Hidden, self.tgid, 0);
        }
    }

    /// What is behind a number that the call has just made.
    fn made(&mut self, fd: i32) -> FileRef {
        let file = self.keeper.looker.made(self.tid as u32, fd);
        self.meet(fd, &file);
        file
    }

    /// Writes the record of a call that has ended.
    pub(super) fn end(&mut self, begun: &Begun, ret: i64) {
        match begun.spec.shape {
            Shape::Ignored => {}
            Shape::Send | Shape::Receive => self.transfer(begun, ret),
            Shape::Plain | Shape::Transfer => self.call(begun, ret),
        }
    }

    fn transfer(&mut self, begun: &Begun, ret: i64) {
        if begun.spec.gate == Gate::Endpoint && !begun.file.is_endpoint(ret) {
            return;
        }
        let sent = begun.spec.shape == Shape::Send;
        let arg = |at| begun.arg(at);
        let most = worth_taking(begun.spec.capture, sent, ret, self.keeper.settings.capture) as usize;
        let mut payload = std::mem::take(&mut self.keeper.payload);
        payload.clear();
        self.take(begun, most, &mut payload);
        let mut header = self.header(begun.number);
        (header.kind, header.payload) = (Kind::Io as u16, payload.len() as u32);
        let record = proto::Io {
            header,
            file: begun.file,
            ret,
            len: transfer_length(begun.spec.capture, arg),
            fd: begun.args[0] as i32,
            flags: transfer_flags(begun.number, arg) as u32,
            seq: 0,
            reserved: 0,
        };
        self.keeper.out.record(&record, &payload);
        self.keeper.payload = payload;
        if begun.number == calls::RECVMSG && ret >= 0 {
            self.passed(begun);
        }
    }

    /// Takes the first bytes of what a transfer's arguments point to.
    fn take(&self, begun: &Begun, most: usize, to: &mut Vec<u8>) {
        match begun.spec.capture {
            Capture::Buffer => {
                let most = usize::try_from(begun.args[2]).map_or(most, |length| length.min(most));
                memory::take(self.tid, begun.args[1], most, to);
            }
            Capture::Vectors => memory::take_vectors(self.tid, begun.args[1], begun.args[2], most, to),
            Capture::Message | Capture::Messages => {
                if let Some(message) = memory::value::<Message>(self.tid, begun.args[1]) {
                    memory::take_vectors(self.tid, message.vectors, message.count, most, to);
                }
            }
            _ => {}
        }
    }

    fn call(&mut self, begun: &Begun, ret: i64) {
        let spec = &begun.spec;
        if spec.gate == Gate::EitherSocket && !begun.file.either_matters(&begun.other, ret) {
            return;
        }
        let mut payload = std::mem::take(&mut self.keeper.payload);
        payload.clear();
        self.detail(begun, ret, &mut payload);
        let names_fd = matches!(spec.produces, Produces::Nothing | Produces::Other) && spec.fd != Spec::NO_FD;
        let mut record = proto::Call {
            header: proto::Header::default(),
            args: begun.args,
            ret,
            other_end: begun.time,
            fd: if names_fd { begun.arg(spec.fd) as i32 } else { -1 },
            other_fd: if spec.other == Spec::NO_FD { -1 } else { begun.arg(spec.other) as i32 },
            file: begun.file,
            other: begun.other,
            replaced: begun.replaced,
        };
        if spec.changes_socket && names_fd && begun.file.kind() == FileKind::Socket && ret <= 0 {
            let towards: &[u8] = if begun.number == calls::CONNECT { &payload } else { &[] };
            self.describe(record.fd, &begun.file, towards);
        }
        if ret >= 0 {
            self.produced(begun, ret, &mut record);
        }
        // Now, and no earlier: a socket that it made was described meanwhile, and comes before it.
        record.header = self.header(begun.number);
        (record.header.kind, record.header.payload) = (Kind::Call as u16, payload.len() as u32);
        if spec.enter == Enter::Target {
            // The number is free from here on, and may be another file's before the call has ended.
            (record.header.time, record.other_end) = (begun.time, record.header.time);
        }
        self.keeper.out.record(&record, &payload);
        self.keeper.payload = payload;
    }

    /// Fills in the descriptors that a call made.
    fn produced(&mut self, begun: &Begun, ret: i64, record: &mut proto::Call) {
        let pair = match begun.spec.produces {
            Produces::Result => {
                record.fd = ret as i32;
                record.file = self.made(record.fd);
                return;
            }
            Produces::Nothing if !begun.spec.gate.duplicates(begun.args[1]) => return,
            Produces::Other | Produces::Nothing => {
                record.other_fd = ret as i32;
                record.other = self.made(record.other_fd);
                return;
            }
            Produces::Pair0 => begun.args[0],
            Produces::Pair3 => begun.args[3],
        };
        let Some([first, second]) = memory::value::<[i32; 2]>(self.tid, pair) else { return };
        (record.fd, record.other_fd) = (first, second);
        record.file = self.made(first);
        record.other = self.made(second);
    }

    /// Takes what a call that is no transfer points to.
    fn detail(&self, begun: &Begun, ret: i64, to: &mut Vec<u8>) {
        let args = &begun.args;
        let most =
            |length: u64| usize::try_from(length).map_or(Config::MOST_DETAIL, |l| l.min(Config::MOST_DETAIL));
        match begun.spec.capture {
            Capture::Path0 => memory::take_string(self.tid, args[0], Config::MOST_DETAIL, to),
            Capture::Path1 => memory::take_string(self.tid, args[1], Config::MOST_DETAIL, to),
            Capture::Address => memory::take(self.tid, args[1], most(args[2]), to),
            Capture::Events if ret > 0 => {
                memory::take(self.tid, args[1], most(ret as u64 * EPOLL_EVENT as u64), to);
            }
            Capture::Event => memory::take(self.tid, args[3], EPOLL_EVENT, to),
            _ => {}
        }
    }

    /// Reports the descriptors that a `recvmsg` brought.
    fn passed(&mut self, begun: &Begun) {
        /// Length of `struct cmsghdr` (cmsg(3)).
        const HEADER: usize = 16;
        /// As much as the descriptors of one message take (`SCM_MAX_FD`,
        /// include/net/scm.h), and credentials before.
        const MOST: usize = 2048;
        let Some(message) = memory::value::<Message>(self.tid, begun.args[1]) else { return };
        let length = usize::try_from(message.control_length).map_or(MOST, |length| length.min(MOST));
        let mut control = Vec::new();
        memory::take(self.tid, message.control, length, &mut control);
        let mut rest = &control[..];
        while let Some((head, _)) = rest.split_first_chunk::<HEADER>() {
            let length = u64::from_ne_bytes(*head.first_chunk().unwrap_or(&[0; 8])) as usize;
            let kind = (u64::from(head[8]), u64::from(head[12]));
            let Some(data) = rest.get(HEADER..length) else { return };
            if kind == (SOL_SOCKET, SCM_RIGHTS) {
                return self.list(begun, data);
            }
            rest = rest.get(length.next_multiple_of(8)..).unwrap_or_default();
        }
    }

    fn list(&mut self, begun: &Begun, numbers: &[u8]) {
        let mut record = proto::Passed {
            via: begun.args[0] as i32,
            count: (numbers.len() / 4) as u32,
            ..proto::Passed::default()
        };
        for (number, passed) in numbers.chunks_exact(4).zip(&mut record.fds) {
            let fd = i32::from_ne_bytes([number[0], number[1], number[2], number[3]]);
            *passed = PassedFd { file: self.made(fd), fd, reserved: 0 };
        }
        record.header = proto::Header { kind: Kind::Passed as u16, ..self.header(begun.number) };
        self.keeper.out.record(&record, &[]);
    }
}
