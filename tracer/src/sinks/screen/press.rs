//! What keys and the mouse do.

use super::key::{Input, Key, Mouse};
use super::list::Step;
use super::prompt::{For, Prompt, Typed};
use super::{Command, Opened, Pane, Playing, Screen, Sorted};
use crate::analysis::Analysis;
use crate::filter::Filter;
use crate::sinks::escape::escape;

impl Screen {
    /// Takes what the user did; what others must do about it.
    pub fn press(&mut self, input: Input, analysis: &Analysis) -> Option<Command> {
        // Keys may come faster than pages are drawn: each finds the rows that the one before it led to.
        if self.found != Some((self.pane, self.opened.len())) {
            self.stale = true;
            self.fill(analysis, self.filled.unwrap_or_default());
        }
        match input {
            Input::Key(_) | Input::Chord(..) | Input::Paste(_) if self.has_focus() => {
                return self.give(input);
            }
            Input::Size(columns, rows) => self.resize(columns, rows),
            Input::Mouse(mouse) => return self.mouse(mouse, analysis),
            Input::Paste(text) => {
                if let Some(prompt) = &mut self.prompt {
                    prompt.insert(&text);
                }
            }
            Input::Key(key) | Input::Chord(key, _) => {
                let command = self.key(key, analysis);
                return self.ask_before(command);
            }
        }
        None
    }

    fn key(&mut self, key: Key, analysis: &Analysis) -> Option<Command> {
        self.message = None;
        if self.prompt.is_some() {
            self.type_key(key, analysis);
            return None;
        }
        if let Some(top) = self.help {
            self.help = step(key).map(|step| self.scrolled(top, step));
            return (key == Key::Ctrl('c')).then_some(Command::Quit);
        }
        if self.status.replay.is_some()
            && let Some(playing) = playing(key)
        {
            return Some(Command::Play(playing));
        }
        if let Some(step) = step(key) {
            return self.step(step);
        }
        // What only moves the cursor changes no row: the others may.
        self.stale = true;
        match key {
            Key::Ctrl('c') | Key::F(10) => return Some(Command::Quit),
            Key::Esc | Key::Char('q') | Key::Backspace if self.opened.pop().is_some() => {}
            Key::Char('q') => return Some(Command::Quit),
            Key::Char(digit @ '1'..='9') => {
                if let Some(pane) = self.panes().get(digit as usize - '1' as usize) {
                    self.go_to(*pane);
                }
            }
            Key::Ctrl('z') => return Some(Command::Suspend),
            Key::Ctrl('l') => {}
            Key::Tab => self.turn(1),
            Key::BackTab => self.turn(self.panes().len() - 1),
            Key::Enter => self.enter(analysis),
            Key::Char('?') | Key::F(1) => self.help = Some(0),
            Key::Char('/') | Key::F(3) if self.pane != Pane::Program => {
                self.prompt = Some(Prompt::new(For::Search, ""));
            }
            Key::Char('n') => self.search(true, analysis),
            Key::Char('N') => self.search(false, analysis),
            Key::Char('\\') | Key::F(4) if self.opened.is_empty() && self.pane != Pane::Program => {
                let filter = self.filters[self.pane as usize].to_string();
                self.prompt = Some(Prompt::new(For::Filter, &filter));
            }
            Key::Char('s') | Key::F(6) if self.opened.is_empty() && self.pane != Pane::Program => self.sort(),
            Key::Char('a') if self.opened.is_empty() => self.toggle_all(),
            Key::Char('h') | Key::Left => self.sideways(-1, analysis),
            Key::Char('l') | Key::Right => self.sideways(1, analysis),
            Key::Char('p') => self.visit_process(analysis),
            Key::Char('o') => self.visit_connection(analysis),
            Key::Char('v') => self.visit_event(analysis),
            Key::Char(' ') => self.paused = !self.paused,
            Key::Char('T') => {
                self.style.theme = self.style.theme.next();
                self.say(format!("theme {}", self.style.theme.name()));
            }
            Key::Char('A') => self.style.ascii = !self.style.ascii,
            Key::Char('e') => return Some(Command::Export),
            Key::Char('r') => return Some(Command::Record),
            Key::Char('c') => return Some(Command::GoOn),
            Key::Char('y') => return self.copied(),
            _ => {}
        }
        None
    }

