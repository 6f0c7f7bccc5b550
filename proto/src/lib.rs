//! What crosses the ring buffer between forkscope's kernel side and its user side.
//!
//! One Rust type per record, used by both sides; sizes and alignment are asserted when compiled.
//! Everything here is `no_std`, allocates nothing and is plain data: a record read from hostile or
//! damaged bytes is either refused by its length or is a valid value.
#![no_std]
#![forbid(unsafe_code)]

pub mod arguments;
pub mod call;
pub mod calls;
pub mod config;
pub mod file;
pub mod header;
pub mod io;
pub mod net;
pub mod plaintext;
pub mod process;
pub mod socket;
pub mod spec;
pub mod stack;

pub use call::{Call, Passed, PassedFd};
pub use config::{CAST, Config, LOST_SLOTS, Mark, Offsets, Types};
pub use file::{FileKind, FileRef};
pub use header::{Header, Kind};
pub use io::{Io, UringIo};
pub use plaintext::{Act, LibraryMapped, Plaintext};
pub use process::{Exec, Exit, Fork};
pub use socket::Socket;
pub use spec::{Capture, Enter, Gate, Produces, Shape, Spec};
pub use stack::{Stack, StackAt};

/// Asserts the size of a record when compiled: both sides and every recording rely on it.
macro_rules! layout {
    ($type:ty, $size:expr) => {
        const _: () = assert!(size_of::<$type>() == $size && align_of::<$type>() == 8);
    };
}
pub(crate) use layout;
