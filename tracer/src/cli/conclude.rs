//! The end of a session, live or replayed: the report, the summary, the exit status.

use super::args::Showing;
use super::baseline;
use super::console::Console;
use super::outcome::{FOUND, Outcome};
use forkscope::analysis::Analysis;
use forkscope::report::{LossCause, ProgramCost, Report, Session};
use forkscope::sinks::json;
use forkscope::source::Account;

/// The report as of now, with these notes.
pub(super) fn assemble(
    analysis: &Analysis,
    session: Session,
    account: Account,
    notes: Vec<String>,
) -> Report {
    let mut report = analysis.report(session);
    report.notes = notes;
    for (kind, lost) in &account.lost {
        report.stats.lose(LossCause::RingFull, kind, *lost);
    }
    report.stats.lose(LossCause::Malformed, "record", account.malformed);
    for program in account.programs {
        report.stats.lose(LossCause::ProbeMissed, &program.name, program.missed);
        let cost =
            ProgramCost { runs: program.runs, run_time: program.time.as_secs_f64(), missed: program.missed };
        report.stats.overhead.programs.insert(program.name, cost);
    }
    report.stats.overhead.own_cpu = account.own_cpu;
    report
}

/// Writes the report, with these notes, and the summary. `status` is the exit status
/// without findings that fail.
pub(super) fn conclude(
    analysis: &Analysis,
    console: &Console,
    showing: &Showing,
    session: Session,
    account: Account,
    notes: Vec<String>,
    status: u8,
) -> Outcome {
    let report = assemble(analysis, session, account, notes);
    console.summary(&report);
    if let Some(path) = &showing.report {
        json::write(&report, path)?;
    }
    baseline::write(showing, analysis.known(), &report.findings)?;
    let failing = showing.fail_on.severity();
    let found = failing.is_some_and(|least| report.worst().is_some_and(|worst| worst >= least));
    Ok(if found { FOUND } else { status })
}

/// What to say where the buffer between the kernel and forkscope, of so many MiB, had no room for records.
pub(super) fn full_buffer(account: &Account, mib: u32) -> Option<String> {
    let lost: u64 = account.lost.values().sum();
    let size = mib.next_power_of_two();
    (lost > 0).then(|| {
        format!(
            "the buffer of {size} MiB between the kernel and forkscope had no room for {lost} records: `--buffer {}` makes \
             it larger",
            size.saturating_mul(4).min(1024)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_buffer_is_told_with_its_size_and_the_cure() {
        assert_eq!(full_buffer(&Account::default(), 16), None);
        let account = Account { lost: [("io", 7), ("call", 2)].into(), ..Account::default() };
        let told = full_buffer(&account, 9).unwrap_or_default();
        assert!(
            told.contains("16 MiB") && told.contains("9 records") && told.contains("`--buffer 64`"),
            "{told}"
        );
    }
}
