//! After a storm of dup, close, reopen and fork, the report's holders are those of /proc.

use crate::env::{Env, example};
use crate::process::Process;
use crate::run::Session;
use crate::ways::{Backend, on_each_backend};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

/// A descriptor that holds a connection: process, number, the socket's inode.
type Holder = (u64, u64, u64);

/// Connections of this network namespace: `st` 0A is a listener, 07 is none (include/net/tcp_states.h).
fn connections() -> BTreeSet<u64> {
    let table = fs::read_to_string("/proc/net/tcp").expect("/proc/net/tcp");
    let inode = |line: &str| {
        let words: Vec<_> = line.split_whitespace().collect();
        if ["0A", "07"].contains(words.get(3)?) { None } else { words.get(9)?.parse().ok() }
    };
    table.lines().skip(1).filter_map(inode).collect()
}

fn in_proc(pids: &[u64]) -> BTreeSet<Holder> {
    let connections = connections();
    let mut holders = BTreeSet::new();
    for pid in pids {
        for entry in fs::read_dir(format!("/proc/{pid}/fd")).expect("the process waits").flatten() {
            let target = fs::read_link(entry.path()).unwrap_or_default();
            let target = target.to_string_lossy();
            let inode = target.strip_prefix("socket:[").and_then(|rest| rest.strip_suffix(']')?.parse().ok());
            let fd = entry.file_name().to_string_lossy().parse();
            if let (Some(inode), Ok(fd)) = (inode, fd)
                && connections.contains(&inode)
            {
                holders.insert((*pid, fd, inode));
            }
        }
    }
    holders
}

fn in_report(report: &Value, pids: &[u64]) -> BTreeSet<Holder> {
    let mut holders = BTreeSet::new();
    for connection in report["connections"].as_array().expect("connections") {
        let inode = connection["inode"].as_u64().expect("a connection has an inode");
        for holder in connection["holders"].as_array().expect("holders") {
            let (pid, fd) = (holder["pid"].as_u64().expect("pid"), holder["fd"].as_u64().expect("fd"));
            if holder["closed_at"].is_null() && pids.contains(&pid) {
                holders.insert((pid, fd, inode));
            }
        }
    }
    holders
}

fn the_model_equals_proc(on: Backend) {
    let Some(_) = Env::get() else { return };
    let mut program = Process::start(&mut Command::new(example("storm")));
    let session = Session::attach(on, program.pid());
    program.go_on();
    let ready: Value = serde_json::from_str(&program.stdout_says("ready")).expect("JSON");
    let pids: Vec<u64> = ready["pids"].as_array().expect("pids").iter().filter_map(Value::as_u64).collect();
    let truth = in_proc(&pids);
    assert!(truth.len() > 50, "a storm leaves connections: {truth:?}");
    let outcome = session.interrupt();
    program.close_stdin();
    assert!(program.wait().success());
    let model = in_report(&outcome.report, &pids);
    let missing: Vec<_> = truth.difference(&model).collect();
    let invented: Vec<_> = model.difference(&truth).collect();
    let stats = &outcome.report["stats"];
    assert!(
        missing.is_empty() && invented.is_empty(),
        "missing {missing:?}, invented {invented:?}, of {pids:?}; {stats}"
    );
}

on_each_backend! {
    the_model_equals_proc
}
