//! Each case is a source text and what tidy says of it.

use super::{check, lines};

/// What tidy says of `source` in `file`, as `line: message`.
fn said(file: &str, source: &str) -> Vec<String> {
    check(file, source).into_iter().map(|found| format!("{}: {}", found.line, found.message)).collect()
}

#[test]
fn rooms() {
    let cases: &[(&str, &str, &[&str])] = &[
        (
            "model/mod.rs",
            "use crate::event::Event;\nuse std::net::SocketAddr;\nuse std::time::Duration;",
            &[],
        ),
        ("model/table.rs", "use std::fs;", &["1: `model` must not use std::fs"]),
        (
            "model/table.rs",
            "use std::{collections::HashMap,\n fs::File};",
            &["2: `model` must not use std::fs"],
        ),
        ("model/table.rs", "fn f() {\n std::fs::read(p);\n}", &["2: `model` must not use std::fs"]),
        ("model/table.rs", "use ::std::io as x;", &["1: `model` must not use std::io"]),
        (
            "rules/a.rs",
            "use std::time;\nfn f() { time::Instant::now(); }",
            &["2: `rules` must not use std::time::Instant"],
        ),
        (
            "rules/a.rs",
            "use std::time as t;\nfn f() { t::SystemTime::now(); }",
            &["2: `rules` must not use std::time::SystemTime"],
        ),
        (
            "rules/a.rs",
            "use std::time::{self, Duration};\nfn f() { time::Instant::now(); }",
            &["2: `rules` must not use std::time::Instant"],
        ),
        ("rules/a.rs", "use std::time::*;", &["1: `rules` must not use std::time::Instant"]),
        ("protocol/a.rs", "fn f() { println!(\"x\") }", &["1: `protocol` must not use println!"]),
        ("rules/a.rs", "use crate::{model::Model, sinks::log};", &["1: `rules` must not use crate::sinks"]),
        ("rules/a.rs", "use super::super::source::Source;", &["1: `rules` must not use crate::source"]),
        ("rules/mod.rs", "use super::source::Source;", &["1: `rules` must not use crate::source"]),
        (
            "rules/a.rs",
            "mod tests {\n use super::super::super::cli;\n}",
            &["2: `rules` must not use crate::cli"],
        ),
        ("rules/a.rs", "mod tests { }\nuse super::super::cli;", &["2: `rules` must not use crate::cli"]),
        ("rules/a.rs", "mod tests {\n use super::source;\n}", &[]),
        ("report/a.rs", "use forkscope::cli;", &["1: `report` must not use crate::cli"]),
        ("report/a.rs", "use serde::Serialize;", &[]),
        ("sinks/log.rs", "use std::io::Write;\nuse crate::rules;", &[]),
        ("sinks/log.rs", "use aya::Ebpf;", &["1: `sinks` must not use aya"]),
        (
            "source/ebpf.rs",
            "use aya::Ebpf;\nuse crate::rules::X;",
            &["2: `source` must not use crate::rules"],
        ),
        ("cli/run.rs", "use crate::{rules, sinks, source};", &[]),
        ("main.rs", "use forkscope::rules;", &[]),
        (
            "elsewhere.rs",
            "",
            &["1: `elsewhere` is a room that no rule knows: add it to xtask/src/tidy/table.rs"],
        ),
    ];
    for (file, source, expected) in cases {
        assert_eq!(said(&format!("tracer/src/{file}"), source), *expected, "{file}: {source}");
    }
    assert!(said("xtask/src/main.rs", "use std::fs;").is_empty(), "only the tracer has rooms");
}

#[test]
fn what_is_not_code_is_not_read() {
    for source in [
        "// use std::fs;",
        "/* /* */ use std::fs; */",
        "const A: &str = \"use std::fs;\";",
        "const A: &str = \"\\\" std::fs\";",
        "const A: &str = r#\"\" std::fs\"#;",
        "const A: &[u8] = br\"\\\"; const B: char = '\"'; const C: &str = \" std::fs\";",
        "const A: u8 = b'\\''; const B: &str = \"std::fs\";",
        "fn f<'a>(a: &'a str) -> char { '\\u{1f}' }",
    ] {
        assert_eq!(said("tracer/src/model/a.rs", source), Vec::<String>::new(), "{source}");
    }
    let after = "fn f<'a>(b: &'a u8) { let _ = ('x', '\\n', r#type, 1.0e5, b\"\"); std::fs::read(p) }";
    assert_eq!(said("tracer/src/model/a.rs", after).len(), 1);
}

