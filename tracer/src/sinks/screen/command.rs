//! What the user wants of others than the screen.

use super::key::Input;

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Leave.
    Quit,
    /// Stop as a job, and go on with it (Ctrl-Z).
    Suspend,
    /// Write the report.
    Export,
    /// Put a finding where other programs can paste it: its number.
    Copy(u32),
    /// Start a recording, or stop it.
    Record,
    /// Let those go on that stand still for a finding.
    GoOn,
    /// Give this to the program, as what was typed on its terminal.
    Type(Input),
    /// Scroll the program's terminal back by so many lines, or forth where that is negative.
    Scroll(isize),
    /// Steer a replay.
    Play(Playing),
}

/// How to go on in a replay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Playing {
    /// Play, or pause.
    Toggle,
    /// One event.
    Step,
    /// Until something is found.
    NextFinding,
    /// Twice as fast.
    Faster,
    /// Half as fast.
    Slower,
    /// So many seconds on, or back.
    By(i32),
    /// To the beginning.
    Start,
    /// To the end.
    End,
}
