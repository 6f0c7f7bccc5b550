//! One connection: listens until it knows the protocol, then reads its session.

use super::fetch::fetch;
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
    reading: Reading,
    /// What the last transfer looked like, without being sure.
    candidate: Protocol,
    /// The session before TLS, where it goes on inside: after MySQL's SSLRequest ("Protocol::SSLRequest").
    before: Option<Box<Box<dyn Session>>>,
}

/// What is done with the bytes.
#[derive(Debug)]
enum Reading {
    /// The first ones of both directions are kept, once something has passed.
    Listening(Option<Box<[Opening; 2]>>),
    /// The protocol is known.
    Speaking(Box<dyn Session>),
}

const _: () = assert!(size_of::<Option<Wire>>() == 32);

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
            reading: Reading::Listening(None),
            candidate: Protocol::Unknown,
            before: None,
        }
    }

    /// What the connection speaks.
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    fn session(&self) -> Option<&dyn Session> {
        match &self.reading {
            Reading::Listening(_) => None,
            Reading::Speaking(session) => Some(&**session),
        }
    }

    fn session_mut(&mut self) -> Option<&mut Box<dyn Session>> {
        match &mut self.reading {
            Reading::Listening(_) => None,
            Reading::Speaking(session) => Some(session),
        }
    }

    /// Has the processor fetch what reads its bytes.
    pub fn fetch(&self) {
        match &self.reading {
            Reading::Listening(starts) => starts.iter().for_each(|starts| fetch(&**starts)),
            Reading::Speaking(session) => fetch(&**session),
        }
    }

    /// The same, of what that looks at beside itself.
    pub fn fetch_more(&self) {
        self.session().iter().for_each(|session| session.fetch());
    }

    /// What the client waits for now.
    pub fn in_flight(&self) -> InFlight {
        self.session().map_or(InFlight::Unknown, Session::in_flight)
    }

    /// Will none of the requests that were sent so far be in [`Wire::in_flight`] any more?
    pub fn is_idle(&self) -> bool {
        self.session().is_some_and(Session::is_idle)
    }

    /// Two processes whose requests are under way at once, in a protocol where that is
    /// what makes sharing go wrong.
    pub fn at_once(&self) -> Option<[User; 2]> {
        self.session()?.at_once()
    }

    /// What the opening of a TLS session said in the clear.
    pub fn tls(&self) -> Option<&TlsFacts> {
        self.session()?.tls()
    }

    /// What was seen on its HTTP/2 streams, where it speaks that.
    pub fn http2(&self) -> Option<&Http2Log> {
        self.session()?.http2()
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
        let reading = before.map_or(Reading::Listening(None), |before| Reading::Speaking(*before));
        Self { protocol, reading, ..Self::new() }
    }

    /// Bytes were missed in this direction: a late attach, a loss.
    pub fn skip(&mut self, dir: Direction) {
        match &mut self.reading {
            Reading::Speaking(session) => session.skip(dir),
            Reading::Listening(starts) => starts.get_or_insert_default()[dir.index()].whole = false,
        }
    }

    /// Reads one transfer, and tells `out` what it meant.
    pub fn feed(&mut self, user: User, dir: Direction, chunk: Chunk<'_>, out: &mut impl FnMut(Sign)) {
        let chunk = chunk.clipped();
        if chunk.len == 0 {
            return;
        }
        if let Reading::Speaking(session) = &mut self.reading {
            let Some((speech, side)) = upgrade(self.protocol, chunk) else {
                return session.feed(user, dir, chunk, out);
            };
            let before = std::mem::replace(&mut self.reading, Reading::Listening(None));
            self.before = match before {
                Reading::Speaking(session) if self.protocol == Protocol::Mysql => Some(Box::new(session)),
                _ => None,
            };
            self.speak(speech, side.client_when(dir), [true; 2], out);
        } else {
            self.listen(user, dir, chunk, out);
        }
        if let Reading::Speaking(session) = &mut self.reading {
            session.feed(user, dir, chunk, out);
        }
    }

    /// The first bytes of both directions, while it listens.
    fn starts(&mut self) -> Option<&mut [Opening; 2]> {
        match &mut self.reading {
            Reading::Listening(starts) => Some(starts.get_or_insert_default()),
            Reading::Speaking(_) => None,
        }
    }

    /// Tries to recognise the protocol by one more transfer.
    fn listen(&mut self, user: User, dir: Direction, chunk: Chunk<'_>, out: &mut impl FnMut(Sign)) {
        let known = self.client;
        let Some(starts) = self.starts() else { return };
        if let Some((speech, side)) = starts[dir.index()].opening(chunk, known, dir) {
            return self.open(speech, side.client_when(dir), dir, out);
        }
        let fit = REGISTRY.iter().find_map(|speech| Some((*speech, chunk.fits(speech.fits)?)));
        // What is kept is noted where this transfer says enough, too.
        let start = &mut starts[dir.index()];
        let before = start.have;
        start.keep(user, fit.map_or(Protocol::Unknown, |(speech, _)| speech.protocol), chunk);
        let may_open = start.may_open(&mut |range| chunk.keep_after(before, range));
        if !may_open && fit.is_none() {
            // Whatever comes later, this was not its beginning.
            start.whole = false;
        }
        match fit {
            Some((speech, fit)) if fit.sure || self.candidate == speech.protocol => {
                self.client = known.or(fit.from.map(|side| side.client_when(dir)));
                self.protocol = speech.protocol;
                let start = Start { client: self.client, fresh: [false; 2] };
                self.reading = Reading::Speaking((speech.session)(start));
                out(Sign::Recognised(speech.protocol));
            }
            Some((speech, _)) => self.candidate = speech.protocol,
            None => self.candidate = Protocol::Unknown,
        }
    }

    /// A session opened with this transfer, or with those kept before it, which are read now.
    fn open(&mut self, speech: &Speech, client: Direction, dir: Direction, out: &mut impl FnMut(Sign)) {
        let mut starts = self.starts().map(std::mem::take).unwrap_or_default();
        // The other side's bytes are read only where they were read as this protocol's: of
        // others' too little is noted.
        let other = &mut starts[dir.other().index()];
        other.whole &= other.have == 0 || other.looks == speech.protocol;
        let mut fresh = starts.map(|start| start.whole);
        fresh[dir.index()] = true;
        self.speak(speech, client, fresh, out);
        for dir in [client, client.other()] {
            let start = &starts[dir.index()];
            let chunk = Chunk::new(&start.bytes[..start.have], start.have as u64).heads_only();
            if let Some(session) = self.session_mut().filter(|_| start.whole && start.have > 0) {
                session.feed(start.user, dir, chunk, out);
            }
        }
    }

    /// From here on the connection speaks this.
    fn speak(&mut self, speech: &Speech, client: Direction, fresh: [bool; 2], out: &mut impl FnMut(Sign)) {
        self.client = Some(client);
        self.protocol = speech.protocol;
        self.reading = Reading::Speaking((speech.session)(Start { client: Some(client), fresh }));
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
