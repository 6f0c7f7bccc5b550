//! Calls that no tracer looks at, and a process that is there to be traced.

use super::result;
use std::fs::File;
use std::hint::black_box;
use std::io::Read;
use std::os::unix::process::parent_id;
use std::time::Instant;

/// Calls `getppid` so many times.
pub(super) fn getppid(calls: usize) {
    let began = Instant::now();
    for _ in 0..calls {
        black_box(parent_id());
    }
    result::say(calls, began.elapsed(), "");
}

/// Makes the file `ready` with its number in it, and ends when whoever opens the FIFO
/// `go` for writing closes it.
pub(super) fn hold(ready: &str, go: &str) {
    // Complete when it is there: whoever waits for it reads the number at once.
    let half = format!("{ready}.half");
    std::fs::write(&half, std::process::id().to_string()).expect("a file can be written");
    std::fs::rename(&half, ready).expect("a file can be renamed");
    let mut rest = Vec::new();
    File::open(go).and_then(|mut fifo| fifo.read_to_end(&mut rest)).expect("the FIFO can be read");
}
