//! The server: answers every request alike, in the one thread of a process of its own.

use super::process::{in_child, say, status, tried};
use super::session::Session;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd::{Pid, close};
use std::io::{self, PipeReader, PipeWriter, Read, Write, pipe};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::time::{Duration, Instant};

/// How long a server lives at most, should nobody end it.
const LIFETIME: Duration = Duration::from_secs(30);

/// The server's process, as the parent knows it.
pub(super) struct Server {
    pub(super) pid: Pid,
    pub(super) address: SocketAddr,
    /// Closing it ends the server.
    pub(super) control: PipeWriter,
}

impl Server {
    /// Starts the server in a process of its own, and waits until it listens.
    pub(super) fn start() -> io::Result<Self> {
        let (mut port, tell) = pipe()?;
        let (controlled, control) = pipe()?;
        let other_end = control.as_raw_fd();
        let pid = in_child(move || {
            // Else the server would itself hold open what it waits for to be closed.
            let closed = close(other_end).map_err(io::Error::from);
            status("server", tried("cannot serve", closed.and_then(|()| run(tell, controlled))))
        })?;
        let mut told = [0; 2];
        port.read_exact(&mut told)?;
        Ok(Self { pid, address: (Ipv4Addr::LOCALHOST, u16::from_ne_bytes(told)).into(), control })
    }
}

/// The server's process: listens on a port that the kernel chooses, tells it, and serves.
fn run(mut tell: PipeWriter, controlled: PipeReader) -> io::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    say("server", format_args!("listens on {address}"));
    tell.write_all(&address.port().to_ne_bytes())?;
    drop(tell);
    let answered = serve(&listener, controlled)?;
    say("server", format_args!("calls answered: {answered}"));
    Ok(())
}

/// Serves until the other end of `control` is closed, or the server's lifetime is over. Gives
/// how many calls it answered.
pub(super) fn serve(listener: &TcpListener, control: impl AsFd) -> io::Result<usize> {
    let end = Instant::now() + LIFETIME;
    let mut sessions: Vec<Session> = Vec::new();
    let mut answered = 0;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        let sources = [control.as_fd(), listener.as_fd()];
        let ready = wait(sources.into_iter().chain(sessions.iter().map(AsFd::as_fd)), left)?;
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
fn wait<'fd>(sources: impl Iterator<Item = BorrowedFd<'fd>>, left: Duration) -> io::Result<Vec<bool>> {
    let mut polled: Vec<_> = sources.map(|fd| PollFd::new(fd, PollFlags::POLLIN)).collect();
    match poll(&mut polled, PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX)) {
        Ok(_) => {}
        Err(Errno::EINTR) => return Ok(vec![false; polled.len()]),
        Err(errno) => return Err(errno.into()),
    }
    Ok(polled.iter().map(|source| source.any() != Some(false)).collect())
}
