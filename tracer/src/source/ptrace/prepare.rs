//! What a program does between fork and exec so that the keeper can trace it.
//!
//! Everything here runs in a forked child: it allocates nothing and calls nothing but the kernel.

use super::filter;
use super::stage::Stage;
use crate::source::proc;
use nix::errno::Errno;

/// `PR_SET_PTRACER` (include/uapi/linux/prctl.h): who may trace this process where
/// Yama allows ancestors only.
const PR_SET_PTRACER: libc::c_int = 0x5961_6d61;

/// What to do in the child, made before the fork.
pub struct Preparation {
    keeper: u32,
    filter: Vec<libc::sock_filter>,
}

impl Preparation {
    /// For a program that this process is to trace.
    pub(super) fn new(keeper: u32) -> Self {
        Self { keeper, filter: filter::program(stage()) }
    }

    /// Lets the keeper trace this process. Where the kernel has no Yama, nothing is needed and this fails.
    pub fn allow(&self) {
        // SAFETY: no memory is passed.
        unsafe { libc::prctl(PR_SET_PTRACER, libc::c_ulong::from(self.keeper), 0, 0, 0) };
    }

    /// Installs the filter, when the keeper traces this process already. Without it, every call stops.
    pub fn install(&self) {
        if self.try_install() == Err(Errno::EACCES) {
            // Who has no privilege over the system must first promise to gain none (seccomp(2)): a
            // traced program gains none from its files' set-user-ID bits anyway (execve(2)).
            // SAFETY: no memory is passed.
            unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) };
            let _ = self.try_install();
        }
    }

    fn try_install(&self) -> nix::Result<()> {
        let program = libc::sock_fprog {
            len: self.filter.len() as libc::c_ushort,
            filter: self.filter.as_ptr().cast_mut(),
        };
        // SAFETY: the kernel copies the program, and writes nothing.
        let result =
            unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, 0, &raw const program) };
        Errno::result(result).map(drop)
    }
}

/// The stage of a program that inherits what this process has. Where that may not be
/// looked at, it may be anything.
fn stage() -> Stage {
    let Ok((descriptors, uring)) = proc::descriptors(std::process::id()) else { return Stage::Full };
    let inherited = descriptors.iter().filter(|entry| !entry.cloexec);
    Stage::at_start(inherited.map(|entry| entry.file.kind()), uring)
}
