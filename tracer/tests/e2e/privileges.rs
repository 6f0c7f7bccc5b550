//! How little forkscope needs to be allowed.

use crate::check::{says, told};
use crate::env::{Env, forkscope, open_copy, program};
use crate::process::{Ended, Process, said};
use crate::run::code;
use crate::servers::Greeter;
use std::path::Path;
use std::process::Command;

/// What becomes of the founding program and of forkscope, `run` with these options by a user who is made for
/// this.
fn founding(env: &Env, forkscope: &Path, options: &[&str]) -> Ended {
    let server = Greeter::start(env);
    let mut command = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/e2e/as_user.sh"));
    command.arg(forkscope).arg("run").args(options).arg("--").arg(env.old_python());
    command.arg(program("grpc_founding.py")).arg(&server.address);
    Process::start(&mut command).end()
}

/// Asserts that the bug happened and was found.
#[track_caller]
fn found(Ended { status, stdout, stderr }: &Ended) {
    assert_eq!(code(*status), 0, "{stderr:#?}");
    assert_eq!(told(&said(stdout), "child", "details"), "Socket operation on non-socket");
    says(stderr, &["error[enotsock]", "sendmsg on fd"]);
    says(stderr, &["GRPC_ENABLE_FORK_SUPPORT=1"]);
}

#[test]
fn an_ordinary_user_finds_the_founding_bug() {
    let Some(env) = Env::with_python_38() else { return };
    let ended = founding(env, &forkscope(), &[]);
    found(&ended);
    says(&ended.stderr, &["through ptrace", "root"]);
}

#[test]
fn two_capabilities_are_enough_to_run_what_is_ones_own() {
    let Some(env) = Env::with_python_38() else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let copy = open_copy(&forkscope(), folder.path());
    let with = |capabilities: &str| {
        let given = Command::new("/usr/sbin/setcap").arg(format!("{capabilities}=ep")).arg(&copy).status();
        assert!(given.is_ok_and(|status| status.success()), "setcap gives {capabilities}");
        founding(env, &copy, &["--backend", "ebpf"])
    };
    let ended = with("cap_perfmon,cap_bpf");
    found(&ended);
    says(&ended.stderr, &["no events lost"]);
    for one in ["cap_perfmon", "cap_bpf"] {
        let Ended { status, stdout, stderr } = with(one);
        assert_eq!((code(status), &*stdout), (1, &[][..]), "{one} alone: {stderr:#?}");
        says(&stderr, &["CAP_BPF", "CAP_PERFMON"]);
    }
}
