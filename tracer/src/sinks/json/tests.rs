use super::*;
use crate::report::sample;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

fn room() -> tempfile::TempDir {
    tempfile::tempdir().expect("a directory for the test")
}

fn read(path: &Path) -> Report {
    serde_json::from_slice(&fs::read(path).expect("the report is there")).expect("the report is JSON")
}

#[test]
fn the_file_is_whole_private_and_alone() {
    let room = room();
    let path = room.path().join("report.json");
    fs::write(&path, "older").expect("the test's directory is writable");
    check_writable(&path).expect("writable");
    assert_eq!(fs::read(&path).expect("still there"), b"older", "a check changes nothing");
    write(&sample::report(), &path).expect("writable");
    assert_eq!(read(&path), sample::report());
    assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_dir(room.path()).expect("readable").count(), 1);
}

#[test]
fn a_link_stays_a_link() {
    let room = room();
    let (link, file) = (room.path().join("link"), room.path().join("file"));
    fs::write(&file, "older").expect("the test's directory is writable");
    symlink(&file, &link).expect("the test's directory is writable");
    write(&sample::report(), &link).expect("writable");
    assert!(fs::symlink_metadata(&link).expect("there").is_symlink());
    assert_eq!(read(&file), sample::report());
}

/// /dev/shm is a directory like others.
#[test]
fn a_file_among_devices_is_replaced() {
    let room = tempfile::tempdir_in("/dev/shm").expect("everybody may");
    let path = room.path().join("report.json");
    fs::write(&path, "older, and much longer".repeat(10_000)).expect("own directory");
    write(&sample::report(), &path).expect("writable");
    assert_eq!(read(&path), sample::report());
    assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
}

#[test]
fn what_a_shell_has_opened_is_added_to() {
    let room = room();
    let path = room.path().join("log");
    fs::write(&path, "before\n").expect("own directory");
    let log = fs::File::options().append(true).open(&path).expect("own file");
    let descriptor = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&log));
    write(&sample::report(), Path::new(&descriptor)).expect("writable");
    let text = fs::read_to_string(&path).expect("there");
    assert!(text.strip_prefix("before\n").is_some_and(|report| report.starts_with('{')), "{text}");
}

#[test]
fn a_device_is_not_replaced() {
    let null = Path::new("/dev/null");
    check_writable(null).expect("writable");
    write(&sample::report(), null).expect("writable");
    assert!(!fs::metadata(null).expect("there").is_file());
}

#[test]
fn bad_paths_are_told_before_the_trace() {
    let room = room();
    let check = |path: &Path, expected: &str| {
        let told = check_writable(path).expect_err("not writable").to_string();
        let told = told.replace(&room.path().to_string_lossy()[..], "ROOM");
        assert!(told.contains(expected), "{told}");
        assert_eq!(told.lines().count(), 1, "{told}");
    };
    check(room.path(), "it is a directory; name a file in it, for example ROOM/report.json");
    check(&room.path().join("no/report.json"), "there is no directory ROOM/no; create it first (mkdir -p)");
    check(Path::new("/"), "it is a directory");
    check(Path::new("/proc/report.json"), "name a file in a directory that you may write to");
    check(&room.path().join("no\x1b[2J\n/x"), r"ROOM/no\x1b[2J\n;");
}

#[test]
fn json_shown_on_a_terminal_does_nothing_and_loses_nothing() {
    let mut report = sample::report();
    report.processes[0].comm = "\x1b[2J\u{9b}2J\u{202e}\u{e0041}\x7f\n".into();
    let json = text(&report).expect("a report is plain data");
    assert!(!json.chars().any(|c| c != '\n' && acts_on_a_terminal(c)));
    assert_eq!(serde_json::from_str::<Report>(&json).expect("still JSON"), report);
}

#[test]
fn what_others_may_have_put_there_is_not_written_through() {
    let room = room();
    let [file, link, fifo] = ["file", "link", "fifo"].map(|name| room.path().join(name));
    fs::write(&file, "kept").expect("the test's directory is writable");
    symlink(&file, &link).expect("the test's directory is writable");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).expect("the test's directory is writable");
    fs::set_permissions(room.path(), fs::Permissions::from_mode(0o1777)).expect("the test's directory");
    let refused = |path: &Path| {
        let told = [check_writable(path), write(&sample::report(), path)];
        told.map(|told| told.expect_err("not written to").to_string())
    };
    assert!(refused(&link).iter().all(|told| told.contains("a symbolic link")), "{:?}", refused(&link));
    assert_eq!(fs::read(&file).expect("there"), b"kept");
    if nix::unistd::geteuid().is_root() {
        nix::unistd::chown(&fifo, Some(65_534.into()), None).expect("root may");
        assert!(refused(&fifo).iter().all(|told| told.contains("a FIFO of another user")));
    }
    // It is replaced, and nothing is written to what was there.
    check_writable(&file).expect("writable");
    write(&sample::report(), &file).expect("writable");
    assert_eq!(read(&file), sample::report());
}
