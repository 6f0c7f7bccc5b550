//! How long the live screen takes to answer a key: `keyed FORKSCOPE RECORDING` plays a recording on a
//! terminal of its own, as fast as it can be read, presses keys all the while, and waits each time until
//! the terminal shows what was asked for. Then, when nothing happens, it measures the processor time
//! that the screen still takes.
//!
//! It prints a line of JSON. The seconds of playing end with a whole round of keys.

mod answers;
#[path = "../measured/terminal.rs"]
mod terminal;
mod window;

use answers::Answers;
use std::env;
use std::error::Error;
use std::time::{Duration, Instant};
use window::Window;

type Fallible<T> = Result<T, Box<dyn Error>>;

/// Keys in turns, and what the terminal shows when they are obeyed and did not show before.
const KEYS: [(&str, &str); 8] = [
    ("2", "HELD BY"),
    ("/zq", "/zq"),
    ("\x1b", "? help"),
    ("4", "CONN EVENT"),
    ("?", "Help: Events"),
    ("x", "CONN EVENT"),
    ("3", "so far"),
    ("1", "THREADS"),
];
/// Between an answer and the next key: longer than a frame, so that frames come which no key asked for.
const BETWEEN: Duration = Duration::from_millis(60);
/// What the screen says when the recording was played.
const PLAYED: &str = "at the end";
/// Long enough for what the end of a replay leaves to do, and for graphs to run out.
const SETTLED: Duration = Duration::from_secs(3);
/// How long the still screen is measured.
const STILL: Duration = Duration::from_secs(5);

fn main() -> Fallible<()> {
    let words: Vec<String> = env::args().skip(1).collect();
    let [forkscope, recording] = &words[..] else { return Err("usage: keyed FORKSCOPE RECORDING".into()) };
    let mut window = Window::open(&[forkscope, "replay", "--ui", "tui", recording].map(str::to_owned))?;
    window.shows("THREADS")?;
    let (began, mut answers) = (Instant::now(), Answers::default());
    while !window.has(PLAYED) {
        for (key, shown) in KEYS {
            answers.note(window.press(key, shown)?);
            window.look_for(BETWEEN)?;
        }
    }
    let played = began.elapsed();
    // All connections are in the pane that is still then.
    let (key, shown) = KEYS[0];
    window.press(key, shown)?;
    let peak_kb = window.peak_kb()?;
    window.look_for(SETTLED)?;
    let cpu = window.cpu()?;
    window.look_for(STILL)?;
    let idle = (window.cpu()? - cpu).as_secs_f64() / STILL.as_secs_f64();
    window.close()?;
    println!(
        r#"{{{answers},"played_s":{:.3},"peak_kb":{peak_kb},"idle_cpu":{idle:.4}}}"#,
        played.as_secs_f64()
    );
    Ok(())
}
