//! Breaks text into lines.

/// Breaks at spaces so that no line has more than `width` characters; a word longer than that is cut. Never
/// empty: no text is one empty line. A character counts as one column, which wide scripts exceed: their
/// lines may wrap once more.
#[must_use]
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let mut rest: Vec<char> = word.chars().collect();
        if used > 0 && used + 1 + rest.len() > width {
            lines.push(std::mem::take(&mut line));
            used = 0;
        }
        while rest.len() > width {
            lines.push(rest.drain(..width).collect());
        }
        if used > 0 {
            line.push(' ');
            used += 1;
        }
        used += rest.len();
        line.extend(rest);
    }
    if used > 0 || lines.is_empty() {
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_at_spaces_and_long_words_are_cut() {
        let check = |text: &str, width: usize, expected: &[&str]| assert_eq!(wrap(text, width), expected);
        check("", 10, &[""]);
        check("a bc def", 10, &["a bc def"]);
        check("a bc def", 4, &["a bc", "def"]);
        check("abcdefghij k", 4, &["abcd", "efgh", "ij k"]);
        check("a abcdefgh", 4, &["a", "abcd", "efgh"]);
        check("é é é", 3, &["é é", "é"]);
        check("ab", 0, &["a", "b"]);
    }
}
