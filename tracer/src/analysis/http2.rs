//! HTTP/2 in the report, from what the connection's reader remembers.

use super::Analysis;
use crate::model::Socket;
use crate::protocol::{Direction, Http2Log, Http2Stream, StreamUse, User, error_name, grpc_status_name};
use crate::report::{Goaway, Http2, Stream};
use std::collections::BTreeMap;

impl Analysis {
    /// What was read of a connection's HTTP/2, where it speaks that.
    pub(super) fn http2(&self, socket: &Socket) -> Option<Http2> {
        let log = socket.http2()?;
        let uses = log.streams().flat_map(|stream| stream.uses().iter().map(move |usage| (stream, usage)));
        Some(Http2 {
            streams: uses.map(|(stream, usage)| self.stream(stream, usage)).collect(),
            streams_forgotten: log.forgotten(),
            settings_sent: settings(log, Direction::Sent),
            settings_received: settings(log, Direction::Received),
            goaways: log
                .goaways()
                .iter()
                .map(|goaway| Goaway {
                    pid: self.user(goaway.user),
                    sent: goaway.dir == Direction::Sent,
                    last_stream: goaway.last_stream,
                    error: error(goaway.error),
                })
                .collect(),
            headers_unread_sent: log.unread(Direction::Sent),
            headers_unread_received: log.unread(Direction::Received),
        })
    }

    fn stream(&self, stream: Http2Stream<'_>, usage: &StreamUse) -> Stream {
        let frames = |dir| usage.frames(dir).map(|(name, count)| (name.to_owned(), count)).collect();
        let [reset_sent, reset_received] =
            [Direction::Sent, Direction::Received].map(|dir| usage.reset_code(dir).map(error));
        Stream {
            id: stream.id,
            pid: self.user(usage.user),
            opened: usage.opened,
            method: usage.path.as_deref().map(str::to_owned),
            verb: usage.verb.map(|verb| verb.name().to_owned()),
            status: usage.status,
            grpc_status: usage.grpc_status.map(|code| named(grpc_status_name(code), code.into())),
            reset_sent,
            reset_received,
            messages_sent: stream.messages(usage, Direction::Sent),
            messages_received: stream.messages(usage, Direction::Received),
            frames_sent: frames(Direction::Sent),
            frames_received: frames(Direction::Received),
        }
    }

    fn user(&self, user: User) -> u32 {
        self.model.pid(user.into())
    }
}

fn settings(log: &Http2Log, dir: Direction) -> BTreeMap<String, u32> {
    log.settings(dir).map(|(name, value)| (name.to_owned(), value)).collect()
}

fn error(code: u32) -> String {
    named(error_name(code), code)
}

fn named(name: Option<&str>, number: u32) -> String {
    name.map_or_else(|| number.to_string(), str::to_owned)
}
