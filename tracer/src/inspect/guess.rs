//! What a connection probably speaks. No byte of it was seen, so this is a guess, and says what it rests on.

use crate::model::Address;
use crate::report::ProtocolGuess;

/// Ports that IANA or the servers' own documents name, and what usually speaks there.
const PORTS: [(u16, &str); 14] = [
    (22, "SSH"),
    (80, "HTTP/1"),
    (443, "TLS"),
    (1883, "MQTT"),
    (3306, "MySQL"),
    (5432, "PostgreSQL"),
    (5671, "TLS"),
    (5672, "AMQP"),
    (6379, "Redis"),
    (8883, "TLS"),
    (9092, "Kafka"),
    (11211, "memcached"),
    (27017, "MongoDB"),
    (50051, "gRPC (HTTP/2)"),
];

/// Names of servers' programs (`/proc/PID/comm`: the first 15 bytes), and what they speak.
const PROGRAMS: [(&str, &str); 8] = [
    ("postgres", "PostgreSQL"),
    ("mysqld", "MySQL"),
    ("mariadbd", "MySQL"),
    ("redis-server", "Redis"),
    ("valkey-server", "Redis"),
    ("memcached", "memcached"),
    ("mongod", "MongoDB"),
    ("sshd", "SSH"),
];

/// Parts of the paths of servers' sockets, and what is spoken there.
const PATHS: [(&str, &str); 4] =
    [("/.s.PGSQL.", "PostgreSQL"), ("/mysql", "MySQL"), ("/redis", "Redis"), ("/memcached", "memcached")];

/// What is probably spoken between these two. `listener`: the name of the program that listens on one
/// of them, and its number.
pub(super) fn protocol(
    local: &Address,
    remote: &Address,
    listener: Option<(&str, u32)>,
) -> Option<ProtocolGuess> {
    let guess = |name: &str, why: String| Some(ProtocolGuess { name: name.to_owned(), why });
    if let Some((program, pid)) = listener
        && let Some((_, name)) = PROGRAMS.iter().find(|(known, _)| *known == program)
    {
        return guess(name, format!("{program} ({pid}) listens there"));
    }
    // The remote side first: who connects has a port of no meaning.
    [remote, local].into_iter().find_map(|side| match side {
        Address::Inet(address) => {
            let (port, name) = PORTS.iter().find(|(port, _)| *port == address.port())?;
            guess(name, format!("its usual port is {port}"))
        }
        Address::Unix(path) => {
            let (part, name) = PATHS.iter().find(|(part, _)| path.contains(part))?;
            guess(name, format!("its path has {part}"))
        }
        Address::None => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guesses_rest_on_listener_port_or_path() {
        let inet = |text: &str| Address::Inet(text.parse().expect("an address"));
        let unix = |text: &str| Address::Unix(text.into());
        for (local, remote, listener, expected) in [
            (inet("127.0.0.1:40000"), inet("10.0.0.1:5432"), None, Some("PostgreSQL")),
            (inet("[::1]:6379"), inet("[::1]:40000"), None, Some("Redis")),
            (inet("127.0.0.1:40000"), inet("127.0.0.1:443"), Some(("redis-server", 7)), Some("Redis")),
            (inet("127.0.0.1:40000"), inet("127.0.0.1:443"), Some(("python3", 7)), Some("TLS")),
            (inet("127.0.0.1:40000"), inet("127.0.0.1:40001"), Some(("python3", 7)), None),
            (Address::None, unix("/run/postgresql/.s.PGSQL.5432"), None, Some("PostgreSQL")),
            (Address::None, unix("@abc"), None, None),
            (Address::None, Address::None, None, None),
        ] {
            let name = protocol(&local, &remote, listener).map(|guess| guess.name);
            assert_eq!(name.as_deref(), expected, "{local} {remote}");
        }
    }
}
