//! The floor of tracing: `floor OBJECT empty|record COMMAND...` runs a command with programs on the hooks
//! of system calls that do nothing, or that write a record of 64 bytes for each call of the machine,
//! which is read and dropped.
//!
//! It prints how many records were written, and how many the ring had no room for.

use aya::Ebpf;
use aya::maps::{MapData, PerCpuArray, RingBuf};
use aya::programs::RawTracePoint;
use forkscope::source::ebpf::BEAT;
use std::process::{Command, ExitCode};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread::spawn;

type Anyhow<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Anyhow<ExitCode> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [object, what, command, arguments @ ..] = &words[..] else {
        return Err("usage: floor OBJECT empty|record COMMAND [ARGUMENT...]".into());
    };
    let mut floor = Ebpf::load_file(object)?;
    let at_exit = if what == "record" { "floor_record" } else { "floor_exit" };
    let hooks = [("floor_enter", "sys_enter"), (at_exit, "sys_exit")];
    for (name, _) in hooks {
        program(&mut floor, name)?.load()?;
    }
    for (name, hook) in hooks {
        program(&mut floor, name)?.attach(hook)?;
    }
    let mut records = RingBuf::try_from(floor.take_map("RECORDS").ok_or("no ring")?)?;
    let counts: PerCpuArray<MapData, [u64; 2]> =
        PerCpuArray::try_from(floor.take_map("COUNTS").ok_or("no counts")?)?;
    let mut child = Command::new(command).args(arguments).spawn()?;
    let (ended, end) = channel();
    spawn(move || ended.send(child.wait()));
    let status = loop {
        let status = end.recv_timeout(BEAT);
        while records.next().is_some() {}
        match status {
            Ok(status) => break status?,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Err("nobody waits for the command".into()),
        }
    };
    let of = |slot: usize| counts.get(&0, 0).map(|by_cpu| by_cpu.iter().map(|cpu| cpu[slot]).sum::<u64>());
    eprintln!("{} records written, {} lost", of(0)?, of(1)?);
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn program<'a>(floor: &'a mut Ebpf, name: &str) -> Anyhow<&'a mut RawTracePoint> {
    Ok(floor.program_mut(name).ok_or("no such program")?.try_into()?)
}
