//! One epoll instance in two processes.

use super::{C, Kernel, P};
use crate::report::{Confidence, Severity};
use forkscope_proto::process::CLONE_FILES;
use forkscope_proto::{FileKind, calls};

const ADD: u64 = 1;
const DEL: u64 = 2;
const MOD: u64 = 3;
/// A pointer into somebody's heap.
const POINTER: u64 = 0x555c_1234_5678;
const SECOND: u64 = 1_000_000_000;

fn epoll(kernel: &mut Kernel, pid: u32) -> i32 {
    kernel.make_kind(pid, calls::EPOLL_CREATE1, FileKind::Epoll)
}

fn eventfd(kernel: &mut Kernel, pid: u32) -> i32 {
    kernel.make_kind(pid, calls::EVENTFD2, FileKind::Eventfd)
}

/// The last finding: severity, confidence, what its evidence says.
#[track_caller]
fn last(kernel: &Kernel) -> (Severity, Confidence, Vec<String>) {
    let finding = kernel.analysis.findings().last().expect("found");
    (finding.severity, finding.confidence, finding.evidence.iter().map(|step| step.what.clone()).collect())
}

/// Time passes, in which a process goes on waiting.
fn goes_on_waiting(kernel: &mut Kernel, pid: u32, fd: i32) {
    for _ in 0..3 {
        kernel.wait(SECOND / 2);
        kernel.epoll_wait(pid, fd, &[]);
    }
}

#[test]
fn an_event_that_the_child_registered_and_the_parent_dies_of() {
    let mut kernel = Kernel::new();
    let ep = epoll(&mut kernel, P);
    let own = eventfd(&mut kernel, P);
    kernel.epoll(P, ep, ADD, own, 0x1000_0000_0000);
    kernel.fork(P, C, 0);
    let fd = kernel.connect(C, 80);
    kernel.epoll(C, ep, ADD, fd, POINTER);
    assert_eq!(kernel.findings(), [], "it may be the only one who waits");
    kernel.epoll_wait(P, ep, &[0x1000_0000_0000]);
    assert_eq!(kernel.findings(), [], "its own");
    kernel.epoll_wait(P, ep, &[0x1000_0000_0000, POINTER]);
    assert_eq!(kernel.findings(), [("shared-epoll", P, Some(ep))]);
    kernel.die(P, 11);
    assert_eq!(kernel.findings(), [("shared-epoll", P, Some(ep))], "one cause");
    let (severity, confidence, steps) = last(&kernel);
    assert_eq!((severity, confidence), (Severity::Error, Confidence::Certain));
    let expected = [
        "100 opened an epoll instance",
        "forked 200, which inherited fd 3",
        "200 registered fd 5, the connection",
        "100 was told of it: the event's data is 0x555c12345678",
        "100 died of SIGSEGV",
    ];
    assert_eq!(steps.len(), expected.len(), "{steps:#?}");
    for (step, expected) in steps.iter().zip(expected) {
        assert!(step.starts_with(expected), "{step} is not {expected}");
    }
    let finding = kernel.analysis.findings().last().expect("found");
    assert!(finding.title.ends_with("died of SIGSEGV"), "{}", finding.title);
}

/// A process that ends in order, or long after, did not die of it.
#[test]
fn an_end_that_is_no_fault() {
    for (signal, later) in [(0, 0), (15, 0), (11, 60 * SECOND)] {
        let mut kernel = Kernel::new();
        let ep = epoll(&mut kernel, P);
        kernel.fork(P, C, 0);
        let fd = kernel.connect(C, 80);
        kernel.epoll(C, ep, ADD, fd, POINTER);
        kernel.epoll_wait(P, ep, &[POINTER]);
        kernel.wait(later);
        kernel.die(P, signal);
        assert!(!last(&kernel).2.iter().any(|step| step.contains("died")), "{signal} {later}");
    }
}

#[test]
fn a_child_that_is_told_of_what_its_parent_registered_after_the_fork() {
    let mut kernel = Kernel::new();
    let ep = epoll(&mut kernel, P);
    kernel.fork(P, C, 0);
    let fd = kernel.connect(P, 80);
    kernel.epoll(P, ep, ADD, fd, fd as u64);
    kernel.epoll_wait(C, ep, &[fd as u64]);
    assert_eq!(kernel.findings(), [("shared-epoll", C, Some(ep))]);
}

