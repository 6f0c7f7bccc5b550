//! Each case runs on each backend; the recording of either must say the same.

use std::fmt;

/// How the kernel's side is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Backend {
    Ebpf,
    Ptrace,
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ebpf => "ebpf",
            Self::Ptrace => "ptrace",
        })
    }
}

/// Makes of each case, a function of a backend, one test for each backend.
macro_rules! on_each_backend {
    ($($case:ident)*) => {
        mod ebpf {
            $(#[test] fn $case() { super::$case($crate::ways::Backend::Ebpf); })*
        }
        mod ptrace {
            $(#[test] fn $case() { super::$case($crate::ways::Backend::Ptrace); })*
        }
    };
}
pub(crate) use on_each_backend;
