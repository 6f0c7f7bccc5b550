//! What one descriptor shows of itself: the name behind its link, and its fdinfo.

use forkscope_proto::FileKind;

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
            } else if let Some(inode) = line.strip_prefix(b"ino:") {
                info.inode = number(inode.trim_ascii());
                break;
            }
        }
        info
    }
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
        for (text, cloexec, inode) in [
            ("pos:\t0\nflags:\t02000002\nmnt_id:\t17\nino:\t18\n", true, Some(18)),
            ("pos:\t0\nflags:\t0100002\nmnt_id:\t17\nino:\t18\ntfd: 5 ino:9", false, Some(18)),
            ("pos:\t0\nflags:\t02000002\nmnt_id:\t17\n", true, None),
            ("flags:\tx\nino:\t-1", false, None),
            ("", false, None),
        ] {
            assert_eq!(Info::read(text.as_bytes()), Info { cloexec, inode }, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_are_a_panic(bytes: Vec<u8>, start in 0..4_usize) {
            let mut text = [&b""[..], b"socket:[", b"flags:\t", b"ino:\t"][start].to_vec();
            text.extend(bytes);
            Target::read(&text);
            Info::read(&text);
        }
    }
}