/// Before the fork its parent registered it: the child's memory has it too. So does a grandchild's.
#[test]
fn what_was_registered_before_the_fork_is_known() {
    let mut kernel = Kernel::new();
    let ep = epoll(&mut kernel, P);
    let fd = kernel.connect(P, 80);
    kernel.epoll(P, ep, ADD, fd, POINTER);
    kernel.fork(P, C, 0);
    kernel.fork(C, 300, 0);
    for pid in [P, C, 300] {
        kernel.epoll_wait(pid, ep, &[POINTER]);
    }
    goes_on_waiting(&mut kernel, C, ep);
    assert_eq!(kernel.findings(), []);
}

/// Both registered something of their own under one number, and with it: which of them
/// was meant cannot be told.
#[test]
fn the_same_data_from_both_is_only_a_warning() {
    let mut kernel = Kernel::new();
    let ep = epoll(&mut kernel, P);
    kernel.epoll_wait(P, ep, &[]);
    kernel.fork(P, C, 0);
    for pid in [P, C] {
        let fd = kernel.connect(pid, 80);
        kernel.epoll(pid, ep, ADD, fd, fd as u64);
    }
    kernel.epoll_wait(P, ep, &[4]);
    kernel.epoll_wait(C, ep, &[4]);
    assert_eq!(kernel.findings(), []);
    goes_on_waiting(&mut kernel, P, ep);
    assert_eq!(kernel.findings(), [("shared-epoll", P, Some(ep))]);
    let (severity, confidence, _) = last(&kernel);
    assert_eq!((severity, confidence), (Severity::Warning, Confidence::Likely));
}

#[test]
fn a_child_that_removes_or_changes_what_its_parent_waits_for() {
    for (operation, says) in [(DEL, "removed fd 4, an eventfd"), (MOD, "changed what is registered")] {
        let mut kernel = Kernel::new();
        let ep = epoll(&mut kernel, P);
        let fd = eventfd(&mut kernel, P);
        kernel.epoll(P, ep, ADD, fd, fd as u64);
        kernel.fork(P, C, 0);
        kernel.epoll(C, ep, operation, fd, fd as u64);
        kernel.epoll_wait(P, ep, &[]);
        assert_eq!(kernel.findings(), [], "it may be about to close it");
        goes_on_waiting(&mut kernel, P, ep);
        assert_eq!(kernel.findings(), [("shared-epoll", P, Some(ep))]);
        let (severity, confidence, steps) = last(&kernel);
        assert_eq!((severity, confidence), (Severity::Error, Confidence::Certain));
        assert!(steps.iter().any(|step| step.contains(says)), "{steps:#?}");
    }
}

#[test]
fn what_a_child_removes_and_nobody_misses() {
    for what_the_parent_does in [
        // It has handed the descriptor over.
        |kernel: &mut Kernel, ep: i32, fd: i32| {
            kernel.close(P, fd);
            goes_on_waiting(kernel, P, ep);
        },
        // It has handed the loop over.
        |kernel: &mut Kernel, ep, _| goes_on_waiting(kernel, C, ep),
        |kernel: &mut Kernel, ep, _| {
            kernel.close(P, ep);
            goes_on_waiting(kernel, C, ep);
        },
        |kernel: &mut Kernel, ep, _| {
            kernel.exit(P);
            goes_on_waiting(kernel, C, ep);
        },
        // It says anew what it wants.
        |kernel: &mut Kernel, ep, fd| {
            kernel.epoll(P, ep, ADD, fd, POINTER);
            goes_on_waiting(kernel, P, ep);
        },
    ] {
        let mut kernel = Kernel::new();
        let ep = epoll(&mut kernel, P);
        let fd = eventfd(&mut kernel, P);
        kernel.epoll(P, ep, ADD, fd, POINTER);
        kernel.epoll_wait(P, ep, &[POINTER]);
        kernel.fork(P, C, 0);
        kernel.epoll(C, ep, DEL, fd, 0);
        what_the_parent_does(&mut kernel, ep, fd);
        assert_eq!(kernel.findings(), []);
    }
}

