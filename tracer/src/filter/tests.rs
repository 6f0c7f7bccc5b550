//! What filters let pass, and how they read.

use super::{Filter, FilterError, Subject};
use crate::report::{RuleId, Severity};
use proptest::prelude::*;

fn filter(text: &str) -> Filter {
    Filter::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// A failed call on a connection that a fork gave to two.
fn event() -> Subject<'static> {
    Subject {
        pid: Some(4242),
        comm: Some("python3.8"),
        call: Some("sendmsg"),
        errno: Some("ENOTSOCK"),
        fds: [6, 9].into_iter().collect(),
        connections: [3].into_iter().collect(),
        protocol: Some("HTTP/2"),
        tls: true,
        text: r#"+1.000123 4242/4243 sendmsg(6, ["Grüße: 127.0.0.1:80"], MSG_NOSIGNAL) = -1 ENOTSOCK"#,
        ..Subject::default()
    }
}

fn finding() -> Subject<'static> {
    Subject {
        other_pids: &[4240, 4241],
        other_comms: vec!["gunicorn"],
        rule: Some(RuleId::SharedStream),
        severity: Some(Severity::Warning),
        ..event()
    }
}

#[track_caller]
fn check(subject: &Subject<'_>, passing: &[&str], others: &[&str]) {
    for (texts, expected) in [(passing, true), (others, false)] {
        for text in texts {
            let filter = filter(text);
            assert_eq!(filter.matches(subject), expected, "{text}");
            assert_eq!(
                Filter::parse(&filter.to_string()).as_ref(),
                Ok(&filter),
                "{text} is shown as {filter}"
            );
        }
    }
}

