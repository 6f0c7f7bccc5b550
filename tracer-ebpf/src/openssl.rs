//! Probes on functions of OpenSSL 1.1 and 3: what is inside TLS. They are put on only
//! where users ask for that.
//!
//! A call is tied to its socket by the system calls that its thread makes between the
//! call's entry and its return.

use crate::kernel::{Access, Probing, read_user};
use crate::maps::{EVENTS, IN_OPENSSL, InOpenssl, WithPayload};
use crate::ring::{lose, wake};
use crate::settings;
use crate::traced::{Me, now};
use aya_ebpf::helpers::generated::bpf_probe_read_user;
use aya_ebpf::macros::{uprobe, uretprobe};
use aya_ebpf::programs::{ProbeContext, RetProbeContext};
use forkscope_proto::{Act, Config, FileKind, FileRef, Kind, Plaintext};

const SENT: u8 = Plaintext::SENT as u8;
const RECEIVED: u8 = Plaintext::RECEIVED as u8;

/// Room for payload where little is taken of each transfer, as by default.
const LITTLE: usize = 256;

/// `int SSL_do_handshake(SSL *ssl)`.
#[uprobe]
pub fn forkscope_ssl_handshake(ctx: ProbeContext) -> u32 {
    entered(&ctx, Act::Handshake, false)
}

/// `int SSL_read(SSL *ssl, void *buf, int num)`.
#[uprobe]
pub fn forkscope_ssl_read(ctx: ProbeContext) -> u32 {
    entered(&ctx, Act::Read, false)
}

/// `int SSL_read_ex(SSL *ssl, void *buf, size_t num, size_t *readbytes)`.
#[uprobe]
pub fn forkscope_ssl_read_ex(ctx: ProbeContext) -> u32 {
    entered(&ctx, Act::Read, true)
}

/// `int SSL_write(SSL *ssl, const void *buf, int num)`.
#[uprobe]
pub fn forkscope_ssl_write(ctx: ProbeContext) -> u32 {
    entered(&ctx, Act::Write, false)
}

/// `int SSL_write_ex(SSL *s, const void *buf, size_t num, size_t *written)`.
#[uprobe]
pub fn forkscope_ssl_write_ex(ctx: ProbeContext) -> u32 {
    entered(&ctx, Act::Write, true)
}

/// `int SSL_shutdown(SSL *ssl)`.
#[uprobe]
pub fn forkscope_ssl_shutdown(ctx: ProbeContext) -> u32 {
    entered(&ctx, Act::Shutdown, false)
}

/// Remembers what is gone when the call returns. `counts`: its fourth argument will say how many bytes moved.
#[inline(always)]
fn entered(ctx: &ProbeContext, act: Act, counts: bool) -> u32 {
    let Some(me) = Me::<Probing>::if_traced() else { return 0 };
    let arg = |at| ctx.arg::<u64>(at).unwrap_or(0);
    let call = InOpenssl {
        began: now(),
        session: arg(0),
        buffer: arg(1),
        count: if counts { arg(3) } else { 0 },
        file: FileRef::NONE,
        fd: -1,
        nr: 0,
        act: act as u8,
        flags: 0,
    };
    if IN_OPENSSL.insert(me.tid, call, 0).is_err() {
        lose(Kind::Plaintext);
    }
    0
}

/// The thread has sent or received: if it is in a call of OpenSSL, that is the call's socket.
#[inline(always)]
pub fn met<A: Access>(me: &Me<A>, fd: i32, file: &FileRef, (nr, ret): (u16, i64), sent: bool) {
    if !settings::plaintext() || file.kind != FileKind::Socket as u8 {
        return;
    }
    let Some(call) = IN_OPENSSL.get_ptr_mut(me.tid) else { return };
    // SAFETY: the map's value stays valid while the program runs, and is this thread's own.
    let call = unsafe { &mut *call };
    call.file = *file;
    call.fd = fd;
    if sent || call.flags & SENT == 0 {
        call.nr = nr;
    }
    let received = if !sent && ret > 0 { RECEIVED } else { 0 };
    call.flags = call.flags & SENT | received | if sent { SENT } else { 0 };
}

/// Any of the functions has returned.
#[uretprobe]
pub fn forkscope_ssl_return(ctx: RetProbeContext) -> u32 {
    let Some(me) = Me::<Probing>::if_traced() else { return 0 };
    // SAFETY: the value is copied before the entry is removed; only this thread changes it.
    let Some(call) = (unsafe { IN_OPENSSL.get(me.tid) }).copied() else { return 0 };
    let _ = IN_OPENSSL.remove(me.tid);
    let returned = i64::from(ctx.ret::<i32>());
    let moves = call.act == Act::Read as u8 || call.act == Act::Write as u8;
    let ret = if call.count != 0 && returned > 0 { read_user::<u64>(call.count) as i64 } else { returned };
    // Where none moved, the system calls have their own records: of what they brought,
    // they cannot tell the end.
    if moves && ret <= 0 && !Plaintext::is_end(u16::from(call.act), ret, u16::from(call.flags)) {
        return 0;
    }
    let length = if moves { ret as u64 } else { 0 };
    if settings::capture() as usize <= LITTLE {
        write::<LITTLE>(&me, &call, ret, length);
    } else {
        write::<{ Config::MOST_CAPTURE }>(&me, &call, ret, length);
    }
    0
}

/// Writes the record, with at most `N` bytes of the plaintext.
///
/// In the ring itself: unlike a tracepoint's, a probe's program may be preempted
/// (`bpf_prog_run_array_uprobe`, Linux 5.19), and another one then use the same processor's scratch.
#[inline(always)]
fn write<const N: usize>(me: &Me, call: &InOpenssl, ret: i64, length: u64) {
    let Some(mut entry) = EVENTS.reserve::<WithPayload<Plaintext, N>>(0) else {
        return lose(Kind::Plaintext);
    };
    let room = entry.as_mut_ptr();
    let wanted = length.min(u64::from(settings::capture())).min(N as u64) as u32;
    // SAFETY: the payload has room for N bytes.
    let taken = unsafe { copy::<N>((&raw mut (*room).payload).cast(), call.buffer, wanted) };
    let mut header = me.header(Kind::Plaintext, u64::from(call.nr), taken);
    if call.act != Act::Read as u8 {
        header.time = call.began;
    }
    let record = Plaintext {
        header,
        file: call.file,
        session: call.session,
        ret,
        fd: call.fd,
        act: u16::from(call.act),
        flags: u16::from(call.flags),
    };
    // SAFETY: the room is the record's; what of the payload is not taken, the head does not count.
    unsafe { (&raw mut (*room).record).write(record) };
    entry.submit(wake());
}

/// Copies `wanted` bytes, at most `N`, from user memory; returns how many.
///
/// # Safety
/// `to` must have room for `N` bytes.
#[inline(always)]
unsafe fn copy<const N: usize>(to: *mut u8, from: u64, wanted: u32) -> u32 {
    if wanted == 0 || wanted > N as u32 {
        return 0;
    }
    // SAFETY: as the caller says.
    let failed = unsafe { bpf_probe_read_user(to.cast(), wanted, from as *const _) };
    if failed == 0 { wanted } else { 0 }
}
