//! A figure by how many there are of something: it should be flat.

use super::{QUIET, TEXT, line, picture, text};

/// A line through points; both sorted by x.
pub(crate) struct Series<'a> {
    pub(crate) name: &'a str,
    pub(crate) points: Vec<(f64, f64)>,
    pub(crate) colour: &'static str,
}

const LEFT: f64 = 70.0;
const WIDTH: f64 = 520.0;
const RIGHT: f64 = 120.0;
const TOP: f64 = 40.0;
const HEIGHT: f64 = 220.0;
const MARKS: usize = 4;

/// The picture: each step to the right is a factor of ten; the height begins at 0.
pub(crate) fn lines(title: &str, unit: &str, series: &[Series<'_>]) -> String {
    let points = || series.iter().flat_map(|series| &series.points);
    let (least, most) =
        points().fold((f64::MAX, f64::MIN), |(least, most), (x, _)| (least.min(*x), most.max(*x)));
    let highest = points().map(|(_, y)| *y).fold(1.0, f64::max) * 1.1;
    let x = |value: f64| LEFT + WIDTH * ((value / least).ln() / (most / least).ln().max(f64::MIN_POSITIVE));
    let y = |value: f64| TOP + HEIGHT * (1.0 - value / highest);
    let mut parts = text(LEFT, 20.0, "start", title);
    for mark in 0..=MARKS {
        let value = highest * mark as f64 / MARKS as f64;
        parts += &line([LEFT, y(value)], [LEFT + WIDTH, y(value)], QUIET);
        parts += &text(LEFT - 6.0, y(value) + 4.0, "end", &format!("{value:.0} {unit}"));
    }
    let mut values: Vec<f64> = points().map(|(x, _)| *x).collect();
    values.sort_by(f64::total_cmp);
    values.dedup();
    for value in values {
        parts +=
            &text(x(value), TOP + HEIGHT + 18.0, "middle", &crate::bench::markdown::grouped(value as u64));
    }
    for Series { name, points, colour } in series {
        let path: Vec<String> =
            points.iter().map(|point| format!("{:.1},{:.1}", x(point.0), y(point.1))).collect();
        parts += &format!(
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>\n",
            path.join(" ")
        );
        for point in points {
            parts += &format!(
                "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"3.5\" fill=\"{colour}\"/>\n",
                x(point.0),
                y(point.1)
            );
        }
        if let Some(last) = points.last() {
            parts += &text(x(last.0) + 8.0, y(last.1) + 4.0, "start", name);
        }
    }
    parts += &line([LEFT, TOP], [LEFT, TOP + HEIGHT], TEXT);
    picture(LEFT + WIDTH + RIGHT, TOP + HEIGHT + 34.0, &parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tens_are_equally_far_apart() {
        let series =
            Series { name: "a", points: vec![(10.0, 5.0), (100.0, 5.0), (1000.0, 5.0)], colour: "#000" };
        let svg = lines("title", "ns", &[series]);
        for at in ["cx=\"70.0\"", "cx=\"330.0\"", "cx=\"590.0\"", ">1,000<"] {
            assert!(svg.contains(at), "{at} in {svg}");
        }
    }

    #[test]
    fn nothing_measured_draws_nothing_odd() {
        let svg = lines("title", "ns", &[]);
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    }
}
