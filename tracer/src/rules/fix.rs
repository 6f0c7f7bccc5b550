//! What to change, for this program: by rule, by what the process has loaded and set, by what the connection speaks.

use crate::model::Facts;
use crate::protocol::Protocol;
use crate::report::{Fix, RuleId};

/// The advice for a finding, best first.
#[must_use]
pub fn fixes(rule: RuleId, protocol: Protocol, facts: Option<&Facts>) -> Vec<Fix> {
    let facts = facts.cloned().unwrap_or_default();
    if rule == RuleId::StalledChild {
        return stalled(&facts);
    }
    // After a late attach nothing may have been said on the connection that would tell what it speaks.
    let first = of_rule(rule, &facts);
    let may_be_grpc = matches!(protocol, Protocol::Http2 | Protocol::Unknown);
    if may_be_grpc && facts.libraries.contains_key("grpc") {
        return first.into_iter().chain(grpc(&facts)).collect();
    }
    if matches!(rule, RuleId::SharedEpoll | RuleId::SharedWakeup) {
        return event_loop(&facts);
    }
    let mut fixes = match protocol {
        Protocol::Postgres => postgres(&facts),
        Protocol::Redis if is_python(&facts) => vec![fix(
            "give each process its own connection: use redis-py's default pool instead of single_connection_client, \
             or make the client after the fork",
            "the pool notices the fork and connects anew in the child; one connection object cannot",
        )],
        Protocol::Mysql => vec![fix(
            "connect after the fork, or call engine.dispose(close=False) first thing in the child",
            "the child must not use, and must not close, the parent's MySQL session",
        )],
        Protocol::Tls => vec![fix(
            "open the TLS connection in the process that uses it",
            "each process counts TLS records by itself: the peer rejects the second one with a bad record MAC",
        )],
        Protocol::Amqp => vec![amqp(&facts)],
        Protocol::Kafka => vec![kafka(&facts)],
        Protocol::MongoDb => vec![mongodb(&facts)],
        Protocol::Mqtt => vec![fix(
            "make the MQTT client, connect() and loop_start() in the process that uses it, after the fork",
            "its network thread does not cross the fork, packet ids are counted twice, and the child's disconnect() ends \
             the parent's session",
        )],
        Protocol::Unknown | Protocol::Http1 | Protocol::Http2 | Protocol::Redis => Vec::new(),
    };
    fixes.splice(0..0, first);
    if rule == RuleId::InheritedConnection && fixes.is_empty() {
        return vec![fix(
            "open connections after the fork, or close them in the child",
            "what nobody shares, nobody can disturb",
        )];
    }
    fixes.push(fix(
        "open the connection after the fork, in the process that uses it",
        "parent and child then have a socket each, and nothing in user memory to keep in step",
    ));
    if is_python(&facts) {
        fixes.push(fix(
            "start children with multiprocessing.get_context(\"spawn\") or \"forkserver\"",
            "such a child starts empty: it inherits no connection and no library state",
        ));
    }
    fixes
}

/// What to change for this rule, whatever the connection speaks.
fn of_rule(rule: RuleId, facts: &Facts) -> Option<Fix> {
    match rule {
        RuleId::PreExecIo if is_python(facts) => Some(fix(
            "take the connection's use out of preexec_fn: do it before the Popen, and give the result as an argument",
            "between fork and exec there is only a copy of the parent's session; of what preexec_fn is used for most, \
             subprocess has parameters: start_new_session, process_group, user, umask, cwd, pass_fds",
        )),
        RuleId::PreExecIo => Some(fix(
            "do nothing but what the exec needs between fork and exec: ask before the fork, and give the answer as an argument",
            "between fork and exec there is only a copy of the parent's session",
        )),
        RuleId::ForkInFlight => Some(fix(
            "fork before the first request, or when all have been answered and the threads that send them have ended",
            "a request that is under way at the fork is under way in two processes, and is answered once",
        )),
        // Their advice is not by what a connection speaks.
        RuleId::StalledChild
        | RuleId::SharedEpoll
        | RuleId::SharedWakeup
        | RuleId::Enotsock
        | RuleId::StaleDescriptor
        | RuleId::MisdirectedBytes
        | RuleId::SharedStream
        | RuleId::StolenReply
        | RuleId::ForeignGoodbye
        | RuleId::PinnedConnection
        | RuleId::ExecLeak
        | RuleId::InheritedConnection => None,
    }
}

