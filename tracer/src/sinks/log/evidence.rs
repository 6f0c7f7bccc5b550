//! The steps of a finding as aligned columns: when, who, which call, what it meant.

use super::paint::{FAILED, Look};
use super::wrap::wrap;
use crate::report::Evidence;
use crate::sinks::escape::{escape, escape_at_most};

/// The most characters of the column of calls; a longer call has its own line.
const MOST_CALL: usize = 30;
/// The fewest columns in which the last column is worth having beside the others.
const LEAST_WHAT: usize = 24;
/// So many steps are always shown, from both ends: enough for opened, inherited, closed,
/// replaced, used again, failed.
pub const LEAST_STEPS: usize = 6;

/// The lines of the steps, without a gutter, in `columns` columns and at most `most` lines if they can be:
/// what does not fit is left out in the middle, because the cause is at the beginning and the failure at the
/// end. [`LEAST_STEPS`] steps are always there.
#[must_use]
pub fn lines(steps: &[Evidence], look: Look, columns: usize, most: usize) -> Vec<String> {
    let table = Table::of(steps, columns);
    let blocks: Vec<Vec<String>> = steps.iter().map(|step| table.block(step, look)).collect();
    if blocks.iter().map(Vec::len).sum::<usize>() <= most {
        return blocks.concat();
    }
    let (head, tail) = ends(&blocks, most);
    let dots = format!("... {} more", steps.len() - head - tail);
    let mut out = blocks[..head].concat();
    if head + tail < steps.len() {
        out.push(dots);
    }
    out.extend(blocks[steps.len() - tail..].concat());
    out
}

/// How many blocks to keep at the beginning and the end, so that they and the dots have at most `most` lines,
/// and at least [`LEAST_STEPS`] in any case.
fn ends(blocks: &[Vec<String>], most: usize) -> (usize, usize) {
    let (mut head, mut tail) = (0, 0);
    let mut used = 1;
    while head + tail < blocks.len() {
        let at_tail = tail <= head;
        let next = if at_tail { &blocks[blocks.len() - 1 - tail] } else { &blocks[head] };
        used += next.len();
        if used > most && head + tail >= LEAST_STEPS {
            break;
        }
        if at_tail { tail += 1 } else { head += 1 }
    }
    (head, tail)
}

/// Widths of the columns, common to all steps.
struct Table {
    columns: usize,
    decimals: usize,
    time: usize,
    pid: usize,
    call: usize,
}

impl Table {
    fn of(steps: &[Evidence], columns: usize) -> Self {
        let decimals = decimals(steps);
        let widest = |width: &dyn Fn(&Evidence) -> usize| steps.iter().map(width).max().unwrap_or(0);
        Self {
            columns,
            decimals,
            time: widest(&|step| time(step, decimals).len()),
            pid: widest(&|step| step.pid.to_string().len()),
            call: widest(&|step| Some(call(step).chars().count()).filter(|n| *n <= MOST_CALL).unwrap_or(0)),
        }
    }

    fn block(&self, step: &Evidence, look: Look) -> Vec<String> {
        let call = call(step);
        let failed = step.result.as_ref().is_some_and(|result| result.starts_with('-'));
        let painted = if failed { look.paint(FAILED, &call) } else { call.clone() };
        let length = call.chars().count();
        let lead = format!("{:>2$}  {:>3$}  ", time(step, self.decimals), step.pid, self.time, self.pid);
        let beside = lead.len() + self.call + if self.call > 0 { 2 } else { 0 };
        let what = escape(&step.what);
        if length <= self.call && beside + LEAST_WHAT <= self.columns {
            let mut words = wrap(&what, self.columns - beside).into_iter();
            let pad = " ".repeat(beside - lead.len() - length);
            let first = format!("{lead}{painted}{pad}{}", words.next().unwrap_or_default());
            let indent = " ".repeat(beside);
            return std::iter::once(first)
                .chain(words.map(|line| format!("{indent}{line}")))
                .map(trimmed)
                .collect();
        }
        let indent = " ".repeat(lead.len());
        let words = wrap(&what, self.columns.saturating_sub(lead.len()));
        let call = (length > 0).then_some(painted);
        call.into_iter()
            .chain(words.into_iter().filter(|line| !line.is_empty()))
            .enumerate()
            .map(|(i, line)| trimmed(format!("{}{line}", if i == 0 { &lead } else { &indent })))
            .collect()
    }
}

fn trimmed(mut line: String) -> String {
    line.truncate(line.trim_end_matches(' ').len());
    line
}

fn time(step: &Evidence, decimals: usize) -> String {
    format!("{:+.decimals$}s", step.time)
}

/// Milliseconds where they tell the steps apart, else microseconds.
fn decimals(steps: &[Evidence]) -> usize {
    let same = |pair: &[Evidence]| time(&pair[0], 3) == time(&pair[1], 3);
    if steps.windows(2).any(same) { 6 } else { 3 }
}

/// `sendmsg(6) = -1 ENOTSOCK`; `openat = 6` where the descriptor is what the call gave.
fn call(step: &Evidence) -> String {
    let result = step
        .result
        .as_deref()
        .map(|result| format!(" = {}", escape_at_most(result, MOST_CALL)))
        .unwrap_or_default();
    let Some(name) = step.syscall.as_deref().map(|name| escape_at_most(name, MOST_CALL)) else {
        return step.fd.map(|fd| format!("fd {fd}{result}")).unwrap_or_default();
    };
    match step.fd {
        Some(fd) if !(gives_descriptor(&name) && step.result == Some(fd.to_string())) => {
            format!("{name}({fd}){result}")
        }
        _ => format!("{name}{result}"),
    }
}

/// Calls whose result is a new descriptor.
fn gives_descriptor(name: &str) -> bool {
    const BEGINNINGS: [&str; 9] =
        ["open", "creat", "socket", "accept", "dup", "fcntl", "eventfd", "epoll_create", "pidfd_"];
    BEGINNINGS.iter().any(|beginning| name.starts_with(beginning))
}
