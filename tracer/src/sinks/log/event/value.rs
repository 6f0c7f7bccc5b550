//! Writes single values: names, text, addresses, events.

use super::names::{EPOLL_EVENTS, Names};
use crate::sinks::escape::push;
use forkscope_proto::arguments::EPOLL_EVENT;
use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddrV4, SocketAddrV6};

/// The most bytes of a transfer that are shown, as strace's own (`-s`).
const MOST_BYTES: usize = 32;
/// The most epoll events that are shown.
const MOST_EVENTS: usize = 4;

/// A constant's name, or its number.
pub(super) fn one(value: u64, names: Names, out: &mut String) {
    match names.iter().find(|(number, _)| *number == value) {
        Some((_, name)) => out.push_str(name),
        None => write(out, format_args!("{value:#x}")),
    }
}

/// Names of flags joined by `|`, what has no name as a number at the end, 0 where there are none.
pub(super) fn flags(value: u64, names: Names, out: &mut String) {
    if value == 0 {
        out.push('0');
        return;
    }
    let mut rest = value;
    let mut bar = "";
    for (bits, name) in names.iter().filter(|(bits, _)| value & bits == *bits) {
        // A name whose bits others have said already adds nothing.
        if rest & bits != 0 {
            write(out, format_args!("{bar}{name}"));
            rest &= !bits;
            bar = "|";
        }
    }
    if rest != 0 {
        write(out, format_args!("{bar}{rest:#x}"));
    }
}

/// Bytes in quotes, cut after the first 32; dots where fewer are shown than there were.
pub(super) fn bytes(bytes: &[u8], of: u64, out: &mut String) {
    let shown = &bytes[..bytes.len().min(MOST_BYTES)];
    quoted(shown, out);
    if (shown.len() as u64) < of {
        out.push_str("...");
    }
}

/// Text in quotes, escaped; what is no UTF-8 byte by byte.
pub(super) fn quoted(text: &[u8], out: &mut String) {
    out.push('"');
    for chunk in text.utf8_chunks() {
        for c in chunk.valid().chars() {
            if matches!(c, '"' | '\\') {
                out.push('\\');
            }
            push(out, c);
        }
        for byte in chunk.invalid() {
            write(out, format_args!("\\x{byte:02x}"));
        }
    }
    out.push('"');
}

/// A socket address as the program gave it: `127.0.0.1:80`, `[::1]:80`, a path, `@` and an
/// abstract name; else the family.
pub(super) fn address(bytes: &[u8], out: &mut String) {
    let Some((family, rest)) = bytes.split_first_chunk() else {
        out.push('_');
        return;
    };
    match (i32::from(u16::from_ne_bytes(*family)), rest) {
        (libc::AF_INET, [p0, p1, a, b, c, d, ..]) => {
            let port = u16::from_be_bytes([*p0, *p1]);
            write(out, format_args!("{}", SocketAddrV4::new(Ipv4Addr::new(*a, *b, *c, *d), port)));
        }
        (libc::AF_INET6, [p0, p1, _, _, _, _, rest @ ..]) if rest.len() >= 16 => {
            let port = u16::from_be_bytes([*p0, *p1]);
            let mut address = [0; 16];
            address.copy_from_slice(&rest[..16]);
            write(out, format_args!("{}", SocketAddrV6::new(Ipv6Addr::from(address), port, 0, 0)));
        }
        // An abstract name has no end but the length's (unix(7)).
        (libc::AF_UNIX, [0, name @ ..]) => {
            out.push('@');
            quoted(name, out);
        }
        (libc::AF_UNIX, path) => quoted(until_nul(path), out),
        (family, _) => write(out, format_args!("family {family}")),
    }
}

/// The text before the first NUL.
pub(super) fn until_nul(text: &[u8]) -> &[u8] {
    text.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// `{EPOLLIN|EPOLLET, data=0x7}`.
pub(super) fn event(bytes: &[u8], out: &mut String) {
    let Some((events, rest)) = bytes.split_first_chunk() else {
        out.push('_');
        return;
    };
    out.push('{');
    // EPOLLET is a negative number in libc.
    let events = u32::from_ne_bytes(*events);
    let edge = libc::EPOLLET as u32;
    if events & !edge != 0 {
        flags(u64::from(events & !edge), EPOLL_EVENTS, out);
    }
    if events & edge != 0 {
        out.push_str(if events == edge { "EPOLLET" } else { "|EPOLLET" });
    } else if events == 0 {
        out.push('0');
    }
    match rest.first_chunk() {
        Some(data) => write(out, format_args!(", data={:#x}}}", u64::from_ne_bytes(*data))),
        None => out.push('}'),
    }
}

/// The first of the events that came, of this many.
pub(super) fn events(bytes: &[u8], count: u64, out: &mut String) {
    out.push('[');
    let mut shown = 0;
    for one in bytes.chunks_exact(EPOLL_EVENT).take(MOST_EVENTS) {
        out.push_str(if shown > 0 { ", " } else { "" });
        event(one, out);
        shown += 1;
    }
    if shown < count {
        out.push_str(if shown > 0 { ", ..." } else { "..." });
    }
    out.push(']');
}

/// Appends what is formatted.
pub(super) fn write(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = out.write_fmt(text);
}
