//! Where rows lead: opening them, and going from one thing to what it is about.

use super::opened::{OpenedFinding, OpenedProcess, Row};
use super::timeline::Timeline;
use super::{Opened, Pane, Screen};
use crate::analysis::Analysis;
use crate::filter::Filter;
use crate::model::{ProcId, SockId};
use crate::report::Evidence;

/// As many things can be opened over each other.
const DEEPEST: usize = 16;

impl Screen {
    /// Opens what is selected, or goes where it leads.
    pub(super) fn enter(&mut self, analysis: &Analysis) {
        match (self.opened.last(), self.pane) {
            (None, Pane::Processes) => {
                if self.processes.is_folded() {
                    return self.with_sight(analysis, |panes, sight| panes.processes.fold(sight, false));
                }
                if let Some(id) = self.processes.list.selected() {
                    self.open(Opened::Process(OpenedProcess::new(id)));
                }
            }
            (None, Pane::Connections) => {
                if let Some(id) = self.connections.list.selected() {
                    self.open_connection(id, None, analysis);
                }
            }
            (None, Pane::Findings) => {
                if let Some(id) = self.findings.list.selected() {
                    self.open(Opened::Finding(OpenedFinding::new(id)));
                }
            }
            (None, Pane::Events) => self.visit_connection(analysis),
            (None, Pane::Program) => self.focus(),
            (Some(Opened::Process(opened)), _) => {
                if let Some(id) = opened.list.selected() {
                    self.open_connection(id, None, analysis);
                }
            }
            (Some(Opened::Connection(_)), _) => self.visit_process(analysis),
            (Some(Opened::Finding(opened)), _) => match opened.list.selected() {
                Some(Row::Process(pid)) => self.open_process(analysis.model.by_pid(pid).map(|one| one.id)),
                Some(Row::Connection(id)) => self.open_connection(id, None, analysis),
                Some(Row::Step(_)) => self.visit_connection(analysis),
                Some(Row::Text(_)) | None => {}
            },
        }
    }

    fn open(&mut self, opened: Opened) {
        self.stale = true;
        if self.opened.len() == DEEPEST {
            self.opened.remove(0);
        }
        self.opened.push(opened);
    }

    fn open_process(&mut self, id: Option<ProcId>) {
        match id {
            Some(id) => self.open(Opened::Process(OpenedProcess::new(id))),
            None => self.say("this process is not known"),
        }
    }

    /// Opens a connection at a moment, or at its end.
    fn open_connection(&mut self, id: SockId, time: Option<u64>, analysis: &Analysis) {
        self.open(Opened::Connection(Timeline::new(id)));
        self.with_sight(analysis, |panes, sight| {
            if let Some(Opened::Connection(opened)) = panes.opened {
                opened.go_to(sight, time.unwrap_or(u64::MAX));
            }
        });
    }

