//! The files that are mapped into processes: found, and the tables read that unwinding takes.

use super::maps::Region;
use crate::event::ProcKey;
use object::elf::{FileHeader64, PF_X, PT_LOAD};
use object::read::elf::{ElfFile, FileHeader as _, ProgramHeader as _};
use object::{Endianness, Object as _, ObjectSection as _, ReadCache, ReadRef};
use rustc_hash::FxHashMap;
use std::fs::{File, OpenOptions};
use std::ops::Range;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::rc::Rc;

/// The most files that are open.
const MOST_FILES: usize = 256;
/// The longest table that is read, in bytes.
const MOST_TABLE: u64 = 64 << 20;

/// What makes a file the same: device, inode and path, as mappings say them.
type Name = (Rc<str>, u64, Rc<str>);

/// Files that were looked at; those that cannot be read as well.
#[derive(Default)]
pub(super) struct Files(FxHashMap<Name, Option<Rc<Elf>>>);

/// A program or library.
#[derive(Debug)]
pub(super) struct Elf {
    file: File,
    /// Of each segment with code: where in the file it lies, and at which address it wants to be.
    segments: Vec<(Range<u64>, u64)>,
    pub(super) tables: Tables,
}

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

impl Files {
    /// The file of a mapping, opened while its process lives or where it still lies.
    pub(super) fn of(&mut self, process: ProcKey, region: &Region) -> Option<Rc<Elf>> {
        let path = region.path.as_ref().filter(|path| path.starts_with('/'))?;
        let name = (region.device.clone(), region.inode, path.clone());
        if let Some(known) = self.0.get(&name) {
            return known.clone();
        }
        let elf = open(process, region, path).and_then(Elf::read).map(Rc::new);
        if self.0.len() < MOST_FILES {
            self.0.insert(name, elf.clone());
        }
        elf
    }
}

/// Through the process as it sees the file, else by the path. What lies there by now must be the same file.
fn open(process: ProcKey, region: &Region, path: &str) -> Option<File> {
    let pid = process.tgid;
    let mapped = format!("/proc/{pid}/map_files/{:x}-{:x}", region.start, region.end);
    let candidates = [mapped, format!("/proc/{pid}/root{path}"), path.to_owned()];
    candidates.iter().find_map(|candidate| {
        // A pipe or a device under that name must not make forkscope wait.
        let flags = libc::O_NONBLOCK | libc::O_NOCTTY;
        let file = OpenOptions::new().read(true).custom_flags(flags).open(candidate).ok()?;
        let data = file.metadata().ok()?;
        let inode = std::os::unix::fs::MetadataExt::ino(&data);
        (data.is_file() && inode == region.inode).then_some(file)
    })
}

impl Elf {
    fn read(file: File) -> Option<Self> {
        let cache = ReadCache::new(file.try_clone().ok()?);
        let elf: ElfFile<'_, FileHeader64<Endianness>, _> = ElfFile::parse(&cache).ok()?;
        let endian = elf.endian();
        let mut segments = Vec::new();
        for header in elf.elf_header().program_headers(endian, &cache).ok()? {
            // A page of the file may be mapped twice: with the end of one segment, and with the code that begins there.
            if header.p_type(endian) == PT_LOAD && header.p_flags(endian).0 & PF_X.0 != 0 {
                let (offset, size) = header.file_range(endian);
                segments.push((offset..offset.saturating_add(size), header.p_vaddr(endian)));
            }
        }
        let tables = Tables {
            text: range(&elf, ".text"),
            got: range(&elf, ".got"),
            eh_frame: section(&elf, ".eh_frame"),
            eh_frame_hdr: section(&elf, ".eh_frame_hdr"),
        };
        Some(Self { file, segments, tables })
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

fn section<'a, R: ReadRef<'a>>(elf: &ElfFile<'a, FileHeader64<Endianness>, R>, name: &str) -> Section {
    let range = range(elf, name)?;
    let section = elf.section_by_name(name).filter(|section| section.size() <= MOST_TABLE)?;
    Some((range, section.data().ok()?.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::proc;
    use crate::stacks::maps::Maps;

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
