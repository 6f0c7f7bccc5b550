//! MQTT 3.1, 3.1.1 and 5.0 (OASIS).

mod packet;

use super::keyed::{Dialect, Heard, Keyed, KeyedSession};
use super::speech::{Fits, Side, Speech};
use super::walker::Head;
use super::{Direction, Protocol, Sign};
use packet::Packet;

pub(super) const SPEECH: Speech = Speech {
    protocol: Protocol::Mqtt,
    name: "MQTT",
    in_user_memory: true,
    opens: packet::opens,
    may_open: packet::may_open,
    fits: packet::fits,
    session: |start| Box::new(KeyedSession::<Mqtt>::new(start)),
};

/// What the client sends and the server acknowledges is a request: by its type and packet id.
#[derive(Debug, Default)]
struct Mqtt;

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

impl Dialect for Mqtt {
    const FITS: Fits = packet::fits;

    fn resumes(_from: Option<Side>) -> Fits {
        packet::resumes
    }

    fn head(_from: Option<Side>, bytes: &[u8]) -> Head {
        packet::head(bytes)
    }

    fn hear(&mut self, heard: &Heard<'_>, asked: &mut Keyed, out: &mut dyn FnMut(Sign)) {
        let Some(Ok(packet)) = Packet::parse(heard.message.head()) else { return };
        let id = id(packet, heard);
        if id == 0 && packet.has_id() {
            // It was not captured: whose the acknowledgement of another with the same will be is not known.
            return asked.doubt();
        }
        match heard.from {
            Side::Client => said(heard, packet.kind, id, asked, out),
            Side::Server => answered(heard, packet.kind, id, asked, out),
        }
    }
}

/// A packet's id; 0 where it has none, or it was not captured: none has the id 0 (2.2.1).
fn id(packet: Packet, heard: &Heard<'_>) -> u16 {
    if packet.kind == packet::PUBLISH {
        heard.cursor.keep(0..2);
    }
    let Some(place) = packet.id(heard.message.body) else { return 0 };
    heard.cursor.keep(place.clone());
    packet::number(heard.message.body, &place).unwrap_or(0)
}

/// The client's packet.
fn said(heard: &Heard<'_>, kind: u8, id: u16, asked: &mut Keyed, out: &mut dyn FnMut(Sign)) {
    match kind {
        packet::DISCONNECT if heard.dir == Direction::Sent => {
            out(Sign::Goodbye { by: heard.user, message: "DISCONNECT" });
        }
        packet::CONNECT | packet::PINGREQ | packet::PUBREL | packet::SUBSCRIBE | packet::UNSUBSCRIBE => {
            asked.request(key(kind, id), heard.user, false, out);
        }
        packet::PUBLISH if id != 0 => asked.request(key(kind, id), heard.user, false, out),
        _ => {}
    }
}

/// The server's packet.
fn answered(heard: &Heard<'_>, kind: u8, id: u16, asked: &mut Keyed, out: &mut dyn FnMut(Sign)) {
    match answers(kind) {
        Some(request) => asked.reply(key(request, id), heard.user, out),
        None => {
            asked.no_reply();
            if kind == packet::DISCONNECT && heard.dir == Direction::Received {
                out(Sign::PeerGoodbye { reader: heard.user, message: "DISCONNECT" });
            }
        }
    }
}

#[cfg(test)]
mod tests;
