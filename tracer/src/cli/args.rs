//! What users can type.

use clap::{Parser, Subcommand, ValueEnum};
use forkscope::filter::{Filter, nearest};
use forkscope::recording::Payload;
use forkscope::report::{Level, RuleId, Severity};
use forkscope::sinks::screen::Theme;
use forkscope_proto::Config;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Shows what happens to connections across fork: who shares a socket, who used it, and why it failed.
#[derive(Debug, Parser)]
#[command(name = "forkscope", version, max_term_width = 100)]
pub(super) struct Args {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Start a program and trace it with all its descendants.
    Run(Run),
    /// Trace running processes and their descendants, past and future.
    Attach(Attach),
    /// Trace every process of the machine.
    Watch(Watch),
    /// Analyse a recording: the same findings and the same report, with nothing running.
    Replay(Replay),
    /// Look at running processes and their descendants once, without tracing: who shares
    /// what, who waits for whom.
    Inspect(Inspect),
    /// Say what a rule means, why it matters and how to fix it; without a rule, list them.
    Explain {
        /// The rule's name.
        #[arg(value_parser = parse_rule)]
        rule: Option<RuleId>,
    },
    /// Say what this kernel, these privileges and this build can do, and the cure for what they cannot.
    Doctor,
    /// Trace a built-in program that has the founding bug: needs nothing else installed.
    Demo(Demo),
    /// Print a completion script for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Print the manual page.
    Man,
    /// Hold processes through ptrace, for the forkscope at the other end of standard input.
    #[command(hide = true)]
    Keeper {
        /// Bytes to take of each transfer.
        capture: u32,
        /// Stop processes at failing calls.
        #[arg(long)]
        stops: bool,
        /// Take user stacks.
        #[arg(long)]
        stacks: bool,
    },
    /// Let stopped processes go on when the forkscope at the other end of standard input has ended.
    #[command(hide = true)]
    Guardian,
    /// Keep a program's terminal when the forkscope at the other end of standard input has ended.
    #[command(hide = true)]
    Holder,
}

#[derive(Debug, clap::Args)]
pub(super) struct Run {
    #[command(flatten)]
    pub(super) options: Options,
    /// Give the program another terminal, as gdb's --tty: that of the path that `tty` prints there. Without
    /// it the program has forkscope's or, with --ui tui, a pane of its own on the live screen.
    #[arg(long, value_name = "PATH")]
    pub(super) tty: Option<PathBuf>,
    /// The program and its arguments.
    #[arg(required = true, trailing_var_arg = true, value_name = "CMD")]
    pub(super) command: Vec<OsString>,
}

#[derive(Debug, clap::Args)]
pub(super) struct Attach {
    #[command(flatten)]
    pub(super) options: Options,
    /// The processes, by number.
    #[arg(required = true, value_name = "PID", value_parser = parse_pid)]
    pub(super) pids: Vec<u32>,
}

#[derive(Debug, clap::Args)]
pub(super) struct Inspect {
    /// Print the report as JSON.
    #[arg(long)]
    pub(super) json: bool,
    /// The processes, by number.
    #[arg(required = true, value_name = "PID", value_parser = parse_pid)]
    pub(super) pids: Vec<u32>,
}

#[derive(Debug, clap::Args)]
pub(super) struct Watch {
    #[command(flatten)]
    pub(super) options: Options,
}

#[derive(Debug, clap::Args)]
pub(super) struct Demo {
    #[command(flatten)]
    pub(super) options: Options,
    /// Be the program that is traced.
    #[arg(long, hide = true)]
    pub(super) program: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct Replay {
    #[command(flatten)]
    pub(super) showing: Showing,
    /// The recording, as `--record` wrote it; `-` is standard input.
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
}

/// What run, attach, watch and demo have in common.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Options {
    #[command(flatten)]
    pub(super) tracing: Tracing,
    #[command(flatten)]
    pub(super) showing: Showing,
}

