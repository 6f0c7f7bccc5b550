//! A library that is to be probed: opened once, and its functions found in it alone.

use crate::source::proc;
use object::elf::FileHeader64;
use object::read::elf::ElfFile;
use object::{Endianness, Object as _, ObjectSegment as _, ObjectSymbol as _, ReadCache, SymbolKind};
use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// The longest file that is read, in bytes: OpenSSL's have one MiB. Tables are read whole.
const MOST: u64 = 64 << 20;

/// An open file.
#[derive(Debug)]
pub(super) struct Library(File);

impl Library {
    /// # Errors
    /// Where there is no regular file, or it may not be read.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        proc::open_regular(path).map(Self)
    }

    /// Its device as /proc writes it, and its inode.
    pub(super) fn identity(&self) -> io::Result<(String, u64)> {
        let data = self.0.metadata()?;
        let device = format!("{:02x}:{:02x}", libc::major(data.dev()), libc::minor(data.dev()));
        Ok((device, data.ino()))
    }

    /// A path under which it can be found while it is open, whatever lies under its name by now.
    pub(super) fn path(&self) -> PathBuf {
        format!("/proc/self/fd/{}", self.0.as_raw_fd()).into()
    }

    /// Where in the file those of these functions begin that it has. Files that it names are not looked at.
    ///
    /// # Errors
    /// Where it cannot be read, or is no library of this machine.
    pub(super) fn offsets(&self, names: &[&'static str]) -> io::Result<BTreeMap<&'static str, u64>> {
        if self.0.metadata()?.len() > MOST {
            return Err(io::Error::other("it is longer than libraries are"));
        }
        let cache = ReadCache::new(self.0.try_clone()?);
        let elf: ElfFile<'_, FileHeader64<Endianness>, _> =
            ElfFile::parse(&cache).map_err(io::Error::other)?;
        let mut found = BTreeMap::new();
        for symbol in elf.dynamic_symbols().chain(elf.symbols()) {
            let name = symbol.name().ok().and_then(|name| names.iter().find(|wanted| **wanted == name));
            let Some(name) = name.filter(|_| symbol.is_definition() && symbol.kind() == SymbolKind::Text)
            else {
                continue;
            };
            let offset = elf.segments().find_map(|segment| {
                let (start, size) = segment.file_range();
                let into = symbol.address().checked_sub(segment.address()).filter(|&into| into < size)?;
                start.checked_add(into)
            });
            if let Some(offset) = offset {
                found.entry(*name).or_insert(offset);
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_found_where_the_file_has_them() {
        let own = proc::mapped_files(std::process::id(), "libc.so").expect("it lives");
        let library = Library::open(&own[0].path).expect("it is there");
        let offsets = library.offsets(&["strfry", "no_such_function"]).expect("it is a library");
        assert_eq!(offsets.keys().collect::<Vec<_>>(), [&"strfry"]);
        // A function's first bytes, in memory and in the file.
        let bytes = std::fs::read(library.path()).expect("it is there");
        let maps = std::fs::read_to_string("/proc/self/maps").expect("its own");
        let code =
            maps.lines().find(|line| line.contains("libc.so") && line.contains("r-xp")).expect("mapped");
        let words: Vec<&str> = code.split_ascii_whitespace().collect();
        let number = |text: &str| u64::from_str_radix(text, 16).expect("hexadecimal");
        let start = number(words[0].split('-').next().expect("a range"));
        let offset = offsets["strfry"];
        let mut memory = [0; 16];
        let own = File::open("/proc/self/mem").expect("its own");
        std::os::unix::fs::FileExt::read_exact_at(&own, &mut memory, start + offset - number(words[2]))
            .expect("it is mapped");
        assert_eq!(memory, bytes[offset as usize..][..16]);
    }

    #[test]
    fn what_is_no_library_is_an_error() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("libssl.so.3");
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).expect("own directory");
        assert!(Library::open(&path).is_err(), "it waits for nobody");
        std::fs::remove_file(&path).expect("own directory");
        std::fs::write(&path, "no library").expect("own directory");
        assert!(Library::open(&path).expect("it is a file").offsets(&["SSL_read"]).is_err());
        File::create(&path).and_then(|file| file.set_len(MOST + 1)).expect("own directory");
        assert!(Library::open(&path).expect("it is a file").offsets(&["SSL_read"]).is_err());
    }
}
