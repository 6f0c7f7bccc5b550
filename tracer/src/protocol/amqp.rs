//! AMQP 0-9-1 (specification of the AMQP Working Group), as RabbitMQ and its clients speak it.

mod channels;
mod frame;
mod method;

use super::keyed::Keyed;
use super::speech::{Session, Speech, Start};
use super::walker::Walker;
use super::{Chunk, Direction, InFlight, Protocol, Sign, User};
use channels::Channels;
use frame::Frame;
use method::{CHANNEL_CLOSE, CHANNEL_OPEN, CONNECTION_CLOSE, CONNECTION_CLOSE_OK, Whose};

pub(super) const SPEECH: Speech = Speech {
    protocol: Protocol::Amqp,
    name: "AMQP",
    in_user_memory: true,
    opens: frame::opens,
    may_open: frame::may_open,
    fits: frame::fits,
    session: |start| Box::new(Amqp::new(start)),
};

/// One AMQP session. A method that the server answers is a request; its reply is told by channel, class and number.
/// Any of them may say in its arguments that no answer is wanted.
#[derive(Debug)]
struct Amqp {
    client: Option<Direction>,
    walkers: [Walker; 2],
    channels: Channels,
    asked: Keyed,
}

/// Names a request: its channel, class and number.
fn key(channel: u16, class: u16, number: u16) -> u64 {
    u64::from(channel) << 32 | u64::from(class) << 16 | u64::from(number)
}

impl Amqp {
    fn new(start: Start) -> Self {
        Self {
            client: start.client,
            walkers: start.fresh.map(Walker::new),
            channels: Channels::default(),
            asked: Keyed::new(start.fresh[0] && start.fresh[1]),
        }
    }

    /// The client's frame.
    fn said(&mut self, user: User, dir: Direction, frame: Frame, out: &mut dyn FnMut(Sign)) {
        let (channel, numbers) = (frame.channel, frame.numbers);
        let Some(method) = frame.method() else { return };
        if dir == Direction::Sent {
            let exact = self.walkers[dir.index()].is_exact();
            match numbers {
                CONNECTION_CLOSE => out(Sign::Goodbye { by: user, message: "Connection.Close" }),
                CHANNEL_OPEN => self.channels.open(channel, user, exact, out),
                CHANNEL_CLOSE => self.channels.close(channel, user),
                _ if channel != 0 => self.channels.used(channel, user, exact, out),
                _ => {}
            }
        }
        if method.is_answered() {
            self.asked.request(key(channel, numbers.0, numbers.1), user, true, out);
        }
    }

    /// The server's frame.
    fn answered(&mut self, user: User, dir: Direction, frame: Frame, out: &mut dyn FnMut(Sign)) {
        let Some(method) = frame.method() else { return };
        match (frame.numbers, method.whose) {
            (CONNECTION_CLOSE | CONNECTION_CLOSE_OK, _) => {
                self.asked.no_reply();
                if dir == Direction::Received {
                    out(Sign::PeerGoodbye { reader: user, message: method.name });
                }
            }
            (CHANNEL_CLOSE, _) => {
                self.asked.no_reply();
                self.channels.gone(frame.channel);
            }
            ((class, _), Whose::Answer(number)) => {
                self.asked.reply(key(frame.channel, class, number), user, out);
            }
            (_, Whose::Client | Whose::Server | Whose::Either) => self.asked.no_reply(),
        }
    }
}

impl Session for Amqp {
    fn feed(&mut self, user: User, dir: Direction, chunk: Chunk<'_>, out: &mut dyn FnMut(Sign)) {
        if self.client.is_none() {
            let side = chunk.fits(frame::fits).and_then(|fit| fit.from);
            self.client = side.map(|side| side.client_when(dir));
        }
        let at = dir.index();
        let mut cursor = self.walkers[at].start(user, dir, chunk, frame::fits, out);
        if self.client == Some(dir.other()) && self.walkers[at].payload_of().is_some() {
            self.asked.read_on(user, out);
        }
        while let Some(found) = self.walkers[at].next(&mut cursor, frame::head) {
            let Some(frame) = Frame::parse(found.head()) else { continue };
            match self.client {
                Some(client) if client == dir => self.said(user, dir, frame, out),
                Some(_) => self.answered(user, dir, frame, out),
                None => {}
            }
        }
        if self.walkers[at].is_lost() {
            self.lost();
        }
    }

    fn skip(&mut self, dir: Direction) {
        self.walkers[dir.index()].lose();
        self.lost();
    }

    fn in_flight(&self) -> InFlight {
        let is_client = self.client == Some(Direction::Sent);
        if is_client { self.asked.in_flight() } else { InFlight::Unknown }
    }
}

impl Amqp {
    /// Frames passed unseen.
    fn lost(&mut self) {
        self.asked.doubt();
        self.channels = Channels::default();
    }
}

#[cfg(test)]
mod tests;
