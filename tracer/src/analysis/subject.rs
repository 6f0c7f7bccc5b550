//! What filters are held against: events and findings, with what the model knows of them.

use super::{Analysis, report::spoken};
use crate::errno;
use crate::event::{Event, What};
use crate::filter::{Few, Subject};
use crate::model::{SockId, Socket};
use crate::protocol::Protocol;
use crate::report::Finding;
use forkscope_proto::{Call, FileRef, Passed};

impl Analysis {
    /// An event that was taken in, by its columns; `text` is its line. Allocates nothing.
    #[must_use]
    pub fn event_subject<'a>(&'a self, event: &Event<'a>, text: &'a str) -> Subject<'a> {
        let errno = event.what.result().and_then(errno::of);
        let subject = Subject {
            pid: Some(event.process.tgid),
            other_pids: match event.what {
                What::Fork(record) => std::slice::from_ref(&record.child_tgid),
                _ => &[],
            },
            comm: self.comm(event.process.tgid),
            call: event.what.call(),
            errno: errno.map(|errno| errno::name(errno).unwrap_or(Subject::UNNAMED)),
            fds: descriptors(&event.what),
            text,
            ..Subject::default()
        };
        match event.what {
            What::Call(Call { file, other, replaced, .. }, _) => self.on(subject, [file, replaced, other]),
            What::Io(record, _) => self.on(subject, [&record.file]),
            What::Uring(record) => self.on(subject, [&record.file]),
            What::Plaintext(record, _) => self.on(subject, [&record.file]),
            What::Passed(record) => {
                self.on(subject, record.fds[..listed(record)].iter().map(|one| &one.file))
            }
            What::Fork(_) | What::Exec(..) | What::Exit(_) | What::Socket(..) | What::Compat => subject,
            What::Snapshot(_) | What::Glance(_) => subject,
        }
    }

    /// A finding by its columns; `text` is what is shown of it.
    #[must_use]
    pub fn finding_subject<'a>(&'a self, finding: &'a Finding, text: &'a str) -> Subject<'a> {
        let socket = finding.connection.and_then(|id| self.model.socket(SockId(id)));
        let subject = Subject {
            pid: Some(finding.pid),
            other_pids: &finding.other_pids,
            comm: self.comm(finding.pid),
            other_comms: finding.other_pids.iter().filter_map(|pid| self.comm(*pid)).collect(),
            call: finding.syscall.as_deref(),
            errno: finding.errno.as_deref(),
            fds: finding.fd.and_then(|fd| u32::try_from(fd).ok()).into_iter().collect(),
            connections: finding.connection.into_iter().collect(),
            rule: Some(finding.rule),
            severity: Some(finding.severity),
            text,
            ..Subject::default()
        };
        speaking(subject, socket)
    }

    fn comm(&self, pid: u32) -> Option<&str> {
        self.model.by_pid(pid).map(|process| &*process.comm).filter(|comm| !comm.is_empty())
    }

    /// With the connections behind these.
    fn on<'a, 'b>(
        &'a self,
        subject: Subject<'a>,
        files: impl IntoIterator<Item = &'b FileRef>,
    ) -> Subject<'a> {
        let mut sockets = files.into_iter().filter_map(|file| self.model.connection_behind(file)).peekable();
        let first = sockets.peek().copied();
        let connections = sockets.map(|socket| socket.id.0).collect();
        speaking(Subject { connections, ..subject }, first)
    }
}

fn speaking<'a>(subject: Subject<'a>, socket: Option<&'a Socket>) -> Subject<'a> {
    let protocol = socket.and_then(spoken).map(Protocol::name);
    let tls = socket.is_some_and(|socket| socket.protocol() == Protocol::Tls);
    Subject { protocol, tls, ..subject }
}

/// The descriptors that an event names.
fn descriptors(what: &What<'_>) -> Few {
    let of = |fds: [i32; 2]| fds.into_iter().filter_map(|fd| u32::try_from(fd).ok()).collect();
    match what {
        What::Call(record, _) => of([record.fd, record.other_fd]),
        What::Io(record, _) => of([record.fd, -1]),
        What::Plaintext(record, _) => of([record.fd, -1]),
        What::Passed(record) => {
            let arrived = record.fds[..listed(record)].iter().map(|passed| passed.fd);
            std::iter::once(record.via).chain(arrived).filter_map(|fd| u32::try_from(fd).ok()).collect()
        }
        What::Fork(_) | What::Exec(..) | What::Exit(_) | What::Socket(..) | What::Uring(_) => Few::default(),
        What::Compat | What::Snapshot(_) | What::Glance(_) => Few::default(),
    }
}

/// How many of the descriptors that arrived are listed.
fn listed(record: &Passed) -> usize {
    (record.count as usize).min(Passed::MOST)
}
