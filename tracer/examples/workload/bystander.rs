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

/// Makes the file `ready`, and ends when whoever opens the FIFO `go` for writing closes it.
pub(super) fn hold(ready: &str, go: &str) {
    File::create(ready).expect("a file can be made");
    let mut rest = Vec::new();
    File::open(go).and_then(|mut fifo| fifo.read_to_end(&mut rest)).expect("the FIFO can be read");
}
