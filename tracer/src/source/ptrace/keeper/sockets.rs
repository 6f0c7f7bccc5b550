//! What the sockets of a traced process are: each is borrowed for a moment and asked.

use super::Context;
use forkscope_proto::net::{SOCK_STREAM, TCP_CLOSE, TCP_ESTABLISHED, TCP_LISTEN, peer_has_ended};
use forkscope_proto::{FileKind, FileRef, Header, Kind, Socket};
use nix::errno::Errno;
use nix::sys::stat::fstat;
use rustc_hash::FxHashMap;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::fs::MetadataExt;

/// Sockets that are remembered as described; beyond that all are described once more.
const MOST_KNOWN: usize = 1 << 16;

/// The sockets that were described, by inode: whether they may still become connected.
#[derive(Debug, Default)]
pub(super) struct Known(FxHashMap<u64, bool>);

impl Known {
    fn is_settled(&self, inode: u64) -> bool {
        self.0.get(&inode).is_some_and(|may_change| !may_change)
    }

    fn remember(&mut self, socket: &Socket, connected: bool) {
        if self.0.len() >= MOST_KNOWN {
            self.0.clear();
        }
        let streams = socket.kind == SOCK_STREAM;
        let may_change = streams && !connected && socket.state != TCP_LISTEN;
        // One that was connected is no longer when it was reset: that is its end.
        let was_settled = self.is_settled(socket.file.inode);
        self.0.insert(socket.file.inode, may_change && !was_settled);
    }
}

impl Context<'_> {
    /// Describes the socket behind a number, if it is one that was not described yet,
    /// or may have changed since.
    pub(super) fn meet(&mut self, fd: i32, file: &FileRef) {
        if file.kind() == FileKind::Socket && !self.keeper.sockets.is_settled(file.inode) {
            self.describe(fd, file, &[]);
        }
    }

    /// Describes once more the socket behind a number that is about to be closed, if its peer has ended its
    /// side meanwhile: the process may know it by poll(2) alone. Whether others hold it is not known here.
    pub(super) fn meet_end(&mut self, fd: i32, file: &FileRef) {
        if file.kind() == FileKind::Socket
            && let Ok(socket) = borrow(self.tid, self.tgid, fd)
            && tcp_state(&socket).is_some_and(peer_has_ended)
        {
            drop(socket);
            self.describe(fd, file, &[]);
        }
    }

    /// Describes the socket behind a number. `towards` is the address that it was told to connect to: while
    /// that goes on the socket itself does not tell.
    pub(super) fn describe(&mut self, fd: i32, file: &FileRef, towards: &[u8]) {
        let Ok(socket) = borrow(self.tid, self.tgid, fd) else { return };
        // The number may be another file's meanwhile, where threads share a table.
        if fstat(&socket).map_or(0, |stat| stat.st_ino) != file.inode {
            return;
        }
        let number = |name| option::<i32>(&socket, libc::SOL_SOCKET, name).unwrap_or(0) as u16;
        let family = number(libc::SO_DOMAIN);
        let own = address(&socket, libc::getsockname);
        let peer = address(&socket, libc::getpeername);
        let connected = peer.is_some();
        let peer = peer.unwrap_or_else(|| Named::of(towards));
        let own = own.unwrap_or_default();
        let mut record = Socket {
            header: Header { kind: Kind::Socket as u16, ..self.header(0) },
            file: *file,
            cookie: option::<u64>(&socket, libc::SOL_SOCKET, libc::SO_COOKIE).unwrap_or(0),
            family,
            kind: number(libc::SO_TYPE),
            protocol: number(libc::SO_PROTOCOL),
            state: state(&socket, connected),
            netns: std::fs::metadata(format!("/proc/{}/ns/net", self.tid))
                .map_or(0, |data| data.ino() as u32),
            ..Socket::default()
        };
        let path = match i32::from(family) {
            libc::AF_INET | libc::AF_INET6 => {
                (record.local, record.local_port) = own.inet();
                (record.remote, record.remote_port) = peer.inet();
                &[][..]
            }
            libc::AF_UNIX => Some(own.path()).filter(|path| !path.is_empty()).unwrap_or_else(|| peer.path()),
            _ => &[],
        };
        record.header.payload = path.len() as u32;
        self.keeper.out.record(&record, path);
        self.keeper.sockets.remember(&record, connected);
    }
}

/// A copy of a process' descriptor (pidfd_getfd(2), since Linux 5.6), to be closed at once: as long as it
/// is open, so is the socket.
fn borrow(tid: i32, tgid: u32, fd: i32) -> nix::Result<OwnedFd> {
    /// `PIDFD_THREAD` (pidfd_open(2), since Linux 6.9): a thread may have a table of its own, or
    /// have outlived its leader.
    const THREAD: i32 = libc::O_EXCL;
    // SAFETY: no memory is passed; what the kernel returns is a new descriptor that nobody else owns.
    let owned =
        |result: libc::c_long| Errno::result(result).map(|fd| unsafe { OwnedFd::from_raw_fd(fd as i32) });
    // SAFETY: as above.
    let process = match owned(unsafe { libc::syscall(libc::SYS_pidfd_open, tid, THREAD) }) {
        Ok(thread) => thread,
        // SAFETY: as above.
        Err(_) => owned(unsafe { libc::syscall(libc::SYS_pidfd_open, tgid, 0) })?,
    };
    // SAFETY: as above.
    owned(unsafe { libc::syscall(libc::SYS_pidfd_getfd, process.as_raw_fd(), fd, 0) })
}

