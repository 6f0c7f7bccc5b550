//! The pane of the program that was started: its terminal, and whether keys go there.

use super::grid::Grid;
use super::key::{Input, Key};
use super::list::Step;
use super::page::{Line, Role, span};
use super::show::CHROME;
use super::{Command, Pane, Screen};

/// The key that gives keys back, as in telnet(1).
pub(super) const RELEASE: &str = "Ctrl-]";

/// The pane's state.
#[derive(Debug, Default)]
pub(super) struct Program {
    grid: Grid,
    /// Keys go to the program.
    focused: bool,
}

impl Screen {
    /// The program that was started has a terminal of its own: there is a pane for it.
    pub fn add_program(&mut self) {
        self.program = Some(Program::default());
    }

    /// The panes that there are.
    pub(super) fn panes(&self) -> &'static [Pane] {
        let all = &Pane::ALL;
        if self.program.is_some() { all } else { &all[..Pane::Program as usize] }
    }

    /// Columns and rows for the program's terminal.
    #[must_use]
    pub fn program_size(&self) -> (u16, u16) {
        (self.size.0.max(1), self.size.1.saturating_sub(CHROME + 1).max(1))
    }

    /// Whether the program's terminal is seen.
    #[must_use]
    pub fn shows_program(&self) -> bool {
        self.program.is_some() && self.pane == Pane::Program
    }

    /// Takes over what its terminal shows.
    pub fn show_program(&mut self, grid: Grid) {
        if let Some(program) = &mut self.program {
            program.grid = grid;
        }
    }

    /// Whether keys go to the program.
    pub(super) fn has_focus(&self) -> bool {
        self.program.as_ref().is_some_and(|program| program.focused)
    }

    /// Keys go to the program from now on, if it is there.
    pub(super) fn focus(&mut self) {
        if self.status.ended.is_some() {
            return self.say("the program has ended");
        }
        self.prompt = None;
        if let Some(program) = &mut self.program {
            program.focused = true;
        }
    }

    /// Keys are the screen's again.
    pub(super) fn lose_focus(&mut self) {
        if let Some(program) = &mut self.program {
            program.focused = false;
        }
    }

    /// Gives the program what was typed, all but one key. None of it means anything to the screen, also where
    /// the program has ended meanwhile: the user may not have seen that yet.
    pub(super) fn give(&mut self, input: Input) -> Option<Command> {
        self.message = None;
        if input == Input::Key(Key::Ctrl(']')) {
            self.lose_focus();
            return None;
        }
        self.status.ended.is_none().then_some(Command::Type(input))
    }

    /// Scrolls its terminal.
    pub(super) fn scroll(&self, step: Step) -> Command {
        let height = isize::try_from(self.program_size().1).unwrap_or(isize::MAX);
        Command::Scroll(match step {
            Step::By(rows) => -rows,
            Step::Page(pages) => -pages * height,
            Step::Half(halves) => -halves * (height / 2).max(1),
            Step::First => isize::MAX,
            Step::Last => -isize::MAX,
        })
    }

    /// Asks once more before the user leaves a program without anybody at its terminal:
    /// there is no way back to it.
    pub(super) fn ask_before(&mut self, command: Option<Command>) -> Option<Command> {
        let asked = std::mem::take(&mut self.asked);
        let runs = self.program.is_some() && self.status.ended.is_none();
        if command == Some(Command::Quit) && runs && !asked {
            self.asked = true;
            self.say(
                "the program still runs: once more leaves it running, for good, with nobody at its terminal",
            );
            return None;
        }
        command
    }

    /// What its terminal shows, where it is seen.
    pub(super) fn program_grid(&self) -> Option<Grid> {
        let program = self.program.as_ref().filter(|_| self.pane == Pane::Program)?;
        Some(Grid { focused: program.focused, ..program.grid.clone() })
    }

    /// Where the user is in it.
    pub(super) fn program_place(&self) -> Line {
        let Some(program) = self.program.as_ref().filter(|_| self.pane == Pane::Program) else {
            return Line::new();
        };
        match (program.focused, program.grid.back) {
            (true, _) => vec![span("  has the keys", Role::Good)],
            (false, 0) => Line::new(),
            (false, 1) => vec![span("  1 line back", Role::Info)],
            (false, back) => vec![span(format!("  {back} lines back"), Role::Info)],
        }
    }
}

#[cfg(test)]
mod tests;
