//! The files that are mapped into processes: found, and the tables read that unwinding takes.

use super::maps::Region;
use crate::event::ProcKey;
use crate::source::proc;
use object::elf::{FileHeader64, PF_X, PT_LOAD};
use object::read::elf::{ElfFile, FileHeader as _, ProgramHeader as _};
use object::{Endianness, Object as _, ObjectSection as _, ReadCache, ReadRef};
use rustc_hash::FxHashMap;
use std::fs::File;
use std::ops::Range;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// The most files that are open.
const MOST_FILES: usize = 256;
/// The longest table that is read, in bytes.
const MOST_TABLE: u64 = 64 << 20;
/// The most bytes of tables that are kept. Of what comes then none is read: frame
/// pointers lead on, or nothing.
const MOST_BYTES: u64 = 512 << 20;

/// What makes a file the same: device, inode and path, as mappings say them.
type Name = (Rc<str>, u64, Rc<str>);

/// Files that were looked at; those that are no programs as well.
#[derive(Default)]
pub(super) struct Files {
    known: FxHashMap<Name, Option<Rc<Elf>>>,
    /// Bytes of their tables.
    bytes: u64,
}

/// A program or library.
#[derive(Debug)]
pub(super) struct Elf {
    file: File,
    /// Of each segment with code: where in the file it lies, and at which address it wants to be.
    segments: Vec<(Range<u64>, u64)>,
    pub(super) tables: Tables,
    pub(super) debug: Debug,
}

/// Where the debug information of a file is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Debug {
    /// In itself, if anywhere.
    Own,
    /// The file says that it is elsewhere. Where, is anybody's word, and is not followed: this is the file
    /// that the system has installed for it, if any, by its build ID.
    Elsewhere(Option<PathBuf>),
}

/// Where systems install debug information, by build ID (GDB's manual, "Debugging
/// Information in Separate Files").
const INSTALLED: &str = "/usr/lib/debug/.build-id";
/// The sections that name another file.
const LINKS: [&str; 3] = [".gnu_debuglink", ".gnu_debugaltlink", ".debug_sup"];

/// A part of a file: the addresses that it wants, and its bytes.
type Section = Option<(Range<u64>, Rc<[u8]>)>;

/// What unwinding takes.
#[derive(Debug, Default)]
pub(super) struct Tables {
    pub(super) text: Option<Range<u64>>,
    pub(super) got: Option<Range<u64>>,
    pub(super) eh_frame: Section,
    pub(super) eh_frame_hdr: Section,
}

impl Tables {
    fn bytes(&self) -> u64 {
        [&self.eh_frame, &self.eh_frame_hdr].into_iter().flatten().map(|(_, bytes)| bytes.len() as u64).sum()
    }
}

impl Files {
    /// The file of a mapping, opened while its process lives or where it still lies.
    pub(super) fn of(&mut self, process: ProcKey, region: &Region) -> Option<Rc<Elf>> {
        let path = region.path.as_ref().filter(|path| path.starts_with('/'))?;
        let name = (region.device.clone(), region.inode, path.clone());
        if let Some(known) = self.known.get(&name) {
            return known.clone();
        }
        let room = MOST_BYTES.saturating_sub(self.bytes);
        // One that cannot be opened now may be seen through another process later.
        let elf = Elf::read(open(process, region, path)?, room).map(Rc::new);
        if self.known.len() < MOST_FILES {
            self.bytes += elf.as_ref().map_or(0, |elf| elf.tables.bytes());
            self.known.insert(name, elf.clone());
        }
        elf
    }
}

fn installed(build_id: &[u8]) -> Option<PathBuf> {
    // As many bytes as SHA-256 has are enough for all that linkers write.
    let (first, rest) = build_id.split_first().filter(|(_, rest)| (7..32).contains(&rest.len()))?;
    let rest: String = rest.iter().map(|byte| format!("{byte:02x}")).collect();
    let path = PathBuf::from(format!("{INSTALLED}/{first:02x}/{rest}.debug"));
    proc::open_regular(&path).is_ok().then_some(path)
}

