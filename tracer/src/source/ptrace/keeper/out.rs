//! The way out: records into a pipe, lengths before them, in bunches.

use super::super::link::{Length, Reply, Say, tell};
use super::super::table;
use forkscope_proto::{Header, Kind, LOST_SLOTS};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll, ppoll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::socket::MsgFlags;
use nix::unistd::write;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};
use zerocopy::{FromBytes, Immutable, IntoBytes};

/// Bytes that are handed on at once; fewer wait for the end of the round.
const BUNCH: usize = 32 << 10;
/// Bytes that may wait for a reader: as many as the probes' ring holds.
const ROOM: usize = 16 << 20;
/// Bytes after which forkscope is woken, which looks by itself every few milliseconds.
const WAKE: usize = 256 << 10;
/// How long to wait for a reader when the room is full: so long a traced program stands still, and no longer.
const PATIENCE: Duration = Duration::from_millis(200);
/// How long to wait for one when nothing else is to be done.
const MOMENT: Duration = Duration::from_millis(5);
/// How often losses are told.
const OFTEN: Duration = Duration::from_millis(100);

/// Where records go.
pub(super) struct Out {
    pipe: OwnedFd,
    replies: OwnedFd,
    buffer: Vec<u8>,
    /// How many bytes of the buffer are in the pipe.
    written: usize,
    since_wake: usize,
    /// The reader has been waited for in vain.
    stalled: bool,
    /// It was told that there is something to read, and has read nothing since.
    woken: bool,
    /// Records that were lost, and how many of them have been told.
    lost: [u64; LOST_SLOTS],
    told: [u64; LOST_SLOTS],
    told_at: Instant,
    /// Nobody reads any more.
    closed: bool,
}

impl Out {
    /// Into a pipe that does not block, with replies on a socket beside it.
    pub(super) fn new(pipe: OwnedFd, replies: OwnedFd) -> Self {
        let (lost, told) = ([0; LOST_SLOTS], [0; LOST_SLOTS]);
        Self {
            pipe,
            replies,
            buffer: Vec::new(),
            written: 0,
            since_wake: 0,
            stalled: false,
            woken: false,
            lost,
            told,
            told_at: Instant::now(),
            closed: false,
        }
    }

    /// Whether nobody reads any more.
    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Whether records wait for room in the pipe.
    pub(super) fn is_waiting(&self) -> bool {
        self.written < self.buffer.len() && !self.closed
    }

    /// From here on nothing is written: forkscope has what it wanted.
    pub(super) fn close(&mut self) {
        self.flush();
        self.tell_losses();
        self.closed = true;
    }

    /// Says something; whether it was heard. What finds the line full was not: nobody has listened for long.
    pub(super) fn say(&mut self, say: Say, about: u32, value: u64) -> bool {
        let said = tell(&self.replies, &Reply { say, about, value }, MsgFlags::MSG_DONTWAIT);
        self.closed |= said.is_err_and(|errno| errno != Errno::EAGAIN);
        said.is_ok()
    }

    /// Says that a command is done.
    pub(super) fn done(&mut self, serial: u32, value: u64) {
        self.say(Say::Done, serial, value);
    }

    /// Adds a record and its payload; where there is no room, it is lost, and counted.
    pub(super) fn record(&mut self, record: &(impl IntoBytes + Immutable), payload: &[u8]) {
        if self.closed {
            return;
        }
        let record = record.as_bytes();
        let length = Length((record.len() + payload.len()) as u32);
        if !self.has_room() && !self.make_room() {
            return self.lose(record);
        }
        self.buffer.extend_from_slice(length.as_bytes());
        self.buffer.extend_from_slice(record);
        self.buffer.extend_from_slice(payload);
        if self.buffer.len() - self.written >= BUNCH {
            self.flush();
        }
    }

    /// Hands on what the pipe has room for.
    pub(super) fn flush(&mut self) {
        let before = self.written;
        while self.is_waiting() {
            match write(&self.pipe, &self.buffer[self.written..]) {
                Ok(written) => {
                    (self.stalled, self.woken) = (false, false);
                    self.written += written;
                }
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => break,
                Err(_) => self.closed = true,
            }
        }
        self.since_wake += self.written - before;
        if self.since_wake >= WAKE {
            self.since_wake = 0;
            self.say(Say::Wake, 0, 0);
        }
        // Moved seldom, so that a byte is moved once on average.
        if self.written >= self.buffer.len() / 2 {
            self.buffer.drain(..self.written);
            self.buffer.shrink_to(4 * BUNCH);
            self.written = 0;
        }
    }

    /// Hands on what the pipe has room for, and has it read at once.
    pub(super) fn hurry(&mut self) {
        self.flush();
        self.since_wake = 0;
        self.say(Say::Wake, 0, 0);
    }

    /// Hands on all that waits, to a reader that reads.
    pub(super) fn flush_all(&mut self) {
        self.flush();
        while self.is_waiting() && self.wait_for_room(PATIENCE) {
            self.flush();
        }
    }

    /// Waits a moment for a reader, or until a traced thread stops: it must not wait for the reader.
    pub(super) fn pause(&mut self) {
        if !std::mem::replace(&mut self.woken, true) {
            self.say(Say::Wake, 0, 0);
        }
        self.wait_for_either(MOMENT);
    }

    /// Waits for room in the pipe or for a traced thread: a signal that has come before
    /// ends the waiting as well.
    fn wait_for_either(&self, patience: Duration) {
        let Ok(mut mask) = SigSet::thread_get_mask() else { return };
        mask.remove(Signal::SIGCHLD);
        let mut polled = [PollFd::new(self.pipe.as_fd(), PollFlags::POLLOUT)];
        // Whatever has ended it, everything is looked at next.
        let _ = ppoll(&mut polled, Some(patience.into()), Some(mask));
    }

