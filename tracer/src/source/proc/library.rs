//! Libraries that matter for advice, told by the names of their files.

/// A library, as far as its file's path tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Library {
    /// Its name in reports.
    pub(super) name: &'static str,
    /// Its version, where the path has it.
    pub(super) version: Option<String>,
    /// The Python packages that may have brought it: their metadata has the version.
    pub(super) packages: &'static [&'static str],
}

/// How a library's file is told.
struct Sign {
    name: &'static str,
    /// How the file's name begins: up to the `.so`, a version, or the hash of a bundled copy.
    file: &'static str,
    /// Its number after `.so` is the version that users know.
    numbered: bool,
    packages: &'static [&'static str],
}

const fn sign(name: &'static str, file: &'static str) -> Sign {
    Sign { name, file, numbered: false, packages: &[] }
}

const SIGNS: [Sign; 17] = [
    Sign { packages: &["grpcio"], ..sign("grpc", "cygrpc") },
    // The number of libgrpc.so is that of its binary interface, not gRPC's version.
    sign("grpc", "libgrpc"),
    sign("grpc", "grpc_c"),
    sign("grpc", "grpc_node"),
    Sign { packages: &["psycopg2", "psycopg2_binary"], ..sign("psycopg2", "_psycopg") },
    Sign { numbered: true, ..sign("libpq", "libpq") },
    Sign { numbered: true, ..sign("libssl", "libssl") },
    Sign { numbered: true, ..sign("libmysqlclient", "libmysqlclient") },
    Sign { numbered: true, ..sign("libmariadb", "libmariadb") },
    Sign { numbered: true, ..sign("hiredis", "libhiredis") },
    Sign { packages: &["hiredis"], ..sign("hiredis", "hiredis") },
    sign("librdkafka", "librdkafka"),
    Sign { packages: &["pymongo"], ..sign("pymongo", "_cmessage") },
    // Their numbers are those of their binary interfaces.
    sign("libuv", "libuv"),
    sign("libev", "libev"),
    sign("libevent", "libevent"),
    sign("python", "libpython"),
];

/// The library that a mapped file is, if it is one that matters.
pub(super) fn library(path: &str) -> Option<Library> {
    let file = path.rsplit('/').next()?;
    let (stem, number) = split(file)?;
    let sign = SIGNS.iter().find(|sign| is(stem, sign))?;
    let version = match sign.name {
        "python" => leading_version(stem.strip_prefix("libpython")?),
        // Ruby's packages have it in the name of their folder.
        "grpc" => path.split('/').find_map(|part| leading_version(part.strip_prefix("grpc-")?)),
        _ => number.filter(|_| sign.numbered).and_then(leading_version),
    };
    Some(Library { name: sign.name, version, packages: sign.packages })
}

/// Python, by the name of a program like `python3.8`.
pub(super) fn interpreter(exe: &str) -> Option<Library> {
    let version = leading_version(exe.rsplit('/').next()?.strip_prefix("python")?)?;
    Some(Library { name: "python", version: Some(version), packages: &[] })
}

/// The version in the name of a package's metadata: `grpcio-1.28.1.dist-info`, `grpcio-1.51.1.egg-info`,
/// `grpcio-1.51.1-py3.11.egg-info`.
pub(super) fn version_of(entry: &str, packages: &[&str]) -> Option<String> {
    let text = entry.strip_suffix(".dist-info").or_else(|| entry.strip_suffix(".egg-info"))?;
    let (package, rest) = text.split_once('-')?;
    let version =
        rest.split('-').next().filter(|version| version.starts_with(|c: char| c.is_ascii_digit()))?;
    packages.contains(&package).then(|| version.to_owned())
}

/// What stands before the `.so` of a shared object, or the `.node` of one for Node.js, and its number.
fn split(file: &str) -> Option<(&str, Option<&str>)> {
    if let Some(stem) = file.strip_suffix(".node").or_else(|| file.strip_suffix(".so")) {
        return Some((stem, None));
    }
    file.split_once(".so.").map(|(stem, number)| (stem, Some(number)))
}

/// Whether a file's name is a sign's and no longer word: `libpq` and `libpq-<hash>`, not `libpqwalreceiver`.
fn is(stem: &str, sign: &Sign) -> bool {
    stem.strip_prefix(sign.file)
        .is_some_and(|rest| sign.name == "python" || !rest.starts_with(|c: char| c.is_ascii_alphanumeric()))
}

