//! TLS connections whose plaintext was asked for and not seen: whose, and why.

use super::Analysis;
use crate::model::{Process, Socket};
use crate::protocol::Protocol;
use std::collections::BTreeMap;

/// Programs that are named, at most.
const MOST: usize = 16;

impl Analysis {
    /// A sentence for each program that used TLS connections of which no plaintext was seen. `unprobed`: the
    /// files of OpenSSL that are not probed.
    #[must_use]
    pub fn unread_tls(&self, unprobed: &[String]) -> Vec<String> {
        let mut programs: BTreeMap<(String, &'static str), (u32, u64)> = BTreeMap::new();
        for socket in self.model.sockets().filter(|socket| is_unread(socket)) {
            let user = socket.users.iter().find(|usage| usage.sent.0 > 0 || usage.received.0 > 0);
            let Some(process) = user.and_then(|usage| self.model.process(usage.process)) else { continue };
            let why = self.why(process, unprobed);
            programs.entry((process.comm.to_string(), why)).or_insert((process.pid(), 0)).1 += 1;
        }
        let sentence = |((name, why), (pid, count)): ((String, _), _)| {
            let connections = if count == 1 { "a TLS connection" } else { "TLS connections" };
            format!("what {name} (pid {pid}) said inside {connections} was not seen: {why}")
        };
        programs.into_iter().take(MOST).map(sentence).collect()
    }

    fn why(&self, process: &Process, unprobed: &[String]) -> &'static str {
        let facts = self.facts_of(process.pid());
        let library = facts.as_ref().and_then(|facts| facts.libraries.get("libssl"));
        match (process.untied, library) {
            (true, _) => {
                "it carries OpenSSL's bytes in memory and sends them itself, as Node.js does, so that they cannot be tied to \
                 a connection"
            }
            (false, Some((_, path))) if unprobed.contains(path) => "its OpenSSL is not probed, as was said",
            (false, Some(_)) => {
                "it has OpenSSL loaded, but this went through another library, as gRPC brings its own, or was over \
                 before forkscope looked"
            }
            (false, None) => {
                "it has no libssl.so loaded; TLS that is linked into a program, as in Go, Rust and gRPC, and other \
                 libraries are not read"
            }
        }
    }
}

fn is_unread(socket: &Socket) -> bool {
    socket.protocol() == Protocol::Tls && !socket.is_seen_inside()
}
