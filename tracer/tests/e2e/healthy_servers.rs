//! Healthy servers under load, traced from their start and attached to: no error, and no warning.

use crate::check::{quiet, quiet_about};
use crate::databases::{Server, load_postgres, load_redis, nginx, postgres, redis};
use crate::env::Env;
use crate::run::Session;
use crate::ways::{Backend, on_each_backend};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::thread;

/// `forkscope run -- server`, loaded, stopped by itself.
pub(crate) fn started(on: Backend, server: &Server, load: impl Fn(&Server)) {
    let arguments: Vec<_> = std::iter::once("--".to_owned()).chain(server.command.iter().cloned()).collect();
    let session = Session::start(on, "run", &arguments, &[]);
    server.ready();
    load(server);
    server.stop();
    let outcome = session.end();
    assert_eq!(outcome.status, 0, "{:#?}", outcome.stderr);
    quiet(&outcome.report);
}

/// `forkscope attach PID` on the running server, loaded, ended with Ctrl-C; the server goes on.
fn attached(on: Backend, server: &Server, load: impl Fn(&Server)) {
    let mut running = server.start();
    load(server);
    let session = Session::attach(on, server.pid().expect("it runs"));
    load(server);
    let outcome = session.interrupt();
    assert_eq!(outcome.status, 0, "{:#?}", outcome.stderr);
    quiet(&outcome.report);
    load(server);
    server.stop();
    assert!(running.wait().success());
}

/// `forkscope watch`, which sees the server start among all else on the machine; only it is asked about.
fn watched(server: &Server, load: impl Fn(&Server)) {
    let mut session = Session::start::<&str>(Backend::Ebpf, "watch", &[], &[]);
    session.process().stderr_says("tracing");
    let mut running = server.start();
    load(server);
    server.stop();
    assert!(running.wait().success());
    let outcome = session.interrupt();
    assert_eq!(outcome.status, 0, "{:#?}", outcome.stderr);
    quiet_about(&outcome.report, running.pid());
}

/// 200 requests from 4 clients.
fn load_nginx(server: &Server) {
    let get = || {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, server.port)).expect("connect");
        stream.write_all(b"GET / HTTP/1.0\r\n\r\n").expect("ask");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("answer");
        assert!(answer.ends_with("word"), "{answer}");
    };
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..50).for_each(|_| get()));
        }
    });
}

fn postgres_started(on: Backend) {
    let Some(_) = Env::get() else { return };
    started(on, &postgres(), load_postgres);
}

fn postgres_attached(on: Backend) {
    let Some(_) = Env::get() else { return };
    attached(on, &postgres(), load_postgres);
}

fn redis_started(on: Backend) {
    let Some(_) = Env::get() else { return };
    started(on, &redis(), load_redis);
}

fn redis_attached(on: Backend) {
    let Some(_) = Env::get() else { return };
    attached(on, &redis(), load_redis);
}

fn nginx_started(on: Backend) {
    let Some(_) = Env::get() else { return };
    started(on, &nginx(), load_nginx);
}

fn nginx_attached(on: Backend) {
    let Some(_) = Env::get() else { return };
    attached(on, &nginx(), load_nginx);
}

#[test]
fn redis_watched() {
    let Some(_) = Env::get() else { return };
    watched(&redis(), load_redis);
}

/// The loads prove nothing when they do nothing: they run here without forkscope.
#[test]
fn servers_untraced() {
    let Some(_) = Env::get() else { return };
    for (server, load) in
        [(postgres(), load_postgres as fn(&Server)), (redis(), load_redis), (nginx(), load_nginx)]
    {
        let mut running = server.start();
        load(&server);
        server.stop();
        assert!(running.wait().success(), "{:?}", server.command);
    }
}

on_each_backend! {
    postgres_started
    postgres_attached
    redis_started
    redis_attached
    nginx_started
    nginx_attached
}
