//! What the benchmarks trace: `workload NAME [ARGUMENT...]` does one thing for a while, and writes what it
//! came to, as a line of JSON, to the file that the variable `WORKLOAD_RESULT` names.
//!
//! A tracer is put in front of it, so that all of them start the same way; what is timed begins after that.

mod bystander;
mod command;
mod crowd;
mod failing;
mod fork_storm;
mod ping_pong;
mod result;
mod sockets;

use std::env::args;

const USAGE: &str = "usage: workload ping-pong tcp|socketpair ROUNDS | crowd PAIRS ROUNDS | flood PROCESSES CALLS | \
                     getppid CALLS | fork-storm SOCKETS FORKS | failing TIMES | hold READY GO | command PROGRAM [ARGUMENT...]";

fn main() {
    let words: Vec<String> = args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let number = |text: &str| text.parse().expect(USAGE);
    match words[..] {
        ["ping-pong", "tcp", rounds] => ping_pong::run(sockets::tcp(), number(rounds)),
        ["ping-pong", "socketpair", rounds] => ping_pong::run(sockets::pair(), number(rounds)),
        ["crowd", pairs, rounds] => crowd::run(number(pairs), number(rounds)),
        ["flood", processes, calls] => crowd::flood(number(processes), number(calls)),
        ["getppid", calls] => bystander::getppid(number(calls)),
        ["hold", ready, go] => bystander::hold(ready, go),
        ["fork-storm", sockets, forks] => fork_storm::run(number(sockets), number(forks)),
        ["failing", times] => failing::run(number(times)),
        ["command", program, ref arguments @ ..] => command::run(program, arguments),
        _ => panic!("{USAGE}"),
    }
}
