//! The parts of a run, in order.

use super::figures::Figures;
use super::tools::Tools;
use super::workloads::{Size, WORKLOADS, Workload};
use super::{analyser, beside, bystander, delay, highest, programs, rounds, screen, standing};
use anyhow::Result;

/// What all parts use.
pub(super) struct Bench {
    pub(super) tools: Tools,
    pub(super) rounds: usize,
    pub(super) size: Size,
}

type Run = Box<dyn Fn(&Bench, &mut Figures) -> Result<()>>;

/// Something that is measured by itself.
pub(super) struct Part {
    /// What `--only` takes.
    pub(super) name: &'static str,
    pub(super) what: &'static str,
    pub(super) run: Run,
}

/// Backends, by the names that `--backend` takes.
const BACKENDS: [&str; 2] = ["ebpf", "ptrace"];

/// All of them. What a session costs by itself comes first: it is subtracted later.
pub(super) fn all() -> Vec<Part> {
    let mut parts = vec![part("starts", "a session around a program that does nothing", |bench, figures| {
        figures.starts = rounds::starts(&bench.tools, bench.rounds.min(5))?;
        Ok(())
    })];
    parts.extend(WORKLOADS.iter().map(comparison));
    parts.extend([
        part(bystander::NAME, "system calls of a process that is not traced", |bench, figures| {
            let comparison = bystander::compare(&bench.tools, bench.rounds, bench.size)?;
            figures.comparisons.insert(bystander::NAME.to_owned(), comparison);
            Ok(())
        }),
        part("beside", "a gRPC client that lives on while tracers come and go", |bench, figures| {
            for (name, threads) in beside::CLIENTS {
                let turns = bench.rounds * bench.size.of(beside::TURNS);
                figures.beside.insert(name.to_owned(), beside::measure(&bench.tools, threads, turns)?);
            }
            Ok(())
        }),
        part("costs", "what programs in the kernel take", |bench, figures| {
            figures.costs = Some(programs::measure(&bench.tools, bench.size)?);
            Ok(())
        }),
        part("delay", "from the failing call to the finding", |bench, figures| {
            for backend in BACKENDS {
                figures.delay.insert(backend.to_owned(), delay::measure(&bench.tools, backend, bench.size)?);
            }
            Ok(())
        }),
        part("attach", "attaching to a process with many sockets", |bench, figures| {
            figures.attach = Some(standing::attach(&bench.tools, bench.rounds)?);
            Ok(())
        }),
        part("idle", "memory of a session in which nothing happens", |bench, figures| {
            for backend in BACKENDS {
                figures.idle.insert(backend.to_owned(), standing::idle(&bench.tools, backend)?);
            }
            Ok(())
        }),
        part("highest", "losses at the highest rate", |bench, figures| {
            figures.highest = highest::measure(&bench.tools, bench.rounds.min(3), bench.size)?;
            Ok(())
        }),
        part("screen", "keys on the live screen over a large recording", |bench, figures| {
            figures.screen = Some(screen::measure(&bench.tools, bench.size)?);
            Ok(())
        }),
        part("analyser", "the analyser alone", |bench, figures| {
            figures.analyser = Some(analyser::measure(&bench.tools, bench.size)?);
            Ok(())
        }),
    ]);
    parts
}

fn part(
    name: &'static str,
    what: &'static str,
    run: impl Fn(&Bench, &mut Figures) -> Result<()> + 'static,
) -> Part {
    Part { name, what, run: Box::new(run) }
}

fn comparison(workload: &'static Workload) -> Part {
    part(workload.name, workload.title, move |bench, figures| {
        let comparison = rounds::compare(&bench.tools, workload, bench.rounds, bench.size, &figures.starts)?;
        figures.comparisons.insert(workload.name.to_owned(), comparison);
        Ok(())
    })
}
