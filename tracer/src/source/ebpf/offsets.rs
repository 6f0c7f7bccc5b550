//! The member offsets that the kernel side needs.

use super::btf::{Btf, BtfError};
use forkscope_proto::Offsets;

/// Looks up every offset in the running kernel's type information.
///
/// # Errors
/// Where the kernel lacks one of the members.
pub fn offsets(btf: &Btf) -> Result<Offsets, BtfError> {
    let at = |path| btf.offset(path);
    Ok(Offsets {
        task_status: at("task_struct.thread_info.status")?,
        task_tgid: at("task_struct.tgid")?,
        task_pid: at("task_struct.pid")?,
        task_group_leader: at("task_struct.group_leader")?,
        task_start_boottime: at("task_struct.start_boottime")?,
        task_files: at("task_struct.files")?,
        task_mm: at("task_struct.mm")?,
        task_signal: at("task_struct.signal")?,
        task_exit_code: at("task_struct.exit_code")?,
        task_comm: at("task_struct.comm")?,
        task_stack: at("task_struct.stack")?,
        task_thread_node: at("task_struct.thread_node")?,
        signal_live: at("signal_struct.live")?,
        signal_nr_threads: at("signal_struct.nr_threads")?,
        signal_group_exit_code: at("signal_struct.group_exit_code")?,
        signal_thread_head: at("signal_struct.thread_head")?,
        mm_arg_start: at("mm_struct.arg_start")?,
        mm_arg_end: at("mm_struct.arg_end")?,
        files_fdt: at("files_struct.fdt")?,
        fdt_max_fds: at("fdtable.max_fds")?,
        fdt_fd: at("fdtable.fd")?,
        fdt_close_on_exec: at("fdtable.close_on_exec")?,
        file_f_inode: at("file.f_inode")?,
        file_private_data: at("file.private_data")?,
        file_count: file_count(btf)?.0,
        file_dentry: at("file.f_path.dentry")?,
        dentry_name: at("dentry.d_name.name")?,
        inode_i_mode: at("inode.i_mode")?,
        inode_i_ino: at("inode.i_ino")?,
        inode_i_rdev: at("inode.i_rdev")?,
        inode_i_sb: at("inode.i_sb")?,
        super_s_magic: at("super_block.s_magic")?,
        socket_sk: at("socket.sk")?,
        socket_file: at("socket.file")?,
        sock_family: at("sock.__sk_common.skc_family")?,
        sock_state: at("sock.__sk_common.skc_state")?,
        sock_num: at("sock.__sk_common.skc_num")?,
        sock_dport: at("sock.__sk_common.skc_dport")?,
        sock_daddr: at("sock.__sk_common.skc_daddr")?,
        sock_rcv_saddr: at("sock.__sk_common.skc_rcv_saddr")?,
        sock_v6_daddr: at("sock.__sk_common.skc_v6_daddr")?,
        sock_v6_rcv_saddr: at("sock.__sk_common.skc_v6_rcv_saddr")?,
        sock_cookie: at("sock.__sk_common.skc_cookie")?,
        sock_net: at("sock.__sk_common.skc_net")?,
        sock_type: at("sock.sk_type")?,
        sock_protocol: at("sock.sk_protocol")?,
        sock_socket: at("sock.sk_socket")?,
        net_inum: at("net.ns.inum")?,
        tcp_write_seq: at("tcp_sock.write_seq")?,
        tcp_copied_seq: at("tcp_sock.copied_seq")?,
        unix_peer: at("unix_sock.peer")?,
        unix_addr: at("unix_sock.addr")?,
        unix_address_len: at("unix_address.len")?,
        unix_address_name: at("unix_address.name")?,
    })
}

/// Where an open file's references are counted, and what the count is where there is one: since Linux 6.13 it
/// begins at zero (`file_ref_t`, include/linux/file_ref.h).
///
/// # Errors
/// Where the kernel has neither.
pub(super) fn file_count(btf: &Btf) -> Result<(u32, u32), BtfError> {
    match btf.offset("file.f_ref") {
        Ok(offset) => Ok((offset, 0)),
        Err(_) => Ok((btf.offset("file.f_count")?, 1)),
    }
}
