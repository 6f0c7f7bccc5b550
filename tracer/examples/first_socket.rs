//! Test program: ways in which a process comes to own its first socket, and then the
//! founding bug with that one.
//!
//! `first_socket WAY` prints `child BYTES, parent BYTES` or what else came of it, and ends by itself.

#[path = "shared/child.rs"]
mod child;

use child::child;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;
use std::fs::File;
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How often files are opened and closed before.
const FILES: usize = 100_000;

/// Memory that a child shares, zero at first.
fn shared() -> &'static AtomicU32 {
    let shared = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED | libc::MAP_ANONYMOUS);
    // SAFETY: new memory of a page, zeros, that is never given back.
    unsafe {
        let page = libc::mmap(std::ptr::null_mut(), 4096, shared.0, shared.1, -1, 0);
        assert_ne!(page, libc::MAP_FAILED);
        &*page.cast::<AtomicU32>()
    }
}

fn open_and_close() {
    drop(File::open("/dev/null").expect("there"));
}

fn connected() -> (TcpListener, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let stream = TcpStream::connect(listener.local_addr().expect("bound")).expect("it listens");
    (listener, stream)
}

/// Sends one byte on a number, as a library does that still knows it: how many were sent, or minus the errno.
fn send(fd: RawFd) -> i64 {
    // SAFETY: one byte is read, which outlives the call.
    let sent = unsafe { libc::send(fd, b"x".as_ptr().cast(), 1, libc::MSG_NOSIGNAL) };
    if sent < 0 {
        -i64::from(std::io::Error::last_os_error().raw_os_error().unwrap_or(0))
    } else {
        sent as i64
    }
}

/// A child closes the connection that it has inherited, puts another file in its place, and sends on that.
fn founding(fd: RawFd) {
    let parent = send(fd);
    let child = child(|| {
        // SAFETY: nobody of this process uses the number any more but as a number.
        unsafe { libc::close(fd) };
        let null = File::open("/dev/null").expect("there");
        // SAFETY: likewise.
        unsafe { libc::dup2(null.as_raw_fd(), fd) };
        let failed = send(fd) == -i64::from(libc::ENOTSOCK);
        // SAFETY: ends at once.
        unsafe { libc::_exit(i32::from(!failed)) }
    });
    let ended = waitpid(child, None).expect("a child");
    println!("parent {parent}, child {}", matches!(ended, WaitStatus::Exited(_, 0)));
}

/// Many calls on files alone, and then the first socket.
fn after_files() {
    for _ in 0..FILES {
        open_and_close();
    }
    // Opened before, and closed after it.
    let before = File::open("/dev/zero").expect("there");
    let (_listener, stream) = connected();
    drop(before);
    founding(stream.as_raw_fd());
}

