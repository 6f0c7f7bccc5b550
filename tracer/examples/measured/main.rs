//! What a tracer costs, with all processes that it starts: `measured FILE COMMAND...` runs a
//! command and writes a line of JSON: processor time of all its processes, its own highest resident
//! memory, and how long it took.
//!
//! `measured FILE screen FORKSCOPE COMMAND...` runs a command and, over it, `forkscope attach --ui tui` on a
//! terminal of its own; the command begins when it is traced.

mod screen;
mod terminal;

use nix::sys::prctl::set_child_subreaper;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;
use nix::sys::wait::wait;
use std::error::Error;
use std::process::{Child, Command};
use std::thread::sleep;
use std::time::{Duration, Instant};
use std::{env, fs};

/// How often the memory is looked at.
const OFTEN: Duration = Duration::from_millis(10);
/// What takes longer stands still.
const LIMIT: Duration = Duration::from_secs(180);

type Fallible<T> = Result<T, Box<dyn Error>>;

fn main() -> Fallible<()> {
    let words: Vec<String> = env::args().skip(1).collect();
    // Processes whose parent ends first are this one's children then, so that their time is counted.
    set_child_subreaper(true)?;
    let began = Instant::now();
    let (file, peak) = match &words[..] {
        [file, screen, forkscope, command @ ..] if screen == "screen" => {
            (file, screen::run(forkscope, command)?)
        }
        [file, program, arguments @ ..] => (file, plain(program, arguments)?),
        _ => return Err("usage: measured FILE [screen FORKSCOPE] COMMAND [ARGUMENT...]".into()),
    };
    let took = began.elapsed().as_secs_f64();
    while wait().is_ok() {}
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let cpu = seconds(usage.user_time()) + seconds(usage.system_time());
    let text = format!(r#"{{"cpu_s":{cpu:.6},"peak_kb":{peak},"seconds":{took:.6}}}"#);
    Ok(fs::write(file, format!("{text}\n"))?)
}

fn seconds(time: TimeVal) -> f64 {
    time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6
}

/// Runs the command; returns its highest resident memory.
fn plain(program: &str, arguments: &[String]) -> Fallible<u64> {
    peak_until_end(&mut Command::new(program).args(arguments).spawn()?)
}

/// Waits for the process; returns its highest resident memory in kB, of itself alone.
fn peak_until_end(process: &mut Child) -> Fallible<u64> {
    let (mut peak, began) = (0, Instant::now());
    loop {
        peak = highest_resident(process.id()).unwrap_or(peak);
        if let Some(status) = process.try_wait()? {
            return if status.success() {
                Ok(peak)
            } else {
                Err(format!("the command ended: {status}").into())
            };
        }
        if began.elapsed() > LIMIT {
            process.kill()?;
            return Err(format!("the command did not end in {LIMIT:?}").into());
        }
        sleep(OFTEN);
    }
}

/// `VmHWM` (proc_pid_status(5)).
fn highest_resident(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}
