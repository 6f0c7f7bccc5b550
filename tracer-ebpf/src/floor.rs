//! The floor that benchmarks compare with: programs on forkscope's two hooks that do nothing, or nothing but
//! to write a record of 64 bytes at each call's exit, whoever makes it. No part of the product.
#![no_std]
#![no_main]

mod program;

use aya_ebpf::EbpfContext as _;
use aya_ebpf::bindings::BPF_RB_NO_WAKEUP;
use aya_ebpf::macros::{map, raw_tracepoint};
use aya_ebpf::maps::{PerCpuArray, RingBuf};
use aya_ebpf::programs::RawTracePointContext;

/// Where records go: of the size that forkscope's ring has by default.
#[map]
static RECORDS: RingBuf = RingBuf::with_byte_size(16 << 20, 0);

/// Records written, and those that had no room.
#[map]
static COUNTS: PerCpuArray<[u64; 2]> = PerCpuArray::with_max_entries(1, 0);

/// At a call's entry: nothing.
#[raw_tracepoint(tracepoint = "sys_enter")]
pub fn floor_enter(ctx: RawTracePointContext) -> i32 {
    let _ = ctx.as_ptr();
    0
}

/// At a call's exit: nothing.
#[raw_tracepoint(tracepoint = "sys_exit")]
pub fn floor_exit(ctx: RawTracePointContext) -> i32 {
    let _ = ctx.as_ptr();
    0
}

/// At a call's exit: a record.
#[raw_tracepoint(tracepoint = "sys_exit")]
pub fn floor_record(ctx: RawTracePointContext) -> i32 {
    let Some(counts) = COUNTS.get_ptr_mut(0) else { return 0 };
    let slot = match RECORDS.reserve::<[u64; 8]>(0) {
        Some(mut record) => {
            record.write([ctx.arg::<u64>(1); 8]);
            record.submit(u64::from(BPF_RB_NO_WAKEUP));
            0
        }
        None => 1,
    };
    // SAFETY: the table is this processor's own, and has two places.
    unsafe { (*counts)[slot] += 1 };
    0
}
