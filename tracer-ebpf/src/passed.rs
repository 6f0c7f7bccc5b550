//! Descriptors that arrive by `SCM_RIGHTS`.

use crate::file;
use crate::kernel::{Access, Plain, Registers, read_user};
use crate::maps::PASSED;
use crate::payload;
use crate::ring::emit;
use crate::traced::Me;
use crate::words::clear;
use forkscope_proto::arguments::{SCM_RIGHTS, SOL_SOCKET};
use forkscope_proto::{Kind, Passed, PassedFd};

/// `struct cmsghdr` (cmsg(3)); the data follows.
#[derive(Clone, Copy)]
#[repr(C)]
struct ControlHeader {
    length: u64,
    level: i32,
    kind: i32,
}
impl Plain for ControlHeader {}

/// Reports the descriptors that a `recvmsg` which has just succeeded brought.
#[inline(always)]
pub fn arrived<A: Access>(me: &Me<A>, regs: &Registers, via: i32) {
    const HEADER: u64 = size_of::<ControlHeader>() as u64;
    let (mut at, length) = payload::control(regs);
    if length < HEADER || at == 0 {
        return;
    }
    let end = at + length;
    // Credentials may come before the rights (`scm_recv`, include/net/scm.h).
    for _ in 0..3 {
        if at + HEADER > end {
            return;
        }
        let header: ControlHeader = read_user(at);
        if header.length < HEADER {
            return;
        }
        if header.level == SOL_SOCKET as i32 && header.kind == SCM_RIGHTS as i32 {
            list(me, regs, via, at + HEADER, (header.length - HEADER) / 4);
            return;
        }
        at += (header.length + 7) & !7;
    }
}

#[inline(always)]
fn list<A: Access>(me: &Me<A>, regs: &Registers, via: i32, numbers: u64, count: u64) {
    let Some(room) = PASSED.get_ptr_mut(0) else { return };
    // SAFETY: the scratch is this CPU's own while the program runs.
    let record = unsafe { &mut (*room).record };
    record.header = me.header(Kind::Passed, regs.number, 0);
    record.via = via;
    record.count = count as u32;
    for index in 0..Passed::MOST {
        clear(&mut record.fds[index]);
        if (index as u64) < count {
            let fd: i32 = read_user(numbers + index as u64 * 4);
            record.fds[index] = PassedFd { file: file::made::<A>(fd, false), fd, reserved: 0 };
        }
    }
    emit((&raw const *record).cast(), size_of::<Passed>(), Kind::Passed);
}
