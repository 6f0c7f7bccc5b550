//! Recordings: replayed they say what the session said; cut, killed or refused by a full
//! disk they say what they can.

use crate::check::same;
use crate::databases::{dsn, postgres, redis};
use crate::env::{Env, forkscope, program};
use crate::process::{Ended, Process, until};
use crate::run::{Outcome, Session, code};
use crate::ways::{Backend, on_each_backend};
use forkscope::event::{Event, What};
use forkscope::recording::{Entry, Reader};
use nix::sys::signal::Signal;
use serde_json::Value;
use std::fs;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::process::{Command, Stdio};

/// A session of the demo.
#[track_caller]
fn demo(arguments: &[&str]) -> Outcome {
    let outcome = Session::start(Backend::Ebpf, "demo", arguments, &[]).end();
    assert_eq!(outcome.status, 0, "{:#?}", outcome.stderr);
    outcome
}

/// `forkscope replay FILE`.
fn replay(file: &Path, arguments: &[&str]) -> Outcome {
    let file = file.to_str().expect("a plain path");
    let arguments: Vec<&str> = arguments.iter().copied().chain([file]).collect();
    Session::replay(&arguments)
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
        let live = demo(&["--record-payload", payload]);
        let replayed = replay(&live.recording(), &["--fail-on", "error"]);
        assert_eq!(replayed.status, 3, "{:#?}", replayed.stderr);
        same(&live.report, &replayed.report);
        assert_eq!(findings(&live), findings(&replayed));
        assert!(live.report["findings"].as_array().is_some_and(|all| !all.is_empty()));
    }
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

/// Records a program that talks to a database: content is on the disk only where it was
/// asked for, framing always.
fn no_content_of(on: Backend, name: &str, server: &str, content: &[u8], framing: &[u8]) {
    let Some(env) = Env::get() else { return };
    let (python, program) = (env.python(), program(name));
    let [python, program] = [&python, &program].map(|path| path.to_str().expect("a plain path"));
    for (payload, whole) in [("headers", false), ("all", true)] {
        let words = ["--record-payload", payload, "--", python, program, server, "--at-once"];
        let live = Session::start(on, "run", &words, &[]).end();
        let file = live.recording();
        assert_eq!((has(&file, content), has(&file, framing)), (whole, true), "{name} {payload}");
    }
}

fn no_sql_is_on_the_disk(on: Backend) {
    let Some(_) = Env::get() else { return };
    let server = postgres();
    let _running = server.start();
    no_content_of(on, "pg_shared.py", &dsn(&server), b"SELECT", b"Q\0\0\0");
}

fn no_value_of_redis_is_on_the_disk(on: Backend) {
    let Some(_) = Env::get() else { return };
    let server = redis();
    let _running = server.start();
    no_content_of(on, "redis_shared.py", &server.port.to_string(), b"child-", b"*2\r\n$4\r\nECHO");
}

/// All that is in a recording, its chunks decompressed.
pub(crate) fn everything(file: &Path) -> Vec<u8> {
    let file = fs::read(file).expect("it is there");
    let number = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().expect("four bytes")) as usize;
    let (mut all, mut at) = (file.clone(), 20 + number(12));
    while at < file.len() {
        let (raw, packed) = (number(at + 4), number(at + 8));
        at += 20;
        all.extend(zstd::bulk::decompress(&file[at..at + packed], raw).expect("a chunk"));
        at += packed;
    }
    all
}

fn no_secret_is_on_the_disk_wherever_it_stands(on: Backend) {
    let Some(env) = Env::get() else { return };
    let (python, program) = (env.python(), program("says_secrets.py"));
    let [python, program] = [&python, &program].map(|path| path.to_str().expect("a plain path"));
    let secret = b"~Zq#Kw~";
    for (payload, whole) in [("headers", false), ("all", true)] {
        let live =
            Session::start(on, "run", &["--record-payload", payload, "--", python, program], &[]).end();
        assert!(live.said[0]["said"].as_u64().is_some_and(|said| said > 100), "{:?}", live.said);
        let all = everything(&live.recording());
        assert_eq!(all.windows(secret.len()).any(|bytes| bytes == secret), whole, "{payload}");
        // In pieces of one byte it stands together only where all are kept; three that do are its own.
        let part = all.windows(3).find(|bytes| secret.windows(3).any(|part| part == *bytes));
        assert_eq!(part.is_some(), whole, "{payload}: {part:?}");
    }
}

