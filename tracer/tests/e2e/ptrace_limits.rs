//! Where ptrace stands in for eBPF, and what it cannot do: each said in a sentence.

use crate::check::{says, told};
use crate::env::{Env, forkscope, program};
use crate::process::{Ended, Process};
use crate::run::{Session, code, run};
use crate::ways::Backend;
use std::process::Command;

#[test]
fn without_ebpf_it_is_ptrace_and_says_why() {
    let Some(_) = Env::get() else { return };
    let hide = "mount -t tmpfs none /sys/kernel/btf && exec \"$0\" run -- sh -c 'exit 7'";
    let mut command = Command::new("unshare");
    let Ended { status, stderr, .. } =
        Process::start(command.args(["--mount", "sh", "-c", hide]).arg(forkscope())).end();
    assert_eq!(code(status), 7, "{stderr:#?}");
    says(&stderr, &["through ptrace", "CONFIG_DEBUG_INFO_BTF"]);
}

#[test]
fn the_whole_machine_needs_ebpf() {
    let Some(_) = Env::get() else { return };
    let mut command = Command::new(forkscope());
    let Ended { status, stderr, .. } = Process::start(command.args(["watch", "--backend", "ptrace"])).end();
    assert_eq!(code(status), 1);
    says(&stderr, &["error: ", "eBPF only", "attach"]);
}

#[test]
fn one_that_is_traced_already_is_refused() {
    let Some(_) = Env::get() else { return };
    let cat = Process::start(&mut Command::new("cat"));
    let first = Session::attach(Backend::Ptrace, cat.pid());
    let mut command = Command::new(forkscope());
    command.args(["attach", "--backend", "ptrace", &cat.pid().to_string()]);
    let Ended { stderr, .. } = Process::start(&mut command).end();
    says(&stderr, &["is traced by process", "one tracer only"]);
    drop(first);
}

/// A program's own filter may answer a call before forkscope's sees it: then all its calls are looked at.
#[test]
fn a_program_with_a_filter_of_its_own_is_seen_all_the_same() {
    let Some(env) = Env::get() else { return };
    let own_filter = program("own_filter.py");
    let python = env.python();
    let command = ["-v".as_ref(), "-v".as_ref(), "--".as_ref(), python.as_os_str(), own_filter.as_os_str()];
    let outcome = Session::start(Backend::Ptrace, "run", &command, &[("NO_COLOR", "1")]).end();
    assert_eq!(outcome.status, 0, "{:#?}", outcome.stderr);
    assert_eq!(told(&outcome.said, "first", "result"), "refused");
    says(&outcome.stderr, &["seccomp filter of its own"]);
    says(&outcome.stderr, &["shutdown(", "-1 EPERM"]);
}

#[test]
fn a_32_bit_program_runs_and_is_named() {
    let Some(_) = Env::get() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let built = folder.path().join("exits_with_5");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/programs/exits_with_5.S");
    let compiled =
        Command::new("cc").args(["-m32", "-nostdlib", "-static", source, "-o"]).arg(&built).status();
    assert!(compiled.is_ok_and(|status| status.success()), "cc builds {source}");
    let outcome = run(Backend::Ptrace, &[&built], &[]);
    assert_eq!(outcome.status, 5);
    says(&outcome.stderr, &["32-bit calls"]);
    assert_eq!(outcome.report["processes"][0]["unseen"][0], "calls32-bit", "{:#}", outcome.report);
}
