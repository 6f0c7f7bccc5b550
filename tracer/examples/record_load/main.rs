//! What a recording costs: `record_load FILE [EVENTS [headers|all|none|off [PROCESSES CONNECTIONS]]]`
//! analyses and records so many events of a busy service, and prints the bytes of an event on the disk, the
//! time, and the memory on the way. `off` records nothing: what it prints is the analysis' own. By default 50
//! processes have 20 connections each.

mod header;
mod traffic;

use forkscope::analysis::Analysis;
use forkscope::recording::{End, Payload, Recorder, create};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;
use traffic::Traffic;

/// How many events there are between two looks at what is new, as in a session.
const TURN: u64 = 2000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let file = arguments
        .first()
        .ok_or("usage: record_load FILE [EVENTS [headers|all|none|off [PROCESSES CONNECTIONS]]]")?;
    let count = |at: usize, usual: usize| arguments.get(at).map_or(Ok(usual), |count| count.parse());
    let most = count(1, 10_000_000)? as u64;
    let what = arguments.get(2).map_or("headers", String::as_str);
    let payload = match what {
        "all" => Payload::All,
        "none" => Payload::None,
        _ => Payload::Headers,
    };
    let mut recorder = Recorder::begin(create(Path::new(file))?, &header::header(payload))?;
    let mut analysis = Analysis::new(0, BTreeMap::new());
    let mut traffic = Traffic::new(count(3, 50)?, count(4, 20)?);
    let (began, mut count, mut looked) = (Instant::now(), 0, 0);
    print!("peak memory in KiB, ten times on the way:");
    while count < most {
        let mut result = Ok(());
        traffic.step(&mut |event| {
            count += 1;
            analysis.apply(event);
            if what != "off" && result.is_ok() {
                result = recorder.event(event, analysis.model.kept());
            }
        });
        result?;
        if count % TURN < 8 {
            recorder.turn();
            analysis.take_fresh();
            analysis.take_wanted();
        }
        if count * 10 / most > looked {
            looked = count * 10 / most;
            print!(" {}", memory());
        }
    }
    recorder.end(&End::default())?;
    let (seconds, bytes) = (began.elapsed().as_secs_f64(), std::fs::metadata(file)?.len());
    println!("\n{count} events, {what}: {bytes} bytes, {:.1} an event", bytes as f64 / count as f64);
    println!("{seconds:.1} s, {:.0} events a second, analysis and all", count as f64 / seconds);
    Ok(())
}

/// The most memory that this process has had, in KiB (proc_pid_status(5)).
fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}
