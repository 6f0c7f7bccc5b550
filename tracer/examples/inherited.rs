//! Test program: a child inherits all that its parent opened, and waits in recv on a connection
//! that nobody will answer.
//!
//! `inherited inet|inet6|unix CONNECTIONS` opens so many connections to itself, an epoll instance that
//! watches the first, an eventfd and a pipe, and forks. It prints, as JSON, which numbers and inodes these
//! have, and ends when stdin closes.

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, fork};
use std::io::{Read, stdin};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};

/// Both sides of a connection: who connected, and who accepted.
type Pair = (OwnedFd, OwnedFd);

fn internet(address: &str, count: usize) -> (OwnedFd, Vec<Pair>) {
    let listener = TcpListener::bind(address).expect("listen");
    let address = listener.local_addr().expect("bound");
    let pair = |_| {
        let client = TcpStream::connect(address).expect("connect");
        (client.into(), listener.accept().expect("accept").0.into())
    };
    let pairs = (0..count).map(pair).collect();
    (listener.into(), pairs)
}

fn unix(count: usize) -> (OwnedFd, Vec<Pair>) {
    let path = std::env::temp_dir().join(format!("inherited-{}", std::process::id()));
    let listener = UnixListener::bind(&path).expect("listen");
    let pair = |_| {
        let client = UnixStream::connect(&path).expect("connect");
        (client.into(), listener.accept().expect("accept").0.into())
    };
    let pairs = (0..count).map(pair).collect();
    std::fs::remove_file(&path).expect("made here");
    (listener.into(), pairs)
}

/// An epoll instance that watches a file, and an eventfd.
fn wakers(watched: &OwnedFd) -> (OwnedFd, OwnedFd) {
    // SAFETY: both calls take plain numbers and make a descriptor, whose owner is made here.
    let own = |fd| unsafe { OwnedFd::from_raw_fd(fd) };
    // SAFETY: as above.
    let (epoll, eventfd) = unsafe { (libc::epoll_create1(0), libc::eventfd(3, 0)) };
    assert!(epoll >= 0 && eventfd >= 0, "{}", std::io::Error::last_os_error());
    let mut event = libc::epoll_event { events: libc::EPOLLIN as u32, u64: 0 };
    // SAFETY: the kernel reads one event, which outlives the call.
    let result = unsafe { libc::epoll_ctl(epoll, libc::EPOLL_CTL_ADD, watched.as_raw_fd(), &raw mut event) };
    assert_eq!(result, 0, "{}", std::io::Error::last_os_error());
    (own(epoll), own(eventfd))
}

/// `[number, inode]`.
fn place(file: &impl AsFd) -> String {
    let inode = nix::sys::stat::fstat(file).expect("open").st_ino;
    format!("[{}, {inode}]", file.as_fd().as_raw_fd())
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, family, count] = arguments.as_slice() else { panic!("inherited inet|inet6|unix CONNECTIONS") };
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE).expect("a limit");
    setrlimit(Resource::RLIMIT_NOFILE, most, most).expect("up to the hard limit");
    let count = count.parse().expect("a number");
    let (listener, pairs) = match family.as_str() {
        "inet" => internet("127.0.0.1:0", count),
        "inet6" => internet("[::1]:0", count),
        "unix" => unix(count),
        other => panic!("no such family: {other}"),
    };
    let (epoll, eventfd) = wakers(&pairs[0].0);
    let (reader, writer) = nix::unistd::pipe().expect("pipe");
    // SAFETY: this program has one thread, and the child makes two system calls.
    let child = match unsafe { fork() }.expect("fork") {
        ForkResult::Parent { child } => child,
        ForkResult::Child => {
            // Whoever kills the parent should not leave the child behind.
            // SAFETY: the call takes plain numbers.
            unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
            let _ =
                nix::sys::socket::recv(pairs[0].0.as_raw_fd(), &mut [0], nix::sys::socket::MsgFlags::empty());
            return;
        }
    };
    let pairs: Vec<String> =
        pairs.iter().map(|(client, server)| format!("[{}, {}]", place(client), place(server))).collect();
    println!(
        "{{\"ready\": true, \"pid\": {}, \"child\": {child}, \"listener\": {}, \"epoll\": {}, \"eventfd\": {}, \
         \"pipe\": [{}, {}], \"connections\": [{}]}}",
        std::process::id(),
        place(&listener),
        place(&epoll),
        place(&eventfd),
        place(&reader),
        place(&writer),
        pairs.join(", ")
    );
    let _ = stdin().lock().read_to_end(&mut Vec::new());
    kill(child, Signal::SIGKILL).expect("the child lives");
    waitpid(child, None).expect("wait");
}
