//! Connections that somebody holds who does not use them.

use super::{C, Kernel, P};
use crate::report::RuleId;
use forkscope_proto::arguments::{EPOLL_CTL_ADD, EPOLL_CTL_DEL};
use forkscope_proto::net::{TCP_CLOSE, TCP_CLOSE_WAIT, TCP_ESTABLISHED};
use forkscope_proto::{FileKind, calls};

#[test]
fn a_child_that_keeps_what_its_parent_closed() {
    let mut kernel = Kernel::new();
    let fd = kernel.connect(P, 80);
    kernel.send(P, fd, b"hello");
    kernel.fork(P, C, 0);
    kernel.close(P, fd);
    kernel.open(P, "/soon");
    assert_eq!(kernel.findings(), [], "the child may be about to close it");
    kernel.wait(1_000_000_000);
    kernel.open(P, "/later");
    assert_eq!(kernel.findings(), [("pinned-connection", C, Some(fd))]);
}

#[test]
fn what_a_child_closes_or_takes_over_is_not_pinned() {
    for what_the_child_does in [
        |kernel: &mut Kernel, fd| kernel.close(C, fd),
        |kernel: &mut Kernel, fd| kernel.send(C, fd, b"goes on"),
        |kernel: &mut Kernel, _| kernel.exit(C),
        |kernel: &mut Kernel, fd| kernel.shut_down(C, fd, 2),
    ] {
        let mut kernel = Kernel::new();
        let fd = kernel.connect(P, 80);
        kernel.send(P, fd, b"hello");
        kernel.fork(P, C, 0);
        what_the_child_does(&mut kernel, fd);
        kernel.close(P, fd);
        kernel.wait(2_000_000_000);
        kernel.open(P, "/later");
        assert_eq!(kernel.findings(), []);
    }
}

/// The first process of a server never used what it accepted for its child.
#[test]
fn a_server_that_only_accepts_lets_nothing_go() {
    let mut kernel = Kernel::new();
    let fd = kernel.accept(P, 80);
    kernel.fork(P, C, 0);
    kernel.close(P, fd);
    kernel.receive(C, fd, b"hello");
    kernel.wait(2_000_000_000);
    kernel.open(P, "/later");
    kernel.close(C, fd);
    kernel.wait(2_000_000_000);
    kernel.open(P, "/even later");
    assert_eq!(kernel.findings(), []);
}

/// It reads what the client says first, and leaves the rest to its child, whose answer takes long.
#[test]
fn a_server_that_begins_and_lets_a_child_go_on() {
    for (answers, goes_on, executes, pinned) in [
        (false, false, false, false),
        (true, false, false, true),
        (false, true, false, true),
        (false, false, true, true),
        (false, true, true, true),
    ] {
        let mut kernel = Kernel::new();
        let fd = kernel.accept(P, 80);
        kernel.receive(P, fd, b"hello");
        if answers {
            kernel.send(P, fd, b"all of it");
        }
        kernel.fork(P, C, 0);
        if executes {
            kernel.exec(C);
        }
        if goes_on {
            kernel.send(P, fd, b"answer");
        }
        kernel.close(P, fd);
        kernel.wait(2_000_000_000);
        kernel.open(P, "/later");
        let expected = [("pinned-connection", C, Some(fd))];
        assert_eq!(kernel.findings(), expected[..usize::from(pinned)], "{answers} {goes_on} {executes}");
    }
}

/// The child waits for an answer, or for what its parent has subscribed to.
#[test]
fn a_client_that_asks_and_lets_a_child_wait() {
    let get = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n".as_slice();
    let ok = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".as_slice();
    let subscribe = b"*2\r\n$9\r\nSUBSCRIBE\r\n$1\r\na\r\n".as_slice();
    let subscribed = b"*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n".as_slice();
    for (asks, is_told, executes, pinned) in [
        (get, None, false, false),
        (get, None, true, true),
        (get, Some(ok), false, true),
        (subscribe, Some(subscribed), false, false),
    ] {
        let mut kernel = Kernel::new();
        let fd = kernel.connect(P, 80);
        kernel.send(P, fd, asks);
        is_told.into_iter().for_each(|told| kernel.receive(P, fd, told));
        kernel.fork(P, C, 0);
        if executes {
            kernel.exec(C);
        }
        kernel.close(P, fd);
        kernel.wait(1_500_000_000);
        kernel.open(P, "/later");
        let expected = [("pinned-connection", C, Some(fd))];
        assert_eq!(kernel.findings(), expected[..usize::from(pinned)], "{}", asks.escape_ascii());
    }
}

