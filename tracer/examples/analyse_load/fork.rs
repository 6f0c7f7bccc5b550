//! Time of a fork, by how many descriptors its process has: it should be flat.

use crate::made::Made;
use forkscope::analysis::Analysis;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Instant;

const DESCRIPTORS: [i32; 3] = [10, 1_000, 100_000];

/// How many forks each figure rests on.
const FORKS: u32 = 501;

pub(super) fn measure() -> Value {
    let sorts = [("files", Made::open as Open), ("connections", Made::connect)];
    sorts.into_iter().flat_map(|(of, open)| DESCRIPTORS.map(|count| row(of, open, count))).collect()
}

/// What opens a descriptor.
type Open = fn(Made, &mut Analysis, u64, i32);

/// Medians of a fork, of the parent's first change of its table after it, and of the next change.
fn row(of: &str, open: Open, descriptors: i32) -> Value {
    let mut analysis = Analysis::new(0, BTreeMap::new());
    let parent = Made { pid: 1000 };
    parent.appear(&mut analysis);
    for fd in 3..3 + descriptors {
        open(parent, &mut analysis, 2, fd);
    }
    let [mut forks, mut firsts, mut nexts] = [const { Vec::new() }; 3];
    for round in 0..FORKS {
        let (time, child) = (3 + u64::from(round), Made { pid: 2_000 + round });
        let fork = parent.forking(time, child.pid);
        let mut timed = |into: &mut Vec<u64>, what: &mut dyn FnMut(&mut Analysis)| {
            let began = Instant::now();
            what(&mut analysis);
            into.push(began.elapsed().as_nanos() as u64);
        };
        timed(&mut forks, &mut |analysis| parent.fork(analysis, &fork));
        timed(&mut firsts, &mut |analysis| parent.open(analysis, time, 3 + descriptors / 2));
        timed(&mut nexts, &mut |analysis| parent.open(analysis, time, 3 + descriptors / 2));
        child.exit(&mut analysis, time);
    }
    let [fork, first, next] = [forks, firsts, nexts].map(|mut all| {
        all.sort_unstable();
        all[all.len() / 2]
    });
    json!({
        "of": of, "descriptors": descriptors, "fork_ns": fork, "first_change_ns": first, "next_change_ns": next,
    })
}
