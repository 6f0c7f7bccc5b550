//! What a process has loaded and set, as far as it matters for advice.

use super::{process, to_io};
use crate::model::Facts;
use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read};
use std::path::Path;

/// The only environment variables that are ever looked at: others may be secrets.
const SETTINGS: [&str; 5] = [
    "GRPC_ENABLE_FORK_SUPPORT",
    "GRPC_POLL_STRATEGY",
    "GRPC_DNS_RESOLVER",
    "OBJC_DISABLE_INITIALIZE_FORK_SAFETY",
    "PGSSLMODE",
];

/// Libraries that matter: a part of the file's name, and the name in reports.
const LIBRARIES: [(&str, &str); 9] = [
    ("cygrpc", "grpc"),
    ("libgrpc.so", "grpc"),
    ("grpc_node", "grpc"),
    ("_psycopg", "psycopg2"),
    ("libpq", "libpq"),
    ("libssl", "libssl"),
    ("libmysqlclient", "libmysqlclient"),
    ("libmariadb", "libmariadb"),
    ("libpython", "python"),
];

/// The most that is read of a process' mappings or environment, in bytes.
const MOST: u64 = 4 << 20;

/// Looks up a process' program, libraries and settings.
///
/// # Errors
/// Where the process does not exist or may not be looked at.
pub fn facts(pid: u32) -> io::Result<Facts> {
    let exe = process(pid)?.exe().map_err(to_io)?.to_string_lossy().into_owned();
    let mut facts = Facts { exe: Some(exe), ..Facts::default() };
    let maps = read(&format!("/proc/{pid}/maps"))?;
    for path in paths(&String::from_utf8_lossy(&maps)) {
        if let Some(name) = library(path) {
            let version = version_in_name(path).or_else(|| version_beside(pid, path));
            facts.libraries.entry(name.to_owned()).or_insert((version, path.to_owned()));
        }
    }
    if let Some(version) = facts.exe.as_deref().and_then(python_version) {
        let path = facts.exe.clone().unwrap_or_default();
        facts.libraries.entry("python".to_owned()).or_insert((Some(version), path));
    }
    let environment = read(&format!("/proc/{pid}/environ")).unwrap_or_default();
    facts.environment.extend(settings(&environment));
    Ok(facts)
}

fn read(path: &str) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(MOST).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The files of a mappings list (proc_pid_maps(5)), each once.
fn paths(maps: &str) -> BTreeSet<&str> {
    maps.lines().filter_map(|line| line.find('/').map(|at| &line[at..])).collect()
}

fn library(path: &str) -> Option<&'static str> {
    let file = path.rsplit('/').next()?;
    if !file.contains(".so") && !file.contains(".node") {
        return None;
    }
    LIBRARIES.into_iter().find(|(part, _)| file.starts_with(part)).map(|(_, name)| name)
}

/// The version in `libssl.so.3` or `libpq-aaaa.so.5.16`.
fn version_in_name(path: &str) -> Option<String> {
    let version = path.rsplit_once(".so.")?.1;
    version.starts_with(|first: char| first.is_ascii_digit()).then(|| version.to_owned())
}

/// The version in `python3.8`.
fn python_version(exe: &str) -> Option<String> {
    let version = exe.rsplit('/').next()?.strip_prefix("python")?;
    version.starts_with(|first: char| first.is_ascii_digit()).then(|| version.to_owned())
}

/// The version of a Python package, from the `NAME-VERSION.dist-info` beside it.
fn version_beside(pid: u32, path: &str) -> Option<String> {
    let packages = &path[..path.find("/site-packages/").or_else(|| path.find("/dist-packages/"))?];
    let name = if path.contains("/grpc/") { "grpcio-" } else { "psycopg2" };
    let folder = path[packages.len() + 1..].split('/').next()?;
    let seen_by_it = format!("/proc/{pid}/root{packages}/{folder}");
    fs::read_dir(Path::new(&seen_by_it)).ok()?.flatten().find_map(|entry| {
        let entry = entry.file_name();
        let package = entry.to_str()?.strip_suffix(".dist-info")?;
        package.starts_with(name).then(|| package.rsplit('-').next().unwrap_or_default().to_owned())
    })
}

/// The settings that matter, of an environment.
fn settings(environment: &[u8]) -> impl Iterator<Item = (String, String)> {
    environment.split(|&byte| byte == 0).filter_map(|entry| {
        let (name, value) = std::str::from_utf8(entry).ok()?.split_once('=')?;
        SETTINGS.contains(&name).then(|| (name.to_owned(), value.to_owned()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_are_told_by_their_file_names() {
        let lib = "/v/lib/python3.8/site-packages";
        for (path, expected, version) in [
            (&*format!("{lib}/grpc/_cython/cygrpc.cpython-38-x86_64-linux-gnu.so"), Some("grpc"), None),
            (&*format!("{lib}/psycopg2_binary.libs/libpq-ab12.so.5.16"), Some("libpq"), Some("5.16")),
            ("/usr/lib/libssl.so.3", Some("libssl"), Some("3")),
            ("/usr/lib/libc.so.6", None, Some("6")),
            ("/opt/libssl", None, None),
        ] {
            assert_eq!(library(path), expected, "{path}");
            assert_eq!(version_in_name(path).as_deref(), version, "{path}");
        }
        assert_eq!(python_version("/usr/bin/python3.8").as_deref(), Some("3.8"));
        assert_eq!(python_version("/usr/bin/perl"), None);
    }

    #[test]
    fn only_settings_that_matter_are_kept() {
        let environment = b"SECRET=x\0GRPC_ENABLE_FORK_SUPPORT=0\0odd\0\xff=1\0";
        let kept: Vec<_> = settings(environment).collect();
        assert_eq!(kept, [("GRPC_ENABLE_FORK_SUPPORT".to_owned(), "0".to_owned())]);
    }
}