#[test]
fn a_connection_that_a_program_does_not_know_of() {
    let mut kernel = Kernel::new();
    let fd = kernel.connect(P, 80);
    kernel.send(P, fd, b"hello");
    kernel.fork(P, C, 0);
    kernel.exec(C);
    kernel.send(P, fd, b"at once");
    assert_eq!(kernel.findings(), [], "the program may end in a moment");
    kernel.wait(1_000_000_000);
    kernel.send(P, fd, b"later");
    assert_eq!(kernel.findings(), [("exec-leak", C, Some(fd))]);
    kernel.close(P, fd);
    kernel.wait(2_000_000_000);
    kernel.open(P, "/later");
    assert_eq!(kernel.findings().len(), 1, "that it is pinned has the same cause");
}

/// A service that runs for long: neither its connections of the past nor programs that have
/// ended hide what leaks now.
#[test]
fn a_connection_that_leaks_after_many_others() {
    for stays in [false, true] {
        let mut kernel = Kernel::new();
        let connect = |kernel: &mut Kernel| {
            let fd = kernel.connect(P, 80);
            kernel.send(P, fd, b"hello");
            fd
        };
        let mut fd = connect(&mut kernel);
        for child in 0..2000 {
            kernel.fork(P, C + child, 0);
            kernel.exec(C + child);
            kernel.exit(C + child);
            if !stays {
                kernel.close(P, fd);
                fd = connect(&mut kernel);
            }
        }
        kernel.fork(P, C, 0);
        kernel.exec(C);
        kernel.wait(1_000_000_000);
        kernel.send(P, fd, b"later");
        assert_eq!(kernel.findings(), [("exec-leak", C, Some(fd))], "the same connection: {stays}");
    }
}

/// A server that executes a program for each client: the program is the connection's user from then on.
#[test]
fn a_connection_that_is_a_program_s_to_use_is_no_leak() {
    for its_owner_goes_on in [false, true] {
        let mut kernel = Kernel::new();
        let fd = kernel.connect(P, 80);
        kernel.fork(P, C, 0);
        kernel.exec(C);
        if its_owner_goes_on {
            kernel.receive(C, fd, b"hello");
        }
        kernel.wait(2_000_000_000);
        kernel.receive(C, fd, b"hello");
        if its_owner_goes_on {
            kernel.send(P, fd, b"and so does its owner: a matter of two rules, but not of this");
        }
        assert!(!kernel.findings().iter().any(|found| found.0 == "exec-leak"));
    }
}

#[test]
fn what_closes_on_exec_or_ends_soon_is_no_leak() {
    for ends in [false, true] {
        let mut kernel = Kernel::new();
        let fd = kernel.connect(P, 80);
        if !ends {
            kernel.call(P, calls::FCNTL, b"", |call| (call.fd, call.args[1], call.args[2]) = (fd, 2, 1));
        }
        kernel.fork(P, C, 0);
        kernel.exec(C);
        if ends {
            kernel.exit(C);
        }
        kernel.wait(2_000_000_000);
        kernel.send(P, fd, b"later");
        assert_eq!(kernel.findings(), []);
    }
}

/// A program closes what it was not given on purpose.
#[test]
fn a_program_that_closes_all_it_does_not_know_leaks_nothing() {
    let mut kernel = Kernel::new();
    let fd = kernel.connect(P, 80);
    kernel.send(P, fd, b"hello");
    kernel.fork(P, C, 0);
    kernel.exec(C);
    kernel.close(C, fd);
    kernel.wait(2_000_000_000);
    kernel.send(P, fd, b"more");
    assert_eq!(kernel.findings(), []);
}

/// `env X=1 program`: the first program of two has nothing any more, and the finding names the second.
#[test]
fn a_program_that_executes_another_leaks_once() {
    let mut kernel = Kernel::new();
    let fd = kernel.connect(P, 80);
    kernel.send(P, fd, b"hello");
    kernel.fork(P, C, 0);
    kernel.exec_as(C, "env", &["env", "X=1", "sleep"]);
    kernel.exec_as(C, "sleep", &["sleep"]);
    for _ in 0..3 {
        kernel.wait(2_000_000_000);
        kernel.send(P, fd, b"more");
    }
    assert_eq!(kernel.findings(), [("exec-leak", C, Some(fd))]);
    let finding = kernel.analysis.findings().last().expect("found");
    assert_eq!(finding.count, 1);
    assert!(finding.title.contains("leaked into sleep"), "{}", finding.title);
}

/// The report tells apart who inherited a connection and who was given it: one that is older
/// than it inherited nothing.
#[test]
fn who_was_given_a_connection_inherited_nothing() {
    let mut kernel = Kernel::new();
    kernel.fork(P, C, 0);
    let fd = kernel.connect(P, 80);
    kernel.send(P, fd, b"hello");
    let file = kernel.at(P, fd);
    kernel.call(C, calls::PIDFD_GETFD, b"", |call| (call.ret, call.fd, call.file) = (fd.into(), fd, file));
    kernel.fork(P, 300, 0);
    let connections = kernel.connections();
    let of = |pid: u32| connections[0].holders.iter().find(|holder| holder.pid == pid).expect("it holds it");
    let how = |pid| (of(pid).passed, of(pid).inherited_from, of(pid).since.is_some());
    assert_eq!(
        (how(P), how(C), how(300)),
        ((false, None, true), (true, None, false), (false, Some(P), true))
    );
}

