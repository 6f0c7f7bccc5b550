//! `forkscope doctor`: what works here, and the cure for what does not.

use super::backend;
use super::launch::Waiting;
use super::outcome::{FAILED, Outcome};
use super::streams::Streams;
use anyhow::Result;
use forkscope::source::ebpf::btf::Btf;
use forkscope::source::ebpf::{EbpfSource, Settings, offsets};
use forkscope::source::{Known, Source as _, proc};
use std::fmt::Display;
use std::io::Write;

/// Capabilities that tracing through eBPF needs, with their numbers (include/uapi/linux/capability.h).
const CAPABILITIES: [(&str, u32); 4] =
    [("CAP_DAC_READ_SEARCH", 2), ("CAP_SYS_PTRACE", 19), ("CAP_PERFMON", 38), ("CAP_BPF", 39)];
/// `CAP_SYS_ADMIN` stands for the last two on kernels before 5.8, and is more than enough after.
const SYS_ADMIN: u32 = 21;

/// Looks at everything that tracing needs.
pub(super) fn doctor() -> Outcome {
    let mut out = anstream::stdout();
    let uname = nix::sys::utsname::uname()?;
    let mut well = true;
    let mut say = |what: &str, result: Result<String, String>| -> Result<()> {
        match result {
            Ok(text) => writeln!(out, "ok    {what}: {text}")?,
            Err(cure) => {
                well = false;
                writeln!(out, "FAIL  {what}: {cure}")?;
            }
        }
        Ok(())
    };
    say("kernel", Ok(format!("{} {}", uname.release().display(), uname.machine().display())))?;
    say("privileges", privileges())?;
    let btf = Btf::of_kernel();
    say("type information", btf.as_ref().map(|_| "present".to_owned()).map_err(ToString::to_string))?;
    if let Ok(btf) = &btf {
        let layout = offsets(btf).map(|_| "every struct that is read is known".to_owned());
        say("kernel layout", layout.map_err(|error| error.to_string()))?;
    }
    let source = EbpfSource::start(&Settings::default());
    if let Ok(source) = &source {
        let uring = if source.sees_uring() { "seen" } else { "not seen: that takes Linux 6.3 or newer" };
        say("io_uring transfers", Ok(uring.to_owned()))?;
        match plaintext() {
            Ok(text) => say("inside TLS (--tls-plaintext)", Ok(text))?,
            Err(cure) => writeln!(anstream::stdout(), "note  inside TLS (--tls-plaintext): {cure}")?,
        }
    }
    let by_ebpf = source.map(|_| "all programs load and attach".to_owned()).map_err(first_line);
    let by_ptrace = ptrace();
    let verdict = verdict(by_ebpf.is_ok(), by_ptrace.is_ok());
    say("tracing through eBPF", by_ebpf)?;
    say("tracing through ptrace", by_ptrace)?;
    writeln!(out, "\n{verdict}")?;
    Ok(if well { 0 } else { FAILED })
}

/// Whether probes can be put on libraries, and what that is good for. What else works does not depend on it.
fn plaintext() -> Result<String, String> {
    let tried = EbpfSource::start(&Settings { plaintext: true, ..Settings::default() });
    match tried.and_then(|mut source| source.try_library_probe()) {
        Ok(()) => Ok("read where programs have OpenSSL loaded as a shared library (libssl.so)".to_owned()),
        Err(_) if !proc::has_capability(SYS_ADMIN) => {
            Err("not read: that takes root, or CAP_SYS_ADMIN beside the other capabilities".to_owned())
        }
        Err(error) => Err(format!("not read: {}", first_line(error))),
    }
}

/// Which commands work here.
fn verdict(by_ebpf: bool, by_ptrace: bool) -> &'static str {
    match (by_ebpf, by_ptrace) {
        (true, _) => "Everything works here: run, attach, watch, inspect, replay.",
        (false, true) => "Here work run and attach (through ptrace), inspect and replay; not watch.",
        (false, false) => "Here work inspect and replay; not run, attach and watch.",
    }
}

/// Traces a process that does nothing.
fn ptrace() -> Result<String, String> {
    let try_it = || -> Result<()> {
        let mut source = backend::keeper(0, true, false, false)?;
        let waiting = Waiting::fork(&["true".into()], source.preparation(), &Streams::Inherited)?;
        let followed = proc::key(waiting.pid()).and_then(|key| source.follow(key, Known::default()));
        followed.map(|()| waiting.give_up()).map_err(Into::into)
    };
    try_it().map_err(first_line)?;
    /// Who may trace what it did not start (Documentation/admin-guide/LSM/Yama.rst of the kernel).
    const YAMA: &str = "/proc/sys/kernel/yama/ptrace_scope";
    let scope = std::fs::read_to_string(YAMA).unwrap_or_else(|_| "0".to_owned());
    Ok(match scope.trim() {
        "0" => "programs that forkscope starts, and processes of one's own".to_owned(),
        scope if nix::unistd::geteuid().is_root() => format!("all, as root ({YAMA} is {scope})"),
        scope => format!("programs that forkscope starts; attaching needs root ({YAMA} is {scope})"),
    })
}

fn first_line(error: impl Display) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
}

fn privileges() -> Result<String, String> {
    let missing: Vec<&str> = CAPABILITIES
        .iter()
        .filter(|&&(_, number)| {
            !proc::has_capability(number) && (number < 38 || !proc::has_capability(SYS_ADMIN))
        })
        .map(|&(name, _)| name)
        .collect();
    if missing.is_empty() {
        return Ok("sufficient".into());
    }
    let all: Vec<String> = CAPABILITIES.iter().map(|(name, _)| name.to_lowercase()).collect();
    Err(format!(
        "{} missing: run it as root (sudo), or give them once with `sudo setcap {}=ep $(command -v forkscope)`",
        missing.join(", "),
        all.join(",")
    ))
}
