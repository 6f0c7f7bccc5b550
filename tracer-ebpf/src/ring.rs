//! The one way a record leaves the kernel, and when user space is woken: where much waits, and for news, of
//! which it should not hear late. For the rest it looks by itself, seldom.

use crate::enter::spec;
use crate::maps::{EVENTS, LOST};
use crate::settings;
use crate::traced::now;
use aya_ebpf::bindings::{BPF_RB_AVAIL_DATA, BPF_RB_FORCE_WAKEUP, BPF_RB_NO_WAKEUP};
use aya_ebpf::macros::map;
use aya_ebpf::maps::{Array, PerCpuArray};
use forkscope_proto::arguments::{is_news, makes_ring};
use forkscope_proto::{Config, Gate, Kind, Shape, Spec};

/// What was written, on each CPU.
#[map]
static WRITTEN: PerCpuArray<Written> = PerCpuArray::with_max_entries(1, 0);

/// When user space was woken for news, last. CPUs that write it at once do so for much the same time.
#[map]
static WOKEN: Array<u64> = Array::with_max_entries(1, 0);

/// What a CPU wrote.
#[repr(C)]
struct Written {
    records: u32,
    /// How the last one was that it was asked of, as `bpf_ringbuf_output` takes it.
    how: u32,
}

/// Writes a record of `size` bytes, or counts it as lost.
#[inline(always)]
pub fn emit(record: *const u8, size: usize, kind: Kind) -> bool {
    write(record, size, kind, wake())
}

/// Writes a record that wakes user space, however little waits.
#[inline(always)]
pub fn emit_at_once(record: *const u8, size: usize, kind: Kind) {
    write(record, size, kind, u64::from(BPF_RB_FORCE_WAKEUP));
}

#[inline(always)]
fn write(record: *const u8, size: usize, kind: Kind, how: u64) -> bool {
    // SAFETY: callers pass a record and its size, bounded by the room it lies in.
    let bytes = unsafe { core::slice::from_raw_parts(record, size) };
    if EVENTS.output::<[u8]>(bytes, how).is_ok() {
        return true;
    }
    lose(kind);
    false
}

/// How a record is written that tells no news: with a wake-up for user space where much waits. That is asked
/// at one of some records, since the question is a call; and at each while much waits, when the wake-ups slow
/// the traced programs down, which loses less.
#[inline(always)]
pub fn wake() -> u64 {
    const SOME: u32 = 16;
    let Some(written) = WRITTEN.get_ptr_mut(0) else { return u64::from(BPF_RB_NO_WAKEUP) };
    // SAFETY: the value is this CPU's own while the program runs.
    let written = unsafe { &mut *written };
    written.records = written.records.wrapping_add(1);
    if written.how == BPF_RB_FORCE_WAKEUP || written.records % SOME == 0 {
        let waits = EVENTS.query(u64::from(BPF_RB_AVAIL_DATA)) >= u64::from(settings::wake_at());
        written.how = if waits { BPF_RB_FORCE_WAKEUP } else { BPF_RB_NO_WAKEUP };
        return u64::from(written.how);
    }
    u64::from(BPF_RB_NO_WAKEUP)
}

/// Wakes user space for a record that was written: what it is about may be gone soon, or users wait for it.
/// Not again within [`Config::NEWS_PAUSE`], when user space looks by itself. The kernel wakes with a record
/// only: here with an empty one that is given up, by which user space knows, too.
#[inline(always)]
pub fn tell_news() {
    let Some(woken) = WOKEN.get_ptr_mut(0) else { return };
    let time = now();
    // SAFETY: the value lies in the map; it is read and written as a whole.
    if time.wrapping_sub(unsafe { woken.read_volatile() }) < Config::NEWS_PAUSE {
        return;
    }
    if let Some(nothing) = EVENTS.reserve::<u64>(0) {
        // SAFETY: as above.
        unsafe { woken.write_volatile(time) };
        nothing.discard(u64::from(BPF_RB_FORCE_WAKEUP));
    }
}

/// As [`tell_news`], where a call that has ended so is news, or made an io_uring. A global function for the
/// verifier, as the one that copies vectors is.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn forkscope_ended(number: u16, ret: i64) -> u32 {
    // Of those whose arguments say whether they have a record, the failures of every day are
    // of calls that have none.
    let has_record = |spec: &Spec| {
        !matches!(spec.shape, Shape::Ignored)
            && matches!(spec.gate, Gate::Always | Gate::Endpoint | Gate::EitherSocket)
    };
    if (is_news(number, ret) || makes_ring(number, ret)) && spec(u64::from(number)).is_some_and(has_record) {
        tell_news();
    }
    0
}

/// Counts a record as lost.
#[inline(always)]
pub fn lose(kind: Kind) {
    if let Some(lost) = LOST.get_ptr_mut(0) {
        // SAFETY: the slot is this CPU's own, and the kind's number is below the table's length.
        unsafe { (*lost)[kind as usize] += 1 };
    }
}
