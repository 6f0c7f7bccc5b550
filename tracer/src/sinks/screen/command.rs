//! What the user wants of others than the screen.

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
