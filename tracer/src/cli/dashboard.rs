//! The live screen while something is traced or replayed: when it is drawn, which keys come, what it noted.

use super::args::Showing;
use super::console::system;
use super::pty::Pty;
use super::suspend::stop_job;
use anyhow::{Error, Result, anyhow};
use forkscope::analysis::Analysis;
use forkscope::event::Event;
use forkscope::sinks::log;
use forkscope::sinks::screen::{Command, Input, Screen, Status, Style, Theme};
use forkscope::sinks::tui::{Keys, Terminal, input};
use forkscope::source::usage::cpu;
use std::io;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

/// How often the screen is drawn while something happens.
const FRAME: Duration = Duration::from_millis(50);
/// How often where nothing does: graphs run out, and ends are forgotten.
const STILL: Duration = Duration::from_secs(1);
/// Over how long forkscope's own processor time is measured.
const MEASURED: Duration = Duration::from_secs(1);

/// The screen on its terminal.
pub(super) struct Dashboard {
    terminal: Terminal,
    keys: Keys,
    screen: Screen,
    began: Instant,
    drawn: Option<Instant>,
    /// The terminal's columns and rows.
    size: (u16, u16),
    /// Events that had been noted when it was drawn, and now.
    events: (u64, u64),
    /// The line of the newest event.
    line: String,
    start: u64,
    cpu: Meter,
    /// The terminal of the program that was started, where it has one here.
    program: Option<Pty>,
}

impl Dashboard {
    /// Takes the terminal over. `start` is the session's, on the events' clock.
    pub(super) fn open(showing: &Showing, start: u64) -> Result<Self> {
        let terminal = Terminal::take().map_err(|error| refused(&error))?;
        let style = style(showing, |name| std::env::var(name).ok());
        let mut screen = Screen::new(style, &showing.filter);
        let (columns, rows) = terminal.size();
        screen.resize(columns, rows);
        Ok(Self {
            keys: Keys::listen().map_err(|error| refused(&error))?,
            terminal,
            screen,
            began: Instant::now(),
            drawn: None,
            size: (columns, rows),
            events: (0, 0),
            line: String::new(),
            start,
            cpu: Meter::new(),
            program: None,
        })
    }

    /// Makes a pane for the program that is to be started: the end of its terminal that it gets.
    pub(super) fn add_program(&mut self) -> Result<OwnedFd> {
        let (columns, rows) = self.screen.program_size();
        let pty = self.program.insert(Pty::open(columns, rows)?);
        self.screen.add_program();
        Ok(pty.program_end()?)
    }

    /// The terminal of the program that was started, where it has one here.
    pub(super) fn program(&mut self) -> Option<&mut Pty> {
        self.program.as_mut()
    }

    /// Notes an event that was taken in.
    pub(super) fn event(&mut self, event: &Event<'_>, analysis: &Analysis) {
        self.events.1 += 1;
        self.line.clear();
        log::event::line(event, self.start, &mut self.line);
        self.screen.note(event, &self.line, analysis);
    }

    /// Takes what was typed, and draws if it is time to. What others must do comes back.
    pub(super) fn turn(
        &mut self,
        analysis: &Analysis,
        status: impl FnOnce() -> Status,
    ) -> Result<Option<Command>> {
        let mut typed = self.fit();
        let mut command = None;
        while command.is_none()
            && let Some(input) = self.typed()?
        {
            typed = true;
            command = self.screen.press(input, analysis);
            command = self.tend_program(command);
        }
        self.tend_program(None);
        if command == Some(Command::Suspend) {
            self.suspend()?;
            command = None;
        }
        let since = self.drawn.map(|drawn| drawn.elapsed());
        let news = self.events.0 != self.events.1 || self.screen.is_looking() || self.is_program_fresh();
        let due = since.is_none_or(|since| typed || since >= if news { FRAME } else { STILL });
        if due && command != Some(Command::Quit) {
            self.screen.status = Status { cpu: self.cpu.part(), ..status() };
            self.draw(analysis)?;
        }
        Ok(command)
    }

    /// Takes over the terminal's size, where that is another now: what crossterm tells of it
    /// comes with the next key.
    fn fit(&mut self) -> bool {
        let size = self.terminal.size();
        let is_new = size != self.size;
        if is_new {
            self.size = size;
            self.screen.resize(size.0, size.1);
        }
        is_new
    }

    /// Does for the program's terminal what the screen wants; what others are to do is left.
    fn tend_program(&mut self, command: Option<Command>) -> Option<Command> {
        let Some(program) = &mut self.program else { return command };
        program.tend(self.screen.program_size());
        match command {
            Some(Command::Type(input)) => {
                if !program.type_in(&input) {
                    self.screen.complain("the program reads nothing: what was typed last is lost");
                }
                None
            }
            Some(Command::Scroll(by)) => {
                program.scroll(by);
                None
            }
            other => other,
        }
    }

    fn is_program_fresh(&self) -> bool {
        self.screen.shows_program() && self.program.as_ref().is_some_and(Pty::is_fresh)
    }

