//! Where in their programs threads were: stacks as they were taken, and what is made of those
//! that a finding asks for.
//!
//! ```text
//!   TakenStack -> Kept (bounded) --a finding asks--> unwind -> names -> NamedStack -> analyser, recording
//!                 Memories (whose addresses mean what) --^        standing processes: /proc, python --^
//! ```
//!
//! Nothing is unwound or named until it is asked for. What is read (files, memory of processes) is other
//! people's: all of it may be anything, and is bounded.

mod elf;
mod kept;
mod maps;
mod memories;
mod names;
mod python;
mod shortened;
mod standing;
mod unwind;

use crate::event::{Event, NamedStack, ProcKey, StackOf, TakenStack, What};
use crate::panics::quietly;
use crate::report::{Language, Moment, stack};
use crate::source::usage::now;
use elf::Files;
use forkscope_proto::StackAt;
use forkscope_proto::process::CLONE_THREAD;
use kept::Kept;
use memories::Memories;
use names::Names;
use std::io;

/// The stacks of a session. There is no other way to them than [`Stacks::begin`].
pub struct Stacks {
    kept: Kept,
    memories: Memories,
    files: Files,
    names: Names,
}

impl Stacks {
    /// None yet. From here on this process survives that files which it maps become shorter: those that are
    /// named from are other people's.
    ///
    /// # Errors
    /// What sigaction(2) answers.
    pub fn begin() -> io::Result<Self> {
        shortened::survive()?;
        Ok(Self {
            kept: Kept::default(),
            memories: Memories::default(),
            files: Files::default(),
            names: Names::default(),
        })
    }

    /// Takes in a stack, and makes sure that its addresses can be named later, when
    /// its process may have ended.
    pub fn add(&mut self, stack: TakenStack) {
        self.memories.prepare(stack.process, stack.registers[0]);
        self.kept.add(stack);
    }

    /// Takes in what happens to processes.
    pub fn event(&mut self, event: &Event<'_>) {
        match event.what {
            What::Fork(fork) if fork.flags & CLONE_THREAD == 0 => {
                let child = ProcKey { tgid: fork.child_tgid, start: fork.child_start };
                self.memories.forked(event.process, child);
                self.kept.forked(event.tid, event.time, child);
            }
            What::Exec(..) => self.memories.executed(event.process, event.time),
            _ => {}
        }
    }

    /// The stacks of a moment: none where none was taken, several where a process stands still.
    pub fn of(&mut self, wanted: &StackOf) -> Vec<NamedStack> {
        self.attempt(|stacks| stacks.find(wanted))
    }

    /// Where the threads of a process are that goes no further, in machine code and in Python.
    pub fn standing(&mut self, process: ProcKey, at: Moment) -> Vec<NamedStack> {
        self.attempt(|stacks| stacks.look(process, at))
    }

    /// Files are what others made them, and tables for unwinding and debug information are much to read:
    /// where a reader gives up by a panic, there is no answer, and tracing goes on. What they read may be as
    /// long as they like, and goes to recordings.
    fn attempt(&mut self, read: impl FnOnce(&mut Self) -> Vec<NamedStack>) -> Vec<NamedStack> {
        let mut stacks = quietly(|| read(self)).unwrap_or_else(|| {
            // What they have read so far may be half of something.
            (self.files, self.names) = (Files::default(), Names::default());
            Vec::new()
        });
        stacks.iter_mut().for_each(|stack| stack::bound(&mut stack.frames));
        stacks
    }

    fn find(&mut self, wanted: &StackOf) -> Vec<NamedStack> {
        if let StackOf::Standing { process } = *wanted {
            return self.look(process, Moment::Stalled);
        }
        let Some(taken) = self.kept.find(wanted) else { return Vec::new() };
        let at = match taken.at {
            StackAt::Fork => Moment::Fork,
            StackAt::Connect => Moment::Connect,
            StackAt::Failed => Moment::FailingCall,
        };
        // A connect that failed is what the finding is about.
        let at = if matches!(wanted, StackOf::Failed { .. }) { Moment::FailingCall } else { at };
        let maps = self.memories.of(taken.process);
        let [ip, sp, bp] = taken.registers;
        let whose = (taken.process, maps.as_deref());
        let addresses = unwind::walk(&mut self.files, whose, [ip, sp, bp], &taken.bytes);
        let frames = self.names.of(&mut self.files, whose, &addresses);
        vec![NamedStack { time: taken.time, pid: taken.process.tgid, tid: taken.tid, at, frames }]
    }

