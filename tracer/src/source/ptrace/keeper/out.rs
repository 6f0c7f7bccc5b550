//! The way out: records into a pipe, lengths before them, in bunches.

use super::super::link::{Length, Reply, Say, tell};
use forkscope_proto::{Header, Kind, LOST_SLOTS};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::MsgFlags;
use nix::unistd::write;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};
use zerocopy::{FromBytes, Immutable, IntoBytes};

/// Bytes that are handed on at once; fewer wait for the end of the round.
const BUNCH: usize = 32 << 10;
/// Bytes after which forkscope is woken, which looks by itself every few milliseconds.
const WAKE: usize = 256 << 10;
/// How long to wait for a reader: so long a traced program stands still, and no longer.
const PATIENCE: Duration = Duration::from_millis(200);
/// How often losses are told.
const OFTEN: Duration = Duration::from_millis(100);

/// Where records go.
pub(super) struct Out {
    pipe: OwnedFd,
    replies: OwnedFd,
    buffer: Vec<u8>,
    since_wake: usize,
    /// The reader has been waited for in vain.
    stalled: bool,
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
            since_wake: 0,
            stalled: false,
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

    /// Adds a record and its payload.
    pub(super) fn record(&mut self, record: &(impl IntoBytes + Immutable), payload: &[u8]) {
        if self.closed {
            return;
        }
        let record = record.as_bytes();
        let length = Length((record.len() + payload.len()) as u32);
        self.buffer.extend_from_slice(length.as_bytes());
        self.buffer.extend_from_slice(record);
        self.buffer.extend_from_slice(payload);
        if self.buffer.len() >= BUNCH {
            self.flush();
        }
    }

    /// Hands on what waits. A reader that does not read is waited for once; then records are lost, and counted.
    pub(super) fn flush(&mut self) {
        let mut done = 0;
        while done < self.buffer.len() && !self.closed {
            match write(&self.pipe, &self.buffer[done..]) {
                Ok(written) => {
                    self.stalled = false;
                    done += written;
                }
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) if !self.stalled && self.wait_for_room() => {}
                Err(Errno::EAGAIN) => {
                    self.stalled = true;
                    return self.drop_from(done);
                }
                Err(_) => self.closed = true,
            }
        }
        self.since_wake += done;
        if self.since_wake >= WAKE {
            self.since_wake = 0;
            self.say(Say::Wake, 0, 0);
        }
        self.buffer.clear();
    }

    fn wait_for_room(&mut self) -> bool {
        self.say(Say::Wake, 0, 0);
        let mut polled = [PollFd::new(self.pipe.as_fd(), PollFlags::POLLOUT)];
        let end = Instant::now() + PATIENCE;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match poll(&mut polled, PollTimeout::try_from(left).unwrap_or(PollTimeout::ZERO)) {
                // A command has come: it waits as well.
                Err(Errno::EINTR) if !left.is_zero() => {}
                other => return matches!(other, Ok(1..)),
            }
        }
    }

    /// Keeps of the buffer the rest of the record that is written half, and counts the others as lost.
    fn drop_from(&mut self, done: usize) {
        let mut at = 0;
        let mut kept = done..done;
        while at < self.buffer.len() {
            let (length, kind) = next(&self.buffer[at..]);
            let end = (at + length).min(self.buffer.len());
            if at < done && end > done {
                kept = done..end;
            } else if let Some(kind) = kind.filter(|_| at >= done) {
                self.lost[kind as usize] += 1;
            }
            at = end;
        }
        self.buffer.truncate(kept.end);
        self.buffer.drain(..kept.start);
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

/// The length of the first record in these bytes with what stands before it, and its kind.
fn next(bytes: &[u8]) -> (usize, Option<Kind>) {
    let Ok((Length(length), rest)) = Length::read_from_prefix(bytes) else {
        return (bytes.len().max(1), None);
    };
    let kind = Header::read_from_prefix(rest).ok().and_then(|(header, _)| Kind::from_number(header.kind));
    (size_of::<Length>() + length as usize, kind)
}

#[cfg(test)]
mod tests {
    use super::super::super::link::hear;
    use super::*;
    use forkscope_proto::Exit;
    use nix::fcntl::{FcntlArg, OFlag, fcntl};
    use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};
    use nix::unistd::{pipe2, read};

    fn exit(time: u64) -> Exit {
        let header = Header { time, kind: Kind::Exit as u16, ..Header::default() };
        Exit { header, status: 0, last: 1 }
    }

    /// The times of the records in these bytes, which must be whole ones.
    fn times(mut bytes: &[u8]) -> Vec<u64> {
        let mut times = Vec::new();
        while !bytes.is_empty() {
            let (length, kind) = next(bytes);
            assert_eq!(kind, Some(Kind::Exit));
            times.push(Header::read_from_prefix(&bytes[4..]).expect("a head").0.time);
            bytes = &bytes[length..];
        }
        times
    }

    #[test]
    fn a_full_pipe_loses_whole_records_and_counts_them() {
        let (from, to) = pipe2(OFlag::O_CLOEXEC | OFlag::O_NONBLOCK).expect("a pipe");
        let size = fcntl(&to, FcntlArg::F_SETPIPE_SZ(4096)).expect("a small pipe") as usize;
        let flags = SockFlag::SOCK_CLOEXEC;
        let (here, there) =
            socketpair(AddressFamily::Unix, SockType::SeqPacket, None, flags).expect("a pair");
        let mut out = Out::new(to, there);
        let most = size / 44 + 50;
        for time in 0..most as u64 {
            out.record(&exit(time), b"");
        }
        out.flush();
        let mut bytes = vec![0; 1 << 16];
        let mut length = read(&from, &mut bytes).expect("records");
        out.record(&exit(9999), b"");
        out.flush();
        length += read(&from, &mut bytes[length..]).expect("the rest");
        let arrived = times(&bytes[..length]);
        let whole = arrived.len() - 1;
        assert_eq!(arrived[..whole], (0..whole as u64).collect::<Vec<_>>());
        assert_eq!(arrived[whole], 9999);
        out.tell_losses();
        let replies = std::iter::from_fn(|| hear::<Reply>(&here, MsgFlags::MSG_DONTWAIT).ok().flatten());
        let lost = replies.filter(|reply| reply.say == Say::Lost).map(|reply| reply.value).max();
        assert_eq!(lost, Some((most - whole) as u64));
        drop(from);
        out.record(&exit(1), b"");
        out.flush();
        assert!(out.is_closed());
    }
}
