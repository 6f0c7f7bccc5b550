//! Stories that the analyser must tell right: what happened, and what a person would say of it.

mod closing;
mod filters;
mod fingerprints;
mod goodbyes;
mod http1;
mod http2;
mod idioms;
mod in_flight;
mod kept_open;
mod later_forks;
mod naming;
mod plaintext;
mod pre_exec;
mod replies;
mod sessions;
mod shared_epoll;
mod shared_wakeup;
mod stacks;
mod stalled;
mod tables;

use super::kernel::Kernel;
use crate::model::{Change, Model, Place, Process};
use crate::report::{Confidence, Unseen, sample};
use crate::rules::{Drafts, Rule, Said};
use forkscope_proto::{FileKind, calls};
use libc::{EBADF, ENOTSOCK};

const P: u32 = 100;
const C: u32 = 200;

const STARTUP: &[u8] = b"\0\0\0\x08\0\x03\0\0";
const QUERY: &[u8] = b"Q\0\0\0\x0dSELECT 1\0";
const ANSWER: &[u8] = b"Z\0\0\0\x05I";
const TERMINATE: &[u8] = b"X\0\0\0\x04";

/// A question and its answer.
fn ask(kernel: &mut Kernel, pid: u32, fd: i32) {
    kernel.send(pid, fd, QUERY);
    kernel.receive(pid, fd, ANSWER);
}

fn failed(errno: i32) -> i64 {
    -i64::from(errno)
}

/// A change is shown to the rules that look at its topic: the others would say nothing of it.
pub(super) fn others_say_nothing(
    rules: &mut [Box<dyn Rule>],
    looking: &[usize],
    model: &Model,
    change: &Change,
) {
    let (said, mut drafts, mut again) = (Said::default(), Vec::new(), Vec::new());
    for (at, rule) in rules.iter_mut().enumerate().filter(|(at, _)| !looking.contains(at)) {
        rule.check(model, change, &mut Drafts::new(&said, &mut drafts, &mut again));
        assert!(drafts.is_empty(), "rule {at} says something of {change:?}: a topic is missing");
    }
}

/// A connection on which a PostgreSQL session has begun.
fn session(kernel: &mut Kernel) -> i32 {
    let fd = kernel.connect(P, 5432);
    kernel.send(P, fd, STARTUP);
    kernel.receive(P, fd, ANSWER);
    fd
}

#[test]
fn a_number_that_a_fork_handler_freed_and_a_file_took() {
    let mut kernel = Kernel::new();
    let fd = kernel.connect(P, 1);
    kernel.fork(P, C, 0);
    kernel.close(C, fd);
    assert_eq!(kernel.open(C, "/dev/null"), fd);
    kernel.transfer(C, calls::SENDMSG, fd, b"", failed(ENOTSOCK));
    kernel.transfer(C, calls::SENDMSG, fd, b"", failed(ENOTSOCK));
    assert_eq!(kernel.findings(), [("enotsock", C, Some(fd))]);
    let finding = kernel.analysis.findings().iter().find(|f| f.rule.name() == "enotsock").expect("found");
    assert_eq!(finding.count, 2);
    assert!(finding.title.contains("/dev/null"), "{}", finding.title);
    let steps: Vec<_> = finding.evidence.iter().map(|step| (step.pid, step.syscall.as_deref())).collect();
    let expected =
        [(P, Some("socket")), (P, None), (C, Some("close")), (C, Some("openat")), (C, Some("sendmsg"))];
    assert_eq!(steps, expected);
}

#[test]
fn a_number_that_its_own_process_closed_is_no_matter_of_forks() {
    let mut kernel = Kernel::new();
    let fd = kernel.connect(P, 1);
    kernel.close(P, fd);
    kernel.open(P, "/dev/null");
    kernel.transfer(P, calls::SENDMSG, fd, b"", failed(ENOTSOCK));
    assert_eq!(kernel.findings(), []);
}

#[test]
fn asking_what_a_descriptor_is_means_nothing() {
    let mut kernel = Kernel::new();
    let fd = kernel.connect(P, 1);
    kernel.fork(P, C, 0);
    kernel.close(C, fd);
    kernel.open(C, "/etc/hosts");
    let call = |call: &mut forkscope_proto::Call| (call.fd, call.ret) = (fd, failed(ENOTSOCK));
    kernel.call(C, calls::GETSOCKOPT, b"", call);
    assert_eq!(kernel.findings(), []);
}

