use super::*;
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, fork};
use std::process::{Command, Stdio};

/// A child that has executed a program, and one that has not: what a snapshot says of each.
#[test]
fn a_copy_is_told_from_a_program_of_its_own() {
    let (reader, writer) = io::pipe().expect("a pipe");
    // Another thread than this one, older than the child.
    let (sender, receiver) = std::sync::mpsc::channel::<()>();
    let other = std::thread::spawn(move || receiver.recv());
    // SAFETY: the child makes two system calls, and ends.
    let child = match unsafe { fork() }.expect("fork") {
        ForkResult::Child => {
            // SAFETY: the calls take plain numbers and a byte that outlives them.
            unsafe {
                libc::close(std::os::fd::AsRawFd::as_raw_fd(&writer));
                libc::read(std::os::fd::AsRawFd::as_raw_fd(&reader), [0_u8; 1].as_mut_ptr().cast(), 1);
                libc::_exit(0)
            }
        }
        ForkResult::Parent { child } => child,
    };
    let mut program = Command::new("cat").stdin(Stdio::piped()).spawn().expect("cat");
    let of = |pid: u32| snapshot(pid).expect("it waits").1.copied_from;
    assert!(of(child.as_raw().unsigned_abs()).is_some_and(|threads| threads >= 2));
    assert_eq!(of(program.id()), None);
    drop((writer, reader, sender));
    waitpid(child, None).expect("it ends");
    drop(program.stdin.take());
    program.wait().expect("it ends");
    other.join().expect("no panic").expect_err("nothing was sent");
}
