//! Keys to what they come to: where the user is then, what is selected, what is said.

use super::scenes::{busy, founding, shared};
use super::stage::Stage;
use crate::sinks::screen::{Command, Playing, Replayed};
use std::time::Duration;

/// From the beginning, keys that are read at once lead to a place, to a row with this text, to
/// a message with that one.
#[track_caller]
fn leads(stage: impl Fn() -> Stage, cases: &[(&str, &str, &str, &str)]) {
    for (keys, place, row, message) in cases {
        // As they come, and with a page drawn after each.
        for draws in [false, true] {
            let stage = stage();
            stage.page();
            for key in super::stage::parse(keys) {
                stage.does(super::super::Input::Key(key));
                if draws {
                    stage.page();
                }
            }
            assert_eq!(stage.place(), *place, "{keys}");
            assert!(stage.row().contains(row), "{keys}: {:?} does not say {row:?}", stage.row());
            assert!(stage.message().contains(message), "{keys}: {:?}", stage.message());
        }
    }
}

#[test]
fn panes_and_what_is_selected_in_them() {
    leads(
        founding,
        &[
            ("", "processes", "100", ""),
            ("j", "processes", "4200", ""),
            ("jj", "processes", "4217", ""),
            ("jjjjk", "processes", "4200", ""),
            ("G", "processes", "4217", ""),
            ("Gg", "processes", "100", ""),
            ("<End><Home><Down>", "processes", "4200", ""),
            ("<C-d><C-u>", "processes", "100", ""),
            ("<Tab>", "connections", "127.0.0.1:50051", ""),
            ("<BackTab>", "events", "close", ""),
            ("3", "findings", "enotsock", ""),
            ("4", "events", "close", ""),
            ("4g", "events", "execve", ""),
        ],
    );
}

#[test]
fn what_is_opened_and_the_way_back() {
    leads(
        founding,
        &[
            ("j<Enter>", "processes > process", "127.0.0.1:50051", ""),
            ("j<Enter><Enter>", "processes > process > connection 5", "closed", ""),
            ("2<Enter>", "connections > connection 5", "closed", ""),
            ("2<Enter>g<Enter>", "connections > connection 5 > process", "HTTP/2", ""),
            ("2<Enter>g<Enter>qq", "connections", "50051", ""),
            ("3<Enter>", "findings > finding 2", "4217 process", ""),
            ("3<Enter><Enter>", "findings > finding 2 > process", "", ""),
            ("3<Enter><Enter><Esc><Esc><Esc>", "findings", "enotsock", ""),
            ("3<Enter>2", "connections", "", ""),
            ("4o", "events > connection 5", "closed", ""),
            ("4p", "events > process", "HTTP/2", ""),
            ("3o", "findings > connection 5", "closed", ""),
            ("3p", "findings > process", "", ""),
        ],
    );
}

#[test]
fn a_step_of_the_evidence_leads_to_its_moment() {
    // The fork is the second step.
    leads(
        founding,
        &[
            ("3<Enter>/forked 4217<Enter>", "findings > finding 2", "+0.031000s 4200 forked 4217", ""),
            ("3<Enter>/forked 4217<Enter><Enter>", "findings > finding 2 > connection 5", "+0.031000s", ""),
            (
                "3<Enter>/forked 4217<Enter>o",
                "findings > finding 2 > connection 5",
                "inherited at a fork",
                "",
            ),
            ("3<Enter>/forked 4217<Enter>p", "findings > finding 2 > process", "50051", ""),
            ("3<Enter>/forked 4217<Enter>v", "events", "fork() = 4217", ""),
            ("3<Enter>/sendmsg(<Enter>v", "events", "-1 ENOTSOCK", ""),
            ("2<Enter>/inherited<Enter>v", "events", "fork() = 4217", ""),
        ],
    );
}

#[test]
fn the_event_of_a_step_is_shown_whatever_is_filtered() {
    leads(founding, &[("4\\call:close<Enter>a3<Enter>/forked 4217<Enter>v", "events", "fork() = 4217", "")]);
}

