//! One connection: listens until it knows the protocol, then reads its session.

use super::kept::nothing;
use super::speech::{Note, Session, Side, Speech, Start};
use super::{Chunk, Direction, Http2Log, InFlight, Protocol, REGISTRY, Sign, TlsFacts, User};

/// First bytes of a direction that are kept until the protocol is known: enough for any beginning.
const KEPT: usize = 64;

/// The first bytes of one direction.
#[derive(Clone, Copy, Debug)]
struct Opening {
    bytes: [u8; KEPT],
    have: usize,
    /// All that passed so far is in `bytes`.
    whole: bool,
    /// What each transfer in `bytes` looked like the middle of.
    looks: Protocol,
    /// Whose transfer was the first.
    user: User,
}

/// Reads the bytes of one connection.
///
/// ```text
///   listening --- a beginning, or what surely is a middle, or two that look like one ---> speaking
///                                    speaking --- TLS or HTTP/2 begins within ---> speaking that
/// ```
#[derive(Debug)]
pub struct Wire {
    protocol: Protocol,
    /// The way of the client's bytes, where it is known.
    client: Option<Direction>,
    session: Option<Box<dyn Session>>,
    /// While it listens, once something has passed.
    starts: Option<Box<[Opening; 2]>>,
    /// What the last transfer looked like, without being sure.
    candidate: Protocol,
    /// The session before TLS, where it goes on inside: after MySQL's SSLRequest ("Protocol::SSLRequest").
    before: Option<Box<Box<dyn Session>>>,
}

impl Default for Wire {
    fn default() -> Self {
        Self::new()
    }
}

impl Wire {
    /// A connection of which nothing has passed.
    pub fn new() -> Self {
        Self {
            protocol: Protocol::Unknown,
            client: None,
            session: None,
            starts: None,
            candidate: Protocol::Unknown,
            before: None,
        }
    }

    /// What the connection speaks.
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// What the client waits for now.
    pub fn in_flight(&self) -> InFlight {
        self.session.as_ref().map_or(InFlight::Unknown, |session| session.in_flight())
    }

    /// Will none of the requests that were sent so far be in [`Wire::in_flight`] any more?
    pub fn is_idle(&self) -> bool {
        self.session.as_ref().is_some_and(|session| session.is_idle())
    }

    /// Two processes whose requests are under way at once, in a protocol where that is what makes sharing go wrong.
    pub fn at_once(&self) -> Option<[User; 2]> {
        self.session.as_ref()?.at_once()
    }

    /// What the opening of a TLS session said in the clear.
    pub fn tls(&self) -> Option<&TlsFacts> {
        self.session.as_ref()?.tls()
    }

    /// What was seen on its HTTP/2 streams, where it speaks that.
    pub fn http2(&self) -> Option<&Http2Log> {
        self.session.as_ref()?.http2()
    }

    /// Says which way the client's bytes go: [`Direction::Sent`] where this end connected, the other where it
    /// accepted. It helps where the bytes do not tell, and counts while the protocol is not known.
    pub fn client_is(&mut self, dir: Direction) {
        self.client = Some(dir);
    }

    /// What is inside TLS on this connection, of which nothing has passed yet.
    pub fn inside(&mut self) -> Self {
        let before = self.before.take();
        let protocol = before.as_ref().map_or(Protocol::Unknown, |_| Protocol::Mysql);
        Self { protocol, session: before.map(|before| *before), ..Self::new() }
    }

    /// Bytes were missed in this direction: a late attach, a loss.
    pub fn skip(&mut self, dir: Direction) {
        match &mut self.session {
            Some(session) => session.skip(dir),
            None => self.starts.get_or_insert_default()[dir.index()].whole = false,
        }
    }

    /// Reads one transfer, and tells `out` what it meant.
    pub fn feed(&mut self, user: User, dir: Direction, chunk: Chunk<'_>, out: &mut impl FnMut(Sign)) {
        let chunk = chunk.clipped();
        if chunk.len == 0 {
            return;
        }
        match &mut self.session {
            Some(session) => match upgrade(self.protocol, chunk) {
                Some((speech, side)) => {
                    self.before =
                        self.session.take().filter(|_| self.protocol == Protocol::Mysql).map(Box::new);
                    self.speak(speech, side.client_when(dir), [true; 2], out);
                }
                None => return session.feed(user, dir, chunk, out),
            },
            None => self.listen(user, dir, chunk, out),
        }
        if let Some(session) = &mut self.session {
            session.feed(user, dir, chunk, out);
        }
    }

