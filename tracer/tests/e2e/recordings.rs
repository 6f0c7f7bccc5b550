//! Recordings: replayed they say what the session said; cut, killed or refused by a full disk they say what they can.

use crate::check::errors;
use crate::databases::{dsn, postgres, redis};
use crate::env::{Env, forkscope, program};
use crate::process::{Ended, Process, until};
use crate::run::{Outcome, Session, code};
use crate::servers::Greeter;
use forkscope::event::{Event, What};
use forkscope::recording::{Entry, Reader};
use nix::sys::signal::Signal;
use serde_json::Value;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// What a replay must say as the session said it: all but where the events came from.
const SAME: [&str; 4] = ["processes", "connections", "findings", "stats"];

/// Forkscope's command with `--record`, to its end: its outcome, and the recording.
#[track_caller]
fn record(command: &str, arguments: &[&str]) -> (Outcome, TempDir, PathBuf) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let file = directory.path().join("session.rec");
    let path = file.to_str().expect("a plain path").to_owned();
    let arguments: Vec<&str> = ["--record", &path].into_iter().chain(arguments.iter().copied()).collect();
    let outcome = Session::start(command, &arguments, &[]).end();
    (outcome, directory, file)
}

/// `forkscope replay FILE`.
fn replay(file: &Path, arguments: &[&str]) -> Outcome {
    let file = file.to_str().expect("a plain path");
    let arguments: Vec<&str> = arguments.iter().copied().chain([file]).collect();
    Session::start("replay", &arguments, &[]).end()
}

#[track_caller]
fn same(live: &Value, replayed: &Value) {
    for part in SAME {
        assert_eq!(live[part], replayed[part], "{part}");
    }
    for part in ["target", "start", "duration", "host"] {
        assert_eq!(live["session"][part], replayed["session"][part], "{part}");
    }
    let session = &replayed["session"];
    assert_eq!(
        (&session["backend"], &session["recorded_by"]),
        (&"replay".into(), &live["session"]["backend"])
    );
}

/// What the log said of findings: from the first on.
fn findings(outcome: &Outcome) -> Vec<&String> {
    let own = outcome.stderr.iter().filter(|line| !line.starts_with('['));
    own.skip_while(|line| !line.starts_with("error[")).collect()
}

#[test]
fn a_replay_says_what_the_session_said() {
    let Some(_) = Env::get() else { return };
    for payload in ["headers", "all"] {
        let (live, _directory, file) = record("demo", &["--record-payload", payload]);
        assert_eq!(live.status, 0, "{:#?}", live.stderr);
        let replayed = replay(&file, &["--fail-on", "error"]);
        assert_eq!(replayed.status, 3, "{:#?}", replayed.stderr);
        same(&live.report, &replayed.report);
        assert_eq!(findings(&live), findings(&replayed));
        assert!(live.report["findings"].as_array().is_some_and(|all| !all.is_empty()));
    }
}

#[test]
fn the_founding_case_replays() {
    let Some(env) = Env::with_python_38() else { return };
    let server = Greeter::start(env);
    let (python, program) = (env.old_python(), program("grpc_founding.py"));
    let words = [&python, &program].map(|path| path.to_str().expect("a plain path"));
    let (live, _directory, file) = record("run", &["--", words[0], words[1], &server.address]);
    assert_eq!(errors(&live.report).len(), 1, "{:#?}", live.stderr);
    same(&live.report, &replay(&file, &[]).report);
}

/// Whether a recording has these bytes in a transfer.
fn has(file: &Path, text: &[u8]) -> bool {
    let mut reader = Reader::open(fs::File::open(file).expect("it is there")).expect("a recording");
    loop {
        match reader.next_entry().expect("it is whole") {
            Some(Entry::Event(Event { what: What::Io(_, bytes), .. }))
                if bytes.windows(text.len()).any(|some| some == text) =>
            {
                return true;
            }
            Some(_) => {}
            None => return false,
        }
    }
}

#[test]
fn databases_replay_the_same_and_no_content_is_on_the_disk() {
    let Some(env) = Env::get() else { return };
    let (redis, postgres) = (redis(), postgres());
    let _running = (redis.start(), postgres.start());
    let python = env.python();
    let (port, dsn) = (redis.port.to_string(), dsn(&postgres));
    for (name, argument, content, framing) in [
        ("redis_shared.py", &port, &b"child-"[..], &b"*2\r\n$4\r\nECHO"[..]),
        ("pg_shared.py", &dsn, b"SELECT", b"Q\0\0\0"),
    ] {
        let program = program(name);
        let [python, program] = [&python, &program].map(|path| path.to_str().expect("a plain path"));
        for (payload, whole) in [("headers", false), ("all", true)] {
            let words = ["--record-payload", payload, "--", python, program, argument, "--at-once"];
            let (live, _directory, file) = record("run", &words);
            assert!(!errors(&live.report).is_empty(), "{:#?}", live.stderr);
            same(&live.report, &replay(&file, &[]).report);
            assert_eq!((has(&file, content), has(&file, framing)), (whole, true), "{name} {payload}");
        }
    }
}

#[test]
fn what_proc_said_of_a_process_that_ran_before_is_in_the_recording() {
    let Some(_) = Env::get() else { return };
    let program = Process::start(&mut Command::new("cat"));
    let (live, _directory, file) = record("attach", &["--duration", "1s", &program.pid().to_string()]);
    let replayed = replay(&file, &[]);
    same(&live.report, &replayed.report);
    assert_eq!(replayed.report["processes"][0]["unseen"], serde_json::json!(["late-attach"]));
}

