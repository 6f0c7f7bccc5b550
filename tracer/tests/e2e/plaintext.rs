//! What is inside TLS, with `--tls-plaintext`: it takes eBPF.

use crate::brokers::tls_echo;
use crate::check::{Expected, check, number, quiet, told};
use crate::databases::{certify, client, dsn_tls, postgres_tls, redis_tls};
use crate::env::{Env, program};
use crate::process::{Process, until};
use crate::run::{Outcome, Session};
use crate::servers::free_port;
use crate::ways::Backend;
use serde_json::{Value, json};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;

/// `forkscope run --tls-plaintext`, to the end of a Python program.
#[track_caller]
fn traced(env: &Env, name: &str, arguments: &[&str]) -> Outcome {
    let python = env.python().to_str().expect("a plain path").to_owned();
    let program = program(name).to_str().expect("a plain path").to_owned();
    run(&[&[python.as_str(), &program], arguments].concat())
}

#[track_caller]
fn run(command: &[&str]) -> Outcome {
    let words = [&["--tls-plaintext", "--"], command].concat();
    let outcome = Session::start(Backend::Ebpf, "run", &words, &[]).end();
    assert_eq!(outcome.status, 0, "the program's own status: {:#?}", outcome.stderr);
    outcome
}

/// The connection to this port, or from it.
#[track_caller]
fn connection(report: &Value, port: u16) -> &Value {
    let address = Value::from(format!("127.0.0.1:{port}"));
    let mut all = report["connections"].as_array().expect("the report has connections").iter();
    let is_it = |one: &&Value| one["remote"] == address || one["local"] == address;
    all.find(is_it).unwrap_or_else(|| panic!("no connection on {port} in {report:#}"))
}

/// The one error, which names parent and child.
fn error(said: &[Value], rule: &'static [&'static str], says: &[&str]) -> Expected {
    let names = vec![number(said, "parent", "pid"), number(said, "child", "pid")];
    let says = says.iter().map(|&words| words.to_owned()).collect();
    Expected { rule, names, fd: Some(number(said, "parent", "fd")), says, ..Expected::default() }
}

/// Its libssl is a file of the wheel's own, which is mapped when the module is imported. With TLS 1.3 nothing
/// of that shows on the wire.
#[test]
fn psycopg2_closed_by_the_child() {
    let Some(env) = Env::get() else { return };
    for version in ["TLSv1.3", "TLSv1.2"] {
        let server = postgres_tls(version);
        let _running = server.start();
        let Outcome { said, report, .. } = traced(env, "goodbye.py", &["pg", &dsn_tls(&server)]);
        let says = ["sent Terminate", "PostgreSQL over TLS"];
        check(&report, &[error(&said, &["foreign-goodbye"], &says)]);
        let connection = connection(&report, server.port);
        let told = [&connection["protocol"], &connection["tls"], &connection["tls_plaintext"]];
        assert_eq!(told, [&json!("PostgreSQL"), &json!(true), &json!(true)]);
    }
}

#[test]
fn psycopg2_dropped_by_the_child() {
    let Some(env) = Env::get() else { return };
    let server = postgres_tls("TLSv1.3");
    let _running = server.start();
    let Outcome { said, report, .. } = traced(env, "goodbye.py", &["drop", &dsn_tls(&server)]);
    assert!(said.iter().any(|line| line["second"] == 1), "{said:#?}");
    quiet(&report);
    assert_eq!(connection(&report, server.port)["protocol"], "PostgreSQL");
}

/// Each of the two has a copy of the session, and goes on with it.
#[test]
fn psycopg2_in_turns() {
    let Some(env) = Env::get() else { return };
    let server = postgres_tls("TLSv1.3");
    let _running = server.start();
    let Outcome { said, report, .. } = traced(env, "pg_shared.py", &[&dsn_tls(&server)]);
    check(&report, &[error(&said, &["shared-stream"], &["PostgreSQL over TLS", "\"version\":\"TLS 1.3\""])]);
}

