//! What a socket is.

use crate::kernel::{Access, read};
use crate::maps::{SEEN, SOCKET, Seen};
use crate::ring::emit;
use crate::settings::offset;
use crate::traced::Me;
use crate::words::clear;
use aya_ebpf::helpers::generated::bpf_probe_read_kernel;
use core::mem::offset_of;
use forkscope_proto::net::{AF_INET, AF_INET6, AF_UNIX, IPPROTO_TCP, SOCK_STREAM};
use forkscope_proto::{Config, FileKind, FileRef, Kind, Socket};

/// Describes a socket to user space and remembers that it did. Returns what [`Seen::tcp`] is of it.
#[inline(never)]
pub fn introduce<A: Access>(file: u64, inode: u64, number: u64) -> u64 {
    let (Some(me), Some(room)) = (Me::<A>::known(), SOCKET.get_ptr_mut(0)) else { return 0 };
    // SAFETY: the scratch is this CPU's own while the program runs.
    let room = unsafe { &mut *room };
    let sk: u64 = read(read::<u64>(file, offset!(file_private_data)), offset!(socket_sk));
    let socket = &mut room.record;
    socket.file = FileRef { file, inode: number, kind: FileKind::Socket as u8, ..FileRef::NONE };
    socket.cookie = read(sk, offset!(sock_cookie));
    socket.peer = 0;
    socket.family = read(sk, offset!(sock_family));
    socket.kind = read(sk, offset!(sock_type));
    socket.protocol = read(sk, offset!(sock_protocol));
    socket.state = u16::from(read::<u8>(sk, offset!(sock_state)));
    socket.netns = read(read::<u64>(sk, offset!(sock_net)), offset!(net_inum));
    socket.local_port = 0;
    socket.remote_port = 0;
    clear(addresses(socket));
    let family = socket.family;
    let tcp = socket.kind == SOCK_STREAM && socket.protocol == IPPROTO_TCP;
    let mut path = 0;
    if family == AF_INET || family == AF_INET6 {
        socket.local_port = read(sk, offset!(sock_num));
        socket.remote_port = u16::from_be(read(sk, offset!(sock_dport)));
        if family == AF_INET {
            let (local, remote): ([u8; 4], [u8; 4]) =
                (read(sk, offset!(sock_rcv_saddr)), read(sk, offset!(sock_daddr)));
            socket.local[..4].copy_from_slice(&local);
            socket.remote[..4].copy_from_slice(&remote);
        } else {
            socket.local = read(sk, offset!(sock_v6_rcv_saddr));
            socket.remote = read(sk, offset!(sock_v6_daddr));
        }
    } else if family == AF_UNIX {
        let peer: u64 = read(sk, offset!(unix_peer));
        if peer != 0 {
            socket.peer = inode_of(peer);
        }
        path = path_of(sk, &mut room.payload);
        if path == 0 && peer != 0 {
            path = path_of(peer, &mut room.payload);
        }
    }
    let path = path.min(Config::MOST_DETAIL as u32);
    room.record.header = me.header(Kind::Socket, 0, path);
    let tcp = if tcp { sk } else { 0 };
    if emit((&raw const *room).cast(), size_of::<Socket>() + path as usize, Kind::Socket) {
        let _ = SEEN.insert(file, Seen { inode_address: inode, inode: number, tcp }, 0);
    }
    tcp
}

/// Both addresses, as words.
#[inline(always)]
fn addresses(socket: &mut Socket) -> &mut [u64; 4] {
    const _: () = assert!(offset_of!(Socket, remote) == offset_of!(Socket, local) + 16);
    const _: () = assert!(offset_of!(Socket, local) % align_of::<u64>() == 0);
    // SAFETY: they follow each other within the record, where a `u64` may be.
    unsafe { &mut *(&raw mut *socket).byte_add(offset_of!(Socket, local)).cast() }
}

/// Inode number of the socket that a `struct sock` belongs to, 0 if it has none any more.
#[inline(always)]
fn inode_of(sk: u64) -> u64 {
    let file: u64 = read(read::<u64>(sk, offset!(sock_socket)), offset!(socket_file));
    read(read::<u64>(file, offset!(file_f_inode)), offset!(inode_i_ino))
}

/// Copies the path that a unix socket is bound to; returns its length.
#[inline(always)]
fn path_of(sk: u64, to: &mut [u8; Config::MOST_DETAIL]) -> u32 {
    /// `sun_path` comes after the family (unix(7)).
    const FAMILY: u32 = 2;
    let address: u64 = read(sk, offset!(unix_addr));
    if address == 0 {
        return 0;
    }
    let length: u32 = read::<u32>(address, offset!(unix_address_len)).saturating_sub(FAMILY);
    let length = length.min(108);
    let from = address + u64::from(offset!(unix_address_name)) + u64::from(FAMILY);
    // SAFETY: the target has room for the longest path (108 bytes).
    let failed = unsafe { bpf_probe_read_kernel(to.as_mut_ptr().cast(), length, from as *const _) };
    if failed == 0 { length } else { 0 }
}
