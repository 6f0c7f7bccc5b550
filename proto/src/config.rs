//! What user space hands to the programs when it loads them, and the state they keep per process.

use crate::header::Kind;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Byte offsets of kernel struct members, read from the running kernel's BTF.
/// Rust emits no CO-RE relocations, so the programs get these as a constant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
#[expect(missing_docs, reason = "each field is named STRUCT_MEMBER after the member whose offset it is")]
pub struct Offsets {
    pub task_status: u32,
    pub task_tgid: u32,
    pub task_pid: u32,
    pub task_group_leader: u32,
    pub task_start_boottime: u32,
    pub task_files: u32,
    pub task_mm: u32,
    pub task_signal: u32,
    pub task_exit_code: u32,
    pub task_comm: u32,
    pub task_stack: u32,
    pub task_thread_node: u32,
    pub signal_live: u32,
    pub signal_nr_threads: u32,
    pub signal_group_exit_code: u32,
    pub signal_thread_head: u32,
    pub mm_arg_start: u32,
    pub mm_arg_end: u32,
    pub files_fdt: u32,
    pub fdt_max_fds: u32,
    pub fdt_fd: u32,
    pub fdt_close_on_exec: u32,
    pub file_f_inode: u32,
    pub file_private_data: u32,
    pub file_count: u32,
    pub file_dentry: u32,
    pub dentry_name: u32,
    pub inode_i_mode: u32,
    pub inode_i_ino: u32,
    pub inode_i_rdev: u32,
    pub inode_i_sb: u32,
    pub super_s_magic: u32,
    pub socket_sk: u32,
    pub socket_file: u32,
    pub sock_family: u32,
    pub sock_state: u32,
    pub sock_num: u32,
    pub sock_dport: u32,
    pub sock_daddr: u32,
    pub sock_rcv_saddr: u32,
    pub sock_v6_daddr: u32,
    pub sock_v6_rcv_saddr: u32,
    pub sock_cookie: u32,
    pub sock_net: u32,
    pub sock_type: u32,
    pub sock_protocol: u32,
    pub sock_socket: u32,
    pub net_inum: u32,
    pub tcp_write_seq: u32,
    pub tcp_copied_seq: u32,
    pub unix_peer: u32,
    pub unix_addr: u32,
    pub unix_address_len: u32,
    pub unix_address_name: u32,
}

/// Numbers of kernel types in the running kernel's BTF, all 0 where its programs cannot take an address for
/// one of a type ([`CAST`]).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Types {
    /// `struct file`.
    pub file: u32,
    /// `struct inode`.
    pub inode: u32,
    /// `struct super_block`.
    pub super_block: u32,
    /// `struct dentry`.
    pub dentry: u32,
    /// `struct tcp_sock`.
    pub tcp_sock: u32,
    /// `struct timespec64`: any that begins with a number of eight bytes, by which an array of such is read.
    pub word: u32,
}

/// What the compiled programs call, as if it were a helper, to take an address for that of a structure. The
/// kernel has no such helper, but a function for that, `bpf_rdonly_cast` (kernel/bpf/helpers.c, since Linux
/// 6.2), by another number on each: user space writes it in when it loads the programs.
pub const CAST: u32 = 0x00ca_5700;

/// Settings that the programs get as a constant when loaded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Config {
    /// forkscope's own process, never traced.
    pub own_tgid: u32,
    /// 1: trace every process of the machine.
    pub everything: u32,
    /// Payload bytes taken of each transfer, at most [`Config::MOST_CAPTURE`].
    pub capture: u32,
    /// Bytes waiting in the ring from which user space is woken at once.
    pub wake_at: u32,
    /// Whose processes to stop at calls that may be a finding (see
    /// [`crate::arguments::may_be_stale`]): nobody's, [`Config::STOPS_OWN`] or [`Config::STOPS_ALL`].
    /// Who may not let a process go on must not stop it.
    pub stops: u32,
    /// The user whose processes are meant by [`Config::STOPS_OWN`].
    pub own_uid: u32,
    /// 1: what programs hand to OpenSSL is taken.
    pub plaintext: u32,
    /// 1: take the user stack at forks, connects and failing calls ([`crate::Stack`]).
    pub stacks: u32,
    /// What the kernel counts for an open file that is referred to once ([`Offsets::file_count`]).
    pub one_reference: u32,
    /// 1: calls that say nothing new have a record, too; 0: some of these a second
    /// ([`crate::arguments::is_routine`]).
    pub every_call: u32,
}

impl Config {
    /// Upper bound of [`Config::capture`].
    pub const MOST_CAPTURE: usize = 2048;
    /// Upper bound of any other payload: paths, addresses, events, command lines.
    pub const MOST_DETAIL: usize = 256;
    /// Of [`Config::stops`]: those of one user.
    pub const STOPS_OWN: u32 = 1;
    /// Of [`Config::stops`]: those of all users.
    pub const STOPS_ALL: u32 = 2;
    /// How long user space is not woken for news again, in nanoseconds: it looks by itself meanwhile.
    pub const NEWS_PAUSE: u64 = 2_000_000;
    /// The highest number that a process can have is below this (`PID_MAX_LIMIT`, include/linux/threads.h).
    pub const PID_LIMIT: usize = 4_194_304;
    /// Numbers in one row of the filter: a byte each, a [`Mark`], so that both sides can set one without
    /// touching its neighbours.
    pub const FILTER_ROW: usize = 64;
    /// Rows of the filter: together they hold each possible number.
    pub const FILTER_ROWS: usize = Self::PID_LIMIT / Self::FILTER_ROW;
}

/// What is remembered of a process: its byte in the filter.
#[derive(Debug)]
pub enum Mark {}

impl Mark {
    /// The process is traced. Without it nothing else is set.
    pub const TRACED: u8 = 1;
    /// More than one task uses the descriptor table, so that a call's descriptor may change while it runs.
    pub const SHARED: u8 = 2;
    /// The process has set up io_uring.
    pub const URING: u8 = 4;
    /// The process made 32-bit calls.
    pub const COMPAT: u8 = 8;
    /// The process was forked while traced, and has executed no program since.
    pub const FORKED: u8 = 16;
    /// A thread of the process displaced what another one's call was on, and took it down for it.
    pub const DISPLACED: u8 = 32;
    /// The process may share files with another traced one: it has forked, but for `vfork`, or may have
    /// before it was traced, and executed no program since.
    pub const KIN: u8 = 64;
}

/// Length of the table that counts lost records, indexed by [`Kind`].
pub const LOST_SLOTS: usize = Kind::ALL.len() + 1;
