//! Redis' RESP2 and RESP3 (Redis documentation, "Redis serialization protocol specification").

mod token;
mod value;

use super::exchange::Exchange;
use super::speech::{Session, Speech, Start};
use super::walker::Walker;
use super::{Chunk, Direction, InFlight, Protocol, Sign, User};
use value::{Nesting, Place};

pub(super) const SPEECH: Speech = Speech {
    protocol: Protocol::Redis,
    name: "Redis",
    in_user_memory: true,
    opens: token::opens,
    may_open: token::may_open,
    fits: token::fits,
    session: |start| Box::new(Redis::new(start)),
};

/// Commands after which the server sends what nobody asked for, or does not answer each command.
const PUSHING: [&str; 7] = ["SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE", "MONITOR", "SYNC", "PSYNC", "REPLCONF"];

/// Ends the session: the server answers, and closes.
const QUIT: &str = "QUIT";

/// One Redis session. A request is an array of strings, a reply is one value.
#[derive(Debug)]
struct Redis {
    client: Option<Direction>,
    walkers: [Walker; 2],
    nesting: [Nesting; 2],
    exchange: Exchange,
}

impl Redis {
    fn new(start: Start) -> Self {
        Self {
            client: start.client,
            walkers: start.fresh.map(Walker::new),
            nesting: [Nesting::default(), Nesting::default()],
            exchange: Exchange::new(start.fresh[0] && start.fresh[1]),
        }
    }
}

impl Session for Redis {
    fn feed(&mut self, user: User, dir: Direction, chunk: Chunk<'_>, out: &mut dyn FnMut(Sign)) {
        let at = dir.index();
        let client = self.client == Some(dir);
        let fits = if client { token::fits } else { token::resumes };
        let nesting = &mut self.nesting[at];
        let mut cursor = self.walkers[at].start(user, dir, chunk, fits, &mut |sign| {
            *nesting = Nesting::default();
            out(sign);
        });
        if !client {
            self.exchange.heard();
        }
        if !client && self.walkers[at].payload_of().is_some() && self.exchange.has_begun() {
            self.exchange.reply(user, out);
        }
        while let Some(token) = self.walkers[at].next(&mut cursor, token::head) {
            if client && token.head().starts_with(b"*") {
                // Commands hold strings only: whatever came before was cut.
                self.nesting[at] = Nesting::default();
            }
            let place = self.nesting[at].place();
            let Some(ends) = self.nesting[at].read(token.head()) else {
                self.walkers[at].lose();
                break;
            };
            match (client, place) {
                (true, Place::First) => self.exchange.request(user, out),
                (true, Place::Item(0)) => {
                    cursor.keep(token::name_in(token.body));
                    if dir == Direction::Sent && token::is(token.body, QUIT) {
                        out(Sign::Goodbye { by: user, message: QUIT });
                    }
                    if PUSHING.iter().any(|name| token::may_be(token.body, name)) {
                        self.exchange.part();
                    }
                }
                // CLIENT REPLY OFF.
                (true, Place::Item(1)) => {
                    cursor.keep(token::name_in(token.body));
                    if token::may_be(token.body, "REPLY") {
                        self.exchange.part();
                    }
                }
                (true, Place::Item(_)) => {}
                (false, _) if self.nesting[at].is_push() => {}
                (false, _) => {
                    self.exchange.reply(user, out);
                    if ends {
                        self.exchange.ended();
                    }
                }
            }
        }
        if self.walkers[at].is_lost() {
            self.nesting[at] = Nesting::default();
            self.exchange.unread(user, client, out);
        }
    }

    fn skip(&mut self, dir: Direction) {
        self.walkers[dir.index()].lose();
        self.nesting[dir.index()] = Nesting::default();
        self.exchange.lose_end();
        if self.client == Some(dir) {
            self.exchange.doubt();
        } else {
            self.exchange.heard();
        }
    }

    fn in_flight(&self) -> InFlight {
        let is_client = self.client == Some(Direction::Sent);
        if is_client { self.exchange.in_flight(true) } else { InFlight::Unknown }
    }

    fn is_idle(&self) -> bool {
        // Once a reply was missed, only the newest request is told, and only until something is received.
        !self.in_flight().is_something()
    }
}

#[cfg(test)]
mod tests;
