//! The libraries that Python's packages bring with them: beside the interpreter, before a program loads one.
//!
//! A kernel takes ten milliseconds and more to put the first probe on a file (`percpu_down_write` waits for
//! RCU, kernel/events/uprobes.c), and a program that maps a library may have used it by then.

use crate::files::in_path;
use std::ffi::OsStr;
use std::fs;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// The most folders of packages that are looked through for one program, and names in each.
const MOST_FOLDERS: usize = 16;
const MOST_NAMES: usize = 1 << 14;
/// The most of a script that its first line takes, in bytes (`BINPRM_BUF_SIZE`,
/// include/uapi/linux/binfmts.h).
const MOST_FIRST_LINE: u64 = 256;
/// The most that is read of a process' environment, in bytes.
const MOST_ENVIRONMENT: u64 = 1 << 20;

/// The folders of packages of the Python that a process has executed, as that process sees them. `words`: its
/// command line, NUL-separated.
pub(super) fn of_process(pid: u32, words: &[u8]) -> Vec<PathBuf> {
    let first = words.split(|&byte| byte == 0).next().map(|word| Path::new(OsStr::from_bytes(word)));
    let Some(exe) = fs::read_link(format!("/proc/{pid}/exe")).ok().filter(|exe| is_python(exe)) else {
        return Vec::new();
    };
    // A virtual environment is told by the name under which its interpreter is called, or by its variable.
    let called = first.filter(|path| path.components().count() > 1 && is_python(path));
    let called = called.and_then(|path| Some(fs::read_link(format!("/proc/{pid}/cwd")).ok()?.join(path)));
    folders(pid, called.into_iter().chain([exe]), environment(pid))
}

/// The same for a command that forkscope is about to start: a Python, or a script that names one.
pub(super) fn of_command(program: &OsStr) -> Vec<PathBuf> {
    let Some(program) = found(program) else { return Vec::new() };
    let python = if is_python(&program) { Some(program) } else { interpreter(&program) };
    let Some(python) = python else { return Vec::new() };
    let exe = fs::canonicalize(&python).ok();
    let environment = std::env::var_os("VIRTUAL_ENV").map(PathBuf::from);
    folders(std::process::id(), [python].into_iter().chain(exe), environment)
}

fn is_python(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_bytes().starts_with(b"python"))
}

/// Where a command is: as execvp(3) looks for it.
fn found(program: &OsStr) -> Option<PathBuf> {
    if program.as_bytes().contains(&b'/') {
        return std::path::absolute(program).ok();
    }
    let path = std::env::var_os("PATH")?;
    in_path(program, &path).find(|path| path.is_file())
}

/// The Python that a script names in its first line, by its path.
fn interpreter(script: &Path) -> Option<PathBuf> {
    let mut start = Vec::new();
    fs::File::open(script).ok()?.take(MOST_FIRST_LINE).read_to_end(&mut start).ok()?;
    let line = start.strip_prefix(b"#!")?.split(|&byte| byte == b'\n').next()?;
    let word = line.trim_ascii().split(|&byte| byte == b' ').next()?;
    Some(PathBuf::from(OsStr::from_bytes(word))).filter(|path| is_python(path))
}

/// The folders of packages of interpreters and of a virtual environment.
fn folders(pid: u32, pythons: impl Iterator<Item = PathBuf>, environment: Option<PathBuf>) -> Vec<PathBuf> {
    let prefixes = pythons.filter_map(|path| Some(path.parent()?.parent()?.to_path_buf())).chain(environment);
    prefixes.flat_map(|prefix| below(pid, &prefix)).take(MOST_FOLDERS).collect()
}

/// `VIRTUAL_ENV` of a process' environment.
fn environment(pid: u32) -> Option<PathBuf> {
    let mut bytes = Vec::new();
    fs::File::open(format!("/proc/{pid}/environ"))
        .ok()?
        .take(MOST_ENVIRONMENT)
        .read_to_end(&mut bytes)
        .ok()?;
    let mut values = bytes.split(|&byte| byte == 0).filter_map(|entry| entry.strip_prefix(b"VIRTUAL_ENV="));
    values.next().map(|value| OsStr::from_bytes(value).into())
}

/// The folders of packages below an installation of Python.
fn below(pid: u32, prefix: &Path) -> Vec<PathBuf> {
    let is_python = |name: &OsStr| name.as_bytes().starts_with(b"python3");
    let libraries =
        ["lib", "lib64", "local/lib"].map(|lib| super::openssl::below_root(pid, &prefix.join(lib)));
    let versions =
        libraries.iter().filter_map(|lib| fs::read_dir(lib).ok()).flat_map(|lib| lib.take(MOST_NAMES));
    let versions = versions.flatten().filter(|entry| is_python(&entry.file_name())).map(|entry| entry.path());
    versions.flat_map(|path| ["site-packages", "dist-packages"].map(|name| path.join(name))).collect()
}

/// The files whose names begin so among the libraries that packages bring: in `PACKAGE.libs`,
/// as auditwheel lays them.
pub(super) fn bundled(folder: &Path, name: &str) -> Vec<PathBuf> {
    let entries = |path: &Path| fs::read_dir(path).into_iter().flat_map(|all| all.take(MOST_NAMES)).flatten();
    let folders = entries(folder).map(|entry| entry.path());
    let folders = folders.filter(|path| path.extension().is_some_and(|end| end == "libs"));
    let files = folders.flat_map(|path| entries(&path));
    files
        .filter(|file| file.file_name().as_bytes().starts_with(name.as_bytes()))
        .map(|file| file.path())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_of_packages_are_found() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let packages = directory.path().join("lib/python3.13/site-packages");
        let libs = packages.join("psycopg2_binary.libs");
        fs::create_dir_all(&libs).expect("own directory");
        fs::create_dir_all(packages.join("psycopg2")).expect("own directory");
        for path in [
            "psycopg2_binary.libs/libssl-fe1b61af.so.3",
            "psycopg2_binary.libs/libpq.so.5",
            "psycopg2/libssl.so",
        ] {
            fs::write(packages.join(path), "").expect("own directory");
        }
        let found: Vec<_> = below(std::process::id(), directory.path())
            .iter()
            .flat_map(|folder| bundled(folder, "libssl"))
            .collect();
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].ends_with("psycopg2_binary.libs/libssl-fe1b61af.so.3"));
        assert_eq!(of_process(std::process::id(), b"python3\0"), Vec::<PathBuf>::new(), "this is no Python");
    }

    #[test]
    fn commands_lead_to_their_python() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = |name: &str| directory.path().join(name);
        fs::create_dir_all(path("bin")).expect("own directory");
        fs::create_dir_all(path("lib/python3.13/site-packages")).expect("own directory");
        let line = format!("#!{}\nimport this\n", path("bin/python3").display());
        for (name, content) in [("bin/python3", ""), ("bin/gunicorn", &line), ("bin/sh", "#!/bin/sh -e\n")] {
            fs::write(path(name), content).expect("own directory");
        }
        let packages = path("lib/python3.13/site-packages");
        let leads = |name: &str| {
            of_command(path(name).as_os_str())
                .iter()
                .any(|folder| folder.ends_with(packages.strip_prefix("/").expect("absolute")))
        };
        let told: Vec<_> =
            ["bin/python3", "bin/gunicorn", "bin/sh", "bin/missing"].iter().map(|name| leads(name)).collect();
        assert_eq!(told, [true, true, false, false]);
    }
}