/// Python's ssl, which hands OpenSSL the descriptor itself.
#[test]
fn redis_in_turns() {
    let Some(env) = Env::get() else { return };
    let server = redis_tls();
    let _running = server.start();
    let Outcome { said, report, .. } = traced(env, "redis_shared.py", &["--tls", &server.port.to_string()]);
    check(&report, &[error(&said, &["shared-stream"], &["Redis over TLS"])]);
    assert_eq!(connection(&report, server.port)["protocol"], "Redis");
}

/// Python's ssl says close_notify: hidden in TLS 1.3.
#[test]
fn close_notify_of_the_child() {
    let Some(env) = Env::get() else { return };
    let server = tls_echo(env, "TLSv1_3");
    let port = server.port.to_string();
    let Outcome { said, report, .. } = traced(env, "tls_shared.py", &["unwraps", &port]);
    check(&report, &[error(&said, &["foreign-goodbye"], &["sent close_notify"])]);
    for mode in ["own", "exits"] {
        let Outcome { said, report, .. } = traced(env, "tls_shared.py", &[mode, &port]);
        assert_eq!(told(&said, "parent", "second"), "hello", "{said:#?}");
        quiet(&report);
    }
}

/// nghttp2's server over TLS, on a directory with one file, `there`.
fn nghttpd(directory: &Path) -> (Process, u16) {
    let port = free_port();
    let path = |name: &str| directory.join(name).to_str().expect("a plain path").to_owned();
    std::fs::write(path("there"), "hello").expect("own directory");
    let (key, certificate) = (path("key.pem"), path("certificate.pem"));
    certify(&[], &key, &certificate);
    let mut command = Command::new("nghttpd");
    command.args(["--address", "127.0.0.1", "--htdocs"]).arg(directory);
    let process = Process::start(command.arg(port.to_string()).args([key, certificate]));
    until("nghttpd listens", || TcpStream::connect(("127.0.0.1", port)).is_ok());
    (process, port)
}

/// The streams of requests: what was asked, and the answer's status.
fn streams(connection: &Value) -> Vec<[&Value; 3]> {
    let all = connection["http2"]["streams"].as_array().into_iter().flatten();
    let requests = all.filter(|stream| stream["id"] != 0);
    requests.map(|stream| [&stream["verb"], &stream["method"], &stream["status"]]).collect()
}

#[test]
fn an_http2_request_that_the_child_cancels() {
    let Some(env) = Env::get() else { return };
    let directory = tempfile::tempdir().expect("a temporary directory");
    let (_server, port) = nghttpd(directory.path());
    let Outcome { said, report, .. } = traced(env, "http2_tls.py", &[&port.to_string()]);
    let says = ["sent RST_STREAM (CANCEL) on HTTP/2 stream 3", "for /upload", "HTTP/2 over TLS"];
    check(&report, &[error(&said, &["foreign-goodbye"], &says)]);
    let streams = streams(connection(&report, port));
    assert_eq!(streams[0], [&json!("GET"), &json!("/there"), &json!(200)]);
}

/// curl has its own way to bring OpenSSL's bytes to the socket.
#[test]
fn requests_of_curl() {
    let Some(_) = Env::get() else { return };
    let directory = tempfile::tempdir().expect("a temporary directory");
    let (_server, port) = nghttpd(directory.path());
    let url = format!("https://127.0.0.1:{port}/there?token=secret");
    let Outcome { report, .. } = run(&["curl", "--silent", "--insecure", "--http2", &url]);
    quiet(&report);
    let connection = connection(&report, port);
    assert_eq!(connection["protocol"], "HTTP/2");
    assert_eq!(streams(connection), [[&json!("GET"), &json!("/there"), &json!(200)]]);
}

