//! The seccomp filters with which only the calls of interest stop a program that forkscope
//! starts: one for each stage.
//!
//! A filter stays for good, and with nobody tracing the calls that it names would fail (seccomp(2)): so the
//! keeper stays too, as long as one of the filtered processes lives.

use super::stage::Stage;
use forkscope_proto::arguments::{
    CLOSE_RANGE_UNSHARE, F_DUPFD, F_DUPFD_CLOEXEC, F_SETFD, FIOCLEX, FIONCLEX, SO_ERROR, SOL_SOCKET,
};
use forkscope_proto::process::CLONE_FILES;
use forkscope_proto::{Gate, calls};
use libc::{
    BPF_ABS, BPF_JEQ, BPF_JGE, BPF_JMP, BPF_JSET, BPF_K, BPF_LD, BPF_RET, BPF_W, SECCOMP_RET_ALLOW,
    SECCOMP_RET_TRACE, sock_filter,
};

/// `AUDIT_ARCH_X86_64` (include/uapi/linux/audit.h).
pub(super) const X86_64: u32 = 0xc000_003e;
/// `__X32_SYSCALL_BIT` (arch/x86/include/uapi/asm/unistd.h): calls of the x32 ABI have other numbers.
pub(super) const X32: u32 = 0x4000_0000;

/// Offsets in `struct seccomp_data`; of an argument the lower half.
const NUMBER: u32 = 0;
const ARCH: u32 = 4;
const fn argument(at: u32) -> u32 {
    16 + 8 * at
}

/// Calls that are looked for one after the other; others are passed over at once. When the kernel takes a
/// filter, it goes through it once for each call that there is (`seccomp_cache_prepare`, kernel/seccomp.c):
/// so that takes half the time.
const TOGETHER: usize = 16;

/// A stage's filter: its calls of the table stop where their arguments make them worth it, and those that
/// install another filter; all others pass, which newer kernels decide without running it (Linux 5.11).
pub(super) fn program(stage: Stage) -> Vec<sock_filter> {
    let mut program = vec![
        load(ARCH),
        jump(BPF_JEQ, X86_64, 1, 0),
        ret(SECCOMP_RET_ALLOW),
        load(NUMBER),
        jump(BPF_JGE, X32, 0, 1),
        ret(SECCOMP_RET_ALLOW),
    ];
    let stop = ret(SECCOMP_RET_TRACE | stage.mark());
    let calls = asked(stage);
    for (at, some) in calls.chunks(TOGETHER).enumerate() {
        let mut body = Vec::new();
        some.iter().for_each(|(number, asks)| one(&mut body, *number, asks, stop));
        body.push(ret(SECCOMP_RET_ALLOW));
        if let Some((next, _)) = calls.get((at + 1) * TOGETHER) {
            program.push(jump(BPF_JGE, *next, body.len() as u8, 0));
        }
        program.extend(body);
    }
    program
}

/// The calls that a stage's filter names, in order, and what each is asked.
fn asked(stage: Stage) -> Vec<(u32, Vec<Ask>)> {
    let mut calls: Vec<(u32, Vec<Ask>)> = (0..calls::TABLE as u16)
        .filter_map(|number| {
            let asks = match stage.stops(number)? {
                // Of a table that nobody else has it closes what is no endpoint.
                _ if stage == Stage::Lean && number == calls::CLOSE_RANGE => {
                    vec![Ask::Has(2, CLOSE_RANGE_UNSHARE as u32)]
                }
                asked => gate(asked),
            };
            Some((u32::from(number), asks))
        })
        .collect();
    calls.push((libc::SYS_seccomp as u32, Vec::new()));
    calls.push((libc::SYS_prctl as u32, vec![Ask::OneOf(0, &[libc::PR_SET_SECCOMP as u32])]));
    calls.sort_by_key(|(number, _)| *number);
    calls
}

