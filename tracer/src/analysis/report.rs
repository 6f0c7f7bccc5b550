//! The report of a session, from the model and the findings.

use super::Analysis;
use crate::errno;
use crate::model::{Address, ProcId, Process, Socket, Usage};
use crate::protocol::{Protocol, TlsFacts};
use crate::report::{
    self, CallError, Confidence, Connection, Exit, Family, Holder, Library, Report, Session, TlsSession,
    Unseen,
};
use forkscope_proto::{Kind, calls};

impl Analysis {
    /// The report as of now.
    #[must_use]
    pub fn report(&self, session: Session) -> Report {
        let mut report = Report::new(session);
        let mut processes: Vec<&Process> = self.model.processes().collect();
        processes.sort_by_key(|process| process.id);
        report.processes = processes.into_iter().map(|process| self.process(process)).collect();
        let mut sockets: Vec<&Socket> =
            self.model.sockets().filter(|socket| socket.is_connection()).collect();
        sockets.sort_by_key(|socket| socket.id);
        let held = self.model.holders_of(&sockets.iter().map(|socket| socket.id).collect());
        report.connections = sockets
            .into_iter()
            .map(|socket| self.connection(socket, held.get(&socket.id).map_or(&[], Vec::as_slice)))
            .collect();
        report.findings = self.findings.clone();
        report.baseline = self.known.as_ref().map(|known| known.among(&report.findings));
        if self.model.has_holes() {
            // The loss may have been noticed after the finding was made.
            for finding in &mut report.findings {
                finding.confidence = finding.confidence.min(Confidence::Likely);
            }
        }
        // A stack is no event.
        for kind in Kind::ALL.into_iter().filter(|&kind| kind != Kind::Stack) {
            report.stats.events.insert(kind.name().to_owned(), self.events[kind as usize]);
        }
        report.stats.unresolved = self.model.unresolved();
        report.stats.corrected = self.model.corrected();
        report.stats.glances = self.glances;
        report.stats.tls_untied = self.model.untied();
        report
    }

    /// What is known of the process with this number; of several that had it one after the other, the last.
    #[must_use]
    pub fn process_told(&self, pid: u32) -> Option<report::Process> {
        self.model.by_pid(pid).map(|process| self.process(process))
    }

    fn process(&self, process: &Process) -> report::Process {
        let facts = process.facts.as_deref();
        let mut unseen = std::collections::BTreeSet::new();
        let marks = [
            (process.late, Unseen::LateAttach),
            (process.uring, Unseen::IoUring),
            (process.compat, Unseen::Calls32Bit),
            (self.model.has_losses(), Unseen::LostEvents),
        ];
        unseen.extend(marks.into_iter().filter(|(is, _)| *is).map(|(_, mark)| mark));
        report::Process {
            pid: process.pid(),
            ppid: process.ppid,
            comm: process.comm.to_string(),
            cmdline: process.words(),
            exe: facts.and_then(|facts| facts.exe.clone()),
            start: self.seconds(process.forked_at.unwrap_or(process.first_seen)),
            forked_at: process.forked_at.map(|time| self.seconds(time)),
            threads_at_fork: process.threads_at_fork,
            execs: process
                .execs
                .iter()
                .map(|(time, comm)| report::Exec { time: self.seconds(*time), comm: comm.to_string() })
                .collect(),
            exit: process.ended.map(|(time, status)| Exit {
                time: self.seconds(time),
                status: status.filter(|status| status & 0x7f == 0).map(|status| (status >> 8) as u8),
                signal: status.map(|status| (status & 0x7f) as u8).filter(|&signal| signal != 0),
            }),
            libraries: facts.map_or_else(Vec::new, |facts| {
                let library = |(name, (version, path)): (&String, &(Option<String>, String))| Library {
                    name: name.clone(),
                    version: version.clone(),
                    path: path.clone(),
                };
                facts.libraries.iter().map(library).collect()
            }),
            environment: facts.map(|facts| facts.environment.clone()).unwrap_or_default(),
            unseen,
            ns_pid: process.place.as_ref().and_then(|place| place.ns_pid),
            container: process.container().map(str::to_owned),
            ..report::Process::default()
        }
    }

    /// A connection in one line: its ends, what it speaks, and who opened it.
    #[must_use]
    pub fn connection_line(&self, id: u32) -> Option<String> {
        let socket = self.model.socket(crate::model::SockId(id))?;
        Some(self.connection(socket, &[]).describe())
    }

