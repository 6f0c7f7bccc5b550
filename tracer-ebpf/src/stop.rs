//! Stopping a process at a call that failed because its descriptor is not what it was,
//! where users ask for that.

use crate::kernel::Access;
use crate::maps::STOPPED;
use crate::settings;
use crate::traced::Me;
use aya_ebpf::helpers::bpf_get_current_uid_gid;
use aya_ebpf::helpers::generated::bpf_send_signal_thread;
use forkscope_proto::arguments::may_be_stale;
use forkscope_proto::{Config, Mark};

/// `SIGSTOP` (signal(7), x86-64).
const SIGSTOP: u32 = 19;

/// Stops the process before it returns from the call, if the call may mean a descriptor that a fork
/// has left behind. What is written down first, user space or its guardian lets go on, whatever
/// becomes of the call's record.
#[inline(always)]
pub fn at_call<A: Access>(me: &Me<A>, number: u64, ret: i64) {
    let whose = settings::stops();
    if whose == 0 || me.marks() & Mark::FORKED == 0 || !may_be_stale(number as u16, ret) {
        return;
    }
    // The real user, by whom kill(2) goes.
    if whose == Config::STOPS_OWN && bpf_get_current_uid_gid() as u32 != settings::own_uid() {
        return;
    }
    // Once: one that tries again and again would get nowhere.
    // SAFETY: the value is not looked at.
    if unsafe { STOPPED.get(me.tgid) }.is_some() {
        return;
    }
    if STOPPED.insert(me.tgid, me.start(), 0).is_ok() {
        // SAFETY: the helper has no preconditions.
        unsafe { bpf_send_signal_thread(SIGSTOP) };
    }
}
