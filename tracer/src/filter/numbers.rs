//! Numbers and ranges of them.

use std::fmt;

/// Numbers from one to another, both in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    /// The least; no more than `to`.
    from: u32,
    /// The greatest.
    to: u32,
}

impl Range {
    /// Reads `6`, `3..9`, `3..`, `..9`, `>3`, `>=3`, `<9` or `<=9`. `None`: it is none of
    /// these, or no number is in it.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (from, to) = if let Some(least) = text.strip_prefix(">=") {
            (number(least)?, u32::MAX)
        } else if let Some(most) = text.strip_prefix("<=") {
            (0, number(most)?)
        } else if let Some(below) = text.strip_prefix('>') {
            (number(below)?.checked_add(1)?, u32::MAX)
        } else if let Some(above) = text.strip_prefix('<') {
            (0, number(above)?.checked_sub(1)?)
        } else {
            match text.split_once("..") {
                None => (number(text)?, number(text)?),
                Some(("", "")) => return None,
                Some((from, "")) => (number(from)?, u32::MAX),
                Some(("", to)) => (0, number(to)?),
                Some((from, to)) => (number(from)?, number(to)?),
            }
        };
        (from <= to).then_some(Self { from, to })
    }

    /// Whether a number is in it.
    pub(super) fn has(self, number: u32) -> bool {
        (self.from..=self.to).contains(&number)
    }
}

/// Digits, and nothing else: `u32::from_str` takes a plus, too.
fn number(text: &str) -> Option<u32> {
    text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.from, self.to) {
            (from, to) if from == to => write!(f, "{from}"),
            (from, u32::MAX) => write!(f, "{from}.."),
            (0, to) => write!(f, "..{to}"),
            (from, to) => write!(f, "{from}..{to}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, shown: &str, has: &[u32], has_not: &[u32]) {
        let range = Range::parse(text).expect("a range");
        assert_eq!(range.to_string(), shown);
        assert_eq!(Range::parse(shown), Some(range));
        assert!(has.iter().all(|&number| range.has(number)), "{text} {has:?}");
        assert!(!has_not.iter().any(|&number| range.has(number)), "{text} {has_not:?}");
    }

    #[test]
    fn ranges_are_read() {
        check("6", "6", &[6], &[5, 7]);
        check("3..9", "3..9", &[3, 9], &[2, 10]);
        check("3..", "3..", &[3, u32::MAX], &[2]);
        check("..9", "..9", &[0, 9], &[10]);
        check(">3", "4..", &[4], &[3]);
        check(">=3", "3..", &[3], &[2]);
        check("<9", "..8", &[0, 8], &[9]);
        check("<=9", "..9", &[9], &[10]);
        check("0..4294967295", "0..", &[0, u32::MAX], &[]);
        check("<1", "0", &[0], &[1]);
    }

    #[test]
    fn what_is_no_range_is_refused() {
        for text in
            ["", "..", "9..3", "<0", ">4294967295", "4294967296", "+6", "-1", "6x", ">", "1..2..3", "٣"]
        {
            assert_eq!(Range::parse(text), None, "{text}");
        }
    }
}
