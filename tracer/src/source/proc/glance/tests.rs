use super::*;
use proptest::prelude::*;
use std::sync::atomic::{AtomicU32, Ordering};

#[test]
fn lines_are_read() {
    let text = b"Name:\tx\nSigCgt:\t0000000000004002\nvoluntary_ctxt_switches:\t17\nnonvoluntary_ctxt_switches:\t4\n";
    assert_eq!(status(text), (17, 0x4002));
    assert_eq!(status(b"SigCgt:\tx\nvoluntary_ctxt_switches:\n"), (0, 0));
    assert_eq!(moved(b"rchar: 6976\nwchar: 24\nsyscr: 10\n"), Some(7000));
    assert_eq!(moved(b"rchar: 6976\n"), None);
    let maps = "55d0-55e0 r--p 00000000 08:01 1 /bin/x\n7f00-7f10 rw-s 00000000 00:1a 7 /dev/shm/sem.x\n";
    for (address, expected) in [(0x55d5, Some(false)), (0x7f0f, Some(true)), (0x7f10, None), (0, None)] {
        assert_eq!(shared_in(maps.as_bytes(), address), expected, "{address:x}");
    }
    assert_eq!(shared_in(&b"no map\n"[..], 1), None);
}

/// Waits as a lock does, until the word changes.
fn wait_on(word: &AtomicU32) {
    while word.load(Ordering::Acquire) == 2 {
        let (address, wait) = (word.as_ptr(), libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG);
        // SAFETY: the word outlives the call, which has no time-out and takes nothing else.
        unsafe { libc::syscall(libc::SYS_futex, address, wait, 2, std::ptr::null::<libc::timespec>()) };
    }
}

#[test]
fn a_thread_that_waits_on_a_futex_is_told_with_its_words() {
    /// As a `pthread_mutex_t` that is waited for: lock, count, owner, users, kind.
    static LOCK: [AtomicU32; FutexWait::WORDS] =
        [AtomicU32::new(2), AtomicU32::new(0), AtomicU32::new(77), AtomicU32::new(1), AtomicU32::new(0)];
    let waiter = std::thread::spawn(|| wait_on(&LOCK[0]));
    let address = LOCK[0].as_ptr() as u64;
    let (pid, tids) = (std::process::id(), || tids(std::process::id(), 1 << 12).expect("itself").0);
    let waits = |tid| {
        let (thread, _) = one(pid, tid, true)?;
        (thread.call?.futex()?.address == address).then_some(thread)
    };
    let seen = std::iter::repeat_with(|| tids().into_iter().find_map(waits)).flatten().next();
    let seen = seen.expect("it waits until the word changes");
    assert_eq!(seen.on, WaitsOn::Futex { owner: Some(77), shared: Some(false) });
    assert_eq!(is_shared(pid, address), Some(false));
    let key = key(pid).expect("itself");
    let wanted = WantedGlance { child: key, closely: false, parent: Some(pid) };
    let seen = glance(&wanted).expect("itself");
    assert!(seen.moved.is_some());
    assert_eq!(seen.parent, Some(vec![]), "none is older than the process");
    let older = parent_threads(pid, ProcKey { start: key.start, tgid: pid + 1 }).expect("itself");
    assert!(older.iter().any(|thread| thread.tid == pid), "of one tick, the number tells");
    let other = WantedGlance { child: ProcKey { start: key.start + 1, ..key }, ..wanted };
    assert!(glance(&other).is_err(), "another process had the number");
    LOCK[0].store(0, Ordering::Release);
    // SAFETY: the word lives for ever.
    unsafe { libc::syscall(libc::SYS_futex, address, libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG, 1) };
    waiter.join().expect("no panic");
}

proptest! {
    #[test]
    fn no_bytes_are_a_panic(bytes: Vec<u8>, start in 0..3_usize) {
        let mut text = [&b""[..], b"SigCgt:\t", b"7f00-7f10 "][start].to_vec();
        text.extend(bytes);
        status(&text);
        moved(&text);
        shared_in(&text[..], 0x7f01);
    }
}
