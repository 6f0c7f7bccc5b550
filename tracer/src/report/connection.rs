//! A connection in the report: what it is, who held it, who used it.

use super::{CreatorGuess, Http2, ProtocolGuess, SocketNow};
use forkscope_proto::net::{AF_INET, AF_INET6, AF_UNIX};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A connected stream socket.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Connection {
    /// Number in this session, from 1.
    pub id: u32,
    /// The socket's inode, as in `/proc/PID/fd` and ss(8).
    pub inode: u64,
    /// The socket's cookie (`SO_COOKIE`), where the kernel has given it one.
    pub cookie: Option<u64>,
    /// The address family.
    pub family: Family,
    /// This side's address: `127.0.0.1:80`, `[::1]:80`, a path, or `@name` for an
    /// abstract one. Null: it has none.
    pub local: Option<String>,
    /// The other side's address, likewise.
    pub remote: Option<String>,
    /// What it speaks, for example `HTTP/2` or `PostgreSQL`; null: not recognised.
    pub protocol: Option<String>,
    /// TLS was seen on it.
    pub tls: bool,
    /// What is inside TLS was read (`--tls-plaintext`).
    #[serde(default)]
    pub tls_plaintext: bool,
    /// What the opening of its TLS session said in the clear; null: there is none, or
    /// its opening was not seen.
    #[serde(default)]
    pub tls_session: Option<TlsSession>,
    /// It came from accept: the process is the server's end.
    #[serde(default)]
    pub accepted: bool,
    /// The process that opened it; of one that was open before the session (`opened_at` is null), the first
    /// that was seen to hold it.
    pub creator: Option<u32>,
    /// When it was opened; null: before the session.
    pub opened_at: Option<f64>,
    /// Who held it or used it, by process and number.
    pub holders: Vec<Holder>,
    /// What was read of its HTTP/2 frames, where it speaks that.
    pub http2: Option<Http2>,
    /// Who probably opened it, where that was not seen (`inspect`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creator_guess: Option<CreatorGuess>,
    /// What it probably speaks, where no byte of it was seen (`inspect`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol_guess: Option<ProtocolGuess>,
    /// Its state (`inspect`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub now: Option<SocketNow>,
    /// The connection that is its other end, by id, where a process that was looked at
    /// holds that too (`inspect`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<u32>,
}

/// An address family.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// IPv4.
    Inet,
    /// IPv6, also when it carries IPv4 addresses.
    Inet6,
    /// Unix domain sockets.
    Unix,
    /// Any other.
    #[default]
    Other,
}

impl Family {
    /// That of a number, `AF_*`.
    #[must_use]
    pub fn of(number: u16) -> Self {
        match number {
            AF_INET => Self::Inet,
            AF_INET6 => Self::Inet6,
            AF_UNIX => Self::Unix,
            _ => Self::Other,
        }
    }
}

/// One process' hold on a connection, by one descriptor.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Holder {
    /// The process.
    pub pid: u32,
    /// The descriptor.
    pub fd: i32,
    /// The process that it was inherited from; null: opened here, or got in a message (`passed`).
    pub inherited_from: Option<u32>,
    /// It was passed over a unix socket (`SCM_RIGHTS`), or fetched with pidfd_getfd(2).
    #[serde(default)]
    pub passed: bool,
    /// When it got the descriptor; null: before the session, or not known.
    pub since: Option<f64>,
    /// When the descriptor was closed, also by exec or by the process' end; where that was not seen, by
    /// when it was. Null: never.
    pub closed_at: Option<f64>,
    /// Bytes that it sent.
    pub bytes_sent: u64,
    /// Bytes that it received.
    pub bytes_received: u64,
    /// Calls that sent something.
    pub calls_sent: u64,
    /// Calls that received something.
    pub calls_received: u64,
    /// The last call on it that failed, except with EAGAIN, which means nothing.
    pub last_error: Option<CallError>,
    /// Holders of one connection with the same number here hold one open file; absent: that was not asked, or
    /// could not be (`inspect`, kcmp(2)).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open_file: Option<u32>,
}

