//! How a screen is drawn: its colours, and the signs that the terminal can show.

use super::rates::COLUMNS;

/// Colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// For a dark background.
    #[default]
    Dark,
    /// For a light background.
    Light,
    /// Bright colours and strong marks.
    Contrast,
    /// No colours: what they say is said by signs, bold and reversed text.
    None,
}

impl Theme {
    /// Every theme, in the order in which a key goes through them.
    pub const ALL: [Self; 4] = [Self::Dark, Self::Light, Self::Contrast, Self::None];

    /// The name that users type.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dark => "dark",
            Self::Light => "light",
            Self::Contrast => "contrast",
            Self::None => "none",
        }
    }

    /// The one after it.
    #[must_use]
    pub fn next(self) -> Self {
        let at = Self::ALL.iter().position(|theme| *theme == self).unwrap_or(0);
        Self::ALL[(at + 1) % Self::ALL.len()]
    }
}

/// How a screen is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// Its colours.
    pub theme: Theme,
    /// Only ASCII: the terminal, or its locale, has nothing else.
    pub ascii: bool,
}

impl Style {
    /// One of two signs.
    pub(super) fn sign<T>(self, unicode: T, ascii: T) -> T {
        if self.ascii { ascii } else { unicode }
    }

    /// Amounts as a small graph.
    pub(super) fn graph(self, amounts: [u32; COLUMNS]) -> String {
        const BARS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
        const ASCII: [char; 9] = [' ', '.', '.', ':', ':', '=', '=', '#', '#'];
        let most = amounts.iter().copied().max().unwrap_or(0).max(1);
        let bars = self.sign(BARS, ASCII);
        // What is little is not nothing.
        let level = |amount: u32| (u64::from(amount) * 8).div_ceil(u64::from(most)) as usize;
        amounts.iter().map(|&amount| bars[level(amount)]).collect()
    }
}

/// `999`, `12.3k`, `4.0M`: at most five characters.
#[must_use]
pub fn short(number: u64) -> String {
    const UNITS: [(u64, char); 6] = [
        (1_000_000_000_000_000_000, 'E'),
        (1_000_000_000_000_000, 'P'),
        (1_000_000_000_000, 'T'),
        (1_000_000_000, 'G'),
        (1_000_000, 'M'),
        (1_000, 'k'),
    ];
    // What would be rounded up to the next unit is told in it.
    for (unit, letter) in UNITS {
        if number >= unit - unit / 20_000 && number >= 1000 {
            let value = number as f64 / unit as f64;
            return if value < 99.95 { format!("{value:.1}{letter}") } else { format!("{value:.0}{letter}") };
        }
    }
    number.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1000, "1.0k"),
            (12_345, "12.3k"),
            (99_960, "100k"),
            (999_499, "999k"),
            (1_000_000, "1.0M"),
            (u64::MAX, "18.4E"),
        ] {
            assert_eq!(short(number), text);
        }
        let mut number = 1_u64;
        while number < u64::MAX / 7 {
            assert!(short(number).len() <= 5, "{number}: {}", short(number));
            number = number * 7 + 3;
        }
    }

    #[test]
    fn graphs_show_what_is_little() {
        let amounts = [0, 1, 50, 100, 0, 0, 0, 0, 0, 0];
        assert_eq!(Style::default().graph(amounts), " ▁▄█      ");
        assert_eq!(
            Style { ascii: true, ..Style::default() }.graph(amounts),
            " ..#      ".replace("..#", ".:#")
        );
        assert_eq!(Style::default().graph([0; COLUMNS]), " ".repeat(COLUMNS));
    }

    #[test]
    fn the_key_goes_through_all_themes() {
        let mut theme = Theme::Dark;
        for expected in ["light", "contrast", "none", "dark"] {
            theme = theme.next();
            assert_eq!(theme.name(), expected);
        }
    }
}
