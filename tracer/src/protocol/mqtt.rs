//! MQTT 3.1, 3.1.1 and 5.0 (OASIS).

mod packet;

use super::keyed::Keyed;
use super::speech::{Session, Speech, Start};
use super::walker::Walker;
use super::{Chunk, Direction, InFlight, Protocol, Sign, User};
use packet::Packet;

pub(super) const SPEECH: Speech = Speech {
    protocol: Protocol::Mqtt,
    name: "MQTT",
    in_user_memory: true,
    opens: packet::opens,
    may_open: packet::may_open,
    fits: packet::fits,
    session: |start| Box::new(Mqtt::new(start)),
};

/// One MQTT session. What the client sends and the server acknowledges is a request: by its type and packet id.
#[derive(Debug)]
struct Mqtt {
    client: Option<Direction>,
    walkers: [Walker; 2],
    asked: Keyed,
}

/// Names a request: the type that asks, and its packet id.
fn key(kind: u8, id: u16) -> u64 {
    u64::from(kind) << 16 | u64::from(id)
}

/// The type of request that a packet of the server answers.
fn answers(kind: u8) -> Option<u8> {
    Some(match kind {
        packet::CONNACK => packet::CONNECT,
        packet::PUBACK | packet::PUBREC => packet::PUBLISH,
        packet::PUBCOMP => packet::PUBREL,
        packet::SUBACK => packet::SUBSCRIBE,
        packet::UNSUBACK => packet::UNSUBSCRIBE,
        packet::PINGRESP => packet::PINGREQ,
        _ => return None,
    })
}

impl Mqtt {
    fn new(start: Start) -> Self {
        Self {
            client: start.client,
            walkers: start.fresh.map(Walker::new),
            asked: Keyed::new(start.fresh[0] && start.fresh[1]),
        }
    }

    /// The client's packet.
    fn said(&mut self, user: User, dir: Direction, kind: u8, id: u16, out: &mut dyn FnMut(Sign)) {
        match kind {
            packet::DISCONNECT if dir == Direction::Sent => {
                out(Sign::Goodbye { by: user, message: "DISCONNECT" });
            }
            packet::CONNECT | packet::PINGREQ | packet::PUBREL | packet::SUBSCRIBE | packet::UNSUBSCRIBE => {
                self.asked.request(key(kind, id), user, false, out);
            }
            packet::PUBLISH if id != 0 => self.asked.request(key(kind, id), user, false, out),
            _ => {}
        }
    }

    /// The server's packet.
    fn answered(&mut self, user: User, dir: Direction, kind: u8, id: u16, out: &mut dyn FnMut(Sign)) {
        match answers(kind) {
            Some(request) => self.asked.reply(key(request, id), user, out),
            None => {
                self.asked.no_reply();
                if kind == packet::DISCONNECT && dir == Direction::Received {
                    out(Sign::PeerGoodbye { reader: user, message: "DISCONNECT" });
                }
            }
        }
    }
}

impl Session for Mqtt {
    fn feed(&mut self, user: User, dir: Direction, chunk: Chunk<'_>, out: &mut dyn FnMut(Sign)) {
        if self.client.is_none() {
            let side = chunk.fits(packet::fits).and_then(|fit| fit.from);
            self.client = side.map(|side| side.client_when(dir));
        }
        let at = dir.index();
        let mut cursor = self.walkers[at].start(user, dir, chunk, packet::resumes, out);
        if self.client == Some(dir.other()) && self.walkers[at].payload_of().is_some() {
            self.asked.read_on(user, out);
        }
        while let Some(found) = self.walkers[at].next(&mut cursor, packet::head) {
            let Some(Ok(one)) = Packet::parse(found.head()) else { continue };
            if one.kind == packet::PUBLISH {
                cursor.keep(0..2);
            }
            // No packet has the id 0 (2.2.1).
            let id = match one.id(found.body) {
                Some(place) => {
                    cursor.keep(place.clone());
                    packet::number(found.body, &place).unwrap_or(0)
                }
                None => 0,
            };
            if id == 0 && one.has_id() {
                // It was not captured: whose the acknowledgement of another with the same will be is not known.
                self.asked.doubt();
                continue;
            }
            match self.client {
                Some(client) if client == dir => self.said(user, dir, one.kind, id, out),
                Some(_) => self.answered(user, dir, one.kind, id, out),
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
