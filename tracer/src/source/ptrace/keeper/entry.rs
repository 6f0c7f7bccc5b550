//! A thread enters or leaves a system call.

use super::super::filter::{X32, X86_64};
use super::super::stage::Stage;
use super::super::stop::Stop;
use super::inject::Gone;
use super::process::Filter;
use super::{Context, Mode, Say, now};
use nix::sys::ptrace;
use nix::unistd::Pid;

impl Context<'_> {
    /// At an entry or an exit; `named`: a filter named the call. What the thread has stopped for since, if it
    /// was let go on meanwhile, and stopped by something that is for others to look at.
    pub(super) fn called(&mut self, named: bool) -> Option<Stop> {
        if self.keeper.out.is_closed() && !named && self.mode() != Some(Mode::AwaitsFilter) {
            // With nobody to tell, calls only pass.
            self.set_call(None, false);
            return None;
        }
        let info = ptrace::syscall_info(Pid::from_raw(self.tid)).ok()?;
        match info.op {
            libc::PTRACE_SYSCALL_INFO_ENTRY => {
                // SAFETY: `op` says which of the three is there, and all are plain numbers.
                let (number, args) = unsafe { (info.u.entry.nr, info.u.entry.args) };
                self.entered(info.arch, number, args);
            }
            libc::PTRACE_SYSCALL_INFO_SECCOMP => {
                // SAFETY: likewise.
                let (number, args, data) =
                    unsafe { (info.u.seccomp.nr, info.u.seccomp.args, info.u.seccomp.ret_data) };
                match Stage::of(data) {
                    Some(Stage::Lean) if self.leaves_lean(number, &args) => match self.leave_lean() {
                        Ok(true) => self.set_call(None, false),
                        Ok(false) => self.entered(info.arch, number, args),
                        Err(Gone(stop)) => return stop,
                    },
                    Some(stage) => {
                        if stage == Stage::Lean
                            && installs_filter(number, &args)
                            && self.mode() == Some(Mode::Filtered)
                        {
                            // From here on all that it does to its table is seen.
                            self.tell_table();
                        }
                        self.entered(info.arch, number, args);
                    }
                    None => self.refuse(),
                }
            }
            // SAFETY: likewise.
            libc::PTRACE_SYSCALL_INFO_EXIT => self.returned(unsafe { info.u.exit.sval }),
            _ => {}
        }
        None
    }

    /// A filter of the program's own asks for a tracer, and it has none of its own: then such a call fails
    /// with ENOSYS (seccomp(2), `SECCOMP_RET_TRACE`). Whoever filters like that relies on it.
    fn refuse(&self) {
        let tid = Pid::from_raw(self.tid);
        if let Ok(mut registers) = ptrace::getregs(tid) {
            registers.orig_rax = u64::MAX;
            registers.rax = (-i64::from(libc::ENOSYS)) as u64;
            let _ = ptrace::setregs(tid, registers);
        }
    }

    fn entered(&mut self, arch: u32, number: u64, args: [u64; 6]) {
        if arch != X86_64 || number & u64::from(X32) != 0 {
            return self.compat();
        }
        let filtering = installs_filter(number, &args);
        if self.keeper.out.is_closed() {
            return self.set_call(None, filtering);
        }
        // Where every call stops, one that the filter names stops twice at its entry.
        if self.keeper.tasks.get(&self.tid).is_some_and(|task| task.begun.is_some()) {
            return;
        }
        let begun = self.begin(number, args);
        if filtering {
            self.installs();
        }
        self.set_call(begun, filtering);
        if let Some(task) = self.keeper.tasks.get_mut(&self.tid) {
            task.entered = now();
        }
    }

    fn set_call(&mut self, begun: Option<super::calls::Begun>, filtering: bool) {
        if let Some(task) = self.keeper.tasks.get_mut(&self.tid) {
            (task.begun, task.filtering) = (begun, filtering);
        }
    }

    /// The call that the thread is in has ended.
    fn returned(&mut self, ret: i64) {
        let Some(task) = self.keeper.tasks.get_mut(&self.tid) else { return };
        let filtering = std::mem::take(&mut task.filtering);
        if let Some(begun) = task.begun.take() {
            self.stack_at_call(&begun, ret);
            self.end(&begun, ret);
            self.stop_at(begun.number(), ret);
        }
        if let Some(process) = self.keeper.processes.get_mut(&self.tgid)
            && filtering
            && process.mode == Mode::AwaitsFilter
        {
            match ret {
                0.. => {
                    process.mode = Mode::Filtered;
                    self.keeper.filter = Filter::Installed;
                }
                _ => process.refused = -ret as i32,
            }
        }
    }

    /// A filtered process installs a filter of its own, which may answer calls before ours sees them.
    fn installs(&mut self) {
        let Some(process) = self.keeper.processes.get_mut(&self.tgid) else { return };
        if process.mode == Mode::Filtered {
            process.mode = Mode::Every;
            self.keeper.out.say(Say::OwnFilter, self.tgid, 0);
            let own = self.tgid;
            self.keeper.interrupt(|tgid| tgid == own);
        }
    }
}

/// Whether a call is one that installs a seccomp filter (seccomp(2), prctl(2)).
fn installs_filter(number: u64, args: &[u64; 6]) -> bool {
    match number as i64 {
        libc::SYS_seccomp => args[0] <= u64::from(libc::SECCOMP_SET_MODE_FILTER),
        libc::SYS_prctl => args[0] == libc::PR_SET_SECCOMP as u64,
        _ => false,
    }
}
