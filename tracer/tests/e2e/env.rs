//! What the tests need from this machine: root, Debian's servers, two Pythons. Missing things skip a test
//! aloud, or fail it where `CI=true`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// `setup.sh` says so when all is there but a Python 3.8.
const NO_PYTHON_38: i32 = 3;

/// What was set up.
#[derive(Debug)]
pub(crate) struct Env {
    cache: PathBuf,
    python_38: bool,
}

impl Env {
    /// The environment, made once; `None` says aloud that this test is skipped, and why.
    pub(crate) fn get() -> Option<&'static Self> {
        static ENV: OnceLock<Result<Env, String>> = OnceLock::new();
        match ENV.get_or_init(set_up) {
            Ok(env) => Some(env),
            Err(why) => skip(why),
        }
    }

    /// As [`Env::get`], with Python 3.8.
    pub(crate) fn with_python_38() -> Option<&'static Self> {
        Self::get().filter(|env| env.python_38 || skip("no Python 3.8, see setup.sh").unwrap_or(false))
    }

    /// The Python with grpcio 1.28.1.
    pub(crate) fn old_python(&self) -> PathBuf {
        self.cache.join("py38/bin/python")
    }

    /// The Python with grpcio 1.49.1.
    pub(crate) fn python_with_grpc_1_49(&self) -> PathBuf {
        self.cache.join("grpc-1.49/bin/python")
    }

    /// The Python with the newest of everything.
    pub(crate) fn python(&self) -> PathBuf {
        self.cache.join("py3/bin/python")
    }
}

/// Says that a test is skipped, or fails it in CI.
pub(crate) fn skip<T>(why: &str) -> Option<T> {
    assert!(std::env::var("CI").as_deref() != Ok("true"), "cannot run in CI: {why}");
    eprintln!("SKIPPED: {why}");
    None
}

/// Path of a test program in Python.
pub(crate) fn program(name: &str) -> PathBuf {
    source("tests/programs").join(name)
}

/// Path of a test program in Rust: an example of this package, built here because
/// `cargo test --test` does not.
pub(crate) fn example(name: &str) -> PathBuf {
    static BUILT: OnceLock<()> = OnceLock::new();
    BUILT.get_or_init(|| {
        let mut build = Command::new(env!("CARGO"));
        build.args([
            "build",
            "--quiet",
            "--package",
            "forkscope",
            "--example",
            "storm",
            "--example",
            "scripted",
            "--example",
            "turmoil",
            "--example",
            "ordeal",
            "--example",
            "inherited",
            "--example",
            "first_socket",
            "--example",
            "panics_on_screen",
        ]);
        let status = build.current_dir(source("")).status().expect("cargo runs");
        assert!(status.success(), "the examples build");
    });
    target().join("examples").join(name)
}

/// The binary under test.
pub(crate) fn forkscope() -> PathBuf {
    // Not `env!`: it would not compile in a tree whose binary is not there yet.
    option_env!("CARGO_BIN_EXE_forkscope").map_or_else(|| target().join("forkscope"), PathBuf::from)
}

/// A copy of a program in a folder where every user may run it and write: the build may lie below a folder of
/// root's.
pub(crate) fn open_copy(program: &Path, folder: &Path) -> PathBuf {
    let copy = folder.join(program.file_name().expect("a file"));
    fs::copy(program, &copy).expect("a copy of the binary");
    fs::set_permissions(folder, fs::Permissions::from_mode(0o777)).expect("own folder");
    copy
}

fn source(below: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(below)
}

/// Where this build's binaries are: this test's is in `deps` there.
fn target() -> PathBuf {
    let own = std::env::current_exe().expect("own path");
    own.ancestors().nth(2).expect("target directory, deps, this").to_path_buf()
}

fn set_up() -> Result<Env, String> {
    if !nix::unistd::geteuid().is_root() {
        return Err("tracing needs root; run the tests as root".to_owned());
    }
    // Beside the profiles' directories, so that they share it.
    let cache = target().parent().expect("the target directory").join("e2e");
    let status = Command::new(source("tests/e2e/setup.sh")).arg(&cache).status();
    match status.map(|status| status.code()) {
        Ok(Some(0)) => Ok(Env { cache, python_38: true }),
        Ok(Some(NO_PYTHON_38)) => Ok(Env { cache, python_38: false }),
        other => Err(format!("setup.sh did not do its work: {other:?}; what it said stands above")),
    }
}
