//! Probes on OpenSSL's functions, in each file of it that traced processes have mapped.

use super::EbpfError;
use super::library::Library;
use super::load::explain;
use super::wheels;
use crate::source::proc::{self, MappedFile};
use aya::Ebpf;
use aya::programs::uprobe::{UProbe, UProbeScope};
use aya::programs::{ProgramError, UProbeError};
use forkscope_proto::{Exec, Header, Kind, LibraryMapped};
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use zerocopy::FromBytes;

/// Each probed function: the program at its entry, and whether all versions have it. The `_ex`
/// forms are of OpenSSL 1.1.1.
const FUNCTIONS: [(&str, &str, bool); 6] = [
    ("SSL_write", "forkscope_ssl_write", true),
    ("SSL_read", "forkscope_ssl_read", true),
    ("SSL_write_ex", "forkscope_ssl_write_ex", false),
    ("SSL_read_ex", "forkscope_ssl_read_ex", false),
    ("SSL_do_handshake", "forkscope_ssl_handshake", true),
    ("SSL_shutdown", "forkscope_ssl_shutdown", true),
];

/// The program at their returns.
const RETURN: &str = "forkscope_ssl_return";

/// How the names of OpenSSL's files begin.
const NAME: &str = "libssl";

/// Where distributions keep it. Probes are on these before any program starts; others get
/// them when they are mapped.
const FOLDERS: [&str; 8] = [
    "/lib/x86_64-linux-gnu",
    "/usr/lib/x86_64-linux-gnu",
    "/lib64",
    "/usr/lib64",
    "/lib",
    "/usr/lib",
    "/usr/local/lib",
    "/usr/local/lib64",
];

/// The most files that are probed: each costs descriptors.
const MOST_FILES: usize = 64;
/// The most folders of packages that are looked through.
const MOST_FOLDERS: usize = 256;
/// The most files that are remembered because they are not probed.
const MOST_NAMES: usize = 1024;

/// Which files have been looked at, whatever came of it.
#[derive(Default)]
pub(super) struct Openssl {
    known: BTreeSet<(String, u64)>,
    /// Those that are not probed, and how processes that have mapped them call them.
    failed: BTreeSet<(String, u64)>,
    unprobed: BTreeSet<PathBuf>,
    /// Folders of packages that have been looked through: device and inode.
    folders: BTreeSet<(u64, u64)>,
    /// There are more files than are probed.
    is_full: bool,
    has_installed: bool,
    notes: Vec<String>,
}

impl Openssl {
    /// With `everything` probes are put on what all processes have mapped, else when
    /// there is a process to trace.
    pub(super) fn start(programs: &mut Ebpf, everything: bool) -> Self {
        let release =
            nix::sys::utsname::uname().ok().and_then(|uname| uname.release().to_str().map(str::to_owned));
        let notes = release.as_deref().and_then(danger).into_iter().collect();
        let mut openssl = Self { notes, ..Self::default() };
        for pid in everything.then(proc::all).into_iter().flatten() {
            openssl.look_at(programs, pid);
        }
        openssl
    }

    /// Puts probes on the files of OpenSSL that a process has mapped, where they have none. One that
    /// has ended is no failure.
    pub(super) fn look_at(&mut self, programs: &mut Ebpf, pid: u32) {
        self.look_where_installed(programs);
        for MappedFile { identity, path, link } in proc::mapped_files(pid, NAME).unwrap_or_default() {
            if !self.known.contains(&identity) {
                // The link takes privileges that the path does not; the path may be another file's by now.
                let library = Library::open(&link).or_else(|_| Library::open(&below_root(pid, &path)));
                match library {
                    Ok(library) => self.probe(programs, identity.clone(), &library, &path),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => self.give_up(identity.clone(), &path, &error.to_string()),
                }
            }
            if self.failed.contains(&identity) && self.unprobed.len() < MOST_NAMES {
                self.unprobed.insert(path);
            }
        }
    }

    /// Puts probes on the files of OpenSSL that distributions install, once.
    fn look_where_installed(&mut self, programs: &mut Ebpf) {
        if !std::mem::replace(&mut self.has_installed, true) {
            installed().for_each(|path| self.probe_file(programs, &path));
        }
    }

    /// Puts probes on the files of OpenSSL that the packages of a Python bring, which a process has just
    /// executed. `words`: its command line, NUL-separated.
    pub(super) fn look_beside(&mut self, programs: &mut Ebpf, pid: u32, words: &[u8]) {
        self.look_through(programs, wheels::of_process(pid, words));
    }

    /// The same for a command that forkscope is about to start.
    pub(super) fn foresee(&mut self, programs: &mut Ebpf, program: &OsStr) {
        self.look_where_installed(programs);
        self.look_through(programs, wheels::of_command(program));
    }

    fn look_through(&mut self, programs: &mut Ebpf, folders: Vec<PathBuf>) {
        for folder in folders {
            if !self.is_new(&folder) {
                continue;
            }
            for path in wheels::bundled(&folder, NAME) {
                self.probe_file(programs, &path);
            }
        }
    }