/// A parent makes an instance, and only its child uses it; or its child alone goes on with it.
#[test]
fn an_instance_that_is_handed_over() {
    for parent_used_it in [false, true] {
        let mut kernel = Kernel::new();
        let ep = epoll(&mut kernel, P);
        if parent_used_it {
            let fd = kernel.connect(P, 80);
            kernel.epoll(P, ep, ADD, fd, POINTER);
            kernel.epoll_wait(P, ep, &[POINTER]);
        }
        kernel.fork(P, C, 0);
        let fd = kernel.connect(C, 80);
        kernel.epoll(C, ep, ADD, fd, POINTER + 64);
        for _ in 0..4 {
            kernel.wait(SECOND / 2);
            kernel.epoll_wait(C, ep, &[POINTER + 64]);
        }
        kernel.open(P, "/goes on");
        assert_eq!(kernel.findings(), []);
    }
}

/// Prefork servers: each worker makes an instance of its own, and watches the inherited listener on it.
/// `EPOLLEXCLUSIVE` is a flag of the events and changes nothing here.
#[test]
fn workers_with_their_own_instances() {
    const WORKERS: [u32; 3] = [201, 202, 203];
    let mut kernel = Kernel::new();
    let listener = kernel.connect(P, 80);
    for worker in WORKERS {
        kernel.fork(P, worker, 0);
        let ep = epoll(&mut kernel, worker);
        kernel.epoll(worker, ep, ADD, listener, POINTER);
    }
    for _ in 0..4 {
        for worker in WORKERS {
            kernel.wait(SECOND / 2);
            kernel.epoll_wait(worker, listener + 1, &[POINTER]);
        }
    }
    assert_eq!(kernel.findings(), []);
}

/// A loop that is told of the fork makes its instance anew: it closes the inherited one, and registers all
/// again. It gets the number of the old one.
#[test]
fn a_loop_that_is_made_anew_in_the_child() {
    let mut kernel = Kernel::new();
    let ep = epoll(&mut kernel, P);
    let fd = kernel.connect(P, 80);
    kernel.epoll(P, ep, ADD, fd, POINTER);
    kernel.fork(P, C, 0);
    kernel.close(C, ep);
    assert_eq!(epoll(&mut kernel, C), ep);
    kernel.epoll(C, ep, ADD, fd, POINTER);
    let own = kernel.connect(C, 80);
    kernel.epoll(C, ep, ADD, own, own as u64);
    kernel.epoll(C, ep, MOD, own, POINTER + 64);
    kernel.epoll(C, ep, DEL, fd, 0);
    for pid in [P, C] {
        kernel.epoll_wait(pid, ep, &[POINTER]);
        goes_on_waiting(&mut kernel, pid, ep);
    }
    assert_eq!(kernel.findings(), []);
}

#[test]
fn removing_what_is_gone_is_harmless() {
    let mut kernel = Kernel::new();
    let ep = epoll(&mut kernel, P);
    let fd = kernel.connect(P, 80);
    kernel.epoll(P, ep, ADD, fd, POINTER);
    kernel.close(P, fd);
    for errno in [libc::EBADF, libc::ENOENT] {
        kernel.call(P, calls::EPOLL_CTL, b"", |call| {
            (call.fd, call.other_fd, call.args[1], call.ret) = (ep, fd, DEL, -i64::from(errno));
        });
    }
    goes_on_waiting(&mut kernel, P, ep);
    assert_eq!(kernel.findings(), []);
}

/// Whoever is given the event holds the very file under the number that the event names.
#[test]
fn a_number_that_means_the_same_to_both() {
    let mut kernel = Kernel::new();
    let ep = epoll(&mut kernel, P);
    let fd = kernel.connect(P, 80);
    kernel.fork(P, C, 0);
    kernel.epoll(P, ep, ADD, fd, fd as u64);
    kernel.epoll_wait(C, ep, &[fd as u64]);
    goes_on_waiting(&mut kernel, C, ep);
    assert_eq!(kernel.findings(), []);
}

/// What was registered before the attach is not known: a small number may be the waiter's own.
#[test]
fn an_instance_from_before_the_attach() {
    for (data, confidence) in [(5, Confidence::Inconclusive), (POINTER, Confidence::Likely)] {
        let mut kernel = Kernel::new();
        let ep = kernel.held_kind_before(P, FileKind::Epoll);
        kernel.fork(P, C, 0);
        let own = kernel.connect(C, 80);
        kernel.epoll(C, ep, ADD, own, data);
        kernel.epoll_wait(P, ep, &[data]);
        assert_eq!(kernel.findings(), [("shared-epoll", P, Some(ep))]);
        assert_eq!(last(&kernel).1, confidence);
    }
}

