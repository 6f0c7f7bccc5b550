//! Starting a program so that not one of its calls is missed: it waits before its exec until it is traced.

use super::console::system;
use super::streams::Streams;
use anyhow::{Context, Result, anyhow};
use forkscope::files::in_path;
use forkscope::source::ptrace::Preparation;
use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::signal::{SigHandler, SigSet, SigmaskHow, Signal, signal, sigprocmask};
use nix::unistd::{ForkResult, Pid, fork, pipe2, read, write};
use std::ffi::{CStr, CString, OsStr, OsString, c_char};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::ptr;

/// A program that waits to be released.
pub(super) struct Waiting {
    pid: Pid,
    release: OwnedFd,
    /// Brings a byte when it waits, which says whether it lacks control of its terminal, and then the errno
    /// of a failed exec, or its end.
    failure: OwnedFd,
    name: String,
    /// Its terminal controls another session, and not the program's.
    pub(super) lacks_control: bool,
}

impl Waiting {
    /// Forks a process for the command; it waits. `preparation` is what it does before its exec, where the
    /// backend needs something.
    pub(super) fn fork(
        command: &[OsString],
        preparation: Option<&Preparation>,
        streams: &Streams,
    ) -> Result<Self> {
        let words: Vec<CString> = command
            .iter()
            .map(|word| CString::new(word.clone().into_vec()))
            .collect::<Result<_, _>>()
            .context("a word of the command has a NUL byte in it, which no program can be given")?;
        let program = words.first().ok_or_else(|| anyhow!("there is no command to run"))?;
        let candidates = candidates(program);
        let (arguments, environment) = (pointers(&words), streams.environment().map(pointers));
        let image =
            Image { candidates: &candidates, arguments: &arguments, environment: environment.as_deref() };
        // Who started forkscope may have had it ignore the end of children, whose statuses would then be lost
        // (wait(2)).
        // SAFETY: no handler runs.
        let inherited = unsafe { signal(Signal::SIGCHLD, SigHandler::SigDfl) }?;
        let (released, release) = pipe2(OFlag::O_CLOEXEC)?;
        let (failure, failed) = pipe2(OFlag::O_CLOEXEC)?;
        // SAFETY: the live screen's keys have a thread, which may be anywhere: what the child calls
        // (`become_program`) asks for no memory and no lock (signal-safety(7)).
        match unsafe { fork() }.context("cannot fork")? {
            ForkResult::Child => {
                drop(release);
                // SAFETY: as above.
                let _ = unsafe { signal(Signal::SIGCHLD, inherited) };
                become_program(&image, preparation, streams, &released, &failed)
            }
            ForkResult::Parent { child } => {
                drop(failed);
                // It is prepared, or gone: then nothing can be read, and what follows says so.
                let mut lacks_control = [0];
                read(&failure, &mut lacks_control)?;
                let name =
                    command.first().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
                Ok(Self { pid: child, release, failure, name, lacks_control: lacks_control == [1] })
            }
        }
    }

    /// Its number; it stays the same through the exec.
    pub(super) fn pid(&self) -> u32 {
        self.pid.as_raw() as u32
    }

    /// Ends it without the command.
    pub(super) fn give_up(self) {
        drop(self.release);
        let _ = nix::sys::wait::waitpid(self.pid, None);
    }

    /// Lets it execute the command.
    ///
    /// # Errors
    /// Where the command cannot be executed.
    pub(super) fn release(self) -> Result<Pid> {
        write(&self.release, &[1]).context("the program is gone before it began")?;
        let mut errno = [0; 4];
        if read(&self.failure, &mut errno)? == errno.len() {
            let _ = nix::sys::wait::waitpid(self.pid, None);
            let error = io::Error::from_raw_os_error(i32::from_ne_bytes(errno));
            let cure = cure(&self.name, &error);
            return Err(anyhow!("cannot run `{}`: {}; {cure}", self.name, system(&error)));
        }
        Ok(self.pid)
    }
}

/// What to do about a program that could not be executed.
fn cure(name: &str, error: &io::Error) -> &'static str {
    let is_folder = std::fs::metadata(name).is_ok_and(|data| data.is_dir());
    match error.raw_os_error() {
        _ if is_folder => "it is a directory: name a program",
        Some(libc::EACCES) if name.contains('/') => {
            "make it executable (chmod +x), or name its interpreter before it"
        }
        Some(libc::ENOEXEC) => "it is no program: name its interpreter before it, for example `sh`",
        _ => "check its name and PATH",
    }
}

/// Where a program may be: as execvp(3) looks for it, but a file that is no program is not given to a shell.
fn candidates(program: &CString) -> Vec<CString> {
    let name = program.to_bytes();
    if name.contains(&b'/') {
        return vec![program.clone()];
    }
    let path = std::env::var_os("PATH").unwrap_or_else(|| "/bin:/usr/bin".into());
    let paths = in_path(OsStr::from_bytes(name), &path).map(|path| path.into_os_string().into_vec());
    paths.filter_map(|path| CString::new(path).ok()).collect()
}

/// What a process is to become, as the kernel takes it.
struct Image<'a> {
    candidates: &'a [CString],
    arguments: &'a [*const c_char],
    /// None: this process' own.
    environment: Option<&'a [*const c_char]>,
}

/// What execve(2) takes: pointers to the words, and a null behind them.
fn pointers(words: &[CString]) -> Vec<*const c_char> {
    words.iter().map(|word| word.as_ptr()).chain([ptr::null()]).collect()
}

impl Image<'_> {
    /// Executes it. Comes back with the reason where it cannot.
    fn execute(&self, candidate: &CStr) -> Errno {
        let (path, arguments) = (candidate.as_ptr(), self.arguments.as_ptr());
        // SAFETY: all words live as long as `self`, and a null ends each list (`pointers`).
        unsafe {
            match self.environment {
                Some(environment) => libc::execve(path, arguments, environment.as_ptr()),
                None => libc::execv(path, arguments),
            };
        }
        Errno::last()
    }
}

/// In the child: waits, and becomes the program with the signals as a shell gives them.
fn become_program(
    image: &Image<'_>,
    preparation: Option<&Preparation>,
    streams: &Streams,
    released: &OwnedFd,
    failed: &OwnedFd,
) -> ! {
    // Rust ignores SIGPIPE, and an ignored signal stays ignored through exec.
    // SAFETY: no handler of this process is replaced that anyone relies on.
    let _ = unsafe { signal(Signal::SIGPIPE, SigHandler::SigDfl) };
    let _ = sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::empty()), None);
    let controls = streams.take();
    preparation.inspect(|preparation| preparation.allow());
    let _ = write(failed, &[u8::from(!controls)]);
    let mut byte = [0];
    if read(released, &mut byte) == Ok(1) {
        preparation.inspect(|preparation| preparation.install());
        let mut failure = Errno::ENOENT;
        for candidate in image.candidates {
            let errno = image.execute(candidate);
            // One that may not be executed is a better explanation than one that is not there.
            if !matches!(errno, Errno::ENOENT | Errno::ENOTDIR) {
                failure = errno;
            }
            if !matches!(errno, Errno::ENOENT | Errno::ENOTDIR | Errno::EACCES) {
                break;
            }
        }
        let _ = write(failed, &(failure as i32).to_ne_bytes());
    }
    // SAFETY: ends at once, without running anything that belongs to the parent.
    unsafe { libc::_exit(127) }
}
