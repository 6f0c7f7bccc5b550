//! Records of transfers.

use crate::file;
use crate::kernel::{Access, Registers};
use crate::maps::IO;
use crate::pending::Pending;
use crate::ring::emit;
use crate::settings::{self, kind, offset};
use crate::traced::Me;
use crate::{openssl, passed, payload};
use forkscope_proto::arguments::{transfer_flags, transfer_length, worth_taking};
use forkscope_proto::{Config, Gate, Io, Kind, Shape, Spec, calls};

/// Writes the record of a send or receive that has ended with `ret`.
#[inline(always)]
pub fn ended<A: Access>(me: &Me<A>, spec: &Spec, regs: &Registers, ret: i64, pending: Option<&Pending>) {
    let fd = regs.arg(0) as i32;
    let (file, tcp) = match pending {
        Some(pending) => (pending.file, still::<A>(pending)),
        None => file::look::<A>(fd, 0),
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
    io.seq = match tcp {
        0 => 0,
        sk if sent => A::at(sk, kind!(tcp_sock), offset!(tcp_write_seq)),
        sk => A::at(sk, kind!(tcp_sock), offset!(tcp_copied_seq)),
    };
    io.reserved = 0;
    emit((&raw const *room).cast(), size_of::<Io>() + taken as usize, Kind::Io);
    // Descriptors come over unix sockets only.
    if number as u16 == calls::RECVMSG && ret >= 0 && tcp == 0 {
        passed::arrived(me, regs, fd);
    }
}

/// [`Pending::tcp`], if the file still is the same one and its socket has it: one that others have
/// closed meanwhile is gone.
#[inline(always)]
fn still<A: Access>(pending: &Pending) -> u64 {
    if pending.tcp == 0 {
        return 0;
    }
    let inode: u64 = A::at(pending.file.file, kind!(file), offset!(file_f_inode));
    let number: u64 = A::at(inode, kind!(inode), offset!(inode_i_ino));
    let socket: u64 = A::at(pending.file.file, kind!(file), offset!(file_private_data));
    let sk: u64 = A::at(socket.wrapping_add(u64::from(offset!(socket_sk))), kind!(word), 0);
    if sk == pending.tcp && number == pending.file.inode { sk } else { 0 }
}