/// The three cures of gRPC, for the state that this program is in.
fn grpc(facts: &Facts) -> Vec<Fix> {
    let version = facts.libraries.get("grpc").and_then(|(version, _)| version.as_deref());
    let which = version.map_or_else(|| "gRPC".to_owned(), |version| format!("grpcio {version}"));
    let close = fix(
        "close the channel before the fork: channel.close(), or `with grpc.insecure_channel(...) as channel:`",
        "channels to one target share a connection in the process: the child's \"own\" channel is the parent's connection",
    );
    let set = facts.environment.get("GRPC_ENABLE_FORK_SUPPORT").map(String::as_str);
    let env = match set {
        Some(value) if is_true(value) => fix(
            "GRPC_ENABLE_FORK_SUPPORT is set already: fork only while no call is running and no other thread uses gRPC",
            "its fork handlers give up when they cannot stop gRPC's own threads in time",
        ),
        Some(value) => fix(
            &format!("set GRPC_ENABLE_FORK_SUPPORT=1 in the parent's environment (it is {value:?} now)"),
            &format!(
                "{which} then shuts its connections and threads down before the fork, and starts afresh in the child"
            ),
        ),
        None => fix(
            "set GRPC_ENABLE_FORK_SUPPORT=1 in the parent's environment (it is not set now)",
            &format!(
                "{which} then shuts its connections and threads down before the fork, and starts afresh in the child"
            ),
        ),
    };
    let spawn = fix(
        "start the child with multiprocessing.get_context(\"spawn\") instead of fork",
        "a spawned child starts empty: it inherits no connection and no state of the library",
    );
    vec![close, env, spawn]
}

/// What helps where the threads that a child needs did not cross the fork.
fn stalled(facts: &Facts) -> Vec<Fix> {
    let mut fixes = Vec::new();
    if is_python(facts) {
        fixes.push(fix(
            "start children with multiprocessing.get_context(\"spawn\") or \"forkserver\"",
            "such a child starts empty: it has no copy of a lock that is held, or of a library without its threads",
        ));
        if facts.libraries.contains_key("grpc") {
            fixes.extend(grpc(facts).into_iter().filter(|fix| fix.text.contains("GRPC_ENABLE_FORK_SUPPORT")));
        }
        fixes.push(fix(
            "for a lock of your own: os.register_at_fork(before=lock.acquire, after_in_parent=lock.release, \
             after_in_child=lock.release)",
            "no other thread holds the lock at the fork then, and both copies are free after it",
        ));
    } else {
        fixes.push(fix(
            "start the child with posix_spawn(3), or execute a program right after the fork",
            "a new program has no copy of a lock that is held, or of a library without its threads",
        ));
        fixes.push(fix(
            "for a lock of your own: take it before the fork and release it on both sides, with pthread_atfork(3)",
            "no other thread holds the lock at the fork then, and both copies are free after it",
        ));
    }
    fixes.push(fix(
        "fork before the first thread is started",
        "what has one thread crosses a fork whole; libraries start threads of their own when they are first used",
    ));
    fixes
}

/// What the libraries of event loops want to be told at a fork.
const LOOPS: [(&str, &str); 3] = [
    ("libuv", "call uv_loop_fork() first thing in the child, on the loop that it goes on with"),
    ("libev", "call ev_loop_fork() first thing in the child, on the loop that it goes on with"),
    ("libevent", "call event_reinit() first thing in the child, on the base that it goes on with"),
];

fn event_loop(facts: &Facts) -> Vec<Fix> {
    let mut fixes: Vec<Fix> = LOOPS
        .iter()
        .filter(|(library, _)| facts.libraries.contains_key(*library))
        .map(|(library, text)| {
            fix(text, &format!("{library} then makes an epoll instance of the child's own"))
        })
        .collect();
    fixes.push(fix(
        "make the event loop after the fork, in the process that runs it",
        "what an inherited loop registers, and the wake-ups that it writes, are its parent's, too",
    ));
    if is_python(facts) {
        fixes.push(fix(
            "with asyncio, let the child make its own loop, by asyncio.run(), and not use or close the inherited one",
            "to close the inherited loop takes what its parent waits for off the shared epoll instance",
        ));
        fixes.push(fix(
            "start children with multiprocessing.get_context(\"spawn\") or \"forkserver\"",
            "such a child starts empty: it inherits no event loop",
        ));
    }
    fixes
}