/// A socket's option, where it has it.
fn option<T: Copy + Default>(socket: &OwnedFd, level: i32, name: i32) -> Option<T> {
    let mut value = T::default();
    let mut length = size_of::<T>() as libc::socklen_t;
    // SAFETY: the value has room for its length, and both outlive the call; callers ask for numbers only.
    let result = unsafe {
        libc::getsockopt(socket.as_raw_fd(), level, name, (&raw mut value).cast(), &raw mut length)
    };
    (result == 0).then_some(value)
}

/// What state a socket of TCP is in.
fn tcp_state(socket: &OwnedFd) -> Option<u16> {
    // The first byte of `struct tcp_info` (include/uapi/linux/tcp.h).
    option::<u8>(socket, libc::IPPROTO_TCP, libc::TCP_INFO).map(u16::from)
}

/// What state a socket is in, as the kernel numbers them for every family.
fn state(socket: &OwnedFd, connected: bool) -> u16 {
    if let Some(state) = tcp_state(socket) {
        return state;
    }
    match option::<i32>(socket, libc::SOL_SOCKET, libc::SO_ACCEPTCONN) {
        Some(1..) => TCP_LISTEN,
        _ if connected => TCP_ESTABLISHED,
        _ => TCP_CLOSE,
    }
}

/// An address as the kernel writes it: family, then what the family makes of it.
#[derive(Clone, Copy, Debug)]
struct Named {
    bytes: [u8; size_of::<libc::sockaddr_storage>()],
    length: usize,
}

impl Default for Named {
    fn default() -> Self {
        Self { bytes: [0; size_of::<libc::sockaddr_storage>()], length: 0 }
    }
}

impl Named {
    fn of(bytes: &[u8]) -> Self {
        let mut named = Self::default();
        named.length = bytes.len().min(named.bytes.len());
        named.bytes[..named.length].copy_from_slice(&bytes[..named.length]);
        named
    }

    /// Address and port: of `sockaddr_in` (ip(7)) or `sockaddr_in6` (ipv6(7)), or none.
    fn inet(&self) -> ([u8; 16], u16) {
        let mut ip = [0; 16];
        match i32::from(u16::from_ne_bytes([self.bytes[0], self.bytes[1]])) {
            libc::AF_INET if self.length >= 8 => ip[..4].copy_from_slice(&self.bytes[4..8]),
            libc::AF_INET6 if self.length >= 24 => ip.copy_from_slice(&self.bytes[8..24]),
            _ => return (ip, 0),
        }
        (ip, u16::from_be_bytes([self.bytes[2], self.bytes[3]]))
    }

    /// The path of `sockaddr_un` (unix(7)), a NUL before an abstract one.
    fn path(&self) -> &[u8] {
        let path = self.bytes.get(2..self.length).unwrap_or_default();
        match path.first() {
            None | Some(0) => path,
            Some(_) => path.split(|&byte| byte == 0).next().unwrap_or_default(),
        }
    }
}

type Ask = unsafe extern "C" fn(i32, *mut libc::sockaddr, *mut libc::socklen_t) -> i32;

fn address(socket: &OwnedFd, ask: Ask) -> Option<Named> {
    let mut storage = MaybeUninit::<libc::sockaddr_storage>::zeroed();
    let mut length = size_of::<libc::sockaddr_storage>() as libc::socklen_t;
    // SAFETY: the storage has room for its length, and both outlive the call.
    let result = unsafe { ask(socket.as_raw_fd(), storage.as_mut_ptr().cast(), &raw mut length) };
    // SAFETY: all its bytes were zero before the call, and every byte is plain.
    let bytes = unsafe { storage.as_ptr().cast::<[u8; size_of::<libc::sockaddr_storage>()]>().read() };
    (result == 0).then(|| Named::of(&bytes[..bytes.len().min(length as usize)]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream};
    use std::os::unix::net::UnixStream;

    #[test]
    fn sockets_tell_what_they_are() {
        for ip in ["127.0.0.1:0", "[::1]:0"] {
            let listener = OwnedFd::from(TcpListener::bind(ip).expect("a port"));
            let bound = address(&listener, libc::getsockname).expect("bound").inet();
            let stream = TcpStream::connect(
                TcpListener::from(listener.try_clone().expect("a copy")).local_addr().expect("bound"),
            );
            let stream = OwnedFd::from(stream.expect("it listens"));
            assert_eq!(address(&stream, libc::getpeername).expect("connected").inet(), bound);
            assert_eq!((state(&listener, false), state(&stream, true)), (TCP_LISTEN, TCP_ESTABLISHED));
            assert!(address(&listener, libc::getpeername).is_none());
        }
        let (one, _other) = UnixStream::pair().expect("a pair");
        let one = OwnedFd::from(one);
        assert_eq!(address(&one, libc::getpeername).expect("connected").path(), b"");
        assert_eq!(state(&one, true), TCP_ESTABLISHED);
        assert_eq!(option::<i32>(&one, libc::SOL_SOCKET, libc::SO_DOMAIN), Some(libc::AF_UNIX));
    }

    #[test]
    fn names_are_read() {
        let unix = |path: &[u8]| Named::of(&[&1_u16.to_ne_bytes(), path].concat()).path().to_vec();
        assert_eq!(unix(b"/a path\0rest"), b"/a path");
        assert_eq!(unix(b"\0abstract"), b"\0abstract");
        assert_eq!(unix(b""), b"");
        assert_eq!(Named::of(&[2, 0, 1]).inet(), ([0; 16], 0));
    }
}
