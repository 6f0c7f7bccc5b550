//! docs/corpus.md: the cases of the end-to-end tests, what each expects, and what was found.
//!
//! The tests write a line of JSON for each check, where they are told to (`tracer/tests/e2e/corpus.rs`).

use crate::generated::{Options, keep};
use crate::paths;
use anyhow::{Context, Result};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

/// The variable that tells the tests where to write.
pub(crate) const VARIABLE: &str = "FORKSCOPE_CORPUS";
const LINES: &str = "target/tmp/corpus.jsonl";
const PAGE: &str = "docs/corpus.md";
const BACKENDS: [&str; 2] = ["ebpf", "ptrace"];

/// One check of a test.
#[derive(Debug, Deserialize)]
struct Line {
    test: String,
    /// Rules: of each list one.
    expected: Vec<Vec<String>>,
    found: Vec<String>,
}

/// What one backend's checks of a case came to.
#[derive(Debug, Default)]
struct Ran {
    expected: Vec<Vec<String>>,
    found: Vec<String>,
}

/// Cases in order, by name and by the test that two of one name are told apart by, and in each the backends.
type Cases = BTreeMap<[String; 2], BTreeMap<&'static str, Ran>>;

/// Where the tests are to write; what an earlier run wrote is gone.
pub(crate) fn begin() -> Result<PathBuf> {
    let path = paths::at(LINES);
    fs::create_dir_all(path.parent().context("it lies in a folder")?)?;
    if path.exists() {
        fs::remove_file(&path).with_context(|| format!("cannot remove {LINES}"))?;
    }
    Ok(path)
}

/// Whether the tests have run.
pub(crate) fn is_there() -> bool {
    paths::at(LINES).exists()
}

/// Writes the page, or with `--check` compares it.
pub(crate) fn run(options: &Options) -> Result<()> {
    let text = fs::read_to_string(paths::at(LINES))
        .with_context(|| format!("no {LINES}: run `cargo xtask test --only e2e` first"))?;
    let lines = text.lines().map(serde_json::from_str).collect::<Result<Vec<Line>, _>>().context(LINES)?;
    keep("corpus", PAGE, &page(&cases(lines)), options)
}

fn cases(lines: Vec<Line>) -> Cases {
    let mut cases = Cases::new();
    for line in lines {
        let (case, backend) = name(&line.test);
        let ran = cases.entry(case).or_default().entry(backend).or_default();
        ran.expected.extend(line.expected);
        ran.found.extend(line.found);
    }
    cases
}

/// `cases_db::ebpf::redis_in_turns` is the case `redis in turns`, on `ebpf`: where a test says nothing else.
fn name(test: &str) -> ([String; 2], &'static str) {
    let backend = BACKENDS.into_iter().find(|backend| test.contains(&format!("::{backend}::")));
    let case = test.rsplit("::").next().unwrap_or(test).replace('_', " ");
    let backend = backend.unwrap_or(BACKENDS[0]);
    ([case, test.replace(backend, "")], backend)
}

impl Ran {
    /// Is each expected rule found, in its place, and no other?
    fn is_right(&self) -> bool {
        self.missed() == 0 && self.found.len() == self.expected.len()
    }

    fn missed(&self) -> usize {
        let mut found: Vec<&String> = self.found.iter().collect();
        let misses = |rules: &&Vec<String>| match found.iter().position(|rule| rules.contains(rule)) {
            Some(at) => {
                found.swap_remove(at);
                false
            }
            None => true,
        };
        self.expected.iter().filter(misses).count()
    }
}

/// A case on one backend, in its cell of the table.
fn cell(ran: Option<&Ran>) -> String {
    match ran {
        None => String::new(),
        Some(ran) if ran.is_right() => "as expected".into(),
        Some(ran) if ran.found.is_empty() => "**nothing**".into(),
        Some(ran) => format!("**{}**", ran.found.join(", ")),
    }
}

fn page(cases: &Cases) -> String {
    let is_failing = |ran: &BTreeMap<_, Ran>| ran.values().any(|ran| !ran.expected.is_empty());
    let (failing, healthy): (Vec<_>, Vec<_>) = cases.iter().partition(|(_, ran)| is_failing(ran));
    let mut page = String::from(
        "# Corpus\n\nWhat the end-to-end tests show, written by `cargo xtask corpus` from their last run. Each case is a \
         real program with a real server, traced on each backend; the recording of each session is replayed and must say \
         the same. A case is right when all that is expected is found, about the right processes, and nothing else.\n",
    );
    section(&mut page, "Programs with a bug", &failing);
    section(&mut page, "Healthy programs", &healthy);
    page.push_str(&totals(cases));
    page
}

fn section(page: &mut String, title: &str, cases: &[(&[String; 2], &BTreeMap<&'static str, Ran>)]) {
    let _ = write!(page, "\n## {title}\n\n| case | expected | eBPF | ptrace |\n| --- | --- | --- | --- |\n");
    for ([case, _], ran) in cases {
        let expected: Vec<String> = ran
            .values()
            .next()
            .map_or_else(Vec::new, |ran| ran.expected.iter().map(|rules| rules.join(" or ")).collect());
        let expected = if expected.is_empty() { "nothing".into() } else { expected.join(", ") };
        let [ebpf, ptrace] = BACKENDS.map(|backend| cell(ran.get(backend)));
        let _ = writeln!(page, "| {case} | {expected} | {ebpf} | {ptrace} |");
    }
}

fn totals(cases: &Cases) -> String {
    let runs = || cases.values().flat_map(BTreeMap::values);
    let expected: usize = runs().map(|ran| ran.expected.len()).sum();
    let missed: usize = runs().map(Ran::missed).sum();
    let found: usize = runs().map(|ran| ran.found.len()).sum();
    format!(
        "\n## Totals\n\n- Expected findings: {expected}; found: {}.\n- False findings, in {} sessions: {}.\n",
        expected - missed,
        runs().count(),
        found + missed - expected,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(test: &str, expected: &[&[&str]], found: &[&str]) -> Line {
        let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Line {
            test: test.into(),
            expected: expected.iter().map(|rules| owned(rules)).collect(),
            found: owned(found),
        }
    }

    #[test]
    fn a_page_says_what_was_expected_and_found() {
        let page = page(&cases(vec![
            line("db::ptrace::in_turns", &[&["stolen-reply", "shared-stream"]], &["shared-stream"]),
            line("db::ebpf::in_turns", &[&["stolen-reply", "shared-stream"]], &[]),
            line("healthy::ebpf::by_spawn", &[], &[]),
            line("healthy::ptrace::by_spawn", &[], &["enotsock"]),
            line("servers::watched", &[], &[]),
        ]));
        for row in [
            "| in turns | stolen-reply or shared-stream | **nothing** | as expected |",
            "| by spawn | nothing | as expected | **enotsock** |",
            "| watched | nothing | as expected |  |",
            "- Expected findings: 2; found: 1.",
            "- False findings, in 5 sessions: 1.",
        ] {
            assert!(page.contains(row), "{row} in\n{page}");
        }
    }
}
