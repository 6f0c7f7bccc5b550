use super::*;
use nix::sys::stat::Mode;
use nix::unistd::{Uid, chown, geteuid, mkfifo};
use std::fs::Permissions;
use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{PermissionsExt, symlink};

/// Somebody else.
const OTHER: u32 = 65_534;

/// A directory with a file, a FIFO, and links to both, that everybody may write to or not.
fn room(mode: u32) -> tempfile::TempDir {
    let room = tempfile::tempdir().expect("a directory");
    let path = |name: &str| room.path().join(name);
    fs::write(path("file"), "kept").expect("own directory");
    mkfifo(&path("fifo"), Mode::S_IRWXU).expect("own directory");
    symlink(path("file"), path("link")).expect("own directory");
    symlink(path("fifo"), path("link to fifo")).expect("own directory");
    fs::set_permissions(room.path(), Permissions::from_mode(mode)).expect("own directory");
    room
}

/// Somebody who reads a FIFO.
fn reader(path: &Path) -> File {
    OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path).expect("own directory")
}

#[test]
fn what_others_may_have_put_there_is_not_written_to() {
    for (mode, name, others, told) in [
        (0o1777, "file", false, None),
        (0o1777, "fifo", false, None),
        (0o1777, "link", false, Some("a symbolic link")),
        (0o1777, "link to fifo", false, Some("a symbolic link")),
        (0o1777, "file", true, Some("a file of another user")),
        (0o1777, "fifo", true, Some("a FIFO of another user")),
        (0o0777, "fifo", true, Some("a FIFO of another user")),
        (0o0755, "file", true, None),
        (0o0755, "fifo", true, None),
        (0o0755, "link", true, None),
        (0o0755, "link to fifo", true, None),
    ] {
        // Only root can give a file to somebody else.
        if others && !geteuid().is_root() {
            continue;
        }
        let room = room(mode);
        let _reader = reader(&room.path().join("fifo"));
        if others {
            for name in ["file", "fifo"] {
                chown(&room.path().join(name), Some(Uid::from_raw(OTHER)), None).expect("root may");
            }
        }
        let found = match open(&room.path().join(name)) {
            Ok(_) => None,
            Err(Refusal::Planted(what)) => Some(what),
            Err(error) => panic!("{name}: {error}"),
        };
        assert_eq!(found, told, "{name} in {mode:o}, of others: {others}");
    }
}

#[test]
fn a_link_into_a_directory_of_everybody_is_no_way_around() {
    if !geteuid().is_root() {
        return;
    }
    let (open_to_all, own) = (room(0o1777), room(0o755));
    let [fifo, link] = [open_to_all.path().join("fifo"), own.path().join("to others")];
    chown(&fifo, Some(Uid::from_raw(OTHER)), None).expect("root may");
    symlink(&fifo, &link).expect("own directory");
    let _reader = reader(&fifo);
    assert!(matches!(open(&link), Err(Refusal::Planted("a FIFO of another user"))));
}

#[test]
fn a_fifo_that_nobody_reads_is_not_waited_for() {
    let room = room(0o755);
    for name in ["fifo", "link to fifo"] {
        assert!(matches!(open(&room.path().join(name)), Err(Refusal::Unread)));
    }
    let mut reader = reader(&room.path().join("fifo"));
    let mut file = open(&room.path().join("fifo")).expect("it is read");
    file.write_all(b"all").expect("room");
    let mut bytes = [0; 3];
    reader.read_exact(&mut bytes).expect("they are there");
    let flags = nix::fcntl::fcntl(&file, nix::fcntl::FcntlArg::F_GETFL).expect("open");
    assert_eq!((bytes, flags & libc::O_NONBLOCK), (*b"all", 0), "a slow reader is waited for");
}

#[test]
fn devices_and_what_a_shell_opened_are_written_to() {
    open(Path::new("/dev/null")).expect("nobody else can have put it there");
    let (_read, write) = nix::unistd::pipe().expect("a pipe");
    open(&PathBuf::from(format!("/dev/fd/{}", write.as_raw_fd()))).expect("a pipe of a shell");
}

#[test]
fn one_file_by_several_names() {
    let room = room(0o755);
    let path = |name: &str| room.path().join(name);
    symlink(room.path(), path("here")).expect("own directory");
    fs::hard_link(path("file"), path("other name")).expect("own directory");
    for (one, other, expected) in [
        ("file", "file", true),
        ("file", "link", true),
        ("file", "here/file", true),
        ("file", "other name", true),
        ("fifo", "link to fifo", true),
        ("new", "new", true),
        ("new", "here/new", true),
        ("new", "./new", true),
        ("new", "newer", false),
        ("file", "fifo", false),
        ("file", "new", false),
        ("no/new", "none/new", false),
        ("/dev/null", "/dev/null", false),
    ] {
        assert_eq!(same(&path(one), &path(other)), expected, "{one} and {other}");
    }
}

#[test]
fn errors_of_the_system_are_told_by_their_name() {
    let told = system(&io::Error::from_raw_os_error(libc::EACCES));
    assert_eq!(told, "Permission denied (EACCES)");
    assert_eq!(system(&ErrorKind::UnexpectedEof.into()), "unexpected end of file");
}

#[test]
fn an_empty_folder_of_a_path_is_the_current_one() {
    let places: Vec<PathBuf> = in_path("tool".as_ref(), ":/usr/bin::".as_ref()).collect();
    assert_eq!(places, ["tool", "/usr/bin/tool", "tool", "tool"].map(PathBuf::from));
}
