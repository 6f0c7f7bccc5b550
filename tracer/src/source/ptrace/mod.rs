//! Tracing through ptrace(2): without privilege, and where eBPF does not work.
//!
//! forkscope starts a process of its own, the keeper, which traces; the two speak over a socket, and
//! records come through a pipe.

mod error;
mod filter;
mod keeper;
mod link;
mod prepare;
mod request;
mod stage;
mod stop;
mod table;

pub use error::PtraceError;
pub use prepare::Preparation;

use super::{Account, Known, Source};
use crate::decode::Batch;
use crate::event::ProcKey;
use forkscope_proto::Kind;
use link::{Ask, Length, Reply, Say, hear, tell};
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::SigSet;
use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockType, socketpair};
use nix::unistd::{pipe2, read};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use zerocopy::FromBytes;

/// Bytes that the pipe may hold: as much as a user without privilege may ask for (`fs.pipe-max-size`).
const PIPE: i32 = 1 << 20;
/// How long a command may take: a thread that cannot be stopped must not stop forkscope.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long a process that is stopped at a call waits for a word.
const A_WORD: Duration = Duration::from_millis(200);
/// Bytes of records that may wait while a command is answered.
const MOST_WAITING: usize = 64 << 20;

/// The keeper, seen from forkscope.
pub struct PtraceSource {
    keeper: Child,
    commands: OwnedFd,
    records: OwnedFd,
    /// What the first process does before its exec.
    preparation: Option<Preparation>,
    /// Bytes that were read and not handed on.
    rest: RefCell<Vec<u8>>,
    /// The number of the last command.
    serial: Cell<u32>,
    heard: RefCell<Heard>,
}

/// What the keeper has said by itself.
#[derive(Debug, Default)]
struct Heard {
    lost: BTreeMap<&'static str, u64>,
    notes: Vec<String>,
    /// Processes that are stopped at a call and wait for a word, and since when.
    stopped: BTreeMap<u32, Instant>,
    gone: bool,
}

impl PtraceSource {
    /// Starts the keeper: `keeper` is a command that calls [`be_keeper`]. With `program`, the first process
    /// that is followed is one that forkscope starts, and that installs the filter.
    ///
    /// # Errors
    /// Where the system refuses what a process needs.
    pub fn start(program: bool, mut keeper: Command) -> Result<Self, PtraceError> {
        let flags = SockFlag::SOCK_CLOEXEC;
        let (here, there) =
            socketpair(AddressFamily::Unix, SockType::SeqPacket, None, flags).map_err(io::Error::from)?;
        let (records, to) = pipe2(OFlag::O_CLOEXEC).map_err(io::Error::from)?;
        // A smaller pipe does as well, only with more stops.
        let _ = fcntl(&to, FcntlArg::F_SETPIPE_SZ(PIPE));
        for end in [&records, &to] {
            fcntl(end, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).map_err(io::Error::from)?;
        }
        let keeper = keeper.stdin(there).stdout(to).stderr(Stdio::null()).spawn()?;
        let preparation = program.then(|| Preparation::new(keeper.id()));
        let (rest, serial, heard) = Default::default();
        Ok(Self { keeper, commands: here, records, preparation, rest, serial, heard })
    }

    /// Asks the keeper for something, and waits for its answer; `None`: it did not come in time.
    fn ask(&self, ask: Ask, tgid: u32) -> Result<Option<u64>, PtraceError> {
        let serial = self.serial.get().wrapping_add(1);
        self.serial.set(serial);
        tell(&self.commands, &link::Command { ask, tgid, serial }, MsgFlags::empty())
            .map_err(|_| PtraceError::Gone)?;
        let end = Instant::now() + PATIENCE;
        loop {
            match hear::<Reply>(&self.commands, MsgFlags::MSG_DONTWAIT) {
                Ok(Some(Reply { say: Say::Done, about, value })) if about == serial => {
                    return Ok(Some(value));
                }
                // An answer that comes late is nobody's any more.
                Ok(Some(reply)) => self.heard.borrow_mut().take(reply),
                Err(Errno::EAGAIN) if Instant::now() >= end => return Ok(None),
                Err(Errno::EAGAIN) => self.wait(end),
                Ok(None) | Err(_) => return Err(PtraceError::Gone),
            }
        }
    }

