//! What the live screen costs with 2,000 processes and 100,000 connections: a frame of each pane with its
//! rows found anew, and what is noted of each event.
//!
//! `cargo bench -p forkscope --bench screen`

#[path = "../examples/record_load/traffic.rs"]
mod traffic;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use forkscope::analysis::Analysis;
use forkscope::filter::Filter;
use forkscope::sinks::log::event::line;
use forkscope::sinks::screen::{Input, Key, Screen, Style};
use forkscope::sinks::tui::draw;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Duration;
use traffic::Traffic;

const SIZE: (u16, u16) = (200, 60);
/// Events before anything is measured.
const BEFORE: usize = 1_000_000;

struct Bench {
    analysis: Analysis,
    screen: Screen,
    traffic: Traffic,
    line: String,
}

impl Bench {
    fn new() -> Self {
        let mut screen = Screen::new(Style::default(), &Filter::default());
        screen.resize(SIZE.0, SIZE.1);
        let analysis = Analysis::new(0, BTreeMap::new());
        Self { analysis, screen, traffic: Traffic::new(2000, 50), line: String::new() }
    }

    /// So many events, or a few more; `shown`: on the screen.
    fn play(&mut self, events: usize, shown: bool) {
        let Self { analysis, screen, traffic, line: text } = self;
        let mut count = 0;
        while count < events {
            traffic.step(&mut |event| {
                count += 1;
                analysis.apply(event);
                if shown {
                    text.clear();
                    line(event, 0, text);
                    screen.note(event, text, analysis);
                }
            });
        }
        drop((analysis.take_fresh(), analysis.take_wanted()));
    }

    fn press(&mut self, keys: &str) {
        for key in keys.chars() {
            let key = if key == '\n' { Key::Enter } else { Key::Char(key) };
            self.screen.press(Input::Key(key), &self.analysis);
        }
    }

    /// A frame of which everything is found anew.
    fn frame(&mut self, wall: &mut Duration) {
        *wall += Duration::from_secs(2);
        // Without news connections are not looked for again.
        self.play(1, true);
        let page = self.screen.page(&self.analysis, *wall);
        let mut buffer = Buffer::empty(Rect::new(0, 0, SIZE.0, SIZE.1));
        draw(&page, self.screen.style(), &mut buffer);
        black_box(buffer);
    }
}

fn screen(criterion: &mut Criterion) {
    let mut bench = Bench::new();
    bench.play(BEFORE, true);
    let mut wall = Duration::ZERO;
    let mut group = criterion.benchmark_group("frame");
    let panes = [
        ("processes", "1"),
        ("connections", "2"),
        ("findings", "3"),
        ("events", "4"),
        ("connection", "2\n"),
        ("process", "1\n"),
    ];
    for (name, keys) in panes {
        bench.press(keys);
        group.bench_function(name, |bencher| bencher.iter(|| bench.frame(&mut wall)));
    }
    group.finish();
    let mut group = criterion.benchmark_group("events");
    const SLICE: usize = 10_000;
    group.throughput(Throughput::Elements(SLICE as u64));
    for (name, shown) in [("analysed", false), ("analysed and noted", true)] {
        group.bench_function(name, |bencher| bencher.iter(|| bench.play(SLICE, shown)));
    }
    group.finish();
}

criterion_group!(benches, screen);
criterion_main!(benches);
