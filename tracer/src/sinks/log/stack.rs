//! Where threads were, a few lines for each.

use super::paint::{Look, STRONG};
use crate::report::{Frame, Stack};
use crate::sinks::escape::escape_at_most;

/// The most stacks that are shown of a finding. The report has them all.
const MOST_STACKS: usize = 4;
/// The most frames that are shown of a stack: the innermost.
const MOST_FRAMES: usize = 8;
/// Parts of a source file's path that are shown.
const PARTS: usize = 2;

/// The lines of the stacks, without a gutter, each of at most `columns` columns. Names come from traced
/// programs and are escaped.
pub(in crate::sinks) fn lines(stacks: &[Stack], look: Look, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for stack in stacks.iter().take(MOST_STACKS) {
        let thread = if stack.tid == stack.pid { String::new() } else { format!(", thread {}", stack.tid) };
        let head = format!("{}{thread} {}:", stack.pid, stack.at.words());
        lines.push(look.paint(STRONG, &escape_at_most(&head, columns)));
        let frames = stack.frames.iter().take(MOST_FRAMES);
        lines.extend(
            frames.map(|one| format!("  {}", escape_at_most(&frame(one), columns.saturating_sub(2)))),
        );
        if stack.frames.len() > MOST_FRAMES {
            lines.push(format!("  ... {} more", stack.frames.len() - MOST_FRAMES));
        }
    }
    lines
}

/// `function (file:line)`, or as much of it as is known: `function+0x10 (module)`, `module+0x10`, `0x7f0010`.
fn frame(frame: &Frame) -> String {
    let module = frame.module.as_deref().map(|module| last(module, 1));
    let offset = frame.offset.map(|offset| format!("+{offset:#x}")).unwrap_or_default();
    let file = frame.file.as_deref().map(|file| last(file, PARTS));
    let line = frame.line.map(|line| format!(":{line}")).unwrap_or_default();
    match (&frame.function, file, module) {
        (Some(function), Some(file), _) => format!("{function} ({file}{line})"),
        (Some(function), None, Some(module)) => format!("{function}{offset} ({module})"),
        (Some(function), None, None) => format!("{function}{offset}"),
        (None, _, Some(module)) => format!("{module}{offset}"),
        (None, _, None) => frame.address.map_or_else(|| "?".to_owned(), |address| format!("{address:#x}")),
    }
}

/// The last parts of a path.
fn last(path: &str, parts: usize) -> &str {
    let start = path.rmatch_indices('/').nth(parts - 1).map_or(0, |(at, _)| at + 1);
    path.get(start..).filter(|rest| !rest.is_empty()).unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Language, Moment};
    use crate::sinks::escape::acts_on_a_terminal;

    const PLAIN: Look = Look { color: false, width: 100 };

    fn native() -> Frame {
        Frame::unknown(Language::Native)
    }

    fn stack(frames: Vec<Frame>) -> Stack {
        Stack { pid: 7, tid: 7, at: Moment::FailingCall, time: 0.5, frames }
    }

    #[test]
    fn a_frame_says_what_is_known() {
        let text = |text: &str| Some(text.to_owned());
        let (function, module, offset) = (text("send"), text("/usr/lib/libc.so.6"), Some(16));
        let file = text("/srv/app/jobs/work.py");
        for (one, said) in [
            (Frame { function: function.clone(), file, line: Some(8), ..native() }, "send (jobs/work.py:8)"),
            (
                Frame { function: function.clone(), module: module.clone(), offset, ..native() },
                "send+0x10 (libc.so.6)",
            ),
            (Frame { function, ..native() }, "send"),
            (Frame { module, offset, ..native() }, "libc.so.6+0x10"),
            (Frame { address: Some(0x7f00), ..native() }, "0x7f00"),
            (native(), "?"),
        ] {
            assert_eq!(frame(&one), said);
        }
        assert_eq!(
            (last("a/b/c", 1), last("a/b/c", 2), last("c", 2), last("a/", 1)),
            ("c", "b/c", "c", "a/")
        );
    }

    #[test]
    fn few_lines_are_shown_and_none_is_too_long() {
        let long = Frame { function: Some("f".repeat(500)), ..native() };
        let lines = lines(&vec![stack(vec![long; 40]); 9], PLAIN, 60);
        assert_eq!(lines.len(), MOST_STACKS * (MOST_FRAMES + 2));
        assert_eq!((&lines[0][..], &lines[MOST_FRAMES + 1][..]), ("7 in the failing call:", "  ... 32 more"));
        assert!(lines.iter().all(|line| line.chars().count() <= 60));
    }

    #[test]
    fn names_that_act_on_a_terminal_are_escaped() {
        let evil = "\x1b]0;owned\x07\u{202e}\n";
        let text = || Some(evil.to_owned());
        let named = Frame { function: text(), module: text(), file: text(), ..native() };
        let nameless = Frame { module: text(), ..native() };
        let lines = lines(&[stack(vec![named, nameless])], PLAIN, 100);
        assert_eq!(lines.len(), 3);
        assert!(!lines.concat().chars().any(acts_on_a_terminal), "{lines:?}");
        assert!(lines[1].contains(r"\x1b]0;owned"));
    }
}
