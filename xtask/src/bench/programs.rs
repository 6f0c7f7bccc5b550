//! What forkscope's programs in the kernel take, as its report has it.

use super::figures::{Costs, Program};
use super::sample;
use super::tools::Tools;
use super::workloads::{Size, WORKLOADS};
use anyhow::{Context, Result};
use serde_json::Value;
use std::fs;

/// Over TCP ping-pong, once: nothing is compared with it.
pub(super) fn measure(tools: &Tools, size: Size) -> Result<Costs> {
    let workload = (WORKLOADS[0].prepare)(tools, size)?;
    let report = tools.file("report.json");
    let session =
        [&*tools.forkscope(), "run", "--backend", "ebpf", "--ui", "none", "--report", &report, "--"];
    sample::run(tools, &[&session.map(str::to_owned)[..], &workload.fast].concat())?;
    let text = fs::read_to_string(&report).context("forkscope wrote no report")?;
    costs(&serde_json::from_str(&text)?).context("the report has no programs")
}

fn costs(report: &Value) -> Option<Costs> {
    let stats = &report["stats"];
    let events = stats["events"].as_object()?.values().filter_map(Value::as_u64).sum();
    let programs = stats["overhead"]["programs"].as_object()?;
    let program = |(name, cost): (&String, &Value)| {
        Some((name.clone(), Program { runs: cost["runs"].as_u64()?, run_time: cost["run_time"].as_f64()? }))
    };
    Some(Costs { events, programs: programs.iter().filter_map(program).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_report_says_what_programs_took() {
        let report = json!({ "stats": {
            "events": { "io": 5, "call": 2 },
            "overhead": { "programs": { "exit": { "runs": 7, "run_time": 0.5, "missed": 0 } } },
        }});
        let costs = costs(&report).expect("it has programs");
        assert_eq!((costs.events, costs.programs["exit"]), (7, Program { runs: 7, run_time: 0.5 }));
    }
}
