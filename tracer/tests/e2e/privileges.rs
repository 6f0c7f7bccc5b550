//! How little forkscope needs to be allowed.

use crate::check::{says, told};
use crate::env::{Env, forkscope, program};
use crate::process::{Ended, Process, said};
use crate::run::code;
use crate::servers::Greeter;
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

/// What the founding program says and what forkscope does, `run` with these options by a user who is made for
/// this.
fn founding(env: &Env, forkscope: &Path, options: &[&str]) -> (Vec<Value>, Vec<String>) {
    let server = Greeter::start(env);
    let mut command = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/e2e/as_user.sh"));
    command.arg(forkscope).arg("run").args(options).arg("--").arg(env.old_python());
    command.arg(program("grpc_founding.py")).arg(&server.address);
    let Ended { status, stdout, stderr } = Process::start(&mut command).end();
    assert_eq!(code(status), 0, "{stderr:#?}");
    (said(&stdout), stderr)
}

#[test]
fn an_ordinary_user_finds_the_founding_bug() {
    let Some(env) = Env::with_python_38() else { return };
    let (said, stderr) = founding(env, &forkscope(), &[]);
    assert_eq!(told(&said, "child", "details"), "Socket operation on non-socket");
    says(&stderr, &["through ptrace", "root"]);
    says(&stderr, &["error[enotsock]", "sendmsg on fd"]);
    says(&stderr, &["GRPC_ENABLE_FORK_SUPPORT=1"]);
}

#[test]
fn two_capabilities_are_enough_to_run_what_is_ones_own() {
    let Some(env) = Env::with_python_38() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("own folder");
    let allowed = folder.path().join("forkscope");
    fs::copy(forkscope(), &allowed).expect("a copy");
    let given = Command::new("/usr/sbin/setcap").arg("cap_perfmon,cap_bpf=ep").arg(&allowed).status();
    assert!(given.is_ok_and(|status| status.success()), "setcap gives capabilities");
    let (said, stderr) = founding(env, &allowed, &["--backend", "ebpf"]);
    assert_eq!(told(&said, "child", "details"), "Socket operation on non-socket");
    says(&stderr, &["error[enotsock]", "sendmsg on fd"]);
    // All that a connection's record needs of other processes can be read.
    assert!(!stderr.iter().any(|line| line.starts_with("warning: ")), "{stderr:#?}");
    says(&stderr, &["no events lost"]);
}
