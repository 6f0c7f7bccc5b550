//! What a TLS session's opening said in the clear.

/// Protocols that are remembered of what a client offers.
const OFFERS: usize = 8;

/// The longest name that is kept: of a host (RFC 1035, 2.3.4), of a protocol (RFC 7301, 3.1).
const LONGEST: usize = 255;

/// A name as it is read. What is longer, or has other bytes than visible ASCII, is none:
/// a peer may send anything.
#[derive(Debug, Default)]
pub(super) struct Name {
    text: String,
    bad: bool,
}

impl Name {
    pub(super) fn push(&mut self, byte: u8) {
        if byte.is_ascii_graphic() && self.text.len() < LONGEST {
            self.text.push(byte.into());
        } else {
            self.bad = true;
        }
    }

    fn take(self) -> Option<Box<str>> {
        (!self.bad && !self.text.is_empty()).then(|| self.text.into())
    }
}

/// What is known of a TLS session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The version that the server chose, as on the wire: 0x0303 is TLS 1.2.
    version: Option<u16>,
    /// The host that the client named (SNI).
    server_name: Option<Box<str>>,
    /// What the client offered to speak inside (ALPN), best first.
    offered: Vec<Box<str>>,
    /// What the server chose of that. With TLS 1.3 this is encrypted.
    chosen: Option<Box<str>>,
}

impl Facts {
    /// The version that the server chose.
    #[must_use]
    pub fn version(&self) -> Option<&'static str> {
        Some(match self.version? {
            0x0300 => "SSL 3.0",
            0x0301 => "TLS 1.0",
            0x0302 => "TLS 1.1",
            0x0303 => "TLS 1.2",
            0x0304 => "TLS 1.3",
            _ => return None,
        })
    }

    /// The host that the client named (SNI): visible ASCII, at most 255 bytes.
    #[must_use]
    pub fn server_name(&self) -> Option<&str> {
        self.server_name.as_deref()
    }

    /// What the client offered to speak inside (ALPN), best first: likewise, the first 8.
    #[must_use]
    pub fn offered(&self) -> &[Box<str>] {
        &self.offered
    }

    /// What the server chose of that. With TLS 1.3 this is encrypted.
    #[must_use]
    pub fn chosen(&self) -> Option<&str> {
        self.chosen.as_deref()
    }

    /// HTTP/2 is spoken inside: the server chose it, or the client offered nothing that is not HTTP/2 and its
    /// choice was not seen. gRPC offers `h2` and `grpc-exp`.
    #[must_use]
    pub fn is_http2(&self) -> bool {
        match &self.chosen {
            Some(chosen) => &**chosen == "h2",
            None => {
                let h2 = |name: &str| name == "h2" || name.starts_with("grpc-");
                !self.offered.is_empty() && self.offered.iter().all(|name| h2(name))
            }
        }
    }

    /// Its alerts are encrypted as application data is, and cannot be told from it.
    pub(super) fn hides_alerts(&self) -> bool {
        self.version == Some(0x0304)
    }

    /// Its alerts can be told from application data: the version is known, and before TLS 1.3.
    #[must_use]
    pub fn shows_alerts(&self) -> bool {
        self.version.is_some() && !self.hides_alerts()
    }

    pub(super) fn choose_version(&mut self, version: u16) {
        self.version = Some(version);
    }

    pub(super) fn name_server(&mut self, name: Name) {
        self.server_name = name.take().or(self.server_name.take());
    }

    pub(super) fn add_protocol(&mut self, name: Name, from_server: bool) {
        let Some(name) = name.take() else { return };
        if from_server {
            self.chosen = Some(name);
        } else if self.offered.len() < OFFERS {
            self.offered.push(name);
        }
    }
}