    /// The finding that is to be copied.
    fn copied(&mut self) -> Option<Command> {
        let finding = match (self.opened.last(), self.pane) {
            (Some(Opened::Finding(opened)), _) => Some(opened.id),
            (None, Pane::Findings) => self.findings.list.selected(),
            _ => None,
        };
        if finding.is_none() {
            self.say("y copies a finding: select one");
        }
        finding.map(Command::Copy)
    }

    fn go_to(&mut self, pane: Pane) {
        self.pane = pane;
        self.opened.clear();
        self.lose_focus();
        self.stale = true;
    }

    fn turn(&mut self, by: usize) {
        let at = Pane::ALL.iter().position(|pane| *pane == self.pane).unwrap_or(0);
        self.go_to(Pane::ALL[(at + by) % self.panes().len()]);
    }

    fn step(&mut self, step: Step) -> Option<Command> {
        if self.shows_program() {
            return Some(self.scroll(step));
        }
        let height = usize::from(self.rows_at.1);
        match (self.opened.last_mut(), self.pane) {
            (Some(Opened::Connection(opened)), _) => opened.list.step(step, height),
            (Some(Opened::Finding(opened)), _) => opened.list.step(step, height),
            (Some(Opened::Process(opened)), _) => opened.list.step(step, height),
            (None, Pane::Processes) => self.processes.list.step(step, height),
            (None, Pane::Connections) => self.connections.list.step(step, height),
            (None, Pane::Findings) => self.findings.list.step(step, height),
            (None, Pane::Events) => {
                self.events.list.step(step, height);
                let last = self.events.list.rows().len().saturating_sub(1);
                self.events.follows = self.events.list.cursor() == last;
            }
            (None, Pane::Program) => {}
        }
        None
    }

    /// Folds and unfolds, or goes from mark to mark.
    fn sideways(&mut self, by: isize, analysis: &Analysis) {
        match (self.opened.last_mut(), self.pane) {
            (Some(Opened::Connection(opened)), _) => opened.list.step(Step::By(by), 1),
            (None, Pane::Processes) => {
                self.with_sight(analysis, |panes, sight| panes.processes.fold(sight, by < 0));
            }
            _ => {}
        }
    }

    fn sort(&mut self) {
        let name = match self.pane {
            Pane::Processes => {
                self.processes.by = self.processes.by.next();
                self.processes.by.name()
            }
            Pane::Connections => {
                self.connections.by = self.connections.by.next();
                self.connections.by.name()
            }
            Pane::Findings => {
                self.findings.by = self.findings.by.next();
                self.findings.by.name()
            }
            Pane::Events | Pane::Program => "time",
        };
        self.say(format!("sorted by {name}"));
    }

    fn toggle_all(&mut self) {
        let (on, off, is_on) = match self.pane {
            Pane::Processes => ("all processes", "processes that live or matter", &mut self.processes.all),
            Pane::Connections => {
                ("connections that crossed a fork", "all connections", &mut self.connections.only_shared)
            }
            Pane::Findings => ("all findings", "errors and warnings", &mut self.findings.all),
            Pane::Events => ("events that tell something", "all events", &mut self.events.only_telling),
            Pane::Program => return,
        };
        *is_on = !*is_on;
        let text = format!("showing {}", if *is_on { on } else { off });
        if self.pane == Pane::Events {
            self.events.forget();
        }
        self.say(text);
    }

    fn type_key(&mut self, key: Key, analysis: &Analysis) {
        let Some(prompt) = &mut self.prompt else { return };
        match prompt.press(key) {
            Typed::On => {}
            Typed::Cancelled => self.prompt = None,
            Typed::Done if prompt.what == For::Search => {
                let text = prompt.text().to_lowercase();
                self.prompt = None;
                if !text.is_empty() {
                    self.sought = text;
                    self.search(true, analysis);
                }
            }
            Typed::Done => match Filter::parse(prompt.text()) {
                Ok(filter) => {
                    self.prompt = None;
                    self.set_filter(filter);
                }
                // The line stays: it can be mended.
                Err(error) => self.complain(escape(&error.to_string()).into_owned()),
            },
        }
    }