/// While other threads are in the middle of calls.
fn among_threads() {
    static END: AtomicBool = AtomicBool::new(false);
    static TURNS: AtomicU32 = AtomicU32::new(0);
    let threads: Vec<_> = (0..8)
        .map(|_| {
            thread::spawn(|| {
                while !END.load(Ordering::Relaxed) {
                    open_and_close();
                    TURNS.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    let sleeper = thread::spawn(|| thread::sleep(Duration::from_millis(200)));
    while TURNS.load(Ordering::Relaxed) < 1000 {
        thread::yield_now();
    }
    let (_listener, stream) = connected();
    let before = TURNS.load(Ordering::Relaxed);
    while TURNS.load(Ordering::Relaxed) < before + 1000 {
        thread::yield_now();
    }
    END.store(true, Ordering::Relaxed);
    threads.into_iter().for_each(|thread| thread.join().expect("it ends"));
    sleeper.join().expect("it ends");
    founding(stream.as_raw_fd());
}

/// Another process makes it, in a table that both have.
fn in_a_shared_table() {
    const FD: RawFd = 100;
    let flags = (libc::CLONE_FILES | libc::SIGCHLD) as u64;
    // SAFETY: as fork(2), which this is but for the table: no stack, and no memory is shared.
    let made = unsafe { libc::syscall(libc::SYS_clone, flags, 0, 0, 0, 0) };
    if made == 0 {
        let (listener, stream) = connected();
        // SAFETY: numbers that nobody else uses.
        unsafe {
            libc::dup2(stream.as_raw_fd(), FD);
            libc::dup2(listener.as_raw_fd(), FD + 1);
            libc::_exit(0);
        }
    }
    waitpid(Pid::from_raw(made as i32), None).expect("a child");
    founding(FD);
}

extern "C" fn makes_a_pair(_: *mut libc::c_void) -> libc::c_int {
    let mut pair = [0; 2];
    // SAFETY: the kernel writes two numbers, which have room; memory is shared with a parent that waits.
    unsafe { libc::socketpair(libc::AF_UNIX, libc::SOCK_STREAM, 0, pair.as_mut_ptr()) };
    i32::from(send(pair[0]) != 1)
}

/// A child that has its parent's memory makes one first, then the parent.
fn after_a_vfork() {
    let mut stack = vec![0_u8; 64 << 10];
    let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD;
    // SAFETY: the stack is the child's alone until it has ended, for which this waits; it
    // makes system calls only.
    let made = unsafe {
        let top = stack.as_mut_ptr().add(stack.len() - 64).cast();
        libc::clone(makes_a_pair, top, flags, std::ptr::null_mut())
    };
    let ended = waitpid(Pid::from_raw(made), None).expect("a child");
    assert!(matches!(ended, WaitStatus::Exited(_, 0)), "{ended:?}");
    let (_listener, stream) = connected();
    founding(stream.as_raw_fd());
}

/// Without the privilege to install a filter, which it had when it began.
fn without_privilege() {
    // SAFETY: plain numbers; the system's own user for nobody.
    let given_up = unsafe { libc::setresuid(65534, 65534, 65534) };
    assert_eq!(given_up, 0);
    let (_listener, stream) = connected();
    founding(stream.as_raw_fd());
}

/// With a filter of its own, under which a filter more is its end.
fn with_an_own_filter() {
    const FILTER: [libc::sock_filter; 4] = [
        libc::sock_filter { code: 0x20, jt: 0, jf: 0, k: 0 },
        libc::sock_filter { code: 0x15, jt: 0, jf: 1, k: libc::SYS_seccomp as u32 },
        libc::sock_filter { code: 0x06, jt: 0, jf: 0, k: libc::SECCOMP_RET_KILL_PROCESS },
        libc::sock_filter { code: 0x06, jt: 0, jf: 0, k: libc::SECCOMP_RET_ALLOW },
    ];
    let program = libc::sock_fprog { len: 4, filter: FILTER.as_ptr().cast_mut() };
    // SAFETY: the kernel copies the program.
    let installed = unsafe {
        libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program)
    };
    assert_eq!(installed, 0);
    let (_listener, stream) = connected();
    founding(stream.as_raw_fd());
}

/// Taken from a child that has made it (pidfd_getfd(2)).
fn taken_from_a_child() {
    let number = shared();
    let maker = child(|| {
        let (_listener, stream) = connected();
        number.store(stream.as_raw_fd() as u32, Ordering::Release);
        thread::sleep(Duration::from_secs(3600));
    });
    while number.load(Ordering::Acquire) == 0 {
        thread::sleep(Duration::from_millis(1));
    }
    // SAFETY: plain numbers; the kernel makes descriptors, which stay until this ends.
    let taken = unsafe {
        let process = libc::syscall(libc::SYS_pidfd_open, maker.as_raw(), 0);
        libc::syscall(libc::SYS_pidfd_getfd, process, number.load(Ordering::Acquire), 0) as RawFd
    };
    founding(taken);
    kill(maker, Signal::SIGKILL).expect("it is there");
    waitpid(maker, None).expect("a child");
}

/// Given under this number by whoever started it.
fn inherited(fd: &str) {
    founding(fd.parse().expect("a number"));
}

/// Makers of first sockets that are killed at any moment.
fn killed() {
    let mut ends = [0_u32; 2];
    for round in 0..200 {
        let maker = child(|| {
            let _pair = UnixStream::pair();
            loop {
                open_and_close();
            }
        });
        thread::sleep(Duration::from_micros(round * 10));
        kill(maker, Signal::SIGKILL).expect("it is there");
        let ended = waitpid(maker, None).expect("a child");
        ends[usize::from(matches!(ended, WaitStatus::Signaled(_, Signal::SIGKILL, _)))] += 1;
    }
    println!("killed {} of 200", ends[1]);
}

/// Makers of first sockets that another thread ends at any moment: by a signal, by
/// itself, by executing a program.
fn ends_among_threads() {
    let mut ended = 0;
    for round in 0..150_u64 {
        let (go, way) = (shared(), round % 3);
        let maker = child(|| {
            for _ in 0..3 {
                thread::spawn(|| {
                    loop {
                        open_and_close();
                    }
                });
            }
            thread::spawn(move || {
                while go.load(Ordering::Acquire) == 0 {}
                let end = Instant::now() + Duration::from_micros(round * 4);
                while Instant::now() < end {}
                // SAFETY: ends, or executes a program with no more than a name.
                unsafe {
                    let arguments = [c"true".as_ptr(), std::ptr::null()];
                    match way {
                        0 => libc::kill(libc::getpid(), libc::SIGKILL),
                        1 => libc::_exit(0),
                        _ => libc::execv(c"/bin/true".as_ptr(), arguments.as_ptr()),
                    };
                }
            });
            thread::sleep(Duration::from_millis(2));
            go.store(1, Ordering::Release);
            let _pair = UnixStream::pair();
            thread::sleep(Duration::from_secs(3600));
        });
        let end = waitpid(maker, None).expect("a child");
        let expected = match way {
            0 => matches!(end, WaitStatus::Signaled(_, Signal::SIGKILL, _)),
            _ => matches!(end, WaitStatus::Exited(_, 0)),
        };
        ended += u32::from(expected);
    }
    println!("ended {ended} of 150");
}

extern "C" fn counts(_: libc::c_int) {
    ALARMS.fetch_add(1, Ordering::Relaxed);
}
static ALARMS: AtomicU32 = AtomicU32::new(0);

/// Makers of first sockets that get signals all the time, and are stopped and told to go on.
fn among_signals() {
    let mut done = 0;
    for round in 0..50 {
        let maker = child(|| {
            let often = libc::timeval { tv_sec: 0, tv_usec: 1000 };
            let timer = libc::itimerval { it_interval: often, it_value: often };
            // SAFETY: the handler only counts; the kernel reads the timer, which outlives the call.
            unsafe {
                libc::signal(libc::SIGALRM, counts as extern "C" fn(libc::c_int) as libc::sighandler_t);
                libc::syscall(libc::SYS_setitimer, libc::ITIMER_REAL, &raw const timer, 0);
            }
            let pair = UnixStream::pair().expect("sockets");
            assert_eq!(send(pair.0.as_raw_fd()), 1);
            let seen = ALARMS.load(Ordering::Relaxed);
            while ALARMS.load(Ordering::Relaxed) < seen + 2 {
                open_and_close();
            }
        });
        thread::sleep(Duration::from_micros(round * 100));
        let stopped = kill(maker, Signal::SIGSTOP).is_ok();
        thread::sleep(Duration::from_micros(500));
        assert!(stopped && kill(maker, Signal::SIGCONT).is_ok());
        done += u32::from(matches!(waitpid(maker, None), Ok(WaitStatus::Exited(_, 0))));
    }
    println!("done {done} of 50");
}

fn main() {
    let words: Vec<String> = std::env::args().collect();
    match words.get(1).map_or("", String::as_str) {
        "after-files" => after_files(),
        "among-threads" => among_threads(),
        "in-a-shared-table" => in_a_shared_table(),
        "after-a-vfork" => after_a_vfork(),
        "without-privilege" => without_privilege(),
        "with-an-own-filter" => with_an_own_filter(),
        "taken-from-a-child" => taken_from_a_child(),
        "inherited" => inherited(&words[2]),
        "killed" => killed(),
        "ends-among-threads" => ends_among_threads(),
        "among-signals" => among_signals(),
        other => panic!("there is no way {other:?}"),
    }
}
