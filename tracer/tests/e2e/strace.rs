//! Reads what strace wrote, and the like: `call(argument, …) = result`.

use std::collections::BTreeMap;

/// One call, as far as two tracers can agree on its words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) name: String,
    /// The arguments as they were printed.
    pub(crate) arguments: Vec<String>,
    /// A number, or `-1 ERRNO`.
    pub(crate) result: String,
}

impl Call {
    /// Reads `name(arguments) = result …`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (name, rest) = text.split_once('(')?;
        let end = rest.rfind(") ").filter(|end| rest[*end..].contains("= ")).or_else(|| rest.rfind(')'))?;
        // The last `= `: the first words after it are the result, whatever a note in brackets says.
        let (_, result) = rest.rsplit_once("= ")?;
        let arguments = &rest[..closing(rest).unwrap_or(end)];
        let mut words = result.split_whitespace();
        let value = plain(words.next()?).to_owned();
        let errno = words.next().filter(|word| value == "-1" && word.starts_with('E'));
        let result = errno.map_or_else(|| value.clone(), |errno| format!("{value} {errno}"));
        Some(Self { name: name.trim().to_owned(), arguments: split(arguments), result })
    }
}

/// An argument without what strace -yy adds: `3<TCP:[…]>` is 3.
pub(crate) fn plain(argument: &str) -> &str {
    argument.split_once('<').map_or(argument, |(number, _)| number)
}

/// Walks over text outside of strings: each character with how deep in brackets it stands.
fn depths(text: &str) -> impl Iterator<Item = (usize, char, i32)> {
    let (mut depth, mut quoted, mut previous) = (0, false, ' ');
    text.char_indices().map(move |(place, character)| {
        let escaped = previous == '\\';
        match character {
            '"' if !escaped => quoted = !quoted,
            '(' | '[' | '{' | '<' if !quoted => depth += 1,
            // An arrow, between two addresses or from a length to another, closes nothing.
            '>' if !quoted && matches!(previous, '-' | '=') => {}
            ')' | ']' | '}' | '>' if !quoted => depth -= 1,
            _ => {}
        }
        previous = if escaped { ' ' } else { character };
        (place, if quoted { ' ' } else { character }, depth)
    })
}

/// Where the bracket closes that was opened before this text.
fn closing(text: &str) -> Option<usize> {
    depths(text).find(|(_, character, depth)| *character == ')' && *depth == -1).map(|(place, ..)| place)
}

fn split(arguments: &str) -> Vec<String> {
    let commas = depths(arguments).filter(|(_, character, depth)| *character == ',' && *depth == 0);
    let mut start = 0;
    let mut words = Vec::new();
    for (place, ..) in commas {
        words.push(arguments[start..place].trim().to_owned());
        start = place + 1;
    }
    words.push(arguments[start..].trim().to_owned());
    words
}

/// All calls in a file of `strace -f -yy -o`, by thread, in order of their ends.
pub(crate) fn calls(text: &str) -> BTreeMap<u32, Vec<Call>> {
    let mut begun: BTreeMap<u32, &str> = BTreeMap::new();
    let mut calls: BTreeMap<u32, Vec<Call>> = BTreeMap::new();
    for line in text.lines() {
        let Some((tid, rest)) = line.split_once(' ') else { continue };
        let (Ok(tid), rest) = (tid.parse(), rest.trim_start()) else { continue };
        if let Some(start) = rest.strip_suffix("<unfinished ...>") {
            begun.insert(tid, start);
            continue;
        }
        let resumed = rest.strip_prefix("<... ").and_then(|rest| rest.split_once(" resumed>"));
        let whole = match resumed {
            Some((_, end)) => begun.remove(&tid).unwrap_or_default().to_owned() + end,
            None => rest.to_owned(),
        };
        calls.entry(tid).or_default().extend(Call::parse(&whole));
    }
    calls
}

#[test]
fn reads_strace() {
    let text = "\
7 sendto(6<TCP:[127.0.0.1:1->127.0.0.1:2]>, \"a, (\\\"b\", 5, MSG_NOSIGNAL, NULL, 0) = -1 EPIPE (Broken pipe)
8 accept4(3<socket:[9]>, NULL, NULL, SOCK_CLOEXEC <unfinished ...>
7 close(-1)                         = -1 EBADF (Bad file descriptor)
8 <... accept4 resumed>)            = 4<TCP:[127.0.0.1:2->127.0.0.1:1]>
";
    let calls = calls(text);
    assert_eq!(calls[&7][0].result, "-1 EPIPE");
    assert_eq!(calls[&7][0].arguments.len(), 6);
    assert_eq!(plain(&calls[&7][0].arguments[0]), "6");
    assert_eq!(calls[&7][1].arguments, ["-1"]);
    assert_eq!((calls[&8][0].name.as_str(), calls[&8][0].result.as_str()), ("accept4", "4"));
}
