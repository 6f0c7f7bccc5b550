//! What the addresses of a process mean: its executable mappings.

use crate::event::ProcKey;
use crate::source::proc;
use std::fs::File;
use std::io::Read;
use std::rc::Rc;

/// The most that is read of a list of mappings, in bytes.
const MOST_BYTES: u64 = 4 << 20;
/// The most executable mappings that are kept of a process.
const MOST_REGIONS: usize = 4096;

/// One executable mapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Region {
    pub(super) start: u64,
    pub(super) end: u64,
    /// Where in its file it begins.
    pub(super) offset: u64,
    /// The file's device, as it is written there, and inode.
    pub(super) device: Rc<str>,
    pub(super) inode: u64,
    /// The file's path, or a name in brackets; none where it has no file.
    pub(super) path: Option<Rc<str>>,
}

/// The executable mappings of a process, by address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Maps(Vec<Region>);

impl Maps {
    /// Reads those of a living process; `None` where it is gone or may not be looked at, or ends meanwhile:
    /// the list is then cut anywhere (`m_start`, fs/proc/task_mmu.c, 6.18).
    pub(super) fn read(process: ProcKey) -> Option<Self> {
        let mut text = Vec::new();
        File::open(format!("/proc/{}/maps", process.tgid))
            .ok()?
            .take(MOST_BYTES)
            .read_to_end(&mut text)
            .ok()?;
        // Asked afterwards: it was this process' file, and no later one's, and its memory is still there.
        let size = std::fs::read(format!("/proc/{}/statm", process.tgid)).ok()?;
        (has_memory(&size) && proc::key(process.tgid).ok()? == process).then(|| Self::parse(&text))
    }

    /// Reads `/proc/PID/maps` (proc_pid_maps(5)).
    pub(super) fn parse(text: &[u8]) -> Self {
        let text = String::from_utf8_lossy(text);
        let mut regions: Vec<Region> = text.lines().filter_map(region).take(MOST_REGIONS).collect();
        regions.sort_by_key(|region| region.start);
        Self(regions)
    }

    /// The mapping that an address is in.
    pub(super) fn find(&self, address: u64) -> Option<&Region> {
        let after = self.0.partition_point(|region| region.start <= address);
        self.0.get(after.checked_sub(1)?).filter(|region| address < region.end)
    }

    /// Whether the interpreter of Python is among them, or its library.
    pub(super) fn has_python(&self) -> bool {
        let name = |region: &Region| Some(region.path.as_ref()?.rsplit('/').next()?.contains("python"));
        self.0.iter().any(|region| name(region).unwrap_or(false))
    }
}

/// Whether `/proc/PID/statm` tells of a process that has memory: of one that is ending it says 0
/// (`proc_pid_statm`, fs/proc/array.c, 6.18).
fn has_memory(statm: &[u8]) -> bool {
    statm.first().is_some_and(|digit| *digit != b'0')
}

fn region(line: &str) -> Option<Region> {
    // The path may have blanks; before it there are several.
    let mut words = line.splitn(6, ' ');
    let (start, end) = words.next()?.split_once('-')?;
    let hex = |word: &str| u64::from_str_radix(word, 16).ok();
    let (start, end) = (hex(start)?, hex(end)?);
    words.next()?.contains('x').then_some(())?;
    let offset = hex(words.next()?)?;
    let device = words.next()?.into();
    let inode = words.next()?.parse().ok()?;
    let path = words.next().map(str::trim_start).filter(|path| !path.is_empty()).map(Into::into);
    (start < end).then_some(Region { start, end, offset, device, inode, path })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn mappings_are_read() {
        let text = b"\
00400000-00452000 r--p 00000000 08:02 173521      /usr/bin/dbus daemon
00452000-00460000 r-xp 00052000 08:02 173521      /usr/bin/python3.8 x
7f0000000000-7f0000001000 r-xp 00000000 00:00 0 
7ffc0000-7ffd0000 r-xp 00000000 00:00 0                          [vdso]
wrong
";
        let maps = Maps::parse(text);
        assert_eq!(maps.0.len(), 3);
        let region = maps.find(0x452001).expect("it is mapped");
        assert_eq!((region.offset, region.inode, &*region.device), (0x52000, 173_521, "08:02"));
        assert_eq!(region.path.as_deref(), Some("/usr/bin/python3.8 x"));
        assert_eq!(maps.find(0x7ffc_0000).and_then(|region| region.path.as_deref()), Some("[vdso]"));
        assert!(maps.find(0x7f00_0000_0000).is_some_and(|region| region.path.is_none()));
        assert!(maps.find(0x460000).is_none() && maps.find(0).is_none());
        assert!(maps.has_python());
    }

    #[test]
    fn a_process_that_has_ended_has_no_mappings_left() {
        let mut child = std::process::Command::new("true").spawn().expect("it starts");
        let key = proc::key(child.id()).expect("it is not reaped");
        // It stays as what is left of a process until it is waited for; its memory goes before that.
        let statm = || std::fs::read(format!("/proc/{}/statm", child.id())).expect("it is not reaped");
        while has_memory(&statm()) {
            std::thread::yield_now();
        }
        assert_eq!(Maps::read(key), None);
        assert!(child.wait().is_ok_and(|status| status.success()));
        assert!(has_memory(&std::fs::read("/proc/self/statm").expect("its own")));
    }

    #[test]
    fn its_own_are_read() {
        let own = proc::key(std::process::id()).expect("it lives");
        let maps = Maps::read(own).expect("its own");
        assert!(maps.find(region as *const () as u64).is_some_and(|region| region.path.is_some()));
        assert_eq!(Maps::read(ProcKey { start: own.start + 1, ..own }), None);
    }

    proptest! {
        #[test]
        fn no_bytes_are_a_panic(bytes: Vec<u8>, address: u64) {
            Maps::parse(&bytes).find(address);
        }
    }
}
