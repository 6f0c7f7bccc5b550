//! Test program: what is hard on a tracer, one thing at a time.
//!
//! `ordeal NAME` does it, prints what came of it, and ends by itself.

#[path = "shared/child.rs"]
mod child;

use child::child;
use nix::sys::prctl;
use nix::sys::signal::{Signal, kill, raise};
use nix::sys::wait::{WaitStatus, waitpid};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

fn nap(micros: u64) {
    thread::sleep(Duration::from_micros(micros));
}

/// Threads that make calls without a pause: each must get on, and the first must end them.
fn busy_threads() {
    static END: AtomicBool = AtomicBool::new(false);
    let threads: Vec<_> = (0..32)
        .map(|_| {
            thread::spawn(|| {
                let (mut one, mut other) = UnixStream::pair().expect("sockets");
                let mut turns = 0_u32;
                while !END.load(Ordering::Relaxed) {
                    one.write_all(b"x").expect("a socket");
                    other.read_exact(&mut [0]).expect("a socket");
                    turns += 1;
                }
                turns
            })
        })
        .collect();
    nap(1_000_000);
    END.store(true, Ordering::Relaxed);
    let turns: Vec<u32> = threads.into_iter().map(|thread| thread.join().expect("it ends")).collect();
    println!("all got on: {}", turns.iter().all(|&turns| turns > 10));
}

/// Makers of processes that are killed at any moment: what they made must go on and end.
fn killed_makers() {
    prctl::set_child_subreaper(true).expect("prctl");
    let mut makers = Vec::new();
    for round in 0..40 {
        let maker = child(|| {
            loop {
                child(|| nap(500));
            }
        });
        makers.push(maker);
        nap(1000 + round * 50);
        kill(maker, Signal::SIGKILL).expect("it is there");
    }
    let mut others = 0;
    while let Ok(status) = waitpid(None, None) {
        others += u32::from(matches!(status, WaitStatus::Exited(_, 0)));
    }
    println!("all have ended: {}", others > 40);
}

/// As above, and files are opened by those whose maker was killed: a filter without a
/// tracer would refuse that.
fn orphans_that_open() {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).expect("a line");
    prctl::set_child_subreaper(true).expect("prctl");
    for round in 0..40 {
        let maker = child(|| {
            loop {
                child(|| {
                    nap(500);
                    if std::fs::File::open("/dev/null").is_err() {
                        let _ = raise(Signal::SIGABRT);
                    }
                });
            }
        });
        nap(1000 + round * 50);
        kill(maker, Signal::SIGKILL).expect("it is there");
    }
    let mut refused = 0;
    while let Ok(status) = waitpid(None, None) {
        refused += u32::from(matches!(status, WaitStatus::Signaled(_, Signal::SIGABRT, _)));
    }
    println!("refused: {refused}");
}

/// Threads that wait, so many that looking through all of them for each takes seconds.
fn many_threads() {
    for _ in 0..3000 {
        let sleeper = thread::Builder::new().stack_size(64 << 10);
        sleeper.spawn(|| nap(3_600_000_000)).expect("a thread");
    }
    println!("ready");
    std::io::stdin().read_line(&mut String::new()).expect("a line");
    std::process::exit(0);
}

/// The first thread ends; another makes a connection, which it shares with a child.
fn without_its_leader() {
    thread::spawn(|| {
        println!("ready");
        std::io::stdin().read_line(&mut String::new()).expect("a line");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let mut stream = TcpStream::connect(listener.local_addr().expect("bound")).expect("it listens");
        let child = child(|| stream.try_clone().expect("a copy").write_all(b"child").expect("a connection"));
        waitpid(child, None).expect("a child");
        stream.write_all(b"parent").expect("a connection");
        println!("peer {}", stream.peer_addr().expect("connected"));
        std::process::exit(0);
    });
    // SAFETY: ends this thread only; nothing of its stack is used by the other.
    unsafe { libc::syscall(libc::SYS_exit, 0) };
}

/// Two threads with a table each: the same number is another socket.
fn tables_apart() {
    let listeners = [0, 1].map(|_| TcpListener::bind("127.0.0.1:0").expect("a port"));
    let ports = listeners.each_ref().map(|listener| listener.local_addr().expect("bound"));
    thread::scope(|scope| {
        let (tell, told) = std::sync::mpsc::channel();
        let (tell_back, told_back) = std::sync::mpsc::channel();
        scope.spawn(move || {
            nix::sched::unshare(nix::sched::CloneFlags::CLONE_FILES).expect("unshare");
            tell.send(()).expect("the other waits");
            told_back.recv().expect("the other goes first");
            let mut stream = TcpStream::connect(ports[1]).expect("it listens");
            stream.write_all(b"thread").expect("a connection");
            println!("thread {}", ports[1]);
        });
        told.recv().expect("the thread goes on");
        let mut stream = TcpStream::connect(ports[0]).expect("it listens");
        stream.write_all(b"main").expect("a connection");
        println!("main {}", ports[0]);
        tell_back.send(()).expect("the thread waits");
    });
}

/// A filter of its own that asks a tracer, which there is none of: such a call fails.
fn asks_a_tracer() {
    const FILTER: [libc::sock_filter; 4] = [
        libc::sock_filter { code: 0x20, jt: 0, jf: 0, k: 0 },
        libc::sock_filter { code: 0x15, jt: 0, jf: 1, k: libc::SYS_mkdir as u32 },
        libc::sock_filter { code: 0x06, jt: 0, jf: 0, k: libc::SECCOMP_RET_TRACE | 7 },
        libc::sock_filter { code: 0x06, jt: 0, jf: 0, k: libc::SECCOMP_RET_ALLOW },
    ];
    let program = libc::sock_fprog { len: 4, filter: FILTER.as_ptr().cast_mut() };
    let directory = c"/dev/shm/forkscope-ordeal";
    // SAFETY: the kernel copies the program; the path ends with a NUL.
    let (installed, made) = unsafe {
        libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        let installed = libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program);
        (installed, libc::syscall(libc::SYS_mkdir, directory.as_ptr(), 0o700))
    };
    let error = std::io::Error::last_os_error().raw_os_error();
    println!("installed {installed}, made {made}, {}", error == Some(libc::ENOSYS));
}

fn main() {
    let name = std::env::args().nth(1).unwrap_or_default();
    match name.as_str() {
        "busy-threads" => busy_threads(),
        "killed-makers" => killed_makers(),
        "orphans-that-open" => orphans_that_open(),
        "many-threads" => many_threads(),
        "without-its-leader" => without_its_leader(),
        "tables-apart" => tables_apart(),
        "asks-a-tracer" => asks_a_tracer(),
        other => panic!("there is no ordeal {other:?}"),
    }
}