#[test]
fn suppressions() {
    let allow = "write `expect` with a reason: `allow` stays when nothing needs it any more";
    let ignored = "a test that is ignored tests nothing: give it its own step, or drop it";
    let cases = [
        ("#[expect(dead_code, reason = \"x\")]", None),
        ("#[expect(dead_code)]", Some("`expect` needs a `reason`")),
        ("#![expect(dead_code)]", Some("`expect` needs a `reason`")),
        ("#[allow(dead_code, reason = \"x\")]", Some(allow)),
        ("#[cfg_attr(test, allow(dead_code))]", Some(allow)),
        ("#[test]\n#[ignore]", Some(ignored)),
        ("#[ignore = \"slow\"]", Some(ignored)),
        ("fn f() { allow(1); x.expect(\"y\"); let ignore = [1]; }", None),
        ("macro_rules! m { (# $x:ident) => { expect($x) } }", None),
        ("fn f() { todo!() }", Some("todo! is for code that is not finished")),
        ("fn f() { unimplemented!() }", Some("unimplemented! is for code that is not finished")),
        ("fn f() { dbg!(1); }", Some("dbg! is for code that is not finished")),
    ];
    for (source, expected) in cases {
        let lines = said("proto/src/lib.rs", source);
        assert_eq!(lines.len(), usize::from(expected.is_some()), "{source}: {lines:?}");
        assert!(lines.iter().zip(expected).all(|(line, text)| line.ends_with(text)), "{source}: {lines:?}");
    }
}

#[test]
fn sizes() {
    let of = |lines: usize| "\n".repeat(lines);
    assert_eq!(said("proto/src/lib.rs", &of(500)), Vec::<String>::new());
    assert_eq!(said("proto/src/lib.rs", &of(501)), ["501: 501 lines: past 500 a file has two jobs"]);
    assert_eq!(lines::size_note("a.rs", &of(300)), None);
    assert_eq!(lines::size_note("a.rs", &of(301)).as_deref(), Some("a.rs has 301 lines"));
    assert_eq!(lines::size_note("a.rs", &of(501)), None);
}

#[test]
fn comments_are_no_wider_than_code() {
    let wide = "x".repeat(107);
    let said = |source: &str| said("proto/src/lib.rs", source);
    let too_wide = |line| [format!("{line}: a comment of 111 columns: code has at most 110")];
    assert_eq!(said(&format!("// {wide}\n/// {}", "é".repeat(106))), Vec::<String>::new());
    assert_eq!(said(&format!("fn f() {{\n    // {}\n}}", &wide[3..])), too_wide(2));
    assert_eq!(said(&format!("//! ```text\n//! {wide}\n//! ```\n//! {wide}")), too_wide(4));
    assert_eq!(said(&format!("// ```\nfn f() {{}}\n// x{wide}")), too_wide(3));
    assert_eq!(said(&format!("/// | {wide} |\nlet x = \"{wide}\"; //")), Vec::<String>::new());
}

#[test]
fn machines() {
    let named = |text: &str| {
        lines::machine_names("a", text.as_bytes()).iter().map(|found| found.line).collect::<Vec<_>>()
    };
    let home = concat!("/", "home/");
    assert_eq!(named(&format!("one\n\"{home}me/x\"")), [2]);
    assert_eq!(named(&format!("{home}a\0{home}b")), [1, 1]);
    assert_eq!(named(&format!("target{home}x and ${{a}}{home}")), Vec::<usize>::new());
    assert_eq!(named("home/me"), Vec::<usize>::new());
}

#[test]
fn names() {
    for (name, is_stray) in
        [("tracer/build.rs", false), (".ci/run", false), ("tracer/*.o", true), ("a b", true)]
    {
        assert_eq!(lines::stray_name(name).is_some(), is_stray, "{name}");
    }
}
