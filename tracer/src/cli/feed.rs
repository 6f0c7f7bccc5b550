//! How an event goes through a session.

use super::console::Console;
use super::dashboard::Dashboard;
use super::record::Recording;
use super::session::Session;
use forkscope::analysis::Analysis;
use forkscope::event::{Event, What};
use forkscope::model::Audience;
use forkscope::source::usage::now;

/// What an event passes through: the analyser, and then all who show it or keep it.
struct Feed<'a> {
    analysis: &'a mut Analysis,
    console: &'a mut Console,
    dashboard: &'a mut Option<Dashboard>,
    recording: &'a mut Recording,
}

impl<'a> Feed<'a> {
    fn new(
        analysis: &'a mut Analysis,
        console: &'a mut Console,
        dashboard: &'a mut Option<Dashboard>,
        recording: &'a mut Recording,
    ) -> Self {
        // Each time: users begin and end recordings while the session goes on.
        let audience = Audience { screen: dashboard.is_some(), recording: recording.name().is_some() };
        analysis.model.set_audience(audience);
        Self { analysis, console, dashboard, recording }
    }

    fn event(&mut self, event: &Event<'_>) {
        self.analysis.apply(event);
        self.console.event(event, self.analysis);
        if let Some(dashboard) = self.dashboard {
            dashboard.event(event, self.analysis);
        }
        // Last: which bytes have to be kept is known once they were read.
        self.recording.event(event, self.analysis.model.kept());
    }
}

impl Session {
    /// Takes events from the batch: with `all`, also what is held back for its order.
    pub(super) fn take(&mut self, all: bool) {
        // Before what takes long: what is older than this has come, and is in the batch.
        let until = (!all).then(now);
        let Self { batch, analysis, console, dashboard, recording, events, stops, stacks, .. } = self;
        let taken = batch.take_stacks();
        if let Some(stacks) = stacks {
            taken.into_iter().for_each(|stack| stacks.add(stack));
        }
        let ahead = analysis.model.foreseen();
        let mut feed = Feed::new(analysis, console, dashboard, recording);
        batch.take(until, ahead, |event, later| {
            later.iter().for_each(|later| feed.analysis.foresee(later));
            // What a source found is nothing that happened.
            *events += u64::from(!matches!(event.what, What::Snapshot(_)));
            stops.event(event);
            stacks.iter_mut().for_each(|stacks| stacks.event(event));
            feed.event(event);
        });
    }

    /// What /proc shows is an event as any other.
    pub(super) fn note(&mut self, event: &Event<'_>) {
        let Self { analysis, console, dashboard, recording, .. } = self;
        Feed::new(analysis, console, dashboard, recording).event(event);
    }
}
