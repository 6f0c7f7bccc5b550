//! What the rules saw of one cause, as one story in order of time.

use crate::report::Evidence;

/// Evidence of one finding: a longer story is told by its beginning and its end.
pub(super) const MOST_EVIDENCE: usize = 24;

/// Merges another draft's steps into a finding's, in order of time and as far as there is room. Where both
/// describe one event, the other's words win if `more`.
pub(super) fn join(own: &mut Vec<Evidence>, others: Vec<Evidence>, more: bool) {
    shorten(own, MOST_EVIDENCE);
    let mut new = Vec::new();
    for other in others {
        match own.iter_mut().find(|step| same(step, &other)) {
            Some(step) if more => *step = other,
            Some(_) => {}
            None => new.push(other),
        }
    }
    shorten(&mut new, MOST_EVIDENCE.saturating_sub(own.len()));
    own.append(&mut new);
    own.sort_by(|one, other| one.time.total_cmp(&other.time));
}

/// Leaves the beginning and the end.
pub(super) fn shorten<T>(steps: &mut Vec<T>, most: usize) {
    let (surplus, head) = (steps.len().saturating_sub(most), most.div_ceil(2));
    if surplus > 0 {
        steps.drain(head..head + surplus);
    }
}

/// One event, told twice: by another rule, or later, when more was known of it.
fn same(one: &Evidence, other: &Evidence) -> bool {
    one.time.total_cmp(&other.time).is_eq() && one.pid == other.pid && one.syscall == other.syscall
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Steps at these moments, told by `who`.
    fn steps(who: &str, times: impl IntoIterator<Item = u32>) -> Vec<Evidence> {
        let step = |time| Evidence {
            time: f64::from(time),
            pid: 1,
            tid: 1,
            what: who.to_owned(),
            syscall: None,
            fd: None,
            result: None,
        };
        times.into_iter().map(step).collect()
    }

    #[test]
    fn one_story_in_order_of_time_and_each_event_once() {
        for (more, both) in [(false, "own"), (true, "other")] {
            let mut own = steps("own", [1, 4, 5]);
            join(&mut own, steps("other", [2, 4, 9]), more);
            let told: Vec<_> = own.iter().map(|step| (step.time, step.what.as_str())).collect();
            assert_eq!(told, [(1.0, "own"), (2.0, "other"), (4.0, both), (5.0, "own"), (9.0, "other")]);
        }
    }

    #[test]
    fn what_names_the_finding_has_the_room_and_both_ends_stay() {
        let mut own = steps("own", 10..30);
        join(&mut own, steps("other", 0..10), false);
        let told: Vec<_> = own.iter().map(|step| step.time as u32).collect();
        assert_eq!(told, [&[0, 1, 8, 9][..], &(10..30).collect::<Vec<_>>()].concat());
        let mut long = steps("own", 0..100);
        join(&mut long, steps("other", 200..300), false);
        assert_eq!((long.len(), long[11].time, long[12].time), (MOST_EVIDENCE, 11.0, 88.0));
    }
}
