//! Which stacks a finding asks for, and what it keeps of what it is told.

use super::{ANSWER, C, Kernel, P, QUERY, failed, session};
use crate::analysis::Analysis;
use crate::event::{NamedStack, ProcKey, StackOf};
use crate::report::stack::MOST_STACKS;
use crate::report::{Finding, Frame, Language, Moment, Severity};
use forkscope_proto::calls;
use libc::ENOTSOCK;
use std::collections::BTreeMap;

/// A kernel whose analyser wants stacks.
fn kernel() -> Kernel {
    let mut kernel = Kernel::new();
    let analysis = std::mem::replace(&mut kernel.analysis, Analysis::new(0, BTreeMap::new()));
    kernel.analysis = analysis.wanting_stacks(true);
    kernel
}

/// The finding that is no information.
fn found(kernel: &Kernel) -> &Finding {
    let mut told = kernel.analysis.findings().iter().filter(|finding| finding.severity > Severity::Info);
    told.next().expect("something was found")
}

fn key(pid: u32) -> ProcKey {
    ProcKey { tgid: pid, start: u64::from(pid) }
}

fn stale(kernel: &mut Kernel) -> i32 {
    let fd = kernel.connect(P, 1);
    kernel.fork(P, C, 0);
    kernel.close(C, fd);
    kernel.open(C, "/dev/null");
    kernel.transfer(C, calls::SENDMSG, fd, b"", failed(ENOTSOCK));
    fd
}

fn named(time: u64, at: Moment, language: Language, function: &str) -> NamedStack {
    let frame = Frame { function: Some(function.to_owned()), ..Frame::unknown(language) };
    NamedStack { time, pid: C, tid: C, at, frames: vec![frame] }
}

#[test]
fn a_failing_call_asks_for_itself_the_fork_and_the_connect() {
    let mut kernel = kernel();
    let fd = stale(&mut kernel);
    let id = found(&kernel).id;
    let wanted = kernel.analysis.take_wanted().stacks;
    assert!(wanted.iter().all(|&(finding, _)| finding == id), "{wanted:?}");
    let [(_, connect), (_, fork), (_, call)] = wanted[..] else { panic!("{wanted:?}") };
    assert!(matches!(connect, StackOf::Connect { process, fd: on, .. } if (process, on) == (key(P), fd)));
    assert_eq!(fork, StackOf::Fork { child: key(C) });
    assert!(matches!(call, StackOf::Failed { process, nr: calls::SENDMSG, .. } if process == key(C)));
    // Once more is the same cause, and nothing new.
    kernel.transfer(C, calls::SENDMSG, fd, b"", failed(ENOTSOCK));
    assert_eq!(kernel.analysis.take_wanted().stacks, []);
}

#[test]
fn nobody_is_asked_who_was_not_to_be_or_for_information() {
    let mut quiet = Kernel::new();
    stale(&mut quiet);
    assert_eq!(quiet.analysis.take_wanted().stacks, []);
    let mut kernel = kernel();
    kernel.connect(P, 1);
    kernel.fork(P, C, 0);
    assert!(!kernel.analysis.findings().is_empty(), "a connection was inherited");
    assert_eq!(kernel.analysis.take_wanted().stacks, []);
}

#[test]
fn what_was_told_stays_when_a_finding_gets_another_name() {
    let mut kernel = kernel();
    let fd = session(&mut kernel);
    kernel.fork(P, C, 0);
    for who in [C, P] {
        kernel.send(who, fd, QUERY);
        kernel.receive(who, fd, ANSWER);
    }
    let id = found(&kernel).id;
    kernel.analysis.tell_stacks(id, vec![named(5, Moment::Fork, Language::Native, "fork")]);
    kernel.send(P, fd, QUERY);
    kernel.receive(C, fd, ANSWER);
    assert_eq!(found(&kernel).rule.name(), "stolen-reply");
    assert_eq!(found(&kernel).stacks.len(), 1);
}

#[test]
fn stacks_are_in_order_of_time_each_once_and_not_too_many() {
    let mut kernel = kernel();
    stale(&mut kernel);
    let id = found(&kernel).id;
    let later = named(2_000_000_000, Moment::Stalled, Language::Native, "waits");
    let python = named(2_000_000_000, Moment::Stalled, Language::Python, "main");
    let first = named(1_500_000_000, Moment::Fork, Language::Native, "forks");
    kernel.analysis.tell_stacks(id, vec![later.clone(), python]);
    kernel.analysis.tell_stacks(id, vec![first, NamedStack { time: 3_000_000_000, ..later }]);
    let told: Vec<(f64, Moment)> = found(&kernel).stacks.iter().map(|one| (one.time, one.at)).collect();
    assert_eq!(told, [(1.5, Moment::Fork), (2.0, Moment::Stalled), (3.0, Moment::Stalled)]);
    for tid in 1..100 {
        let more = NamedStack { tid, ..named(1, Moment::Stopped, Language::Native, "more") };
        kernel.analysis.tell_stacks(id, vec![more]);
    }
    assert_eq!(found(&kernel).stacks.len(), MOST_STACKS);
    // A recording may say anything.
    for nobody in [0, 77, u32::MAX] {
        kernel.analysis.tell_stacks(nobody, vec![named(1, Moment::Fork, Language::Native, "nobody")]);
    }
}