#[test]
fn a_number_that_is_closed_and_still_used() {
    for (nr, told) in
        [(calls::SENDMSG, true), (calls::READ, true), (calls::EPOLL_WAIT, false), (calls::CLOSE, false)]
    {
        let mut kernel = Kernel::new();
        let fd = kernel.connect(P, 1);
        kernel.fork(P, C, 0);
        kernel.close(C, fd);
        kernel.transfer(C, nr, fd, b"", failed(EBADF));
        assert_eq!(!kernel.findings().is_empty(), told, "{:?}", calls::name(nr));
    }
}

#[test]
fn a_buffer_flushed_at_exit_is_harmless_but_going_on_is_not() {
    for (goes_on, told) in [(false, 0), (true, 1)] {
        let mut kernel = Kernel::new();
        let fd = kernel.connect(P, 1);
        kernel.fork(P, C, 0);
        kernel.close(C, fd);
        kernel.transfer(C, calls::WRITE, fd, b"x", failed(EBADF));
        if goes_on {
            let other = kernel.connect(C, 2);
            kernel.send(C, other, b"hello");
        }
        kernel.exit(C);
        assert_eq!(kernel.findings().len(), told, "goes on: {goes_on}");
    }
}

#[test]
fn an_epoll_that_is_gone() {
    let mut kernel = Kernel::new();
    let fd = kernel.make_kind(P, calls::EPOLL_CREATE1, FileKind::Epoll);
    kernel.fork(P, C, 0);
    kernel.close(C, fd);
    kernel.call(C, calls::EPOLL_WAIT, b"", |call| (call.fd, call.ret) = (fd, failed(EBADF)));
    assert_eq!(kernel.findings(), [("stale-descriptor", C, Some(fd))]);
}

/// A server's child that sends files: the connection is the call's first number, or its second.
#[test]
fn a_file_sent_on_a_number_that_a_fork_handler_closed() {
    for nr in [calls::SENDFILE, calls::SPLICE, calls::PREADV2] {
        let mut kernel = Kernel::new();
        let fd = kernel.accept(P, 80);
        let file = kernel.open(P, "/page");
        kernel.fork(P, C, 0);
        kernel.close(C, fd);
        let there = kernel.at(C, file);
        match nr {
            calls::SENDFILE => kernel.call(C, nr, b"", |call| {
                (call.fd, call.other_fd, call.other, call.ret) = (fd, file, there, failed(EBADF));
            }),
            calls::SPLICE => kernel.call(C, nr, b"", |call| {
                (call.fd, call.file, call.other_fd, call.ret) = (file, there, fd, failed(EBADF));
            }),
            _ => kernel.transfer(C, nr, fd, b"", failed(EBADF)),
        }
        assert_eq!(kernel.findings(), [("stale-descriptor", C, Some(fd))], "{nr}");
    }
}

#[test]
fn bytes_that_continue_a_session_elsewhere() {
    let mut kernel = Kernel::new();
    let fd = session(&mut kernel);
    kernel.fork(P, C, 0);
    kernel.close(C, fd);
    assert_eq!(kernel.connect(C, 9999), fd);
    kernel.send(C, fd, QUERY);
    assert_eq!(kernel.findings(), [("misdirected-bytes", C, Some(fd))]);
    assert!(kernel.analysis.findings().iter().any(|finding| finding.title.contains("127.0.0.1:9999")));
}

#[test]
fn a_child_that_connects_anew_on_the_same_number_is_healthy() {
    let mut kernel = Kernel::new();
    let fd = session(&mut kernel);
    kernel.fork(P, C, 0);
    kernel.close(C, fd);
    assert_eq!(kernel.connect(C, 5432), fd);
    kernel.send(C, fd, STARTUP);
    kernel.receive(C, fd, ANSWER);
    kernel.send(C, fd, QUERY);
    kernel.send(P, fd, QUERY);
    assert_eq!(kernel.findings(), []);
}

#[test]
fn turns_on_one_session() {
    // Who uses it after the fork, in order; whether that is told.
    let stories: [(&[u32], bool); 5] =
        [(&[P, P], false), (&[C, C], false), (&[C, P], true), (&[P, C], true), (&[P, C, P], true)];
    for (order, told) in stories {
        let mut kernel = Kernel::new();
        let fd = session(&mut kernel);
        kernel.fork(P, C, 0);
        for &who in order {
            kernel.send(who, fd, QUERY);
            kernel.receive(who, fd, ANSWER);
        }
        assert_eq!(!kernel.findings().is_empty(), told, "{order:?}");
    }
}

#[test]
fn a_writer_and_a_reader_do_not_disturb_each_other() {
    let mut kernel = Kernel::new();
    let fd = kernel.connect(P, 873);
    kernel.fork(P, C, 0);
    for _ in 0..10 {
        kernel.send(P, fd, b"data");
        kernel.receive(C, fd, b"data");
    }
    assert_eq!(kernel.findings(), []);
}

