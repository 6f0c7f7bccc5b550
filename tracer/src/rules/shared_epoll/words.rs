//! An instance's history and its registrations in words.

use super::super::Step;
use super::super::history::{connection, fork_step, named_made_step};
use crate::model::{Epoll, EpollUse, Model, ProcId, Watch};

/// Data up to this may be a descriptor's number, and the same by chance.
const MOST_NUMBER: u64 = i32::MAX as u64;

/// How both came to hold the instance: made, and inherited.
pub(super) fn beginning(model: &Model, epoll: &Epoll, processes: [ProcId; 2], fd: i32) -> Vec<Step> {
    let opened = epoll.opened;
    let mut steps = vec![named_made_step(model, opened, "an epoll instance", fd)];
    let forked = processes.into_iter().filter(|id| *id != opened.process);
    steps.extend(forked.filter_map(|id| fork_step(model, id, fd)).filter(|step| step.time >= opened.time));
    steps.sort_by_key(|step| step.time);
    steps
}

/// The making of a registration, or the change that gave it its data.
pub(super) fn registered(model: &Model, used: &EpollUse, watch: &Watch) -> Step {
    let given = watch.given;
    let pid = model.pid(given.process);
    let what = described(model, watch, [given.process, used.by.process]);
    let what = format!("{pid} registered fd {}, {what}, on it, with data {}", watch.fd, data(watch));
    Step::of(given, what).on(used.fd)
}

/// What is watched, as far as one of the processes still holds it.
pub(super) fn described(model: &Model, watch: &Watch, processes: [ProcId; 2]) -> String {
    let held = processes.into_iter().find_map(|id| {
        let holding = model.table(id)?.holding(watch.fd)?;
        (holding.file.id == watch.target).then_some(&holding.file)
    });
    let Some(file) = held else { return "closed since".into() };
    file.socket.and_then(|id| model.socket(id)).map_or_else(|| file.describe(), connection)
}

/// The data as a number where it may be one, else as the pointer that it looks like.
pub(super) fn data(watch: &Watch) -> String {
    if is_number(watch) { (watch.data as u32).to_string() } else { format!("{:#x}", watch.data) }
}

/// Whether the data may be a number, of which others may have the same by chance: a small one, or the
/// descriptor's in the lower half, whatever lies in the upper (`epoll_data_t` is a union, and `fd`
/// half of it: epoll_ctl(2)).
pub(super) fn is_number(watch: &Watch) -> bool {
    watch.data <= MOST_NUMBER || watch.data as u32 == watch.fd as u32
}
