//! Files that become shorter while they are mapped: who reads a page that is gone gets `SIGBUS`, which ends a
//! program (mmap(2)). Whoever may write a traced program's file could end forkscope so. Here such a page
//! becomes one of zeros, in which a reader finds nothing, as in any file that is broken.

use nix::errno::Errno;
use nix::libc::{self, c_int, c_void, siginfo_t};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use std::ptr;

/// Length of a page: forkscope knows x86-64 only.
const PAGE: usize = 4096;

/// From here on this process survives reading what its mapped files have lost.
///
/// # Errors
/// What sigaction(2) answers: never, for this signal.
pub(super) fn survive() -> nix::Result<()> {
    let flags = SaFlags::SA_SIGINFO | SaFlags::SA_ONSTACK;
    let action = SigAction::new(SigHandler::SigAction(on_bus_error), flags, SigSet::empty());
    // SAFETY: the handler makes system calls only, and leaves errno as it was (signal-safety(7)).
    unsafe { sigaction(Signal::SIGBUS, &action) }.map(drop)
}

extern "C" fn on_bus_error(_: c_int, info: *mut siginfo_t, _: *mut c_void) {
    let errno = Errno::last_raw();
    // SAFETY: with SA_SIGINFO the kernel hands over what the signal is about (sigaction(2)).
    let (code, at) = unsafe { ((*info).si_code, (*info).si_addr()) };
    if code != libc::BUS_ADRERR || !replace(at) {
        // The same access ends this process now, as it would have without a handler.
        // SAFETY: no handler is left.
        unsafe { libc::signal(libc::SIGBUS, libc::SIG_DFL) };
    }
    Errno::set_raw(errno);
}

/// Puts zeros where a page is gone; false where that cannot be.
fn replace(at: *mut c_void) -> bool {
    let page = at.map_addr(|address| address & !(PAGE - 1));
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED;
    // SAFETY: this access was not allowed on the page: nobody has seen anything there that is now otherwise.
    let zeros = unsafe { libc::mmap(page, PAGE, libc::PROT_READ, flags, -1, 0) };
    ptr::eq(zeros, page)
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};
    use std::io::Write;

    #[test]
    fn what_a_mapped_file_has_lost_reads_as_zeros() {
        survive().expect("there is such a signal");
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(&[b'x'; 3 * PAGE]).expect("room");
        let length = (3 * PAGE).try_into().expect("not zero");
        // SAFETY: a new mapping.
        let start = unsafe { mmap(None, length, ProtFlags::PROT_READ, MapFlags::MAP_PRIVATE, &file, 0) };
        let start = start.expect("room");
        // SAFETY: inside of the mapping. Volatile: the file changes meanwhile.
        let byte = |at| unsafe { start.cast::<u8>().add(at).read_volatile() };
        assert_eq!([0, PAGE, 3 * PAGE - 1].map(byte), *b"xxx");
        file.set_len(10).expect("it is its own");
        Errno::set_raw(7);
        let read = [9, 10, PAGE, 3 * PAGE - 1].map(byte);
        assert_eq!((read, Errno::last_raw()), ([b'x', 0, 0, 0], 7));
        // SAFETY: nobody has its bytes.
        unsafe { munmap(start, length.get()) }.expect("it is mapped");
    }
}