fn postgres(facts: &Facts) -> Vec<Fix> {
    let library = if facts.libraries.contains_key("libpq") { "libpq" } else { "the PostgreSQL client" };
    vec![fix(
        "connect after the fork; with SQLAlchemy, call engine.dispose(close=False) first thing in the child",
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

fn is_python(facts: &Facts) -> bool {
    facts.libraries.contains_key("python") || facts.exe.as_deref().is_some_and(|exe| exe.contains("python"))
}

/// As gRPC reads its boolean settings.
fn is_true(value: &str) -> bool {
    matches!(value.to_ascii_lowercase().as_str(), "1" | "true" | "yes" | "y" | "t")
}

fn fix(text: &str, why: &str) -> Fix {
    Fix { text: text.into(), why: why.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_grpc(setting: Option<&str>) -> Vec<Fix> {
        let mut facts = Facts::default();
        facts.libraries.insert("grpc".into(), (Some("1.28.1".into()), "cygrpc.so".into()));
        if let Some(value) = setting {
            facts.environment.insert("GRPC_ENABLE_FORK_SUPPORT".into(), value.into());
        }
        fixes(RuleId::Enotsock, Protocol::Http2, Some(&facts))
    }

    #[test]
    fn grpc_gets_its_three_cures_for_its_own_state() {
        for (setting, expected) in
            [(None, "not set now"), (Some("0"), "\"0\" now"), (Some("1"), "is set already")]
        {
            let fixes = with_grpc(setting);
            assert_eq!(fixes.len(), 3);
            assert!(fixes[1].text.contains(expected), "{setting:?}: {}", fixes[1].text);
        }
        assert!(with_grpc(None)[1].why.contains("grpcio 1.28.1"));
    }

    #[test]
    fn event_loops_are_told_of_the_fork_in_their_library_s_words() {
        for (library, expected) in
            [("libuv", "uv_loop_fork()"), ("libev", "ev_loop_fork()"), ("libevent", "event_reinit()")]
        {
            let mut facts = Facts::default();
            facts.libraries.insert(library.into(), (None, String::new()));
            let fixes = fixes(RuleId::SharedEpoll, Protocol::Unknown, Some(&facts));
            assert!(fixes[0].text.contains(expected), "{library}: {}", fixes[0].text);
        }
        let mut python = Facts::default();
        python.libraries.insert("python".into(), (Some("3.13".into()), String::new()));
        let texts: String = fixes(RuleId::SharedWakeup, Protocol::Unknown, Some(&python))
            .into_iter()
            .map(|fix| fix.text)
            .collect();
        assert!(texts.contains("asyncio.run()") && texts.contains("spawn"), "{texts}");
    }

    #[test]
    fn there_is_always_advice() {
        for rule in RuleId::ALL {
            assert!(!fixes(rule, Protocol::Unknown, None).is_empty(), "{}", rule.name());
        }
    }

    #[test]
    fn clients_are_named_where_the_program_may_have_them() {
        for (protocol, libraries, expected) in [
            (Protocol::Amqp, &["python"][..], "pika"),
            (Protocol::Amqp, &[], "AMQP connection and its channels"),
            (Protocol::Kafka, &["python", "librdkafka"], "confluent-kafka"),
            (Protocol::Kafka, &["python"], "KafkaProducer"),
            (Protocol::Kafka, &[], "Kafka clients"),
            (Protocol::MongoDb, &["python"], "MongoClient"),
            (Protocol::MongoDb, &[], "MongoDB after the fork"),
            (Protocol::Mqtt, &[], "loop_start()"),
        ] {
            let mut facts = Facts::default();
            for library in libraries {
                facts.libraries.insert((*library).into(), (None, String::new()));
            }
            let fixes = fixes(RuleId::SharedStream, protocol, Some(&facts));
            assert!(fixes[0].text.contains(expected), "{protocol:?} {libraries:?}: {}", fixes[0].text);
        }
    }
}
