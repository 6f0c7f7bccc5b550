//! Which room of the tracer uses what it must not.

use super::lex::{Kind, Token};
use super::paths;
use super::table::{ROOMS, Room};

/// Violations in a file, as line and message. Files outside tracer/src are in no room.
pub(super) fn check(file: &str, tokens: &[Token<'_>]) -> Vec<(usize, String)> {
    let Some(inside) = file.strip_prefix("tracer/src/").and_then(|path| path.strip_suffix(".rs")) else {
        return Vec::new();
    };
    let parts: Vec<&str> = inside.split('/').collect();
    let [name, ..] = parts.as_slice() else { return Vec::new() };
    if ["lib", "main"].contains(name) {
        return Vec::new();
    }
    // A room may lie inside another: the innermost counts.
    let has = |room: &&Room| parts.starts_with(&room.name.split('/').collect::<Vec<_>>());
    let Some(room) = ROOMS.iter().filter(has).max_by_key(|room| room.name.len()) else {
        let message = format!("`{name}` is a room that no rule knows: add it to xtask/src/tidy/table.rs");
        return vec![(1, message)];
    };
    let module: Vec<&str> =
        ["crate"].into_iter().chain(parts.iter().copied().filter(|part| *part != "mod")).collect();
    let mut found: Vec<_> = paths::used(&module, tokens)
        .iter()
        .filter_map(|(path, line)| Some((*line, forbidden(room, path)?)))
        .map(|(line, path)| (line, format!("`{}` must not use {path}", room.name)))
        .collect();
    found.extend(macros(room, tokens));
    found
}

/// The forbidden path that this one is, or lies under, or brings in with a `*`.
fn forbidden<'r>(room: &Room, path: &[String]) -> Option<&'r str>
where
    Room: 'r,
{
    let lies_under = |forbidden: &&&str| {
        let forbidden: Vec<&str> = forbidden.split("::").collect();
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        path.starts_with(&forbidden)
            || path.split_last().is_some_and(|(last, head)| *last == "*" && forbidden.starts_with(head))
    };
    room.forbidden.iter().flat_map(|list| list.iter()).find(lies_under).copied()
}

fn macros(room: &Room, tokens: &[Token<'_>]) -> Vec<(usize, String)> {
    let called = |pair: &[Token<'_>]| match (pair[0].kind, pair[1].kind) {
        (Kind::Word(word), Kind::Mark('!')) if room.macros.contains(&word) => {
            Some((pair[0].line, format!("`{}` must not use {word}!", room.name)))
        }
        _ => None,
    };
    tokens.windows(2).filter_map(called).collect()
}