    /// Waits for the keeper to say something. Meanwhile its pipe is read, so that what it
    /// traces need not stand still.
    fn wait(&self, end: Instant) {
        let mut rest = self.rest.borrow_mut();
        let mut polled = vec![PollFd::new(self.commands.as_fd(), PollFlags::POLLIN)];
        if rest.len() < MOST_WAITING {
            polled.push(PollFd::new(self.records.as_fd(), PollFlags::POLLIN));
        }
        let left = end.saturating_duration_since(Instant::now());
        let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
        // An interrupt only makes it look again.
        let _ = poll(&mut polled, timeout);
        let may_read = polled.get(1).is_some_and(|polled| polled.any().unwrap_or(false));
        if may_read {
            let _ = self.read(&mut rest);
        }
    }

    /// Reads what the pipe has; false: there is nothing more for now.
    fn read(&self, rest: &mut Vec<u8>) -> bool {
        let mut bytes = [0; 1 << 16];
        match read(&self.records, &mut bytes) {
            Ok(0) => false,
            Ok(length) => {
                rest.extend_from_slice(&bytes[..length]);
                true
            }
            Err(errno) => errno == Errno::EINTR,
        }
    }

    /// Lets go on what is stopped and of which nobody has said a word: the call's record was lost.
    fn release_forgotten(&mut self) {
        let heard = self.heard.get_mut();
        let late = heard.stopped.iter().filter(|(_, since)| since.elapsed() > A_WORD);
        let late: Vec<u32> = late.map(|(&tgid, _)| tgid).collect();
        for tgid in late {
            self.heard.get_mut().stopped.remove(&tgid);
            let _ = self.ask(Ask::Release, tgid);
        }
    }

    fn listen(&self) {
        let mut heard = self.heard.borrow_mut();
        loop {
            match hear::<Reply>(&self.commands, MsgFlags::MSG_DONTWAIT) {
                Ok(Some(reply)) => heard.take(reply),
                Ok(None) if !heard.gone => {
                    heard.gone = true;
                    heard.notes.push(PtraceError::Gone.to_string());
                }
                Ok(None) | Err(_) => return,
            }
        }
    }
}

/// Hands on the whole records among these bytes; what is no whole one stays.
fn hand_on(rest: &mut Vec<u8>, batch: &mut Batch) {
    let mut at = 0;
    while let Ok((Length(length), bytes)) = Length::read_from_prefix(&rest[at..]) {
        let Some(record) = bytes.get(..length as usize).filter(|_| !batch.is_full()) else { break };
        match table::read(record) {
            Some((time, process, snapshot)) => batch.add_snapshot(time, process, snapshot),
            None => batch.push(record),
        }
        at += size_of::<Length>() + record.len();
    }
    rest.drain(..at);
}

impl Heard {
    fn take(&mut self, Reply { say, about, value }: Reply) {
        let note = match say {
            Say::Done | Say::Wake => return,
            Say::Stopped => {
                self.stopped.insert(about, Instant::now());
                return;
            }
            Say::Lost => {
                if let Some(kind) = Kind::from_number(about as u16) {
                    self.lost.insert(kind.name(), value);
                }
                return;
            }
            Say::NoFilter => format!(
                "the seccomp filter could not be installed ({}): each call of process {about} stops it, not only those of interest",
                Errno::from_raw(value as i32)
            ),
            Say::OwnFilter => format!(
                "process {about} installs a seccomp filter of its own: from here on each of its calls stops it, not only those of interest"
            ),
            Say::Hidden => format!(
                "process {about} does not let itself be looked at (prctl(2), PR_SET_DUMPABLE): what is behind its descriptors is not seen; run forkscope as root"
            ),
            Say::Compat => {
                format!("process {about} makes 32-bit calls: these are not traced")
            }
        };
        self.notes.push(note);
    }
}