    fn look(&mut self, process: ProcKey, at: Moment) -> Vec<NamedStack> {
        let maps = self.memories.of(process);
        let whose = (process, maps.as_deref());
        let (time, pid) = (now(), process.tgid);
        let mut stacks = Vec::new();
        for thread in standing::threads(process) {
            let addresses = unwind::walk(&mut self.files, whose, thread.registers, &thread.bytes);
            let frames = self.names.of(&mut self.files, whose, &addresses);
            stacks.push(NamedStack { time, pid, tid: thread.tid, at, frames });
        }
        if maps.as_deref().is_some_and(maps::Maps::has_python) {
            let threads = python::frames(process);
            let threads = threads.into_iter().filter(|(_, frames)| !frames.is_empty());
            stacks.extend(threads.map(|(tid, frames)| NamedStack { time, pid, tid, at, frames }));
        }
        // Python's first: where there is room for few, they say more.
        stacks
            .sort_by_key(|stack| stack.frames.first().is_none_or(|frame| frame.language == Language::Native));
        stacks.truncate(MOST_STANDING);
        stacks
    }
}

/// The most stacks of one process that stands still.
const MOST_STANDING: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::proc;
    use proptest::prelude::*;
    use std::io::Write as _;
    use std::path::Path;

    /// What is told of a stack in a program that lies here.
    fn told(stacks: &mut Stacks, program: &[u8], registers: [u64; 3], words: &[u64]) -> Vec<NamedStack> {
        told_in(&std::env::temp_dir(), stacks, program, registers, words)
    }

    fn told_in(
        folder: &Path,
        stacks: &mut Stacks,
        program: &[u8],
        registers: [u64; 3],
        words: &[u64],
    ) -> Vec<NamedStack> {
        let mut file = tempfile::NamedTempFile::new_in(folder).expect("a file");
        file.write_all(program).expect("there is room");
        let inode = std::os::unix::fs::MetadataExt::ino(&file.as_file().metadata().expect("it is there"));
        let line = format!("1000-200000 r-xp 00001000 00:00 {inode} {}\n", file.path().display());
        let maps = maps::Maps::parse(line.as_bytes());
        let own = proc::key(std::process::id()).expect("it lives");
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
        stacks.attempt(|stacks| {
            let whose = (own, Some(&maps));
            let addresses = unwind::walk(&mut stacks.files, whose, registers, &bytes);
            let frames = stacks.names.of(&mut stacks.files, whose, &addresses);
            vec![NamedStack { time: 0, pid: 1, tid: 1, at: Moment::Fork, frames }]
        })
    }

    fn begun() -> Stacks {
        Stacks::begin().expect("there is such a signal")
    }

    #[test]
    fn a_reader_that_panics_has_no_answer() {
        let mut stacks = begun();
        assert!(stacks.attempt(|_| panic!("as a reader does")).is_empty());
    }

    /// A program says that its debug information is in a file beside it, and that is a pipe:
    /// opened, it would wait for ever.
    #[test]
    fn links_to_debug_information_are_not_followed() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let mut program = std::fs::read("/bin/true").expect("it is there");
        let mut rename = |from: &[u8], to: &[u8]| {
            let places = program.windows(from.len()).enumerate().filter(|(_, bytes)| *bytes == from);
            let places: Vec<usize> = places.map(|(at, _)| at).collect();
            places.iter().for_each(|&at| program[at..at + from.len()].copy_from_slice(to));
            places.len()
        };
        rename(b".gnu_debuglink\0", b".old_debuglink\0");
        // That section begins with the length of `GNU\0`, 4, as a number of four bytes
        // (elf(5)): it reads as this name.
        let renamed = rename(b".note.gnu.build-id\0", b".gnu_debuglink\0\0\0\0\0");
        assert_eq!(renamed, 1, "linkers write it");
        nix::unistd::mkfifo(&directory.path().join("\u{4}"), nix::sys::stat::Mode::S_IRWXU)
            .expect("own directory");
        let told = told_in(directory.path(), &mut begun(), &program, [0x1800, 0, 0], &[]);
        assert!(told[0].frames[0].module.is_some(), "{told:?}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        // A program whose bytes are damaged, anywhere and in its tables: it has an answer or none
        // (with overflow checks, as here, gimli 0.33 panics at some), and the next one is told as
        // if it had not been there.
        #[test]
        fn damaged_files_end_no_session(
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..200),
            words in prop::collection::vec(0u64..0x20_0000, 1..64),
            registers in any::<[u64; 2]>(),
        ) {
            let whole = std::fs::read("/bin/true").expect("it is there");
            let mut damaged = whole.clone();
            for (at, byte) in changes {
                let at = at.index(damaged.len());
                damaged[at] = byte;
            }
            let registers = [words[0], registers[0], registers[1]];
            let mut stacks = begun();
            let of_damaged = told(&mut stacks, &damaged, registers, &words);
            prop_assert!(of_damaged.iter().all(|stack| !stack.frames.is_empty()));
            let after = told(&mut stacks, &whole, registers, &words);
            let alone = told(&mut begun(), &whole, registers, &words);
            let functions = |told: &[NamedStack]| -> Vec<_> {
                told.iter().flat_map(|stack| &stack.frames).map(|frame| (frame.function.clone(), frame.offset)).collect()
            };
            prop_assert_eq!(functions(&after), functions(&alone));
            prop_assert_eq!(after.len(), 1);
        }
    }
}