#[test]
fn a_log_stream_that_a_child_has_as_its_standard_output() {
    for (number, told) in [(1, false), (30, true)] {
        let mut kernel = Kernel::new();
        let fd = kernel.connect(P, 601);
        kernel.send(P, fd, b"unit\n");
        kernel.copy(P, fd, number);
        kernel.close(P, fd);
        kernel.fork(P, C, 0);
        let (_, writer) = kernel.pipe(P);
        kernel.copy(P, writer, number);
        kernel.wait(2_000_000_000);
        kernel.open(P, "/later");
        let found = [("pinned-connection", C, Some(number))];
        assert_eq!(kernel.findings(), found[..usize::from(told)], "{number}");
    }
}

#[test]
fn a_program_that_has_it_as_its_standard_input_too() {
    for given in [true, false] {
        let mut kernel = Kernel::new();
        let fd = kernel.connect(P, 80);
        kernel.send(P, fd, b"hello");
        kernel.fork(P, C, 0);
        if given {
            kernel.copy(C, fd, 0);
        }
        kernel.exec(C);
        kernel.wait(1_000_000_000);
        kernel.send(P, fd, b"later");
        let found = [("exec-leak", C, Some(fd))];
        assert_eq!(kernel.findings(), found[..usize::from(!given)], "{given}");
    }
}

/// As openconnect does, which goes to the background.
#[test]
fn a_child_that_asks_for_more_has_taken_it_over() {
    for asks in [true, false] {
        let mut kernel = Kernel::new();
        let fd = kernel.connect(P, 443);
        kernel.send(P, fd, b"hello");
        kernel.fork(P, C, 0);
        if asks {
            kernel.receive_nothing(C, fd, libc::EAGAIN);
        }
        kernel.close(P, fd);
        kernel.exit(P);
        kernel.wait(2_000_000_000);
        kernel.open(C, "/later");
        let found = [("pinned-connection", C, Some(fd))];
        assert_eq!(kernel.findings(), found[..usize::from(!asks)], "{asks}");
    }
}

/// As HTTP clients do with an idle connection that poll(2) says something of: nothing is read. A client that
/// has ended its own direction only waits for more.
#[test]
fn what_the_peer_has_ended_waits_for_nobody() {
    for (accepts, state, is_warned) in [
        (false, TCP_ESTABLISHED, true),
        (false, TCP_CLOSE_WAIT, false),
        (false, TCP_CLOSE, false),
        (true, TCP_CLOSE_WAIT, true),
        (true, TCP_CLOSE, false),
    ] {
        let mut kernel = Kernel::new();
        let fd = if accepts { kernel.accept(P, 80) } else { kernel.connect(P, 80) };
        kernel.send(P, fd, b"hello");
        let address = kernel.connections()[0].local.clone();
        kernel.fork(P, C, 0);
        kernel.came_to(P, fd, state);
        kernel.close(P, fd);
        kernel.wait(2_000_000_000);
        kernel.open(P, "/later");
        let warning = [("pinned-connection", C, Some(fd))];
        assert_eq!(kernel.findings(), warning[..usize::from(is_warned)], "{accepts}, state {state}");
        let last = kernel.analysis.findings().last().expect("found");
        assert_eq!(last.rule, RuleId::PinnedConnection, "{accepts}, state {state}");
        assert_eq!(kernel.connections()[0].local, address, "a reset socket has forgotten it");
    }
}

#[test]
fn a_child_that_has_it_on_its_own_event_loop_has_taken_it_over() {
    type Then = fn(&mut Kernel, i32, i32);
    let nothing: Then = |_, _, _| ();
    let removes: Then = |kernel, epoll, fd| kernel.epoll(C, epoll, EPOLL_CTL_DEL, fd, 1);
    let closes: Then = |kernel, epoll, _| kernel.close(C, epoll);
    for (process, then, is_told) in
        [(C, nothing, false), (P, nothing, true), (C, removes, true), (C, closes, true)]
    {
        let mut kernel = Kernel::new();
        let fd = kernel.connect(P, 80);
        kernel.send(P, fd, b"hello");
        kernel.fork(P, C, 0);
        let epoll = kernel.make_kind(process, calls::EPOLL_CREATE1, FileKind::Epoll);
        kernel.epoll(process, epoll, EPOLL_CTL_ADD, fd, 1);
        then(&mut kernel, epoll, fd);
        kernel.close(P, fd);
        kernel.wait(2_000_000_000);
        kernel.open(P, "/later");
        let found = [("pinned-connection", C, Some(fd))];
        assert_eq!(kernel.findings(), found[..usize::from(is_told)], "{process}");
    }
}
