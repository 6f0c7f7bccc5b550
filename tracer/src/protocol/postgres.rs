//! PostgreSQL's protocol 3 (PostgreSQL documentation, "Frontend/Backend Protocol": message formats).

mod message;

use super::exchange::Exchange;
use super::speech::{Session, Speech, Start};
use super::walker::{Head, Walker};
use super::{Chunk, Direction, InFlight, Protocol, Sign, User};
use message::Code;

pub(super) const SPEECH: Speech = Speech {
    protocol: Protocol::Postgres,
    name: "PostgreSQL",
    in_user_memory: true,
    opens: message::opens,
    may_open: message::may_open,
    fits: message::fits,
    session: |start| Box::new(Postgres::new(start)),
};

/// One PostgreSQL session. A request is a simple query, a function call, or all up to a Sync; its reply ends
/// with ReadyForQuery.
#[derive(Debug)]
struct Postgres {
    /// The way of the client's bytes.
    client: Option<Direction>,
    walkers: [Walker; 2],
    /// The client's next message has no tag: the session is not open yet.
    starting: bool,
    /// The server's next byte answers a request for encryption.
    one_byte: bool,
    /// Who began a series of extended-query messages that no Sync has ended.
    series: Option<User>,
    exchange: Exchange,
}

impl Postgres {
    fn new(start: Start) -> Self {
        let fresh = start.client.is_some_and(|client| start.fresh[client.index()]);
        Self {
            client: start.client,
            walkers: start.fresh.map(Walker::new),
            starting: fresh,
            one_byte: false,
            series: None,
            exchange: Exchange::new(fresh && start.fresh[0] && start.fresh[1]),
        }
    }

    /// The client's message, by its header.
    fn asked(&mut self, user: User, head: &[u8], out: &mut dyn FnMut(Sign)) {
        if self.starting {
            match message::startup_code(head) {
                Some(Code::Encryption) => self.one_byte = true,
                Some(Code::Cancel) => {}
                Some(Code::Startup) | None => {
                    self.starting = false;
                    self.exchange.request(user, out);
                }
            }
            return;
        }
        match (head.first(), self.series) {
            (Some(b'X'), _) => out(Sign::Goodbye { by: user, message: "Terminate" }),
            (Some(b'Q' | b'F'), _) => self.exchange.request(user, out),
            (Some(b'S'), Some(_)) => self.series = None,
            (Some(b'S'), None) => self.exchange.request(user, out),
            (Some(b'P' | b'B' | b'D' | b'E' | b'C' | b'H'), None) => {
                self.series = Some(user);
                self.exchange.request(user, out);
            }
            (Some(b'P' | b'B' | b'E'), Some(first)) if first != user => {
                // Two processes in one series: one Sync, one reply, two who wait for it.
                self.exchange.doubt();
                out(Sign::Request { by: user });
            }
            _ => {}
        }
    }

    /// The server's message, by its header.
    fn answered(&mut self, user: User, head: &[u8], out: &mut dyn FnMut(Sign)) {
        match head {
            [_] => self.one_byte = false,
            [b'Z', ..] => {
                self.exchange.reply(user, out);
                self.exchange.ended();
            }
            // NoticeResponse, NotificationResponse, ParameterStatus come at any time.
            [b'N' | b'A' | b'S', ..] if !self.exchange.has_begun() => {}
            _ => self.exchange.reply(user, out),
        }
    }
}

impl Session for Postgres {
    fn feed(&mut self, user: User, dir: Direction, chunk: Chunk<'_>, out: &mut dyn FnMut(Sign)) {
        if self.client.is_none() {
            let side = chunk.fits(message::fits).and_then(|fit| fit.from);
            self.client = side.map(|side| side.client_when(dir));
        }
        let at = dir.index();
        let client = self.client == Some(dir);
        let mut cursor = self.walkers[at].start(user, dir, chunk, message::fits, out);
        if !client {
            self.exchange.heard();
        }
        if !client && self.walkers[at].payload_of().is_some() && self.exchange.has_begun() {
            self.exchange.reply(user, out);
        }
        loop {
            let (starting, one_byte) = (client && self.starting, !client && self.one_byte);
            let read = |bytes: &[u8]| match bytes {
                [b'S' | b'N' | b'G', ..] if one_byte => Head::Message { head: 1, body: 0 },
                _ if starting => message::startup_head(bytes),
                _ => message::head(bytes),
            };
            let Some(found) = self.walkers[at].next(&mut cursor, read) else { break };
            match self.client {
                Some(client) if client == dir => self.asked(user, found.head(), out),
                Some(_) => self.answered(user, found.head(), out),
                None => {}
            }
        }
        if self.walkers[at].is_lost() {
            self.exchange.unread(user, client, out);
        }
    }

    fn skip(&mut self, dir: Direction) {
        self.walkers[dir.index()].lose();
        self.exchange.lose_end();
        if self.client == Some(dir) {
            self.exchange.doubt();
            self.starting = false;
            self.series = None;
        } else {
            self.exchange.heard();
        }
    }

    fn in_flight(&self) -> InFlight {
        let is_client = self.client == Some(Direction::Sent);
        if is_client { self.exchange.in_flight(true) } else { InFlight::Unknown }
    }
}

#[cfg(test)]
mod tests;
