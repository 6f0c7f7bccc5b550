//! Eventfds and pipes in two processes: wake-ups, and what only looks like them.

use super::{C, Kernel, P};
use crate::report::{Confidence, Severity};
use forkscope_proto::{FileKind, calls};

const ADD: u64 = 1;
const EFD_SEMAPHORE: u64 = 1;

/// The two ends of a wake-up: of an eventfd they are one number.
#[derive(Clone, Copy)]
struct Ends {
    reader: i32,
    writer: i32,
    count: i64,
}

fn eventfd(kernel: &mut Kernel) -> Ends {
    let fd = kernel.make_kind(P, calls::EVENTFD2, FileKind::Eventfd);
    Ends { reader: fd, writer: fd, count: 8 }
}

fn pipe(kernel: &mut Kernel) -> Ends {
    let (reader, writer) = kernel.pipe(P);
    Ends { reader, writer, count: 1 }
}

impl Ends {
    fn write(self, kernel: &mut Kernel, pid: u32) {
        kernel.transfer(pid, calls::WRITE, self.writer, b"x", self.count);
    }

    fn read(self, kernel: &mut Kernel, pid: u32) {
        kernel.transfer(pid, calls::READ, self.reader, b"x", self.count);
    }

    fn wake(self, kernel: &mut Kernel, pid: u32) {
        self.write(kernel, pid);
        self.read(kernel, pid);
    }
}

/// A loop that waits for its wake-up on an epoll instance of its own.
fn waits(kernel: &mut Kernel, pid: u32, ends: Ends) {
    let ep = kernel.make_kind(pid, calls::EPOLL_CREATE1, FileKind::Epoll);
    kernel.epoll(pid, ep, ADD, ends.reader, 0x1000 + u64::from(pid));
    kernel.epoll_wait(pid, ep, &[0x1000 + u64::from(pid)]);
}

/// Loops of parent and child, without an epoll instance, of which the child's takes a
/// wake-up of the parent's.
fn poll(kernel: &mut Kernel, ends: Ends) {
    ends.wake(kernel, P);
    kernel.fork(P, C, 0);
    ends.wake(kernel, C);
    ends.wake(kernel, P);
    ends.write(kernel, P);
    ends.read(kernel, C);
}

/// The last finding is of this severity and confidence, about P, on this number.
#[track_caller]
fn told(kernel: &Kernel, fd: i32, confidence: Confidence) {
    assert_eq!(kernel.findings(), [("shared-wakeup", P, Some(fd))]);
    let finding = kernel.analysis.findings().last().expect("found");
    assert_eq!((finding.severity, finding.confidence), (Severity::Warning, confidence));
}

#[test]
fn two_loops_on_one_wake_up() {
    for made in [eventfd, pipe] {
        let mut kernel = Kernel::new();
        let ends = made(&mut kernel);
        waits(&mut kernel, P, ends);
        ends.wake(&mut kernel, P);
        kernel.fork(P, C, 0);
        waits(&mut kernel, C, ends);
        ends.wake(&mut kernel, C);
        kernel.epoll_wait(P, ends.writer + 1, &[]);
        ends.wake(&mut kernel, P);
        assert_eq!(kernel.findings(), [], "each got its own, by luck");
        ends.write(&mut kernel, P);
        ends.read(&mut kernel, C);
        told(&kernel, ends.reader, Confidence::Certain);
        let finding = kernel.analysis.findings().last().expect("found");
        let steps: Vec<_> = finding.evidence.iter().map(|step| step.what.as_str()).collect();
        let what = if ends.reader == ends.writer { "eventfd" } else { "pipe" };
        let first = format!("100 opened the {what}");
        let expected = [
            first.as_str(),
            "100 read what it had written itself: a wake-up of its own",
            &format!("forked 200, which inherited fd {}", ends.reader),
            "100 wrote to it, to wake itself",
            "200 read that",
        ];
        assert_eq!(steps, expected);
    }
}

/// Of an eventfd that one process has few writes and few reads are told: what was read before any write was
/// seen is no token that it gives back.
#[test]
fn a_wake_up_of_which_little_was_told() {
    for unseen in 1..4 {
        let mut kernel = Kernel::new();
        let ends = eventfd(&mut kernel);
        (0..unseen).for_each(|_| ends.read(&mut kernel, P));
        poll(&mut kernel, ends);
        told(&kernel, ends.reader, Confidence::Likely);
    }
}

/// Loops on poll(2), which is not seen: that each woke itself tells, but less surely.
#[test]
fn two_loops_that_poll() {
    let mut kernel = Kernel::new();
    let ends = eventfd(&mut kernel);
    poll(&mut kernel, ends);
    told(&kernel, ends.reader, Confidence::Likely);
}

/// On one epoll instance it is one cause with what else comes of that.
#[test]
fn a_wake_up_on_a_shared_epoll_instance() {
    let mut kernel = Kernel::new();
    let ends = eventfd(&mut kernel);
    let ep = kernel.make_kind(P, calls::EPOLL_CREATE1, FileKind::Epoll);
    kernel.epoll(P, ep, ADD, ends.reader, 0x1000);
    ends.wake(&mut kernel, P);
    kernel.fork(P, C, 0);
    for pid in [P, C] {
        kernel.epoll_wait(pid, ep, &[0x1000]);
    }
    ends.write(&mut kernel, P);
    ends.read(&mut kernel, C);
    told(&kernel, ends.reader, Confidence::Certain);
    let fd = kernel.connect(C, 80);
    kernel.epoll(C, ep, ADD, fd, 0x2000);
    kernel.epoll_wait(P, ep, &[0x2000]);
    assert_eq!(kernel.findings(), [("shared-epoll", P, Some(ep))]);
    ends.write(&mut kernel, P);
    ends.read(&mut kernel, C);
    assert_eq!(kernel.findings(), [("shared-epoll", P, Some(ep))]);
    let finding = kernel.analysis.findings().last().expect("found");
    assert!(finding.evidence.iter().any(|step| step.what == "200 read that"), "{:#?}", finding.evidence);
}

