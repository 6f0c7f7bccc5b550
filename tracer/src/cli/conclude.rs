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

/// Writes the report, with these notes, and the summary. `status` is the exit status without findings that fail.
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
