//! Copying the first bytes of what a call transfers.

use crate::kernel::{Plain, Registers, read_user};
use crate::maps::IO;
use aya_ebpf::helpers::generated::{bpf_probe_read_user, bpf_probe_read_user_str};
use forkscope_proto::arguments::EPOLL_EVENT;
use forkscope_proto::{Capture, Config};

/// How many vectors of a message are looked at: gRPC sends a call's fields in thirty and more.
const MOST_VECTORS: u64 = 64;

/// `struct iovec` (readv(2)).
#[derive(Clone, Copy)]
#[repr(C)]
struct Vector {
    base: u64,
    length: u64,
}
impl Plain for Vector {}

/// The start of `struct msghdr` (sendmsg(2)).
#[derive(Clone, Copy)]
#[repr(C)]
struct Message {
    name: [u64; 2],
    vectors: u64,
    count: u64,
    pub control: u64,
    pub control_length: u64,
}
impl Plain for Message {}

/// Copies up to `most` bytes of what a transfer's arguments point to; returns how many.
#[inline(always)]
pub fn transfer(to: *mut u8, capture: Capture, regs: &Registers, most: u32) -> u32 {
    match capture {
        Capture::Buffer => copy(to, 0, regs.arg(1), (regs.arg(2).min(u64::from(most))) as u32),
        Capture::Vectors => forkscope_vectors(regs.arg(1), regs.arg(2), most),
        Capture::Message | Capture::Messages => forkscope_message(regs.arg(1), most),
        _ => 0,
    }
}

/// Address and length of the control data that a `recvmsg` filled.
#[inline(always)]
pub fn control(regs: &Registers) -> (u64, u64) {
    let message: Message = read_user(regs.arg(1));
    (message.control, message.control_length)
}

/// As [`forkscope_vectors`], of the message at an address. Likewise global.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn forkscope_message(at: u64, most: u32) -> u32 {
    // Nothing, of a call that found nothing: these are many.
    if most == 0 {
        return 0;
    }
    let message: Message = read_user(at);
    forkscope_vectors(message.vectors, message.count, most)
}

/// Copies the first bytes that an array of vectors points to into the payload of [`IO`]'s record.
///
/// A global function for the verifier: with a name of its own, numbers only as arguments and the room looked
/// up inside, it is verified once, and not again for each way in which a call can reach it.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn forkscope_vectors(first: u64, count: u64, most: u32) -> u32 {
    let Some(room) = IO.get_ptr_mut(0) else { return 0 };
    // SAFETY: the scratch is this CPU's own while the program runs.
    let (to, sum) = unsafe { ((*room).payload.as_mut_ptr(), &raw mut (*room).record.header.payload) };
    let mut done = 0;
    for index in 0..MOST_VECTORS {
        if index >= count || done >= most {
            break;
        }
        let vector: Vector = read_user(first + index * size_of::<Vector>() as u64);
        let wanted = vector.length.min(u64::from(most - done)) as u32;
        let copied = copy(to, done, vector.base, wanted);
        // Through memory: what the verifier knows of the sum would be another thing after each vector, on
        // each way to it, and it would look at all of them.
        // SAFETY: a field of the scratch, which is written again when the record is complete.
        done = unsafe {
            sum.write_volatile(done + copied);
            sum.read_volatile()
        };
        if copied != wanted {
            break;
        }
    }
    done
}

/// Copies `wanted` bytes from user memory to `to[at..]`, where there is room for three times the most.
#[inline(always)]
fn copy(to: *mut u8, at: u32, from: u64, wanted: u32) -> u32 {
    const MOST: u32 = Config::MOST_CAPTURE as u32;
    // The mask changes nothing: `at` never passes MOST. It is the form of bound that reaches the verifier;
    // the compiler moves a comparison to another copy of the register.
    let at = at as usize & (2 * Config::MOST_CAPTURE - 1);
    if wanted > MOST || wanted == 0 {
        return 0;
    }
    // SAFETY: `at` is below twice MOST, `wanted` at most MOST, and the room is three times that.
    let failed = unsafe { bpf_probe_read_user(to.add(at).cast(), wanted, from as *const _) };
    if failed == 0 { wanted } else { 0 }
}

/// Copies what a call that is no transfer points to, at most [`Config::MOST_DETAIL`] bytes; returns how many.
#[inline(always)]
pub fn detail(to: *mut u8, capture: Capture, regs: &Registers, ret: i64) -> u32 {
    const EVENT: u64 = EPOLL_EVENT as u64;
    let (from, length) = match capture {
        Capture::Path0 => return path(to, regs.arg(0)),
        Capture::Path1 => return path(to, regs.arg(1)),
        Capture::Address => (regs.arg(1), regs.arg(2)),
        Capture::Events if ret > 0 => (regs.arg(1), ret as u64 * EVENT),
        Capture::Event if regs.arg(3) != 0 => (regs.arg(3), EVENT),
        _ => return 0,
    };
    let length = length.min(Config::MOST_DETAIL as u64) as u32;
    // SAFETY: the room is MOST_DETAIL bytes.
    let failed = unsafe { bpf_probe_read_user(to.cast(), length, from as *const _) };
    if failed == 0 { length } else { 0 }
}

#[inline(always)]
fn path(to: *mut u8, from: u64) -> u32 {
    // SAFETY: the room is MOST_DETAIL bytes.
    let with_nul =
        unsafe { bpf_probe_read_user_str(to.cast(), Config::MOST_DETAIL as u32, from as *const _) };
    if with_nul > 0 { (with_nul as u32 - 1).min(Config::MOST_DETAIL as u32) } else { 0 }
}
