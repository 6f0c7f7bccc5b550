use super::*;

fn with_grpc(setting: Option<&str>) -> Vec<Fix> {
    let mut facts = Facts::default();
    facts.libraries.insert("grpc".into(), (Some("1.28.1".into()), "cygrpc.so".into()));
    if let Some(value) = setting {
        facts.environment.insert("GRPC_ENABLE_FORK_SUPPORT".into(), value.into());
    }
    fixes(RuleId::Enotsock, Protocol::Http2, Some(&facts), None)
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
        let fixes = fixes(RuleId::SharedEpoll, Protocol::Unknown, Some(&facts), None);
        assert!(fixes[0].text.contains(expected), "{library}: {}", fixes[0].text);
    }
    let mut python = Facts::default();
    python.libraries.insert("python".into(), (Some("3.13".into()), String::new()));
    let texts: String = fixes(RuleId::SharedWakeup, Protocol::Unknown, Some(&python), None)
        .into_iter()
        .map(|fix| fix.text)
        .collect();
    assert!(texts.contains("asyncio.run()") && texts.contains("spawn"), "{texts}");
}

#[test]
fn there_is_always_advice() {
    for rule in RuleId::ALL {
        assert!(!fixes(rule, Protocol::Unknown, None, None).is_empty(), "{}", rule.name());
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
        let fixes = fixes(RuleId::SharedStream, protocol, Some(&facts), None);
        assert!(fixes[0].text.contains(expected), "{protocol:?} {libraries:?}: {}", fixes[0].text);
    }
}

#[test]
fn a_python_library_is_advised_to_python_only() {
    let mut python = Facts::default();
    python.libraries.insert("python".into(), (Some("3.13".into()), String::new()));
    for protocol in [Protocol::Postgres, Protocol::Mysql] {
        for (facts, advised) in [(&python, true), (&Facts::default(), false)] {
            let fixes = fixes(RuleId::SharedStream, protocol, Some(facts), None);
            assert_eq!(fixes.iter().any(|fix| fix.text.contains("SQLAlchemy")), advised, "{protocol:?}");
        }
    }
}

/// Nobody need change how the connection is used where it is only held: what it speaks does not matter.
#[test]
fn who_only_holds_a_connection_is_told_to_let_it_go() {
    let mut python = Facts::default();
    python.libraries.insert("python".into(), (Some("3.13".into()), String::new()));
    for (rule, facts, expected) in [
        (RuleId::ExecLeak, &python, &["close_fds=True"][..]),
        (RuleId::ExecLeak, &Facts::default(), &["SOCK_CLOEXEC"]),
        (RuleId::PinnedConnection, &python, &["close it in the child", "close_fds=True", "shutdown(2)"]),
        (
            RuleId::PinnedConnection,
            &Facts::default(),
            &["close it in the child", "SOCK_CLOEXEC", "shutdown(2)"],
        ),
    ] {
        let texts = |protocol| -> Vec<_> {
            fixes(rule, protocol, Some(facts), None).into_iter().map(|fix| fix.text).collect()
        };
        let found = texts(Protocol::Http2);
        assert_eq!(found, texts(Protocol::Unknown), "{rule:?}");
        assert_eq!(found.len(), expected.len(), "{rule:?}: {found:?}");
        assert!(found.iter().zip(expected).all(|(text, words)| text.contains(words)), "{rule:?}: {found:?}");
    }
}
