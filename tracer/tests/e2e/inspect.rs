//! `forkscope inspect`: what it says of processes equals what they say of themselves.

use crate::env::{Env, example, forkscope, open_copy, skip};
use crate::process::{Ended, Process};
use crate::run::code;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

/// As an ordinary user.
const NOBODY: [&str; 4] = ["--reuid=nobody", "--regid=nogroup", "--clear-groups", "--no-new-privs"];

/// Starts the test program, through another one where there is one before it: itself, and what it said.
fn inherited(before: &[&str], program: &Path, family: &str, connections: u32) -> (Process, Value) {
    let mut command = Command::new(before.first().map_or(program.as_os_str(), |first| first.as_ref()));
    command.args(before.iter().skip(1));
    if !before.is_empty() {
        command.arg(program);
    }
    let mut process = Process::start(command.args([family, &connections.to_string()]));
    let told = serde_json::from_str(&process.stdout_says("ready")).expect("JSON");
    (process, told)
}

fn inspect(arguments: &[&str], pid: &Value) -> Ended {
    Process::start(Command::new(forkscope()).arg("inspect").args(arguments).arg(pid.to_string())).end()
}

fn report(ended: &Ended) -> Value {
    assert_eq!(code(ended.status), 0, "{:#?}", ended.stderr);
    serde_json::from_str(&ended.stdout.join("\n")).expect("the report is JSON")
}

/// Asserts that the report says of everything what the program said.
#[track_caller]
fn check(report: &Value, told: &Value) {
    assert_eq!(report["session"]["backend"], "snapshot");
    let by_inode: BTreeMap<u64, &Value> = report["connections"]
        .as_array()
        .expect("connections")
        .iter()
        .map(|one| (one["inode"].as_u64().expect("an inode"), one))
        .collect();
    let (parent, child) = (&told["pid"], &told["child"]);
    let pairs = told["connections"].as_array().expect("connections");
    assert_eq!(by_inode.len(), 2 * pairs.len(), "no more and no less");
    for pair in pairs {
        let sides =
            [&pair[0], &pair[1]].map(|place| (by_inode[&place[1].as_u64().expect("inode")], &place[0]));
        for ((side, fd), (other, _)) in [(sides[0], sides[1]), (sides[1], sides[0])] {
            both_hold(side, fd, told);
            assert_eq!((&side["peer"], &side["now"]["state"]), (&other["id"], &"established".into()));
            assert_eq!(side["now"]["receive_queue"], 0);
        }
    }
    let files = report["files"].as_array().expect("files");
    let file = |kind: &str, address: bool| {
        let found = files.iter().find(|one| one["kind"] == kind && (!address || !one["address"].is_null()));
        found.unwrap_or_else(|| panic!("no {kind} in {files:#?}"))
    };
    for kind in ["listener", "epoll", "eventfd"] {
        both_hold(file(kind, kind == "listener"), &told[kind][0], told);
    }
    assert_eq!(file("eventfd", false)["counter"], 3);
    let watched = &file("epoll", false)["watches"][0];
    assert_eq!((&watched["fd"], &watched["inode"]), (&pairs[0][0][0], &pairs[0][0][1]));
    let ours = files.iter().find(|one| one["inode"] == told["pipe"][0][1]).expect("the pipe is shared");
    assert_eq!(ours["holders"].as_array().map(Vec::len), Some(4), "two ends, each held by both");
    // What the child waits for.
    let process = report["processes"].as_array().expect("processes").iter().find(|one| one["pid"] == *child);
    let process = process.expect("the child is a descendant");
    assert_eq!(process["ppid"], *parent);
    let waits = &process["threads"][0]["waits"];
    assert_eq!((&waits["syscall"], &waits["fds"][0]), (&"recvfrom".into(), &pairs[0][0][0]), "{process:#}");
    let client = by_inode[&pairs[0][0][1].as_u64().expect("inode")];
    assert_eq!(waits["connections"][0], client["id"]);
}

