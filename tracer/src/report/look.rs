//! What one look through /proc adds to a report: the state of things at that moment,
//! and guesses marked as such.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A socket's state when it was looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SocketNow {
    /// Its state, for example `established`, `close-wait` or `listen`.
    pub state: String,
    /// Bytes that came and that nobody has read; of a listener, the connections that nobody has
    /// accepted. Null: not known.
    pub receive_queue: Option<u64>,
    /// Bytes that were sent and not yet taken by the other side; of a listener, how many connections
    /// may wait. Null: not known.
    pub send_queue: Option<u64>,
}

/// Who probably opened something that was there before anybody looked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CreatorGuess {
    /// The process.
    pub pid: u32,
    /// What the guess rests on.
    pub why: String,
}

/// What a connection probably speaks, though none of its bytes was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProtocolGuess {
    /// The protocol.
    pub name: String,
    /// What the guess rests on: a port, a path, or the program that listens.
    pub why: String,
}

/// A thread when it was looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Thread {
    /// Its number.
    pub tid: u32,
    /// Its name.
    pub comm: String,
    /// Its state, for example `running`, `sleeping` or `stopped`.
    pub state: String,
    /// What it waits for; null: it runs, or that may not be seen.
    pub waits: Option<Wait>,
}

/// What a thread waits for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Wait {
    /// The system call that it is in; null: that may not be seen, or it is in none.
    pub syscall: Option<String>,
    /// The descriptors that the call names. For `poll` those in its list, as far as they could be read.
    pub fds: Vec<i32>,
    /// The connections behind these, by id.
    pub connections: Vec<u32>,
    /// The other files behind these, by id.
    pub files: Vec<u32>,
    /// The function of the kernel that it sleeps in (`/proc/PID/wchan`), where that may be seen.
    pub wchan: Option<String>,
}

/// A file that is no connection, and that more than one process holds or a thread waits on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SharedFile {
    /// Number in this report, from 1.
    pub id: u32,
    /// What it is.
    pub kind: SharedKind,
    /// Its inode; null: it has none of its own.
    pub inode: Option<u64>,
    /// The address that it is bound to, as [`super::Connection::local`] writes it.
    pub address: Option<String>,
    /// The state of a socket.
    pub now: Option<SocketNow>,
    /// An eventfd's counter.
    pub counter: Option<u64>,
    /// What an epoll instance watches.
    pub watches: Vec<Watch>,
    /// The file that is its other end, by id.
    pub peer: Option<u32>,
    /// Who probably opened it.
    pub creator_guess: Option<CreatorGuess>,
    /// Each descriptor for it.
    pub holders: Vec<FileHolder>,
}

/// What a shared file is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SharedKind {
    /// A listening socket.
    Listener,
    /// A socket that is no connected stream.
    #[default]
    Socket,
    /// An epoll instance.
    Epoll,
    /// An eventfd.
    Eventfd,
    /// A pipe, with both its ends.
    Pipe,
}

/// One process' hold on a file, by one descriptor.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FileHolder {
    /// The process.
    pub pid: u32,
    /// The descriptor.
    pub fd: i32,
    /// Holders of one file with the same number here hold one open file; null: it
    /// could not be asked (kcmp(2)).
    pub open_file: Option<u32>,
    /// The end of a pipe that it is: `read`, `write`, or `both`; null for other files.
    pub end: Option<String>,
}

/// A descriptor that an epoll instance watches: the number under which it was registered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Watch {
    /// The number.
    pub fd: i32,
    /// The inode of the file that was registered, where the kernel tells.
    pub inode: Option<u64>,
    /// The connection that it is, by id.
    pub connection: Option<u32>,
}

impl SharedKind {
    /// The word that users read.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Listener => "listener",
            Self::Socket => "socket",
            Self::Epoll => "epoll",
            Self::Eventfd => "eventfd",
            Self::Pipe => "pipe",
        }
    }
}
