//! See [`TEXT`].

mod met;
mod parts;

use super::{Drafts, Rule};
use crate::model::{Change, Failure, Model, Topic};
use crate::protocol::Sign;
use met::{End, Met, judge};
use parts::{cancelled, used_after_end};

/// What the rule means.
pub(super) const TEXT: &str = "\
A process ended a connection that another one still uses, and the other's next call failed.

After a fork parent and child hold one socket. Closing a copy of it disturbs nobody, but a goodbye does: `shutdown(2)`
works on the socket and not on the copy, and a message like PostgreSQL's Terminate, MySQL's COM_QUIT, AMQP's
Connection.Close, MQTT's DISCONNECT or TLS' close_notify tells the server to end the session, whoever sent it. Libraries
say goodbye when a connection object is closed, and some when it is merely freed: at the exit of a child that never used
it. The parent then gets EPIPE, a reset, or an end where it expected an answer: \"server closed the connection
unexpectedly\". With HTTP/2 a part of the session can be ended: a
child that cleans up after a fork cancels, with RST_STREAM, the calls that its parent has under way, which then hang.
With AMQP a child that closes its parent's channel makes the parent's next use of it an error, which ends the session.
With TLS up to 1.2 an alert can be told from other records, though not what it says once all is encrypted: it mostly is
close_notify. With TLS 1.3 it cannot be told: such a goodbye shows as `shared-stream`. With --tls-plaintext both are told,
and what was said inside.

A goodbye to the whole session alone is not reported: who hands a connection over lets the new owner end it. Nor is one
that is met by a goodbye only: who just wanted to end the session has lost nothing. Nor is one that answers the peer's end.

How to fix it: let the child drop its copy without a goodbye, or inherit none. With SQLAlchemy call
engine.dispose(close=False) in the child; end a forked child with os._exit(), which runs no destructors; or open
connections after the fork.";

/// The rule `foreign-goodbye`.
pub(super) struct ForeignGoodbye;

impl Rule for ForeignGoodbye {
    fn topics(&self) -> &[Topic] {
        &[Topic::Failed, Topic::StreamEnded, Topic::Said]
    }

    fn check(&mut self, model: &Model, change: &Change, out: &mut Drafts<'_>) {
        match *change {
            Change::Failed(Failure {
                by,
                fd,
                errno: errno @ (libc::EPIPE | libc::ECONNRESET),
                goodbye: false,
                ..
            }) => {
                let open = model.slot(by.process, by.tid, fd).and_then(|slot| slot.open.as_ref());
                if let Some(id) = open.and_then(|holding| holding.file.socket) {
                    let found = judge(model, id, &Met { by, fd, end: End::Errno(errno) }, out);
                    out.extend(found);
                }
            }
            Change::StreamEnded { socket, by, fd } => {
                let found = judge(model, socket, &Met { by, fd, end: End::Stream }, out);
                out.extend(found);
            }
            Change::Said { socket, by: at, fd, sign: Sign::Cancelled { stream, opener, .. } } => {
                out.extend(cancelled(model, socket, (at, fd), stream, opener.into()));
            }
            Change::Said { socket, by, fd, sign: Sign::PeerGoodbye { message, .. } } => {
                let found = judge(model, socket, &Met { by, fd, end: End::Message(message) }, out);
                out.extend(found);
            }
            Change::Said { socket, by: at, fd, sign: Sign::UsedAfterEnd { stream, by, .. } } => {
                out.extend(used_after_end(model, socket, (at, fd), stream, by.into()));
            }
            _ => {}
        }
    }
}
