//! What a look at a hung pair comes to. The whole of it, as text, is compared in `sinks::inspect`.

use super::sample::{CHILD, PARENT, SERVER, look, session};
use super::*;
use crate::report::{Connection, SharedKind};

fn connection(report: &Report, inode: u64) -> &Connection {
    report.connections.iter().find(|connection| connection.inode == inode).expect("seen")
}

#[test]
fn holders_ends_and_guesses() {
    let report = report(&look(), session());
    let (client, server) = (connection(&report, 101), connection(&report, 102));
    assert_eq!((client.peer, server.peer), (Some(server.id), Some(client.id)));
    let holders: Vec<_> =
        client.holders.iter().map(|holder| (holder.pid, holder.fd, holder.open_file)).collect();
    assert_eq!(holders, [(PARENT, 3, Some(1)), (CHILD, 3, Some(1))]);
    assert_eq!(client.creator, None, "nobody saw it");
    assert_eq!(client.creator_guess.as_ref().map(|guess| guess.pid), Some(PARENT));
    let guess = client.protocol_guess.as_ref().expect("the listener is known");
    assert_eq!((&*guess.name, &*guess.why), ("Redis", &*format!("redis-server ({SERVER}) listens there")));
    let (one, other) = (connection(&report, 201), connection(&report, 202));
    assert_eq!((one.peer, other.peer), (Some(other.id), Some(one.id)));
    assert_eq!(other.holders.iter().map(|holder| holder.open_file).collect::<Vec<_>>(), [None, None]);
}

#[test]
fn threads_lead_to_what_they_wait_on() {
    let report = report(&look(), session());
    let wait = |pid| report.process(pid).and_then(|p| p.threads.last()?.waits.clone()).expect("it waits");
    let (child, server) = (wait(CHILD), wait(SERVER));
    assert_eq!((child.syscall.as_deref(), &child.fds[..]), (Some("recvfrom"), &[3][..]));
    assert_eq!(child.connections, [connection(&report, 101).id]);
    assert_eq!((server.syscall.as_deref(), &server.fds[..]), (Some("poll"), &[6, 4][..]));
    assert_eq!(server.connections, [connection(&report, 102).id]);
    let listener = report.files.iter().find(|file| file.inode == Some(900)).expect("waited on");
    assert_eq!((server.files, listener.address.as_deref()), (vec![listener.id], Some("127.0.0.1:7777")));
}

#[test]
fn files_that_nobody_shares_are_left_out() {
    let mut look = look();
    look.processes.retain(|process| process.key.tgid == PARENT);
    let report = report(&look, session());
    assert!(report.files.is_empty(), "{:#?}", report.files);
    assert_eq!(report.connections.len(), 3);
    assert!(report.connections.iter().all(|connection| connection.creator_guess.is_none()));
}

#[test]
fn without_an_answer_about_open_files_copies_are_alike() {
    let mut look = look();
    for entry in look.processes.iter_mut().flat_map(|process| &mut process.descriptors) {
        entry.open_file = None;
        entry.eventfd.0 = None;
    }
    let report = report(&look, session());
    for kind in [SharedKind::Epoll, SharedKind::Eventfd] {
        let shared: Vec<_> = report.files.iter().filter(|file| file.kind == kind).collect();
        let holders: Vec<_> =
            shared.iter().flat_map(|file| &file.holders).map(|h| (h.pid, h.open_file)).collect();
        assert_eq!((shared.len(), holders), (1, vec![(PARENT, None), (CHILD, None)]), "{kind:?}");
    }
}

#[test]
fn the_report_goes_round() {
    let report = report(&look(), session());
    let json = serde_json::to_string(&report).expect("a report is plain data");
    assert_eq!(serde_json::from_str::<Report>(&json).expect("what was written can be read"), report);
}
