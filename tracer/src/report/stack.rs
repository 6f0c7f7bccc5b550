//! Where in its program a thread was, as the report says it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The most stacks of one finding.
pub const MOST_STACKS: usize = 8;
/// The most frames of one stack.
pub const MOST_FRAMES: usize = 64;
/// The longest name of a function, a module or a file, in characters: programs choose them.
pub const MOST_NAME: usize = 300;

/// What the thread was doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Moment {
    /// It opened the connection.
    Connect,
    /// It forked.
    Fork,
    /// Its call failed.
    FailingCall,
    /// It stood still.
    Stalled,
    /// forkscope had stopped it.
    Stopped,
}

/// What a frame's function is written in, as far as it matters for reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// Machine code, from C, C++, Rust and others.
    Native,
    /// A function of Python, as the interpreter keeps it.
    Python,
}

/// One frame. What is not known of it is absent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Frame {
    /// What its function is written in.
    pub language: Language,
    /// The function, as it is written in its language.
    pub function: Option<String>,
    /// The program or library that it is in. Of Python: none.
    pub module: Option<String>,
    /// Bytes from the function's beginning; where the function is not known, from the module's.
    pub offset: Option<u64>,
    /// The source file.
    pub file: Option<String>,
    /// The line in it.
    pub line: Option<u32>,
    /// The address, where no module is known.
    pub address: Option<u64>,
}

/// Where a thread was at one moment that a finding is about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Stack {
    /// The process.
    pub pid: u32,
    /// The thread.
    pub tid: u32,
    /// What it was doing.
    pub at: Moment,
    /// When that was, in seconds since the session's start.
    pub time: f64,
    /// The frames, innermost first, at most 64.
    pub frames: Vec<Frame>,
}

impl Moment {
    /// In words, for screens.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Connect => "connecting",
            Self::Fork => "forking",
            Self::FailingCall => "in the failing call",
            Self::Stalled => "standing still",
            Self::Stopped => "stopped",
        }
    }
}

impl Frame {
    /// A frame of which nothing is known yet.
    #[must_use]
    pub const fn unknown(language: Language) -> Self {
        Self { language, function: None, module: None, offset: None, file: None, line: None, address: None }
    }
}

/// Cuts what is too much of a stack: frames, and names.
pub fn bound(frames: &mut Vec<Frame>) {
    frames.truncate(MOST_FRAMES);
    for frame in frames {
        for name in [&mut frame.function, &mut frame.module, &mut frame.file].into_iter().flatten() {
            if let Some((end, _)) = name.char_indices().nth(MOST_NAME) {
                name.truncate(end);
                name.push_str("...");
            }
        }
    }
}

impl Stack {
    /// Whether another one tells of the same: who, what, and in which language.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        let language = |stack: &Self| stack.frames.first().map(|frame| frame.language);
        (self.pid, self.tid, self.at) == (other.pid, other.tid, other.at) && language(self) == language(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_is_bounded() {
        let function = Some("é".repeat(MOST_NAME + 5));
        let frame = Frame { function, ..Frame::unknown(Language::Native) };
        let mut stack = Stack { pid: 1, tid: 1, at: Moment::Fork, time: 0.0, frames: vec![frame; 100] };
        bound(&mut stack.frames);
        assert_eq!(stack.frames.len(), MOST_FRAMES);
        let name = stack.frames[0].function.clone().expect("it has a name");
        assert_eq!(name.chars().count(), MOST_NAME + 3);
        let bounded = stack.clone();
        stack.frames[0].function = Some("é".repeat(MOST_NAME));
        bound(&mut stack.frames);
        assert!(stack.is_like(&bounded) && stack.frames[0].function != bounded.frames[0].function);
    }
}