impl Source for PtraceSource {
    fn wake(&self) -> BorrowedFd<'_> {
        self.commands.as_fd()
    }

    fn room(&self) -> usize {
        MOST_WAITING
    }

    fn preparation(&self) -> Option<&Preparation> {
        self.preparation.as_ref()
    }

    fn follow(&mut self, process: ProcKey, _: Known) -> io::Result<()> {
        let ask = if self.preparation.is_some() { Ask::FollowFiltered } else { Ask::Follow };
        let errno = self.ask(ask, process.tgid).map_err(io::Error::other)?;
        self.preparation = None;
        match errno {
            Some(0) => Ok(()),
            None => {
                let note = format!(
                    "some threads of process {} do not stop: calls that they are in are not seen",
                    process.tgid
                );
                self.heard.borrow_mut().notes.push(note);
                Ok(())
            }
            Some(errno) => {
                Err(io::Error::other(PtraceError::of(process.tgid, Errno::from_raw(errno as i32))))
            }
        }
    }

    fn leave(&mut self, tgid: u32) {
        // Where the keeper is gone, nothing is traced anyway.
        let _ = self.ask(Ask::Leave, tgid);
    }

    fn hold(&mut self, process: ProcKey) -> io::Result<()> {
        self.heard.borrow_mut().stopped.remove(&process.tgid);
        match self.ask(Ask::Hold, process.tgid).map_err(io::Error::other)? {
            Some(0) | None => Ok(()),
            Some(errno) => Err(Errno::from_raw(errno as i32).into()),
        }
    }

    fn release(&mut self, process: ProcKey) {
        self.heard.borrow_mut().stopped.remove(&process.tgid);
        // Where the keeper is gone, nobody is held.
        let _ = self.ask(Ask::Release, process.tgid);
    }

    fn forget(&mut self, process: ProcKey) {
        let _ = self.ask(Ask::Forget, process.tgid);
    }

    fn drain(&mut self, batch: &mut Batch) {
        self.listen();
        self.release_forgotten();
        let mut rest = self.rest.borrow_mut();
        hand_on(&mut rest, batch);
        while !batch.is_full() && self.read(&mut rest) {
            hand_on(&mut rest, batch);
        }
    }

    fn own(&self) -> Option<u32> {
        Some(self.keeper.id())
    }

    fn take_notes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.heard.borrow_mut().notes)
    }

    fn lost(&self) -> BTreeMap<&'static str, u64> {
        self.heard.borrow().lost.clone()
    }

    fn account(&self) -> Account {
        let own_cpu = self.ask(Ask::Account, 0).ok().flatten().map(|micros| micros as f64 / 1e6);
        Account { lost: self.lost(), own_cpu, ..Account::default() }
    }
}

impl Drop for PtraceSource {
    fn drop(&mut self) {
        let quit = link::Command { ask: Ask::Quit, tgid: 0, serial: 0 };
        let _ = tell(&self.commands, &quit, MsgFlags::MSG_DONTWAIT);
        // Reaped if it has ended; one that stays for filtered processes becomes init's.
        let _ = self.keeper.try_wait();
    }
}

/// Is the keeper: commands come on standard input, records go to standard output.
///
/// # Errors
/// Where the system refuses what it needs.
pub fn be_keeper(capture: u32, stops: bool, stacks: bool) -> io::Result<()> {
    // What a terminal, a shell or the program itself sends to the whole job is not for the keeper: those that
    // it traces would stand still, or lose their tracer. It is nobody's job, and hears no signal but its own.
    let _ = nix::unistd::setsid();
    SigSet::all().thread_set_mask()?;
    // It may outlive forkscope, and must keep nothing of its surroundings: no file, no folder.
    // SAFETY: nothing here has a descriptor from 3 on yet.
    unsafe { libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, 0) };
    std::env::set_current_dir("/")?;
    let commands = io::stdin().as_fd().try_clone_to_owned()?;
    let records = io::stdout().as_fd().try_clone_to_owned()?;
    // The copies are what is used: forkscope's death is noticed when the last
    // descriptor for an end is closed.
    keeper::keep(commands, records, keeper::Settings { capture, stops, stacks })
}
