//! What a forked child does to its parent's gRPC connection: reads an answer, cancels a
//! call, shuts the socket down.

use crate::check::{Expected, check, errors, number, told};
use crate::env::{Env, program};
use crate::run::{Outcome, Session, run};
use crate::servers::Greeter;
use crate::ways::{Backend, on_each_backend};
use serde_json::Value;
use std::path::Path;

/// How often a race is tried.
const TRIES: usize = 15;

/// `python PROGRAM SERVER` as arguments of `forkscope run`.
fn command(python: &Path, name: &str, server: &Greeter) -> [String; 4] {
    let [python, program] =
        [python, &program(name)].map(|path| path.to_str().expect("a plain path").to_owned());
    ["--".to_owned(), python, program, server.address.clone()]
}

/// The two processes: parent and child, as the parent said.
fn family(said: &[Value]) -> (u64, u64) {
    (number(said, "parent", "pid"), number(said, "parent", "child"))
}

/// The descriptor of the program's one connection, which parent and child hold under one number.
#[track_caller]
fn descriptor(report: &Value, server: &Greeter) -> Option<u64> {
    let connections = report["connections"].as_array().expect("the report has connections");
    let port = server.address.rsplit(':').next().expect("HOST:PORT");
    let to =
        |one: &&Value| one["remote"].as_str().is_some_and(|remote| remote.ends_with(&format!(":{port}")));
    let first = connections.iter().find(to).expect("a connection to the server");
    first["holders"][0]["fd"].as_u64()
}

/// Signature: the parent sends on a stream, the child receives on it, and the parent waits for ever.
fn grpc_answer_read_by_the_child(on: Backend) {
    let Some(env) = Env::with_python_38() else { return };
    let server = Greeter::start(env);
    let words = command(&env.old_python(), "grpc_stolen.py", &server);
    for attempt in 1..=TRIES {
        let Outcome { said, report, .. } = run(on, &words[1..], &[("GRPC_ENABLE_FORK_SUPPORT", "0")]);
        // Whoever of the two is woken first reads: it may be the parent each time.
        let Some(stream) = said.iter().find_map(|line| line["stream"].as_u64()) else { continue };
        eprintln!("attempt {attempt}: the answer on stream {stream} was stolen");
        assert_eq!(told(&said, "parent", "failed"), "DEADLINE_EXCEEDED", "{said:#?}");
        let (parent, child) = family(&said);
        let expected = Expected {
            rule: &["stolen-reply"],
            pid: vec![child],
            names: vec![parent],
            fd: descriptor(&report, &server),
            says: [format!("on stream {stream}"), "GRPC_ENABLE_FORK_SUPPORT=1".to_owned()].to_vec(),
            ..Expected::default()
        };
        return check(&report, &[expected]);
    }
    panic!("no answer was stolen in {TRIES} attempts");
}

/// gRPC's fork handler in the child destroys its copy of the parent's call, and tells the server.
fn grpc_call_cancelled_by_the_child(on: Backend) {
    let Some(env) = Env::with_python_38() else { return };
    let mut server = Greeter::start(env);
    // The first transfer has more than is captured else, and what the second calls its method by.
    let capture = ["--capture-bytes", "2048"].map(str::to_owned);
    let words = [&capture[..], &command(&env.old_python(), "grpc_cancelled.py", &server)].concat();
    for attempt in 1..=TRIES {
        let mut session = Session::start(on, "run", &words, &[("GRPC_ENABLE_FORK_SUPPORT", "1")]);
        server.begins();
        session.process().go_on();
        let Outcome { status, said, stderr, report, .. } = session.end();
        assert_eq!(status, 0, "the program's own status: {stderr:#?}");
        // Whether the child comes so far is a race; where it does not, the call is answered.
        if told(&said, "parent", "status") == "OK" {
            let ends = errors(&report).into_iter().find(|error| error["rule"] == "foreign-goodbye");
            assert!(ends.is_none(), "nothing was cancelled: {ends:#?}");
            continue;
        }
        eprintln!("attempt {attempt}: the call was cancelled");
        assert_eq!(told(&said, "parent", "status"), "DEADLINE_EXCEEDED", "{said:#?}");
        let (parent, child) = family(&said);
        let says =
            ["sent RST_STREAM (CANCEL) on HTTP/2 stream 3, which", "/helloworld.Greeter/SayHelloSlowly"];
        let expected = Expected {
            rule: &["foreign-goodbye"],
            pid: vec![child],
            names: vec![parent],
            fd: descriptor(&report, &server),
            says: says.map(str::to_owned).to_vec(),
            ..Expected::default()
        };
        return check(&report, &[expected]);
    }
    panic!("no call was cancelled in {TRIES} attempts");
}

fn grpc_connection_shut_down_by_the_child(on: Backend) {
    let Some(env) = Env::with_python_38() else { return };
    let server = Greeter::start(env);
    let words = command(&env.python_with_grpc_1_49(), "grpc_shut_down.py", &server);
    let Outcome { status, said, stderr, report, .. } =
        run(on, &words[1..], &[("GRPC_ENABLE_FORK_SUPPORT", "0")]);
    assert_eq!(status, 0, "the program's own status: {stderr:#?}");
    // Where the server's own goodbye comes back meanwhile, the socket is reset (`tcp_rcv_state_process`,
    // net/ipv4/tcp_input.c), and either call may be the first to fail.
    let met = told(&said, "parent", "again")["details"].as_str();
    assert!(matches!(met, Some("Broken pipe" | "Connection reset by peer")), "{said:#?}");
    let (parent, child) = family(&said);
    let says = [&format!("{child} shut the socket down"), "shutdown", &format!("{parent} still uses it: ")];
    let expected = Expected {
        rule: &["foreign-goodbye"],
        pid: vec![parent],
        names: vec![child],
        fd: descriptor(&report, &server),
        says: says.map(str::to_owned).to_vec(),
        ..Expected::default()
    };
    check(&report, &[expected]);
    let errno = &errors(&report)[0]["errno"];
    assert!(["EPIPE", "ECONNRESET"].iter().any(|name| errno == name), "{errno}");
}

on_each_backend! {
    grpc_answer_read_by_the_child
    grpc_call_cancelled_by_the_child
    grpc_connection_shut_down_by_the_child
}
