//! What makes a finding the same one in another session.

use super::{ANSWER, Kernel, QUERY, STARTUP, failed};
use crate::analysis::Analysis;
use crate::report::{Baseline, Finding, Severity};
use forkscope_proto::calls;

/// A session: processes of these numbers, and as many descriptors and connections open before.
struct Session {
    kernel: Kernel,
    parent: u32,
    child: u32,
    grandchild: u32,
}

impl Session {
    fn new(first: u32, before: usize) -> Self {
        let mut kernel = Kernel::new();
        let (parent, child, grandchild) = (first, first + 1, first + 2);
        kernel.fork(100, parent, 0);
        kernel.exec(parent);
        for port in 1..=before {
            kernel.connect(parent, port as u16);
        }
        Self { kernel, parent, child, grandchild }
    }

    /// The number of the connection that parent and child have from now on.
    fn forked(&mut self, port: u16) -> i32 {
        let fd = self.kernel.connect(self.parent, port);
        self.kernel.send(self.parent, fd, STARTUP);
        self.kernel.receive(self.parent, fd, ANSWER);
        self.kernel.fork(self.parent, self.child, 0);
        fd
    }

    /// A process closes the connection's number, something may take it, and a call on it fails.
    fn fails(&mut self, who: u32, fd: i32, nr: u16, taken: bool) {
        self.kernel.close(who, fd);
        let errno = if taken { libc::ENOTSOCK } else { libc::EBADF };
        if taken {
            self.kernel.open(who, "/dev/null");
        }
        self.kernel.transfer(who, nr, fd, b"", failed(errno));
    }

    fn uses(&mut self, who: u32, fd: i32) {
        self.kernel.send(who, fd, QUERY);
        self.kernel.receive(who, fd, ANSWER);
    }

    /// The finding that is no information.
    fn found(&self) -> Finding {
        self.kernel.findings();
        let told = self.kernel.analysis.findings().iter().filter(|finding| finding.severity > Severity::Info);
        let [one] = told.collect::<Vec<_>>()[..] else { panic!("{:?}", self.kernel.findings()) };
        one.clone()
    }
}

/// The fingerprint of the founding case, with one thing changed.
fn founding(first: u32, before: usize, port: u16, nr: u16, taken: bool) -> String {
    let mut session = Session::new(first, before);
    let fd = session.forked(port);
    session.fails(session.child, fd, nr, taken);
    session.found().fingerprint
}

#[test]
fn a_finding_is_the_same_under_other_numbers_and_another_for_another_cause() {
    let one = founding(300, 0, 5432, calls::SENDMSG, true);
    // The test kernel's children have no name.
    let expected = "enotsock; ?, child of program; PostgreSQL; tcp loopback port 5432; sendmsg ENOTSOCK";
    assert_eq!(one, expected);
    assert_eq!(founding(7000, 5, 5432, calls::SENDMSG, true), one);
    for other in [
        founding(300, 0, 5433, calls::SENDMSG, true),
        founding(300, 0, 5432, calls::RECVMSG, true),
        founding(300, 0, 5432, calls::SENDMSG, false),
    ] {
        assert_ne!(other, one);
    }
    // Ports that nobody chose are others each time.
    let free = [40_001, 50_002].map(|port| founding(300, 0, port, calls::SENDMSG, true));
    assert_eq!(free[0], free[1]);
}

#[test]
fn a_grandchild_is_another_than_a_child() {
    let mut session = Session::new(300, 0);
    let fd = session.forked(5432);
    session.kernel.fork(session.child, session.grandchild, 0);
    session.fails(session.grandchild, fd, calls::SENDMSG, true);
    assert!(session.found().fingerprint.contains("?, descendant of program"), "{:?}", session.found());
}

#[test]
fn who_was_first_and_what_was_seen_of_it_does_not_matter() {
    let by_turns = |order: fn(&Session) -> Vec<u32>| {
        let mut session = Session::new(300, 0);
        let fd = session.forked(5432);
        order(&session).into_iter().for_each(|who| session.uses(who, fd));
        session.found()
    };
    let one = by_turns(|session| vec![session.child, session.parent]);
    let other = by_turns(|session| vec![session.parent, session.child, session.parent]);
    assert_eq!(one.fingerprint, "sharing; ?, child of program; PostgreSQL; tcp loopback port 5432");
    assert_eq!(one.fingerprint, other.fingerprint);
    let mut session = Session::new(300, 0);
    let fd = session.forked(5432);
    session.uses(session.child, fd);
    session.kernel.send(session.parent, fd, QUERY);
    session.kernel.receive(session.child, fd, ANSWER);
    assert_eq!((session.found().rule.name(), session.found().fingerprint), ("stolen-reply", one.fingerprint));
}

#[test]
fn a_server_is_known_by_its_own_port() {
    let mut session = Session::new(300, 0);
    let fd = session.kernel.accept(session.parent, 8080);
    session.kernel.fork(session.parent, session.child, 0);
    session.fails(session.child, fd, calls::SENDMSG, true);
    assert!(session.found().fingerprint.contains("; tcp server port 8080; "), "{:?}", session.found());
}

#[test]
fn what_is_known_is_marked_and_what_was_not_found_is_stale() {
    let story = |known: Option<Baseline>| {
        let mut session = Session::new(300, 0);
        session.kernel.analysis =
            std::mem::replace(&mut session.kernel.analysis, Analysis::new(0, [].into())).knowing(known);
        let fd = session.forked(5432);
        session.fails(session.child, fd, calls::SENDMSG, true);
        let shown = session.kernel.analysis.take_fresh();
        let report = session.kernel.analysis.report(crate::report::sample::report().session);
        assert_eq!(shown.len(), report.findings.len());
        (report, session.found().known)
    };
    let (report, is_known) = story(None);
    assert_eq!((is_known, report.worst(), &report.baseline), (false, Some(Severity::Error), &None));
    let mut baseline = Baseline::default();
    let mut gone = report.findings[1].clone();
    gone.fingerprint = "gone".to_owned();
    baseline.learn(&report.findings);
    baseline.learn(&[gone]);
    let (report, is_known) = story(Some(baseline));
    assert_eq!((is_known, report.worst()), (true, Some(Severity::Info)));
    let baseline = report.baseline.expect("there is one");
    assert_eq!((baseline.entries, baseline.stale), (2, vec!["gone".to_owned()]));
}
