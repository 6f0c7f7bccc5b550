//! What each kind of event does to the model.

use super::process::Process;
use super::{Change, Model, Origin, ProcId};
use crate::event::{Event, What};

impl Model {
    /// Takes in an event; what it changed is added to `out`.
    pub fn apply(&mut self, event: &Event<'_>, out: &mut Vec<Change>) {
        self.now = self.now.max(event.time);
        self.noted.kept.clear();
        // The last of several threads that end at once may be told more than once.
        if matches!(event.what, What::Exit(_)) && !self.living.contains_key(&event.process.tgid) {
            return;
        }
        let process = self.known(event.process, out);
        let at = Origin { time: event.time, process, tid: event.tid, nr: 0 };
        self.noted(process, event);
        match event.what {
            What::Fork(fork) => self.fork(at, fork, out),
            What::Exec(exec, cmdline) => self.exec(at, exec, cmdline, out),
            What::Exit(exit) => self.exit(at, exit, out),
            What::Call(call, payload) => self.call(Origin { nr: call.header.nr, ..at }, call, payload, out),
            What::Io(io, payload) => self.transfer(Origin { nr: io.header.nr, ..at }, io, payload, out),
            What::Socket(socket, path) => {
                if self.describe(at, socket, path) {
                    out.push(Change::Connected { process });
                }
            }
            What::Plaintext(record, payload) => {
                self.plaintext(Origin { nr: record.header.nr, ..at }, record, payload, out);
            }
            What::Uring(io) => self.uring(Origin { nr: io.header.nr, ..at }, io, out),
            What::Passed(passed) => self.passed(Origin { nr: passed.header.nr, ..at }, passed),
            What::Compat => self.with(process, |process| process.compat = true),
            What::Snapshot(snapshot) => self.snapshot(at, snapshot, out),
            What::Glance(glance) => {
                if self.glance(process, event.time, glance) {
                    out.push(Change::Glanced { process });
                }
            }
        }
    }

    pub(super) fn with(&mut self, id: ProcId, change: impl FnOnce(&mut Process)) {
        if let Some(process) = self.processes.get_mut(&id) {
            change(process);
        }
    }
}
