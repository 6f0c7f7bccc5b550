//! The paths that a file names, written out from the crate's root: `use` trees are expanded, `self` and
//! `super` resolved, imported names replaced by what they were imported from.

use super::lex::{Kind, Token};
use std::collections::HashMap;

/// A path and the line that it starts on.
pub(super) type Found = (Vec<String>, usize);

/// All paths in the tokens of a file that is the module `module` (`["crate", "model", "table"]`).
pub(super) fn used(module: &[&str], tokens: &[Token<'_>]) -> Vec<Found> {
    let module = module.iter().map(ToString::to_string).collect();
    let mut reader = Reader { tokens, at: 0, found: Vec::new(), imported: HashMap::new() };
    reader.run(module);
    let Reader { found, imported, .. } = reader;
    found.into_iter().map(|(path, line)| (through_imports(path, &imported), line)).collect()
}

fn through_imports(path: Vec<String>, imported: &HashMap<String, Vec<String>>) -> Vec<String> {
    match path.first().and_then(|first| imported.get(first)) {
        Some(origin) => origin.iter().cloned().chain(path.into_iter().skip(1)).collect(),
        None => path,
    }
}

struct Reader<'a> {
    tokens: &'a [Token<'a>],
    at: usize,
    found: Vec<Found>,
    /// A name that `use` brought in, and where from.
    imported: HashMap<String, Vec<String>>,
}

impl<'a> Reader<'a> {
    fn run(&mut self, module: Vec<String>) {
        // The module at this place, and for each brace that is open whether it opened another.
        let mut module = module;
        let mut braces = Vec::new();
        while let Some(token) = self.tokens.get(self.at) {
            match token.kind {
                Kind::Word("mod") if self.kind(2) == Some(Kind::Mark('{')) => {
                    if let Some(Kind::Word(name)) = self.kind(1) {
                        module.push(name.to_owned());
                    }
                    braces.push(true);
                    self.at += 3;
                }
                Kind::Word("use") => {
                    self.at += 1;
                    self.tree(&[], &module, true);
                }
                Kind::Word(_) | Kind::Separator => self.tree(&[], &module, false),
                Kind::Mark(mark) => {
                    match mark {
                        '{' => braces.push(false),
                        '}' if braces.pop() == Some(true) => drop(module.pop()),
                        _ => {}
                    }
                    self.at += 1;
                }
            }
        }
    }

    fn kind(&self, ahead: usize) -> Option<Kind<'a>> {
        self.tokens.get(self.at + ahead).map(|token| token.kind)
    }

    /// One path, or in a `use` one branch of its tree, that continues `prefix`.
    fn tree(&mut self, prefix: &[String], module: &[String], imports: bool) {
        let line = self.tokens.get(self.at).map_or(0, |token| token.line);
        let mut path = prefix.to_vec();
        loop {
            match self.kind(0) {
                Some(Kind::Separator) => self.at += 1,
                Some(Kind::Word(word)) => {
                    step(&mut path, word, module);
                    self.at += 1;
                    if self.kind(0) != Some(Kind::Separator) {
                        break;
                    }
                }
                Some(Kind::Mark('*')) if imports => {
                    path.push("*".to_owned());
                    self.at += 1;
                    break;
                }
                Some(Kind::Mark('{')) if imports => return self.branches(&path, module),
                _ => break,
            }
        }
        let mut name = path.last().cloned().unwrap_or_default();
        if let (true, Some(Kind::Word("as")), Some(Kind::Word(alias))) = (imports, self.kind(0), self.kind(1))
        {
            name = alias.to_owned();
            self.at += 2;
        }
        if imports {
            self.imported.insert(name, path.clone());
        }
        self.found.push((path, line));
    }

    fn branches(&mut self, prefix: &[String], module: &[String]) {
        self.at += 1;
        loop {
            match self.kind(0) {
                Some(Kind::Mark(',')) => self.at += 1,
                Some(Kind::Word(_) | Kind::Separator | Kind::Mark('*' | '{')) => {
                    self.tree(prefix, module, true);
                }
                // The end, or no valid Rust.
                _ => {
                    self.at += 1;
                    return;
                }
            }
        }
    }
}

/// Continues a path by one word. The library is `crate` in itself and `forkscope` in its binary.
fn step(path: &mut Vec<String>, word: &str, module: &[String]) {
    match word {
        "self" if path.is_empty() => path.extend_from_slice(module),
        "self" => {}
        "super" if path.is_empty() => path.extend_from_slice(&module[..module.len().saturating_sub(1)]),
        "super" => drop(path.pop()),
        "forkscope" if path.is_empty() => path.push("crate".to_owned()),
        _ => path.push(word.to_owned()),
    }
}