    fn has_room(&self) -> bool {
        self.buffer.len() - self.written < ROOM
    }

    /// Waits for a reader that does not read, but only once until it reads again.
    fn make_room(&mut self) -> bool {
        self.flush();
        if !self.has_room() && !self.stalled {
            self.stalled = !self.wait_for_room(PATIENCE);
            self.flush();
        }
        self.has_room()
    }

    fn wait_for_room(&mut self, patience: Duration) -> bool {
        self.say(Say::Wake, 0, 0);
        let mut polled = [PollFd::new(self.pipe.as_fd(), PollFlags::POLLOUT)];
        let end = Instant::now() + patience;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match poll(&mut polled, PollTimeout::try_from(left).unwrap_or(PollTimeout::ZERO)) {
                // A command has come: it waits as well.
                Err(Errno::EINTR) if !left.is_zero() => {}
                other => return matches!(other, Ok(1..)),
            }
        }
    }

    fn lose(&mut self, record: &[u8]) {
        let kind = Header::read_from_prefix(record).ok().and_then(|(header, _)| match header.kind {
            // What stands for calls that were not seen is lost as these would be.
            table::KIND => Some(Kind::Call),
            number => Kind::from_number(number),
        });
        if let Some(kind) = kind {
            self.lost[kind as usize] += 1;
        }
        if self.told_at.elapsed() >= OFTEN {
            self.tell_losses();
        }
    }

    /// Says which records were lost, as far as that was not said.
    pub(super) fn tell_losses(&mut self) {
        self.told_at = Instant::now();
        for kind in Kind::ALL {
            let count = self.lost[kind as usize];
            if count > self.told[kind as usize] && self.say(Say::Lost, kind as u32, count) {
                self.told[kind as usize] = count;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::link::hear;
    use super::super::ear::Ear;
    use super::*;
    use forkscope_proto::Exit;
    use nix::fcntl::{FcntlArg, OFlag, fcntl};
    use nix::sys::pthread::{pthread_kill, pthread_self};
    use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};
    use nix::unistd::{pipe2, read};

    fn exit(time: u64) -> Exit {
        let header = Header { time, kind: Kind::Exit as u16, ..Header::default() };
        Exit { header, status: 0, last: 1 }
    }

    /// The times of the records in these bytes, which must be whole ones.
    fn times(mut bytes: &[u8]) -> Vec<u64> {
        let mut times = Vec::new();
        while let Ok((Length(length), rest)) = Length::read_from_prefix(bytes) {
            times.push(Header::read_from_prefix(rest).expect("a head").0.time);
            bytes = &rest[length as usize..];
        }
        assert!(bytes.is_empty());
        times
    }

    /// All that can be read without waiting.
    fn read_all(from: &OwnedFd, bytes: &mut Vec<u8>) {
        let mut part = [0; 1 << 16];
        while let Ok(length @ 1..) = read(from, &mut part) {
            bytes.extend_from_slice(&part[..length]);
        }
    }

    #[test]
    fn what_the_pipe_has_no_room_for_waits_and_beyond_that_it_is_lost_and_counted() {
        let (from, to) = pipe2(OFlag::O_CLOEXEC | OFlag::O_NONBLOCK).expect("a pipe");
        fcntl(&to, FcntlArg::F_SETPIPE_SZ(4096)).expect("a small pipe");
        let flags = SockFlag::SOCK_CLOEXEC;
        let (here, there) =
            socketpair(AddressFamily::Unix, SockType::SeqPacket, None, flags).expect("a pair");
        let mut out = Out::new(to, there);
        let record = size_of::<Exit>() + size_of::<Length>();
        let most = (ROOM / record + 500) as u64;
        (0..most).for_each(|time| out.record(&exit(time), b""));
        let mut bytes = Vec::new();
        while out.is_waiting() {
            read_all(&from, &mut bytes);
            out.flush();
        }
        out.record(&exit(most), b"");
        out.flush();
        read_all(&from, &mut bytes);
        let mut arrived = times(&bytes);
        assert_eq!(arrived.pop(), Some(most), "it reads again, so nothing more is lost");
        let whole = arrived.len() as u64;
        assert_eq!(arrived, (0..whole).collect::<Vec<_>>());
        out.tell_losses();
        let replies = std::iter::from_fn(|| hear::<Reply>(&here, MsgFlags::MSG_DONTWAIT).ok().flatten());
        let lost = replies.filter(|reply| reply.say == Say::Lost).map(|reply| reply.value).max();
        assert_eq!(lost, Some(most - whole));
        drop(from);
        out.record(&exit(1), b"");
        out.flush();
        assert!(out.is_closed() && !out.is_waiting());
    }

    #[test]
    fn a_thread_that_stops_ends_the_waiting_for_the_reader() {
        let (from, to) = pipe2(OFlag::O_CLOEXEC | OFlag::O_NONBLOCK).expect("a pipe");
        while write(&to, &[0; 4096]).is_ok() {}
        let flags = SockFlag::SOCK_CLOEXEC;
        let (_here, there) =
            socketpair(AddressFamily::Unix, SockType::SeqPacket, None, flags).expect("a pair");
        let out = Out::new(to, there);
        Ear::await_stops().expect("a handler");
        let mut child = SigSet::empty();
        child.add(Signal::SIGCHLD);
        child.thread_block().expect("this thread's mask");
        // It came before the waiting began, as it does when a thread stops right after all were looked at.
        pthread_kill(pthread_self(), Signal::SIGCHLD).expect("this thread");
        out.wait_for_either(Duration::from_secs(3600));
        drop(from);
    }
}
