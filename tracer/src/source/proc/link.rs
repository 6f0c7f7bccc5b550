//! What one descriptor shows of itself: the name behind its link, and its fdinfo.

use crate::inspect::SeenWatch;
use forkscope_proto::FileKind;

/// The link of an io_uring (`io_uring_get_file`, io_uring/io_uring.c).
pub(super) const RING: &str = "anon_inode:[io_uring]";

/// What the link /proc/PID/fd/N names (proc_pid_fd(5)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target<'a> {
    /// A socket or an unnamed pipe, which says its inode.
    Inode(FileKind, u64),
    /// An anonymous inode.
    Anonymous(FileKind),
    /// A path, or something else that only stat(2) can tell.
    Path(&'a [u8]),
}

impl<'a> Target<'a> {
    /// Reads a link. What is not known is a path.
    pub(super) fn read(link: &'a [u8]) -> Self {
        if let Some(inode) = inode_in(link, b"socket:[") {
            return Self::Inode(FileKind::Socket, inode);
        }
        if let Some(inode) = inode_in(link, b"pipe:[") {
            return Self::Inode(FileKind::Pipe, inode);
        }
        match link.strip_prefix(b"anon_inode:") {
            Some(b"[eventpoll]") => Self::Anonymous(FileKind::Epoll),
            Some(b"[eventfd]") => Self::Anonymous(FileKind::Eventfd),
            Some(_) => Self::Anonymous(FileKind::Anonymous),
            None => Self::Path(link),
        }
    }
}

fn inode_in(link: &[u8], before: &[u8]) -> Option<u64> {
    number(link.strip_prefix(before)?.strip_suffix(b"]")?)
}

/// A decimal number and nothing else.
pub(super) fn number(digits: &[u8]) -> Option<u64> {
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// What /proc/PID/fdinfo/N tells (proc_pid_fdinfo(5)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Info {
    /// The descriptor closes on exec.
    pub(super) cloexec: bool,
    /// The kernel's own inode number (`i_ino`), which stat(2) does not give on every file system.
    /// `None` before Linux 5.14.
    pub(super) inode: Option<u64>,
    /// The mount that the file is in.
    pub(super) mount: Option<u64>,
}

impl Info {
    /// Reads the first lines of a fdinfo file. What it does not say stays unset.
    pub(super) fn read(text: &[u8]) -> Self {
        /// `O_CLOEXEC` (include/uapi/asm-generic/fcntl.h).
        const CLOEXEC: u32 = 0o2_000_000;
        let mut info = Self::default();
        for line in text.split(|&byte| byte == b'\n') {
            if let Some(flags) = line.strip_prefix(b"flags:") {
                let flags = std::str::from_utf8(flags.trim_ascii()).unwrap_or_default();
                info.cloexec = u32::from_str_radix(flags, 8).is_ok_and(|flags| flags & CLOEXEC != 0);
            } else if let Some(mount) = line.strip_prefix(b"mnt_id:") {
                info.mount = number(mount.trim_ascii());
            } else if let Some(inode) = line.strip_prefix(b"ino:") {
                info.inode = number(inode.trim_ascii());
                break;
            }
        }
        info
    }
}

/// What a fdinfo file tells of an epoll instance or an eventfd (proc_pid_fdinfo(5)).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Details {
    /// The kernel's number of an eventfd (Linux 5.2 and later), and its counter.
    pub(super) eventfd: (Option<u64>, Option<u64>),
    /// What an epoll instance watches.
    pub(super) watches: Vec<SeenWatch>,
}

impl Details {
    /// Reads a whole fdinfo file.
    pub(super) fn read(text: &[u8]) -> Self {
        let mut details = Self::default();
        for line in text.split(|&byte| byte == b'\n') {
            if let Some(count) = line.strip_prefix(b"eventfd-count:") {
                details.eventfd.1 = hex(count.trim_ascii());
            } else if let Some(id) = line.strip_prefix(b"eventfd-id:") {
                details.eventfd.0 = number(id.trim_ascii());
            } else if let Some(rest) = line.strip_prefix(b"tfd:") {
                details.watches.extend(watch(rest));
            }
        }
        details
    }
}

/// `        5 events:       19 data:                5  pos:0 ino:8b9 sdev:8`
/// (`ep_show_fdinfo`, fs/eventpoll.c).
fn watch(line: &[u8]) -> Option<SeenWatch> {
    let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let fd = number(words.next()?)?.try_into().ok()?;
    let inode = words.find_map(|word| word.strip_prefix(b"ino:")).and_then(hex);
    Some(SeenWatch { fd, inode })
}

fn hex(digits: &[u8]) -> Option<u64> {
    u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn links_are_told_apart() {
        for (link, expected) in [
            ("socket:[12]", Target::Inode(FileKind::Socket, 12)),
            ("pipe:[7]", Target::Inode(FileKind::Pipe, 7)),
            ("anon_inode:[eventpoll]", Target::Anonymous(FileKind::Epoll)),
            ("anon_inode:[eventfd]", Target::Anonymous(FileKind::Eventfd)),
            ("anon_inode:[timerfd]", Target::Anonymous(FileKind::Anonymous)),
            ("anon_inode:inotify", Target::Anonymous(FileKind::Anonymous)),
            ("/tmp/socket:[1]", Target::Path(b"/tmp/socket:[1]")),
            ("socket:[]x", Target::Path(b"socket:[]x")),
            ("socket:[+1]", Target::Path(b"socket:[+1]")),
            ("socket:[99999999999999999999]", Target::Path(b"socket:[99999999999999999999]")),
        ] {
            assert_eq!(Target::read(link.as_bytes()), expected, "{link}");
        }
    }

    #[test]
    fn fdinfo_is_read_leniently() {
        for (text, cloexec, inode, mount) in [
            ("pos:\t0\nflags:\t02000002\nmnt_id:\t17\nino:\t18\n", true, Some(18), Some(17)),
            ("pos:\t0\nflags:\t0100002\nmnt_id:\t17\nino:\t18\ntfd: 5 ino:9", false, Some(18), Some(17)),
            ("pos:\t0\nflags:\t02000002\nmnt_id:\t17\n", true, None, Some(17)),
            ("flags:\tx\nmnt_id:\nino:\t-1", false, None, None),
            ("", false, None, None),
        ] {
            assert_eq!(Info::read(text.as_bytes()), Info { cloexec, inode, mount }, "{text:?}");
        }
    }

    #[test]
    fn epoll_and_eventfd_tell_more() {
        let watch = |fd, inode| SeenWatch { fd, inode };
        let line = "tfd:        5 events:       19 data:                5  pos:0 ino:8b9 sdev:8\n";
        for (text, eventfd, watches) in [
            (&*format!("pos:\t0\n{line}"), (None, None), vec![watch(5, Some(0x8b9))]),
            ("tfd: 7 events: 19 data: 7\ntfd: x\ntfd:", (None, None), vec![watch(7, None)]),
            ("eventfd-count:               1f\neventfd-id: 3\n", (Some(3), Some(0x1f)), vec![]),
            ("eventfd-count: -\n", (None, None), vec![]),
        ] {
            assert_eq!(Details::read(text.as_bytes()), Details { eventfd, watches }, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_are_a_panic(bytes: Vec<u8>, start in 0..6_usize) {
            let mut text = [&b""[..], b"socket:[", b"flags:\t", b"ino:\t", b"tfd:", b"eventfd-id:"][start].to_vec();
            text.extend(bytes);
            Target::read(&text);
            Info::read(&text);
            Details::read(&text);
        }
    }
}