on_each_backend! {
    no_secret_is_on_the_disk_wherever_it_stands
    no_sql_is_on_the_disk
    no_value_of_redis_is_on_the_disk
}

#[test]
fn what_proc_said_of_a_process_that_ran_before_is_in_the_recording() {
    let Some(_) = Env::get() else { return };
    let program = Process::start(&mut Command::new("cat"));
    let outcome = Session::attach(Backend::Ebpf, program.pid()).interrupt();
    let replayed = replay(&outcome.recording(), &[]);
    assert_eq!(replayed.report["processes"][0]["unseen"], serde_json::json!(["late-attach"]));
}

#[test]
fn a_recording_can_be_read_from_a_pipe() {
    let Some(_) = Env::get() else { return };
    let live = demo(&[]);
    let mut command = Command::new("sh");
    command.args(["-c", "cat \"$1\" | \"$0\" replay --report - -"]).arg(forkscope()).arg(live.recording());
    let Ended { status, stdout, stderr } = Process::start(&mut command).end();
    assert_eq!(code(status), 0, "{stderr:#?}");
    same(&live.report, &serde_json::from_str(&stdout.concat()).expect("the report is JSON"));
}

#[test]
fn of_a_cut_recording_the_beginning_is_replayed() {
    let Some(_) = Env::get() else { return };
    let live = demo(&[]);
    let file = live.recording();
    let whole = fs::read(&file).expect("it is there");
    fs::write(&file, &whole[..whole.len() - 9]).expect("own file");
    let replayed = replay(&file, &[]);
    assert_eq!(replayed.status, 0, "{:#?}", replayed.stderr);
    let said = replayed.stderr.iter().filter(|line| line.contains("ends before the session did"));
    assert_eq!(said.count(), 1, "{:#?}", replayed.stderr);
    assert_eq!(replayed.report["stats"]["lost"], serde_json::json!({}), "nothing was lost by the kernel");
    let notes = notes(&replayed);
    assert!(notes.len() == 1 && notes[0].contains("ends before the session did"), "{notes:?}");
    // That nothing was found in a part is no answer to who asks for errors.
    let asked = replay(&file, &["--fail-on", "error", "--rule", "enotsock=off"]);
    assert_eq!((asked.status, asked.report["findings"].as_array().map(Vec::len)), (1, Some(0)));
    // It is said also to who wants to be told of nothing else.
    let mut command = Command::new(forkscope());
    let Ended { stderr, .. } = Process::start(command.args(["replay", "--ui", "none"]).arg(&file)).end();
    assert!(stderr.len() == 1 && stderr[0].contains("ends before the session did"), "{stderr:?}");
}

/// The report's notes.
fn notes(outcome: &Outcome) -> Vec<&str> {
    let notes = outcome.report["notes"].as_array();
    notes.into_iter().flatten().map(|note| note.as_str().expect("text")).collect()
}

#[test]
fn without_payloads_the_report_says_so() {
    let Some(_) = Env::get() else { return };
    let live = Session::start(Backend::Ebpf, "run", &["--record-payload", "none", "--", "true"], &[]).end();
    assert_eq!(notes(&live), [""; 0]);
    let replayed = replay(&live.recording(), &[]);
    assert!(notes(&replayed).iter().any(|note| note.contains("no bytes of transfers")), "{replayed:#?}");
}

