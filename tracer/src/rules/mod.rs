//! What goes wrong with connections across fork: one file or folder a rule.
//!
//! Each file reads from top to bottom: what the rule means to the user (`forkscope explain` and the guide
//! show that very text), and the check. A rule sees the model and one change, and does no I/O. The tests are
//! stories in `analysis/tests`, since one cause is one finding, whichever rules see it.

mod draft;
mod drafts;
mod enotsock;
mod exec_leak;
mod fix;
mod foreign_goodbye;
mod fork_in_flight;
mod history;
mod inherited_connection;
mod later;
mod misdirected_bytes;
mod pinned_connection;
mod pre_exec_io;
mod shared_epoll;
mod shared_stream;
mod shared_wakeup;
mod stale_descriptor;
mod stalled_child;
mod stolen_reply;
mod stream;
mod turns;
mod under_way;

pub use draft::{Cause, Claim, Draft, Says, Step};
pub use drafts::{Drafts, Known, Said};
pub use fix::{Server, fixes};

use crate::model::{Change, Model, ProcId, Topic};
use crate::report::{Confidence, RuleId, Severity};

/// A rule of the catalogue.
pub trait Rule {
    /// The topics of the changes that it wants: it is shown no others.
    fn topics(&self) -> &[Topic];

    /// Looks at one change, after the model has taken it in.
    fn check(&mut self, model: &Model, change: &Change, out: &mut Drafts<'_>);

    /// For findings that become true only after a while: called a few times in a second of the events' time.
    fn tick(&mut self, _model: &Model, _out: &mut Drafts<'_>) {}
}

/// What the catalogue says of a rule.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Its name.
    pub id: RuleId,
    /// The severity that it normally has.
    pub severity: Severity,
    /// What it means, why it matters, how to fix it: Markdown.
    pub text: &'static str,
}

/// All rules, as users list them.
#[must_use]
pub fn catalogue() -> [Entry; RuleId::ALL.len()] {
    RuleId::ALL.map(|id| {
        let (severity, text) = match id {
            RuleId::Enotsock => (Severity::Error, enotsock::TEXT),
            RuleId::StaleDescriptor => (Severity::Error, stale_descriptor::TEXT),
            RuleId::MisdirectedBytes => (Severity::Error, misdirected_bytes::TEXT),
            RuleId::SharedStream => (Severity::Error, shared_stream::TEXT),
            RuleId::StolenReply => (Severity::Error, stolen_reply::TEXT),
            RuleId::ForeignGoodbye => (Severity::Error, foreign_goodbye::TEXT),
            RuleId::PreExecIo => (Severity::Error, pre_exec_io::TEXT),
            RuleId::StalledChild => (Severity::Error, stalled_child::TEXT),
            RuleId::SharedEpoll => (Severity::Error, shared_epoll::TEXT),
            RuleId::SharedWakeup => (Severity::Warning, shared_wakeup::TEXT),
            RuleId::PinnedConnection => (Severity::Warning, pinned_connection::TEXT),
            RuleId::ExecLeak => (Severity::Warning, exec_leak::TEXT),
            RuleId::ForkInFlight => (Severity::Warning, fork_in_flight::TEXT),
            RuleId::InheritedConnection => (Severity::Info, inherited_connection::TEXT),
        };
        Entry { id, severity, text }
    })
}

/// A fresh set of the rules.
#[must_use]
pub fn all() -> Vec<Box<dyn Rule>> {
    vec![
        Box::new(enotsock::Enotsock),
        Box::new(stale_descriptor::StaleDescriptor::default()),
        Box::new(misdirected_bytes::MisdirectedBytes),
        Box::new(stolen_reply::StolenReply::default()),
        // Before the rule that says less of the same turns.
        Box::new(pre_exec_io::PreExecIo::default()),
        Box::new(shared_stream::SharedStream),
        Box::new(foreign_goodbye::ForeignGoodbye),
        Box::new(stalled_child::StalledChild::default()),
        Box::new(shared_epoll::SharedEpoll::default()),
        Box::new(shared_wakeup::SharedWakeup),
        Box::new(pinned_connection::PinnedConnection::default()),
        Box::new(exec_leak::ExecLeak::default()),
        Box::new(fork_in_flight::ForkInFlight::default()),
        Box::new(inherited_connection::InheritedConnection),
    ]
}

/// How sure a finding is: certain where every step was seen, and nothing of its processes could be unseen.
fn confidence(model: &Model, steps_seen: bool, processes: &[ProcId]) -> Confidence {
    let some_unseen = |id: &ProcId| model.process(*id).is_some_and(|process| process.uring || process.compat);
    if steps_seen && !model.has_losses() && !processes.iter().any(some_unseen) {
        Confidence::Certain
    } else {
        Confidence::Likely
    }
}