    fn connection(&self, socket: &Socket, held: &[(ProcId, i32)]) -> Connection {
        let name = |address: &Address| (*address != Address::None).then(|| address.to_string());
        Connection {
            id: socket.id.0,
            inode: socket.inode,
            cookie: Some(socket.cookie).filter(|&cookie| cookie != 0),
            family: Family::of(socket.family),
            local: name(&socket.local()),
            remote: name(&socket.remote()),
            protocol: spoken(socket).map(|protocol| protocol.name().to_owned()),
            tls: socket.protocol() == Protocol::Tls,
            tls_plaintext: socket.is_seen_inside(),
            tls_session: socket.tls().filter(|facts| **facts != TlsFacts::default()).map(tls_session),
            creator: Some(self.model.pid(socket.opened.process)).filter(|&pid| pid != 0),
            opened_at: (socket.opened.nr != 0).then(|| self.seconds(socket.opened.time)),
            holders: self.holders(socket, held),
            http2: self.http2(socket),
            accepted: socket.accepted,
            ..Connection::default()
        }
    }

    /// Who holds it now, and who used it.
    fn holders(&self, socket: &Socket, held: &[(ProcId, i32)]) -> Vec<Holder> {
        // Who closed one of several numbers for it holds it still.
        let holding = |&(id, fd)| Holder { closed_at: None, ..self.holder(socket, id, fd) };
        let mut holders: Vec<Holder> = held.iter().map(holding).collect();
        // The first to inherit it has had it until its end, where nobody saw it do anything with it.
        let heir =
            socket.crossed.map(|crossing| crossing.child).filter(|&child| socket.usage(child).is_none());
        let heir = heir.filter(|&child| self.model.process(child).is_some_and(|child| child.ended.is_some()));
        holders.extend(
            heir.zip(socket.users.first()).map(|(child, first)| self.holder(socket, child, first.fd)),
        );
        for usage in &socket.users {
            if !held.iter().any(|&(id, _)| id == usage.process) {
                holders.push(self.holder(socket, usage.process, usage.fd));
            }
        }
        holders.sort_by_key(|holder| (holder.pid, holder.fd));
        holders
    }

    fn holder(&self, socket: &Socket, id: ProcId, fd: i32) -> Holder {
        let process = self.model.process(id);
        let passed = socket.usage(id).is_some_and(|usage| usage.passed);
        let opened_here = id == socket.opened.process;
        // It was made before the connection: nothing of it came through its fork.
        let forked_at = process.and_then(|process| process.forked_at);
        let is_older = socket.opened.nr != 0 && forked_at.is_some_and(|at| at < socket.opened.time);
        let inherits = !(opened_here || passed || is_older);
        let parent = process.and_then(|process| process.parent).filter(|_| inherits);
        let mut holder = Holder {
            pid: self.model.pid(id),
            fd,
            inherited_from: parent.map(|parent| self.model.pid(parent)),
            passed,
            since: if inherits {
                forked_at.map(|time| self.seconds(time))
            } else {
                (opened_here && socket.opened.nr != 0).then(|| self.seconds(socket.opened.time))
            },
            closed_at: self.given_up(socket, id),
            ..Holder::default()
        };
        if let Some(usage) = socket.usage(id) {
            (holder.bytes_sent, holder.calls_sent) = usage.sent;
            (holder.bytes_received, holder.calls_received) = usage.received;
            holder.last_error = usage.last_error().map(|(time, nr, errno)| CallError {
                time: self.seconds(time),
                syscall: calls::name(nr).unwrap_or("?").to_owned(),
                errno: errno::name(errno).map_or_else(|| errno.to_string(), str::to_owned),
            });
        }
        holder
    }
}

impl Analysis {
    /// When a process gave up a socket that it does not hold any more: at its own end at the latest, or by
    /// now, where that was not seen.
    fn given_up(&self, socket: &Socket, id: ProcId) -> Option<f64> {
        let closed = socket.usage(id).and_then(Usage::closed_at);
        let process = self.model.process(id);
        let ended = process.and_then(|process| process.ended).map(|(time, _)| time);
        // Of its threads some may have a table of their own.
        let by_now = (!process.is_some_and(Process::has_tables_apart)).then(|| self.model.now());
        closed.or(ended).or(by_now).map(|time| self.seconds(time))
    }
}

/// What is spoken; inside TLS where that, or the server's choice, was seen.
pub(super) fn spoken(socket: &Socket) -> Option<Protocol> {
    if let Some(inside) = socket.protocol_inside() {
        return Some(inside);
    }
    let inside = match socket.tls().and_then(TlsFacts::chosen) {
        Some("h2") => Protocol::Http2,
        Some("http/1.1" | "http/1.0") => Protocol::Http1,
        _ => socket.protocol(),
    };
    (inside != Protocol::Unknown).then_some(inside)
}

fn tls_session(facts: &TlsFacts) -> TlsSession {
    TlsSession {
        version: facts.version().map(str::to_owned),
        server_name: facts.server_name().map(str::to_owned),
        alpn_offered: facts.offered().iter().map(ToString::to_string).collect(),
        alpn: facts.chosen().map(str::to_owned),
    }
}
