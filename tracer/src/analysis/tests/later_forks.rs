//! Forks after the one that a connection crossed first: what counts is which of them parted two processes.

use super::{C, Kernel, P, QUERY, STARTUP, ask, session};
use crate::model::SockId;

const D: u32 = 300;

/// A program that has started another one, went on with its session, and then hands it over:
/// to a daemon, to a worker.
#[test]
fn a_session_handed_over_after_an_earlier_fork() {
    use forkscope_proto::process::{CLONE_VFORK, CLONE_VM};
    for flags in [0, CLONE_VM | CLONE_VFORK] {
        let mut kernel = Kernel::new();
        let fd = session(&mut kernel);
        // subprocess.run(["git", "describe"])
        kernel.fork(P, D, flags);
        kernel.exec(D);
        kernel.exit(D);
        ask(&mut kernel, P, fd);
        kernel.fork(P, C, 0);
        kernel.exit(P);
        ask(&mut kernel, C, fd);
        assert_eq!(kernel.findings(), [], "{flags:#x}");
    }
    // Handed over twice: each has the newest copy of the session's state.
    let mut kernel = Kernel::new();
    let fd = session(&mut kernel);
    kernel.fork(P, C, 0);
    kernel.exit(P);
    ask(&mut kernel, C, fd);
    kernel.fork(C, D, 0);
    kernel.exit(C);
    ask(&mut kernel, D, fd);
    assert_eq!(kernel.findings(), []);
}

/// Between the fork that made a worker and a later one the parent went on: it has not
/// handed the session over.
#[test]
fn a_session_used_after_a_fork_and_before_another() {
    let mut kernel = Kernel::new();
    let fd = session(&mut kernel);
    kernel.fork(P, D, 0);
    kernel.exit(D);
    ask(&mut kernel, P, fd);
    kernel.fork(P, C, 0);
    ask(&mut kernel, P, fd);
    kernel.fork(P, D + 1, 0);
    ask(&mut kernel, C, fd);
    assert_eq!(kernel.findings(), [("shared-stream", C, Some(fd))]);
    let finding = kernel.analysis.findings().last().expect("found");
    let forks: Vec<_> = finding.evidence.iter().filter(|step| step.what.starts_with("forked")).collect();
    assert!(forks.len() == 1 && forks[0].what.contains("200"), "the fork that parted them: {forks:?}");
}

/// rsync's daemon takes an upload: the daemon accepts and forks; that process greets, forks again, and has
/// one write (the generator) and the other read (the receiver).
#[test]
fn one_writes_and_one_reads_below_a_daemon() {
    let mut kernel = Kernel::new();
    let fd = kernel.accept(P, 873);
    kernel.fork(P, C, 0);
    kernel.close(P, fd);
    kernel.send(C, fd, b"@RSYNCD: 31.0\n");
    kernel.receive(C, fd, b"@RSYNCD: 31.0\n");
    kernel.fork(C, D, 0);
    for _ in 0..8 {
        kernel.send(C, fd, b"some more");
        kernel.receive(D, fd, b"some more");
    }
    assert_eq!(kernel.findings(), []);
}

/// A process that forks often, as one that starts programs, is remembered by few turns, and what it has done
/// since a child's fork is not lost among them.
#[test]
fn turns_of_one_process_between_its_forks_are_few() {
    let mut kernel = Kernel::new();
    let fd = session(&mut kernel);
    kernel.fork(P, C, 0);
    for other in 0..9 {
        ask(&mut kernel, P, fd);
        kernel.fork(P, D + other, 0);
        kernel.exit(D + other);
    }
    ask(&mut kernel, C, fd);
    let id = SockId(kernel.connections()[0].id);
    let socket = kernel.analysis.model.socket(id).expect("the session's");
    let turns: Vec<_> = socket.turns.iter().map(|turn| (turn.process, turn.sent)).collect();
    let (sent, own) = (turns.iter().map(|turn| turn.1).sum::<u64>(), turns.len() - 1);
    assert!(own <= 3 && turns[..own].iter().all(|turn| turn.0 != turns[own].0), "{turns:?}");
    assert_eq!(sent, (STARTUP.len() + 10 * QUERY.len()) as u64, "nothing is lost: {turns:?}");
    assert_eq!(kernel.findings(), [("shared-stream", C, Some(fd))]);
}
