//! Of an event loop's calls that say nothing new few are told, and all as soon as it matters who makes them.

use crate::env::{Env, forkscope};
use crate::obedient::Obedient;
use crate::process::{Process, until};
use crate::run::Session;
use crate::ways::Backend;
use forkscope::event::What;
use forkscope::source::Known;
use forkscope::source::ebpf::{Access, Settings};
use forkscope_proto::{FileKind, calls};
use std::process::Command;

/// How often each call is made.
const TIMES: usize = 1000;
/// More of so many are not told, where each says what the one before has said: unless the machine
/// takes very long for them.
const FEW: usize = TIMES / 5;

const SETS_UP: &str = "
import select
loop = select.epoll()
loop.register(there, select.EPOLLIN)
import ctypes
wake, one = ctypes.CDLL(None).eventfd(0, 0), b'\\1' + bytes(7)
def turns(do):
    for _ in range(1000):
        try: do()
        except OSError: pass
";
const WAITS: &str = "turns(lambda: loop.poll(0))";
const RECEIVES: &str = "turns(lambda: here.recv(1))";
const WAKES: &str = "turns(lambda: (os.write(wake, one), os.read(wake, 8)))";

/// What is told of what a program did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Told {
    waits: usize,
    receives: usize,
    /// Writes to its eventfd, and reads.
    wakes: [usize; 2],
    /// Waits of its children.
    of_others: usize,
    /// Programs that it, or they, executed.
    execs: usize,
}

fn told(program: &mut Obedient, line: &str) -> Told {
    program.drain();
    program.does(line);
    let (own, mut told) = (program.pid(), Told::default());
    program.drain().take(None, None, |event, _| match event.what {
        What::Call(call, _) if call.header.nr == calls::EPOLL_WAIT => {
            let count = if event.process.tgid == own { &mut told.waits } else { &mut told.of_others };
            *count += 1;
        }
        What::Io(io, _) if io.header.nr == calls::RECVFROM => told.receives += 1,
        What::Io(io, _) if io.file.kind() == FileKind::Eventfd => {
            told.wakes[usize::from(io.header.nr == calls::READ)] += 1;
        }
        What::Exec(..) => told.execs += 1,
        _ => {}
    });
    told
}

fn start(settings: &Settings, known: Known) -> Obedient {
    let mut program = Obedient::start(settings, known);
    program.does(&format!("exec({SETS_UP:?})"));
    program
}

/// Few of many calls are told, and some all the same.
fn tells_few(program: &mut Obedient, line: &str, count: impl Fn(Told) -> usize) {
    until(&format!("few are told of {line}"), || count(told(program, line)) < FEW);
    until(&format!("one is told again of {line}"), || count(told(program, line)) > 0);
}

/// Each of the calls is told.
#[track_caller]
fn tells_all(program: &mut Obedient, why: &str) {
    let (waits, receives, wakes) = (told(program, WAITS), told(program, RECEIVES), told(program, WAKES));
    assert_eq!(wakes, Told { wakes: [TIMES; 2], ..Told::default() }, "{why}");
    assert_eq!(waits, Told { waits: TIMES, ..Told::default() }, "{why}");
    assert_eq!(receives, Told { receives: TIMES, ..Told::default() }, "{why}");
}

