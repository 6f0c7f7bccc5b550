//! The two messages that open a TLS session, read byte by byte over any split into records and transfers:
//! what of them is in the clear (RFC 8446, 4.1.2 and 4.1.3; RFC 5246, 7.4.1).

use super::facts::{Facts, Name};

/// Handshake types.
const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;

/// The longest hello that is read; clients send 2 KiB with post-quantum keys.
const MOST: u32 = 1 << 16;

/// Extensions (RFC 6066, 3; RFC 7301, 3.1; RFC 8446, 4.2.1).
const SERVER_NAME: u32 = 0;
const ALPN: u32 = 16;
const SUPPORTED_VERSIONS: u32 = 43;

/// Does a hello begin with this byte?
fn is_hello(kind: u8) -> bool {
    matches!(kind, CLIENT_HELLO | SERVER_HELLO)
}

/// What the next bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// Handshake type and length.
    Head,
    Version,
    Random,
    SessionIdLength,
    SessionId,
    SuitesLength,
    Suites,
    CompressionsLength,
    Compressions,
    /// The server's one suite and one compression.
    Choices,
    ExtensionsLength,
    /// Type and length.
    Extension,
    /// The list's length and the first name's type.
    ServerNames,
    ServerNameLength,
    ServerName,
    ProtocolsLength,
    ProtocolLength,
    ProtocolName,
    OneVersion,
    /// The rest of an extension.
    Rest,
    /// All is read, or what is there is no hello.
    Done,
}

/// One hello.
#[derive(Debug)]
pub(super) struct Hello {
    step: Step,
    /// Bytes of the step that are wanting, and the number that they make.
    wants: u32,
    number: u32,
    /// Bytes of the message, and of the current extension, that are wanting.
    left: u32,
    extension: u32,
    from_server: bool,
    /// The server's version, unless an extension has another: only the whole hello tells.
    version: u16,
    name: Name,
}

impl Hello {
    pub(super) fn new() -> Self {
        Self {
            step: Step::Head,
            wants: 4,
            number: 0,
            left: u32::MAX,
            extension: u32::MAX,
            from_server: false,
            version: 0,
            name: Name::default(),
        }
    }

    /// Is there no more to read?
    pub(super) fn is_done(&self) -> bool {
        self.step == Step::Done
    }

    /// What comes is none: what was read stands.
    fn lose(&mut self) {
        self.step = Step::Done;
    }

    /// Reads more of it. `note` is told which bytes say something.
    pub(super) fn read(&mut self, data: &[u8], facts: &mut Facts, note: &mut dyn FnMut(usize)) {
        let mut at = 0;
        while at < data.len() && self.step != Step::Done {
            if self.step == Step::Head && self.wants == 4 && !is_hello(data[at]) {
                return self.lose();
            }
            let taken = if self.is_passed_over() { self.wants.min((data.len() - at) as u32) } else { 1 };
            if taken == 1 && !self.is_passed_over() {
                note(at);
                match self.step {
                    Step::ServerName | Step::ProtocolName => self.name.push(data[at]),
                    _ => self.number = self.number << 8 | u32::from(data[at]),
                }
            }
            at += taken as usize;
            self.wants -= taken;
            let (Some(left), Some(extension)) =
                (self.left.checked_sub(taken), self.extension.checked_sub(taken))
            else {
                return self.lose();
            };
            (self.left, self.extension) = (left, extension);
            while self.wants == 0 && self.step != Step::Done {
                let number = std::mem::take(&mut self.number);
                (self.step, self.wants) = self.next(number, facts);
            }
        }
    }

    /// Do the step's bytes say nothing?
    fn is_passed_over(&self) -> bool {
        use Step::{Choices, Compressions, Random, Rest, SessionId, Suites};
        matches!(self.step, Random | SessionId | Suites | Compressions | Choices | Rest)
    }

    /// The step after this one, which read this number, and how long it is.
    fn next(&mut self, number: u32, facts: &mut Facts) -> (Step, u32) {
        match self.step {
            Step::Head => {
                (self.from_server, self.left) =
                    (number >> 24 == u32::from(SERVER_HELLO), number & 0x00ff_ffff);
                if self.left <= MOST { (Step::Version, 2) } else { (Step::Done, 0) }
            }
            Step::Version => {
                self.version = number as u16;
                (Step::Random, 32)
            }
            Step::Random => (Step::SessionIdLength, 1),
            Step::SessionIdLength => (Step::SessionId, number),
            Step::SessionId if self.from_server => (Step::Choices, 3),
            Step::SessionId => (Step::SuitesLength, 2),
            Step::SuitesLength => (Step::Suites, number),
            Step::Suites => (Step::CompressionsLength, 1),
            Step::CompressionsLength => (Step::Compressions, number),
            // TLS 1.2 and older: there need be no extensions.
            Step::Compressions | Step::Choices if self.left == 0 => self.extensions(facts),
            Step::Compressions | Step::Choices => (Step::ExtensionsLength, 2),
            Step::ExtensionsLength if number != self.left => (Step::Done, 0),
            Step::ExtensionsLength => self.extensions(facts),
            Step::Extension => {
                self.extension = number & 0xffff;
                match number >> 16 {
                    _ if self.extension > self.left => (Step::Done, 0),
                    SERVER_NAME if !self.from_server => (Step::ServerNames, 3),
                    ALPN => (Step::ProtocolsLength, 2),
                    SUPPORTED_VERSIONS if self.from_server => (Step::OneVersion, 2),
                    _ => (Step::Rest, self.extension),
                }
            }
            // The only type of name is host_name, 0.
            Step::ServerNames if number & 0xff == 0 => (Step::ServerNameLength, 2),
            Step::ServerNames => self.rest(),
            Step::ServerNameLength => self.text(Step::ServerName, number),
            Step::ServerName => {
                facts.name_server(std::mem::take(&mut self.name));
                self.rest()
            }
            Step::ProtocolsLength if number != self.extension => self.rest(),
            Step::ProtocolName | Step::ProtocolsLength => {
                let name = std::mem::take(&mut self.name);
                if self.step == Step::ProtocolName {
                    facts.add_protocol(name, self.from_server);
                }
                if self.extension == 0 { self.extensions(facts) } else { (Step::ProtocolLength, 1) }
            }
            Step::ProtocolLength => self.text(Step::ProtocolName, number),
            Step::OneVersion => {
                self.version = number as u16;
                self.rest()
            }
            Step::Rest => self.extensions(facts),
            Step::Done => (Step::Done, 0),
        }
    }

    /// A name of this length, if the extension holds one.
    fn text(&mut self, step: Step, length: u32) -> (Step, u32) {
        match length {
            0 => self.rest(),
            length if length > self.extension => (Step::Done, 0),
            length => (step, length),
        }
    }

    /// What is left of the extension.
    fn rest(&mut self) -> (Step, u32) {
        (Step::Rest, self.extension)
    }

    /// The next extension, or the end.
    fn extensions(&mut self, facts: &mut Facts) -> (Step, u32) {
        self.extension = u32::MAX;
        if self.left > 0 {
            return (Step::Extension, 4);
        }
        if self.from_server {
            facts.choose_version(self.version);
        }
        (Step::Done, 0)
    }
}
