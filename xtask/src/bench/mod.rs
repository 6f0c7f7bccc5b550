//! What tracing costs, side by side: `cargo xtask bench` measures it and writes docs/benchmarks.md.

mod analyser;
mod beside;
mod bystander;
mod callgrind;
mod delay;
mod figures;
mod goals;
mod highest;
mod kept;
mod machine;
mod markdown;
mod page;
mod parts;
mod peers;
mod plot;
mod programs;
mod rounds;
mod sample;
mod screen;
mod servers;
mod session;
mod sides;
mod speed;
mod spread;
mod standing;
mod summary;
mod tools;
mod workloads;

pub(crate) use speed::check;

use crate::privilege::Privilege;
use crate::test;
use anyhow::{Context, Result, bail};
use kept::Place;
use std::time::Instant;
use tools::Tools;
use workloads::Size;

/// Rounds of each comparison where nothing else is said: all of it takes about 20 minutes then.
const ROUNDS: usize = 7;
const QUICK_ROUNDS: usize = 2;

/// Options of `bench`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// How many rounds a comparison has [default: 7]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    rounds: Option<u16>,
    /// Fewer rounds and smaller sizes, to see that all works: written to target/tmp/bench/docs
    #[arg(long)]
    quick: bool,
    /// Measure this part only, and keep the other figures; may be given more than once
    #[arg(long, value_name = "PART")]
    only: Vec<String>,
    /// Measure nothing: write the page again, from the kept figures
    #[arg(long)]
    render: bool,
    /// Print the parts and run nothing
    #[arg(long)]
    list: bool,
}

/// `cargo xtask bench`.
pub(crate) fn run(options: &Options) -> Result<()> {
    let all = parts::all();
    if options.list {
        all.iter().for_each(|part| println!("{:<22}{}", part.name, part.what));
        return Ok(());
    }
    let place = if options.quick { Place::thrown_away() } else { Place::docs() };
    let mut figures = place.read()?;
    if options.render {
        return place.write(&figures);
    }
    if let Some(unknown) = options.only.iter().find(|name| all.iter().all(|part| part.name != **name)) {
        bail!("no part is called {unknown}: `cargo xtask bench --list` names them");
    }
    if Privilege::find() != Some(Privilege::Root) {
        bail!(
            "tracing needs root, and sudo in front of each side would be measured with it: run this as root"
        );
    }
    test::ensure_setup()?;
    let bench = parts::Bench {
        tools: Tools::ready()?,
        rounds: options.rounds.map_or(if options.quick { QUICK_ROUNDS } else { ROUNDS }, usize::from),
        size: Size { quick: options.quick },
    };
    let here = machine::look(&bench.tools);
    if options.only.is_empty() || figures.machine.is_like(&here) {
        figures.machine = here.clone();
    }
    let began = Instant::now();
    for part in
        all.iter().filter(|part| options.only.is_empty() || options.only.iter().any(|name| name == part.name))
    {
        eprintln!("==> {}: {} ({:.0} s so far)", part.name, part.what, began.elapsed().as_secs_f64());
        (part.run)(&bench, &mut figures).with_context(|| format!("part `{}`", part.name))?;
        figures.elsewhere.remove(part.name);
        if !figures.machine.is_like(&here) {
            figures.elsewhere.insert(part.name.to_owned(), here.clone());
        }
        // After each: what was measured is not lost when a later one fails.
        place.write(&figures)?;
    }
    report(&figures);
    eprintln!("==> done, in {:.0} s", began.elapsed().as_secs_f64());
    Ok(())
}

fn report(figures: &figures::Figures) {
    for goal in goals::goals(figures) {
        let measured = goal.measured.as_deref().unwrap_or("not measured");
        println!(
            "{} {}: {measured} (goal: {})",
            if goal.is_reached { "ok " } else { "NOT" },
            goal.what,
            goal.goal
        );
    }
}
