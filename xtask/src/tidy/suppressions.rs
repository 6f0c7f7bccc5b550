//! Lints switched off without a reason, tests that do not run, code that was not finished.

use super::lex::{Kind, Token};
use super::table::UNFINISHED;

/// Violations in a file, as line and message.
pub(super) fn check(tokens: &[Token<'_>]) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let next = tokens.get(at + 1).map(|next| next.kind);
        match (token.kind, next) {
            (Kind::Mark('#'), Some(Kind::Mark('[' | '!'))) => found.extend(attribute(&tokens[at..])),
            (Kind::Word(word), Some(Kind::Mark('!'))) if UNFINISHED.contains(&word) => {
                found.push((token.line, format!("{word}! is for code that is not finished")));
            }
            _ => {}
        }
    }
    found
}

/// Violations in the attribute that these tokens start with.
fn attribute(tokens: &[Token<'_>]) -> Vec<(usize, String)> {
    let tokens = &tokens[..end(tokens)];
    let has_reason = tokens.iter().any(|token| token.kind == Kind::Word("reason"));
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let Kind::Word(word) = token.kind else { continue };
        let opens = tokens.get(at + 1).is_some_and(|next| next.kind == Kind::Mark('('));
        let message = match word {
            "allow" if opens => "write `expect` with a reason: `allow` stays when nothing needs it any more",
            "expect" if opens && !has_reason => "`expect` needs a `reason`",
            "ignore" if is_attribute_name(tokens, at) => {
                "a test that is ignored tests nothing: give it its own step, or drop it"
            }
            _ => continue,
        };
        found.push((token.line, message.to_owned()));
    }
    found
}

/// Whether the word is an attribute's name, not an argument: `#[ignore]`, `#[cfg_attr(x, ignore)]`.
fn is_attribute_name(tokens: &[Token<'_>], at: usize) -> bool {
    let before = at.checked_sub(1).map(|before| tokens[before].kind);
    let in_condition = tokens.iter().any(|token| token.kind == Kind::Word("cfg_attr"));
    before == Some(Kind::Mark('[')) || (in_condition && before == Some(Kind::Mark(',')))
}

/// Where the attribute ends: behind its closing bracket.
fn end(tokens: &[Token<'_>]) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate() {
        match token.kind {
            Kind::Mark('[') => depth += 1,
            Kind::Mark(']') if depth <= 1 => return at + 1,
            Kind::Mark(']') => depth -= 1,
            // `#` of a macro pattern, or a shebang: no attribute.
            _ if depth == 0 && at > 1 => return at,
            _ => {}
        }
    }
    tokens.len()
}
