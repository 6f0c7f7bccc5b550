//! Times over the untraced, a bar for each side, on a scale where each step is a factor.

use super::{QUIET, TEXT, line, picture, text};
use crate::bench::spread::Spread;

/// A bar.
pub(crate) struct Bar {
    pub(crate) name: String,
    pub(crate) ratio: Spread,
    pub(crate) colour: &'static str,
}

const LEFT: f64 = 210.0;
const WIDTH: f64 = 430.0;
const RIGHT: f64 = 90.0;
const TOP: f64 = 34.0;
const STEP: f64 = 26.0;
const THICK: f64 = 16.0;
/// Where marks of the scale are.
const MARKS: [f64; 10] = [1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0];

/// The picture. Bars begin at 1, which is no cost; thin lines show the spread.
pub(crate) fn bars(title: &str, bars: &[Bar]) -> String {
    let most = bars.iter().map(|bar| bar.ratio.most).fold(1.5, f64::max);
    let height = TOP + STEP * bars.len() as f64 + 24.0;
    let x = |ratio: f64| LEFT + WIDTH * (ratio.max(1.0).ln() / most.ln());
    let mut parts = text(10.0, 18.0, "start", title);
    let bottom = height - 22.0;
    for mark in MARKS.into_iter().filter(|mark| *mark <= most) {
        parts += &line([x(mark), TOP - 6.0], [x(mark), bottom], QUIET);
        parts += &text(x(mark), height - 8.0, "middle", &format!("{mark}×"));
    }
    for (at, Bar { name, ratio, colour }) in bars.iter().enumerate() {
        let top = TOP + STEP * at as f64;
        let middle = top + THICK / 2.0;
        parts += &text(LEFT - 8.0, middle + 4.0, "end", name);
        let width = (x(ratio.median) - LEFT).max(1.0);
        parts += &format!(
            "<rect x=\"{LEFT}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{THICK}\" fill=\"{colour}\"/>\n"
        );
        parts += &line([x(ratio.least), middle], [x(ratio.most), middle], TEXT);
        let digits = if ratio.median < 10.0 { 2 } else { 0 };
        let end = x(ratio.most.max(ratio.median)) + 6.0;
        parts += &text(end, middle + 4.0, "start", &format!("{:.digits$}×", ratio.median));
    }
    picture(LEFT + WIDTH + RIGHT, height, &parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_ends_where_its_ratio_is() {
        let ratio = |median| Spread { median, least: median, most: median, count: 1 };
        let bar = |name: &str, median| Bar { name: name.into(), ratio: ratio(median), colour: "#000" };
        let svg = bars("A <title>", &[bar("one", 10.0), bar("other", 100.0)]);
        assert!(svg.contains("A &lt;title&gt;"), "{svg}");
        // Ten times is half of the way to a hundred times.
        for width in ["width=\"215.0\"", "width=\"430.0\""] {
            assert!(svg.contains(width), "{width} in {svg}");
        }
        assert!(svg.contains("10×") && svg.contains("100×"));
    }

    #[test]
    fn no_bars_are_a_picture_too() {
        assert!(bars("empty", &[]).ends_with("</svg>\n"));
    }
}
