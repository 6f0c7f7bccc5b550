//! What a report must say: exactly these errors.

use crate::corpus::note;
use serde_json::Value;

/// A finding that must be there.
#[derive(Clone, Debug, Default)]
pub(crate) struct Expected {
    /// The rule; where it may be one of several, all of them.
    pub(crate) rule: &'static [&'static str],
    /// The process that it is about; where that depends on who came first, any of these.
    pub(crate) pid: Vec<u64>,
    /// Processes that it names besides, or that are named as `pid` instead.
    pub(crate) names: Vec<u64>,
    /// The descriptor.
    pub(crate) fd: Option<u64>,
    /// The error's name.
    pub(crate) errno: Option<&'static str>,
    /// What must stand in its summary, evidence or fix.
    pub(crate) says: Vec<String>,
}

/// Asserts that the report's errors are these, each once, and no other.
#[track_caller]
pub(crate) fn check(report: &Value, expected: &[Expected]) {
    let mut found = findings(report, &["error"]);
    note(&expected.iter().map(|one| one.rule).collect::<Vec<_>>(), &rules(&found));
    for one in expected {
        let place = found.iter().position(|finding| differences(report, finding, one).is_empty());
        let Some(place) = place else {
            let why: Vec<_> = found.iter().map(|finding| differences(report, finding, one)).collect();
            panic!("no error like {one:#?}\nbecause {why:#?}\nin {found:#?}");
        };
        found.remove(place);
    }
    assert!(found.is_empty(), "errors that nobody expected: {found:#?}");
}

/// The report's errors.
#[track_caller]
pub(crate) fn errors(report: &Value) -> Vec<&Value> {
    findings(report, &["error"])
}

/// The report's warnings.
#[track_caller]
pub(crate) fn warnings(report: &Value) -> Vec<&Value> {
    findings(report, &["warning"])
}

/// The report's only finding that a user would have to read: a warning of this rule.
#[track_caller]
pub(crate) fn the_warning<'a>(report: &'a Value, rule: &str) -> &'a Value {
    the_only(&findings(report, &["error", "warning"]), rule, "warning")
}

/// The report's only error, of this rule.
#[track_caller]
pub(crate) fn the_error<'a>(report: &'a Value, rule: &str) -> &'a Value {
    the_only(&findings(report, &["error"]), rule, "error")
}

#[track_caller]
fn the_only<'a>(found: &[&'a Value], rule: &str, severity: &str) -> &'a Value {
    note(&[&[rule]], &rules(found));
    let [one] = *found else { panic!("{found:#?}") };
    assert_eq!((&one["rule"], &one["severity"]), (&rule.into(), &severity.into()), "{one:#}");
    one
}

fn rules(findings: &[&Value]) -> Vec<String> {
    findings.iter().filter_map(|one| one["rule"].as_str()).map(str::to_owned).collect()
}

/// Asserts that there is nothing that a user would have to read.
#[track_caller]
pub(crate) fn quiet(report: &Value) {
    let noise = findings(report, &["error", "warning"]);
    note(&[], &rules(&noise));
    assert!(noise.is_empty(), "noise: {noise:#?}");
    assert!(
        report["processes"].as_array().is_some_and(|all| !all.is_empty()),
        "nothing was traced: {report:#}"
    );
}

/// As [`quiet`], about this process and its children only: for a session that saw other things, too.
#[track_caller]
pub(crate) fn quiet_about(report: &Value, pid: u32) {
    let noise = findings(report, &["error", "warning"]);
    let processes = report["processes"].as_array().expect("the report has processes");
    let family = processes.iter().filter(|one| one["pid"] == pid || one["ppid"] == pid);
    let family: Vec<_> = family.map(|one| &one["pid"]).collect();
    assert!(family.len() > 1, "{pid} and its children were not seen: {report:#}");
    let noise: Vec<_> = noise.into_iter().filter(|finding| family.contains(&&finding["pid"])).collect();
    note(&[], &rules(&noise));
    assert!(noise.is_empty(), "noise: {noise:#?}");
}

/// What every report has.
const PARTS: [&str; 7] =
    ["schema_version", "tool", "session", "processes", "connections", "findings", "stats"];

/// What a replay must say as the session said it: all but where the events came from.
const SAME: [&str; 5] = ["processes", "connections", "findings", "baseline", "stats"];

