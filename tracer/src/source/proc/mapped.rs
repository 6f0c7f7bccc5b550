//! Files that a process has mapped to execute them.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// The most that is read of a process' mappings, in bytes: 65,530 mappings are the kernel's usual limit.
const MOST_MAPS: u64 = 16 << 20;

/// A file that a process has mapped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MappedFile {
    /// Its device as /proc writes it, and its inode.
    pub identity: (String, u64),
    /// Its path as the process sees it.
    pub path: PathBuf,
    /// The mapping's own link to it, which holds when the path is another file's by now
    /// (proc_pid_map_files(5)).
    pub link: PathBuf,
}

/// The files that a process has mapped to execute them, and whose names begin so. Each once.
///
/// # Errors
/// Where the process does not exist or may not be looked at.
pub fn mapped_files(pid: u32, name: &str) -> io::Result<Vec<MappedFile>> {
    let maps = File::open(format!("/proc/{pid}/maps"))?.take(MOST_MAPS);
    read(pid, BufReader::with_capacity(1 << 16, maps), name)
}

fn read(pid: u32, mut maps: impl BufRead, name: &str) -> io::Result<Vec<MappedFile>> {
    let (mut line, mut found) = (Vec::new(), Vec::<MappedFile>::new());
    while maps.read_until(b'\n', &mut line)? > 0 {
        if let Some(file) = of_line(pid, line.strip_suffix(b"\n").unwrap_or(&line), name)
            && !found.iter().any(|known| known.identity == file.identity)
        {
            found.push(file);
        }
        line.clear();
    }
    Ok(found)
}

/// `7f2f174d7000-7f2f17538000 r-xp 00020000 fe:00 1234    /usr/lib/libssl.so.3` (proc_pid_maps(5)).
fn of_line(pid: u32, line: &[u8], name: &str) -> Option<MappedFile> {
    let start = line.iter().position(|&byte| byte == b'/')?;
    let (head, path) = line.split_at(start);
    let path = path.strip_suffix(b" (deleted)").unwrap_or(path);
    if !path.rsplit(|&byte| byte == b'/').next()?.starts_with(name.as_bytes()) {
        return None;
    }
    let mut words = std::str::from_utf8(head).ok()?.split_ascii_whitespace();
    let (range, permissions, _, device, inode) =
        (words.next()?, words.next()?, words.next()?, words.next()?, words.next()?);
    if !permissions.contains('x') {
        return None;
    }
    Some(MappedFile {
        identity: (device.to_owned(), inode.parse().ok()?),
        path: OsStr::from_bytes(path).into(),
        link: format!("/proc/{pid}/map_files/{range}").into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn executable_mappings_are_found_once_by_name() {
        let maps = b"\
7f00-7f10 r--p 00000000 fe:00 77   /usr/lib/libssl.so.3\n\
7f10-7f20 r-xp 00010000 fe:00 77   /usr/lib/libssl.so.3\n\
7f30-7f40 r-xp 00030000 fe:00 77   /usr/lib/libssl.so.3\n\
8f10-8f20 r-xp 00010000 fe:00 78   /opt/a b.libs/libssl-81ffa89e.so.1.1 (deleted)\n\
9f10-9f20 r-xp 00010000 fe:00 79   /usr/lib/libc.so.6\n\
9f20-9f30 r-xp 00000000 00:00 0    [vdso]\n\
9f30-9f40 r-xp 00000000 fe:00 x    /usr/lib/libssl.so.9\n\
/libssl";
        let file = |inode, path: &str, range| MappedFile {
            identity: ("fe:00".to_owned(), inode),
            path: path.into(),
            link: format!("/proc/5/map_files/{range}").into(),
        };
        let expected = [
            file(77, "/usr/lib/libssl.so.3", "7f10-7f20"),
            file(78, "/opt/a b.libs/libssl-81ffa89e.so.1.1", "8f10-8f20"),
        ];
        assert_eq!(read(5, &maps[..], "libssl").expect("memory"), expected);
    }
}
