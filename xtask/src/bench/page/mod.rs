//! docs/benchmarks.md, and its pictures: made of the figures and of nothing else.

mod alone;
mod comparison;
mod costs;

use super::figures::{Figures, Machine};
use super::goals::goals;
use super::markdown::table;

/// A picture's name (without its folder) and its text.
pub(super) type Picture = (String, String);

/// The page and its pictures.
pub(super) fn page(figures: &Figures) -> (String, Vec<Picture>) {
    let mut pictures = Vec::new();
    let mut parts = vec![head(), goals_table(figures), how()];
    parts.push(comparison::all(figures, &mut pictures));
    parts.push(alone::beside(figures));
    parts.push(costs::section(figures));
    parts.push(alone::sessions(figures));
    parts.push(alone::analyser(figures, &mut pictures));
    parts.push(machine(figures));
    (parts.join("\n"), pictures)
}

fn head() -> String {
    "# Benchmarks\n\nWhat tracing costs, beside other tracers and beside the floor: what any tracer with the same hooks in the \
     kernel must cost. `cargo xtask bench` measures all of it side by side and writes this page; a step of `cargo xtask \
     test` fails where what can be compared on a busy machine has become worse.\n"
        .to_owned()
}

fn goals_table(figures: &Figures) -> String {
    let rows: Vec<Vec<String>> = goals(figures)
        .into_iter()
        .map(|goal| {
            let is_reached = match (&goal.measured, goal.is_reached) {
                (None, _) => "not measured",
                (_, true) => "reached",
                (_, false) => "**not reached**",
            };
            let measured = goal.measured.unwrap_or_default();
            [goal.what, goal.goal, &measured, is_reached].map(str::to_owned).into()
        })
        .collect();
    format!("## Goals\n\n{}", table(&["what", "goal", "measured", ""], false, &rows))
}

fn how() -> String {
    "## How it is measured\n\n\
     - All sides of a table run in turns, in rounds that each begin with another side. A cost is a ratio to the side with no \
     tracer *in the same round*; tables give the median of the rounds, with the least and the most of them.\n\
     - Each side is a prefix in front of the workload, which times itself: what starts the tracer is not in it. Tracers that \
     take much longer for a call trace fewer operations.\n\
     - A bystander is timed from half a second after the traced program began, a gRPC client after its first \
     1,500 calls: a system call may take longer while a tracer is new.\n\
     - A gRPC client has the first processor and its server the last one, both ends of the ping-pong share the first: where \
     the scheduler puts them is not measured. Tracers have all processors.\n\
     - What gRPC loses is a few percent, and less than what runs of a program differ by: it is measured of one client that lives \
     on, in turns beside no tracer, beside the floor and beside forkscope, each of which comes and goes. Behind the median \
     stands a range: 19 times of 20 the median of any number of turns lies in it.\n\
     - *The floor* is programs on forkscope's two hooks of system calls that do nothing, or that only reserve and submit a \
     record of 64 bytes at each call's exit.\n\
     - The live screen is `forkscope attach --ui tui` on a terminal of 200x60; all other tracers write to a file.\n\
     - strace prints its classes `network` and `desc`; perf trace and bpftrace print the calls of these that move bytes or \
     change descriptors. bpftrace prints a call's process, name and result, the others also its arguments.\n\
     - CPU is that of the tracer's processes, without that of the workload and without what the same session costs around a \
     program that does nothing. What programs in the kernel take is part of the workload's time.\n\
     - Memory is the highest resident memory of the tracer's first process.\n\
     - Events are what each tracer counts or prints, of all rounds: their kinds differ. Of calls that say nothing new forkscope \
     counts some a second, and on the live screen all.\n"
        .to_owned()
}

fn machine(figures: &Figures) -> String {
    let list = |Machine { processor, processors, memory_gb, kernel, versions }: &Machine| {
        let versions: String = versions.iter().map(|version| format!("- {version}\n")).collect();
        format!("- {processors} processors ({processor}), {memory_gb} GB\n- {kernel}\n{versions}\n")
    };
    let other = |(part, machine): (&String, &Machine)| {
        format!("The part `{part}` was measured later, on another machine:\n\n{}", list(machine))
    };
    let others: String = figures.elsewhere.iter().map(other).collect();
    format!(
        "## Machine, versions, commands\n\n{}{others}\
         `cargo xtask bench`, as root, installs what it needs and writes this page; `--only PART` measures one part again, \
         `--quick` tries everything in little time and keeps nothing, `--rounds N` makes more rounds, `--list` names the \
         parts, and `--render` writes the page again from docs/benchmarks.json.\n",
        list(&figures.machine)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_without_figures_says_what_is_missing() {
        let (page, _) = page(&Figures::default());
        assert!(page.contains("| attach to 10,000 sockets | at most 200 ms |  | not measured |"), "{page}");
    }

    #[test]
    fn a_page_says_what_is_of_another_machine() {
        let machine = |processor: &str| Machine { processor: processor.into(), ..Machine::default() };
        let elsewhere = [("beside".to_owned(), machine("B"))].into();
        let (page, _) = page(&Figures { machine: machine("A"), elsewhere, ..Figures::default() });
        let [one, other] =
            ["(A), 0 GB", "`beside` was measured later, on another machine:\n\n- 0 processors (B)"];
        assert!(page.contains(one) && page.contains(other), "{page}");
        assert!(!machine("A").is_like(&machine("B")));
    }
}
