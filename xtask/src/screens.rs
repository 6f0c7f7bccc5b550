//! Pictures of the live screen for the guide: a kept recording of `forkscope demo`,
//! played, with keys pressed.
//!
//! The recording is docs/screens/demo.rec. A new one, should its format change:
//! `forkscope demo --record FILE` as root, of a forkscope in /usr/local/bin, since its path is in it.

mod svg;

use crate::generated::{Options, keep};
use crate::paths;
use anyhow::{Context, Result};
use forkscope::analysis::Analysis;
use forkscope::filter::Filter;
use forkscope::replay::{Input, Player, Seen, Setup, Until};
use forkscope::sinks::log::event::line;
use forkscope::sinks::screen::{self, Key, Replayed, Screen, Status, Style};
use forkscope::sinks::tui::draw;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::fs::File;
use std::time::Duration;

const RECORDING: &str = "docs/screens/demo.rec";

/// A picture: its name, the terminal's columns and rows (at least 60x15), and which keys were pressed on it.
struct Shot {
    name: &'static str,
    size: (u16, u16),
    keys: &'static [Key],
}

const SHOTS: [Shot; 5] = [
    Shot { name: "processes", size: (100, 15), keys: &[Key::Char('1'), Key::Down] },
    Shot { name: "connections", size: (150, 15), keys: &[Key::Char('2')] },
    Shot { name: "finding", size: (100, 28), keys: &[Key::Char('3'), Key::Enter] },
    Shot { name: "timeline", size: (110, 30), keys: &[Key::Char('2'), Key::Enter, Key::PageUp] },
    Shot { name: "events", size: (110, 20), keys: &[Key::Char('4')] },
];

/// Draws every picture, or with `--check` compares them.
pub(crate) fn run(options: &Options) -> Result<()> {
    for shot in &SHOTS {
        let file = format!("docs/src/screens/{}.svg", shot.name);
        keep("screens", &file, &svg::picture(&drawn(shot)?), options)?;
    }
    Ok(())
}

/// What the terminal shows.
fn drawn(shot: &Shot) -> Result<Buffer> {
    let file = File::open(paths::at(RECORDING)).with_context(|| format!("cannot open {RECORDING}"))?;
    let mut player = Player::open(Input::file(file), RECORDING.to_owned(), Setup::default())
        .with_context(|| format!("cannot replay {RECORDING}"))?;
    let mut screen = Screen::new(Style::default(), &Filter::default());
    let (start, mut text) = (player.header().clock, String::new());
    player.advance(Until::End, Duration::MAX, &mut |seen, analysis: &Analysis| {
        if let Seen::Event(event) = seen {
            text.clear();
            line(event, start, &mut text);
            screen.note(event, &text, analysis);
        }
    });
    screen.status = status(&player);
    let (columns, rows) = shot.size;
    screen.resize(columns, rows);
    for key in shot.keys {
        screen.page(player.analysis(), Duration::ZERO);
        screen.press(screen::Input::Key(*key), player.analysis());
    }
    let page = screen.page(player.analysis(), Duration::ZERO);
    let mut buffer = Buffer::empty(Rect::new(0, 0, columns, rows));
    draw(&page, screen.style(), &mut buffer);
    Ok(buffer)
}

fn status(player: &Player) -> Status {
    let at = player.position().as_secs_f64();
    let of = player.length().map(|length| length.as_secs_f64());
    Status {
        session: format!("replay, {}", player.header().backend.name()),
        events: player.events(),
        replay: Some(Replayed { pace: "at the end".to_owned(), at, of }),
        ..Status::default()
    }
}
