//! Sessions with message brokers, and TLS sessions, that cross a fork.

use crate::brokers::{Broker, mosquitto, rabbitmq, tls_echo};
use crate::check::{Expected, check, number, quiet, told};
use crate::env::{Env, program};
use crate::run::{Outcome, run};
use crate::ways::{Backend, on_each_backend};
use serde_json::Value;

/// Traces a program in one of its modes.
#[track_caller]
fn traced(on: Backend, env: &Env, name: &str, mode: &str, server: &Broker) -> Outcome {
    let port = server.port.to_string();
    let (python, program) = (env.python(), program(name));
    let command = [python.as_os_str(), program.as_os_str(), mode.as_ref(), port.as_ref()];
    let outcome = run(on, &command, &[]);
    assert_eq!(outcome.status, 0, "the program's own status: {:#?}", outcome.stderr);
    outcome
}

/// The error that names both processes; where it is the parent's, of its descriptor.
fn error(said: &[Value], rule: &'static [&'static str], says: &[&str]) -> Expected {
    let names = vec![number(said, "parent", "pid"), number(said, "child", "pid")];
    let says = says.iter().map(|&words| words.to_owned()).collect();
    Expected { rule, names, fd: Some(number(said, "parent", "fd")), says, ..Expected::default() }
}

/// The traced program's connection.
#[track_caller]
fn connection<'a>(report: &'a Value, server: &Broker) -> &'a Value {
    let remote = Value::from(format!("127.0.0.1:{}", server.port));
    let mut all = report["connections"].as_array().expect("the report has connections").iter();
    all.find(|one| one["remote"] == remote).expect("the connection")
}

/// One start of RabbitMQ, which takes some seconds, for all that is told of it.
fn pika(on: Backend) {
    let Some(env) = Env::get() else { return };
    let server = rabbitmq();
    let Outcome { said, report, .. } = traced(on, env, "amqp_shared.py", "turns", &server);
    check(&report, &[error(&said, &["shared-stream", "stolen-reply"], &["AMQP"])]);
    assert_eq!(connection(&report, &server)["protocol"], "AMQP");
    // Whether the server's end came before the parent's next message decides how it met that.
    for (mode, says) in [("closes", "AMQP"), ("channel", "closed AMQP channel 1")] {
        let Outcome { said, report, .. } = traced(on, env, "amqp_shared.py", mode, &server);
        assert_ne!(told(&said, "parent", "second"), "hello", "{said:#?}");
        check(&report, &[error(&said, &["foreign-goodbye"], &[says])]);
    }
    for mode in ["own", "exits", "handed"] {
        let Outcome { said, report, .. } = traced(on, env, "amqp_shared.py", mode, &server);
        let second = said.iter().find_map(|line| line["second"].as_str());
        assert_eq!(second.unwrap_or("hello"), "hello", "{mode}: {said:#?}");
        quiet(&report);
    }
}

fn paho_disconnected_by_the_child(on: Backend) {
    let Some(env) = Env::get() else { return };
    let server = mosquitto();
    let Outcome { said, report, .. } = traced(on, env, "mqtt_shared.py", "disconnects", &server);
    assert_ne!(told(&said, "parent", "second"), "published", "{said:#?}");
    let pid = vec![number(&said, "parent", "pid")];
    let names = vec![told(&said, "parent", "child").as_u64().expect("a pid")];
    let fd = Some(number(&said, "parent", "fd"));
    let says = vec!["sent DISCONNECT".to_owned(), "MQTT".to_owned()];
    check(&report, &[Expected { rule: &["foreign-goodbye"], pid, names, fd, says, errno: None }]);
}

fn paho_of_the_child_s_own(on: Backend) {
    let Some(env) = Env::get() else { return };
    let server = mosquitto();
    let Outcome { said, report, .. } = traced(on, env, "mqtt_shared.py", "own", &server);
    assert_eq!(told(&said, "parent", "second"), "published", "{said:#?}");
    quiet(&report);
}

/// What the report says of the TLS session: version, host, what was offered, what was chosen.
#[track_caller]
fn session(report: &Value, server: &Broker, version: &str, chosen: &Value) {
    let connection = connection(report, server);
    let session = &connection["tls_session"];
    assert_eq!(connection["tls"], true);
    let told = [&session["version"], &session["server_name"], &session["alpn_offered"], &session["alpn"]];
    let offered = serde_json::json!(["h2", "http/1.1"]);
    assert_eq!(told, [&version.into(), &"service.test".into(), &offered, chosen]);
    let protocol = if chosen.is_null() { "TLS" } else { "HTTP/2" };
    assert_eq!(connection["protocol"], protocol);
}

fn tls_in_turns(on: Backend) {
    let Some(env) = Env::get() else { return };
    for (setting, version, chosen) in
        [("TLSv1_3", "TLS 1.3", Value::Null), ("TLSv1_2", "TLS 1.2", Value::from("h2"))]
    {
        let server = tls_echo(env, setting);
        let Outcome { said, report, .. } = traced(on, env, "tls_shared.py", "turns", &server);
        // The records' numbers are used twice: the server ends the session, with a bad record MAC.
        assert_eq!(told(&said, "child", "done"), "hello");
        assert_ne!(told(&said, "parent", "second"), "hello", "{said:#?}");
        check(&report, &[error(&said, &["shared-stream"], &[])]);
        session(&report, &server, version, &chosen);
    }
}

fn tls_ended_by_the_child(on: Backend) {
    let Some(env) = Env::get() else { return };
    let server = tls_echo(env, "TLSv1_2");
    let Outcome { said, report, .. } = traced(on, env, "tls_shared.py", "unwraps", &server);
    assert_ne!(told(&said, "parent", "second"), "hello", "{said:#?}");
    check(&report, &[error(&said, &["foreign-goodbye"], &["sent an encrypted alert"])]);
    session(&report, &server, "TLS 1.2", &"h2".into());
}

fn tls_of_the_child_s_own(on: Backend) {
    let Some(env) = Env::get() else { return };
    for (setting, mode) in [("TLSv1_2", "own"), ("TLSv1_3", "own"), ("TLSv1_2", "exits")] {
        let server = tls_echo(env, setting);
        let Outcome { said, report, .. } = traced(on, env, "tls_shared.py", mode, &server);
        assert_eq!(told(&said, "parent", "second"), "hello", "{said:#?}");
        quiet(&report);
    }
}

on_each_backend! {
    pika
    paho_disconnected_by_the_child
    paho_of_the_child_s_own
    tls_in_turns
    tls_ended_by_the_child
    tls_of_the_child_s_own
}
