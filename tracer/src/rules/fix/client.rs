//! By what the connection speaks, and by the library that speaks it.

use super::{fix, is_python};
use crate::model::Facts;
use crate::protocol::Protocol;
use crate::report::Fix;

/// What to change for a client of this protocol.
pub(super) fn of_protocol(protocol: Protocol, facts: &Facts) -> Vec<Fix> {
    match protocol {
        Protocol::Postgres => postgres(facts),
        Protocol::Redis if is_python(facts) => vec![fix(
            "give each process its own connection: use redis-py's default pool instead of single_connection_client, \
             or make the client after the fork",
            "the pool notices the fork and connects anew in the child; one connection object cannot",
        )],
        Protocol::Mysql => vec![fix(
            if is_python(facts) {
                "connect after the fork; with SQLAlchemy, call engine.dispose(close=False) first thing in the child"
            } else {
                "connect after the fork, in each process"
            },
            "the child must not use, and must not close, the parent's MySQL session",
        )],
        Protocol::Tls => vec![fix(
            "open the TLS connection in the process that uses it",
            "each process counts TLS records by itself: the peer rejects the second one with a bad record MAC",
        )],
        Protocol::Amqp => vec![amqp(facts)],
        Protocol::Kafka => vec![kafka(facts)],
        Protocol::MongoDb => vec![mongodb(facts)],
        Protocol::Mqtt => vec![fix(
            "make the MQTT client, connect() and loop_start() in the process that uses it, after the fork",
            "its network thread does not cross the fork, packet ids are counted twice, and the child's disconnect() ends \
             the parent's session",
        )],
        Protocol::Unknown | Protocol::Http1 | Protocol::Http2 | Protocol::Redis => Vec::new(),
    }
}

fn postgres(facts: &Facts) -> Vec<Fix> {
    let library = if facts.libraries.contains_key("libpq") { "libpq" } else { "the PostgreSQL client" };
    let text = if is_python(facts) {
        "connect after the fork; with SQLAlchemy, call engine.dispose(close=False) first thing in the child"
    } else {
        "connect after the fork, in each process"
    };
    vec![fix(
        text,
        &format!(
            "{library} keeps the session's state in the process: two copies of it on one session mix up queries and rows"
        ),
    )]
}

fn amqp(facts: &Facts) -> Fix {
    let text = if is_python(facts) {
        "open the AMQP connection in each process: with pika one connection (and its channels) a process, made after the \
         fork; with kombu call kombu.pools.reset() first thing in the child; under Celery connect in \
         worker_process_init, not when the module is imported"
    } else {
        "open the AMQP connection and its channels in each process, after the fork"
    };
    fix(
        text,
        "channels and delivery tags are counted in each process by itself, and close() in the child closes the parent's \
         channels and connection",
    )
}

fn kafka(facts: &Facts) -> Fix {
    let text = match (facts.libraries.contains_key("librdkafka"), is_python(facts)) {
        (true, _) => {
            "make the Kafka producer or consumer after the fork, in the child (librdkafka, and so confluent-kafka, cannot \
             be used across a fork)"
        }
        (false, true) => {
            "make KafkaProducer and KafkaConsumer after the fork, in each process; close() in the parent before the fork \
             if both need one"
        }
        (false, false) => "make Kafka clients after the fork, in each process",
    };
    fix(
        text,
        "the client's sender threads do not cross a fork, and correlation ids are counted in each process by itself",
    )
}

fn mongodb(facts: &Facts) -> Fix {
    let text = if is_python(facts) {
        "make MongoClient after the fork, in each process (under a prefork server in its post-fork hook), and do not hand \
         on a connection, cursor or session of the parent's"
    } else {
        "connect to MongoDB after the fork, in each process"
    };
    fix(
        text,
        "replies are matched to requests by numbers that each process counts by itself, and drivers' locks and monitor \
         threads do not cross a fork",
    )
}
