//! Where things are, from the workspace's root.

use std::env;
use std::path::{Path, PathBuf};

/// The kernel side's object, as it is kept in the tree and embedded for users.
pub(crate) const KEPT_OBJECT: &str = "tracer-ebpf/forkscope-ebpf.o";
/// The kernel side's object as last built here, kept or not.
pub(crate) const BUILT_OBJECT: &str = "target/ebpf/forkscope-ebpf.o";

/// A path under the workspace's root.
pub(crate) fn at(relative: impl AsRef<Path>) -> PathBuf {
    root().join(relative)
}

/// The workspace's root. Cargo names this package's folder when it runs it; a copy run by hand uses the
/// folder that it was compiled in.
pub(crate) fn root() -> PathBuf {
    let package = env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    package.parent().map_or_else(|| package.clone(), Path::to_path_buf)
}