/// How to see what happens.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Tracing {
    /// How to trace.
    #[arg(long, value_name = "HOW", value_enum, default_value_t = Backend::Auto)]
    pub(super) backend: Backend,
    /// Bytes to take of each transfer; headers of protocols are read from them.
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = clap::value_parser!(u32).range(0..=2048))]
    pub(super) capture_bytes: u32,
    /// Read what programs say inside TLS, where they hand it to OpenSSL 1.1 or 3 as a shared library
    /// (libssl.so). Needs eBPF.
    #[arg(long)]
    pub(super) tls_plaintext: bool,
    /// Size of the buffer between the kernel and forkscope, in MiB: raise it where events are lost.
    #[arg(long, value_name = "MIB", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub(super) buffer: u32,
    /// Stop the process in which an error is found, where possible at the failing call, until it is told to
    /// go on or forkscope ends. No other option changes what is watched.
    #[arg(long, value_name = "WHAT", value_enum, default_value_t = OnFinding::None)]
    pub(super) on_finding: OnFinding,
    /// Show where in their programs the threads were that a warning or an error is about: at the fork, at the
    /// connect and at the failing call; of a child that stands still and of a stopped process also in Python.
    #[arg(long)]
    pub(super) stacks: bool,
    /// Record the session to this file, for `forkscope replay`.
    #[arg(long, value_name = "FILE")]
    pub(super) record: Option<PathBuf>,
    /// What to record of the bytes that were taken of transfers.
    #[arg(long, value_name = "WHAT", value_enum, default_value_t = RecordPayload::Headers, requires = "record")]
    pub(super) record_payload: RecordPayload,
}

/// What to make of it, and where to show it.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Showing {
    /// What to show while tracing.
    #[arg(long, value_name = "WHAT", value_enum, default_value_t = Ui::Auto)]
    pub(super) ui: Ui,
    /// Colours of the live screen; by default for a dark background, or none where NO_COLOR is set.
    #[arg(long, value_name = "NAME", value_parser = parse_theme)]
    pub(super) theme: Option<Theme>,
    /// Draw the live screen with ASCII only, as it is anyway where the locale has no UTF-8.
    #[arg(long)]
    pub(super) ascii: bool,
    /// Write the report, as JSON, to this file at the end; `-` is standard output.
    #[arg(long, value_name = "FILE")]
    pub(super) report: Option<PathBuf>,
    /// Exit with status 3 if there are findings at least this bad.
    #[arg(long, value_name = "LEVEL", value_enum, default_value_t = FailOn::Never)]
    pub(super) fail_on: FailOn,
    /// Findings that are known, from --write-baseline: they do not count for --fail-on
    /// and are shown with -v only.
    #[arg(long, value_name = "FILE")]
    pub(super) baseline: Option<PathBuf>,
    /// Write the findings to this file, for --baseline; added to what is in it if
    /// --baseline names the same file.
    #[arg(long, value_name = "FILE")]
    pub(super) write_baseline: Option<PathBuf>,
    /// Change a rule's severity, or turn it off.
    #[arg(long = "rule", value_name = "NAME=error|warning|info|off", value_parser = parse_level)]
    pub(super) rules: Vec<(RuleId, Level)>,
    /// Stop after this long, for example 30s or 5m; a traced program goes on.
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(super) duration: Option<Duration>,
    /// Stop after this many events; a traced program goes on.
    #[arg(long, value_name = "N")]
    pub(super) max_events: Option<u64>,
    /// Show only what this holds for: findings and, with -v, events. The report, the recording, the summary,
    /// --fail-on and the exit status are of all, whatever is shown.
    ///
    /// Terms with spaces between them must all hold: a word or "words in quotes" for text, pid:4242,
    /// comm:python, call:sendmsg,recvmsg, errno:ENOTSOCK, errno:any for what failed, fd:3..9,
    /// conn:3, proto:http2, rule:enotsock, severity:warning for that or worse. -term and !term hold
    /// where the term does not.
    #[arg(long, value_name = "EXPR", allow_hyphen_values = true, value_parser = Filter::parse, default_value = "",
          hide_default_value = true)]
    pub(super) filter: Filter,
    /// Show the events of interest; twice: all events.
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub(super) verbose: u8,
}

impl Showing {
    /// Whether there is a terminal for the live screen, and nothing that asks for the log.
    pub(super) fn has_screen(&self) -> bool {
        let is_terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
        let is_dumb = std::env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb");
        let is_asked_otherwise = self.verbose > 0 || self.report.as_deref() == Some(Path::new("-"));
        is_terminal && !is_dumb && !is_asked_otherwise
    }

    /// The levels that rules were set to; of two for one rule the later counts.
    pub(super) fn levels(&self) -> BTreeMap<RuleId, Level> {
        self.rules.iter().copied().collect()
    }
}