#[test]
fn one_cause_is_one_finding() {
    let mut kernel = Kernel::new();
    let fd = session(&mut kernel);
    kernel.fork(P, C, 0);
    for _ in 0..50 {
        kernel.send(C, fd, QUERY);
        kernel.send(P, fd, QUERY);
        kernel.receive(P, fd, ANSWER);
        kernel.receive(C, fd, ANSWER);
    }
    assert_eq!(kernel.findings().len(), 1, "{:?}", kernel.findings());
}

#[test]
fn tables_follow_the_kernel() {
    use forkscope_proto::process::{CLONE_FILES, CLONE_VFORK, CLONE_VM};
    let mut kernel = Kernel::new();
    let first = kernel.open(P, "/a");
    let second = kernel.connect(P, 1);
    kernel.fork(P, C, CLONE_VM | CLONE_VFORK);
    kernel.close(C, second);
    kernel.open(C, "/b");
    kernel.exec(C);
    kernel.close(P, first);
    kernel.open(P, "/c");
    for pid in [P, C] {
        assert_eq!(kernel.modelled(pid), kernel.real(pid), "process {pid}");
    }
    // With CLONE_FILES what one does, the other has.
    kernel.fork(P, 300, CLONE_FILES);
    kernel.close(300, second);
    assert_eq!(kernel.modelled(P), kernel.modelled(300));
    assert!(kernel.modelled(P).iter().all(|&(fd, _)| fd != second));
    assert_eq!(kernel.analysis.model.corrected(), 0);
}

#[test]
fn what_the_kernel_shows_corrects_the_table() {
    let mut kernel = Kernel::new();
    let fd = kernel.connect(P, 1);
    kernel.fork(P, C, 0);
    kernel.call(C, calls::SHUTDOWN, b"", |call| (call.fd, call.ret) = (fd, failed(EBADF)));
    assert_eq!(kernel.modelled(C), []);
    assert_eq!(kernel.analysis.model.corrected(), 1);
}

#[test]
fn a_number_that_the_child_used_for_itself_in_between() {
    for times in [1, 20] {
        let mut kernel = Kernel::new();
        let fd = kernel.connect(P, 1);
        kernel.fork(P, C, 0);
        kernel.close(C, fd);
        for _ in 0..times {
            assert_eq!(kernel.connect(C, 53), fd);
            kernel.close(C, fd);
        }
        kernel.transfer(C, calls::SENDMSG, fd, b"", failed(EBADF));
        assert_eq!(kernel.findings(), [("stale-descriptor", C, Some(fd))], "{times} times");
    }
}

#[test]
fn a_number_that_was_free_again_before_the_fork() {
    let mut kernel = Kernel::new();
    let fd = kernel.connect(P, 1);
    kernel.close(P, fd);
    kernel.fork(P, C, 0);
    kernel.transfer(C, calls::SENDMSG, fd, b"", failed(EBADF));
    assert_eq!(kernel.findings(), []);
}

#[test]
fn a_file_closed_on_the_way_out_is_harmless() {
    let mut kernel = Kernel::new();
    let fd = kernel.connect(P, 1);
    kernel.fork(P, C, 0);
    kernel.close(C, fd);
    kernel.transfer(C, calls::WRITE, fd, b"x", failed(EBADF));
    kernel.call(C, calls::CLOSE, b"", |call| (call.fd, call.ret) = (fd, failed(EBADF)));
    kernel.transfer(C, calls::WRITE, fd, b"y", failed(EBADF));
    kernel.exit(C);
    assert_eq!(kernel.findings(), []);
}

#[test]
fn information_does_not_crowd_out_errors() {
    let mut kernel = Kernel::new();
    let mut child = C;
    for _ in 0..1100 {
        kernel.connect(P, 1);
        kernel.fork(P, child, 0);
        kernel.exit(child);
        child += 1;
    }
    let fd = kernel.connect(P, 2);
    kernel.fork(P, child, 0);
    kernel.close(child, fd);
    kernel.open(child, "/dev/null");
    kernel.transfer(child, calls::SENDMSG, fd, b"", failed(ENOTSOCK));
    assert_eq!(kernel.findings(), [("enotsock", child, Some(fd))]);
}

