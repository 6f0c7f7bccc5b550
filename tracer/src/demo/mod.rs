//! The program that `forkscope demo` traces: the founding bug in miniature. A parent calls a server, then
//! forks with the connection open. In the child the number of the connection comes to mean /dev/null, and
//! the next call on it fails.

mod channel;
mod frames;
mod greeter;
mod hpack;
mod process;
mod server;
mod session;

use channel::Channel;
use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;
use process::{Outcome, in_child, reap, say, status, tried};
use server::Server;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, IntoRawFd, RawFd};

/// Runs the program: prints what it does, and gives its exit status. 0: all went as it
/// should, the bug included.
///
/// It forks, so that it wants a process of its own, with no other threads.
#[must_use]
pub fn program() -> i32 {
    status("parent", parent())
}

fn parent() -> Outcome<()> {
    // First of all: whatever is opened from here on, the server does not hold.
    let Server { pid, address, control } = tried("cannot start the server", Server::start())?;
    let outcome = bug(address);
    drop(control);
    let ended = tried(format_args!("the server {pid} did not end well"), reap(pid));
    let fd = outcome?;
    ended?;
    say("parent", format_args!("done: the connection is fine; in the child, fd {fd} had become /dev/null"));
    Ok(())
}

/// What parent and child do. Gives the number that meant the connection in one, and
/// something else in the other.
fn bug(server: SocketAddr) -> Outcome<RawFd> {
    let mut channel = tried(format_args!("cannot connect to {server}"), Channel::open(server))?;
    let fd = channel.fd();
    call(&mut channel)?;

    say("parent", format_args!("forks a child, with the connection open on fd {fd}"));
    let pid = tried("cannot fork", in_child(|| status("child", child(&mut channel))))?;
    tried(format_args!("the child {pid} did not show the bug"), reap(pid))?;

    call(&mut channel)?;
    tried("cannot close the channel", channel.close())?;
    Ok(fd)
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
    say("child", format_args!("the library closed the inherited fd {fd}; the channel still has the number"));

    // The lowest free number is taken, as always: the one that was just closed.
    let null = open("/dev/null", OFlag::O_RDONLY | OFlag::O_CLOEXEC, Mode::empty());
    let null = tried("cannot open /dev/null", null)?;
    if null.as_raw_fd() != fd {
        return Err(format!("/dev/null is fd {}, and should have been {fd}", null.as_raw_fd()));
    }
    say("child", format_args!("opened /dev/null as its stdin, which took the number {fd}"));

    say("child", format_args!("calls the server on what it takes for a channel of its own, fd {fd}"));
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

#[cfg(test)]
mod tests;