/// Through the process as it sees the file, else by the path. What lies there by now must be the same file.
fn open(process: ProcKey, region: &Region, path: &str) -> Option<File> {
    let pid = process.tgid;
    let mapped = format!("/proc/{pid}/map_files/{:x}-{:x}", region.start, region.end);
    let candidates = [mapped, format!("/proc/{pid}/root{path}"), path.to_owned()];
    candidates.iter().find_map(|candidate| {
        let file = proc::open_regular(Path::new(candidate)).ok()?;
        let data = file.metadata().ok()?;
        is_same((&region.device, region.inode), (data.dev(), data.ino())).then_some(file)
    })
}

/// Whether what a mapping says is what stat(2) says. Where a file system has no device of its own (btrfs,
/// overlayfs), they may name two: there the inode alone must do.
fn is_same((device, inode): (&str, u64), seen: (u64, u64)) -> bool {
    let number = |text| u32::from_str_radix(text, 16).ok();
    let mapped = device.split_once(':').and_then(|(major, minor)| Some((number(major)?, number(minor)?)));
    let stated = (libc::major(seen.0), libc::minor(seen.0));
    let same_device = mapped.is_some_and(|mapped| mapped == stated || mapped.0 == 0 || stated.0 == 0);
    same_device && inode == seen.1
}

impl Elf {
    /// Reads a file, of its tables at most so many bytes.
    fn read(file: File, room: u64) -> Option<Self> {
        let cache = ReadCache::new(file.try_clone().ok()?);
        let elf: ElfFile<'_, FileHeader64<Endianness>, _> = ElfFile::parse(&cache).ok()?;
        let endian = elf.endian();
        let mut segments = Vec::new();
        for header in elf.elf_header().program_headers(endian, &cache).ok()? {
            // A page of the file may be mapped twice: with the end of one segment, and with
            // the code that begins there.
            if header.p_type(endian) == PT_LOAD && header.p_flags(endian).0 & PF_X.0 != 0 {
                let (offset, size) = header.file_range(endian);
                segments.push((offset..offset.saturating_add(size), header.p_vaddr(endian)));
            }
        }
        let tables = Tables {
            text: range(&elf, ".text"),
            got: range(&elf, ".got"),
            eh_frame: section(&elf, ".eh_frame", room / 2),
            eh_frame_hdr: section(&elf, ".eh_frame_hdr", room / 2),
        };
        let debug = if LINKS.iter().any(|link| elf.section_by_name(link).is_some()) {
            Debug::Elsewhere(elf.build_id().ok().flatten().and_then(installed))
        } else {
            Debug::Own
        };
        Some(Self { file, segments, tables, debug })
    }

    /// What is to be added to the addresses that the file wants, to get those of the mapping.
    pub(super) fn bias(&self, region: &Region) -> Option<u64> {
        // A mapping begins at a page, before the segment's first byte.
        let length = region.end - region.start;
        let last = region.offset.saturating_add(length);
        let (range, address) =
            self.segments.iter().find(|(range, _)| range.start < last && region.offset < range.end)?;
        let wanted = address.wrapping_add(region.offset).wrapping_sub(range.start);
        Some(region.start.wrapping_sub(wanted))
    }

    /// A path under which the file can be opened, whatever lies under its name by now.
    pub(super) fn path(&self) -> PathBuf {
        format!("/proc/self/fd/{}", self.file.as_raw_fd()).into()
    }
}

fn range<'a, R: ReadRef<'a>>(
    elf: &ElfFile<'a, FileHeader64<Endianness>, R>,
    name: &str,
) -> Option<Range<u64>> {
    let section = elf.section_by_name(name)?;
    Some(section.address()..section.address().checked_add(section.size())?)
}