/// The digits and dots at the front.
fn leading_version(text: &str) -> Option<String> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let version = text[..end].trim_end_matches('.');
    version.starts_with(|c: char| c.is_ascii_digit()).then(|| version.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn libraries_are_told_by_their_files() {
        for (path, expected) in [
            ("/v/site-packages/grpc/_cython/cygrpc.cpython-38-x86_64-linux-gnu.so", Some(("grpc", None))),
            ("/usr/lib/libgrpc.so.29.0.0", Some(("grpc", None))),
            ("/usr/lib/libuv.so.1.0.0", Some(("libuv", None))),
            ("/usr/lib/libev.so.4.0.0", Some(("libev", None))),
            ("/usr/lib/libevent_core-2.1.so.7.0.1", Some(("libevent", None))),
            ("/app/node_modules/grpc/src/node/extension_binary/grpc_node.node", Some(("grpc", None))),
            (
                "/gems/grpc-1.50.0-x86_64-linux/src/ruby/lib/grpc/3.1/grpc_c.so",
                Some(("grpc", Some("1.50.0"))),
            ),
            ("/v/site-packages/psycopg2/_psycopg.cpython-313-x86_64-linux-gnu.so", Some(("psycopg2", None))),
            ("/v/psycopg2_binary.libs/libpq-f521cc7d.so.5.17", Some(("libpq", Some("5.17")))),
            ("/usr/lib/libpq.so.5", Some(("libpq", Some("5")))),
            ("/usr/lib/postgresql/15/lib/libpqwalreceiver.so", None),
            ("/usr/lib/libssl.so.3", Some(("libssl", Some("3")))),
            ("/v/x.libs/libssl-81ffa89e.so.1.1", Some(("libssl", Some("1.1")))),
            ("/usr/lib/libssl3.so", None),
            ("/usr/lib/libmysqlclient.so.21.2.36", Some(("libmysqlclient", Some("21.2.36")))),
            ("/usr/lib/libmariadb.so.3", Some(("libmariadb", Some("3")))),
            ("/usr/lib/libhiredis.so.1.1.0", Some(("hiredis", Some("1.1.0")))),
            ("/v/site-packages/hiredis/hiredis.cpython-313-x86_64-linux-gnu.so", Some(("hiredis", None))),
            ("/v/confluent_kafka.libs/librdkafka-3d1f36a5.so.1", Some(("librdkafka", None))),
            ("/v/site-packages/pymongo/_cmessage.cpython-313-x86_64-linux-gnu.so", Some(("pymongo", None))),
            ("/usr/lib/libpython3.8.so.1.0", Some(("python", Some("3.8")))),
            ("/usr/lib/libpython3.so", Some(("python", Some("3")))),
            ("/usr/lib/libc.so.6", None),
            ("/opt/libssl", None),
            ("", None),
        ] {
            let found = library(path);
            let found = found.as_ref().map(|found| (found.name, found.version.as_deref()));
            assert_eq!(found, expected, "{path}");
        }
    }

    #[test]
    fn versions_are_told_by_names() {
        for (exe, expected) in [
            ("/usr/bin/python3.8", Some("3.8")),
            ("/usr/bin/python3.13t", Some("3.13")),
            ("/usr/bin/python3", Some("3")),
            ("/usr/bin/python", None),
            ("/usr/bin/perl", None),
        ] {
            assert_eq!(interpreter(exe).and_then(|found| found.version).as_deref(), expected, "{exe}");
        }
        for (entry, expected) in [
            ("grpcio-1.28.1.dist-info", Some("1.28.1")),
            ("grpcio-1.51.1-py3.11.egg-info", Some("1.51.1")),
            ("grpcio-1.52.0rc1.dist-info", Some("1.52.0rc1")),
            ("grpcio_tools-1.28.1.dist-info", None),
            ("grpcio-tools-1.28.1.dist-info", None),
            ("grpcio-.dist-info", None),
            ("grpcio-1.28.1", None),
        ] {
            assert_eq!(version_of(entry, &["grpcio"]).as_deref(), expected, "{entry}");
        }
    }

    proptest! {
        #[test]
        fn no_name_is_a_panic(name: String, sign in 0..SIGNS.len(), end in 0..4_usize) {
            let end = ["", ".so", ".so.", ".dist-info"][end];
            let name = format!("{}{name}{end}", SIGNS[sign].file);
            library(&name);
            interpreter(&name);
            version_of(&name, &["grpcio"]);
        }
    }
}
