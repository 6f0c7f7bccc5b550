//! What Python's threads are in, read from the interpreter's memory while it goes on or stands still.

use crate::event::ProcKey;
use crate::panics::quietly;
use crate::report::stack::MOST_FRAMES;
use crate::report::{Frame, Language};
use crate::source::proc;
use py_spy::config::LockingStrategy;
use py_spy::{Config, PythonSpy, StackTrace};

/// The most threads that are read.
const MOST_THREADS: usize = 8;

/// The frames of each thread, innermost first. None where the process has no interpreter that can be read.
pub(super) fn frames(process: ProcKey) -> Vec<(u32, Vec<Frame>)> {
    let Ok(pid) = i32::try_from(process.tgid) else { return Vec::new() };
    if proc::key(process.tgid).ok() != Some(process) {
        return Vec::new();
    }
    // It is never stopped for that, and never attached to.
    let config = Config { blocking: LockingStrategy::NonBlocking, ..Config::default() };
    let read = || PythonSpy::new(pid, &config).and_then(|mut spy| spy.get_stack_traces());
    // What it reads is another process' memory, which may hold anything: a failure of the reader, a panic
    // too, is only no answer. The stacks in machine code are told all the same.
    let traces = quietly(read).and_then(Result::ok).unwrap_or_default();
    let alone = traces.len() == 1;
    let thread = |trace: StackTrace| {
        // Up to 3.10 the interpreter does not say the number; of one thread there is no doubt.
        let tid = trace.os_thread_id.and_then(|tid| u32::try_from(tid).ok());
        let tid = tid.or(alone.then_some(process.tgid))?;
        Some((tid, trace.frames.into_iter().take(MOST_FRAMES).map(frame).collect()))
    };
    traces.into_iter().take(MOST_THREADS).filter_map(thread).collect()
}

fn frame(seen: py_spy::Frame) -> Frame {
    Frame {
        function: Some(seen.name),
        file: Some(seen.filename),
        line: u32::try_from(seen.line).ok().filter(|&line| line > 0),
        ..Frame::unknown(Language::Python)
    }
}