/// Healthy stories; none of them may say a word.
#[test]
fn what_is_no_shared_wake_up() {
    type Story = fn(&mut Kernel, Ends);
    let stories: [(&str, Story); 9] = [
        ("a child writes once, as a library's fork handler does", |kernel, ends| {
            waits(kernel, P, ends);
            ends.wake(kernel, P);
            kernel.fork(P, C, 0);
            ends.write(kernel, C);
            kernel.epoll_wait(P, ends.writer + 1, &[0x1064]);
            ends.read(kernel, P);
            ends.wake(kernel, P);
        }),
        ("a parent writes and its child reads", |kernel, ends| {
            kernel.fork(P, C, 0);
            waits(kernel, C, ends);
            for _ in 0..5 {
                ends.write(kernel, P);
                ends.read(kernel, C);
            }
        }),
        ("children write and their parent reads", |kernel, ends| {
            kernel.fork(P, C, 0);
            kernel.fork(P, 300, 0);
            waits(kernel, P, ends);
            for child in [C, 300, C] {
                ends.write(kernel, child);
                ends.read(kernel, P);
            }
        }),
        ("a parent gives work, and its children take it", |kernel, ends| {
            kernel.fork(P, C, 0);
            kernel.fork(P, 300, 0);
            for child in [C, 300, C, 300] {
                ends.write(kernel, P);
                ends.read(kernel, child);
            }
        }),
        ("a loop that is handed over", |kernel, ends| {
            waits(kernel, P, ends);
            ends.wake(kernel, P);
            kernel.fork(P, C, 0);
            ends.write(kernel, P);
            kernel.exit(P);
            ends.wake(kernel, C);
        }),
        ("a loop that its child makes anew", |kernel, ends| {
            waits(kernel, P, ends);
            ends.wake(kernel, P);
            kernel.fork(P, C, 0);
            kernel.close(C, ends.reader);
            let own = kernel.make_kind(C, calls::EVENTFD2, FileKind::Eventfd);
            let own = Ends { reader: own, writer: own, count: 8 };
            waits(kernel, C, own);
            ends.write(kernel, P);
            own.wake(kernel, C);
            ends.read(kernel, P);
        }),
        ("make's job server: tokens, for executed programs", |kernel, ends| {
            for _ in 0..4 {
                ends.write(kernel, P);
            }
            ends.read(kernel, P);
            for child in [C, 300] {
                kernel.fork(P, child, 0);
                kernel.exec(child);
            }
            for _ in 0..3 {
                for pid in [C, 300, P] {
                    ends.read(kernel, pid);
                }
                for pid in [P, C, 300] {
                    ends.write(kernel, pid);
                }
            }
        }),
        ("tokens, for forked workers", |kernel, ends| {
            for _ in 0..4 {
                ends.write(kernel, P);
            }
            ends.read(kernel, P);
            for child in [C, 300] {
                kernel.fork(P, child, 0);
            }
            for _ in 0..3 {
                for pid in [C, 300, C] {
                    ends.read(kernel, pid);
                    ends.write(kernel, pid);
                }
                ends.write(kernel, P);
                ends.read(kernel, P);
                for pid in [C, 300, P] {
                    ends.read(kernel, pid);
                }
                for pid in [P, C, 300] {
                    ends.write(kernel, pid);
                }
            }
        }),
        ("a lock: one token that goes round", |kernel, ends| {
            ends.write(kernel, P);
            for child in [C, 300] {
                kernel.fork(P, child, 0);
            }
            for pid in [C, 300, P, 300, C, P, C] {
                ends.read(kernel, pid);
                ends.write(kernel, pid);
            }
        }),
    ];
    for (name, story) in stories {
        for made in [eventfd, pipe] {
            let mut kernel = Kernel::new();
            let ends = made(&mut kernel);
            story(&mut kernel, ends);
            assert_eq!(kernel.findings(), [], "{name}");
        }
    }
}

/// Messages of more than one byte go through a channel; a semaphore counts.
#[test]
fn channels_and_semaphores() {
    for is_pipe in [false, true] {
        let mut kernel = Kernel::new();
        let ends = if is_pipe {
            Ends { count: 5, ..pipe(&mut kernel) }
        } else {
            let fd = kernel.make_kind_with(P, calls::EVENTFD2, FileKind::Eventfd, EFD_SEMAPHORE);
            Ends { reader: fd, writer: fd, count: 8 }
        };
        ends.wake(&mut kernel, P);
        kernel.fork(P, C, 0);
        for _ in 0..3 {
            ends.wake(&mut kernel, C);
            ends.wake(&mut kernel, P);
            ends.write(&mut kernel, P);
            ends.read(&mut kernel, C);
        }
        assert_eq!(kernel.findings(), [], "pipe: {is_pipe}");
    }
}