/// Parent and child were both there at the attach: /proc shows two instances alike, and
/// events bring their addresses.
#[test]
fn two_processes_from_before_the_attach() {
    for is_one in [true, false] {
        let mut kernel = Kernel::new();
        let ep = kernel.held_kind_before(P, FileKind::Epoll);
        let other =
            if is_one { kernel.shared_before(P, ep, C) } else { kernel.held_kind_before(C, FileKind::Epoll) };
        // At once: what comes right after the attach is no part of what was there before.
        let own = kernel.make_kind(C, calls::EVENTFD2, FileKind::Eventfd);
        kernel.epoll_wait(P, ep, &[]);
        kernel.epoll(C, other, ADD, own, POINTER);
        kernel.epoll_wait(P, ep, &[POINTER]);
        let found: &[_] = if is_one { &[("shared-epoll", P, Some(ep))] } else { &[] };
        assert_eq!(kernel.findings(), found);
        if is_one {
            assert_eq!(last(&kernel).1, Confidence::Likely);
        }
    }
}

/// Processes that share their table share all of it on purpose.
#[test]
fn processes_with_one_table() {
    let mut kernel = Kernel::new();
    let ep = epoll(&mut kernel, P);
    let own = eventfd(&mut kernel, P);
    kernel.epoll(P, ep, ADD, own, POINTER);
    kernel.fork(P, C, CLONE_FILES);
    let fd = kernel.connect(C, 80);
    kernel.epoll(C, ep, ADD, fd, POINTER + 64);
    kernel.epoll(C, ep, DEL, own, 0);
    kernel.epoll_wait(P, ep, &[POINTER + 64]);
    goes_on_waiting(&mut kernel, P, ep);
    assert_eq!(kernel.findings(), []);
}

/// A program that another one executed with the instance in hand was given it on purpose.
#[test]
fn an_instance_that_is_given_to_a_program() {
    let mut kernel = Kernel::new();
    let ep = epoll(&mut kernel, P);
    kernel.fork(P, C, 0);
    kernel.exec(C);
    let fd = kernel.connect(P, 80);
    kernel.epoll(P, ep, ADD, fd, POINTER);
    kernel.epoll_wait(C, ep, &[POINTER]);
    let own = kernel.connect(C, 80);
    kernel.epoll(C, ep, ADD, own, POINTER + 64);
    goes_on_waiting(&mut kernel, P, ep);
    assert_eq!(kernel.findings(), []);
}

/// Without addresses of open files, as ptrace sees them, all instances look alike:
/// the tables tell them apart.
#[test]
fn tables_tell_instances_apart_where_addresses_are_not_known() {
    let mut kernel = Kernel::new();
    kernel.hide_addresses();
    let ep = epoll(&mut kernel, P);
    kernel.fork(P, C, 0);
    let own = epoll(&mut kernel, C);
    let fd = kernel.connect(C, 80);
    kernel.epoll(C, own, ADD, fd, POINTER);
    kernel.epoll_wait(P, ep, &[POINTER]);
    assert_eq!(kernel.findings(), [], "another instance");
    kernel.epoll(C, ep, ADD, fd, POINTER);
    kernel.epoll_wait(P, ep, &[POINTER]);
    assert_eq!(kernel.findings(), [("shared-epoll", P, Some(ep))]);
}

#[test]
fn registrations_that_come_and_go_before_the_fork() {
    let mut kernel = Kernel::new();
    let ep = epoll(&mut kernel, P);
    let fd = kernel.connect(P, 80);
    kernel.epoll(P, ep, ADD, fd, POINTER);
    for data in 0..10 {
        kernel.epoll(P, ep, MOD, fd, data);
        kernel.epoll(P, ep, DEL, fd, 0);
        kernel.epoll(P, ep, ADD, fd, data);
    }
    kernel.fork(P, C, 0);
    kernel.epoll_wait(C, ep, &[9]);
    assert_eq!(kernel.findings(), []);
}