/// A system call that failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CallError {
    /// When.
    pub time: f64,
    /// The call.
    pub syscall: String,
    /// The error by name, for example `EPIPE`.
    pub errno: String,
}

/// What the opening of a TLS session said in the clear. Names are visible ASCII, of at most 255 bytes: the
/// peer, or whoever else wrote on the connection, may have made them up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TlsSession {
    /// The version that the server chose, for example `TLS 1.3`; null: its answer was not seen.
    pub version: Option<String>,
    /// The host that the client named (SNI, RFC 6066 section 3); null: none, or not seen.
    pub server_name: Option<String>,
    /// What the client offered to speak inside (ALPN, RFC 7301), best first, at most 8: for example `h2`.
    pub alpn_offered: Vec<String>,
    /// What the server chose of that; null: nothing, not seen, or TLS 1.3, where it is encrypted.
    pub alpn: Option<String>,
}

impl Connection {
    /// One line: addresses, what it speaks, who opened it.
    #[must_use]
    pub fn describe(&self) -> String {
        let address = |side: &Option<String>| side.clone().unwrap_or_else(|| "(no name)".into());
        let protocol = self.protocol.as_deref().filter(|&protocol| protocol != "TLS");
        let speaks = match (protocol, self.tls) {
            (Some(protocol), true) => format!(" ({protocol} over {})", self.tls_words()),
            (Some(protocol), false) => format!(" ({protocol})"),
            (None, true) => format!(" ({})", self.tls_words()),
            (None, false) => String::new(),
        };
        let (arrow, opened) = if self.accepted { ("<-", "accepted") } else { ("->", "opened") };
        let came = match (self.creator, self.opened_at) {
            (Some(pid), Some(_)) => format!("{opened} by {pid}"),
            (Some(pid), None) => format!("{opened} before the session, held by {pid}"),
            (None, _) => format!("{opened} before the session"),
        };
        format!("{} {arrow} {}{speaks}, {came}", address(&self.local), address(&self.remote))
    }

    /// "TLS 1.3 to example.org, which offers h2": as far as it was seen.
    fn tls_words(&self) -> String {
        let session = self.tls_session.as_ref();
        let version = session.and_then(|session| session.version.as_deref()).unwrap_or("TLS");
        let host = session.and_then(|session| session.server_name.as_deref());
        let offers = session.filter(|session| session.alpn.is_none() && !session.alpn_offered.is_empty());
        let mut words = version.to_owned();
        if let Some(host) = host {
            words += &format!(" to {host}");
        }
        if let Some(session) = offers {
            words += &format!(", offering {}", session.alpn_offered.join(" or "));
        }
        words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_in_one_line() {
        let tls = |version: &str, host: &str, offered: &[&str], alpn: Option<&str>| TlsSession {
            version: Some(version.into()),
            server_name: Some(host.into()),
            alpn_offered: offered.iter().map(|&name| name.into()).collect(),
            alpn: alpn.map(Into::into),
        };
        for (protocol, session, words) in [
            (None, None, ""),
            (Some("AMQP"), None, " (AMQP)"),
            (Some("TLS"), Some(TlsSession::default()), " (TLS)"),
            (
                Some("TLS"),
                Some(tls("TLS 1.3", "a.example", &["h2", "http/1.1"], None)),
                " (TLS 1.3 to a.example, offering h2 or http/1.1)",
            ),
            (
                Some("HTTP/2"),
                Some(tls("TLS 1.2", "a.example", &["h2"], Some("h2"))),
                " (HTTP/2 over TLS 1.2 to a.example)",
            ),
        ] {
            let connection = Connection {
                protocol: protocol.map(Into::into),
                tls: session.is_some(),
                tls_session: session,
                local: Some("127.0.0.1:1".into()),
                remote: Some("127.0.0.1:2".into()),
                creator: Some(7),
                opened_at: Some(0.5),
                ..Connection::default()
            };
            assert_eq!(connection.describe(), format!("127.0.0.1:1 -> 127.0.0.1:2{words}, opened by 7"));
            let late = Connection { opened_at: None, ..connection };
            assert!(late.describe().ends_with("opened before the session, held by 7"));
        }
    }
}