/// A question about an argument.
enum Ask {
    /// It is one of these.
    OneOf(u32, &'static [u32]),
    /// It has one of these bits.
    Has(u32, u32),
}

/// What a gate asks of the arguments alone.
fn gate(gate: Gate) -> Vec<Ask> {
    match gate {
        Gate::Always | Gate::Endpoint | Gate::EitherSocket => Vec::new(),
        Gate::Fcntl => vec![Ask::OneOf(1, &[F_DUPFD as u32, F_SETFD as u32, F_DUPFD_CLOEXEC as u32])],
        Gate::Ioctl => vec![Ask::OneOf(1, &[FIOCLEX as u32, FIONCLEX as u32])],
        Gate::SockError => vec![Ask::OneOf(1, &[SOL_SOCKET as u32]), Ask::OneOf(2, &[SO_ERROR as u32])],
        Gate::UnshareFiles => vec![Ask::Has(0, CLONE_FILES as u32)],
    }
}

/// Adds: if the call is this one, and every question is answered with yes, stop it; if it is this one, pass.
fn one(program: &mut Vec<sock_filter>, number: u32, asks: &[Ask], stop: sock_filter) {
    let mut body = Vec::new();
    for ask in asks {
        match ask {
            Ask::OneOf(at, values) => {
                body.push(load(argument(*at)));
                for (index, value) in values.iter().enumerate() {
                    // Over the remaining questions and the pass.
                    body.push(jump(BPF_JEQ, *value, (values.len() - index) as u8, 0));
                }
                body.push(ret(SECCOMP_RET_ALLOW));
            }
            Ask::Has(at, bits) => {
                body.extend([load(argument(*at)), jump(BPF_JSET, *bits, 1, 0), ret(SECCOMP_RET_ALLOW)]);
            }
        }
    }
    body.push(stop);
    program.push(jump(BPF_JEQ, number, 0, body.len() as u8));
    program.extend(body);
}

fn statement(code: u32, k: u32) -> sock_filter {
    sock_filter { code: code as u16, jt: 0, jf: 0, k }
}

fn load(offset: u32) -> sock_filter {
    statement(BPF_LD | BPF_W | BPF_ABS, offset)
}

fn ret(action: u32) -> sock_filter {
    statement(BPF_RET | BPF_K, action)
}

fn jump(condition: u32, k: u32, yes: u8, no: u8) -> sock_filter {
    sock_filter { jt: yes, jf: no, ..statement(BPF_JMP | condition | BPF_K, k) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use forkscope_proto::calls::*;

    /// Runs the filter as the kernel would (seccomp(2)): whether the call stops.
    fn stops(stage: Stage, arch: u32, number: u32, args: [u64; 6]) -> bool {
        let program = program(stage);
        let (mut at, mut value) = (0, 0);
        loop {
            let one = program[at];
            at += 1;
            match u32::from(one.code) {
                code if code == BPF_LD | BPF_W | BPF_ABS => {
                    value = match one.k {
                        NUMBER => number,
                        ARCH => arch,
                        offset => args[(offset as usize - 16) / 8] as u32,
                    };
                }
                code if code == BPF_RET | BPF_K => return one.k == SECCOMP_RET_TRACE | stage.mark(),
                code => {
                    let yes = match code & !(BPF_JMP | BPF_K) {
                        BPF_JEQ => value == one.k,
                        BPF_JGE => value >= one.k,
                        BPF_JSET => value & one.k != 0,
                        other => panic!("no such condition: {other:#x}"),
                    };
                    at += usize::from(if yes { one.jt } else { one.jf });
                }
            }
        }
    }

    #[test]
    fn calls_of_interest_stop_and_others_pass() {
        const GETPPID: u32 = libc::SYS_getppid as u32;
        const SECCOMP: u32 = libc::SYS_seccomp as u32;
        const PRCTL: u32 = libc::SYS_prctl as u32;
        let set_seccomp = libc::PR_SET_SECCOMP as u64;
        for (arch, number, args, full, lean) in [
            (X86_64, u32::from(SENDTO), [3, 0, 0], true, false),
            (X86_64, u32::from(CLOSE), [3, 0, 0], true, false),
            (X86_64, u32::from(LANDLOCK_CREATE_RULESET), [0, 0, 0], true, false),
            (X86_64, GETPPID, [0, 0, 0], false, false),
            (X86_64, u32::from(CLONE), [0x400, 0, 0], true, true),
            (X86_64, u32::from(IO_URING_ENTER), [3, 1, 1], false, false),
            (X86_64, u32::from(FCNTL), [3, F_DUPFD_CLOEXEC, 0], true, false),
            (X86_64, u32::from(FCNTL), [3, F_DUPFD, 0], true, false),
            (X86_64, u32::from(FCNTL), [3, 3, 0], false, false),
            (X86_64, u32::from(IOCTL), [3, FIONCLEX, 0], true, false),
            (X86_64, u32::from(IOCTL), [3, 0x5401, 0], false, false),
            (X86_64, u32::from(GETSOCKOPT), [3, SOL_SOCKET, SO_ERROR], true, false),
            (X86_64, u32::from(GETSOCKOPT), [3, SOL_SOCKET, 3], false, false),
            (X86_64, u32::from(GETSOCKOPT), [3, 6, SO_ERROR], false, false),
            (X86_64, u32::from(UNSHARE), [CLONE_FILES, 0, 0], true, true),
            (X86_64, u32::from(UNSHARE), [0x2000_0000, 0, 0], false, false),
            (X86_64, u32::from(CLOSE_RANGE), [3, 9, 0], true, false),
            (X86_64, u32::from(CLOSE_RANGE), [3, 9, 2], true, true),
            (X86_64, u32::from(SOCKET), [1, 1, 0], true, true),
            (X86_64, u32::from(SOCKETPAIR), [1, 1, 0], true, true),
            (X86_64, u32::from(PIPE2), [0, 0, 0], true, true),
            (X86_64, u32::from(EPOLL_CREATE1), [0, 0, 0], true, true),
            (X86_64, u32::from(EVENTFD2), [0, 0, 0], true, true),
            (X86_64, u32::from(IO_URING_SETUP), [8, 0, 0], true, true),
            (X86_64, u32::from(PIDFD_GETFD), [3, 4, 0], true, true),
            (X86_64, u32::from(CLONE3), [0, 0, 0], true, true),
            (X86_64, u32::from(VFORK), [0, 0, 0], true, true),
            (X86_64, u32::from(OPENAT), [0, 0, 0], true, false),
            (X86_64, u32::from(READ), [0, 0, 0], true, false),
            (X86_64, SECCOMP, [1, 0, 0], true, true),
            (X86_64, PRCTL, [set_seccomp, 2, 0], true, true),
            (X86_64, PRCTL, [15, 0, 0], false, false),
            (X86_64, u32::from(SENDTO) | X32, [3, 0, 0], false, false),
            (0x4000_0003, u32::from(SENDTO), [3, 0, 0], false, false),
        ] {
            let [a, b, c] = args;
            let stops = |stage| stops(stage, arch, number, [a, b, c, 0, 0, 0]);
            assert_eq!([stops(Stage::Full), stops(Stage::Lean)], [full, lean], "{number} {args:?}");
        }
    }

    #[test]
    fn each_call_of_a_stage_is_found_and_no_other() {
        for stage in [Stage::Full, Stage::Lean] {
            let named: Vec<u32> = asked(stage).iter().map(|(number, _)| *number).collect();
            assert!(named.is_sorted_by(|one, next| one < next), "{named:?}");
            for number in 0..600 {
                // Arguments to which each question is answered with yes, of which there are two kinds.
                let wanted =
                    [[u64::MAX; 6], [22, 1, 4, 0, 0, 0], [0, FIOCLEX, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0]];
                let stops = wanted.iter().any(|args| stops(stage, X86_64, number, *args));
                assert_eq!(stops, named.contains(&number), "{number}");
            }
        }
    }

    /// What newer kernels know to pass by its number alone costs next to nothing (`seccomp_is_const_allow`,
    /// kernel/seccomp.c): no argument may be looked at before that.
    #[test]
    fn what_passes_is_known_by_its_number() {
        let program = program(Stage::Lean);
        let arguments = program
            .iter()
            .filter(|one| u32::from(one.code) == BPF_LD | BPF_W | BPF_ABS && !matches!(one.k, NUMBER | ARCH));
        assert_eq!(arguments.count(), 3, "of unshare, close_range and prctl");
    }

    #[test]
    fn the_kernel_takes_it() {
        // `BPF_MAXINSNS` (include/uapi/linux/bpf_common.h).
        assert!(program(Stage::Full).len() < 4096);
        assert!(program(Stage::Lean).len() < program(Stage::Full).len() / 2);
    }
}
