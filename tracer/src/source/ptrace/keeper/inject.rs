//! Calls that a traced thread makes for the keeper, before one that it is about to make itself.
//!
//! ```text
//!   stands at the entry of its own call --registers changed--> makes ours --exit--> goes back by the two bytes of the
//!   `syscall` instruction --> makes the next of ours, ... --> makes its own, from the beginning, with all as it was
//! ```
//!
//! It sees nothing of that: its signals wait, and but for the registers nothing of it is touched. Where a
//! stop cannot wait (`SIGSTOP`, job control, what the keeper has asked for), the thread is put back before
//! its own call, and stops.

use super::super::request::{Resume, resume, set_signal_mask, signal_mask, wait};
use super::super::stop::Stop;
use super::memory;
use nix::errno::Errno;
use nix::sys::ptrace;
use nix::unistd::Pid;

/// The instruction by which 64-bit programs make calls (`syscall`).
const SYSCALL: [u8; 2] = [0x0f, 0x05];
/// No call is under way, so that none is begun again (`orig_ax`, arch/x86/include/asm/ptrace.h).
const NO_CALL: u64 = u64::MAX;

/// A thread at the entry of a call that a filter named.
pub(super) struct Borrowed {
    tid: i32,
    /// How it was.
    registers: libc::user_regs_struct,
    mask: u64,
    /// It has left the entry of its own call, and must begin that again.
    moved: bool,
}

/// The thread is the keeper's no more: it has stopped for this, which is for others to
/// look at; `None`: it is gone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gone(pub(super) Option<Stop>);

impl Borrowed {
    /// Borrows a thread; `None` where it cannot be, and nothing has changed.
    ///
    /// # Errors
    /// Where it is gone.
    pub(super) fn take(tid: i32) -> Result<Option<Self>, Gone> {
        let gone = |_| Gone(None);
        let registers = ptrace::getregs(Pid::from_raw(tid)).map_err(gone)?;
        let instruction = memory::value::<[u8; 2]>(tid, registers.rip.wrapping_sub(2));
        // One that was killed has no memory any more, which is no refusal: this is asked after it.
        let mask = signal_mask(tid).map_err(gone)?;
        if instruction != Some(SYSCALL) {
            return Ok(None);
        }
        set_signal_mask(tid, u64::MAX).map_err(gone)?;
        Ok(Some(Self { tid, registers, mask, moved: false }))
    }

    /// Has it make a call: its result, which may be minus an errno. What other threads stop for
    /// meanwhile comes to `others`.
    ///
    /// # Errors
    /// Where something came between.
    pub(super) fn call(
        &mut self,
        number: libc::c_long,
        args: [u64; 6],
        others: &mut Vec<(i32, Stop)>,
    ) -> Result<i64, Gone> {
        let [rdi, rsi, rdx, r10, r8, r9] = args;
        let number = number as u64;
        let mut registers = libc::user_regs_struct { rdi, rsi, rdx, r10, r8, r9, ..self.registers };
        if self.moved {
            (registers.rip, registers.rax, registers.orig_rax) = (self.registers.rip - 2, number, NO_CALL);
        } else {
            registers.orig_rax = number;
        }
        self.set(registers)?;
        self.moved = true;
        loop {
            resume(self.tid, Resume::ToCall, 0).map_err(|_| Gone(None))?;
            match self.next(others)? {
                Stop::Call => {
                    let info = ptrace::syscall_info(Pid::from_raw(self.tid)).map_err(|_| Gone(None))?;
                    if info.op == libc::PTRACE_SYSCALL_INFO_EXIT {
                        // SAFETY: `op` says that this one is there, and it is a plain number.
                        return Ok(unsafe { info.u.exit.sval });
                    }
                }
                Stop::Filter => {}
                stop @ (Stop::Ended(_) | Stop::Executed | Stop::Born) => return Err(Gone(Some(stop))),
                stop @ (Stop::Signal(_) | Stop::Group(_) | Stop::Trap) => {
                    self.put_back();
                    return Err(Gone(Some(stop)));
                }
            }
        }
    }

    /// What it stops for next. The others are waited for as well: a leader is told as ended only after
    /// its last thread was, and a thread that executes a program waits for that, too
    /// (`delay_group_leader`, `de_thread`).
    fn next(&self, others: &mut Vec<(i32, Stop)>) -> Result<Stop, Gone> {
        loop {
            match wait() {
                Ok((tid, status)) if tid == self.tid => return Ok(Stop::read(status)),
                Ok((tid, status)) => others.push((tid, Stop::read(status))),
                Err(Errno::EINTR) => {}
                Err(_) => return Err(Gone(None)),
            }
        }
    }

    /// Gives it back: it begins its own call again, when it goes on.
    pub(super) fn give_back(self) {
        self.put_back();
    }

    fn put_back(&self) {
        if self.moved {
            let (rip, rax) = (self.registers.rip - 2, self.registers.orig_rax);
            // Where it is gone, its end is told by itself.
            let _ = self.set(libc::user_regs_struct { rip, rax, orig_rax: NO_CALL, ..self.registers });
        }
        let _ = set_signal_mask(self.tid, self.mask);
    }

    fn set(&self, registers: libc::user_regs_struct) -> Result<(), Gone> {
        ptrace::setregs(Pid::from_raw(self.tid), registers).map_err(|_| Gone(None))
    }
}
