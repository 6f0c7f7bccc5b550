//! Transfers that no system call shows: io_uring's, on the calling thread or on the kernel's workers, which
//! are threads of the process. Every transfer of the machine comes by here: user space puts the programs
//! there once a traced process has an io_uring.

use crate::enter::spec;
use crate::file::describe;
use crate::kernel::{InCall, Probing, current_registers, read};
use crate::ring::{emit, tell_news};
use crate::settings::offset;
use crate::traced::Me;
use aya_ebpf::{macros::raw_tracepoint, programs::RawTracePointContext};
use forkscope_proto::arguments::is_news;
use forkscope_proto::{FileRef, Kind, Mark, Shape, Spec, UringIo, calls};

/// `TP_PROTO(struct sock *sk, int ret, int flags)` (include/trace/events/sock.h, since Linux 6.3).
#[raw_tracepoint(tracepoint = "sock_send_length")]
pub fn forkscope_sent(ctx: RawTracePointContext) -> i32 {
    transferred(&ctx, 1);
    0
}

/// As [`forkscope_sent`].
#[raw_tracepoint(tracepoint = "sock_recv_length")]
pub fn forkscope_received(ctx: RawTracePointContext) -> i32 {
    transferred(&ctx, 0);
    0
}

#[inline(always)]
fn transferred(ctx: &RawTracePointContext, sent: u32) {
    let Some(me) = Me::<Probing>::if_marked(Mark::URING) else { return };
    // Calls that transfer report themselves.
    let call = InCall::of(current_registers());
    let transfers = |spec: &Spec| matches!(spec.shape, Shape::Send | Shape::Receive | Shape::Transfer);
    if call.and_then(|call| spec(call.number)).is_some_and(transfers) {
        return;
    }
    let sk: u64 = ctx.arg(0);
    let file: u64 = read(read::<u64>(sk, offset!(sock_socket)), offset!(socket_file));
    let mut found = FileRef::NONE;
    describe::<Probing>(file, false, &mut found);
    let record = UringIo {
        header: me.header(Kind::Uring, u64::from(calls::IO_URING_ENTER), 0),
        file: found,
        ret: ctx.arg::<u64>(1) as i32,
        sent,
    };
    emit((&raw const record).cast(), size_of::<UringIo>(), Kind::Uring);
    if is_news(calls::IO_URING_ENTER, i64::from(record.ret)) {
        tell_news();
    }
}