#[test]
fn few_of_the_calls_that_say_nothing_new_are_told() {
    if Env::get().is_none() {
        return;
    }
    for access in [Access::Casting, Access::Typed, Access::Probing] {
        let mut program = start(&Settings { access, ..Settings::default() }, Known::default());
        tells_few(&mut program, WAITS, |told| told.waits);
        tells_few(&mut program, RECEIVES, |told| told.receives);
        for way in [0, 1] {
            tells_few(&mut program, WAKES, |told| told.wakes[way]);
        }
        let full = told(&mut program, "there.send(b'x' * 1000); turns(lambda: here.recv(1))");
        assert_eq!(full.receives, TIMES, "{access:?}: each brings something");
        let eight = told(&mut program, "turns(lambda: (os.write(there.fileno(), b'x' * 8), here.recv(8)))");
        assert_eq!(eight.receives, TIMES, "{access:?}: eight bytes through a socket wake nobody");
        program.does("more = os.dup(loop.fileno()), os.dup(here.fileno()), os.dup(wake)");
        tells_all(&mut program, "another number has the file");
        program.does("[os.close(fd) for fd in more]");
        let spawned = told(&mut program, "os.posix_spawn('/bin/true', ['true'], {}); os.wait()");
        assert_eq!(spawned.execs, 1, "{access:?}");
        tells_few(&mut program, WAITS, |told| told.waits);
        let child = "os.fork() or (turns(lambda: loop.poll(0)), os._exit(0)); os.wait()";
        assert_eq!(told(&mut program, child).of_others, TIMES, "{access:?}: it was forked");
        tells_all(&mut program, "it has forked");
        program.ends();
    }
}

#[test]
fn all_are_told_of_a_process_that_may_share_and_where_all_are_asked_for() {
    if Env::get().is_none() {
        return;
    }
    let every_call = Settings { every_call: true, ..Settings::default() };
    let kin = Known { kin: true, ..Known::default() };
    // What OpenSSL's call did last is read from its receives.
    let plaintext = Settings { plaintext: true, ..Settings::default() };
    for (settings, known, why) in [
        (every_call, Known::default(), "all are asked for"),
        (Settings::default(), kin, "it may share"),
        (plaintext, Known::default(), "OpenSSL is read"),
    ] {
        let mut program = start(&settings, known);
        tells_all(&mut program, why);
        program.ends();
    }
}

/// What a process shares after an exec more than one has the file of: the program has no copy of its state.
#[test]
fn few_are_told_again_after_an_exec() {
    if Env::get().is_none() {
        return;
    }
    let mut program = start(&Settings::default(), Known { kin: true, ..Known::default() });
    program.does("os.fork() or os._exit(0); os.wait()");
    tells_all(&mut program, "it has forked");
    program.executes_itself();
    program.does(&format!("exec({SETS_UP:?})"));
    tells_few(&mut program, WAITS, |told| told.waits);
    program.ends();
}

/// Several that are attached to may have forked each other, and share what nobody saw them share.
#[test]
fn all_are_told_of_several_that_are_attached_to() {
    if Env::get().is_none() {
        return;
    }
    const PROGRAM: &str = "import select; loop = select.epoll(); print('ready', flush=True); input(); \
                           [loop.poll(0) for _ in range(1000)]";
    for count in [1, 2] {
        let start = |_| Process::start(Command::new("python3").args(["-c", PROGRAM]));
        let mut programs: Vec<Process> = (0..count).map(start).collect();
        programs.iter_mut().for_each(|program| drop(program.stdout_says("ready")));
        let pids: Vec<u32> = programs.iter().map(Process::pid).collect();
        let session = Session::attach_all(Backend::Ebpf, &pids);
        programs.iter_mut().for_each(Process::go_on);
        programs.into_iter().for_each(|program| drop(program.end()));
        let calls = session.end().report["stats"]["events"]["call"].as_u64().expect("a number");
        let (calls, all) = (calls as usize, count * TIMES);
        assert!(if count > 1 { calls >= all } else { calls < all / 2 }, "{count}: {calls}");
    }
}

#[test]
fn who_looks_at_calls_sees_all() {
    if Env::get().is_none() {
        return;
    }
    const PROGRAM: &str = "import select; loop = select.epoll(); [loop.poll(0) for _ in range(1000)]";
    let mut run = Command::new(forkscope());
    run.args(["run", "--backend", "ebpf", "--ui", "log", "-vv", "--", "python3", "-c", PROGRAM]);
    let output = run.output().expect("it runs");
    let log = String::from_utf8(output.stderr).expect("text");
    assert_eq!(log.lines().filter(|line| line.contains("epoll_wait(")).count(), TIMES);
}