/// It runs already, and has OpenSSL mapped.
#[test]
fn a_server_that_is_attached_to() {
    let Some(_) = Env::get() else { return };
    let directory = tempfile::tempdir().expect("a temporary directory");
    let (server, port) = nghttpd(directory.path());
    let words = ["--tls-plaintext".to_owned(), server.pid().to_string()];
    let mut session = Session::start(Backend::Ebpf, "attach", &words, &[]);
    session.process().stderr_says("tracing");
    let url = format!("https://127.0.0.1:{port}/there");
    assert_eq!(client("curl", &["--silent", "--insecure", "--http2", &url]), "hello");
    let Outcome { report, .. } = session.interrupt();
    quiet(&report);
    let connection = connection(&report, port);
    assert_eq!(connection["protocol"], "HTTP/2");
    assert_eq!(streams(connection), [[&json!("GET"), &json!("/there"), &json!(200)]]);
}

/// What cannot be read is said, with the reason, to the user and in the report.
#[track_caller]
fn says_why(outcome: &Outcome, why: &str) {
    let notes = outcome.report["notes"].as_array().expect("there are notes");
    let is_it =
        |note: &Value| note.as_str().is_some_and(|note| note.contains("was not seen") && note.contains(why));
    assert!(notes.iter().any(is_it), "{notes:#?}");
    assert!(outcome.stderr.iter().any(|line| line.contains(why)), "{:#?}", outcome.stderr);
}

/// It sends each hello at once, from the thread that made it.
#[test]
fn what_asyncio_carries_in_memory_is_tied_by_the_hello() {
    let Some(env) = Env::get() else { return };
    let server = tls_echo(env, "TLSv1_3");
    let Outcome { said, report, .. } =
        traced(env, "tls_in_memory.py", &["asyncio", &server.port.to_string()]);
    assert_eq!(told(&said, "parent", "whole"), true);
    quiet(&report);
    assert_eq!(report["stats"]["tls_untied"], 0);
    assert_eq!(connection(&report, server.port)["protocol"], "HTTP/1");
}

#[test]
fn what_another_thread_sends_is_counted() {
    let Some(env) = Env::get() else { return };
    let server = tls_echo(env, "TLSv1_3");
    let outcome = traced(env, "tls_in_memory.py", &["threads", &server.port.to_string()]);
    assert_eq!(told(&outcome.said, "parent", "whole"), true);
    quiet(&outcome.report);
    assert!(outcome.report["stats"]["tls_untied"].as_u64().is_some_and(|count| count >= 2));
    says_why(&outcome, "in memory");
}

#[test]
fn a_library_with_its_own_openssl_is_not_read() {
    let Some(env) = Env::get() else { return };
    let server = tls_echo(env, "TLSv1_3");
    let outcome = traced(env, "grpc_tls.py", &[&format!("127.0.0.1:{}", server.port)]);
    assert_eq!(told(&outcome.said, "parent", "tried"), true);
    says_why(&outcome, "gRPC");
    let connection = connection(&outcome.report, server.port);
    assert_eq!((&connection["tls"], &connection["tls_plaintext"]), (&json!(true), &json!(false)));
}

/// Without the option there is no probe, and nothing of that in the report.
#[test]
fn it_is_off_by_default() {
    let Some(env) = Env::get() else { return };
    let server = tls_echo(env, "TLSv1_3");
    let port = server.port.to_string();
    let (python, program) = (env.python(), program("tls_shared.py"));
    let command = [python.as_os_str(), program.as_os_str(), "exits".as_ref(), port.as_ref()];
    let Outcome { report, .. } = crate::run::run(Backend::Ebpf, &command, &[]);
    assert_eq!(report["stats"]["events"]["plaintext"], 0);
    assert_eq!(connection(&report, server.port)["tls_plaintext"], false);
    let programs = report["stats"]["overhead"]["programs"].as_object().expect("eBPF has programs");
    assert!(!programs.keys().any(|name| name.contains("ssl")), "{programs:#?}");
}

#[test]
fn it_takes_ebpf() {
    let words = ["run", "--backend", "ptrace", "--tls-plaintext", "--", "true"];
    let output = Command::new(crate::env::forkscope()).args(words).output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("through eBPF only"), "{said}");
}