#[test]
fn text_is_looked_for() {
    check(
        &event(),
        &[
            "",
            "  ",
            "enotsock",
            "SENDMSG msg_nosignal",
            r#""= -1 e""#,
            "grüße",
            "127.0.0.1:80",
            r#""[\"gr""#,
            "(6,",
            "-nowhere",
            "!nowhere",
        ],
        &["nowhere", "sendmsg nowhere", "-sendmsg", r#"!"= -1""#, "\"sendmsg  (\""],
    );
}

#[test]
fn columns_are_compared() {
    check(
        &event(),
        &["pid:4242", "pid:1,4242", "pid:4000..4300", "pid:>4241", "pid:any", "PID:4242"],
        &["pid:4240", "pid:424", "pid:>4242", "-pid:any", "-pid:4242"],
    );
    check(
        &event(),
        &["comm:python", "comm:HON", "comm:ruby,3.8", r#"comm:"python3""#],
        &["comm:ruby", "comm:any"],
    );
    check(
        &event(),
        &["call:sendmsg", "call:recvmsg,SENDMSG", "syscall:sendmsg", "call:any", "-call:close"],
        &["call:recvmsg", "call:sendto"],
    );
    check(
        &event(),
        &["errno:ENOTSOCK", "errno:enotsock", "errno:any", "-errno:EAGAIN"],
        &["errno:EPIPE", "-errno:any", "errno:any -errno:EPIPE,ENOTSOCK"],
    );
    check(&event(), &["fd:6", "fd:9", "fd:7..9", "fd:<7"], &["fd:7", "fd:>9", "-fd:9"]);
    check(&event(), &["conn:3", "connection:3", "conn:any"], &["conn:4"]);
    check(
        &event(),
        &["proto:http2", "proto:HTTP/2", "protocol:http", "proto:tls"],
        &["proto:http1", "proto:mysql"],
    );
}

#[test]
fn all_terms_must_hold() {
    check(
        &event(),
        &["pid:4242 errno:any call:sendmsg enotsock -rule:any"],
        &["pid:4242 errno:any call:recvmsg", "pid:1 errno:any"],
    );
}

#[test]
fn findings_have_several_processes_and_are_of_a_rule() {
    check(
        &finding(),
        &[
            "pid:4240",
            "pid:4241",
            "comm:gunicorn",
            "rule:shared-stream",
            "rule:enotsock,shared-stream",
            "rule:any",
        ],
        &["-pid:4240", "rule:enotsock", "-rule:any"],
    );
    check(&finding(), &["severity:warning", "severity:info"], &["severity:error", "-severity:info"]);
}

#[test]
fn what_is_not_there_is_not_what_is_asked_for() {
    let all = ["pid", "call", "errno", "fd", "conn", "proto", "rule", "severity"];
    for column in all {
        let (is, is_not) = (format!("{column}:any"), format!("-{column}:any"));
        check(&Subject::default(), &[&is_not], &[&is]);
    }
    check(
        &Subject::default(),
        &["-comm:a", "-severity:info", "-a"],
        &["comm:a", "severity:info", "fd:..9", "a"],
    );
}

#[test]
fn what_a_screen_must_write_first_is_told() {
    assert!(filter("pid:1 word").looks_in_text() && filter("-word").looks_in_text());
    assert!(!filter("pid:1 comm:word").looks_in_text());
    assert!(filter(" ").is_empty() && !filter("a").is_empty());
}

#[test]
fn filters_are_shown_as_they_read() {
    for (text, shown) in [
        ("", ""),
        ("  pid:1   word ", "pid:1 word"),
        ("!Syscall:CLOSE,dup2", "-call:close,dup2"),
        ("errno:any,EPIPE", "errno:any"),
        ("proto:http fd:>3,..1", "proto:HTTP/2,HTTP/1 fd:4..,..1"),
        (r#"comm:"a,b",C "Two Words""#, r#"comm:"a,b",c "two words""#),
        (r#""-x" "a:b" "\\\"""#, r#""-x" "a:b" "\\\"""#),
        ("severity:ERROR rule:Enotsock", "severity:error rule:enotsock"),
    ] {
        assert_eq!(filter(text).to_string(), shown, "{text}");
    }
}

#[test]
fn errors_say_what_to_write() {
    for (text, expected) in [
        (
            "pdi:4",
            "there is no column pdi (did you mean pid?); the columns are pid, comm, call, errno, fd, conn, proto, rule, \
             severity; text with a colon goes in quotes",
        ),
        (
            "localhost:80",
            "there is no column localhost; the columns are pid, comm, call, errno, fd, conn, proto, rule, severity; text \
             with a colon goes in quotes",
        ),
        ("pid:", "pid: has no value; write for example pid:4242"),
        ("call:read, write", "call: has no value; write for example call:sendmsg,recvmsg"),
        ("comm:\"\"", "comm: has no value; write for example comm:python"),
        ("pid:abc", "abc is no number of a process; write a number, a range as 3..9, >3 or <9, or any"),
        ("fd:9..3", "9..3 is no number of a descriptor; write a number, a range as 3..9, >3 or <9, or any"),
        (
            "call:sendmgs",
            "sendmgs is no system call that forkscope shows (did you mean sendmsg?); write a call as strace names it, \
             for example call:sendmsg,recvmsg",
        ),
        (
            "errno:ENOTSOK",
            "ENOTSOK is no name of an error (did you mean ENOTSOCK?); write a name of errno(3), for example \
             errno:ENOTSOCK, or errno:any for what failed",
        ),
        (
            "proto:smtp",
            "smtp is no protocol that forkscope reads; write one of HTTP/2, TLS, AMQP, MongoDB, Kafka, PostgreSQL, \
             MySQL, HTTP/1, Redis, MQTT, or any",
        ),
        ("severity:bad", "bad is no severity; write one of info, warning, error"),
        ("- pid:4", "- stands before no term; write -word, or put text that begins with it in quotes"),
        ("--report x", "- stands before no term; write -word, or put text that begins with it in quotes"),
        ("a !", "! stands before no term; write !word, or put text that begins with it in quotes"),
        ("\"\"", "there is nothing in the quotes; write the text to look for between them"),
        (
            "\"two words",
            "the quote before two words does not end; write another \" after the text, and \\\" for one in it",
        ),
        (
            "\"two\"words x",
            "words stands right behind a quote; put a space between them, or write \\\" for a quote in the text",
        ),
    ] {
        let error = Filter::parse(text).expect_err(text);
        assert_eq!(error.to_string(), expected, "{text}");
    }
    let error = Filter::parse("rule:enotsok").expect_err("no rule").to_string();
    let begin = "enotsok is no rule (did you mean enotsock?); the rules are enotsock, stale-descriptor, ";
    assert!(error.starts_with(begin), "{error}");
    assert!(matches!(Filter::parse("x:1"), Err(FilterError::NoColumn { meant: None, .. })));
}

/// Texts that are nearly filters, and those that are.
fn texts() -> impl Strategy<Value = String> {
    let column = "(pid|comm|call|errno|fd|conn|proto|rule|severity|x):";
    let value = r#"(any|3\.\.9|>3|7|close|EPIPE|http|enotsock|error|"[a-c\\", ]{0,4}"|[ÄŐΣK]|[!-~]{0,4})"#;
    let words = format!(r#"[-!]?({column}{value}(,{value})?|{value}|\PC{{0,8}})"#);
    prop::collection::vec(proptest::string::string_regex(&words).expect("a pattern"), 0..5)
        .prop_map(|words| words.join(" "))
}

proptest! {
    #[test]
    fn any_text_is_a_filter_or_an_error(text in any::<String>()) {
        let _ = Filter::parse(&text);
    }

    #[test]
    fn what_is_shown_of_a_filter_reads_the_same(text in texts()) {
        if let Ok(filter) = Filter::parse(&text) {
            let shown = filter.to_string();
            prop_assert_eq!(Filter::parse(&shown), Ok(filter), "{}", shown);
        }
    }

    #[test]
    fn a_sign_turns_a_term_round(text in texts()) {
        for term in text.split_whitespace() {
            if let (Ok(one), Ok(negated)) = (Filter::parse(term), Filter::parse(&format!("-{term}")))
                && !one.is_empty()
            {
                for subject in [event(), finding(), Subject::default()] {
                    prop_assert_ne!(one.matches(&subject), negated.matches(&subject), "{}", term);
                }
            }
        }
    }
}
