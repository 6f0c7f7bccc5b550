//! A terminal for a process that a test starts: what it shows, what is typed, and every byte that came.

use crate::process::until;
use nix::fcntl::{OFlag, open};
use nix::pty::{Winsize, grantpt, posix_openpt, ptsname_r, unlockpt};
use nix::sys::signal::{SigHandler, Signal, kill, signal};
use nix::sys::stat::Mode;
use nix::unistd::{Pid, read, setsid, ttyname, write};
use std::fs;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What marks a terminal's processes, in their environment.
const MARK: &str = "FORKSCOPE_TEST_TERMINAL";

/// A terminal, and the process whose it is. Dropped, that is killed with all that it started.
pub(crate) struct Terminal {
    master: OwnedFd,
    slave: OwnedFd,
    seen: Arc<Mutex<Seen>>,
    child: Option<Child>,
    /// The entry in the environment of the process, and of all that it started.
    mark: String,
}

/// What came.
struct Seen {
    screen: vt100::Parser,
    bytes: Vec<u8>,
}

impl Terminal {
    /// A terminal of 100 columns and 30 rows that nobody has yet.
    pub(crate) fn new() -> Self {
        // As openpty(3), but no other test's processes get it.
        let flags = OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
        let master = posix_openpt(flags).expect("a terminal");
        grantpt(&master).and_then(|()| unlockpt(&master)).expect("it is ours");
        let path = ptsname_r(&master).expect("it has a name");
        let slave = open(path.as_str(), flags, Mode::empty()).expect("it is there");
        let master = OwnedFd::from(master);
        set_size(&master, 100, 30);
        let wide = 100.try_into().expect("not 0");
        let screen = vt100::Parser::new(30.try_into().expect("not 0"), wide, 0);
        let seen = Arc::new(Mutex::new(Seen { screen, bytes: Vec::new() }));
        let (from, to) = (master.try_clone().expect("a descriptor"), Arc::clone(&seen));
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(length @ 1..) = read(&from, &mut buffer) {
                let mut seen = to.lock().expect("nobody panicked");
                seen.screen.process(&buffer[..length]);
                seen.bytes.extend_from_slice(&buffer[..length]);
            }
        });
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let mark = format!("{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        Self { master, slave, seen, child: None, mark }
    }

    /// A process that has the terminal.
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut terminal = Self::new();
        let end = || terminal.slave.try_clone().expect("a descriptor");
        command.env("TERM", "xterm-256color").env("LANG", "C.UTF-8").env_remove("LC_ALL");
        command.env(MARK, &terminal.mark);
        command.stdin(end()).stdout(end()).stderr(end());
        // SAFETY: all calls are allowed between fork and exec (signal-safety(7)), and
        // no handler is installed.
        unsafe {
            command.pre_exec(|| {
                setsid()?;
                // Where the tests are a job of a script, they ignore these.
                signal(Signal::SIGINT, SigHandler::SigDfl)?;
                signal(Signal::SIGQUIT, SigHandler::SigDfl)?;
                match libc::ioctl(0, libc::TIOCSCTTY, 0) {
                    0 => Ok(()),
                    _ => Err(io::Error::last_os_error()),
                }
            })
        };
        terminal.child = Some(command.spawn().expect("it starts"));
        terminal
    }

    /// What names it.
    pub(crate) fn path(&self) -> PathBuf {
        ttyname(&self.slave).expect("a terminal has a name")
    }

    /// What it shows, line by line.
    pub(crate) fn text(&self) -> String {
        self.seen.lock().expect("nobody panicked").screen.screen().contents()
    }

    /// Waits until it shows this.
    pub(crate) fn shows(&self, text: &str) {
        until(&format!("the terminal shows {text:?}"), || self.text().contains(text));
    }

    /// Whether these bytes ever came.
    pub(crate) fn had(&self, bytes: &[u8]) -> bool {
        self.seen.lock().expect("nobody panicked").bytes.windows(bytes.len()).any(|part| part == bytes)
    }

    /// Types this.
    pub(crate) fn types(&self, text: &str) {
        let mut bytes = text.as_bytes();
        while !bytes.is_empty() {
            let written = write(&self.master, bytes).expect("it takes what is typed");
            bytes = &bytes[written..];
        }
    }

    /// Makes it as large.
    pub(crate) fn resize(&self, columns: u16, rows: u16) {
        let (wide, high) = (columns.try_into().expect("not 0"), rows.try_into().expect("not 0"));
        self.seen.lock().expect("nobody panicked").screen.set_size(high, wide);
        set_size(&self.master, columns, rows);
    }

    /// Sends the process a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        let pid = self.child.as_ref().expect("it was started").id();
        kill(Pid::from_raw(pid as i32), signal).expect("it lives");
    }

    /// Waits for the end of the process.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let mut child = self.child.take().expect("it was started");
        let mut status = None;
        until("the process ends", || {
            status = child.try_wait().expect("it is ours");
            status.is_some()
        });
        status.expect("it ended")
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("the terminal showed:\n{}", self.text());
        }
        // Programs go on when forkscope ends: here they are not to.
        let entry = format!("{MARK}={}", self.mark);
        while let left @ [_, ..] = &living_with(entry.as_bytes())[..] {
            for pid in left {
                // It may have ended meanwhile.
                let _ = kill(*pid, Signal::SIGKILL);
            }
            thread::sleep(Duration::from_millis(10));
        }
        let _ = self.child.as_mut().map(Child::wait);
    }
}

/// Processes with this entry in their environment. One that is killed has none any more.
fn living_with(entry: &[u8]) -> Vec<Pid> {
    let processes = fs::read_dir("/proc").expect("it is mounted").flatten();
    let pids = processes.filter_map(|process| process.file_name().to_str()?.parse().ok());
    let has = |pid: &i32| {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|one| one == entry)
    };
    pids.filter(has).map(Pid::from_raw).collect()
}

fn set_size(master: &OwnedFd, columns: u16, rows: u16) {
    let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: the call reads the structure, which lives through it.
    let set = unsafe { libc::ioctl(master.as_raw_fd(), libc::TIOCSWINSZ, &raw const size) };
    assert_eq!(set, 0, "{}", io::Error::last_os_error());
}
