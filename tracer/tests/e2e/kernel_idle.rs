//! Of an event loop's calls that say nothing new few are told, and all as soon as it matters who makes them.

use crate::env::Env;
use crate::obedient::Obedient;
use forkscope::event::What;
use forkscope::source::ebpf::{Access, Settings};
use forkscope_proto::calls;

/// How often each call is made.
const TIMES: usize = 1000;
/// Of so many at most say nothing new and are told: some a second, on each processor.
const FEW: usize = TIMES / 5;

const SETS_UP: &str = "
loop = select.epoll(); loop.register(there, select.EPOLLIN)
def turns(do):
    for _ in range(1000):
        try: do()
        except OSError: pass
";
const WAITS: &str = "turns(lambda: loop.poll(0))";
const RECEIVES: &str = "turns(lambda: here.recv(1))";

/// How many waits and receives of the process itself are told of what the program does.
fn told(program: &mut Obedient, line: &str) -> [usize; 2] {
    program.drain();
    program.does(line);
    let mut count = [0; 2];
    program.drain().take(None, None, |event, _| match event.what {
        What::Call(call, _) => count[0] += usize::from(call.header.nr == calls::EPOLL_WAIT),
        What::Io(io, _) => count[1] += usize::from(io.header.nr == calls::RECVFROM),
        _ => {}
    });
    count
}

fn start(settings: &Settings) -> Obedient {
    let mut program = Obedient::start(settings);
    program.does(&format!("exec({SETS_UP:?})"));
    program
}

#[test]
fn few_of_the_calls_that_say_nothing_new_are_told() {
    if Env::get().is_none() {
        return;
    }
    for access in [Access::Casting, Access::Typed, Access::Probing] {
        let mut program = start(&Settings { access, ..Settings::default() });
        for (place, line) in [WAITS, RECEIVES].into_iter().enumerate() {
            let few = told(&mut program, line)[place];
            assert!((1..FEW).contains(&few), "{access:?}: {few} of {line}");
        }
        let all = |program: &mut Obedient, line, expected, why| {
            assert_eq!(told(program, line), expected, "{access:?}: {why}");
        };
        all(
            &mut program,
            "there.send(b'x' * 1000); turns(lambda: here.recv(1))",
            [0, TIMES],
            "each brings something",
        );
        program.does("more = os.dup(loop.fileno()), os.dup(here.fileno())");
        all(&mut program, WAITS, [TIMES, 0], "another number has the instance");
        all(&mut program, RECEIVES, [0, TIMES], "another number has the socket");
        program.does("[os.close(fd) for fd in more]");
        program.does("os.posix_spawn('/bin/true', ['true'], {}); os.wait()");
        let few = told(&mut program, WAITS)[0];
        assert!(few < FEW, "{access:?}: {few} after a child that executed another program");
        program.does("os.fork() or os._exit(0); os.wait()");
        all(&mut program, WAITS, [TIMES, 0], "it has forked");
        all(&mut program, RECEIVES, [0, TIMES], "it has forked");
        program.ends();
    }
}

#[test]
fn all_calls_are_told_where_that_is_asked_for() {
    if Env::get().is_none() {
        return;
    }
    let mut program = start(&Settings { every_call: true, ..Settings::default() });
    assert_eq!(told(&mut program, WAITS), [TIMES, 0]);
    assert_eq!(told(&mut program, RECEIVES), [0, TIMES]);
    program.ends();
}