    /// The step of an opened finding that is selected, and the finding's connection.
    fn step_of<'a>(&self, analysis: &'a Analysis) -> Option<(&'a Evidence, Option<u32>)> {
        let Some(Opened::Finding(opened)) = self.opened.last() else { return None };
        let finding = analysis.findings().iter().find(|finding| finding.id == opened.id)?;
        let Row::Step(at) = opened.list.selected()? else { return None };
        Some((finding.evidence.get(at)?, finding.connection))
    }

    /// Goes to the process of what is selected.
    pub(super) fn visit_process(&mut self, analysis: &Analysis) {
        let by_pid = |pid| analysis.model.by_pid(pid).map(|process| process.id);
        let process = match (self.opened.last(), self.pane) {
            (Some(Opened::Connection(opened)), _) => {
                let opened = opened.clone();
                self.with_sight(analysis, |_, sight| opened.selected(sight).map(|mark| mark.process))
            }
            (Some(Opened::Finding(opened)), _) => match opened.list.selected() {
                Some(Row::Process(pid)) => by_pid(pid),
                _ => self.step_of(analysis).and_then(|(step, _)| by_pid(step.pid)),
            },
            (None, Pane::Events) => {
                let entry = self.events.list.selected().and_then(|number| self.tail.get(number));
                entry.and_then(|entry| entry.process.or_else(|| by_pid(entry.pid)))
            }
            (None, Pane::Findings) => {
                let selected = self.findings.list.selected();
                let finding = analysis.findings().iter().find(|finding| Some(finding.id) == selected);
                finding.and_then(|finding| by_pid(finding.pid))
            }
            (Some(Opened::Process(_)), _) | (None, Pane::Processes | Pane::Connections | Pane::Program) => {
                return;
            }
        };
        self.open_process(process);
    }

    /// Goes to the connection of what is selected, at its moment.
    pub(super) fn visit_connection(&mut self, analysis: &Analysis) {
        let found = match (self.opened.last(), self.pane) {
            (Some(Opened::Finding(_)), _) => {
                self.step_of(analysis).and_then(|(step, id)| Some((id?, Some(moment(analysis, step.time)))))
            }
            (None, Pane::Events) => {
                let entry = self.events.list.selected().and_then(|number| self.tail.get(number));
                entry.and_then(|entry| Some((entry.connections[0]?, Some(entry.time))))
            }
            (None, Pane::Findings) => {
                let selected = self.findings.list.selected();
                let finding = analysis.findings().iter().find(|finding| Some(finding.id) == selected);
                finding.and_then(|finding| Some((finding.connection?, None)))
            }
            _ => return,
        };
        match found {
            Some((id, time)) => self.open_connection(SockId(id), time, analysis),
            None => self.say("this is about no connection"),
        }
    }

    /// Goes to the event of what is selected.
    pub(super) fn visit_event(&mut self, analysis: &Analysis) {
        let wanted = match self.opened.last() {
            Some(Opened::Connection(opened)) => {
                let opened = opened.clone();
                self.with_sight(analysis, |_, sight| {
                    opened.selected(sight).map(|mark| (mark.from, analysis.model.pid(mark.process)))
                })
            }
            Some(Opened::Finding(_)) => {
                self.step_of(analysis).map(|(step, _)| (moment(analysis, step.time), step.tid))
            }
            Some(Opened::Process(_)) | None => None,
        };
        let Some((time, tid)) = wanted else { return };
        let kept = self.tail.get(self.tail.ends().0).is_some_and(|first| first.time <= time);
        if !kept {
            return self.say("that event is so old that it was dropped");
        }
        self.opened.clear();
        self.pane = Pane::Events;
        // A filter might hide it.
        self.set_filter(Filter::default());
        self.events.only_telling = false;
        self.events.follows = false;
        self.with_sight(analysis, |panes, sight| {
            panes.events.fill(sight, panes.tail);
            panes.events.select_at(panes.tail, time, tid);
        });
    }

    /// Goes to the next row with the text that was searched for.
    pub(super) fn search(&mut self, forward: bool, analysis: &Analysis) {
        let sought = std::mem::take(&mut self.sought);
        if sought.is_empty() {
            return self.say("/ searches for a text");
        }
        let has = |text: &str| text.to_lowercase().contains(&sought);
        let found = self.with_sight(analysis, |panes, sight| {
            let model = &sight.analysis.model;
            let socket = |id: SockId| {
                model.socket(id).is_some_and(|socket| {
                    has(&format!("{} {} {}", socket.local(), socket.remote(), socket.protocol().name()))
                })
            };
            match (panes.opened, panes.pane) {
                (Some(Opened::Connection(opened)), _) => opened.search(sight, forward, has),
                (Some(Opened::Finding(opened)), _) => opened.search(sight, forward, has),
                (Some(Opened::Process(opened)), _) => opened.list.find(forward, socket),
                (None, Pane::Processes) => panes.processes.list.find(forward, |id| {
                    model.process(id).is_some_and(|process| {
                        has(&format!("{} {} {}", process.pid(), process.comm, process.words().join(" ")))
                    })
                }),
                (None, Pane::Connections) => panes.connections.list.find(forward, socket),
                (None, Pane::Findings) => panes.findings.list.find(forward, |id| {
                    sight.finding(id).is_some_and(|one| has(&format!("{} {}", one.rule.name(), one.title)))
                }),
                (None, Pane::Events) => {
                    panes.events.follows = false;
                    let tail = panes.tail;
                    let line = |number| tail.get(number).is_some_and(|entry| has(tail.line(entry)));
                    panes.events.list.find(forward, line)
                }
                (None, Pane::Program) => false,
            }
        });
        if !found {
            self.say(format!("nothing here says {sought}"));
        }
        self.sought = sought;
    }
}

/// The moment of a step, in nanoseconds of the events' clock.
fn moment(analysis: &Analysis, seconds: f64) -> u64 {
    analysis.start().saturating_add((seconds * 1e9).round() as u64)
}
