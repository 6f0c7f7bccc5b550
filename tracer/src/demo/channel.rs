//! The client's channel, as careless about forks as a library can be: it remembers
//! its descriptor as a number.

use super::frames::{Frame, PREFACE, flag, kind};
use super::greeter;
use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, SockaddrIn, recv, sendmsg};
use nix::unistd::close;
use std::io::{self, IoSlice};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{IntoRawFd, RawFd};
use std::time::Duration;

/// How long a read or a write may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// A connection to the server, and the state of HTTP/2 on it. A fork copies this
/// state, but not the connection.
pub(super) struct Channel {
    /// The connection's number. Not an `OwnedFd`: nothing ties it to the connection, and that is the bug.
    fd: RawFd,
    /// The stream of the next call: odd, and never used twice (RFC 9113, section 5.1.1).
    next_stream: u32,
    /// The server's name, as requests give it.
    authority: String,
    /// Received, and not yet a whole frame.
    received: Vec<u8>,
}

impl Channel {
    /// Connects, and says what a client says first.
    pub(super) fn open(server: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(server)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let fd = stream.into_raw_fd();
        let mut channel = Self { fd, next_stream: 1, authority: server.to_string(), received: Vec::new() };
        channel.send(&[PREFACE, &Frame::settings().bytes()].concat())?;
        Ok(channel)
    }

    /// The number under which the channel believes its connection to be.
    pub(super) fn fd(&self) -> RawFd {
        self.fd
    }

    /// One call, on a stream of its own: the request, and what comes until its answer is whole.
    pub(super) fn say_hello(&mut self) -> io::Result<()> {
        let stream = self.next_stream;
        self.next_stream += 2;
        self.send(&greeter::request(stream, &self.authority))?;
        loop {
            let frame = self.receive()?;
            if let Some(answer) = frame.acknowledgement() {
                self.send(&answer.bytes())?;
                continue;
            }
            match frame.kind {
                kind::HEADERS if frame.stream == stream && frame.has(flag::END_STREAM) => {
                    return greeter::outcome(&frame.payload);
                }
                kind::RST_STREAM if frame.stream == stream => return Err(refused("RST_STREAM")),
                kind::GOAWAY => return Err(refused("GOAWAY")),
                // The answer's beginning, and what the demo has no use for.
                _ => {}
            }
        }
    }

    /// What a library's fork handler does in the child, to protect the parent: it closes the inherited
    /// connection. It forgets about the channel that knows the number.
    pub(super) fn fork_handler(&self) -> io::Result<()> {
        Ok(close(self.fd)?)
    }

    /// Says goodbye and closes the connection.
    pub(super) fn close(mut self) -> io::Result<()> {
        self.send(&Frame::goodbye().bytes())?;
        Ok(close(self.fd)?)
    }

    /// sendmsg(2) on the remembered number, whatever is there now.
    fn send(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let sent =
                sendmsg::<SockaddrIn>(self.fd, &[IoSlice::new(bytes)], &[], MsgFlags::MSG_NOSIGNAL, None);
            match sent {
                Ok(sent) => bytes = &bytes[sent..],
                Err(Errno::EINTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(())
    }

    /// The next frame.
    fn receive(&mut self) -> io::Result<Frame> {
        loop {
            if let Some(frame) = Frame::take(&mut self.received)? {
                return Ok(frame);
            }
            let mut buffer = [0; 4096];
            match recv(self.fd, &mut buffer, MsgFlags::empty()) {
                Ok(0) => return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the server hung up")),
                Ok(length) => self.received.extend_from_slice(&buffer[..length]),
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => {
                    let message = format!("no answer within {} seconds", PATIENCE.as_secs());
                    return Err(io::Error::new(io::ErrorKind::TimedOut, message));
                }
                Err(errno) => return Err(errno.into()),
            }
        }
    }
}

fn refused(frame: &str) -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, format!("the server answered with {frame}"))
}
