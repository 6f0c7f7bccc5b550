//! A real terminal: tmux, with a server of the test's own, that is typed on and looked at.

use crate::process::{PATIENCE, until};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// What the shell says when it waits for a line.
const PROMPT: &str = "ready>";

/// A shell on a terminal. Dropped, both end.
#[derive(Debug)]
pub(crate) struct Terminal {
    /// Where the shell is, and the server's socket.
    directory: TempDir,
    server: String,
}

impl Terminal {
    /// A terminal of so many columns and rows, with a shell that waits.
    pub(crate) fn open(columns: u16, rows: u16) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let server = format!("forkscope-test-{}-{number}", std::process::id());
        let terminal = Self { directory: tempfile::tempdir().expect("a temporary directory"), server };
        let (columns, rows) = (columns.to_string(), rows.to_string());
        let shell = format!("env LC_ALL=C.UTF-8 PS1='{PROMPT} ' bash --noprofile --norc -i");
        terminal.tmux(&["-f", "/dev/null", "new-session", "-d", "-x", &columns, "-y", &rows, &shell]);
        terminal.tmux(&["set-option", "-g", "set-clipboard", "on"]);
        terminal.shows(PROMPT);
        terminal
    }

    /// Runs a command of tmux; what it prints.
    fn tmux(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("tmux");
        command.args(["-L", &self.server]).args(arguments);
        // Nothing of another tmux, in which the tests may run.
        command.env_remove("TMUX").env("TMUX_TMPDIR", self.path()).current_dir(self.path());
        let output = command.output().expect("tmux runs");
        assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// The shell's directory.
    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Types text as it is.
    pub(crate) fn types(&self, text: &str) {
        self.tmux(&["send-keys", "-l", "--", text]);
    }

    /// Presses a key that has a name: `Enter`, `Escape`, `C-z`.
    pub(crate) fn key(&self, name: &str) {
        self.tmux(&["send-keys", name]);
    }

    /// Has the shell run a line.
    pub(crate) fn runs(&self, line: &str) {
        self.types(line);
        self.key("Enter");
    }

    /// What is on the screen now.
    pub(crate) fn screen(&self) -> String {
        self.tmux(&["capture-pane", "-p"])
    }

    /// Waits until something is on the screen, and gives it all.
    #[track_caller]
    pub(crate) fn shows(&self, text: &str) -> String {
        self.becomes(text, |screen| screen.contains(text))
    }

    /// Waits until the screen is as it should be.
    #[track_caller]
    pub(crate) fn becomes(&self, what: &str, holds: impl Fn(&str) -> bool) -> String {
        let end = Instant::now() + PATIENCE;
        loop {
            let screen = self.screen();
            if holds(&screen) {
                return screen;
            }
            assert!(Instant::now() < end, "the screen never shows {what:?}:\n{screen}");
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Makes it larger or smaller.
    pub(crate) fn resize(&self, columns: u16, rows: u16) {
        self.tmux(&["resize-window", "-x", &columns.to_string(), "-y", &rows.to_string()]);
    }

    /// Whether the alternate screen or any mode of the mouse is on, and whether the cursor is hidden.
    fn modes(&self) -> String {
        self.tmux(&["display-message", "-p", "#{alternate_on} #{mouse_any_flag} #{cursor_flag}"])
            .trim()
            .to_owned()
    }

    /// Waits until a program has taken the terminal over.
    #[track_caller]
    pub(crate) fn is_taken(&self) {
        until("the terminal is taken over", || self.modes() == "1 1 0");
    }

    /// Waits until the shell has the terminal again, as it was.
    #[track_caller]
    pub(crate) fn is_given_back(&self, settings: &str) {
        until("the terminal is given back", || self.modes() == "0 0 1");
        assert_eq!(self.settings(), settings, "stty -g");
    }

    /// The line discipline's settings, as stty(1) writes them. The shell must be waiting.
    pub(crate) fn settings(&self) -> String {
        let file = self.path().join("settings");
        // It was there before where they are asked for twice.
        let _ = fs::remove_file(&file);
        self.key("Enter");
        self.runs("stty -g >settings.new; mv settings.new settings");
        until("stty has written", || file.exists());
        fs::read_to_string(file).expect("own file")
    }

    /// The newest program that the shell has started.
    pub(crate) fn child(&self) -> i32 {
        let shell = self.tmux(&["display-message", "-p", "#{pane_pid}"]);
        let shell = shell.trim();
        let children = fs::read_to_string(format!("/proc/{shell}/task/{shell}/children")).expect("it runs");
        children.split_whitespace().last().and_then(|pid| pid.parse().ok()).expect("a child")
    }

    /// What was copied last.
    pub(crate) fn clipboard(&self) -> String {
        self.tmux(&["show-buffer"])
    }

    /// The one file in the shell's directory with this ending.
    pub(crate) fn file(&self, ending: &str) -> std::path::PathBuf {
        let files = fs::read_dir(self.path()).expect("own directory").flatten().map(|entry| entry.path());
        let found: Vec<_> = files.filter(|path| path.extension().is_some_and(|is| is == ending)).collect();
        let [file] = &found[..] else { panic!("not one .{ending}: {found:?}") };
        file.clone()
    }
}

impl Terminal {
    /// Closes the window: who has it is told that it was hung up.
    pub(crate) fn close(&self) {
        // It may have ended with its shell.
        let mut command = Command::new("tmux");
        command.args(["-L", &self.server, "kill-server"]).env_remove("TMUX");
        let _ = command.env("TMUX_TMPDIR", self.path()).output();
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.close();
    }
}