/// How to trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Backend {
    /// eBPF where it works, else ptrace.
    Auto,
    /// Programs in the kernel: the fastest, and needs privileges.
    Ebpf,
    /// Stops at each call of interest: for processes of one's own, and where eBPF does not work.
    Ptrace,
}

/// What to do to the process of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum OnFinding {
    /// Nothing: it goes on.
    None,
    /// Stop it (SIGSTOP), and say how to look at it and how to let it go on (SIGCONT).
    Stop,
}

/// What to record of the bytes of transfers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum RecordPayload {
    /// What tells messages apart: kinds, lengths, numbers, names of commands. No values, URLs,
    /// statements or passwords.
    Headers,
    /// All that were taken, passwords too.
    All,
    /// None: findings that need them are not made at the replay.
    None,
}

impl RecordPayload {
    /// As recordings say it.
    pub(super) fn kept(self) -> Payload {
        match self {
            Self::Headers => Payload::Headers,
            Self::All => Payload::All,
            Self::None => Payload::None,
        }
    }
}

/// What to show while tracing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Ui {
    /// The live screen, where attach, watch and replay have a terminal and neither -v nor
    /// `--report -` is given; else the log.
    Auto,
    /// The live screen; the program of run and demo has a terminal of its own then, in a pane.
    Tui,
    /// Findings as they are made, and a summary, on standard error.
    Log,
    /// Nothing, except what forkscope could not do as it was asked to.
    None,
}

/// When findings make the command fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum FailOn {
    /// On errors.
    Error,
    /// On errors and warnings.
    Warning,
    /// Never.
    Never,
}

impl FailOn {
    /// The least severity that fails.
    pub(super) fn severity(self) -> Option<Severity> {
        match self {
            Self::Error => Some(Severity::Error),
            Self::Warning => Some(Severity::Warning),
            Self::Never => None,
        }
    }
}

/// A process number: up to the kernel's limit.
fn parse_pid(text: &str) -> Result<u32, String> {
    let pid = text.parse().ok().filter(|pid| (1..=Config::PID_LIMIT as u32).contains(pid));
    pid.ok_or_else(|| "a process is named by its number; `ps -e` lists them".to_owned())
}

fn parse_rule(text: &str) -> Result<RuleId, String> {
    RuleId::ALL.into_iter().find(|rule| rule.name().eq_ignore_ascii_case(text)).ok_or_else(|| {
        let names: Vec<&str> = RuleId::ALL.iter().map(|rule| rule.name()).collect();
        let meant = nearest(text, names.iter().copied());
        let meant = meant.map(|name| format!(" (did you mean {name}?)")).unwrap_or_default();
        format!("there is no such rule{meant}; the rules are {}", names.join(", "))
    })
}

fn parse_theme(text: &str) -> Result<Theme, String> {
    let names = || Theme::ALL.map(Theme::name).join(", ");
    Theme::ALL
        .into_iter()
        .find(|theme| theme.name() == text)
        .ok_or_else(|| format!("there is no such theme; the themes are {}", names()))
}

/// A time with its unit.
fn parse_time(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text)
        .map_err(|_| "a time is a number with a unit, for example 500ms, 30s or 5m".to_owned())
}

fn parse_level(text: &str) -> Result<(RuleId, Level), String> {
    let (rule, level) =
        text.split_once('=').ok_or("write NAME=LEVEL, for example inherited-connection=off")?;
    let level = match level {
        "off" => Level::Off,
        _ => Severity::ALL
            .into_iter()
            .find(|severity| severity.name() == level)
            .map(Level::At)
            .ok_or("the levels are error, warning, info and off")?,
    };
    Ok((parse_rule(rule)?, level))
}

#[cfg(test)]
impl Showing {
    /// As these words say.
    pub(super) fn of(words: &[&str]) -> Self {
        #[derive(Parser)]
        struct Only {
            #[command(flatten)]
            showing: Showing,
        }
        Only::parse_from(["forkscope"].iter().chain(words)).showing
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn levels_are_read() {
        assert_eq!(parse_level("enotsock=off"), Ok((RuleId::Enotsock, Level::Off)));
        assert_eq!(parse_level("enotsock=info"), Ok((RuleId::Enotsock, Level::At(Severity::Info))));
        for wrong in ["enotsock", "enotsock=loud", "nothing=off"] {
            assert!(parse_level(wrong).is_err(), "{wrong}");
        }
    }
}