/// Parent and child hold it under the same number, as one open file; the parent opened it.
#[track_caller]
fn both_hold(thing: &Value, fd: &Value, told: &Value) {
    let holders = thing["holders"].as_array().expect("holders");
    let holders: Vec<_> = holders.iter().map(|one| (&one["pid"], &one["fd"], &one["open_file"])).collect();
    let same = &holders[0].2;
    assert!(same.is_u64(), "it could be asked: {thing:#}");
    assert_eq!(holders, [(&told["pid"], fd, *same), (&told["child"], fd, *same)], "{thing:#}");
    assert_eq!(thing["creator_guess"]["pid"], told["pid"], "{thing:#}");
}

#[test]
fn inspect_says_of_every_family_what_is_so() {
    let Some(_) = Env::get() else { return };
    for family in ["inet", "inet6", "unix"] {
        let (_process, told) = inherited(&[], &example("inherited"), family, 10);
        let ended = inspect(&["--json"], &told["pid"]);
        check(&report(&ended), &told);
        assert!(ended.stderr.is_empty(), "{:#?}", ended.stderr);
    }
}

#[test]
fn inspect_says_of_ten_thousand_sockets_what_is_so() {
    let Some(_) = Env::get() else { return };
    let (_process, told) = inherited(&[], &example("inherited"), "inet", 5000);
    check(&report(&inspect(&["--json"], &told["pid"])), &told);
}

#[test]
fn inspect_shows_a_hung_pair_to_its_user() {
    let Some(_) = Env::get() else { return };
    let (_process, told) = inherited(&[], &example("inherited"), "inet", 1);
    let ended = inspect(&[], &told["pid"]);
    assert_eq!(code(ended.status), 0, "{:#?}", ended.stderr);
    let text = ended.stdout.join(" ").split_whitespace().collect::<Vec<_>>().join(" ");
    let (parent, child) = (&told["pid"], &told["child"]);
    let (client, server) = (&told["connections"][0][0][0], &told["connections"][0][1][0]);
    for words in [
        format!("process {child}: "),
        format!("sleeping in recvfrom on fd {client}: connection "),
        format!("whose other end is held by {parent} (fd {server}) and {child} (fd {server})"),
        format!("held by {parent} (fd {client}) and {child} (fd {client}): one open file"),
        format!("opened by {parent}, as a guess"),
        format!("waited on by thread {child} of {child} (in recvfrom)"),
    ] {
        assert!(text.contains(&words), "says nothing of {words:?}: {text}");
    }
}

/// A network namespace with a name, until it is dropped.
struct Namespace(String);

impl Namespace {
    fn new() -> Self {
        let name = format!("forkscope-{}", std::process::id());
        ip(&["netns", "add", &name]);
        ip(&["-n", &name, "link", "set", "lo", "up"]);
        Self(name)
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        ip(&["netns", "delete", &self.0]);
    }
}

fn ip(arguments: &[&str]) {
    let status = Command::new("ip").args(arguments).status();
    assert!(status.is_ok_and(|status| status.success()), "ip {arguments:?}");
}

#[test]
fn inspect_sees_into_other_network_namespaces() {
    let Some(_) = Env::get() else { return };
    let namespace = Namespace::new();
    let named = ["ip", "netns", "exec", &namespace.0];
    let unnamed = ["unshare", "--net", "sh", "-c", "ip link set lo up; exec \"$@\"", "sh"];
    for before in [&named[..], &unnamed[..]] {
        for family in ["inet", "inet6", "unix"] {
            let (_process, told) = inherited(before, &example("inherited"), family, 3);
            let net = |pid: &str| fs::read_link(format!("/proc/{pid}/ns/net")).expect("it lives");
            assert_ne!(net("self"), net(&told["pid"].to_string()), "the test tests something");
            let ended = inspect(&["--json"], &told["pid"]);
            check(&report(&ended), &told);
            assert!(ended.stderr.is_empty(), "{:#?}", ended.stderr);
        }
    }
}

