//! MongoDB's protocol (MongoDB specification, "MongoDB Wire Protocol"). It has no goodbye: clients close.

mod message;

use super::keyed::{Dialect, Heard, Keyed, KeyedSession};
use super::speech::{Fits, Side, Speech};
use super::walker::Head;
use super::{Protocol, Sign};
use message::{Answered, Message};

pub(super) const SPEECH: Speech = Speech {
    protocol: Protocol::MongoDb,
    name: "MongoDB",
    in_user_memory: true,
    opens: message::opens,
    may_open: message::may_open,
    fits: message::fits,
    session: |start| Box::new(KeyedSession::<MongoDb>::new(start)),
};

/// A reply has the id of its request.
#[derive(Debug, Default)]
struct MongoDb;

impl Dialect for MongoDb {
    const FITS: Fits = message::fits;

    fn head(_from: Option<Side>, bytes: &[u8]) -> Head {
        message::head(bytes)
    }

    fn hear(&mut self, heard: &Heard<'_>, asked: &mut Keyed, out: &mut dyn FnMut(Sign)) {
        let Some(message) = Message::parse(heard.message.head()) else { return };
        match (heard.from, message.answered()) {
            (Side::Client, Answered::Never) => {}
            (Side::Client, Answered::Always) => asked.request(message.id.into(), heard.user, false, out),
            (Side::Client, Answered::Perhaps) => asked.request(message.id.into(), heard.user, true, out),
            (Side::Server, _) => asked.reply(message.answers.into(), heard.user, out),
        }
    }
}

#[cfg(test)]
mod tests;
