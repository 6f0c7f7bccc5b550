//! The colours of each role. The sixteen of every terminal, so that its own palette holds.

use crate::sinks::screen::Theme;
use crate::sinks::screen::grid::{Colour, Look};
use crate::sinks::screen::page::Role;
use ratatui::style::{Color, Modifier, Style};

/// Colours by which the processes of one connection are told apart.
const PROCESSES: [Color; 6] =
    [Color::Cyan, Color::Magenta, Color::Yellow, Color::Green, Color::Blue, Color::Red];

/// A role's style.
pub(super) fn paint(theme: Theme, role: Role) -> Style {
    let plain = Style::new();
    let bold = plain.add_modifier(Modifier::BOLD);
    match theme {
        Theme::None => without_colours(role),
        Theme::Dark | Theme::Light | Theme::Contrast => match role {
            Role::Plain => plain,
            Role::Dim if theme == Theme::Contrast => plain,
            Role::Dim => plain.fg(if theme == Theme::Light { Color::Gray } else { Color::DarkGray }),
            Role::Strong => bold,
            Role::Error => bold.fg(bright(theme, Color::Red)),
            Role::Warning => {
                bold.fg(if theme == Theme::Light { Color::Magenta } else { bright(theme, Color::Yellow) })
            }
            Role::Info => {
                plain.fg(if theme == Theme::Light { Color::Blue } else { bright(theme, Color::Cyan) })
            }
            Role::Good => plain.fg(bright(theme, Color::Green)),
            Role::Process(at) => bold.fg(bright(theme, PROCESSES[usize::from(at) % PROCESSES.len()])),
        },
    }
}

fn without_colours(role: Role) -> Style {
    let plain = Style::new();
    match role {
        Role::Plain | Role::Info | Role::Good => plain,
        Role::Dim => plain.add_modifier(Modifier::DIM),
        Role::Strong | Role::Warning => plain.add_modifier(Modifier::BOLD),
        Role::Error => plain.add_modifier(Modifier::BOLD | Modifier::UNDERLINED),
        Role::Process(at) if at % 2 == 1 => plain.add_modifier(Modifier::UNDERLINED),
        Role::Process(_) => plain.add_modifier(Modifier::BOLD),
    }
}

/// The bright form of a colour, for high contrast.
fn bright(theme: Theme, color: Color) -> Color {
    match (theme, color) {
        (Theme::Contrast, Color::Red) => Color::LightRed,
        (Theme::Contrast, Color::Yellow) => Color::LightYellow,
        (Theme::Contrast, Color::Cyan) => Color::LightCyan,
        (Theme::Contrast, Color::Green) => Color::LightGreen,
        (Theme::Contrast, Color::Blue) => Color::LightBlue,
        (Theme::Contrast, Color::Magenta) => Color::LightMagenta,
        (_, color) => color,
    }
}

/// What is laid over a selected row.
pub(super) fn selected(theme: Theme) -> Style {
    match theme {
        Theme::Dark => Style::new().bg(Color::Indexed(238)),
        Theme::Light => Style::new().bg(Color::Indexed(253)),
        Theme::Contrast | Theme::None => Style::new().add_modifier(Modifier::REVERSED),
    }
}

/// What is laid over the bars at the edges.
pub(super) fn bar(theme: Theme) -> Style {
    match theme {
        Theme::Dark => Style::new().bg(Color::Indexed(236)),
        Theme::Light => Style::new().bg(Color::Indexed(254)),
        Theme::Contrast | Theme::None => Style::new().add_modifier(Modifier::REVERSED),
    }
}

/// How a program's text looks: as it asked for, but without colours where there are to be none.
pub(super) fn look(theme: Theme, look: &Look) -> Style {
    let mut style = Style::new();
    if theme != Theme::None {
        style.fg = colour(look.text);
        style.bg = colour(look.behind);
    }
    let modifiers = [
        (look.bold, Modifier::BOLD),
        (look.dim, Modifier::DIM),
        (look.italic, Modifier::ITALIC),
        (look.underline, Modifier::UNDERLINED),
        (look.inverse, Modifier::REVERSED),
    ];
    modifiers.into_iter().filter(|(is_set, _)| *is_set).fold(style, |style, (_, one)| style.add_modifier(one))
}

fn colour(colour: Colour) -> Option<Color> {
    match colour {
        Colour::Default => None,
        Colour::Indexed(index) => Some(Color::Indexed(index)),
        Colour::Rgb(red, green, blue) => Some(Color::Rgb(red, green, blue)),
    }
}