    /// Shows only what passes, in the pane that is shown.
    pub(super) fn set_filter(&mut self, filter: Filter) {
        self.filters[self.pane as usize] = filter;
        (self.stale, self.found) = (true, None);
        if self.pane == Pane::Events {
            self.events.forget();
        }
    }

    fn mouse(&mut self, mouse: Mouse, analysis: &Analysis) -> Option<Command> {
        match mouse {
            Mouse::WheelUp => return self.wheel(Step::By(-3)),
            Mouse::WheelDown => return self.wheel(Step::By(3)),
            // What is below the help is not seen.
            Mouse::Press(..) if self.help.take().is_some() => {}
            Mouse::Press(column, 0) => {
                let tab = self.tabs_at.iter().position(|(from, to)| (*from..*to).contains(&column));
                if let Some(pane) = tab.and_then(|at| Pane::ALL.get(at)) {
                    self.go_to(*pane);
                }
            }
            Mouse::Press(_, row) if self.shows_program() => {
                if row <= self.program_size().1 {
                    self.focus();
                }
            }
            Mouse::Press(_, row) => {
                let (first, count) = self.rows_at;
                let at = row.checked_sub(first).filter(|at| *at < count)?;
                if !self.select_seen(usize::from(at)) {
                    self.enter(analysis);
                }
            }
        }
        None
    }

    fn wheel(&mut self, step: Step) -> Option<Command> {
        let Some(top) = self.help else { return self.step(step) };
        self.help = Some(self.scrolled(top, step));
        None
    }

    /// Selects a row that is seen; false: it was selected already.
    fn select_seen(&mut self, row: usize) -> bool {
        fn select<Id: Copy + PartialEq>(list: &mut super::list::List<Id>, row: usize) -> bool {
            let before = list.cursor();
            list.select_seen(row) && list.cursor() != before
        }
        match (self.opened.last_mut(), self.pane) {
            (Some(Opened::Connection(opened)), _) => select(&mut opened.list, row),
            (Some(Opened::Finding(opened)), _) => select(&mut opened.list, row),
            (Some(Opened::Process(opened)), _) => select(&mut opened.list, row),
            (None, Pane::Processes) => select(&mut self.processes.list, row),
            (None, Pane::Connections) => select(&mut self.connections.list, row),
            (None, Pane::Findings) => select(&mut self.findings.list, row),
            (None, Pane::Events) => {
                self.events.follows = false;
                select(&mut self.events.list, row)
            }
            (None, Pane::Program) => true,
        }
    }
}

/// Keys that move a cursor, as in less(1), htop(1) and vim(1).
fn step(key: Key) -> Option<Step> {
    Some(match key {
        Key::Up | Key::Char('k') | Key::Ctrl('p') => Step::By(-1),
        Key::Down | Key::Char('j') | Key::Ctrl('n') => Step::By(1),
        Key::PageUp | Key::Ctrl('b') => Step::Page(-1),
        Key::PageDown | Key::Ctrl('f') => Step::Page(1),
        Key::Ctrl('u') => Step::Half(-1),
        Key::Ctrl('d') => Step::Half(1),
        Key::Home | Key::Char('g') => Step::First,
        Key::End | Key::Char('G') => Step::Last,
        _ => return None,
    })
}

/// Keys that steer a replay.
fn playing(key: Key) -> Option<Playing> {
    const SECONDS: i32 = 10;
    Some(match key {
        Key::Char(' ') => Playing::Toggle,
        Key::Char('.') => Playing::Step,
        Key::Char('f') => Playing::NextFinding,
        Key::Char('+' | '=') => Playing::Faster,
        Key::Char('-') => Playing::Slower,
        Key::Char('>') => Playing::By(SECONDS),
        Key::Char('<') => Playing::By(-SECONDS),
        Key::Char('0') => Playing::Start,
        Key::Char('$') => Playing::End,
        _ => return None,
    })
}
