//! The program that `forkscope demo` traces: the founding bug in miniature. A parent calls a server, then forks with
//! the connection open. In the child the number of the connection comes to mean /dev/null, and the next call on it fails.

mod channel;
mod frames;
mod greeter;
mod hpack;
mod process;
mod server;

use channel::Channel;
use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;
use nix::unistd::{Pid, close};
use process::{in_child, reap, say};
use std::fmt;
use std::io::{self, PipeReader, PipeWriter, Read, Write, pipe};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::fd::{AsRawFd, IntoRawFd};

/// Runs the program: prints what it does, and gives its exit status. 0: all went as it should, the bug included.
///
/// It forks, so that it wants a process of its own, with no other threads.
#[must_use]
pub fn program() -> i32 {
    status("parent", parent())
}

/// What was tried, and what came of it.
type Outcome<T> = Result<T, String>;

/// Says what an error was an answer to.
fn tried<T, E: fmt::Display>(what: impl fmt::Display, result: Result<T, E>) -> Outcome<T> {
    result.map_err(|error| format!("{what}: {error}"))
}

/// The exit status of a process of the demo, which says what went wrong.
fn status(who: &str, outcome: Outcome<()>) -> i32 {
    outcome.map_or_else(
        |failure| {
            say(who, format_args!("the demo went wrong: {failure}"));
            1
        },
        |()| 0,
    )
}

/// The server's process, as the parent knows it.
struct Server {
    pid: Pid,
    address: SocketAddr,
    /// Closing it ends the server.
    control: PipeWriter,
}

fn parent() -> Outcome<()> {
    // First of all: whatever is opened from here on, the server does not hold.
    let Server { pid: server, address, control } = tried("cannot start the server", start_server())?;
    let mut channel = tried(format_args!("cannot connect to {address}"), Channel::open(address))?;
    call(&mut channel)?;

    say("parent", format_args!("forks a child, with the connection open on fd {}", channel.fd()));
    let child = tried("cannot fork", in_child(|| status("child", child(&mut channel))))?;
    tried(format_args!("the child {child} did not show the bug"), reap(child))?;

    call(&mut channel)?;
    tried("cannot close the channel", channel.close())?;
    drop(control);
    tried(format_args!("the server {server} did not end well"), reap(server))?;
    say("parent", "done: the child's call failed on a connection with which nothing was wrong");
    Ok(())
}

/// A call by the parent, which works.
fn call(channel: &mut Channel) -> Outcome<()> {
    let on = format!("called the server on fd {}", channel.fd());
    tried(&on, channel.say_hello())?;
    say("parent", format_args!("{on}: ok"));
    Ok(())
}

/// What a child of Python's `multiprocessing` does, when the parent had a gRPC channel open.
fn child(channel: &mut Channel) -> Outcome<()> {
    let fd = channel.fd();
    tried(format_args!("cannot close fd {fd}"), channel.fork_handler())?;
    say(
        "child",
        format_args!("the library closed the inherited fd {fd}, but the channel still knows the number"),
    );

    let null =
        tried("cannot open /dev/null", open("/dev/null", OFlag::O_RDONLY | OFlag::O_CLOEXEC, Mode::empty()))?;
    if null.as_raw_fd() != fd {
        return Err(format!("/dev/null is fd {}, and should have been {fd}", null.as_raw_fd()));
    }
    say("child", format_args!("opened /dev/null as its stdin, which took the number {fd}"));

    say("child", format_args!("calls the server on what it believes to be its own channel, fd {fd}"));
    let outcome = channel.say_hello();
    // To be closed when the process ends: the number belongs to two, as in the bug.
    let _ = null.into_raw_fd();
    match outcome {
        Err(error) if error.raw_os_error() == Some(libc::ENOTSOCK) => {
            say("child", format_args!("the call failed: {error}"));
            Ok(())
        }
        Err(error) => Err(format!("the call failed, but as it should not: {error}")),
        Ok(()) => Err("the call worked".to_owned()),
    }
}

/// Starts the server in a process of its own, and waits until it listens.
fn start_server() -> io::Result<Server> {
    let (mut port, tell) = pipe()?;
    let (controlled, control) = pipe()?;
    let other_end = control.as_raw_fd();
    let pid = in_child(move || {
        // Else the server would itself hold open what it waits for to be closed.
        let closed = close(other_end).map_err(io::Error::from);
        status("server", tried("cannot serve", closed.and_then(|()| serve(tell, controlled))))
    })?;
    let mut told = [0; 2];
    port.read_exact(&mut told)?;
    Ok(Server { pid, address: (Ipv4Addr::LOCALHOST, u16::from_ne_bytes(told)).into(), control })
}

/// The server's process: listens on a port that the kernel chooses, tells it, and serves.
fn serve(mut tell: PipeWriter, controlled: PipeReader) -> io::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    say("server", format_args!("listens on {address}"));
    tell.write_all(&address.port().to_ne_bytes())?;
    drop(tell);
    let answered = server::serve(&listener, controlled)?;
    say("server", format_args!("answered {answered} calls"));
    Ok(())
}

#[cfg(test)]
mod tests;
