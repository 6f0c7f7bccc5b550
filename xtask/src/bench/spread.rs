//! What several measurements of one thing come to.

use serde::{Deserialize, Serialize};

/// The middle of some measurements, and how far they lie apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Spread {
    pub(super) median: f64,
    pub(super) least: f64,
    pub(super) most: f64,
    /// How many measurements.
    pub(super) count: usize,
}

impl Spread {
    /// None of none.
    pub(super) fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let (least, most) = (*values.first()?, *values.last()?);
        let middle = values.len() / 2;
        let median = if values.len().is_multiple_of(2) {
            f64::midpoint(values[middle - 1], values[middle])
        } else {
            values[middle]
        };
        let [median, least, most] = [median, least, most].map(shortened);
        Some(Self { median, least, most, count: values.len() })
    }

    /// The middle, and between what measurements the middle of any number of them would lie, 19 times of 20
    /// where there are six or more: whatever their distribution, so many of those made lie on each side of it
    /// (the sign test's confidence interval, Conover, "Practical Nonparametric Statistics", 3.2).
    pub(super) fn of_the_middle(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let count = values.len() as f64;
        let reach = 0.98 * count.sqrt();
        let low = (count / 2.0 - reach).floor().max(1.0) as usize - 1;
        let high = values.len().checked_sub(low + 1)?;
        let (least, most) = (shortened(*values.get(low)?), shortened(*values.get(high)?));
        Some(Self { least, most, ..Self::of(values)? })
    }

    /// As `1.23 (1.10 to 1.40)`, with so many digits after the point.
    pub(super) fn shown(&self, digits: usize) -> String {
        let Self { median, least, most, .. } = self;
        format!("{median:.digits$} ({least:.digits$} to {most:.digits$})")
    }
}

/// Five digits, so that what is kept can be read.
pub(super) fn shortened(value: f64) -> f64 {
    format!("{value:.4e}").parse().unwrap_or(value)
}

/// The value that so much of the (sorted) values does not exceed, from 0 to 1.
pub(super) fn percentile(sorted: &[f64], share: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let rank = (share * sorted.len() as f64).ceil() as usize;
    Some(sorted[rank.saturating_sub(1).min(last)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_and_the_ends() {
        assert_eq!(Spread::of([]), None);
        let odd = Spread::of([3.0, 1.0, 2.0]).expect("there are some");
        assert_eq!((odd.median, odd.least, odd.most, odd.count), (2.0, 1.0, 3.0, 3));
        assert_eq!(Spread::of([1.0, 2.0]).expect("there are some").median, 1.5);
        assert_eq!(odd.shown(1), "2.0 (1.0 to 3.0)");
    }

    #[test]
    fn the_middle_is_known_the_better_the_more_there_are() {
        let of = |count: u32| Spread::of_the_middle((1..=count).map(f64::from));
        assert_eq!(of(0), None);
        for (count, least, most) in
            [(1, 1.0, 1.0), (4, 1.0, 4.0), (100, 40.0, 61.0), (10_000, 4902.0, 5099.0)]
        {
            let spread = of(count).expect("there are some");
            assert_eq!((spread.least, spread.most), (least, most), "of {count}");
        }
    }

    #[test]
    fn five_digits_are_kept() {
        assert_eq!(shortened(1.234_567), 1.2346);
        assert_eq!(shortened(123_456.0), 123_460.0);
    }

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let values: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!(percentile(&values, 0.5), Some(50.0));
        assert_eq!(percentile(&values, 0.99), Some(99.0));
        assert_eq!(percentile(&[7.0], 0.99), Some(7.0));
        assert_eq!(percentile(&[], 0.5), None);
    }
}
