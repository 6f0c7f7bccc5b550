//! The routine of event loops: they wait on an epoll instance, wake themselves by an eventfd, receive until
//! nothing is there, and wait again, most of their calls. As long as nobody else has the file, such a call
//! tells what the one before has told, and some a second have a record. After a fork it matters who waits,
//! who finds nothing, and who is woken: then all have one.

use crate::enter::spec;
use crate::file::{file_at, is_alone, is_eventfd};
use crate::kernel::{Access, Probing, Registers, Typed};
use crate::settings::{self, kind, offset};
use crate::traced::Me;
use aya_ebpf::helpers::generated::bpf_jiffies64;
use aya_ebpf::macros::map;
use aya_ebpf::maps::PerCpuArray;
use forkscope_proto::arguments::{is_routine, may_wake_itself};
use forkscope_proto::{Mark, Shape};

/// Places for calls, on each CPU. Of two files that want one place more is told.
const PLACES: usize = 64;
/// How long nothing is told again of a file, in ticks of the kernel's timer: 16 to 160 ms, by
/// how the kernel was built.
const PAUSE: u32 = 16;

/// The last such calls that were told.
#[map]
static TOLD: PerCpuArray<[Told; PLACES]> = PerCpuArray::with_max_entries(1, 0);

/// Of [`Told::call`]: it was a send, and no receive or wait. No address of a structure has this bit.
const SENT: u64 = 1;

/// A call that was told.
#[repr(C)]
struct Told {
    /// Address of the `struct file` that it was on, with [`SENT`], and of what that stands for: the first is
    /// soon another file's.
    call: u64,
    stands_for: u64,
    tgid: u32,
    /// When, in ticks.
    time: u32,
}

/// Whether a call that has ended with `ret` says nothing new.
#[inline(always)]
pub fn says_nothing_new<A: Access>(me: &Me<A>, regs: &Registers, ret: i64) -> bool {
    // What a call of OpenSSL did last is told by such a receive, too (`openssl::met`).
    !settings::every_call()
        && !settings::plaintext()
        && me.marks() & (Mark::FORKED | Mark::KIN | Mark::DISPLACED) == 0
        && A::is_repeat(regs.number as u32, regs.arg(0) as i32, ret, me.tgid)
}

/// [`Access::is_repeat`] of programs that follow typed pointers. A global function for the verifier, as
/// [`crate::file::forkscope_look`] is: else it would look at all that follows once more for each thing
/// that is asked here of `ret`.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn forkscope_is_repeat(number: u32, fd: i32, ret: i64, tgid: u32) -> u32 {
    is_repeat::<Typed>(number, fd, ret, tgid).into()
}

/// [`Access::is_repeat`] of programs that ask helpers.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn forkscope_is_repeat_probing(number: u32, fd: i32, ret: i64, tgid: u32) -> u32 {
    is_repeat::<Probing>(number, fd, ret, tgid).into()
}

#[inline(always)]
fn is_repeat<A: Access>(number: u32, fd: i32, ret: i64, tgid: u32) -> bool {
    let Some(spec) = spec(number.into()) else { return false };
    let may_wake = may_wake_itself(spec, ret);
    if !may_wake && !is_routine(spec, ret) {
        return false;
    }
    let file = file_at::<A>(A::task(), fd);
    if file == 0 || !is_alone::<A>(file) || may_wake && !is_eventfd::<A>(file) {
        return false;
    }
    // Each way on its own: a model that knows of a write but of no read does not know who was woken.
    let sent = if matches!(spec.shape, Shape::Send) { SENT } else { 0 };
    let (call, place) = (file | sent, file >> 6 ^ file >> 12 ^ sent);
    let Some(told) = TOLD.get_ptr_mut(0) else { return false };
    // SAFETY: the table is this CPU's own while the program runs, and the index is below its length. The
    // helper has no preconditions.
    let (told, time) = unsafe { (&mut (*told)[place as usize & (PLACES - 1)], bpf_jiffies64() as u32) };
    let stands_for: u64 = A::at(file, kind!(file), offset!(file_private_data));
    let is_same = told.call == call && told.stands_for == stands_for && told.tgid == tgid;
    if is_same && time.wrapping_sub(told.time) < PAUSE {
        return true;
    }
    *told = Told { call, stands_for, tgid, time };
    false
}