#[test]
fn inspect_needs_no_privilege_for_one_s_own() {
    let Some(_) = Env::get() else { return };
    let directory = tempfile::tempdir().expect("a temporary directory");
    let program = open_copy(&example("inherited"), directory.path());
    let own = open_copy(&forkscope(), directory.path());
    let before = [&["setpriv"][..], &NOBODY].concat();
    let (_process, told) = inherited(&before, &program, "unix", 3);
    let as_nobody = |pids: &[String]| {
        let mut command = Command::new("setpriv");
        Process::start(command.args(NOBODY).arg(&own).args(["inspect", "--json"]).args(pids)).end()
    };
    check(&report(&as_nobody(&[told["pid"].to_string()])), &told);
    // Beside a process of root's.
    let other = Process::start(&mut Command::new("cat"));
    let root = other.pid().to_string();
    let ended = as_nobody(&[root.clone(), told["pid"].to_string()]);
    check(&report(&ended), &told);
    assert!(
        ended.stderr.iter().any(|line| line.contains(&root) && line.contains("root")),
        "{:#?}",
        ended.stderr
    );
    // And with nothing else to look at.
    let Ended { status, stdout, stderr } = as_nobody(&[root]);
    assert_eq!((code(status), stdout.len(), stderr.len()), (1, 0, 1), "{stderr:#?}");
    assert!(stderr[0].starts_with("error: ") && stderr[0].contains("as root"), "{stderr:#?}");
}

#[test]
fn inspect_says_when_it_may_not_enter_a_namespace() {
    let Some(_) = Env::get() else { return };
    let directory = tempfile::tempdir().expect("a temporary directory");
    let program = open_copy(&example("inherited"), directory.path());
    let own = open_copy(&forkscope(), directory.path());
    // A namespace that belongs to a user namespace: who is in neither may not enter it, though it is his own.
    let apart = ["unshare", "--user", "--map-root-user", "--net"];
    let allowed = Command::new("setpriv").args(NOBODY).args(apart).arg("true").status();
    if !allowed.is_ok_and(|status| status.success()) {
        return skip("an ordinary user may make no namespaces here").unwrap_or(());
    }
    let before =
        [&["setpriv"][..], &NOBODY, &apart, &["sh", "-c", "ip link set lo up; exec \"$@\"", "sh"]].concat();
    for family in ["inet", "inet6", "unix"] {
        let (_process, told) = inherited(&before, &program, family, 3);
        let mut command = Command::new("setpriv");
        command.args(NOBODY).arg(&own).args(["inspect", "--json"]).arg(told["pid"].to_string());
        let ended = Process::start(&mut command).end();
        let report = report(&ended);
        assert!(ended.stderr.iter().any(|line| line.contains("could not be entered")), "{:#?}", ended.stderr);
        assert_eq!(report["notes"].as_array().map(Vec::len), Some(1));
        if family != "unix" {
            check(&report, &told);
            continue;
        }
        // The peers are not known, and so nothing is said of them.
        let connections = report["connections"].as_array().expect("connections");
        assert_eq!(connections.len(), 6);
        assert!(connections.iter().all(|one| one["peer"].is_null() && one["now"]["receive_queue"].is_null()));
    }
}

#[test]
fn inspect_goes_on_without_a_process_that_is_not_there() {
    let Some(_) = Env::get() else { return };
    let (_process, told) = inherited(&[], &example("inherited"), "inet", 1);
    let nobody = "4194304";
    let ended = inspect(&["--json", nobody], &told["pid"]);
    check(&report(&ended), &told);
    assert!(ended.stderr.iter().any(|line| line.contains(nobody)), "{:#?}", ended.stderr);
    let alone = inspect(&[], &nobody.parse().expect("a number"));
    assert_eq!((code(alone.status), alone.stderr.len()), (1, 1), "{:#?}", alone.stderr);
    assert!(alone.stderr[0].contains("there is no process"), "{:#?}", alone.stderr);
}
