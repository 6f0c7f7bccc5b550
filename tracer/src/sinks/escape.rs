//! Makes text from traced programs safe to show.
//!
//! A process chooses its name, its command line and its paths. Written raw to a terminal they could move the
//! cursor, change colours, forge lines of this program's output, or swap the order in which text reads.
//! Everything that is shown goes through [`escape`].

use std::borrow::Cow;
use std::fmt::Write;

/// The most characters that [`escape`] lets through before it cuts.
pub const MOST: usize = 1000;

/// The text with nothing in it that acts on a terminal: each such character is written as an
/// escape (`\n`, `\x1b`, `\u{202e}`), and what is longer than [`MOST`] characters ends in `...`.
/// Escaping twice changes nothing.
#[must_use]
pub fn escape(text: &str) -> Cow<'_, str> {
    escape_at_most(text, MOST)
}

/// As [`escape`], cut at `most` characters of the result (the `...` included, where there is room for it).
#[must_use]
pub fn escape_at_most(text: &str, most: usize) -> Cow<'_, str> {
    // No text of at most `most` bytes has more than `most` characters.
    if text.len() <= most && !text.chars().any(acts_on_a_terminal) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len().min(most));
    let mut used = 0;
    // Where to cut, should the rest not fit: the last place that leaves room for the dots.
    let mut cut = 0;
    for c in text.chars() {
        if used + DOTS.len() <= most {
            cut = out.len();
        }
        used += push(&mut out, c);
        if used > most {
            out.truncate(cut);
            out.push_str(&DOTS[..DOTS.len().min(most)]);
            break;
        }
    }
    Cow::Owned(out)
}

const DOTS: &str = "...";

/// Appends one character, escaped where it must be; says how many characters that made.
pub(super) fn push(out: &mut String, c: char) -> usize {
    let before = out.len();
    // Writing to a String cannot fail.
    let _ = match c {
        '\n' => out.write_str("\\n"),
        '\r' => out.write_str("\\r"),
        '\t' => out.write_str("\\t"),
        _ if c.is_ascii() && acts_on_a_terminal(c) => write!(out, "\\x{:02x}", u32::from(c)),
        _ if acts_on_a_terminal(c) => write!(out, "\\u{{{:x}}}", u32::from(c)),
        _ => {
            out.push(c);
            return 1;
        }
    };
    out.len() - before
}

/// Characters that do something other than show themselves: controls (C0, DEL, C1), line and
/// paragraph separators, marks that change the reading order (Unicode Standard Annex 9) and
/// characters that show nothing.
#[must_use]
pub const fn acts_on_a_terminal(c: char) -> bool {
    matches!(c,
        '\0'..='\x1f' | '\x7f'..='\u{9f}'
        | '\u{ad}' | '\u{61c}' | '\u{180e}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(escape(text), expected);
    }

    #[test]
    fn what_acts_is_escaped_and_what_shows_is_kept() {
        check("", "");
        check("python3 -m a.b --x='y z'", "python3 -m a.b --x='y z'");
        check("grüße 接続 é", "grüße 接続 é");
        check(r"back\slash stays", r"back\slash stays");
        check("a\nb\r\tc", r"a\nb\r\tc");
        check("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m");
        check("\x1b]0;title\x07", r"\x1b]0;title\x07");
        check("nul\0del\x7f", r"nul\x00del\x7f");
        check("c1 \u{9b}31m \u{85}", r"c1 \u{9b}31m \u{85}");
        check("\u{202e}gpj.exe\u{2066}", r"\u{202e}gpj.exe\u{2066}");
        check("zero\u{200b}width\u{feff}", r"zero\u{200b}width\u{feff}");
        check("line\u{2028}separator", r"line\u{2028}separator");
    }

    #[test]
    fn long_text_is_cut() {
        let cut = |text: &str, most: usize| escape_at_most(text, most).into_owned();
        assert_eq!(cut("abcdef", 6), "abcdef");
        assert_eq!(cut("abcdefg", 6), "abc...");
        assert_eq!(cut("abc\x1bdef", 6), "abc...");
        assert_eq!(cut("éééééé", 6), "éééééé");
        assert_eq!(cut("ééééééé", 6), "ééé...");
        assert_eq!(cut("abcdefg", 2), "..");
        assert_eq!(escape(&"x".repeat(5000)).len(), MOST);
    }

    proptest! {
        #[test]
        fn nothing_that_acts_is_left(text in any::<String>(), most in 0_usize..40) {
            let safe = escape_at_most(&text, most);
            prop_assert!(!safe.chars().any(acts_on_a_terminal));
            prop_assert!(safe.chars().count() <= most);
            let once = escape(&text);
            prop_assert_eq!(escape(&once), once.as_ref());
        }
    }
}