#[test]
fn sorting() {
    leads(
        founding,
        &[
            ("s", "processes", "100", "sorted by pid"),
            ("ss", "processes", "100", "sorted by findings"),
            ("sss", "processes", "", "sorted by command"),
            ("ssss", "processes", "", "sorted by tree"),
            ("2s", "connections", "", "sorted by id"),
            ("3ss", "findings", "", "sorted by count"),
            ("4s", "events", "", "sorted by time"),
        ],
    );
    let stage = founding();
    let order = |keys: &str| {
        stage.press(keys);
        stage
            .rows()
            .iter()
            .map(|row| row.split(' ').next().unwrap_or_default().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(order(""), ["100", "4200", "4217"]);
    assert_eq!(order("ss"), ["4200", "4217", "100"], "the worst first");
}

#[test]
fn folding() {
    let stage = founding();
    let rows = |keys: &str| {
        stage.press(keys);
        stage.rows().len()
    };
    assert_eq!(rows(""), 3);
    assert_eq!(rows("jh"), 2);
    assert!(stage.row().contains("[+1]"), "{}", stage.row());
    assert_eq!(rows("<Enter>"), 3, "Enter unfolds");
    assert_eq!(rows("hl"), 3);
    assert_eq!(rows("hh"), 2, "what is folded leads to its parent");
    assert!(stage.row().contains("100"));
    assert_eq!(rows("h"), 1);
}

#[test]
fn filters() {
    leads(
        founding,
        &[
            ("4\\errno:any<Enter>", "events  filter: errno:any", "ENOTSOCK", ""),
            ("4\\errno:any<Enter>\\<C-u><Enter>", "events", "", ""),
            ("\\pid:4217<Enter>", "processes  filter: pid:4217", "4217", ""),
            ("\\pid:4217<Enter>4", "events", "", ""),
            ("2\\proto:redis<Enter>", "connections  filter: proto:Redis", "", ""),
            // What cannot be read stays, to be mended.
            ("4\\errno:<Enter>", "events", "", "filter: errno:"),
            ("4\\errno:<Enter>any<Enter>", "events  filter: errno:any", "ENOTSOCK", ""),
            ("4\\errno:any<Esc>", "events", "", ""),
            ("4\\<Backspace>", "events", "", ""),
            ("3<Enter>\\x", "findings > finding 2", "", ""),
        ],
    );
    let stage = founding();
    stage.press("4\\errno:any<Enter>");
    assert_eq!(stage.rows().len(), 2);
    stage.press("\\");
    assert!(stage.message().contains("errno:any"), "the filter is there to be changed");
}

#[test]
fn searching() {
    leads(
        founding,
        &[
            ("4g/sendto<Enter>", "events", "PRI *", ""),
            ("4g/sendto<Enter>n", "events", "\\x1e", ""),
            ("4g/sendto<Enter>nN", "events", "PRI *", ""),
            ("4g/SENDTO<Enter>N", "events", "sendto", ""),
            ("/nowhere<Enter>", "processes", "100", "nothing here says nowhere"),
            ("n", "processes", "100", "/ searches for a text"),
            ("2/50051<Enter>", "connections", "50051", ""),
            ("3/enotsock<Enter>", "findings", "enotsock", ""),
            ("/4217<Enter>", "processes", "4217", ""),
            ("2<Enter>g/goaway<Enter>", "connections > connection 5", "GOAWAY", ""),
            ("/<Enter>", "processes", "100", ""),
        ],
    );
}

#[test]
fn marks_are_gone_through_sideways() {
    leads(
        shared,
        &[
            ("2<Enter>h", "connections > connection 5", "shut it down", ""),
            ("2<Enter>hh<Right>", "connections > connection 5", "shut it down", ""),
            ("2<Enter>g<Left>", "connections > connection 5", "SETTINGS sent", ""),
        ],
    );
}

#[test]
fn what_others_must_do() {
    let replayed = || {
        let stage = founding();
        stage.screen().status.replay = Some(Replayed::default());
        stage
    };
    let check = |stage: Stage, cases: &[(&str, Option<Command>)]| {
        for (keys, expected) in cases {
            stage.press("<Esc><Esc>1");
            stage.page();
            assert_eq!(stage.press(keys), *expected, "{keys}");
        }
    };
    check(
        founding(),
        &[
            ("q", Some(Command::Quit)),
            ("<C-c>", Some(Command::Quit)),
            ("3<Enter>q", None),
            ("?<C-c>", Some(Command::Quit)),
            ("?q", None),
            ("/q", None),
            ("/q<C-c>", None),
            ("<C-z>", Some(Command::Suspend)),
            ("e", Some(Command::Export)),
            ("r", Some(Command::Record)),
            ("c", Some(Command::GoOn)),
            ("y", None),
            ("3y", Some(Command::Copy(2))),
            ("3<Enter>y", Some(Command::Copy(2))),
            ("3<Enter><Enter>y", None),
            (" ", None),
            (".", None),
        ],
    );
    check(
        replayed(),
        &[
            (" ", Some(Command::Play(Playing::Toggle))),
            (".", Some(Command::Play(Playing::Step))),
            ("f", Some(Command::Play(Playing::NextFinding))),
            ("+", Some(Command::Play(Playing::Faster))),
            ("-", Some(Command::Play(Playing::Slower))),
            (">", Some(Command::Play(Playing::By(10)))),
            ("<lt>", Some(Command::Play(Playing::By(-10)))),
            ("0", Some(Command::Play(Playing::Start))),
            ("$", Some(Command::Play(Playing::End))),
            // They are letters where a line is typed.
            ("/f", None),
        ],
    );
}

#[test]
fn a_paused_screen_stands_still_and_misses_nothing() {
    let mut stage = founding();
    stage.press(" ");
    let before = stage.page();
    for pid in 7000..7003 {
        stage.kernel.fork(100, pid, 0);
        stage.wait(Duration::from_secs(2));
    }
    assert_eq!(stage.page().table, before.table);
    stage.press(" ");
    stage.wait(Duration::from_secs(1));
    assert_eq!(stage.rows().len(), before.table.rows.len() + 3);
}

#[test]
fn what_was_said_goes_and_what_failed_stays() {
    let mut stage = founding();
    let said = |stage: &mut Stage, seconds: u64| {
        stage.wait(Duration::from_secs(seconds));
        stage.message()
    };
    stage.screen().say("wrote it");
    assert_eq!((said(&mut stage, 60), said(&mut stage, 4)), ("wrote it".into(), "wrote it".into()));
    assert_eq!(said(&mut stage, 1), "");
    stage.screen().complain("cannot write it");
    assert_eq!(
        (said(&mut stage, 0), said(&mut stage, 60)),
        ("cannot write it".into(), "cannot write it".into())
    );
    stage.press("j");
    assert_eq!(said(&mut stage, 0), "");
}

#[test]
fn the_events_pane_follows_until_the_user_looks_elsewhere() {
    let mut stage = founding();
    stage.press("4");
    stage.page();
    stage.kernel.fork(100, 7000, 0);
    assert!(stage.row().contains("fork() = 7000"));
    stage.press("k");
    stage.kernel.fork(100, 7001, 0);
    assert!(!stage.row().contains("7001"), "{}", stage.row());
    stage.press("G");
    stage.kernel.fork(100, 7002, 0);
    assert!(stage.row().contains("fork() = 7002"));
}

#[test]
fn the_help_scrolls_and_any_other_key_leaves_it() {
    let stage = busy();
    let first = |stage: &Stage| stage.page().overlay.map(|help| help.lines[0].clone());
    let top = first({
        stage.press("?");
        &stage
    });
    stage.press("jj");
    assert!(top.is_some() && first(&stage).is_some() && first(&stage) != top);
    stage.press("G");
    let text = |lines: &[crate::sinks::screen::page::Line]| format!("{lines:?}");
    let help = stage.page().overlay.expect("it is shown");
    assert!(text(&help.lines).contains("severity:warning"), "{help:?}");
    stage.press("k");
    stage.press("x");
    assert_eq!(first(&stage), None);
}

#[test]
fn going_back_in_a_replay_begins_anew() {
    let stage = founding();
    stage.press("4\\errno:any<Enter>");
    assert_eq!(stage.rows().len(), 2);
    stage.screen().rewind();
    assert_eq!((stage.rows().len(), stage.place()), (0, "events  filter: errno:any".to_owned()));
    stage.press("2<Enter>");
    assert!(stage.rows().is_empty());
}
