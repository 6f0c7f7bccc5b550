//! The name that was probably meant.

/// The nearest of the names to a text, whatever the case, where it is near enough to have been meant: one
/// letter in three may be wrong, and one of fewer.
#[must_use]
pub fn nearest<'a>(text: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let most = (text.chars().count() / 3).max(1);
    let near = names.map(|name| (distance(text, name), name));
    near.filter(|(distance, _)| *distance <= most).min_by_key(|(distance, _)| *distance).map(|(_, name)| name)
}

/// How many letters must be put in, taken out, changed, or swapped with the next to make one name of another
/// (optimal string alignment).
fn distance(from: &str, to: &str) -> usize {
    let (from, to): (Vec<char>, Vec<char>) = (from.chars().collect(), to.chars().collect());
    let same = |one: usize, other: usize| from[one].eq_ignore_ascii_case(&to[other]);
    // For each beginning of `from` the distances to all beginnings of `to`.
    let mut rows: Vec<Vec<usize>> = vec![(0..=to.len()).collect()];
    for i in 1..=from.len() {
        let mut row = vec![i];
        for j in 1..=to.len() {
            let changed = rows[i - 1][j - 1] + usize::from(!same(i - 1, j - 1));
            let mut least = changed.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && same(i - 1, j - 2) && same(i - 2, j - 1) {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[from.len()][to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_meant_is_told() {
        let near = |text| nearest(text, ["sendmsg", "recvmsg", "close"].into_iter());
        assert_eq!(near("sendmgs"), Some("sendmsg"));
        assert_eq!(near("RCVMSG"), Some("recvmsg"));
        assert_eq!(near("clse"), Some("close"));
        assert_eq!(near("zzz"), None);
        assert_eq!(near("cloves"), Some("close"));
        assert_eq!(near("cleave"), None);
        assert_eq!(near(""), None);
        for (from, to, expected) in
            [("kitten", "sitting", 3), ("pdi", "pid", 1), ("", "abc", 3), ("abc", "", 3), ("ca", "abc", 3)]
        {
            assert_eq!(distance(from, to), expected, "{from} {to}");
        }
    }
}