#[test]
fn a_recording_can_be_read_from_a_pipe() {
    let Some(_) = Env::get() else { return };
    let (live, _directory, file) = record("demo", &[]);
    let mut command = Command::new("sh");
    command.args(["-c", "cat \"$1\" | \"$0\" replay --report - -"]).arg(forkscope()).arg(&file);
    let Ended { status, stdout, stderr } = Process::start(&mut command).end();
    assert_eq!(code(status), 0, "{stderr:#?}");
    same(&live.report, &serde_json::from_str(&stdout.concat()).expect("the report is JSON"));
}

#[test]
fn of_a_cut_recording_the_beginning_is_replayed() {
    let Some(_) = Env::get() else { return };
    let (_, _directory, file) = record("demo", &[]);
    let whole = fs::read(&file).expect("it is there");
    fs::write(&file, &whole[..whole.len() - 9]).expect("own file");
    let replayed = replay(&file, &[]);
    assert_eq!(replayed.status, 0, "{:#?}", replayed.stderr);
    let said = replayed.stderr.iter().filter(|line| line.contains("ends before the session did"));
    assert_eq!(said.count(), 1, "{:#?}", replayed.stderr);
    assert_eq!(replayed.report["stats"]["lost"], serde_json::json!({}), "nothing was lost by the kernel");
}

#[test]
fn only_its_owner_can_read_it() {
    let Some(_) = Env::get() else { return };
    let directory = tempfile::tempdir().expect("a temporary directory");
    let file = directory.path().join("session.rec");
    fs::write(&file, "an older one, that anybody can read").expect("own directory");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("own file");
    let path = file.to_str().expect("a plain path");
    Session::start("run", &["--record", path, "--", "true"], &[]).end();
    assert_eq!(fs::metadata(&file).expect("it is there").mode() & 0o777, 0o600);
    assert_eq!(replay(&file, &[]).status, 0);
}

#[test]
fn a_recording_that_cannot_be_written_is_found_out_before_the_program_starts() {
    let Some(_) = Env::get() else { return };
    let directory = tempfile::tempdir().expect("a temporary directory");
    let marker = directory.path().join("started");
    for (file, why) in [("/nowhere/s.rec", "No such file"), ("/dev/full", "ENOSPC"), ("/", "directory")] {
        let mut command = Command::new(forkscope());
        command.args(["run", "--record", file, "--", "touch"]).arg(&marker);
        let Ended { status, stderr, .. } = Process::start(&mut command).end();
        assert_eq!((code(status), stderr.len()), (1, 1), "{stderr:#?}");
        assert!(stderr[0].starts_with("error: ") && stderr[0].contains(why), "{stderr:?}");
        assert!(!marker.exists(), "the program was started all the same");
    }
}

#[test]
fn on_a_full_disk_the_recording_ends_and_the_session_goes_on() {
    let Some(_) = Env::get() else { return };
    let directory = tempfile::tempdir().expect("a temporary directory");
    let report = directory.path().join("report.json");
    let program = "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); : </dev/null; done";
    let script = "mount -t tmpfs -o size=16k none \"$1\" \
                  && \"$0\" run --report \"$2\" --record \"$1/s.rec\" -- sh -c \"$3\" && \"$0\" replay \"$1/s.rec\"";
    let disk = directory.path().join("disk");
    fs::create_dir(&disk).expect("own directory");
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", script]).arg(forkscope()).args([&disk, &report]).arg(program);
    let Ended { status, stderr, .. } = Process::start(&mut command).end();
    assert_eq!(code(status), 0, "{stderr:#?}");
    let said =
        stderr.iter().filter(|line| line.contains("ENOSPC") && line.contains("the recording ends here"));
    assert_eq!(said.count(), 1, "{stderr:#?}");
    assert!(stderr.iter().any(|line| line.contains("ends before the session did")), "{stderr:#?}");
    assert!(report.exists(), "the report is written");
}

#[test]
fn killed_it_leaves_what_is_older_than_a_second() {
    let Some(_) = Env::get() else { return };
    let directory = tempfile::tempdir().expect("a temporary directory");
    let file = directory.path().join("session.rec");
    let mut command = Command::new(forkscope());
    command.args(["run", "--record"]).arg(&file).args([
        "--",
        "sh",
        "-c",
        "while read line; do /bin/true; done",
    ]);
    let mut forkscope = Process::start(&mut command);
    forkscope.go_on();
    let begun = || fs::metadata(&file).map_or(0, |file| file.len());
    until("the recording is begun", || begun() > 0);
    let before = begun();
    until("a chunk is written", || begun() > before);
    forkscope.signal(Signal::SIGKILL);
    forkscope.wait();
    let replayed = replay(&file, &[]);
    assert_eq!(replayed.status, 0, "{:#?}", replayed.stderr);
    assert!(replayed.report["processes"].as_array().is_some_and(|all| !all.is_empty()));
    forkscope.close_stdin();
}

#[test]
fn what_is_no_recording_is_refused_in_one_sentence() {
    let Some(_) = Env::get() else { return };
    for (file, why) in
        [("/etc/hostname", "no recording"), ("/nowhere.rec", "No such file"), ("/", "directory")]
    {
        let mut command = Command::new(forkscope());
        command.args(["replay", file]).stdin(Stdio::null());
        let Ended { status, stderr, .. } = Process::start(&mut command).end();
        assert_eq!((code(status), stderr.len()), (1, 1), "{stderr:#?}");
        assert!(stderr[0].starts_with("error: ") && stderr[0].contains(why), "{stderr:?}");
    }
}
