//! MongoDB's protocol (MongoDB specification, "MongoDB Wire Protocol"). It has no goodbye: clients close.

mod message;

use super::keyed::Keyed;
use super::speech::{Session, Speech, Start};
use super::walker::Walker;
use super::{Chunk, Direction, InFlight, Protocol, Sign, User};
use message::{Answered, Message};

pub(super) const SPEECH: Speech = Speech {
    protocol: Protocol::MongoDb,
    name: "MongoDB",
    in_user_memory: true,
    opens: message::opens,
    may_open: message::may_open,
    fits: message::fits,
    session: |start| Box::new(MongoDb::new(start)),
};

/// One MongoDB session. A reply has the id of its request.
#[derive(Debug)]
struct MongoDb {
    client: Option<Direction>,
    walkers: [Walker; 2],
    asked: Keyed,
}

impl MongoDb {
    fn new(start: Start) -> Self {
        Self {
            client: start.client,
            walkers: start.fresh.map(Walker::new),
            asked: Keyed::new(start.fresh[0] && start.fresh[1]),
        }
    }
}

impl Session for MongoDb {
    fn feed(&mut self, user: User, dir: Direction, chunk: Chunk<'_>, out: &mut dyn FnMut(Sign)) {
        if self.client.is_none() {
            let side = chunk.fits(message::fits).and_then(|fit| fit.from);
            self.client = side.map(|side| side.client_when(dir));
        }
        let at = dir.index();
        let mut cursor = self.walkers[at].start(user, dir, chunk, message::fits, out);
        if self.client == Some(dir.other()) && self.walkers[at].payload_of().is_some() {
            self.asked.read_on(user, out);
        }
        while let Some(found) = self.walkers[at].next(&mut cursor, message::head) {
            let Some(message) = Message::parse(found.head()) else { continue };
            match self.client {
                Some(client) if client == dir => match message.answered() {
                    Answered::Never => {}
                    Answered::Always => self.asked.request(message.id.into(), user, false, out),
                    Answered::Perhaps => self.asked.request(message.id.into(), user, true, out),
                },
                Some(_) => self.asked.reply(message.answers.into(), user, out),
                None => {}
            }
        }
        if self.walkers[at].is_lost() {
            self.asked.doubt();
        }
    }

    fn skip(&mut self, dir: Direction) {
        self.walkers[dir.index()].lose();
        self.asked.doubt();
    }

    fn in_flight(&self) -> InFlight {
        let is_client = self.client == Some(Direction::Sent);
        if is_client { self.asked.in_flight() } else { InFlight::Unknown }
    }
}

#[cfg(test)]
mod tests;
