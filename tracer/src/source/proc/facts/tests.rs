//! What lists and environments tell, and what they must not.

use super::*;
use proptest::prelude::*;

#[test]
fn only_settings_that_matter_are_kept() {
    let environment = b"SECRET=x\0GRPC_ENABLE_FORK_SUPPORT=0\0GRPC_SECRET=y\0odd\0=\0\xff=1\0PGSSLMODE=a=b";
    let kept: Vec<_> = settings(environment).collect();
    let expected = [("GRPC_ENABLE_FORK_SUPPORT", "0"), ("PGSSLMODE", "a=b")];
    assert_eq!(kept, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
}

#[test]
fn each_mapped_file_is_told_once_in_a_row() {
    let maps = "7f-80 r--p 00000000 fe:00 12    /usr/lib/libssl.so.3\n\
                80-81 r-xp 00001000 fe:00 12    /usr/lib/libssl.so.3\n\
                81-82 rw-p 00000000 00:00 0 \n\
                82-83 rw-p 00000000 00:00 0     [heap]\n\
                83-84 r--p 00000000 fe:00 13    /a b/libpq.so.5 (deleted)";
    let mut found = Vec::new();
    each_file(maps.as_bytes(), |path| found.push(path.to_owned())).expect("in memory");
    assert_eq!(found, ["/usr/lib/libssl.so.3", "/a b/libpq.so.5"]);
}

#[test]
fn packages_are_looked_for_where_the_library_is() {
    for (path, expected) in [
        ("/v/lib/python3.8/site-packages/grpc/_cython/cygrpc.so", Some("/v/lib/python3.8/site-packages")),
        ("/usr/lib/python3/dist-packages/grpc/cygrpc.so", Some("/usr/lib/python3/dist-packages")),
        ("/usr/lib/cygrpc.so", None),
    ] {
        assert_eq!(packages_folder(path), expected, "{path}");
    }
}

#[test]
fn a_package_beside_the_library_tells_its_version() {
    let folder = tempfile::tempdir().expect("a folder");
    let packages = folder.path().join("site-packages");
    fs::create_dir_all(packages.join("grpcio-1.28.1.dist-info")).expect("made");
    fs::create_dir_all(packages.join("grpcio_tools-9.dist-info")).expect("made");
    let path = packages.join("grpc/_cython/cygrpc.cpython-38-x86_64-linux-gnu.so");
    let path = path.to_str().expect("text");
    let library = library::library(path).expect("grpc");
    assert_eq!(version_beside(std::process::id(), path, &library).as_deref(), Some("1.28.1"));
}

#[test]
fn the_program_of_this_test_is_told() {
    let own = facts(std::process::id()).expect("lives");
    let exe = std::env::current_exe().expect("known");
    assert_eq!(own.exe.as_deref(), exe.to_str());
    assert!(own.environment.keys().all(|name| SETTINGS.contains(&name.as_str())));
    assert!(facts(u32::MAX).is_err());
}

proptest! {
    #[test]
    fn no_bytes_are_a_panic(bytes: Vec<u8>) {
        settings(&bytes).count();
        each_file(&bytes[..], |path| { packages_folder(path); }).expect("in memory");
    }
}
