//! What programs hand to OpenSSL and get from it, before it is encrypted and after it was decrypted.

use crate::FileRef;
use crate::header::Header;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// What a call of OpenSSL does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u16)]
pub enum Act {
    /// `SSL_do_handshake`, which `SSL_connect` and `SSL_accept` are, too (SSL_do_handshake(3)).
    Handshake = 0,
    /// `SSL_read`, `SSL_read_ex` (SSL_read(3)).
    Read = 1,
    /// `SSL_write`, `SSL_write_ex` (SSL_write(3)).
    Write = 2,
    /// `SSL_shutdown`: sends close_notify, or waits for the peer's (SSL_shutdown(3)).
    Shutdown = 3,
}

impl Act {
    /// The act with this number, if there is one.
    #[must_use]
    pub const fn from_number(number: u16) -> Option<Self> {
        match number {
            0 => Some(Self::Handshake),
            1 => Some(Self::Read),
            2 => Some(Self::Write),
            3 => Some(Self::Shutdown),
            _ => None,
        }
    }

    /// The function's name, without `_ex`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Handshake => "SSL_do_handshake",
            Self::Read => "SSL_read",
            Self::Write => "SSL_write",
            Self::Shutdown => "SSL_shutdown",
        }
    }
}

/// One call of OpenSSL that has returned; the first bytes of the plaintext follow as payload.
///
/// What a call sends comes before the system calls that carry it, so its head has the time at
/// which it began. The head of one that reads has the time at which it returned. The head's call
/// is the system call on `file`.
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Plaintext {
    /// The head.
    pub header: Header,
    /// The socket on which the call sent or received. Nothing: it did neither, since OpenSSL's own buffer
    /// sufficed, or since the program carries the bytes itself (a memory BIO, BIO_s_mem(3)).
    pub file: FileRef,
    /// The TLS session within the process: the address of its `SSL` object.
    pub session: u64,
    /// Bytes, where bytes moved; else what the call returned: 1 or more is success.
    pub ret: i64,
    /// The descriptor of `file`; -1: none.
    pub fd: i32,
    /// An [`Act`] as its number.
    pub act: u16,
    /// [`Plaintext::SENT`], [`Plaintext::RECEIVED`].
    pub flags: u16,
}

impl Plaintext {
    /// The call sent something on `file`.
    pub const SENT: u16 = 1;
    /// The last thing that the call did on `file` was to receive bytes.
    pub const RECEIVED: u16 = 2;

    /// Whether the peer has ended the session, by close_notify or a fatal alert: bytes were received, and
    /// with them the end. An error of this side sends an alert, and where too little has come the last
    /// receive has brought nothing.
    #[must_use]
    pub const fn is_end(act: u16, ret: i64, flags: u16) -> bool {
        act == Act::Read as u16 && ret == 0 && flags == Self::RECEIVED
    }

    /// What the call does; `None`: nothing that is known.
    #[must_use]
    pub const fn act(&self) -> Option<Act> {
        Act::from_number(self.act)
    }
}

/// The kernel side's word to the source that a process has mapped a file named `libssl…` to execute it: only
/// the head, whose kind is [`LibraryMapped::KIND`]. It is no event.
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct LibraryMapped {
    /// The head.
    pub header: Header,
}

impl LibraryMapped {
    /// No number of a [`crate::Kind`].
    pub const KIND: u16 = 0x100;
    /// How the names of the files begin.
    pub const NAME: [u8; 6] = *b"libssl";
}

crate::layout!(Plaintext, 80);
crate::layout!(LibraryMapped, 32);

const _: () = assert!(crate::Kind::from_number(LibraryMapped::KIND).is_none());
