//! Records of transfers.

use crate::file;
use crate::kernel::{Registers, read};
use crate::maps::{IO, Pending, emit};
use crate::settings::{self, offset};
use crate::traced::Me;
use crate::{openssl, passed, payload};
use forkscope_proto::arguments::{transfer_flags, transfer_length, worth_taking};
use forkscope_proto::{Config, FileKind, FileRef, Gate, Io, Kind, Shape, Spec, calls};

/// Writes the record of a send or receive that has ended with `ret`.
#[inline(always)]
pub fn ended(me: &Me, spec: &Spec, regs: &Registers, ret: i64, pending: Option<&Pending>) {
    let fd = regs.arg(0) as i32;
    let file = match pending {
        Some(pending) => pending.file,
        None => file::behind(me, fd, false),
    };
    if spec.gate as u8 == Gate::Endpoint as u8 && !file.is_endpoint(ret) {
        return;
    }
    let sent = spec.shape as u8 == Shape::Send as u8;
    openssl::met(me, fd, &file, (regs.number as u16, ret), sent);
    let Some(room) = IO.get_ptr_mut(0) else { return };
    // SAFETY: the scratch is this CPU's own while the program runs.
    let room = unsafe { &mut *room };
    let number = regs.number;
    let arg = |at| regs.arg(at);
    let most = worth_taking(spec.capture, sent, ret, settings::capture());
    let taken = payload::transfer(room.payload.as_mut_ptr(), spec.capture, regs, most);
    let taken = taken.min(Config::MOST_CAPTURE as u32);
    let io = &mut room.record;
    io.header = me.header(Kind::Io, number, taken);
    io.file = file;
    io.ret = ret;
    io.len = transfer_length(spec.capture, arg);
    io.fd = fd;
    io.flags = transfer_flags(number as u16, arg) as u32;
    io.seq = position(&file, sent);
    io.took = match pending {
        Some(pending) => io.header.time.wrapping_sub(pending.time).min(u64::from(u32::MAX)) as u32,
        None => 0,
    };
    emit((&raw const *room).cast(), size_of::<Io>() + taken as usize, Kind::Io);
    if number as u16 == calls::RECVMSG && ret >= 0 {
        passed::arrived(me, regs, fd);
    }
}

/// Where in the TCP stream the transfer has ended, 0 for other sockets.
#[inline(always)]
fn position(found: &FileRef, sent: bool) -> u32 {
    if found.kind != FileKind::Socket as u8 {
        return 0;
    }
    let inode: u64 = read(found.file, offset!(file_f_inode));
    match file::seen(found.file, inode, found.inode) {
        Some(seen) if seen.tcp != 0 && sent => read(seen.tcp, offset!(tcp_write_seq)),
        Some(seen) if seen.tcp != 0 => read(seen.tcp, offset!(tcp_copied_seq)),
        _ => 0,
    }
}
