//! What a process has loaded and set, as far as it matters for advice.

use super::library::{self, Library};
use super::{at_most, process, to_io};
use crate::model::Facts;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};

/// The only environment variables that are ever kept: others may be secrets.
const SETTINGS: [&str; 5] = [
    "GRPC_ENABLE_FORK_SUPPORT",
    "GRPC_POLL_STRATEGY",
    "GRPC_DNS_RESOLVER",
    "OBJC_DISABLE_INITIALIZE_FORK_SAFETY",
    "PGSSLMODE",
];

/// The most that is read of a process' mappings, in bytes: 65,530 mappings are the kernel's usual limit.
const MOST_MAPS: u64 = 16 << 20;
/// The most that is read of its environment, in bytes.
const MOST_ENVIRONMENT: u64 = 1 << 20;
/// The most that is kept of one setting, in bytes.
const MOST_SETTING: usize = 256;
/// The most names that are looked at in a folder of packages.
const MOST_PACKAGES: usize = 1 << 14;

/// Looks up a process' program, libraries and settings. The environment is the one that its program was
/// started with: what it has set itself since, /proc does not show.
///
/// # Errors
/// Where the process does not exist or may not be looked at.
pub fn facts(pid: u32) -> io::Result<Facts> {
    let exe = process(pid)?.exe().map_err(to_io)?;
    let exe = undeleted(&exe.to_string_lossy()).to_owned();
    let mut facts = Facts::default();
    let maps = File::open(format!("/proc/{pid}/maps"))?.take(MOST_MAPS);
    each_file(BufReader::with_capacity(1 << 16, maps), |path| {
        if let Some(found) = library::library(path)
            && !facts.libraries.contains_key(found.name)
        {
            let version = found.version.clone().or_else(|| version_beside(pid, path, &found));
            facts.libraries.insert(found.name.to_owned(), (version, path.to_owned()));
        }
    })?;
    if let Some(python) = library::interpreter(&exe) {
        facts.libraries.entry(python.name.to_owned()).or_insert((python.version, exe.clone()));
    }
    facts.exe = Some(exe);
    let environment = at_most(MOST_ENVIRONMENT, &format!("/proc/{pid}/environ")).unwrap_or_default();
    facts.environment.extend(settings(&environment));
    Ok(facts)
}

/// Goes through the files of a list of mappings (proc_pid_maps(5)), whose parts follow each other.
fn each_file(mut maps: impl BufRead, mut file: impl FnMut(&str)) -> io::Result<()> {
    let (mut line, mut last) = (Vec::new(), Vec::new());
    while maps.read_until(b'\n', &mut line)? > 0 {
        if let Some(path) = path_in(&line).filter(|&path| path != last) {
            last.clear();
            last.extend_from_slice(path);
            file(undeleted(&String::from_utf8_lossy(path)));
        }
        line.clear();
    }
    Ok(())
}

/// The path of a mapping: the first thing in its line that begins with a slash.
fn path_in(line: &[u8]) -> Option<&[u8]> {
    let start = line.iter().position(|&byte| byte == b'/')?;
    line[start..].strip_suffix(b"\n").or(Some(&line[start..]))
}

/// A path without the note that its file is gone.
fn undeleted(path: &str) -> &str {
    path.strip_suffix(" (deleted)").unwrap_or(path)
}

/// The version of a library that came with a Python package, from the metadata beside the package, as the
/// process sees it: its root may be another one.
fn version_beside(pid: u32, path: &str, library: &Library) -> Option<String> {
    if library.packages.is_empty() {
        return None;
    }
    let folder = packages_folder(path)?;
    let entries = fs::read_dir(format!("/proc/{pid}/root{folder}")).ok()?;
    entries
        .take(MOST_PACKAGES)
        .flatten()
        .find_map(|entry| library::version_of(entry.file_name().to_str()?, library.packages))
}

/// The folder of Python packages that a file is in.
fn packages_folder(path: &str) -> Option<&str> {
    ["/site-packages/", "/dist-packages/"]
        .into_iter()
        .find_map(|folder| Some(&path[..path.rfind(folder)? + folder.len() - 1]))
}

/// The settings that matter, of an environment.
fn settings(environment: &[u8]) -> impl Iterator<Item = (String, String)> {
    environment.split(|&byte| byte == 0).filter_map(|entry| {
        let equals = entry.iter().position(|&byte| byte == b'=')?;
        let name = SETTINGS.into_iter().find(|name| name.as_bytes() == &entry[..equals])?;
        let value = &entry[equals + 1..];
        let value = String::from_utf8_lossy(&value[..value.len().min(MOST_SETTING)]);
        Some((name.to_owned(), value.into_owned()))
    })
}

#[cfg(test)]
mod tests;
