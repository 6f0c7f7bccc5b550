//! What user space fixed when it loaded the programs. The kernel freezes these, so that the verifier
//! sees constants.

use core::ptr::read_volatile;
use forkscope_proto::{Config, Offsets, Types};

/// The offsets, to be read through [`offset!`] only.
#[unsafe(no_mangle)]
pub static OFFSETS: Offsets = {
    // SAFETY: all fields are plain numbers, for which zero is a value.
    unsafe { core::mem::zeroed() }
};

/// The types, to be read through [`kind!`] only.
#[unsafe(no_mangle)]
pub static TYPES: Types = Types { file: 0, inode: 0, super_block: 0, dentry: 0, tcp_sock: 0, word: 0 };

#[unsafe(no_mangle)]
static CONFIG: Config = Config {
    own_tgid: 0,
    everything: 0,
    capture: 0,
    wake_at: 0,
    stops: 0,
    own_uid: 0,
    plaintext: 0,
    stacks: 0,
    one_reference: 0,
    every_call: 0,
};

/// One offset of [`Offsets`].
macro_rules! offset {
    ($field:ident) => {
        $crate::settings::load(&raw const $crate::settings::OFFSETS.$field)
    };
}
pub(crate) use offset;

/// One type of [`Types`].
macro_rules! kind {
    ($field:ident) => {
        $crate::settings::load(&raw const $crate::settings::TYPES.$field)
    };
}
pub(crate) use kind;

/// Reads a value that was patched into the loaded object: the compiler must not believe the initialiser.
#[inline(always)]
pub fn load(field: *const u32) -> u32 {
    // SAFETY: callers pass a field of a static.
    unsafe { read_volatile(field) }
}

/// Whether every process of the machine is traced.
#[inline(always)]
pub fn everything() -> bool {
    load(&raw const CONFIG.everything) != 0
}

/// forkscope's own process.
#[inline(always)]
pub fn own_tgid() -> u32 {
    load(&raw const CONFIG.own_tgid)
}

/// Whose processes are stopped at calls that may be a finding, as [`Config::stops`].
#[inline(always)]
pub fn stops() -> u32 {
    load(&raw const CONFIG.stops)
}

/// The user who runs forkscope.
#[inline(always)]
pub fn own_uid() -> u32 {
    load(&raw const CONFIG.own_uid)
}

/// Whether user stacks are taken.
#[inline(always)]
pub fn stacks() -> bool {
    load(&raw const CONFIG.stacks) != 0
}

/// Payload bytes taken of each transfer.
#[inline(always)]
pub fn capture() -> u32 {
    load(&raw const CONFIG.capture)
}

/// What the kernel counts for an open file that is referred to once.
#[inline(always)]
pub fn one_reference() -> u32 {
    load(&raw const CONFIG.one_reference)
}

/// Whether calls that say nothing new have a record, too.
#[inline(always)]
pub fn every_call() -> bool {
    load(&raw const CONFIG.every_call) != 0
}

/// Whether what programs hand to OpenSSL is taken.
#[inline(always)]
pub fn plaintext() -> bool {
    load(&raw const CONFIG.plaintext) != 0
}

/// Bytes waiting in the ring from which user space is woken.
#[inline(always)]
pub fn wake_at() -> u32 {
    load(&raw const CONFIG.wake_at)
}
