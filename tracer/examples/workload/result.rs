//! Where a workload says what it came to.

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;
use std::time::{Duration, Instant};

/// Times of single operations, and how long all took.
pub(super) struct Clock {
    began: Instant,
    last: Instant,
    /// In nanoseconds.
    took: Vec<u32>,
}

impl Clock {
    /// For about so many operations: no memory is taken while they are timed.
    pub(super) fn start(operations: usize) -> Self {
        let took = Vec::with_capacity(operations);
        let now = Instant::now();
        Self { began: now, last: now, took }
    }

    /// An operation has ended, and the next begins.
    pub(super) fn lap(&mut self) {
        let now = Instant::now();
        self.took.push((now - self.last).as_nanos().min(u128::from(u32::MAX)) as u32);
        self.last = now;
    }

    /// Writes operations a second, and what the slowest of a hundred takes.
    pub(super) fn end(mut self) {
        let (count, all) = (self.took.len(), self.last - self.began);
        self.took.sort_unstable();
        let p99 = self.took.get(count * 99 / 100).map_or(0.0, |&time| f64::from(time) / 1e3);
        say(count, all, &format!(r#","p99_us":{p99:.2}"#));
    }
}

/// Writes how many operations took how long, and the processor's time of this process and its children that
/// have ended; `more` are further members of the object.
pub(super) fn say(operations: usize, all: Duration, more: &str) {
    let seconds = all.as_secs_f64();
    let rate = operations as f64 / seconds;
    let text = format!(
        r#"{{"operations":{operations},"seconds":{seconds:.6},"rate":{rate:.3},"cpu_s":{:.6}{more}}}"#,
        processor_time()
    );
    write(&text);
}

/// Seconds of this process and of its children that have ended.
fn processor_time() -> f64 {
    let of = |who| {
        let usage = getrusage(who).expect("times can be had");
        seconds(usage.user_time()) + seconds(usage.system_time())
    };
    of(UsageWho::RUSAGE_SELF) + of(UsageWho::RUSAGE_CHILDREN)
}

fn seconds(time: TimeVal) -> f64 {
    time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6
}

/// Writes a line of JSON.
pub(super) fn write(text: &str) {
    match std::env::var_os("WORKLOAD_RESULT") {
        Some(file) => std::fs::write(file, format!("{text}\n")).expect("the result's file can be written"),
        None => println!("{text}"),
    }
}
