//! What the screen shows, compared with the files in `expected/`. FORKSCOPE_BLESS=1 writes them anew:
//! read the difference then.

use super::*;
use crate::report::{Baselined, Confidence, Finding, LossCause, Report, sample};
use crate::sinks::escape::acts_on_a_terminal;
use std::path::Path;

const PLAIN: Look = Look { color: false, width: 100 };

#[track_caller]
fn check(name: &str, shown: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/sinks/log/expected").join(name);
    if std::env::var_os("FORKSCOPE_BLESS").is_some() {
        std::fs::write(&path, shown).expect("the source tree is writable");
    }
    let expected = std::fs::read_to_string(&path).expect("each case has its file");
    assert!(shown == expected, "{name} shows\n{shown}\ninstead of\n{expected}");
}

fn show(finding: &Finding, look: Look) -> String {
    render(&FindingView::of(finding, &sample::report()), look)
}

/// The founding case, with many steps between its beginning and its end.
fn long() -> Finding {
    let mut finding = sample::finding();
    let last = finding.evidence.pop().expect("the sample has evidence");
    let steps = (0..30_u32).map(|i| {
        let what = "one of many steps between the fork and the failure";
        sample::step(0.54 + f64::from(i) / 1000.0, 4242, what, "read", Some(6), "6")
    });
    finding.evidence.extend(steps);
    finding.evidence.push(last);
    finding.confidence = Confidence::Likely;
    finding.count = 12;
    finding.last_seen = 3.25;
    finding.other_pids = vec![4240, 1, 2, 3, 5];
    finding
}

#[test]
fn the_founding_case() {
    check("founding-100.txt", &show(&sample::finding(), PLAIN));
    check("founding-60.txt", &show(&sample::finding(), Look { width: 60, ..PLAIN }));
    check("founding-color.txt", &show(&sample::finding(), Look { color: true, ..PLAIN }));
}

/// One cause on many connections is told in full once.
#[test]
fn one_of_many_alike() {
    let finding = sample::finding();
    check(
        "mention-60.txt",
        &mention(&FindingView::of(&finding, &sample::report()), Look { width: 60, ..PLAIN }),
    );
}

#[test]
fn long_evidence() {
    check("long-100.txt", &show(&long(), PLAIN));
    check("long-60.txt", &show(&long(), Look { width: 60, ..PLAIN }));
}

#[test]
fn a_finding_with_nothing_but_a_title() {
    let Finding { id, rule, severity, title, .. } = sample::finding();
    let bare = Finding {
        id,
        fingerprint: String::new(),
        known: false,
        rule,
        severity,
        title,
        confidence: Confidence::Inconclusive,
        summary: String::new(),
        pid: 77,
        other_pids: Vec::new(),
        fd: None,
        connection: None,
        syscall: None,
        errno: None,
        first_seen: 0.0,
        last_seen: 0.0,
        count: 1,
        evidence: Vec::new(),
        stacks: Vec::new(),
        fix: Vec::new(),
        docs: String::new(),
    };
    check("bare.txt", &show(&bare, PLAIN));
}

#[test]
fn a_finding_fits_a_screen_and_its_width() {
    for width in [0, 50, 60, 80, 100, 1000] {
        for finding in [sample::finding(), long()] {
            let look = Look { width, ..PLAIN };
            let shown = show(&finding, look);
            assert!(shown.lines().all(|line| line.chars().count() <= look.columns()), "{shown}");
            // A narrow terminal has no bound: the evidence comes first.
            let most = match look.columns() {
                ..80 => usize::MAX,
                80..100 => 33,
                _ => 25,
            };
            assert!(shown.lines().count() <= most, "{} lines:\n{shown}", shown.lines().count());
        }
    }
}

#[test]
fn colour_changes_nothing_else() {
    let shown = show(&long(), Look { color: true, ..PLAIN });
    assert_eq!(anstream::adapter::strip_str(&shown).to_string(), show(&long(), PLAIN));
}

#[test]
fn the_summary() {
    let mut report = sample::report();
    report.stats.corrected = 1;
    report.stats.lose(LossCause::Malformed, "call", 2);
    check("summary-100.txt", &summary(&report, PLAIN));
    check("summary-60.txt", &summary(&report, Look { width: 60, ..PLAIN }));
    let quiet = Report::new(report.session);
    check("summary-quiet.txt", &summary(&quiet, PLAIN));
}

#[test]
fn what_the_baseline_knows() {
    let mut report = sample::report();
    report.findings[0].known = true;
    check("known-100.txt", &show(&report.findings[0], PLAIN));
    let stale =
        ["a; b, child of c; HTTP/2; tcp loopback; sendmsg EBADF", "second", "third", "\x1b[2J", "fifth"];
    report.baseline = Some(Baselined { entries: 6, stale: stale.map(Into::into).to_vec() });
    check("summary-known-100.txt", &summary(&report, PLAIN));
    let mut other = sample::finding();
    other.id = 2;
    report.findings.push(other);
    report.baseline = Some(Baselined { entries: 1, stale: Vec::new() });
    check("summary-known-60.txt", &summary(&report, Look { width: 60, ..PLAIN }));
}

#[test]
fn nothing_hostile_reaches_the_terminal() {
    const HOSTILE: &str =
        "\x1b[2J\x1b]0;pwned\x07\r\nerror[forged]: \u{9b}31m\u{202e}txt.exe\u{2066}\u{200b}\0\x7f\u{2028}";
    let mut report = sample::report();
    let mut finding = sample::finding();
    for text in [&mut finding.title, &mut finding.summary, &mut finding.docs] {
        *text = HOSTILE.into();
    }
    for step in &mut finding.evidence {
        step.what = HOSTILE.into();
        step.syscall = Some(HOSTILE.into());
        step.result = Some(HOSTILE.into());
    }
    for fix in &mut finding.fix {
        fix.text = HOSTILE.into();
        fix.why = HOSTILE.into();
    }
    for process in &mut report.processes {
        process.comm = HOSTILE.into();
        process.cmdline = if process.pid == finding.pid { vec![HOSTILE.into(); 9] } else { Vec::new() };
    }
    report.connections[0].local = Some(HOSTILE.into());
    report.stats.lose(LossCause::Malformed, HOSTILE, 1);
    let hostile = |shown: String| shown.chars().any(|c| c != '\n' && acts_on_a_terminal(c));
    for width in [50, 100] {
        let look = Look { width, ..PLAIN };
        let shown = render(&FindingView::of(&finding, &report), look);
        assert!(!shown.lines().any(|line| line.starts_with("error[forged]")), "{shown}");
        assert!(!hostile(shown));
        assert!(!hostile(summary(&report, look)));
    }
}
