//! Takes the terminal over as the live screen does, and panics.

use forkscope::sinks::screen::Style;
use forkscope::sinks::screen::page::Page;
use forkscope::sinks::tui::Terminal;

fn main() {
    let mut terminal = Terminal::take().expect("this is a terminal");
    terminal.show(&Page::default(), Style::default()).expect("it can be drawn on");
    panic!("on purpose");
}
