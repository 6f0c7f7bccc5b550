//! Other tracers: how they are told to print the same calls, and what they say of what they saw and lost.

use super::tools::Tools;
use anyhow::Result;
use std::fmt::Write;
use std::fs;

/// The calls on descriptors that programs with connections make, by the kernel's names.
/// strace has a class of its own.
const CALLS: [&str; 28] = [
    "socket",
    "socketpair",
    "connect",
    "accept",
    "accept4",
    "shutdown",
    "sendto",
    "recvfrom",
    "sendmsg",
    "recvmsg",
    "sendmmsg",
    "recvmmsg",
    "setsockopt",
    "getsockopt",
    "read",
    "write",
    "readv",
    "writev",
    "close",
    "dup",
    "dup2",
    "dup3",
    "fcntl",
    "epoll_ctl",
    "epoll_wait",
    "epoll_pwait",
    "poll",
    "ppoll",
];

/// What a tracer's output comes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) seen: u64,
    pub(super) lost: u64,
}

pub(super) fn strace(tools: &Tools, seccomp: bool) -> Vec<String> {
    let mut words: Vec<String> =
        ["strace", "-f", "-e", "trace=network,desc", "-o", &tools.output()].map(str::to_owned).into();
    words.extend(seccomp.then(|| "--seccomp-bpf".to_owned()));
    words
}

pub(super) fn perf(tools: &Tools) -> Vec<String> {
    ["perf", "trace", "-e", &CALLS.join(","), "-o", &tools.output(), "--"].map(str::to_owned).into()
}

pub(super) fn bpftrace(tools: &Tools, traced: &[String]) -> Vec<String> {
    ["bpftrace", "-o", &tools.output(), "-c", &traced.join(" "), &tools.script()].map(str::to_owned).into()
}

/// Prints each of the calls of a process and its descendants, when it is over.
pub(super) fn bpftrace_script() -> String {
    let mut script = String::from(
        "BEGIN { @tree[cpid] = 1; }\n\
         tracepoint:sched:sched_process_fork /@tree[pid]/ { @tree[args->child_pid] = 1; }\n",
    );
    for (at, call) in CALLS.iter().enumerate() {
        let comma = if at + 1 < CALLS.len() { "," } else { "" };
        // Writing to a String cannot fail.
        let _ = writeln!(script, "tracepoint:syscalls:sys_exit_{call}{comma}");
    }
    script.push_str("/@tree[pid]/ { printf(\"%d %d %s = %d\\n\", pid, tid, probe, args->ret); }\n");
    script.push_str("END { clear(@tree); }\n");
    script
}

/// What the tracer wrote to its file, and to stderr.
pub(super) fn account(tools: &Tools) -> Result<Account> {
    let [output, said] = [tools.output(), tools.said()].map(|path| fs::read(path).unwrap_or_default());
    let mut account = of_text(&String::from_utf8_lossy(&output));
    account.lost += of_text(&String::from_utf8_lossy(&said)).lost;
    Ok(account)
}

/// A line is a call, but for the second half of one that others interrupted, and for
/// signals, ends and losses.
fn of_text(text: &str) -> Account {
    let mut account = Account::default();
    for line in text.lines() {
        if let Some(lost) = lost(line) {
            account.lost += lost;
        } else if !line.is_empty()
            && ![" resumed>", "+++ ", "--- ", "... [continued]"].iter().any(|mark| line.contains(mark))
        {
            account.seen += 1;
        }
    }
    account
}

/// `Lost 12 events` of bpftrace, `LOST 12 events!` of perf.
fn lost(line: &str) -> Option<u64> {
    let line = line.to_ascii_lowercase();
    let (_, after) = line.split_once("lost ")?;
    let (count, rest) = after.split_once(' ')?;
    rest.starts_with("event").then(|| count.parse().ok()).flatten()
}

/// `12 records written, 3 lost`, as the floor says at its end.
pub(super) fn floor_account(said: &str) -> Option<Account> {
    let line = said.lines().find(|line| line.contains("records written"))?;
    let mut numbers = line.split(|c: char| !c.is_ascii_digit()).filter_map(|word| word.parse().ok());
    Some(Account { seen: numbers.next()?, lost: numbers.next()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strace_prints_a_call_in_one_line_or_two() {
        let text = "7 close(3) = 0\n7 read(3,  <unfinished ...>\n8 close(4) = 0\n7 <... read resumed>\"x\", 1) = 1\n\
                    8 +++ exited with 0 +++\n7 --- SIGCHLD {si_signo=SIGCHLD} ---\n";
        assert_eq!(of_text(text), Account { seen: 3, lost: 0 });
    }

    #[test]
    fn losses_are_no_calls() {
        assert_eq!(of_text("1 1 read = 2\nLost 12 events\n"), Account { seen: 1, lost: 12 });
        assert_eq!(of_text("LOST 3 events!\n\n"), Account { seen: 0, lost: 3 });
        assert_eq!(of_text("lost souls\n"), Account { seen: 1, lost: 0 });
    }

    #[test]
    fn the_floor_counts_itself() {
        let said = "Hello\n12 records written, 3 lost\n";
        assert_eq!(floor_account(said), Some(Account { seen: 12, lost: 3 }));
        assert_eq!(floor_account(""), None);
    }

    #[test]
    fn the_script_has_one_list_of_probes() {
        let script = bpftrace_script();
        assert!(
            script.contains("sys_exit_poll,\ntracepoint:syscalls:sys_exit_ppoll\n/@tree[pid]/"),
            "{script}"
        );
    }
}
