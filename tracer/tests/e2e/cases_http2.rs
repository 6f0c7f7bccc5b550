//! HTTP/2 of real peers: gRPC, nghttp2's tools and curl. What the report says of each stream
//! is what the program did.

use crate::env::{Env, program};
use crate::process::{Process, said, until};
use crate::recordings::everything;
use crate::run::{Outcome, Session};
use crate::servers::{Greeter, free_port};
use crate::ways::{Backend, on_each_backend};
use serde_json::{Value, json};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;

/// What stands in metadata.
const SECRET: &[u8] = b"~Zq#Kw~";

/// The report's one HTTP/2 connection to a port.
#[track_caller]
fn http2(outcome: &Outcome, port: &str) -> Value {
    let connections = outcome.report["connections"].as_array().expect("the report has connections");
    let port = format!(":{port}");
    let to = |one: &&Value| one["remote"].as_str().is_some_and(|remote| remote.ends_with(&port));
    let found: Vec<_> = connections.iter().filter(to).filter(|one| !one["http2"].is_null()).collect();
    let [one] = found[..] else { panic!("one connection to {port}: {connections:#?}") };
    one["http2"].clone()
}

/// The streams that the program opened, as these parts of them.
fn opened(http2: &Value, parts: &[&str]) -> Vec<Vec<Value>> {
    let streams = http2["streams"].as_array().expect("streams").iter().filter(|one| one["opened"] == true);
    streams.map(|one| parts.iter().map(|part| one[part].clone()).collect()).collect()
}

/// What a program of gRPC said that it called.
fn called(said: &[Value]) -> Vec<Vec<Value>> {
    let calls = said.iter().filter(|line| line["method"].is_string());
    calls.map(|line| vec![line["method"].clone(), line["status"].clone()]).collect()
}

fn calls_of_grpc(on: Backend) {
    let Some(env) = Env::get() else { return };
    let server = Greeter::start(env);
    let (python, program) = (env.python(), program("grpc_calls.py"));
    let [python, program] = [&python, &program].map(|path| path.to_str().expect("a plain path"));
    let words = ["--capture-bytes", "2048", "--", python, program, &server.address];
    let outcome = Session::start(on, "run", &words, &[]).end();
    let http2 = http2(&outcome, server.address.rsplit(':').next().expect("HOST:PORT"));
    let expected = called(&outcome.said);
    assert_eq!(opened(&http2, &["method", "grpc_status"]), expected, "{http2:#}");
    assert_eq!(expected.len(), 3);
    for row in opened(&http2, &["verb", "status", "messages_sent", "frames_sent"]) {
        assert_eq!(row[..3], [json!("POST"), json!(200), json!(1)], "{row:?}");
        assert_eq!(row[3]["HEADERS"], 1, "{row:?}");
    }
    let received: Vec<_> = opened(&http2, &["messages_received"]).concat();
    // What fails at once has no content, and does not say that it would be gRPC's.
    assert_eq!([&received[0], &received[2]], [&json!(1); 2], "{http2:#}");
    assert_eq!([&http2["headers_unread_sent"], &http2["headers_unread_received"]], [&json!(0); 2]);
    let all = everything(&outcome.recording());
    assert!(!all.windows(SECRET.len()).any(|bytes| bytes == SECRET), "a secret is on the disk");
}

fn calls_of_grpc_attached(on: Backend) {
    let Some(env) = Env::get() else { return };
    let server = Greeter::start(env);
    let mut command = Command::new(env.python());
    let mut program = Process::start(command.arg(program("grpc_calls.py")).args([&server.address, "--wait"]));
    program.stdout_says("waiting");
    let session = Session::attach(on, program.pid());
    program.go_on();
    let ended = program.end();
    let outcome = session.end();
    let http2 = http2(&outcome, server.address.rsplit(':').next().expect("HOST:PORT"));
    let expected: Vec<_> = called(&said(&ended.stdout)).split_off(3);
    let told = opened(&http2, &["method"]);
    // What the first one is called stands in a table that was made before. What comes
    // new is known from then on.
    let told: Vec<_> = told.iter().map(|row| &row[0]).collect();
    assert_eq!(told, [&Value::Null, &expected[1][0], &expected[2][0]], "{http2:#}");
    assert!(http2["headers_unread_sent"].as_u64().is_some_and(|count| count > 0), "{http2:#}");
}

/// nghttp2's server on a directory with one file, `there`.
fn nghttpd(directory: &Path) -> (Process, u16) {
    let port = free_port();
    std::fs::write(directory.join("there"), "hello").expect("own directory");
    let mut command = Command::new("nghttpd");
    command.args(["--no-tls", "--address", "127.0.0.1", "--htdocs"]).arg(directory).arg(port.to_string());
    let process = Process::start(&mut command);
    until("nghttpd listens", || TcpStream::connect(("127.0.0.1", port)).is_ok());
    (process, port)
}

/// Runs a client of HTTP/2: what it asked for must be in the report, without the query.
fn asks(on: Backend, client: &[&str], paths: &[(&str, &str, u64)]) {
    let Some(_) = Env::get() else { return };
    let directory = tempfile::tempdir().expect("a temporary directory");
    let (_server, port) = nghttpd(directory.path());
    let urls = paths.iter().map(|(_, path, _)| format!("http://127.0.0.1:{port}{path}?token=secret"));
    let words = [&["--capture-bytes", "2048", "--"], client].concat();
    let words: Vec<String> = words.into_iter().map(str::to_owned).chain(urls).collect();
    let outcome = Session::start(on, "run", &words, &[]).end();
    let http2 = http2(&outcome, &port.to_string());
    let expected: Vec<Vec<Value>> =
        paths.iter().map(|&(verb, path, status)| vec![json!(verb), json!(path), json!(status)]).collect();
    assert_eq!(opened(&http2, &["verb", "method", "status"]), expected, "{http2:#}");
}

fn requests_of_nghttp(on: Backend) {
    asks(on, &["nghttp", "--null-out"], &[("GET", "/there", 200), ("GET", "/missing", 404)]);
}

fn requests_of_curl(on: Backend) {
    let client = ["curl", "--silent", "--http2-prior-knowledge"];
    asks(on, &client, &[("GET", "/there", 200)]);
    asks(on, &[&client[..], &["--data", "secret"]].concat(), &[("POST", "/missing", 404)]);
    asks(on, &[&client[..], &["--request", "DELETE"]].concat(), &[("DELETE", "/missing", 404)]);
}

on_each_backend! {
    calls_of_grpc
    calls_of_grpc_attached
    requests_of_nghttp
    requests_of_curl
}
