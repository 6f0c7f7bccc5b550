//! What the bytes of a connection say, read passively from the first bytes of each transfer.
//!
//! Pure: no I/O, no clock. Whatever the bytes, nothing here panics; what was not captured is never guessed
//! into evidence. A protocol is its own file plus two lines here: its name in [`Protocol`] and its line in
//! the registry.
//!
//! ```text
//!   transfer -> Wire --(unknown)--> recognise --> Session (one a protocol) -> Sign, Sign, ...
//!                 \--(known)-------------------/      |
//!                                                  Walker: one a direction, cuts bytes into messages
//! ```

mod amqp;
mod exchange;
mod fetch;
mod few;
mod http1;
mod http2;
mod in_flight;
mod kafka;
mod kept;
mod keyed;
mod mongodb;
mod mqtt;
mod mysql;
mod postgres;
mod redis;
mod sign;
mod speech;
mod tls;
mod walker;
mod wire;

pub(crate) use fetch::fetch;
pub use few::Few;
pub use http2::{
    FrameKind, GOAWAY, Goaway, Log as Http2Log, Stream as Http2Stream, StreamUse, Verb, error_name,
    grpc_status_name,
};
pub use in_flight::InFlight;
pub use kept::Kept;
pub use sign::{Chunk, Direction, Sign, User};
pub use tls::{Facts as TlsFacts, is_hello};
pub use wire::Wire;

use speech::{Speech, Start};

/// What a connection speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// Nothing that forkscope can read, or not yet.
    #[default]
    Unknown,
    /// HTTP/1.0 and HTTP/1.1 (RFC 9112).
    Http1,
    /// HTTP/2 in the clear (RFC 9113).
    Http2,
    /// TLS, whatever is inside (RFC 8446).
    Tls,
    /// PostgreSQL's frontend/backend protocol 3.
    Postgres,
    /// MySQL's and MariaDB's client/server protocol.
    Mysql,
    /// Redis' RESP2 and RESP3.
    Redis,
    /// AMQP 0-9-1.
    Amqp,
    /// Kafka's protocol.
    Kafka,
    /// MongoDB's protocol.
    MongoDb,
    /// MQTT 3.1, 3.1.1 and 5.0.
    Mqtt,
}

/// Each protocol that is read, in the order in which unknown bytes are tried: the strictest first.
static REGISTRY: [&Speech; 10] = [
    &http2::SPEECH,
    &tls::SPEECH,
    &amqp::SPEECH,
    &mongodb::SPEECH,
    &kafka::SPEECH,
    &postgres::SPEECH,
    &mysql::SPEECH,
    &http1::SPEECH,
    &redis::SPEECH,
    &mqtt::SPEECH,
];

impl Protocol {
    /// The name that users read.
    pub fn name(self) -> &'static str {
        self.speech().map_or("unknown", |speech| speech.name)
    }

    /// The names of all that are read.
    pub fn names() -> impl Iterator<Item = &'static str> {
        REGISTRY.iter().map(|speech| speech.name)
    }

    /// Does the session's state live in user memory, so that two processes cannot share it?
    pub fn keeps_state_in_user_memory(self) -> bool {
        self.speech().is_some_and(|speech| speech.in_user_memory)
    }

    /// Can a session's first bytes be told from later ones? Redis' commands are all alike.
    pub fn has_opening(self) -> bool {
        self != Self::Redis
    }

    /// How this protocol is read; `None` for an unknown one.
    fn speech(self) -> Option<&'static Speech> {
        REGISTRY.iter().find(|speech| speech.protocol == self).copied()
    }
}

/// Do these bytes look like the middle of a session of `protocol` (well-formed message headers)?
///
/// A beginning is not the middle.
pub fn fits_mid_stream(protocol: Protocol, chunk: Chunk<'_>) -> bool {
    let chunk = chunk.clipped();
    protocol
        .speech()
        .is_some_and(|speech| chunk.opens(speech.opens).is_none() && chunk.fits(speech.fits).is_some())
}

/// Do these bytes, which were to be sent in the middle of a session of `protocol`, say goodbye and
/// nothing else? Of TLS: may they?
pub fn says_goodbye(protocol: Protocol, chunk: Chunk<'_>) -> bool {
    if protocol == Protocol::Tls && tls::may_be_goodbye(chunk.clipped()) {
        return true;
    }
    let Some(speech) = protocol.speech() else { return false };
    // Readers that do not know where a message begins tell no goodbye; some take the first one of a
    // session for its opening.
    [false, true].into_iter().any(|fresh| {
        let (mut says, mut only) = (false, true);
        let mut session = (speech.session)(Start { client: Some(Direction::Sent), fresh: [fresh; 2] });
        // A frame that is not told would be one that is not there.
        let told = chunk.clipped().with_frames();
        session.feed(User(0), Direction::Sent, told, &mut |sign| match sign {
            Sign::Goodbye { .. } => says = true,
            Sign::Frame { kind: FrameKind::Goaway, .. } => {}
            _ => only = false,
        });
        says && only
    })
}

#[cfg(test)]
mod captured;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod twice;
