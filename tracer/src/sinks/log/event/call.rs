//! System calls: `name(arguments) = result`.

use super::arguments::{self, Argument};
use super::names::DESCRIPTOR_FLAGS;
use super::value::{self, write};
use crate::errno;
use forkscope_proto as proto;
use proto::calls;

/// What is known of a call, whatever record it came in.
struct Known<'a> {
    nr: u16,
    args: [u64; 6],
    ret: i64,
    /// The descriptors that it made, where they are two.
    pair: [i32; 2],
    payload: &'a [u8],
    /// How many bytes it transferred or meant to, as far as that is known.
    bytes: u64,
}

/// A call that is no transfer.
pub(super) fn call(record: &proto::Call, payload: &[u8], out: &mut String) {
    let proto::Call { header, args, ret, fd, other_fd, .. } = *record;
    Known { nr: header.nr, args, ret, pair: [fd, other_fd], payload, bytes: 0 }.write(out);
}

/// A transfer.
pub(super) fn transfer(record: &proto::Io, payload: &[u8], out: &mut String) {
    let nr = record.header.nr;
    let flags = u64::from(record.flags);
    // A descriptor is an `int`: its upper half says nothing.
    let args = match nr {
        calls::SENDMSG | calls::RECVMSG => [record.fd as u64, 0, flags, 0, 0, 0],
        _ => [record.fd as u64, 0, record.len, flags, 0, 0],
    };
    let bytes = match (record.ret, nr) {
        // The result is a number of messages.
        (_, calls::SENDMMSG | calls::RECVMMSG) => payload.len() as u64,
        (1.., _) => record.ret as u64,
        (_, calls::WRITE | calls::SENDTO) => record.len,
        _ => payload.len() as u64,
    };
    Known { nr, args, ret: record.ret, pair: [-1; 2], payload, bytes }.write(out);
}

impl Known<'_> {
    fn write(&self, out: &mut String) {
        match calls::name(self.nr) {
            Some(name) => out.push_str(name),
            None => write(out, format_args!("syscall_{}", self.nr)),
        }
        out.push('(');
        let mut comma = "";
        for (place, argument) in arguments::of(self.nr).iter().enumerate().take(self.args.len()) {
            if self.has(*argument) {
                out.push_str(comma);
                self.argument(place, *argument, out);
                comma = ", ";
            }
        }
        write(out, format_args!(") = {}", errno::result(self.ret)));
    }

    /// Whether the call has this argument: some depend on the others.
    fn has(&self, argument: Argument) -> bool {
        match argument {
            Argument::Mode(flags) => {
                let makes = libc::O_CREAT as u64;
                let temporary = libc::O_TMPFILE as u64;
                self.args[flags] & makes != 0 || self.args[flags] & temporary == temporary
            }
            _ => true,
        }
    }

    fn argument(&self, place: usize, argument: Argument, out: &mut String) {
        let value = self.args[place];
        // The kernel reads the lower half of an `int`.
        let int = value as i32;
        match argument {
            Argument::Int => write(out, format_args!("{int}")),
            Argument::Unsigned => write(out, format_args!("{}", value as u32)),
            Argument::Size => write(out, format_args!("{value}")),
            Argument::Hex => write(out, format_args!("{value:#x}")),
            Argument::Directory if int == libc::AT_FDCWD => out.push_str("AT_FDCWD"),
            Argument::Directory => write(out, format_args!("{int}")),
            Argument::One(names) => value::one(u64::from(value as u32), names, out),
            Argument::Flags(names) => value::flags(u64::from(value as u32), names, out),
            Argument::Both(mask, constants, names) => {
                let value = u64::from(value as u32);
                value::one(value & mask, constants, out);
                if value & !mask != 0 {
                    out.push('|');
                    value::flags(value & !mask, names, out);
                }
            }
            Argument::Mode(_) | Argument::Permissions => write(out, format_args!("0{:o}", value as u32)),
            Argument::Minimum if self.args[1] == libc::F_SETFD as u64 => {
                value::flags(value, DESCRIPTOR_FLAGS, out);
            }
            Argument::Minimum => write(out, format_args!("{int}")),
            Argument::Memory => out.push_str(if value == 0 { "NULL" } else { "_" }),
            Argument::Bytes => self.bytes(out),
            Argument::Vectors => {
                out.push('[');
                self.bytes(out);
                out.push(']');
            }
            Argument::Path if self.payload.is_empty() => out.push('_'),
            Argument::Path => value::quoted(self.payload, out),
            Argument::Address => value::address(self.payload, out),
            Argument::Event => match (value, self.payload) {
                (0, _) => out.push_str("NULL"),
                _ => value::event(self.payload, out),
            },
            Argument::Events if self.ret < 0 => out.push('_'),
            Argument::Events => value::events(self.payload, self.ret as u64, out),
            Argument::Pair if self.ret < 0 => out.push('_'),
            Argument::Pair => write(out, format_args!("[{}, {}]", self.pair[0], self.pair[1])),
            Argument::Rest => out.push_str("..."),
        }
    }

    fn bytes(&self, out: &mut String) {
        // No bytes came along: there were none, or they could not be taken.
        if self.payload.is_empty() && self.ret != 0 {
            out.push('_');
        } else {
            value::bytes(self.payload, self.bytes, out);
        }
    }
}
