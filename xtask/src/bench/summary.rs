//! What forkscope says at a session's end of the events that it saw and lost.
//!
//! Its report says it, too, but with a report it has the kernel measure its programs, which
//! costs something by itself.

use super::peers::Account;

/// Of `= seen: 3 processes, ..., 63 events` and `= lost: no events lost` or `= lost: 2 of 65 events: ...`.
pub(super) fn account(said: &str) -> Option<Account> {
    let words = plain(said).split_whitespace().collect::<Vec<_>>().join(" ");
    let (_, after) = words.rsplit_once("seen: ")?;
    let (seen, rest) = after.split_once(" lost: ")?;
    let number = |text: &str| text.replace(',', "").parse().ok();
    let events = seen.split(" event").next()?.rsplit(' ').next()?;
    let lost = if rest.starts_with("no events") { 0 } else { number(rest.split(' ').next()?)? };
    Some(Account { seen: number(events)?, lost })
}

/// Without what moves a terminal's cursor and sets its colours (ECMA-48, control sequences).
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c == '\u{1b}' {
            // `ESC [`, parameters, and a last letter.
            let _ = chars.by_ref().skip(1).find(char::is_ascii_alphabetic);
        } else if c != '=' && c != '|' {
            plain.push(c);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_is_read() {
        let said = "forkscope: 2 errors in 0.1s\n   = seen: 3 processes, 4 connections (2 held by more than one process),\n     \
                    63 events\n   = lost: no events lost\n";
        assert_eq!(account(said), Some(Account { seen: 63, lost: 0 }));
        let said =
            "   = seen: 1 process, 0 connections, 98 events\n   = lost: 2 of 100 events: ring-full (io 2)\n";
        assert_eq!(account(said), Some(Account { seen: 98, lost: 2 }));
        assert_eq!(account("forkscope: failed"), None);
    }

    #[test]
    fn colours_do_not_matter() {
        let said =
            "\u{1b}[1m = seen\u{1b}[0m: 1 process, 1 event\r\n \u{1b}[1m= lost\u{1b}[0m: no events lost\r\n";
        assert_eq!(account(said), Some(Account { seen: 1, lost: 0 }));
    }
}
