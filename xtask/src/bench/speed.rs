//! Has what is compared with the kept figures become worse? Fast, and with room for a busy machine.

use super::callgrind;
use super::kept::Place;
use super::sample::{result, take};
use super::sides::Side;
use super::tools::Tools;
use crate::packages;
use anyhow::{Context, Result, bail};

/// Instructions that are more by so much are a change of the code: counting gives the same each time.
const MORE_INSTRUCTIONS: f64 = 1.1;
/// What other programs on the machine do to a ratio.
const MORE_TIME: f64 = 1.5;
/// The best of so many counts.
const ATTEMPTS: usize = 5;
const EXAMPLES: [&str; 4] = ["workload", "floor", "measured", "analyse_load"];
const ROUND_TRIPS: &str = "10000";

/// Fails where a figure is worse than the kept one by more than its room, or the page
/// does not show the kept ones.
pub(crate) fn check() -> Result<()> {
    let kept = Place::docs().read()?;
    Place::docs().must_be_current(&kept)?;
    let missing = "docs/benchmarks.json lacks figures to compare with: run `cargo xtask bench` and commit it";
    let analyser = kept.analyser.as_ref().context(missing)?;
    let comparison = kept.comparisons.get("ping-pong-tcp").context(missing)?;
    let ratio = comparison.row(Side::Ebpf.key()).and_then(|row| row.over_record).context(missing)?.median;

    packages::ensure("what counts instructions", &["valgrind".to_owned()])?;
    let tools = Tools::built(&EXAMPLES)?;
    for load in callgrind::CHECKED {
        let kept = analyser.of(load).and_then(|row| row.instructions).context(missing)?;
        let counted = callgrind::instructions_per_event(&tools, load)?;
        let what = format!("instructions of the analyser for an event among {} connections", load.1);
        hold(&what, counted, kept, MORE_INSTRUCTIONS)?;
    }
    let measured = ping_pong(&tools, ratio * MORE_TIME)?;
    hold("TCP ping-pong, eBPF, over the record-only floor", measured, ratio, MORE_TIME)
}

/// The least ratio of some attempts, or the first that is good enough.
fn ping_pong(tools: &Tools, enough: f64) -> Result<f64> {
    let command = [&*tools.example("workload"), "ping-pong", "tcp", ROUND_TRIPS].map(str::to_owned);
    let cost = |side| Ok::<f64, anyhow::Error>(take(tools, side, &command, result)?.outcome.cost_us);
    let mut least = f64::MAX;
    for _ in 0..ATTEMPTS {
        let floor = cost(Side::Record)?;
        least = least.min(cost(Side::Ebpf)? / floor);
        if least <= enough {
            break;
        }
    }
    Ok(least)
}

/// Says how a figure compares with the kept one; an error where it is worse by more than this room.
fn hold(what: &str, figure: f64, kept: f64, room: f64) -> Result<()> {
    let compared = figure / kept;
    eprintln!("    {what}: {figure:.2}, kept {kept:.2} ({compared:.2} times; at most {room} times)");
    if compared > room {
        bail!(
            "{what}: {figure:.2} where docs/benchmarks.json has {kept:.2}: make it faster, or if the cost is worth it run \
             `cargo xtask bench` and say why"
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::hold;

    #[test]
    fn worse_than_the_room_is_an_error() {
        assert!(hold("x", 109.0, 100.0, 1.1).is_ok());
        assert!(hold("x", 50.0, 100.0, 1.1).is_ok());
        assert!(hold("x", 111.0, 100.0, 1.1).is_err());
    }
}
