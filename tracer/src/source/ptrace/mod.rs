//! Tracing through ptrace(2): without privilege, and where eBPF does not work.
//!
//! forkscope starts a process of its own, the keeper, which traces; the two speak over a socket, and records come
//! through a pipe.

mod error;
mod filter;
mod keeper;
mod link;
mod prepare;
mod request;
mod stop;

pub use error::PtraceError;
pub use prepare::Preparation;

use super::{Account, Source};
use crate::decode::Batch;
use crate::event::ProcKey;
use forkscope_proto::Kind;
use link::{Ask, Length, Reply, Say, hear, tell};
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::signal::{SigHandler, Signal, signal};
use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockType, setsockopt, socketpair, sockopt};
use nix::sys::time::{TimeVal, TimeValLike};
use nix::unistd::{pipe2, read};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::process::{Child, Command, Stdio};
use zerocopy::FromBytes;

/// Bytes that the pipe may hold: as much as a user without privilege may ask for (`fs.pipe-max-size`).
const PIPE: i32 = 1 << 20;
/// How long a command may take, in seconds: a thread that cannot be stopped must not stop forkscope.
const PATIENCE: i64 = 5;

/// The keeper, seen from forkscope.
pub struct PtraceSource {
    keeper: Child,
    commands: OwnedFd,
    records: OwnedFd,
    /// What the first process does before its exec.
    preparation: Option<Preparation>,
    /// Bytes that are no whole record yet.
    rest: Vec<u8>,
    heard: RefCell<Heard>,
}

/// What the keeper has said by itself.
#[derive(Debug, Default)]
struct Heard {
    lost: BTreeMap<&'static str, u64>,
    notes: Vec<String>,
    gone: bool,
}

impl PtraceSource {
    /// Starts the keeper: `keeper` is a command that calls [`be_keeper`]. With `program`, the first process that is
    /// followed is one that forkscope starts, and that installs the filter.
    ///
    /// # Errors
    /// Where the system refuses what a process needs.
    pub fn start(program: bool, mut keeper: Command) -> Result<Self, PtraceError> {
        let flags = SockFlag::SOCK_CLOEXEC;
        let (here, there) =
            socketpair(AddressFamily::Unix, SockType::SeqPacket, None, flags).map_err(io::Error::from)?;
        let limit = TimeVal::seconds(PATIENCE);
        setsockopt(&here, sockopt::ReceiveTimeout, &limit).map_err(io::Error::from)?;
        let (records, to) = pipe2(OFlag::O_CLOEXEC).map_err(io::Error::from)?;
        // A smaller pipe does as well, only with more stops.
        let _ = fcntl(&to, FcntlArg::F_SETPIPE_SZ(PIPE));
        for end in [&records, &to] {
            fcntl(end, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).map_err(io::Error::from)?;
        }
        let keeper = keeper.stdin(there).stdout(to).stderr(Stdio::null()).spawn()?;
        let preparation = program.then(|| Preparation::new(keeper.id()));
        Ok(Self { keeper, commands: here, records, preparation, rest: Vec::new(), heard: RefCell::default() })
    }