    /// Stops as a shell's job does, and takes the terminal again when the shell lets it go on.
    pub(super) fn suspend(&mut self) -> Result<()> {
        self.terminal.give_back();
        let stopped = stop_job();
        self.terminal.take_again().map_err(|error| refused(&error))?;
        let (columns, rows) = self.terminal.size();
        self.screen.resize(columns, rows);
        self.draw_soon();
        stopped.map_err(|errno| anyhow!("cannot stop: {}", system(&errno.into())))
    }

    /// Whether the terminal was closed.
    pub(super) fn is_gone(&self) -> bool {
        self.terminal.is_gone()
    }

    /// What the user did, if anything: never waits.
    fn typed(&self) -> Result<Option<Input>> {
        let gone = |error| anyhow!("cannot read from this terminal: {}", system(&error));
        while let Some(event) = self.keys.next().map_err(gone)? {
            if let Some(input) = input(event) {
                return Ok(Some(input));
            }
        }
        Ok(None)
    }

    fn draw(&mut self, analysis: &Analysis) -> Result<()> {
        if self.screen.shows_program()
            && let Some(program) = &mut self.program
        {
            self.screen.show_program(program.take_grid());
        }
        let page = self.screen.page(analysis, self.began.elapsed());
        let shown = self.terminal.show(&page, self.screen.style());
        shown.map_err(|error| refused(&error))?;
        self.drawn = Some(Instant::now());
        self.events.0 = self.events.1;
        Ok(())
    }

    /// Something is to be seen at once.
    pub(super) fn draw_soon(&mut self) {
        self.drawn = None;
    }

    /// One line about what forkscope does.
    pub(super) fn say(&mut self, text: &str) {
        self.screen.say(text);
        self.draw_soon();
    }

    /// One line about what forkscope could not do.
    pub(super) fn complain(&mut self, text: &str) {
        self.screen.complain(text);
        self.draw_soon();
    }

    /// Hands text to the terminal, for other programs to paste.
    pub(super) fn copy(&mut self, text: &str, what: &str) {
        match self.terminal.copy(text) {
            Ok(()) => self.say(&format!("copied {what}, where the terminal lets it be")),
            Err(error) => self.complain(&format!("cannot copy: {}", system(&error))),
        }
    }

    /// A replay begins anew.
    pub(super) fn rewind(&mut self) {
        self.screen.rewind();
        self.draw_soon();
    }
}

fn refused(error: &io::Error) -> Error {
    anyhow!("cannot draw on this terminal: {}; --ui log needs none", system(error))
}

/// The part of a processor that this process uses.
struct Meter {
    since: Instant,
    used: Option<Duration>,
    part: Option<f64>,
}

impl Meter {
    fn new() -> Self {
        Self { since: Instant::now(), used: cpu(), part: None }
    }

    fn part(&mut self) -> Option<f64> {
        let passed = self.since.elapsed();
        if passed >= MEASURED {
            let used = cpu();
            let spent = used.zip(self.used).map(|(now, before)| now.saturating_sub(before));
            self.part = spent.map(|spent| spent.as_secs_f64() / passed.as_secs_f64());
            (self.since, self.used) = (Instant::now(), used);
        }
        self.part
    }
}

/// How to draw, by the options, else by what the environment says of the terminal.
fn style(showing: &Showing, environment: impl Fn(&str) -> Option<String>) -> Style {
    let set = |name: &str| environment(name).filter(|value| !value.is_empty());
    let theme = showing.theme.unwrap_or(if set("NO_COLOR").is_some() { Theme::None } else { Theme::Dark });
    // The first that is set counts (setlocale(3)).
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set).unwrap_or_default().to_uppercase();
    let unicode = locale.contains("UTF-8") || locale.contains("UTF8");
    Style { theme, ascii: showing.ascii || !unicode }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_and_signs_are_those_that_were_asked_for_else_the_terminal_s() {
        let utf8 = ("LANG", "de_DE.UTF-8");
        for (options, environment, theme, ascii) in [
            (&[][..], &[utf8][..], Theme::Dark, false),
            (&[], &[("LC_ALL", "C"), utf8], Theme::Dark, true),
            (&[], &[("LC_ALL", ""), ("LC_CTYPE", "C.utf8")], Theme::Dark, false),
            (&[], &[], Theme::Dark, true),
            (&[], &[("NO_COLOR", "1"), utf8], Theme::None, false),
            (&[], &[("NO_COLOR", ""), utf8], Theme::Dark, false),
            (&["--theme", "light"], &[("NO_COLOR", "1"), utf8], Theme::Light, false),
            (&["--ascii"], &[utf8], Theme::Dark, true),
        ] {
            let showing = Showing::of(options);
            let value = |name: &str| {
                environment.iter().find(|(known, _)| *known == name).map(|(_, is)| (*is).to_owned())
            };
            let found = style(&showing, value);
            assert_eq!(found, Style { theme, ascii }, "{options:?} {environment:?}");
        }
    }
}
