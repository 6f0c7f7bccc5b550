//! Processes in a pid namespace and a control group of their own, as a container manager makes them: both
//! numbers are told, and which container it is.

use crate::env::{Env, example, forkscope, skip};
use crate::process::{Process, until};
use crate::run::Session;
use crate::ways::Backend;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where control groups are: of both versions together, of the second, of the first.
const GROUPS: [&str; 3] = ["/sys/fs/cgroup/unified", "/sys/fs/cgroup", "/sys/fs/cgroup/pids"];

/// A control group with the name of a container, until it is dropped.
struct Group {
    folder: PathBuf,
    id: String,
}

impl Group {
    /// The group of this test; `None` says aloud that there can be none.
    fn new(test: u32) -> Option<Self> {
        let id = format!("{:08x}{:056x}", std::process::id(), test);
        let made = GROUPS.iter().map(|root| Path::new(root).join(&id)).find(|folder| {
            fs::create_dir(folder).is_ok() && fs::exists(folder.join("cgroup.procs")).unwrap_or(false)
        });
        made.map(|folder| Self { folder, id }).or_else(|| skip("no control group can be made here"))
    }

    /// What starts a program in it, in a pid namespace of its own.
    fn enter(&self) -> [String; 4] {
        let procs = self.folder.join("cgroup.procs");
        let script = format!(
            "echo $$ > {}; exec unshare --pid --fork --kill-child --mount-proc \"$@\"",
            procs.display()
        );
        ["sh".to_owned(), "-c".to_owned(), script, "sh".to_owned()]
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // It may be left only when all processes in it have ended.
        until("the group is empty", || fs::remove_dir(&self.folder).is_ok());
    }
}

fn by(report: &Value, mut holds: impl FnMut(&Value) -> bool) -> &Value {
    let processes = report["processes"].as_array().expect("processes");
    processes.iter().find(|one| holds(one)).unwrap_or_else(|| panic!("no such process: {report:#}"))
}

#[test]
fn a_traced_process_has_its_container_s_number_beside_its_own() {
    let Some(_) = Env::get() else { return };
    let Some(group) = Group::new(1) else { return };
    // When the first `true` is seen, the shell has been looked up.
    let script = "read line; /bin/true one; read line; exit 0";
    let program = group.enter().into_iter().chain(["sh", "-c", script].map(str::to_owned));
    let arguments: Vec<String> = ["-v".to_owned(), "--".to_owned()].into_iter().chain(program).collect();
    let mut session = Session::start(Backend::Ebpf, "run", &arguments, &[]);
    session.process().stderr_says("[\"sh\", \"-c\", \"read line;");
    session.process().go_on();
    session.process().stderr_says("\"one\"");
    session.process().go_on();
    let outcome = session.end();
    assert_eq!(outcome.status, 0, "{:#?}", outcome.stderr);
    let first = by(&outcome.report, |one| one["ns_pid"] == 1);
    assert_ne!(first["pid"], 1);
    assert_eq!(first["container"], group.id[..12]);
    let outer = by(&outcome.report, |one| one["pid"] == first["ppid"]);
    assert!(outer["ns_pid"].is_null(), "unshare itself lives where forkscope does: {outer:#}");
    let child = by(&outcome.report, |one| one["ppid"] == first["pid"]);
    assert_eq!(child["container"], group.id[..12], "inherited");
}

#[test]
fn inspect_and_attach_tell_both_numbers() {
    let Some(_) = Env::get() else { return };
    let Some(group) = Group::new(2) else { return };
    let before = group.enter();
    let mut command = Command::new(&before[0]);
    command.args(&before[1..]).arg(example("inherited")).args(["unix", "1"]);
    let mut program = Process::start(&mut command);
    let told: Value = serde_json::from_str(&program.stdout_says("ready")).expect("JSON");
    let ended =
        Process::start(Command::new(forkscope()).args(["inspect", "--json"]).arg(program.pid().to_string()));
    let inspected: Value = serde_json::from_str(&ended.end().stdout.join("\n")).expect("JSON");
    let attached = Session::attach(Backend::Ebpf, program.pid()).interrupt().report;
    for report in [&inspected, &attached] {
        for inner in [&told["pid"], &told["child"]] {
            let process = by(report, |one| one["ns_pid"] == *inner);
            assert_ne!(process["pid"], *inner);
            assert_eq!(process["container"], group.id[..12]);
        }
    }
    let text = Process::start(Command::new(forkscope()).arg("inspect").arg(program.pid().to_string())).end();
    let words = format!("({} in container {}): ", told["child"], &group.id[..12]);
    assert!(text.stdout.iter().any(|line| line.contains(&words)), "{:#?}", text.stdout);
    program.close_stdin();
    program.wait();
}