    /// Asks the keeper for something, and waits for its answer.
    fn ask(&self, ask: Ask, tgid: u32) -> Result<u64, PtraceError> {
        tell(&self.commands, &link::Command { ask, tgid }, MsgFlags::empty())
            .map_err(|_| PtraceError::Gone)?;
        loop {
            match hear::<Reply>(&self.commands, MsgFlags::empty()) {
                Ok(Some(Reply { say: Say::Done, about, value })) if about == tgid => return Ok(value),
                // An answer that comes late is nobody's any more.
                Ok(Some(reply)) => self.heard.borrow_mut().take(reply),
                // It may still come: what it is about is traced, if it can be.
                Err(Errno::EAGAIN) => return Ok(0),
                Ok(None) | Err(_) => return Err(PtraceError::Gone),
            }
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

    /// Hands on the whole records that have come.
    fn hand_on(&mut self, batch: &mut Batch) {
        let mut at = 0;
        while let Ok((Length(length), rest)) = Length::read_from_prefix(&self.rest[at..]) {
            let Some(record) = rest.get(..length as usize) else { break };
            batch.push(record);
            at += size_of::<Length>() + record.len();
        }
        self.rest.drain(..at);
    }
}

impl Heard {
    fn take(&mut self, Reply { say, about, value }: Reply) {
        let note = match say {
            Say::Done | Say::Wake => return,
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
            Say::Compat => {
                format!("process {about} makes 32-bit calls: these are not traced")
            }
        };
        self.notes.push(note);
    }
}

impl Source for PtraceSource {
    fn name(&self) -> &'static str {
        "ptrace"
    }

    fn wake(&self) -> BorrowedFd<'_> {
        self.commands.as_fd()
    }

    fn preparation(&self) -> Option<&Preparation> {
        self.preparation.as_ref()
    }

    fn follow(&mut self, process: ProcKey, _threads: u32, _uring: bool) -> io::Result<()> {
        let ask = if self.preparation.is_some() { Ask::FollowFiltered } else { Ask::Follow };
        let errno = self.ask(ask, process.tgid).map_err(io::Error::other)?;
        self.preparation = None;
        match errno {
            0 => Ok(()),
            errno => Err(io::Error::other(PtraceError::of(process.tgid, Errno::from_raw(errno as i32)))),
        }
    }

    fn leave(&mut self, tgid: u32) {
        // Where the keeper is gone, nothing is traced anyway.
        let _ = self.ask(Ask::Leave, tgid);
    }

    fn drain(&mut self, batch: &mut Batch) {
        self.listen();
        let mut bytes = [0; 1 << 16];
        while !batch.is_full() {
            match read(&self.records, &mut bytes) {
                Ok(0) | Err(Errno::EAGAIN) => return,
                Err(Errno::EINTR) => {}
                Err(_) => return,
                Ok(length) => {
                    self.rest.extend_from_slice(&bytes[..length]);
                    self.hand_on(batch);
                }
            }
        }
    }

    fn take_notes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.heard.borrow_mut().notes)
    }

    fn lost(&self) -> BTreeMap<&'static str, u64> {
        self.heard.borrow().lost.clone()
    }

    fn account(&self) -> Account {
        let own_cpu = self.ask(Ask::Account, 0).ok().map(|micros| micros as f64 / 1e6);
        Account { lost: self.lost(), own_cpu, ..Account::default() }
    }
}

impl Drop for PtraceSource {
    fn drop(&mut self) {
        let _ = tell(&self.commands, &link::Command { ask: Ask::Quit, tgid: 0 }, MsgFlags::MSG_DONTWAIT);
        // Reaped if it has ended; one that stays for filtered processes becomes init's.
        let _ = self.keeper.try_wait();
    }
}

/// Is the keeper: commands come on standard input, records go to standard output.
///
/// # Errors
/// Where the system refuses what it needs.
pub fn be_keeper(capture: u32) -> io::Result<()> {
    // What a terminal or a shell sends to the whole job is not for the keeper: its processes would stand still.
    for ignored in [
        Signal::SIGHUP,
        Signal::SIGINT,
        Signal::SIGQUIT,
        Signal::SIGTERM,
        Signal::SIGTSTP,
        Signal::SIGTTIN,
        Signal::SIGTTOU,
        Signal::SIGPIPE,
    ] {
        // SAFETY: no handler runs.
        unsafe { signal(ignored, SigHandler::SigIgn) }?;
    }
    let commands = io::stdin().as_fd().try_clone_to_owned()?;
    let records = io::stdout().as_fd().try_clone_to_owned()?;
    // The copies are what is used: forkscope's death is noticed when the last descriptor for an end is closed.
    keeper::keep(commands, records, capture)
}
