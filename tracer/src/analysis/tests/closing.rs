//! However a process gives a connection up: the rules hear of it, and the report says when.

use super::{C, Kernel, P};
use crate::model::Socket;
use crate::report::{Holder, sample};
use forkscope_proto::process::{CLONE_FILES, CLONE_THREAD};
use forkscope_proto::{FileRef, calls};

type Does = fn(&mut Kernel, i32);

fn close_range(kernel: &mut Kernel, pid: u32, fd: i32) {
    kernel.call(pid, calls::CLOSE_RANGE, b"", |call| (call.args[0], call.args[1]) = (fd as u64, 4096));
}

/// The holders of the only connection.
fn holders(kernel: &Kernel) -> Vec<Holder> {
    let mut connections = kernel.analysis.report(sample::report().session).connections;
    assert_eq!(connections.len(), 1);
    connections.swap_remove(0).holders
}

#[test]
fn however_its_user_closes_it_who_keeps_it_is_told() {
    let closes: [(&str, Does); 5] = [
        ("close", |kernel, fd| kernel.close(P, fd)),
        ("close_range", |kernel, fd| close_range(kernel, P, fd)),
        ("dup2", |kernel, fd| {
            let other = kernel.open(P, "/dev/null");
            kernel.copy(P, other, fd);
        }),
        ("close", |kernel, fd| {
            kernel.copy(P, fd, 30);
            kernel.close(P, fd);
            kernel.close(P, 30);
        }),
        // What it closed could not be taken.
        ("close", |kernel, fd| {
            kernel.call(P, calls::CLOSE, b"", |call| (call.fd, call.file) = (fd, FileRef::NONE));
        }),
    ];
    for (at, (call, close)) in closes.iter().enumerate() {
        let mut kernel = Kernel::new();
        let fd = kernel.connect(P, 80);
        kernel.send(P, fd, b"hello");
        kernel.fork(P, C, 0);
        close(&mut kernel, fd);
        kernel.wait(1_000_000_000);
        kernel.open(P, "/later");
        assert_eq!(kernel.findings(), [("pinned-connection", C, Some(fd))], "{at}");
        let finding = kernel.analysis.findings().last().expect("found");
        assert_eq!(finding.evidence.last().and_then(|step| step.syscall.as_deref()), Some(*call), "{at}");
        let closed: Vec<bool> = holders(&kernel).iter().map(|holder| holder.closed_at.is_some()).collect();
        assert_eq!(closed, [true, false], "{at}");
    }
}

#[test]
fn one_of_two_numbers_that_is_closed_gives_nothing_up() {
    for both_end in [false, true] {
        let mut kernel = Kernel::new();
        let fd = kernel.connect(P, 80);
        kernel.send(P, fd, b"hello");
        kernel.fork(P, C, 0);
        kernel.copy(P, fd, 30);
        kernel.close(P, fd);
        kernel.wait(1_000_000_000);
        kernel.send(P, 30, b"more");
        kernel.wait(1_000_000_000);
        kernel.open(P, "/later");
        assert_eq!(kernel.findings(), []);
        if both_end {
            kernel.exit(C);
            kernel.exit(P);
        }
        let told: Vec<_> =
            holders(&kernel).iter().map(|holder| (holder.pid, holder.fd, holder.closed_at)).collect();
        let [of_parent, of_child] = &told[..] else { panic!("two hold it: {told:?}") };
        assert_eq!((of_parent.0, of_parent.1, of_child.0), (P, 30, C));
        // Which is the end of the process, not of its other number.
        assert!(of_parent.2.is_none_or(|time| both_end && time >= of_child.2.expect("it ended first")));
        assert_eq!(of_child.2.is_some(), both_end, "{told:?}");
    }
}

#[test]
fn an_exec_closes_too() {
    let mut kernel = Kernel::new();
    let fd = kernel.connect(P, 80);
    kernel.fork(P, C, 0);
    kernel.call(C, calls::FCNTL, b"", |call| (call.fd, call.args[1], call.args[2]) = (fd, 2, 1));
    kernel.exec(C);
    let of_child = holders(&kernel).into_iter().find(|holder| holder.pid == C).expect("it held it");
    assert!(of_child.closed_at.is_some());
}

/// A service starts many programs; the one child that goes on with the connection is no less its user.
#[test]
fn who_only_held_it_takes_no_place_of_who_uses_it() {
    let mut kernel = Kernel::new();
    let fd = kernel.connect(P, 80);
    kernel.send(P, fd, b"hello");
    kernel.call(P, calls::FCNTL, b"", |call| (call.fd, call.args[1], call.args[2]) = (fd, 2, 1));
    for child in 1000..1400 {
        kernel.fork(P, child, 0);
        kernel.exec(child);
        kernel.exit(child);
    }
    kernel.fork(P, C, 0);
    kernel.send(C, fd, b"goes on");
    kernel.close(P, fd);
    kernel.wait(2_000_000_000);
    kernel.open(P, "/later");
    assert_eq!(kernel.findings(), []);
    let holders = holders(&kernel);
    assert!(holders.len() < 20 && holders.iter().any(|holder| holder.pid == C), "{}", holders.len());
}

/// A thread takes a table of its own again and again; another one has the first, until
/// the program is executed.
#[test]
fn tables_of_threads_are_given_up_with_them() {
    let mut kernel = Kernel::new();
    let fd = kernel.connect(P, 80);
    kernel.fork(P, 101, CLONE_THREAD | CLONE_FILES);
    for _ in 0..3 {
        kernel.call(P, calls::UNSHARE, b"", |_| ());
    }
    kernel.close(P, fd);
    let is_held = |kernel: &Kernel| kernel.analysis.model.sockets().any(Socket::may_be_held);
    assert!(is_held(&kernel), "the other thread has it");
    kernel.exec(P);
    assert!(!is_held(&kernel));
}

#[test]
fn who_has_ended_holds_nothing_whoever_had_the_same_table() {
    let mut kernel = Kernel::new();
    let fd = kernel.connect(P, 80);
    kernel.fork(P, C, CLONE_FILES);
    kernel.exit(C);
    let model = &kernel.analysis.model;
    let id = |pid| model.by_pid(pid).expect("it is known").id;
    let socket = model.sockets().next().expect("a socket").id;
    assert_eq!([P, C].map(|pid| model.holds_socket(id(pid), socket, fd)), [true, false]);
}