#[test]
fn a_server_that_hands_its_requests_to_children_is_healthy() {
    let mut kernel = Kernel::new();
    let fd = kernel.accept(P, 8080);
    kernel.receive(P, fd, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    kernel.fork(P, C, 0);
    kernel.send(C, fd, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    kernel.exit(C);
    kernel.close(P, fd);
    assert_eq!(kernel.findings(), []);
}

#[test]
fn losses_make_findings_likely() {
    let mut kernel = Kernel::new();
    let fd = kernel.connect(P, 1);
    kernel.fork(P, C, 0);
    kernel.close(C, fd);
    kernel.open(C, "/dev/null");
    kernel.analysis.model.note_losses();
    kernel.transfer(C, calls::SENDMSG, fd, b"", failed(ENOTSOCK));
    let found = kernel.analysis.findings().iter().find(|finding| finding.rule.name() == "enotsock");
    assert_eq!(found.map(|finding| finding.confidence), Some(Confidence::Likely));
}

#[test]
fn where_processes_live_is_asked_once_and_where_it_may_change() {
    let mut kernel = Kernel::new();
    let wanted = |kernel: &mut Kernel| {
        let mut pids: Vec<u32> = kernel.analysis.take_wanted().places.into_iter().collect();
        pids.sort_unstable();
        pids
    };
    assert_eq!(wanted(&mut kernel), [P], "it was there before");
    kernel.analysis.settle(P, Place::default());
    kernel.fork(P, C, 0);
    assert_eq!(wanted(&mut kernel), [0; 0], "a child lives where its parent does");
    kernel.exec(C);
    assert_eq!(wanted(&mut kernel), [C]);
    // Before that is known, it has a child itself.
    kernel.fork(C, 300, 0);
    assert_eq!(wanted(&mut kernel), [0; 0]);
    let container = Some("3f2a91c04d11".to_owned());
    kernel.analysis.settle(C, Place { ns_pid: Some(1), container: container.clone() });
    assert_eq!(wanted(&mut kernel), [300]);
    let child = kernel.analysis.model.by_pid(300).and_then(|process| process.container().map(str::to_owned));
    assert_eq!(child, container, "where its parent was all the time");
    kernel.fork(C, 400, 0);
    let inherited = kernel.analysis.model.by_pid(400).and_then(|process| process.place.clone());
    assert_eq!(inherited, Some(Place { ns_pid: None, container }));
    assert_eq!(wanted(&mut kernel), [400], "its number there is its own");
    kernel.fork(P, 500, libc::CLONE_NEWPID as u64);
    assert_eq!(wanted(&mut kernel), [500]);
    kernel.fork(P, 600, libc::CLONE_THREAD as u64);
    assert_eq!(wanted(&mut kernel), [0; 0]);
}

/// A recording may say anything: each generation, or each child, may be one more process of a few bytes.
#[test]
fn places_of_many_generations_and_of_many_children_are_told_at_once() {
    const MANY: u32 = 30_000;
    for (is_chain, asked) in [(true, 1), (false, MANY)] {
        let mut kernel = Kernel::new();
        for child in 1..=MANY {
            kernel.fork(if is_chain { P + child - 1 } else { P }, P + child, 0);
        }
        drop(kernel.analysis.take_wanted());
        let container = Some("3f2a91c04d11".to_owned());
        for (ns_pid, asked) in [(None, 0), (Some(1), asked), (Some(1), 0)] {
            kernel.analysis.settle(P, Place { ns_pid, container: container.clone() });
            assert_eq!(kernel.analysis.take_wanted().places.len() as u32, asked, "chain: {is_chain}");
        }
        let last = kernel.analysis.model.by_pid(P + MANY).and_then(Process::container);
        assert_eq!(last, container.as_deref(), "chain: {is_chain}");
    }
}

#[test]
fn where_events_end_early_what_was_found_stays_as_sure_and_what_comes_is_less() {
    let story = |at: u8, what: fn(&mut Model)| {
        let mut kernel = Kernel::new();
        for now in 0..3 {
            if now == at {
                what(&mut kernel.analysis.model);
            }
            if now == 2 {
                break;
            }
            let (fd, child) = (kernel.connect(P, 1), C + u32::from(now));
            kernel.fork(P, child, 0);
            kernel.close(child, fd);
            assert_eq!(kernel.open(child, "/dev/null"), fd);
            kernel.transfer(child, calls::SENDMSG, fd, b"", failed(ENOTSOCK));
        }
        let report = kernel.analysis.report(sample::report().session);
        let found = report.findings.iter().filter(|finding| finding.rule.name() == "enotsock");
        let sure: Vec<_> = found.map(|finding| finding.confidence).collect();
        (sure, report.processes.iter().all(|process| process.unseen.contains(&Unseen::LostEvents)))
    };
    use Confidence::{Certain, Likely};
    for (at, sure, unseen) in [
        (9, [Certain, Certain], false),
        (0, [Likely, Likely], true),
        (1, [Certain, Likely], true),
        (2, [Certain, Certain], true),
    ] {
        assert_eq!(story(at, Model::note_cut), (sure.to_vec(), unseen), "cut before {at}");
    }
    // Events that were lost may have been so before.
    assert_eq!(story(2, Model::note_losses), (vec![Likely, Likely], true));
}
