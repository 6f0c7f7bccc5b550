//! Records of calls that are no transfers.

use crate::file::{behind, made};
use crate::kernel::{Access, Registers, read_user};
use crate::maps::CALL;
use crate::payload;
use crate::pending::Pending;
use crate::ring::emit;
use crate::traced::Me;
use crate::words::{clear, copy};
use forkscope_proto::arguments::makes_ring;
use forkscope_proto::{Call, Config, Enter, Gate, Kind, Mark, Produces, Spec};

/// Writes the record of a call that has ended with `ret`.
#[inline(always)]
pub fn ended<A: Access>(me: &Me<A>, spec: &Spec, regs: &Registers, ret: i64, pending: Option<&Pending>) {
    if !spec.gate.wants(|at| regs.arg(at)) {
        return;
    }
    let Some(room) = CALL.get_ptr_mut(0) else { return };
    // SAFETY: the scratch is this CPU's own while the program runs.
    let room = unsafe { &mut *room };
    let number = regs.number as u16;
    let call = &mut room.record;
    call.args = regs.args();
    call.ret = ret;
    call.other_end = pending.map_or(0, |pending| pending.time);
    call.fd = -1;
    call.other_fd = -1;
    clear(&mut call.file);
    clear(&mut call.other);
    clear(&mut call.replaced);
    if spec.fd != Spec::NO_FD && matches!(spec.produces, Produces::Nothing | Produces::Other) {
        call.fd = regs.arg(spec.fd) as i32;
        call.file = match (spec.enter, pending) {
            (Enter::Target | Enter::Blocking, Some(pending)) => pending.file,
            _ => behind::<A>(call.fd, spec.changes_socket && ret <= 0),
        };
    }
    if let (Enter::Replaced, Some(pending)) = (spec.enter, pending) {
        copy(&mut call.replaced, &pending.file);
    }
    if spec.other != Spec::NO_FD {
        call.other_fd = regs.arg(spec.other) as i32;
        call.other = behind::<A>(call.other_fd, false);
    }
    if ret >= 0 {
        produced::<A>(spec, regs, ret, call);
    }
    if makes_ring(number, ret) {
        me.add(Mark::URING);
    }
    let taken = payload::detail(room.payload.as_mut_ptr(), spec.capture, regs, ret);
    let taken = taken.min(Config::MOST_DETAIL as u32);
    room.record.header = me.header(Kind::Call, regs.number, taken);
    if let (Enter::Target, Some(pending)) = (spec.enter, pending) {
        // The number is free from here on, and may be another file's before the call has ended.
        room.record.other_end = room.record.header.time;
        room.record.header.time = pending.time;
    }
    // Last of all, for the verifier's sake: so little comes after it.
    if matches!(spec.gate, Gate::EitherSocket) && forkscope_either_matters(ret) == 0 {
        return;
    }
    emit((&raw const *room).cast(), size_of::<Call>() + taken as usize, Kind::Call);
}

/// Whether what is behind the two numbers of [`CALL`]'s record makes it worth one. A global function for the
/// verifier, as the one that copies vectors is.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn forkscope_either_matters(ret: i64) -> u32 {
    let Some(room) = CALL.get_ptr(0) else { return 0 };
    // SAFETY: the scratch is this CPU's own while the program runs.
    let call = unsafe { &(*room).record };
    u32::from(call.file.either_matters(&call.other, ret))
}

/// Fills in the descriptors that a call made.
#[inline(always)]
fn produced<A: Access>(spec: &Spec, regs: &Registers, ret: i64, call: &mut Call) {
    let pair = match spec.produces {
        Produces::Result => {
            call.fd = ret as i32;
            call.file = made::<A>(call.fd, spec.changes_socket);
            return;
        }
        Produces::Other => {
            // `fcntl` makes one only where it duplicates.
            call.other_fd = ret as i32;
            call.other = made::<A>(call.other_fd, spec.changes_socket);
            return;
        }
        Produces::Pair0 => regs.arg(0),
        Produces::Pair3 => regs.arg(3),
        Produces::Nothing => {
            if spec.gate.duplicates(regs.arg(1)) {
                call.other_fd = ret as i32;
                call.other = made::<A>(call.other_fd, false);
            }
            return;
        }
    };
    let [first, second]: [i32; 2] = read_user(pair);
    call.fd = first;
    call.file = made::<A>(first, spec.changes_socket);
    call.other_fd = second;
    call.other = made::<A>(second, spec.changes_socket);
}
