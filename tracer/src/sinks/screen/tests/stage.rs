//! A screen over the unit tests' kernel: what happens there is noted, keys are pressed, pages are looked at.

use crate::analysis::Analysis;
use crate::analysis::kernel::Kernel;
use crate::filter::Filter;
use crate::sinks::log::event::line;
use crate::sinks::screen::page::{Line, Page};
use crate::sinks::screen::{Command, Input, Key, Screen, Status, Style};
use std::cell::{RefCell, RefMut};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

/// The kernel, and the screen that watches it.
pub(crate) struct Stage {
    pub(crate) kernel: Kernel,
    /// What the screen is shown in place of the kernel's: nothing.
    nothing: Option<Analysis>,
    screen: Rc<RefCell<Screen>>,
    /// The clock of who draws.
    wall: Duration,
}

impl Stage {
    /// A screen of 80x24.
    pub(crate) fn new() -> Self {
        let mut screen = Screen::new(Style::default(), &Filter::default());
        let session = "attach, ebpf".to_owned();
        screen.status =
            Status { session, elapsed: 12.0, events: 4321, cpu: Some(0.012), ..Status::default() };
        let screen = Rc::new(RefCell::new(screen));
        let (noting, mut text) = (Rc::clone(&screen), String::new());
        let mut kernel = Kernel::heard_by(Box::new(move |event, analysis| {
            text.clear();
            line(event, 0, &mut text);
            noting.borrow_mut().note(event, &text, analysis);
        }));
        kernel.name_children();
        kernel.exec_as(100, "bash", &["bash"]);
        Self { kernel, nothing: None, screen, wall: Duration::ZERO }
    }

    /// A screen that was told of nothing yet.
    pub(crate) fn empty() -> Self {
        let mut stage = Self::new();
        stage.screen().rewind();
        stage.nothing = Some(Analysis::new(0, BTreeMap::new()));
        stage
    }

    pub(crate) fn screen(&self) -> RefMut<'_, Screen> {
        self.screen.borrow_mut()
    }

    fn analysis(&self) -> &Analysis {
        self.nothing.as_ref().unwrap_or(&self.kernel.analysis)
    }

    /// Does what the user does; what others must do about it.
    pub(crate) fn does(&self, input: Input) -> Option<Command> {
        self.screen().press(input, self.analysis())
    }

    /// Presses keys that were read at once, `<Name>` is one that has a name; what the
    /// last one asks others for.
    pub(crate) fn press(&self, keys: &str) -> Option<Command> {
        parse(keys).into_iter().fold(None, |_, key| self.does(Input::Key(key)))
    }

    /// The clock of who draws goes on.
    pub(crate) fn wait(&mut self, time: Duration) {
        self.wall += time;
    }

    /// What is seen now.
    pub(crate) fn page(&self) -> Page {
        self.screen().page(self.analysis(), self.wall)
    }

    /// Where the user is: the pane, and what is opened in it.
    pub(crate) fn place(&self) -> String {
        let page = self.page();
        let pane = page.tabs.iter().find(|(_, shown)| *shown).map(|(name, _)| name[2..].to_owned());
        let pane = pane.unwrap_or_default();
        let pane = pane.split(' ').next().unwrap_or_default().to_lowercase();
        format!("{pane}{}", text(&page.place))
    }

    /// The selected row: its cells with spaces between them.
    pub(crate) fn row(&self) -> String {
        let table = self.page().table;
        let row = table.cursor.and_then(|at| table.rows.get(at)).cloned().unwrap_or_default();
        row.iter().map(text).filter(|cell| !cell.is_empty()).collect::<Vec<_>>().join(" ")
    }

    /// All rows that are seen.
    pub(crate) fn rows(&self) -> Vec<String> {
        let rows = self.page().table.rows;
        rows.iter().map(|row| row.iter().map(text).collect::<Vec<_>>().join(" ")).collect()
    }

    /// What stands in the place of the keys.
    pub(crate) fn message(&self) -> String {
        self.page().message.iter().map(text).collect::<Vec<_>>().join(" ")
    }
}

fn text(line: &Line) -> String {
    line.iter().map(|span| &*span.text).collect()
}

/// Keys of a text such as `3<Enter>j`.
pub(crate) fn parse(keys: &str) -> Vec<Key> {
    let mut keys = keys;
    let mut parsed = Vec::new();
    while let Some(first) = keys.chars().next() {
        let name = keys.strip_prefix('<').and_then(|rest| Some(rest.split_once('>')?.0));
        parsed.push(name.map_or(Key::Char(first), named));
        keys = &keys[name.map_or(first.len_utf8(), |name| name.len() + 2)..];
    }
    parsed
}

fn named(name: &str) -> Key {
    match name {
        "lt" => Key::Char('<'),
        "Enter" => Key::Enter,
        "Esc" => Key::Esc,
        "Tab" => Key::Tab,
        "BackTab" => Key::BackTab,
        "Backspace" => Key::Backspace,
        "Up" => Key::Up,
        "Down" => Key::Down,
        "Left" => Key::Left,
        "Right" => Key::Right,
        "PgUp" => Key::PageUp,
        "PgDn" => Key::PageDown,
        "Home" => Key::Home,
        "End" => Key::End,
        _ => match name.split_at(2) {
            ("C-", letter) => Key::Ctrl(letter.chars().next().expect("a letter")),
            _ => panic!("no key is called {name}"),
        },
    }
}
