//! The server's end of one connection.

use super::channel::PATIENCE;
use super::frames::{Frame, PREFACE, flag, kind};
use super::greeter;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::fd::{AsFd, BorrowedFd};

/// One client's connection.
pub(super) struct Session {
    stream: TcpStream,
    /// Received, and not yet a whole frame.
    received: Vec<u8>,
    /// The client's preface has come.
    greeted: bool,
}

/// What came of reading once.
pub(super) struct Progress {
    /// Requests that were answered.
    pub(super) answered: usize,
    /// The client has not hung up.
    pub(super) open: bool,
}

impl Session {
    /// The session of a client that was just accepted.
    pub(super) fn new(stream: TcpStream) -> io::Result<Self> {
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Self { stream, received: Vec::new(), greeted: false })
    }

    /// Reads what has come, and answers all that is whole.
    pub(super) fn read(&mut self) -> io::Result<Progress> {
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

    /// Answers the client's preface with the server's, which is its SETTINGS. False:
    /// it has not come whole yet.
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

impl AsFd for Session {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}
