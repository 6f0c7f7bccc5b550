//! Whatever is pressed, clicked, pasted or resized: there is a page, and it can be drawn.

use crate::sinks::screen::tests::scenes::{busy, founding, shared};
use crate::sinks::screen::tests::stage::{Stage, parse};
use crate::sinks::screen::{Input, Key, Mouse, Replayed};
use crate::sinks::tui::draw;
use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::time::Duration;

/// What happens to a screen.
#[derive(Clone, Debug)]
enum Step {
    Does(Input),
    /// It is drawn.
    Draw,
    /// Something happens in the kernel.
    Event(u32),
    /// A replay goes back.
    Rewind,
}

fn step() -> impl Strategy<Value = Step> {
    let known = "1234jkgGhlnNsapovTAeryc?/\\ q.f+->0$<Enter><Esc><Tab><BackTab><Backspace><Up><Down><PgUp><PgDn><Home><End><C-u><C-d>";
    let key =
        prop_oneof![9 => proptest::sample::select(parse(known)), 1 => any::<char>().prop_map(Key::Char)];
    let size = prop_oneof![(60..220_u16, 15..70_u16), (0..80_u16, 0..20_u16)];
    let mouse = prop_oneof![
        (0..250_u16, 0..80_u16).prop_map(|(column, row)| Mouse::Press(column, row)),
        Just(Mouse::WheelUp),
        Just(Mouse::WheelDown),
    ];
    prop_oneof![
        20 => key.prop_map(|key| Step::Does(Input::Key(key))),
        3 => mouse.prop_map(|mouse| Step::Does(Input::Mouse(mouse))),
        2 => size.prop_map(|(columns, rows)| Step::Does(Input::Size(columns, rows))),
        1 => ".{0,40}".prop_map(|text| Step::Does(Input::Paste(text))),
        6 => Just(Step::Draw),
        2 => any::<u32>().prop_map(Step::Event),
        1 => Just(Step::Rewind),
    ]
}

fn take(stage: &mut Stage, step: Step, size: &mut (u16, u16)) {
    match step {
        Step::Does(input) => {
            if let Input::Size(columns, rows) = input {
                *size = (columns, rows);
            }
            stage.does(input);
        }
        Step::Draw => {
            stage.wait(Duration::from_millis(333));
            let page = stage.page();
            // The terminal may have another size by now.
            for (columns, rows) in [*size, (size.0 / 2, size.1 / 2)] {
                draw(&page, stage.screen().style(), &mut Buffer::empty(Rect::new(0, 0, columns, rows)));
            }
        }
        Step::Event(number) => {
            let pid = 10_000 + number % 1000;
            if stage.kernel.analysis.model.by_pid(pid).is_none() {
                stage.kernel.fork(100, pid, 0);
                let fd = stage.kernel.connect(pid, 99);
                stage.kernel.send(pid, fd, &number.to_le_bytes());
            } else {
                stage.kernel.exit(pid);
            }
        }
        Step::Rewind => stage.screen().rewind(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn there_is_always_a_page(scene in 0..4_usize, replays: bool, steps in prop::collection::vec(step(), 1..160)) {
        let mut stage = [busy, founding, shared, Stage::empty][scene]();
        stage.screen().status.replay = replays.then(Replayed::default);
        let mut size = (80, 24);
        for step in steps.into_iter().chain([Step::Draw]) {
            take(&mut stage, step, &mut size);
        }
        // From wherever that was there is a way out.
        stage.press("<Esc><Esc><C-c>");
    }
}
