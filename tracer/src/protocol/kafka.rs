//! Kafka's protocol (Kafka protocol guide). It has no goodbye: clients close.

mod message;

use super::keyed::Keyed;
use super::speech::{Session, Speech, Start};
use super::walker::Walker;
use super::{Chunk, Direction, InFlight, Protocol, Sign, User};
use message::Request;

pub(super) const SPEECH: Speech = Speech {
    protocol: Protocol::Kafka,
    name: "Kafka",
    in_user_memory: true,
    opens: message::opens,
    may_open: message::may_open,
    fits: message::fits,
    session: |start| Box::new(Kafka::new(start)),
};

/// One Kafka session. A response has its request's correlation id, and comes in the requests' order ("Network").
#[derive(Debug)]
struct Kafka {
    client: Option<Direction>,
    walkers: [Walker; 2],
    asked: Keyed,
}

impl Kafka {
    fn new(start: Start) -> Self {
        Self {
            client: start.client,
            walkers: start.fresh.map(Walker::new),
            asked: Keyed::new(start.fresh[0] && start.fresh[1]),
        }
    }
}

impl Session for Kafka {
    fn feed(&mut self, user: User, dir: Direction, chunk: Chunk<'_>, out: &mut dyn FnMut(Sign)) {
        if self.client.is_none() && chunk.fits(message::fits).is_some() {
            self.client = Some(dir);
        }
        let at = dir.index();
        let client = self.client == Some(dir);
        let fits = if client { message::fits } else { message::resumes };
        let head = if client { message::request_head } else { message::response_head };
        let mut cursor = self.walkers[at].start(user, dir, chunk, fits, out);
        if !client && self.walkers[at].payload_of().is_some() {
            self.asked.read_on(user, out);
        }
        while let Some(found) = self.walkers[at].next(&mut cursor, head) {
            if client {
                if let Some(request) = Request::parse(found.head()) {
                    // Produced with acks=0, a message has no response.
                    let silent = request.key == message::PRODUCE;
                    self.asked.request(request.correlation.into(), user, silent, out);
                }
            } else if let Some(correlation) = message::correlation(found.head()) {
                self.asked.reply(correlation.into(), user, out);
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
