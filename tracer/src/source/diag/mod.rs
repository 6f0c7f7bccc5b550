//! The kernel's socket tables, asked through sock_diag(7): what /proc/PID/net does not tell (a unix socket's
//! peer, queues of every kind), and in less time than it takes to print and read them.
//!
//! ```text
//!   Diag::of(pid) -> a netlink socket in the process' network namespace
//!   ask: request -> the kernel dumps a table -> wire (checked) -> SeenSocket
//! ```

mod message;
pub(crate) mod namespace;
mod request;
mod wire;

pub use request::Table;

use crate::inspect::SeenSocket;
use nix::sys::socket::{MsgFlags, recv, send};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

/// The kernel fills at most this much at once (`netlink_recvmsg`, net/netlink/af_netlink.c).
const BUFFER: usize = 32 << 10;

/// A connection to the kernel's tables of one network namespace.
#[derive(Debug)]
pub struct Diag(OwnedFd);

impl Diag {
    /// The tables that a process sees. Where they are another namespace's, that takes `CAP_SYS_ADMIN`.
    ///
    /// # Errors
    /// Where the process does not exist, its namespace may not be entered, or the kernel has no sock_diag.
    pub fn of(pid: u32) -> io::Result<Self> {
        namespace::within(pid, wire::socket)?.map(Self)
    }

    /// Hands on each socket of a table, with its inode.
    ///
    /// # Errors
    /// Where the kernel cannot or will not list the table. What was listed until then is handed on.
    pub fn each(&self, table: Table, mut found: impl FnMut(u64, SeenSocket)) -> io::Result<()> {
        send(self.0.as_raw_fd(), &request::bytes(table), MsgFlags::empty())?;
        let mut buffer = vec![0; BUFFER];
        loop {
            let length = recv(self.0.as_raw_fd(), &mut buffer, MsgFlags::empty())?;
            let mut rest = &buffer[..length];
            while let Some((kind, body)) = wire::next(&mut rest) {
                match kind {
                    wire::DONE => return Ok(()),
                    wire::ERROR => return Err(wire::error(body)),
                    _ => {
                        if let Some((inode, seen)) = message::read(table, body) {
                            found(inode, seen);
                        }
                    }
                }
            }
            if length == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }
}

#[cfg(test)]
mod tests;