fn section<'a, R: ReadRef<'a>>(
    elf: &ElfFile<'a, FileHeader64<Endianness>, R>,
    name: &str,
    room: u64,
) -> Section {
    let range = range(elf, name)?;
    let section = elf.section_by_name(name).filter(|section| section.size() <= MOST_TABLE.min(room))?;
    Some((range, section.data().ok()?.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stacks::maps::Maps;

    #[test]
    fn files_are_the_same_by_device_and_inode() {
        let device = libc::makedev(0xfe, 0x10);
        for (mapped, seen, same) in [
            (("fe:10", 7), (device, 7), true),
            (("fe:10", 7), (device, 8), false),
            (("fe:00", 7), (device, 7), false),
            (("00:2a", 7), (device, 7), true),
            (("00:2a", 7), (libc::makedev(0, 0x31), 7), true),
            (("fe:10", 7), (libc::makedev(0, 0x31), 7), true),
            (("fe", 7), (device, 7), false),
        ] {
            assert_eq!(is_same(mapped, seen), same, "{mapped:?} {seen:?}");
        }
    }

    #[test]
    fn a_file_that_cannot_be_opened_is_looked_for_again() {
        let own = proc::key(std::process::id()).expect("it lives");
        let directory = tempfile::tempdir().expect("a temporary directory");
        let (path, away) = (directory.path().join("program"), directory.path().join("away"));
        std::fs::copy("/bin/true", &away).expect("there is room");
        let inode = std::fs::metadata(&away).expect("it is there").ino();
        let line = format!("1000-200000 r-xp 00001000 00:00 {inode} {}\n", path.display());
        let maps = Maps::parse(line.as_bytes());
        let region = maps.find(0x1000).expect("it is mapped");
        let mut files = Files::default();
        assert!(files.of(own, region).is_none());
        std::fs::rename(&away, &path).expect("own directory");
        assert!(files.of(own, region).is_some());
    }

    #[test]
    fn tables_are_read_while_there_is_room() {
        let own = proc::key(std::process::id()).expect("it lives");
        let maps = Maps::read(own).expect("its own");
        let region =
            maps.find(tables_are_read_while_there_is_room as *const () as u64).expect("it is mapped");
        for (bytes, is_read) in [(0, true), (MOST_BYTES, false)] {
            let mut files = Files { bytes, ..Files::default() };
            let elf = files.of(own, region).expect("it is a file");
            assert_eq!((elf.tables.eh_frame.is_some(), files.bytes > bytes), (is_read, is_read));
        }
    }

    #[test]
    fn installed_debug_information_is_found_by_build_id_only() {
        let own = Elf::read(File::open("/proc/self/exe").expect("own"), MOST_BYTES).expect("it is a program");
        assert_eq!(own.debug, Debug::Own);
        for build_id in [&b""[..], b"short", &[0xab; 20], &[0xab; 4096]] {
            assert_eq!(installed(build_id), None, "nobody installs that");
        }
    }

    /// Also where the code does not begin at a page, as with LLVM's linker.
    #[test]
    fn addresses_of_the_file_are_found_in_memory() {
        let own = proc::key(std::process::id()).expect("it lives");
        let maps = Maps::read(own).expect("its own");
        let mut files = Files::default();
        let address = addresses_of_the_file_are_found_in_memory as *const () as u64;
        let region = maps.find(address).expect("it is mapped");
        let elf = files.of(own, region).expect("it is a file");
        let bias = elf.bias(region).expect("it is one of its segments");
        let text = elf.tables.text.clone().expect("it has code");
        assert!(text.contains(&(address - bias)), "{address:#x} - {bias:#x} in {text:#x?}");
        // What the loader says: where the headers are, and where they want to be.
        let bytes = std::fs::read("/proc/self/auxv").expect("its own");
        let words: Vec<u64> = bytes.as_chunks::<8>().0.iter().map(|word| u64::from_ne_bytes(*word)).collect();
        let entry = words.chunks_exact(2).find(|pair| pair[0] == libc::AT_ENTRY).expect("it began")[1];
        let file = std::fs::read("/proc/self/exe").expect("its own");
        let wanted = u64::from_le_bytes(*file[24..].first_chunk().expect("`e_entry`, elf(5)"));
        assert_eq!(entry - wanted, bias);
    }
}