#[test]
fn only_its_owner_can_read_it() {
    let Some(_) = Env::get() else { return };
    let directory = tempfile::tempdir().expect("a temporary directory");
    let file = directory.path().join("session.rec");
    fs::write(&file, "an older one, that anybody can read").expect("own directory");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("own file");
    let path = file.to_str().expect("a plain path");
    let mut command = Command::new(forkscope());
    Process::start(command.args(["run", "--record", path, "--", "true"])).end();
    assert_eq!(fs::metadata(&file).expect("it is there").mode() & 0o777, 0o600);
    assert_eq!(replay(&file, &[]).status, 0);
}

#[test]
fn a_recording_that_cannot_be_written_is_found_out_before_the_program_starts() {
    let Some(_) = Env::get() else { return };
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = |name: &str| directory.path().join(name).to_str().expect("a plain path").to_owned();
    let (marker, fifo, planted) = (path("started"), path("fifo"), path("open to all/fifo"));
    for fifo in [&fifo, &planted] {
        fs::create_dir_all(Path::new(fifo).parent().expect("it has one")).expect("own directory");
        nix::unistd::mkfifo(Path::new(fifo), nix::sys::stat::Mode::S_IRWXU).expect("own directory");
    }
    fs::set_permissions(path("open to all"), fs::Permissions::from_mode(0o1777)).expect("own directory");
    nix::unistd::chown(Path::new(&planted), Some(65_534.into()), None).expect("root may");
    let _reader = fs::File::options().read(true).custom_flags(libc::O_NONBLOCK).open(&planted);
    let new = path("new");
    for (file, report, why) in [
        ("/nowhere/s.rec", "-", "No such file or directory (ENOENT)"),
        ("/dev/full", "-", "ENOSPC"),
        ("/", "-", "directory"),
        ("-", "-", "name a file"),
        (&fifo, "-", "a FIFO that nobody reads"),
        (&planted, "-", "a FIFO of another user"),
        ("/dev/null", &planted, "a FIFO of another user"),
        (&new, &new, "name two files"),
    ] {
        let mut command = Command::new(forkscope());
        command.args(["run", "--record", file, "--report", report, "--", "touch"]).arg(&marker);
        let Ended { status, stderr, .. } = Process::start(&mut command).end();
        assert_eq!((code(status), stderr.len()), (1, 1), "{stderr:#?}");
        assert!(stderr[0].starts_with("error: ") && stderr[0].contains(why), "{stderr:?}");
        assert!(!Path::new(&marker).exists(), "the program was started all the same");
    }
}

#[test]
fn on_a_full_disk_the_recording_ends_and_the_session_goes_on() {
    let Some(_) = Env::get() else { return };
    let directory = tempfile::tempdir().expect("a temporary directory");
    let report = directory.path().join("report.json");
    let program = "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); : </dev/null; done";
    let script = "mount -t tmpfs -o size=16k none \"$1\" \
                  && \"$0\" run --ui none --report \"$2\" --record \"$1/s.rec\" -- sh -c \"$3\" && \"$0\" replay \"$1/s.rec\"";
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
    let report: Value = serde_json::from_slice(&fs::read(&report).expect("it is written")).expect("JSON");
    let notes = report["notes"].as_array().expect("notes");
    let is_told = notes.iter().any(|note| note.as_str().is_some_and(|note| note.contains("ENOSPC")));
    assert!(is_told, "{report:#}");
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
    let live = demo(&[]);
    let (file, own) = (live.recording(), fs::read(live.recording()).expect("it is there"));
    let own_path = file.to_str().expect("a plain path");
    for (file, report, why) in [
        ("/etc/hostname", "-", "no recording"),
        ("/nowhere.rec", "-", "No such file"),
        ("/", "-", "it is a directory; name the file"),
        (own_path, own_path, "name two files"),
    ] {
        let mut command = Command::new(forkscope());
        command.args(["replay", "--report", report, file]).stdin(Stdio::null());
        let Ended { status, stderr, .. } = Process::start(&mut command).end();
        assert_eq!((code(status), stderr.len()), (1, 1), "{stderr:#?}");
        assert!(stderr[0].starts_with("error: ") && stderr[0].contains(why), "{stderr:?}");
    }
    assert_eq!(fs::read(&file).expect("it is still there"), own);
}