/// Asserts that a replay says what the session said.
#[track_caller]
pub(crate) fn same(live: &Value, replayed: &Value) {
    for part in SAME {
        assert_eq!(live[part], replayed[part], "{part}");
    }
    for part in ["target", "start", "duration", "host"] {
        assert_eq!(live["session"][part], replayed["session"][part], "{part}");
    }
    let session = &replayed["session"];
    assert_eq!(
        (&session["backend"], &session["recorded_by"]),
        (&"replay".into(), &live["session"]["backend"])
    );
}

#[track_caller]
pub(crate) fn findings<'a>(report: &'a Value, severities: &[&str]) -> Vec<&'a Value> {
    for part in PARTS {
        assert!(!report[part].is_null(), "the report has no {part}: {report:#}");
    }
    let all = report["findings"].as_array().expect("the report has findings");
    all.iter().filter(|one| one["severity"].as_str().is_some_and(|it| severities.contains(&it))).collect()
}

/// What of the expected is not so. The finding's connection stands in the report: its text counts, too.
fn differences(report: &Value, finding: &Value, expected: &Expected) -> Vec<String> {
    let mut differences = Vec::new();
    let mut differs = |name: &str, same: bool| {
        if !same {
            differences.push(format!("{name}: {}", finding[name]));
        }
    };
    differs("rule", expected.rule.iter().any(|rule| finding["rule"] == *rule));
    differs("pid", expected.pid.is_empty() || expected.pid.iter().any(|pid| finding["pid"] == *pid));
    let others = finding["other_pids"].as_array();
    let named = |pid| finding["pid"] == pid || others.is_some_and(|all| all.contains(&Value::from(pid)));
    differs("other_pids", expected.names.iter().all(|pid| named(*pid)));
    differs("fd", expected.fd.is_none_or(|fd| finding["fd"] == fd));
    differs("errno", expected.errno.is_none_or(|errno| finding["errno"] == errno));
    differs("connection", finding["connection"].is_u64());
    let connections = report["connections"].as_array().into_iter().flatten();
    let connection = connections.filter(|one| one["id"] == finding["connection"]).map(ToString::to_string);
    let text = finding.to_string() + &connection.collect::<String>();
    let missing = expected.says.iter().filter(|words| !text.contains(words.as_str()));
    differences.extend(missing.map(|words| format!("says nowhere {words:?}")));
    differences
}

/// The value of a key in the first line that a program said in this role.
#[track_caller]
pub(crate) fn told<'a>(said: &'a [Value], role: &str, key: &str) -> &'a Value {
    let value =
        said.iter().filter(|line| line["role"] == role).map(|line| &line[key]).find(|value| !value.is_null());
    value.unwrap_or_else(|| panic!("no {key} of {role} in {said:#?}"))
}

/// As [`told`], a number.
#[track_caller]
pub(crate) fn number(said: &[Value], role: &str, key: &str) -> u64 {
    told(said, role, key).as_u64().unwrap_or_else(|| panic!("{key} of {role} is no number in {said:#?}"))
}

/// A report with one error, as the founding case gives it.
fn sample() -> Value {
    serde_json::json!({
        "schema_version": 1, "tool": {}, "session": {}, "processes": [], "stats": {},
        "connections": [{"id": 4, "remote": "127.0.0.1:30001"}],
        "findings": [
            {"rule": "enotsock", "severity": "error", "pid": 8, "other_pids": [7], "fd": 6, "errno": "ENOTSOCK",
             "connection": 4, "evidence": [{"what": "replaced by /dev/null"}]},
            {"rule": "inherited-connection", "severity": "info", "pid": 8},
        ],
    })
}

fn sample_error() -> Expected {
    let says = vec!["/dev/null".to_owned(), "30001".to_owned()];
    Expected { rule: &["enotsock"], pid: vec![8], names: vec![7], fd: Some(6), errno: Some("ENOTSOCK"), says }
}

#[test]
fn finds_what_is_expected() {
    check(&sample(), &[sample_error()]);
}

#[test]
#[should_panic(expected = "fd: 6")]
fn names_what_differs() {
    check(&sample(), &[Expected { fd: Some(5), ..sample_error() }]);
}

#[test]
#[should_panic(expected = "nobody expected")]
fn refuses_what_is_not_expected() {
    check(&sample(), &[]);
}

/// Asserts that one of these lines has all of these words.
#[track_caller]
pub(crate) fn says(lines: &[String], words: &[&str]) {
    let found = lines.iter().any(|line| words.iter().all(|word| line.contains(word)));
    assert!(found, "no line says {words:?}: {lines:#?}");
}