    /// Whether a folder is there and has not been looked through, under this name or another:
    /// each process has its own.
    fn is_new(&mut self, folder: &Path) -> bool {
        let data = fs::metadata(folder).ok().filter(|_| self.folders.len() < MOST_FOLDERS);
        data.is_some_and(|data| self.folders.insert((data.dev(), data.ino())))
    }

    /// What is there and is no regular file, nobody can map.
    fn probe_file(&mut self, programs: &mut Ebpf, path: &Path) {
        let Ok(library) = Library::open(path) else { return };
        if let Ok(identity) = library.identity() {
            self.probe(programs, identity, &library, path);
        }
    }

    fn probe(&mut self, programs: &mut Ebpf, identity: (String, u64), library: &Library, name: &Path) {
        if self.has_room(&identity)
            && self.known.insert(identity.clone())
            && let Err(answer) = attach_all(programs, library)
        {
            self.give_up(identity, name, &answer);
        }
    }

    /// Whether one more file may be probed; says it once where not.
    fn has_room(&mut self, identity: &(String, u64)) -> bool {
        if self.known.len() < MOST_FILES || self.known.contains(identity) {
            return true;
        }
        if !std::mem::replace(&mut self.is_full, true) {
            self.notes.push(format!(
                "there are more than {MOST_FILES} files of OpenSSL, and forkscope probes no more: what the programs of the \
                 others say inside TLS is not seen"
            ));
        }
        if self.failed.len() < MOST_NAMES {
            self.failed.insert(identity.clone());
        }
        false
    }

    /// A file is not probed, or not whole.
    fn give_up(&mut self, identity: (String, u64), name: &Path, answer: &str) {
        if self.has_room(&identity) {
            self.known.insert(identity.clone());
            self.failed.insert(identity);
            let name = name.display();
            self.notes.push(format!(
                "cannot probe OpenSSL in {name}: {answer}; what its programs say inside TLS is not seen"
            ));
        }
    }

    /// The files that processes have mapped and that are not probed, by their paths as those see them.
    pub(super) fn unprobed(&self) -> Vec<String> {
        self.unprobed.iter().map(|path| path.to_string_lossy().into_owned()).collect()
    }

    /// Takes what users should know.
    pub(super) fn take_notes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notes)
    }
}

/// What users should know where the kernel has `uretprobe(2)`, since Linux 6.11, and does not let it pass
/// each filter of system calls, as it does since 6.14 (`__secure_computing`, kernel/seccomp.c).
fn danger(release: &str) -> Option<String> {
    let mut numbers =
        release.split(|c: char| !c.is_ascii_digit()).map_while(|number| number.parse::<u32>().ok());
    let version = (numbers.next()?, numbers.next()?);
    ((6, 11)..(6, 14)).contains(&version).then(|| {
        format!(
            "on Linux {release} a program that has a filter of system calls (seccomp) may be ended when it uses OpenSSL \
             while that is probed, unless the kernel has the fix of 6.14: leave out --tls-plaintext where such run"
        )
    })
}

/// Loads the programs.
pub(super) fn load(programs: &mut Ebpf) -> Result<(), EbpfError> {
    FUNCTIONS.map(|(_, name, _)| name).into_iter().chain([RETURN]).try_for_each(|name| {
        program(programs, name).and_then(UProbe::load).map_err(|error| explain(name, error))
    })
}

/// What a record says that matters here.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// Nothing: it is an event.
    None,
    /// This process has mapped OpenSSL. It is no event.
    Mapped(u32),
    /// This process has executed a program, with this command line, NUL-separated and maybe cut.
    Executed(u32, Vec<u8>),
}

/// Reads the word in a record.
pub(super) fn word(record: &[u8]) -> Word {
    let Ok((header, _)) = Header::read_from_prefix(record) else { return Word::None };
    match (header.kind, Kind::from_number(header.kind)) {
        (LibraryMapped::KIND, _) => Word::Mapped(header.tgid),
        (_, Some(Kind::Exec)) => {
            let words = record.get(size_of::<Exec>()..).unwrap_or_default();
            Word::Executed(header.tgid, words[..words.len().min(header.payload as usize)].to_vec())
        }
        _ => Word::None,
    }
}

/// Puts a probe on a function that hardly any program calls, and takes it off again.
pub(super) fn try_probe(programs: &mut Ebpf) -> Result<(), EbpfError> {
    let tried = program(programs, RETURN).and_then(|program| {
        let link = program.attach("strfry", "libc", UProbeScope::CallingProcess)?;
        program.detach(link)
    });
    tried.map_err(|error| explain(RETURN, error))
}

fn program<'a>(programs: &'a mut Ebpf, name: &str) -> Result<&'a mut UProbe, ProgramError> {
    programs.program_mut(name).ok_or(ProgramError::NotLoaded)?.try_into()
}

