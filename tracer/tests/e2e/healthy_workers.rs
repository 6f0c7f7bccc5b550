//! Healthy programs that work in forked processes: servers with workers, job queues, pools, builds.

use crate::check::quiet;
use crate::databases::{Server, redis};
use crate::env::{Env, program};
use crate::healthy_servers::started;
use crate::run::{Outcome, run};
use crate::ways::{Backend, on_each_backend};
use crate::webservers::{apache, gunicorn, load_http, load_php, log_in, php_fpm, sshd};
use std::ffi::OsStr;

/// As [`started`], with the servers that end with a status of their own when they are asked to.
#[track_caller]
fn works(on: Backend, server: &Server, load: impl Fn(&Server)) {
    let Some(_) = Env::get() else { return };
    started(on, server, load);
}

fn apache_with_processes(on: Backend) {
    works(on, &apache(), load_http);
}

fn php_with_processes(on: Backend) {
    works(on, &php_fpm(), load_php);
}

fn gunicorn_with_workers(on: Backend) {
    let Some(env) = Env::get() else { return };
    works(on, &gunicorn(env, "healthy_gunicorn:application", false), load_http);
}

fn gunicorn_that_loads_first(on: Backend) {
    let Some(env) = Env::get() else { return };
    works(on, &gunicorn(env, "healthy_gunicorn:application", true), load_http);
}

fn logins_by_ssh(on: Backend) {
    works(on, &sshd(), log_in);
}

/// Traces a program to its end, which must be a good one.
#[track_caller]
fn runs<S: AsRef<OsStr>>(on: Backend, command: &[S]) {
    let Outcome { status, stderr, report, said, .. } = run(on, command, &[]);
    assert_eq!(status, 0, "{stderr:#?}\n{said:#?}");
    quiet(&report);
}

fn celery_with_redis(on: Backend) {
    let Some(env) = Env::get() else { return };
    let server = redis();
    let _running = server.start();
    let (python, program) = (env.python(), program("healthy_celery.py"));
    runs(on, &[python.as_os_str(), program.as_os_str(), server.port.to_string().as_ref()]);
}

fn a_pool_of_processes(on: Backend) {
    let Some(env) = Env::get() else { return };
    let server = redis();
    let _running = server.start();
    let (python, program) = (env.python(), program("healthy_pool.py"));
    runs(on, &[python.as_os_str(), program.as_os_str(), server.port.to_string().as_ref()]);
}

fn node_in_a_cluster(on: Backend) {
    let Some(_) = Env::get() else { return };
    runs(on, &["node".as_ref(), program("healthy_cluster.js").as_os_str()]);
}

fn make_with_jobs(on: Backend) {
    let Some(_) = Env::get() else { return };
    runs(
        on,
        &["make".as_ref(), "-s".as_ref(), "-j4".as_ref(), "-f".as_ref(), program("healthy.mk").as_os_str()],
    );
}

on_each_backend! {
    apache_with_processes
    php_with_processes
    gunicorn_with_workers
    gunicorn_that_loads_first
    logins_by_ssh
    celery_with_redis
    a_pool_of_processes
    node_in_a_cluster
    make_with_jobs
}
