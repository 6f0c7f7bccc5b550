//! A process maps OpenSSL: user space is told at once, and puts the probes on it.

use crate::enter::is_compat;
use crate::file::{file_at, name_of};
use crate::kernel::{Access, Registers, read};
use crate::ring::emit_at_once;
use crate::settings;
use crate::traced::Me;
use forkscope_proto::{Header, Kind, LibraryMapped};

/// `mmap` (arch/x86/entry/syscalls/syscall_64.tbl).
const MMAP: u64 = 9;
/// `PROT_EXEC` and `MAP_ANONYMOUS` of mmap(2).
const PROT_EXEC: u64 = 4;
const MAP_ANONYMOUS: u64 = 0x20;

/// Whether a call may map a library that is looked for.
#[inline(always)]
pub fn is_it(number: u64) -> bool {
    settings::plaintext() && number == MMAP
}

/// A call has ended: if it mapped a file named `libssl…` to execute it, that is told. Programs map their
/// libraries before they run a line of them, those of dlopen(3) too.
#[inline(always)]
pub fn ended<A: Access>(me: &Me<A>, pt_regs: u64, regs: &Registers, ret: i64) {
    // Read anew: else the compiler knows for the caller, too, what the number is here, and leaves out the
    // look at a bound of it that verifiers before Linux 6.1 ask for.
    if !settings::plaintext() || !is_it(Registers::number_at(pt_regs)) {
        return;
    }
    let (protection, flags) = (regs.arg(2), regs.arg(3));
    if ret < 0 || protection & PROT_EXEC == 0 || flags & MAP_ANONYMOUS != 0 || is_compat(me) {
        return;
    }
    let file = file_at::<A>(me.task, regs.arg(4) as i32);
    if file == 0 || read::<[u8; 6]>(name_of::<A>(file), 0) != LibraryMapped::NAME {
        return;
    }
    let header = Header { kind: LibraryMapped::KIND, ..me.header(Kind::Plaintext, MMAP, 0) };
    let mapped = LibraryMapped { header };
    emit_at_once((&raw const mapped).cast(), size_of::<LibraryMapped>(), Kind::Plaintext);
}
