//! A process leaves the lean stage: before it has anything that forkscope is about, it gets the whole filter.
//!
//! The thread that is about to make such a thing stands at the entry of that call, and installs the filter
//! for all threads of its process. So what is made has never been in reach of a call that nobody saw.

use super::super::filter;
use super::super::request::signal_mask;
use super::super::stage::{Stage, clone_ends_lean};
use super::super::stop::Stop;
use super::super::table::{self, Table};
use super::early::status_line;
use super::inject::{Borrowed, Gone};
use super::life::{cmdline, comm};
use super::{Context, Mode, Say, memory};
use crate::source::proc;
use nix::errno::Errno;
use std::sync::OnceLock;

/// Bytes of memory for the filter: a page.
const ROOM: u64 = 4096;

/// Why the filter is not installed.
enum Failure {
    /// The system's word.
    Refused(Errno),
    /// The thread is gone.
    Gone(Gone),
}

impl From<Gone> for Failure {
    fn from(gone: Gone) -> Self {
        Self::Gone(gone)
    }
}

impl Context<'_> {
    /// Whether a thread in the lean stage must leave it before it makes this call, which its filter named.
    pub(super) fn leaves_lean(&self, number: u64, args: &[u64; 6]) -> bool {
        let Some(process) = self.keeper.processes.get(&self.tgid) else { return false };
        if self.keeper.out.is_closed() || process.mode != Mode::Filtered || process.full {
            return false;
        }
        match self.asked_flags(number, args[0]) {
            Some(flags) => clone_ends_lean(flags, process.threads),
            // A filter of its own is another matter.
            None => !matches!(number as libc::c_long, libc::SYS_seccomp | libc::SYS_prctl),
        }
    }

    /// Has the thread install the whole filter for its process, and then begin its call again; false: it
    /// stands at its entry as before.
    ///
    /// # Errors
    /// Where something came between.
    pub(super) fn leave_lean(&mut self) -> Result<bool, Gone> {
        self.tell_table();
        let Some(mut thread) = Borrowed::take(self.tid)? else {
            self.every(Errno::EFAULT);
            return Ok(false);
        };
        let mut page = self.keeper.tasks.get(&self.tid).map_or(0, |task| task.page);
        let installed = install(&mut thread, self.tid, &mut page, &mut self.keeper.stops);
        if let Some(task) = self.keeper.tasks.get_mut(&self.tid) {
            task.page = page;
        }
        match installed {
            Ok(()) => {
                if let Some(process) = self.keeper.processes.get_mut(&self.tgid) {
                    process.full = true;
                }
            }
            Err(Failure::Refused(errno)) => self.every(errno),
            Err(Failure::Gone(gone)) => return Err(gone),
        }
        thread.give_back();
        Ok(true)
    }

    /// From here on each call of the process stops it, since the filter was refused.
    fn every(&mut self, errno: Errno) {
        let Some(process) = self.keeper.processes.get_mut(&self.tgid) else { return };
        process.mode = Mode::Every;
        self.keeper.out.say(Say::NoFilter, self.tgid, errno as u64);
        let own = self.tgid;
        self.keeper.interrupt(|tgid| tgid == own);
    }

    /// Tells the descriptor table as it is: what was done to it in the lean stage was not seen.
    pub(super) fn tell_table(&mut self) {
        let (tid, tgid) = (self.tid, self.tgid);
        let Ok((descriptors, _)) = proc::descriptors(tid as u32) else {
            // One that was killed meanwhile hides nothing.
            if signal_mask(tid).is_ok() {
                self.hidden();
            }
            return;
        };
        let cmdline = cmdline(tgid);
        let payload = table::payload(&cmdline, &descriptors);
        let mut header = self.header(0);
        (header.kind, header.payload) = (table::KIND, payload.len() as u32);
        let table = Table {
            header,
            comm: comm(tgid as i32),
            ppid: status_line(tid, "PPid:").unwrap_or(0),
            threads: self.keeper.processes.get(&tgid).map_or(1, |process| process.threads),
            cmdline: cmdline.len() as u32,
            reserved: 0,
        };
        self.keeper.out.record(&table, &payload);
    }
}

/// Installs the whole filter in the thread's process, from a page of memory that it gets for that: `page`,
/// where it has that since something came between; 0: not yet, or no more.
fn install(
    thread: &mut Borrowed,
    tid: i32,
    page: &mut u64,
    others: &mut Vec<(i32, Stop)>,
) -> Result<(), Failure> {
    let mut call = |number, args| thread.call(number, args, others);
    let done = |result: i64| match result {
        0.. => Ok(result),
        _ => Err(Failure::Refused(Errno::from_raw(-result as i32))),
    };
    if *page == 0 {
        let access = (libc::PROT_READ | libc::PROT_WRITE) as u64;
        let kind = (libc::MAP_PRIVATE | libc::MAP_ANONYMOUS) as u64;
        *page = done(call(libc::SYS_mmap, [0, ROOM, access, kind, u64::MAX, 0])?)? as u64;
    }
    let installed = match memory::put(tid, *page, &image(*page)) {
        true => {
            let (mode, flags) = (libc::SECCOMP_SET_MODE_FILTER, libc::SECCOMP_FILTER_FLAG_TSYNC);
            call(libc::SYS_seccomp, [u64::from(mode), flags, *page, 0, 0, 0])?
        }
        false => -i64::from(libc::EFAULT),
    };
    call(libc::SYS_munmap, [*page, ROOM, 0, 0, 0, 0])?;
    *page = 0;
    match done(installed)? {
        0 => Ok(()),
        // A thread has filters that the others do not have (seccomp(2), `SECCOMP_FILTER_FLAG_TSYNC`).
        _ => Err(Failure::Refused(Errno::ESRCH)),
    }
}

/// The whole filter as seccomp(2) takes it, for memory at this address:
/// `struct sock_fprog`, then the program.
fn image(at: u64) -> Vec<u8> {
    const HEAD: u64 = size_of::<libc::sock_fprog>() as u64;
    static PROGRAM: OnceLock<Vec<libc::sock_filter>> = OnceLock::new();
    let program = PROGRAM.get_or_init(|| filter::program(Stage::Full));
    let mut image = Vec::with_capacity(ROOM as usize);
    image.extend((program.len() as u64).to_ne_bytes());
    image.extend((at + HEAD).to_ne_bytes());
    for &libc::sock_filter { code, jt, jf, k } in program {
        image.extend(code.to_ne_bytes());
        image.extend([jt, jf]);
        image.extend(k.to_ne_bytes());
    }
    image
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_filter_has_room_and_the_layout_that_the_kernel_reads() {
        let image = image(0x7000);
        assert!(image.len() as u64 <= ROOM, "{}", image.len());
        let program = filter::program(Stage::Full);
        assert_eq!(image.len(), 16 + program.len() * size_of::<libc::sock_filter>());
        assert_eq!(image[..2], (program.len() as u16).to_ne_bytes());
        assert_eq!(image[8..16], 0x7010_u64.to_ne_bytes());
        let last = program.last().expect("it has some");
        assert_eq!(image[image.len() - 4..], last.k.to_ne_bytes());
        assert_eq!(image[image.len() - 8..image.len() - 6], last.code.to_ne_bytes());
    }
}
