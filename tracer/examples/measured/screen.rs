//! forkscope with the live screen, over a command.

use super::{Fallible, OFTEN, highest_resident, peak_until_end, terminal};
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::thread::{self, sleep};
use std::time::Duration;

/// What the screen says once the command is traced.
const TRACING: &[u8] = b"tracing ";
/// Bytes that the sentences at the end fit in.
const SAID: usize = 2000;
/// Longer than any start takes.
const PATIENCE: Duration = Duration::from_secs(30);
/// Waits for its stdin, then becomes the command.
const HELD: &str = "read go; exec \"$@\"";

/// Runs the command and forkscope; returns forkscope's highest resident memory in kB.
pub(super) fn run(forkscope: &str, command: &[String]) -> Fallible<u64> {
    let mut held = Command::new("sh");
    let mut held = held.args(["-c", HELD, "sh"]).args(command).stdin(Stdio::piped()).spawn()?;
    let pid = held.id().to_string();
    let attach = [forkscope, "attach", "--backend", "ebpf", "--ui", "tui", &pid].map(str::to_owned);
    let (mut attach, terminal) = terminal::start(&attach)?;
    let (say, said) = channel();
    let screen = terminal.try_clone()?;
    let shown = thread::spawn(move || show(screen, &say));
    said.recv_timeout(PATIENCE).map_err(|_| "the live screen did not say that it traces")?;
    drop(held.stdin.take());
    // forkscope may end with the command, and then its memory is not to be had any more.
    let mut peak = 0;
    let status = loop {
        peak = highest_resident(attach.id()).map_or(peak, |now| now.max(peak));
        if let Some(status) = held.try_wait()? {
            break status;
        }
        sleep(OFTEN);
    };
    // Gone already where it ended with the command.
    let _ = File::from(terminal).write_all(b"q");
    let peak = peak.max(peak_until_end(&mut attach)?);
    // The end of it is what forkscope says when it has left the screen.
    let drawn = shown.join().map_err(|_| "the terminal could not be read")?;
    std::io::stderr().write_all(&drawn[drawn.len().saturating_sub(SAID)..])?;
    if status.success() { Ok(peak) } else { Err(format!("the command ended: {status}").into()) }
}

/// Takes what is drawn, as a terminal does, and tells once when the command is traced; returns the end of it.
fn show(screen: OwnedFd, say: &Sender<()>) -> Vec<u8> {
    let (mut screen, mut drawn, mut bytes) = (File::from(screen), Vec::new(), [0; 65536]);
    let mut told = false;
    while let Ok(count @ 1..) = screen.read(&mut bytes) {
        drawn.extend_from_slice(&bytes[..count]);
        if !told {
            told = drawn.windows(TRACING.len()).any(|window| window == TRACING) && say.send(()).is_ok();
        } else if drawn.len() > bytes.len() {
            drawn.drain(..drawn.len() - SAID);
        }
    }
    drawn
}
