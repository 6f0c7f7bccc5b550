//! Who holds something, under which numbers, and whether that is one open file.

use crate::sinks::words::list;

/// A hold: process, descriptor, number of the open file where it could be asked.
pub(super) type Hold = (u32, i32, Option<u32>);

/// The most processes that are named.
const MOST: usize = 12;

/// `1204 (fd 3) and 1206 (fds 3 and 5)`.
pub(super) fn names(holds: &[Hold]) -> String {
    let mut by_pid: Vec<(u32, Vec<String>)> = Vec::new();
    for (pid, fd, _) in holds {
        match by_pid.iter_mut().find(|(known, _)| known == pid) {
            Some((_, fds)) => fds.push(fd.to_string()),
            None => by_pid.push((*pid, vec![fd.to_string()])),
        }
    }
    let more = by_pid.len().saturating_sub(MOST);
    let name = |(pid, fds): &(u32, Vec<String>)| {
        format!("{pid} (fd{} {})", if fds.len() == 1 { "" } else { "s" }, list(fds))
    };
    let mut words: Vec<String> = by_pid.iter().take(MOST).map(name).collect();
    if more > 0 {
        words.push(format!("{more} more"));
    }
    list(&words)
}

/// Whether what several descriptors lead to is one open file; where that could not be asked, what they have
/// in common. Nothing of one descriptor.
pub(super) fn sameness(holds: &[Hold], alike: &str) -> Option<String> {
    if holds.len() < 2 {
        return None;
    }
    let numbers: Option<Vec<u32>> = holds.iter().map(|(_, _, file)| *file).collect();
    Some(match numbers {
        None => format!("{alike}; whether it is one open file could not be asked"),
        Some(mut numbers) => {
            numbers.sort_unstable();
            numbers.dedup();
            match numbers.len() {
                1 => "one open file".to_owned(),
                n => format!("{alike}, {n} open files"),
            }
        }
    })
}
