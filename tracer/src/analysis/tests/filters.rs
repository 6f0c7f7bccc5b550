//! What filters see of events and findings.

use super::{ANSWER, C, P, QUERY, failed, session};
use crate::analysis::kernel::Kernel;
use crate::event::{Event, ProcKey, What};
use crate::filter::Filter;
use crate::report::Severity;
use forkscope_proto::{
    Call, Exec, Exit, FileRef, Fork, Header, Io, Passed, PassedFd, Socket, UringIo, calls,
};
use libc::{EAGAIN, ENOTSOCK};

/// Whether these terms hold for what a process did, and whether those others do not.
#[track_caller]
fn check(kernel: &Kernel, pid: u32, what: What<'_>, passing: &[&str], others: &[&str]) {
    let process = ProcKey { tgid: pid, start: pid.into() };
    let event = Event { time: 0, process, tid: pid, what };
    for (terms, expected) in [(passing, true), (others, false)] {
        for term in terms {
            let filter = Filter::parse(term).unwrap_or_else(|error| panic!("{term}: {error}"));
            let subject = kernel.analysis.event_subject(&event, "the line");
            assert_eq!(filter.matches(&subject), expected, "{term} {subject:?}");
        }
    }
}

fn call(nr: u16, ret: i64, fds: [i32; 2], files: [FileRef; 3]) -> Call {
    let header = Header { nr, ..Header::default() };
    let [file, other, replaced] = files;
    Call { header, ret, fd: fds[0], other_fd: fds[1], file, other, replaced, ..Call::default() }
}

#[test]
fn calls_are_on_connections_which_speak_something() {
    let mut kernel = Kernel::new();
    let fd = session(&mut kernel);
    kernel.exec(P);
    let (file, id) = (kernel.at(P, fd), kernel.connections()[0].id);
    let header = Header { nr: calls::RECVFROM, ..Header::default() };
    let io = Io { header, file, fd, ret: failed(EAGAIN), ..Io::default() };
    check(
        &kernel,
        P,
        What::Io(&io, b""),
        &[
            "pid:100",
            "comm:prog",
            "call:recvfrom",
            "errno:EAGAIN",
            &format!("fd:{fd}"),
            &format!("conn:{id}"),
            "proto:postgres",
            "\"the line\"",
            "-rule:any",
        ],
        &["pid:200", "call:sendto", "errno:EPIPE", "fd:99", "conn:>99", "proto:tls", "severity:info"],
    );
    // The connection is also what a call closed, or made behind its second descriptor.
    let none = FileRef::NONE;
    let conn = format!("conn:{id}");
    for (call, fds) in [
        (call(calls::CLOSE, 0, [fd, -1], [file, none, none]), ["fd:3", "-fd:0"]),
        (call(calls::DUP2, 9, [7, 9], [none, none, file]), ["fd:7", "fd:9"]),
        (call(calls::ACCEPT4, 9, [4, 9], [none, file, none]), ["fd:4", "fd:9"]),
    ] {
        check(&kernel, P, What::Call(&call, b""), &[&conn, fds[0], fds[1], "-errno:any"], &["errno:any"]);
    }
    let other = call(calls::CLOSE, failed(ENOTSOCK), [-1, -1], [none; 3]);
    check(&kernel, P, What::Call(&other, b""), &["errno:any", "-conn:any", "-proto:any", "-fd:any"], &[]);
    let unnamed = call(calls::CLOSE, -4000, [-1, -1], [none; 3]);
    check(&kernel, P, What::Call(&unnamed, b""), &["errno:any", "-errno:EPERM"], &["errno:EPERM"]);
}

#[test]
fn what_is_no_call_has_its_columns_too() {
    let mut kernel = Kernel::new();
    let fd = session(&mut kernel);
    let (file, id) = (kernel.at(P, fd), kernel.connections()[0].id);
    let fork = Fork { child_tgid: C, child_tid: C, ..Fork::default() };
    check(&kernel, P, What::Fork(&fork), &["pid:100", "pid:200", "call:fork"], &["call:clone", "errno:any"]);
    let exec = Exec::default();
    check(&kernel, P, What::Exec(&exec, b""), &["call:execve", "-fd:any"], &["call:fork"]);
    let uring = UringIo { file, ret: -32, sent: 1, ..UringIo::default() };
    check(
        &kernel,
        P,
        What::Uring(&uring),
        &["call:io_uring_send", "errno:EPIPE", &format!("conn:{id}"), "-fd:any"],
        &["call:io_uring_receive"],
    );
    let mut passed = Passed { via: 77, count: 20, ..Passed::default() };
    for (place, one) in passed.fds.iter_mut().enumerate() {
        *one = PassedFd { fd: 40 + place as i32, ..PassedFd::default() };
    }
    passed.fds[7].file = file;
    passed.header.nr = calls::RECVMSG;
    check(
        &kernel,
        P,
        What::Passed(&passed),
        &["fd:77", "fd:40", "fd:47", "call:recvmsg", &format!("conn:{id}")],
        &["fd:48", "errno:any"],
    );
    let (exit, socket) = (Exit::default(), Socket::default());
    for what in [What::Exit(&exit), What::Socket(&socket, b""), What::Compat] {
        check(&kernel, P, what, &["pid:100", "-call:any"], &["fd:any", "conn:any", "errno:any"]);
    }
}

#[test]
fn a_finding_has_all_its_columns() {
    let mut kernel = Kernel::new();
    kernel.exec(P);
    let fd = session(&mut kernel);
    kernel.fork(P, C, 0);
    kernel.send(P, fd, QUERY);
    kernel.send(C, fd, QUERY);
    kernel.receive(C, fd, ANSWER);
    let findings = kernel.analysis.findings();
    let finding = findings.iter().find(|finding| finding.severity == Severity::Error).expect("they share it");
    let id = kernel.connections()[0].id;
    for (term, expected) in [
        ("pid:100", true),
        ("pid:200", true),
        ("pid:300", false),
        ("comm:program", true),
        (&*format!("conn:{id}"), true),
        (&*format!("fd:{fd}"), true),
        ("proto:postgresql", true),
        ("rule:any severity:error", true),
        (&*format!("rule:{}", finding.rule.name()), true),
        ("rule:enotsock", false),
        ("title", true),
    ] {
        let filter = Filter::parse(term).expect("a filter");
        let subject = kernel.analysis.finding_subject(finding, "its title");
        assert_eq!(filter.matches(&subject), expected, "{term} {subject:?}");
    }
}
