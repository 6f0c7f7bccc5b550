//! A connection's HTTP/2 streams in the report: who opened them, what was called, how it ended.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What was read of a connection's HTTP/2 frames. It is what the wire says, as the peer reads it: where two
/// processes write from two copies of the session's state, that may not be what one of them meant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Http2 {
    /// By stream and process: the newest streams, and before them those that go on. A stream with two
    /// processes is one that they share, or a number that both took.
    pub streams: Vec<Stream>,
    /// Streams that were seen and are not in `streams`, which is bounded.
    pub streams_forgotten: u64,
    /// Parameters that this side set (SETTINGS), by name: the last values.
    pub settings_sent: BTreeMap<String, u32>,
    /// Parameters that the other side set, likewise.
    pub settings_received: BTreeMap<String, u32>,
    /// Ends of the session that were announced (GOAWAY), in order: the first eight.
    pub goaways: Vec<Goaway>,
    /// Header blocks sent of which something is not known: captured in part (`--capture-bytes`), or resting
    /// on what was sent before forkscope looked.
    pub headers_unread_sent: u64,
    /// Header blocks received, likewise.
    pub headers_unread_received: u64,
}

/// What one process did on one HTTP/2 stream. Stream 0 is the connection itself (RFC 9113, section 5.1.1).
/// What it received is what it read: others who hold the connection did not get that.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Stream {
    /// The stream's number.
    pub id: u32,
    /// The process.
    pub pid: u32,
    /// It opened the stream. False also where that was not seen, and where the other side opens streams.
    pub opened: bool,
    /// The method called (`:path`), without a query, where it could be read.
    pub method: Option<String>,
    /// The request's method in HTTP's sense (`:method`), for example `POST`, where it could be read.
    pub verb: Option<String>,
    /// The response's status (`:status`), where it could be read.
    pub status: Option<u16>,
    /// The call's status (`grpc-status`) by name, or by number where it has none; null: not read, or no gRPC.
    pub grpc_status: Option<String>,
    /// The error by which it reset the stream (RST_STREAM), by name (RFC 9113, section 7) or by number.
    pub reset_sent: Option<String>,
    /// The error by which the other side reset it, likewise.
    pub reset_received: Option<String>,
    /// Messages of gRPC that it began to send; null: no gRPC, or some were not seen.
    pub messages_sent: Option<u32>,
    /// Messages of gRPC that it began to receive, likewise.
    pub messages_received: Option<u32>,
    /// Frames that it sent, by type, for example `HEADERS`. Types that RFC 9113 does not define are `other`.
    pub frames_sent: BTreeMap<String, u32>,
    /// Frames that it received, by type.
    pub frames_received: BTreeMap<String, u32>,
}

/// An announced end of an HTTP/2 session (RFC 9113, section 6.8).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Goaway {
    /// The process that sent it, or read it.
    pub pid: u32,
    /// It was sent, or else received.
    pub sent: bool,
    /// Streams up to this one may have been worked on.
    pub last_stream: u32,
    /// The error by name, or by number where it has none.
    pub error: String,
}