/// Puts probes on all functions of a file.
fn attach_all(programs: &mut Ebpf, library: &Library) -> Result<(), String> {
    let offsets = library.offsets(&FUNCTIONS.map(|(function, ..)| function));
    let (offsets, path) = (offsets.map_err(|error| error.to_string())?, library.path());
    for (function, at_entry, always) in FUNCTIONS {
        match offsets.get(function) {
            Some(&offset) => [at_entry, RETURN]
                .into_iter()
                .try_for_each(|name| attach(programs, name, offset, &path))
                .map_err(|error| format!("{function}: {}", reason(&error)))?,
            None if always => return Err(format!("it has no {function}")),
            None => {}
        }
    }
    Ok(())
}

fn attach(programs: &mut Ebpf, name: &str, offset: u64, path: &Path) -> Result<(), ProgramError> {
    program(programs, name)?.attach(offset, path, UProbeScope::AllProcesses).map(|_| ())
}

/// The files of OpenSSL where distributions keep them.
fn installed() -> impl Iterator<Item = PathBuf> {
    let entries = FOLDERS.into_iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten().flatten();
    let is_it = |name: &str| name.starts_with(NAME) && name.contains(".so.");
    entries.filter(move |entry| entry.file_name().to_str().is_some_and(is_it)).map(|entry| entry.path())
}

/// A path as a process sees it, whose root may be another one.
pub(super) fn below_root(pid: u32, path: &Path) -> PathBuf {
    Path::new(&format!("/proc/{pid}/root")).join(path.strip_prefix("/").unwrap_or(path))
}

/// What the system answered, in the fewest words.
fn reason(error: &ProgramError) -> String {
    match error {
        // `perf_uprobe_event_init`, kernel/events/core.c: beside what loading the programs takes.
        ProgramError::SyscallError(error) if error.io_error.kind() == io::ErrorKind::PermissionDenied => {
            "that takes root, or CAP_SYS_ADMIN".to_owned()
        }
        ProgramError::SyscallError(error) => error.io_error.to_string(),
        ProgramError::UProbeError(UProbeError::FileError { io_error, .. }) => io_error.to_string(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use zerocopy::IntoBytes;

    #[test]
    fn words_are_read() {
        let header = |kind| Header { kind, tgid: 7, ..Header::default() };
        assert_eq!(word(header(LibraryMapped::KIND).as_bytes()), Word::Mapped(7));
        assert_eq!(word(header(Kind::Plaintext as u16).as_bytes()), Word::None);
        assert_eq!(word(b"short"), Word::None);
        let exec = Exec { header: Header { payload: 3, ..header(Kind::Exec as u16) }, ..Exec::default() };
        assert_eq!(word(exec.as_bytes()), Word::Executed(7, Vec::new()));
        assert_eq!(word(&[exec.as_bytes(), b"a\0b\0"].concat()), Word::Executed(7, b"a\0b".to_vec()));
        assert!(NAME.as_bytes().starts_with(&LibraryMapped::NAME));
    }

    #[test]
    fn kernels_whose_filters_stop_a_probe_are_told() {
        for (release, told) in [
            ("6.10.11-amd64", false),
            ("6.11.0", true),
            ("6.12.48+deb13-cloud-amd64", true),
            ("6.13.3", true),
            ("6.14.0-rc1", false),
            ("6.18.44-fc-v657", false),
            ("5.10.0", false),
            ("6", false),
            ("", false),
        ] {
            assert_eq!(danger(release).is_some(), told, "{release}");
        }
    }

    #[test]
    fn a_folder_is_looked_through_once_whoever_has_it() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let mut openssl = Openssl::default();
        assert!(openssl.is_new(directory.path()));
        assert!(!openssl.is_new(directory.path()));
        assert!(!openssl.is_new(&below_root(std::process::id(), directory.path())));
        assert!(!openssl.is_new(&directory.path().join("missing")));
    }

    #[test]
    fn files_that_are_not_probed_are_told_and_those_past_the_limit_once() {
        let mut openssl = Openssl::default();
        let identity = |number| ("fe:00".to_owned(), number);
        openssl.give_up(identity(0), Path::new("/lib/libssl.so.3"), "it has no SSL_read");
        assert!(openssl.notes[0].contains("/lib/libssl.so.3: it has no SSL_read"), "{:?}", openssl.notes);
        (1..MOST_FILES as u64).for_each(|number| assert!(openssl.known.insert(identity(number))));
        assert!(openssl.has_room(&identity(5)), "it has its place");
        assert!(!openssl.has_room(&identity(1000)) && !openssl.has_room(&identity(1001)));
        assert!(openssl.notes.len() == 2 && openssl.notes[1].contains("more than 64"), "{:?}", openssl.notes);
        let failed: Vec<u64> = openssl.failed.iter().map(|(_, inode)| *inode).collect();
        assert_eq!(failed, [0, 1000, 1001]);
    }

    #[test]
    fn a_path_is_below_its_process_root() {
        assert_eq!(
            below_root(7, Path::new("/usr/lib/libssl.so.3")),
            Path::new("/proc/7/root/usr/lib/libssl.so.3")
        );
    }
}
