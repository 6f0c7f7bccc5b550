//! Text in text, whatever the case, and text in quotes.

use std::fmt;

/// The text in lower case, letter by letter: what [`contains`] looks for.
pub(super) fn lower(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}

/// Whether a text has another in it, whatever the case of the first; the other is in lower
/// case. Allocates nothing.
pub(super) fn contains(text: &str, wanted: &str) -> bool {
    if wanted.is_ascii() && text.is_ascii() {
        let (text, wanted) = (text.as_bytes(), wanted.as_bytes());
        return wanted.is_empty() || text.windows(wanted.len()).any(|part| part.eq_ignore_ascii_case(wanted));
    }
    text.char_indices().any(|(at, _)| {
        let mut letters = text[at..].chars().flat_map(char::to_lowercase);
        wanted.chars().all(|letter| letters.next() == Some(letter))
    })
}

/// A text as it is written in a filter: in quotes where it would read as something else without.
pub(super) struct Quoted<'a>(pub(super) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '/' | '-');
        if !self.0.is_empty() && !self.0.starts_with('-') && self.0.chars().all(is_plain) {
            return f.write_str(self.0);
        }
        f.write_str("\"")?;
        for c in self.0.chars() {
            let backslash = if matches!(c, '"' | '\\') { "\\" } else { "" };
            write!(f, "{backslash}{c}")?;
        }
        f.write_str("\"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn text_is_found_whatever_its_case() {
        for (text, wanted, expected) in [
            ("sendmsg(6) = -1 ENOTSOCK", "enotsock", true),
            ("sendmsg(6) = -1 ENOTSOCK", "6) = -1", true),
            ("short", "longer than it", false),
            ("", "a", false),
            ("GRÜSSE", "grüsse", true),
            ("Grüße", "üß", true),
            ("Grüße", "üss", false),
            ("aä", "äa", false),
        ] {
            assert_eq!(contains(text, wanted), expected, "{text} {wanted}");
        }
    }

    proptest! {
        #[test]
        fn each_part_of_a_text_is_found(before in any::<String>(), part in any::<String>(), after in any::<String>()) {
            let text = [before, part.clone(), after].concat();
            prop_assert!(contains(&text, &lower(&part)));
        }
    }
}
