//! The maps that several parts use.

use aya_ebpf::bindings::BPF_F_MMAPABLE;
use aya_ebpf::macros::map;
use aya_ebpf::maps::{Array, HashMap, LruHashMap, PerCpuArray, RingBuf};
use forkscope_proto::{Call, Config, FileRef, Io, LOST_SLOTS, Passed, Socket, Stack};

/// Records on their way to user space. The size here is a default; user space sets it when loading.
#[map]
pub static EVENTS: RingBuf = RingBuf::with_byte_size(16 << 20, 0);

/// A byte for each process number: its `Mark`, 0 where the process is not traced.
#[map]
pub static FILTER: Array<[u8; Config::FILTER_ROW]> =
    Array::with_max_entries(Config::FILTER_ROWS as u32, BPF_F_MMAPABLE);

/// Processes that were stopped, with their start: by the kernel side, which does so once, or by user space,
/// which takes out what goes on, or marks it where it was held for a finding.
#[map]
pub static STOPPED: HashMap<u32, u64> = HashMap::with_max_entries(1024, 0);

/// The call of OpenSSL that a thread is in, by thread id. One that never returns is forgotten for others.
/// User space sets the size when loading: 1 where the plaintext of TLS is not asked for.
#[map]
pub static IN_OPENSSL: LruHashMap<u32, InOpenssl> = LruHashMap::with_max_entries(32_768, 0);

/// Sockets already described to user space, by the address of their `struct file`.
#[map]
pub static SEEN: LruHashMap<u64, Seen> = LruHashMap::with_max_entries(65_536, 0);

/// What was found behind a descriptor, last.
#[map]
pub static FOUND: PerCpuArray<FileRef> = PerCpuArray::with_max_entries(1, 0);

/// Records that the ring had no room for, by kind.
#[map]
pub static LOST: PerCpuArray<[u64; LOST_SLOTS]> = PerCpuArray::with_max_entries(1, 0);

/// Where a transfer's record is put together: too large for the stack.
#[map]
pub static IO: PerCpuArray<WithPayload<Io, { 3 * Config::MOST_CAPTURE }>> =
    PerCpuArray::with_max_entries(1, 0);

/// Likewise for any other call.
#[map]
pub static CALL: PerCpuArray<WithPayload<Call, { Config::MOST_DETAIL }>> =
    PerCpuArray::with_max_entries(1, 0);

/// Likewise for a socket's description.
#[map]
pub static SOCKET: PerCpuArray<WithPayload<Socket, { Config::MOST_DETAIL }>> =
    PerCpuArray::with_max_entries(1, 0);

/// Likewise for descriptors that arrived in a message.
#[map]
pub static PASSED: PerCpuArray<WithPayload<Passed, 0>> = PerCpuArray::with_max_entries(1, 0);

/// Likewise for an exec.
#[map]
pub static EXEC: PerCpuArray<WithPayload<forkscope_proto::Exec, { Config::MOST_DETAIL }>> =
    PerCpuArray::with_max_entries(1, 0);

/// Likewise for a stack. Twice the room that is filled: what bounds the copy is a mask.
#[map]
pub static STACK: PerCpuArray<WithPayload<Stack, { 2 * Stack::MOST }>> = PerCpuArray::with_max_entries(1, 0);

/// A record and the room for its payload.
#[repr(C)]
pub struct WithPayload<R, const N: usize> {
    pub record: R,
    pub payload: [u8; N],
}

/// What was taken at the entry of a call of OpenSSL, and what the thread did since.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct InOpenssl {
    pub began: u64,
    /// Address of the `SSL` object.
    pub session: u64,
    pub buffer: u64,
    /// Where the call will write how many bytes it moved; 0: it returns that.
    pub count: u64,
    /// The socket on which it sent or received, last; nothing so far.
    pub file: FileRef,
    pub fd: i32,
    /// By which system call: a send, if there was one.
    pub nr: u16,
    /// An `Act`.
    pub act: u8,
    /// As in the record.
    pub flags: u8,
}

/// What is known of a socket that was described before.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Seen {
    /// Address and number of its inode: the address of a `struct file` is reused, these differ then.
    pub inode_address: u64,
    pub inode: u64,
    /// Address of the `struct sock` if its transfers have TCP positions, else 0.
    pub tcp: u64,
}
