//! The server: answers every request alike, in the one thread of a process of its own.

use super::channel::PATIENCE;
use super::frames::{Frame, PREFACE, flag, kind};
use super::greeter;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

/// How long a server lives at most, should nobody end it.
const LIFETIME: Duration = Duration::from_secs(30);

/// Serves until the other end of `control` is closed, or the server's lifetime is over. Gives how many calls it answered.
pub(super) fn serve(listener: &TcpListener, control: impl AsFd) -> io::Result<usize> {
    let end = Instant::now() + LIFETIME;
    let mut sessions: Vec<Session> = Vec::new();
    let mut answered = 0;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        let sources = [control.as_fd(), listener.as_fd()];
        let ready = wait(sources.into_iter().chain(sessions.iter().map(|open| open.stream.as_fd())), left)?;
        if left.is_zero() || ready[0] {
            return Ok(answered);
        }
        let mut of_session = ready[2..].iter();
        sessions.retain_mut(|session| {
            if of_session.next() != Some(&true) {
                return true;
            }
            // A client that breaks off or talks nonsense loses its connection, and nobody else's.
            session.read().is_ok_and(|progress| {
                answered += progress.answered;
                progress.open
            })
        });
        if ready[1] {
            sessions.push(Session::new(listener.accept()?.0)?);
        }
    }
}

/// Waits until something is ready, for `left` at most. Says of each source whether it is.
fn wait<'fd>(
    sources: impl Iterator<Item = std::os::fd::BorrowedFd<'fd>>,
    left: Duration,
) -> io::Result<Vec<bool>> {
    let mut polled: Vec<_> = sources.map(|fd| PollFd::new(fd, PollFlags::POLLIN)).collect();
    match poll(&mut polled, PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX)) {
        Ok(_) => {}
        Err(Errno::EINTR) => return Ok(vec![false; polled.len()]),
        Err(errno) => return Err(errno.into()),
    }
    Ok(polled.iter().map(|source| source.any() != Some(false)).collect())
}

/// One client's connection.
struct Session {
    stream: TcpStream,
    /// Received, and not yet a whole frame.
    received: Vec<u8>,
    /// The client's preface has come.
    greeted: bool,
}

/// What came of reading once.
struct Progress {
    answered: usize,
    open: bool,
}

impl Session {
    fn new(stream: TcpStream) -> io::Result<Self> {
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Self { stream, received: Vec::new(), greeted: false })
    }

    /// Reads what has come, and answers all that is whole.
    fn read(&mut self) -> io::Result<Progress> {
        let mut buffer = [0; 4096];
        let length = self.stream.read(&mut buffer)?;
        self.received.extend_from_slice(&buffer[..length]);
        let mut progress = Progress { answered: 0, open: length > 0 };
        if !self.greet()? {
            return Ok(progress);
        }
        while let Some(frame) = Frame::take(&mut self.received)? {
            if let Some(answer) = frame.acknowledgement() {
                self.stream.write_all(&answer.bytes())?;
            } else if matches!(frame.kind, kind::HEADERS | kind::DATA) && frame.has(flag::END_STREAM) {
                self.stream.write_all(&greeter::answer(frame.stream))?;
                progress.answered += 1;
            }
        }
        Ok(progress)
    }

    /// Answers the client's preface with the server's, which is its SETTINGS. False: it has not come whole yet.
    fn greet(&mut self) -> io::Result<bool> {
        if self.greeted {
            return Ok(true);
        }
        let come = self.received.len().min(PREFACE.len());
        if self.received[..come] != PREFACE[..come] {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "not the preface of HTTP/2"));
        }
        if come == PREFACE.len() {
            self.received.drain(..come);
            self.stream.write_all(&Frame::settings().bytes())?;
            self.greeted = true;
        }
        Ok(self.greeted)
    }
}
