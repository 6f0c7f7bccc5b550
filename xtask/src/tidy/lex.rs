//! Just enough of Rust's tokens to read paths and attributes: comments, strings and numbers are dropped.

use std::iter::Peekable;
use std::str::CharIndices;

/// A token that matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind<'a> {
    /// An identifier or keyword; a raw one without its `r#`.
    Word(&'a str),
    /// `::`
    Separator,
    /// Any other character of punctuation.
    Mark(char),
}

/// A token and its line, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind<'a>,
    pub(super) line: usize,
}

/// The tokens of a source text. What is not valid Rust gives some tokens or other, but ends.
pub(super) fn tokens(source: &str) -> Vec<Token<'_>> {
    Lexer { source, chars: source.char_indices().peekable(), line: 1, tokens: Vec::new() }.run()
}

struct Lexer<'a> {
    source: &'a str,
    chars: Peekable<CharIndices<'a>>,
    line: usize,
    tokens: Vec<Token<'a>>,
}

impl<'a> Lexer<'a> {
    fn run(mut self) -> Vec<Token<'a>> {
        while let Some((at, char)) = self.next() {
            match char {
                '/' if self.peek() == Some('/') => self.skip_while(|char| char != '\n'),
                '/' if self.peek() == Some('*') => self.skip_block_comment(),
                '"' => self.skip_string(),
                '\'' => self.skip_char_or_lifetime(),
                ':' if self.peek() == Some(':') => {
                    self.next();
                    self.push(Kind::Separator);
                }
                _ if char.is_ascii_digit() => self.skip_while(is_word),
                _ if is_word(char) => self.word(at),
                _ if char.is_whitespace() => {}
                _ => self.push(Kind::Mark(char)),
            }
        }
        self.tokens
    }

    fn next(&mut self) -> Option<(usize, char)> {
        let next = self.chars.next();
        self.line += usize::from(next.is_some_and(|(_, char)| char == '\n'));
        next
    }

    fn peek(&mut self) -> Option<char> {
        self.chars.peek().map(|(_, char)| *char)
    }

    fn push(&mut self, kind: Kind<'a>) {
        self.tokens.push(Token { kind, line: self.line });
    }

    fn skip_while(&mut self, keep: impl Fn(char) -> bool) {
        while self.peek().is_some_and(&keep) {
            self.next();
        }
    }

    /// A word, or the prefix of a string: `r"…"`, `br#"…"#`, `b'…'`.
    fn word(&mut self, start: usize) {
        self.skip_while(is_word);
        let end = self.chars.peek().map_or(self.source.len(), |(at, _)| *at);
        let word = &self.source[start..end];
        let is_prefix = matches!(word, "r" | "b" | "br" | "c" | "cr");
        match self.peek() {
            Some('"') if word.contains('r') && is_prefix => self.skip_raw_string(0),
            Some('\'') if word == "b" => {}
            Some('#') if matches!(word, "r" | "br" | "cr") => {
                let mut hashes = 0;
                while self.peek() == Some('#') {
                    self.next();
                    hashes += 1;
                }
                if self.peek() == Some('"') {
                    self.skip_raw_string(hashes);
                }
                // Else a raw identifier: the word itself comes next.
            }
            // The quote of `b"…"` is read as a string's, next.
            Some('"') if is_prefix => {}
            _ => self.push(Kind::Word(word)),
        }
    }

    /// From the opening quote: to a quote with as many hashes behind it.
    fn skip_raw_string(&mut self, hashes: usize) {
        self.next();
        while let Some((_, char)) = self.next() {
            if char == '"' {
                let mut seen = 0;
                while seen < hashes && self.peek() == Some('#') {
                    self.next();
                    seen += 1;
                }
                if seen == hashes {
                    return;
                }
            }
        }
    }

    fn skip_string(&mut self) {
        while let Some((_, char)) = self.next() {
            match char {
                '\\' => drop(self.next()),
                '"' => return,
                _ => {}
            }
        }
    }

    fn skip_block_comment(&mut self) {
        let mut depth = 0;
        let mut previous = '/';
        while let Some((_, char)) = self.next() {
            match (previous, char) {
                ('/', '*') => depth += 1,
                ('*', '/') => depth -= 1,
                _ => {
                    previous = char;
                    continue;
                }
            }
            if depth == 0 {
                return;
            }
            // The two are used up: `/*/` opens and does not close.
            previous = ' ';
        }
    }

    /// `'x'` and `'\n'` are characters; `'a` without a quote after it is a lifetime.
    fn skip_char_or_lifetime(&mut self) {
        match self.next() {
            Some((_, '\\')) => {
                self.next();
                self.skip_while(|char| char != '\'');
                self.next();
            }
            Some(_) if self.peek() == Some('\'') => drop(self.next()),
            Some((_, char)) if is_word(char) => self.skip_while(is_word),
            _ => {}
        }
    }
}

fn is_word(char: char) -> bool {
    char == '_' || char.is_alphanumeric()
}
