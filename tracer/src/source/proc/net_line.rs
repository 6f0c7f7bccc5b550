//! Lines of the socket tables in /proc/PID/net.

use super::link::number;
use crate::inspect::SeenSocket;
use crate::source::diag::Table;
use forkscope_proto::Socket;
use forkscope_proto::net::{AF_UNIX, TCP_CLOSE, TCP_ESTABLISHED, TCP_LISTEN};

/// A line of a table: the socket's inode, and what it is.
pub(super) fn read(line: &[u8], table: Table) -> Option<(u64, SeenSocket)> {
    match table {
        Table::Inet { family, kind, protocol } => {
            let (inode, seen) = inet(line)?;
            Some((inode, SeenSocket { socket: Socket { family, kind, protocol, ..seen.socket }, ..seen }))
        }
        Table::Unix => unix(line),
    }
}

/// A line of tcp, tcp6, udp or udp6 (proc_pid_net(5)): the socket's inode, and what it is. `None` for the
/// head, for a connection that no socket has any more, and for what is no such line.
fn inet(line: &[u8]) -> Option<(u64, SeenSocket)> {
    let mut fields = line.split(u8::is_ascii_whitespace).filter(|field| !field.is_empty());
    let (local, local_port) = address(fields.nth(1)?)?;
    let (remote, remote_port) = address(fields.next()?)?;
    let state = u16::try_from(hex(fields.next()?)?).ok()?;
    // Of a listener these are something else, and not all of it.
    let queues = queues(fields.next()?).filter(|_| state != TCP_LISTEN);
    let inode = number(fields.nth(4)?).filter(|&inode| inode != 0)?;
    let socket = Socket { state, local, local_port, remote, remote_port, ..Socket::default() };
    Some((inode, SeenSocket { socket, queues, ..SeenSocket::default() }))
}

/// `tx_queue:rx_queue`, in bytes; handed on as received and sent.
fn queues(text: &[u8]) -> Option<(u32, u32)> {
    let colon = text.iter().position(|&byte| byte == b':')?;
    Some((hex(&text[colon + 1..])?, hex(&text[..colon])?))
}

/// A line of unix: the socket's inode, what it is, and the name it is bound to, where it is; `@` begins an
/// abstract one. `None` for what is no such line.
fn unix(line: &[u8]) -> Option<(u64, SeenSocket)> {
    /// `__SO_ACCEPTCON` (include/uapi/linux/net.h): it listens.
    const ACCEPTS: u32 = 1 << 16;
    /// `SS_CONNECTED` (include/uapi/linux/net.h).
    const CONNECTED: u32 = 3;
    let mut rest = line.strip_suffix(b"\n").unwrap_or(line);
    for _ in 0..3 {
        field(&mut rest)?;
    }
    let flags = hex(field(&mut rest)?)?;
    let kind = u16::try_from(hex(field(&mut rest)?)?).ok()?;
    let connected = hex(field(&mut rest)?)? == CONNECTED;
    let inode = number(field(&mut rest)?).filter(|&inode| inode != 0)?;
    // One space, and then the name, which may have spaces itself.
    let name = rest.get(1..).filter(|name| !name.is_empty());
    let state = match flags & ACCEPTS != 0 {
        true => TCP_LISTEN,
        false if connected => TCP_ESTABLISHED,
        false => TCP_CLOSE,
    };
    let socket = Socket { family: AF_UNIX, kind, state, ..Socket::default() };
    let name = name.map(|name| String::from_utf8_lossy(name).into_owned());
    Some((inode, SeenSocket { socket, name, ..SeenSocket::default() }))
}

fn field<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let text = rest.trim_ascii_start();
    let end = text.iter().position(|&byte| byte == b' ').unwrap_or(text.len());
    let (field, after) = text.split_at(end);
    *rest = after;
    (!field.is_empty()).then_some(field)
}

/// `0100007F:1F90`: an address as 32-bit words in the machine's byte order, and a port.
fn address(text: &[u8]) -> Option<([u8; 16], u16)> {
    let colon = text.iter().position(|&byte| byte == b':')?;
    let (words, port) = (&text[..colon], &text[colon + 1..]);
    if words.len() != 8 && words.len() != 32 {
        return None;
    }
    let mut bytes = [0; 16];
    for (word, to) in words.chunks_exact(8).zip(bytes.chunks_exact_mut(4)) {
        to.copy_from_slice(&hex(word)?.to_ne_bytes());
    }
    Some((bytes, u16::try_from(hex(port)?).ok()?))
}

/// A number of 1 to 8 hexadecimal digits.
fn hex(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() || digits.len() > 8 {
        return None;
    }
    digits.iter().try_fold(0_u32, |sum, &digit| Some(sum << 4 | char::from(digit).to_digit(16)?))
}

#[cfg(test)]
mod tests;