    /// Tries to recognise the protocol by one more transfer.
    fn listen(&mut self, user: User, dir: Direction, chunk: Chunk<'_>, out: &mut impl FnMut(Sign)) {
        let starts = self.starts.get_or_insert_default();
        if let Some((speech, side)) = starts[dir.index()].opening(chunk, self.client, dir) {
            return self.open(speech, side.client_when(dir), dir, out);
        }
        let fit = REGISTRY.iter().find_map(|speech| Some((*speech, chunk.fits(speech.fits)?)));
        let known = self.client;
        match fit {
            Some((speech, fit)) if fit.sure || self.candidate == speech.protocol => {
                self.client = known.or(fit.from.map(|side| side.client_when(dir)));
                self.protocol = speech.protocol;
                let start = Start { client: self.client, fresh: [false; 2] };
                self.session = Some((speech.session)(start));
                out(Sign::Recognised(speech.protocol));
            }
            Some((speech, _)) => self.candidate = speech.protocol,
            None => self.candidate = Protocol::Unknown,
        }
        let start = &mut self.starts.get_or_insert_default()[dir.index()];
        let before = start.have;
        start.keep(user, fit.map_or(Protocol::Unknown, |(speech, _)| speech.protocol), chunk);
        let may_open = start.may_open(&mut |range| chunk.keep_after(before, range));
        if !may_open && fit.is_none() {
            // Whatever comes later, this was not its beginning.
            start.whole = false;
        }
        if self.session.is_some() {
            self.starts = None;
        }
    }

    /// A session opened with this transfer, or with those kept before it, which are read now.
    fn open(&mut self, speech: &Speech, client: Direction, dir: Direction, out: &mut impl FnMut(Sign)) {
        let mut starts = self.starts.take().map(|starts| *starts).unwrap_or_default();
        // The other side's bytes are read only where they were read as this protocol's: of others' too little is noted.
        let other = &mut starts[dir.other().index()];
        other.whole &= other.have == 0 || other.looks == speech.protocol;
        let mut fresh = starts.map(|start| start.whole);
        fresh[dir.index()] = true;
        self.speak(speech, client, fresh, out);
        for dir in [client, client.other()] {
            let start = &starts[dir.index()];
            let chunk = Chunk::new(&start.bytes[..start.have], start.have as u64).heads_only();
            if let Some(session) = self.session.as_mut().filter(|_| start.whole && start.have > 0) {
                session.feed(start.user, dir, chunk, out);
            }
        }
    }

    /// From here on the connection speaks this.
    fn speak(&mut self, speech: &Speech, client: Direction, fresh: [bool; 2], out: &mut impl FnMut(Sign)) {
        self.client = Some(client);
        self.protocol = speech.protocol;
        self.session = Some((speech.session)(Start { client: Some(client), fresh }));
        out(Sign::Recognised(speech.protocol));
    }
}

impl Default for Opening {
    fn default() -> Self {
        Self { bytes: [0; KEPT], have: 0, whole: true, looks: Protocol::Unknown, user: User(0) }
    }
}

impl Opening {
    /// What opens with the bytes kept and this transfer after them.
    fn opening(
        &self,
        chunk: Chunk<'_>,
        client: Option<Direction>,
        dir: Direction,
    ) -> Option<(&'static Speech, Side)> {
        let mut joined = self.bytes;
        let (data, before) = if self.whole && self.have > 0 {
            let taken = chunk.data.len().min(KEPT - self.have);
            joined[self.have..self.have + taken].copy_from_slice(&chunk.data[..taken]);
            (&joined[..self.have + taken], self.have)
        } else {
            (chunk.data, 0)
        };
        let (speech, side) = opening(data)?;
        (speech.opens)(data, &mut |range| chunk.keep_after(before, range));
        client.is_none_or(|client| side.client_when(dir) == client).then_some((speech, side))
    }

    /// May what is kept be the first bytes of some protocol's opening?
    fn may_open(&self, note: Note<'_>) -> bool {
        // All are asked: each needs bytes of its own if it turns out to be the one.
        let asked = REGISTRY.iter().filter(|_| self.whole);
        asked.filter(|speech| (speech.may_open)(&self.bytes[..self.have], note)).count() > 0
    }

    /// Keeps this transfer with those before, while they all fit.
    fn keep(&mut self, user: User, looks: Protocol, chunk: Chunk<'_>) {
        let room = self.bytes[self.have..].get_mut(..chunk.data.len());
        match room.filter(|_| self.whole && chunk.data.len() as u64 == chunk.len) {
            Some(room) => {
                room.copy_from_slice(chunk.data);
                if self.have == 0 {
                    (self.user, self.looks) = (user, looks);
                } else if self.looks != looks {
                    self.looks = Protocol::Unknown;
                }
                self.have += chunk.data.len();
            }
            None => self.whole = false,
        }
    }
}

/// The protocol whose sessions open with these bytes, and the side that sends them.
fn opening(data: &[u8]) -> Option<(&'static Speech, Side)> {
    REGISTRY.iter().find_map(|speech| Some((*speech, (speech.opens)(data, &mut nothing)?)))
}

/// What begins inside other sessions, in the order of how many it may.
static UPGRADES: [&Speech; 2] = [&super::tls::SPEECH, &super::http2::SPEECH];

/// The protocol that begins inside another's session: TLS after a request in the clear (PostgreSQL, MySQL,
/// proxies), HTTP/2 after an upgrade of HTTP/1.
fn upgrade(from: Protocol, chunk: Chunk<'_>) -> Option<(&'static Speech, Side)> {
    if matches!(from, Protocol::Tls | Protocol::Http2) {
        return None;
    }
    // No bytes open more than one of the two.
    let begins = if from == Protocol::Http1 { &UPGRADES[..] } else { &UPGRADES[..1] };
    begins.iter().find_map(|speech| Some((*speech, chunk.opens(speech.opens)?)))
}
