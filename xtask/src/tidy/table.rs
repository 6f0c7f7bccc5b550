//! The rules, as data. docs/ARCHITECTURE.md says why.

/// What no pure room may use of the standard library: no I/O, no clock, nothing of the system around it.
/// `std::net`'s address types are values and stay allowed.
const IMPURE: &[&str] = &[
    "std::env",
    "std::fs",
    "std::io",
    "std::net::TcpListener",
    "std::net::TcpStream",
    "std::net::ToSocketAddrs",
    "std::net::UdpSocket",
    "std::os",
    "std::process",
    "std::thread",
    "std::time::Instant",
    "std::time::SystemTime",
];

/// Other people's crates that do I/O, and so are for the outer rooms only.
const OUTER_CRATES: &[&str] = &[
    "anstream",
    "aya",
    "blazesym",
    "clap",
    "crossterm",
    "nix",
    "procfs",
    "py_spy",
    "ratatui",
    "tempfile",
    "tokio",
    "zstd",
];

/// Macros that write somewhere, so that no pure room may use them.
const PRINTING: &[&str] = &["print", "println", "eprint", "eprintln"];

/// One room: a module under tracer/src.
pub(super) struct Room {
    /// The module's path, with `/`.
    pub(super) name: &'static str,
    /// Paths that it must not use, nor anything under them.
    pub(super) forbidden: &'static [&'static [&'static str]],
    /// Macros that it must not use.
    pub(super) macros: &'static [&'static str],
}

/// Every room, and what it must not use.
pub(super) const ROOMS: &[Room] = &[
    // Sees everything: this is where the others are wired together.
    Room { name: "cli", forbidden: &[], macros: &[] },
    Room { name: "analysis", forbidden: &[IMPURE, OUTER_CRATES, OUTER], macros: PRINTING },
    Room { name: "source", forbidden: &[&["crate::rules", "crate::sinks", "crate::cli"]], macros: &[] },
    Room { name: "decode", forbidden: &[&["crate::rules", "crate::sinks", "crate::cli"]], macros: &[] },
    // A program of its own, that forkscope only starts: the standard library, nix and libc suffice it.
    Room { name: "demo", forbidden: &[OTHER_CRATES, OTHER_ROOMS], macros: &[] },
    // The names of error numbers; its tests compare them with those that nix knows.
    Room { name: "errno", forbidden: &[IMPURE, OUTER, &["crate::model", "crate::rules"]], macros: PRINTING },
    Room {
        name: "event",
        forbidden: &[IMPURE, OUTER_CRATES, OUTER, &["crate::model", "crate::rules"]],
        macros: PRINTING,
    },
    // Whose the files are that users name. All that write may ask it; it knows none of them.
    Room {
        name: "files",
        forbidden: &[&[
            "aya",
            "clap",
            "tokio",
            "crate::source",
            "crate::sinks",
            "crate::cli",
            "crate::decode",
            "crate::recording",
        ]],
        macros: PRINTING,
    },
    // Holds what it is given against what users typed; who makes subjects of what
    // they have, it does not know.
    Room {
        name: "filter",
        forbidden: &[IMPURE, OUTER_CRATES, OUTER, &["crate::analysis", "crate::model", "crate::rules"]],
        macros: PRINTING,
    },
    // One look as data becomes a report: it needs addresses as the model has them, and nothing else of it.
    Room { name: "inspect", forbidden: &[IMPURE, OUTER_CRATES, OUTER, &["crate::rules"]], macros: PRINTING },
    Room { name: "model", forbidden: &[IMPURE, OUTER_CRATES, OUTER, &["crate::rules"]], macros: PRINTING },
    // The standard library's hook, and whose panics are awaited: it prints nothing itself.
    Room { name: "panics", forbidden: &[IMPURE, OUTER_CRATES, OUTER], macros: PRINTING },
    Room { name: "protocol", forbidden: &[IMPURE, OUTER_CRATES, OUTER, &["crate::rules"]], macros: PRINTING },
    Room { name: "rules", forbidden: &[IMPURE, OUTER_CRATES, OUTER], macros: PRINTING },
    // Bytes in and out, and a file to write them to; who traces, and what is made of it, is not its business.
    Room {
        name: "recording",
        forbidden: &[&[
            "aya",
            "clap",
            "tokio",
            "crate::source",
            "crate::rules",
            "crate::sinks",
            "crate::replay",
            "crate::cli",
        ]],
        macros: PRINTING,
    },
    // Reads what it is given to its end, and a clock to know when to stop; it shows nothing.
    Room {
        name: "replay",
        forbidden: &[&[
            "aya",
            "clap",
            "nix",
            "tokio",
            "crate::source",
            "crate::decode",
            "crate::rules",
            "crate::sinks",
            "crate::cli",
        ]],
        macros: PRINTING,
    },
    Room { name: "report", forbidden: &[IMPURE, OUTER_CRATES, OUTER], macros: PRINTING },
    // What the live screen shows and what keys do, as data: it must not know that a terminal is there.
    Room {
        name: "sinks/screen",
        forbidden: &[
            IMPURE,
            &[
                "anstream",
                "aya",
                "clap",
                "crossterm",
                "procfs",
                "ratatui",
                "tempfile",
                "tokio",
                "vt100",
                "zstd",
                "crate::source",
                "crate::cli",
                "crate::decode",
                "crate::recording",
                "crate::sinks::tui",
            ],
        ],
        macros: PRINTING,
    },
    // A terminal for a program, without a terminal: bytes and keys in, cells and bytes out.
    // Only here is vt100 known.
    Room {
        name: "sinks/emulator",
        forbidden: &[
            IMPURE,
            OUTER_CRATES,
            &["crate::source", "crate::cli", "crate::decode", "crate::recording"],
        ],
        macros: PRINTING,
    },
    Room { name: "sinks", forbidden: &[&["aya", "crate::source", "crate::cli"]], macros: &[] },
    // Files and memory of traced processes in, names out; what is asked for, and why, is not its business.
    Room {
        name: "stacks",
        forbidden: &[&[
            "aya",
            "clap",
            "tokio",
            "crate::analysis",
            "crate::cli",
            "crate::decode",
            "crate::model",
            "crate::recording",
            "crate::rules",
            "crate::sinks",
        ]],
        macros: PRINTING,
    },
];

/// The rooms that no pure room may know of.
const OUTER: &[&str] = &[
    "crate::source",
    "crate::sinks",
    "crate::stacks",
    "crate::cli",
    "crate::decode",
    "crate::files",
    "crate::recording",
    "crate::replay",
];

/// What the demo must not use of other people's crates, and of this project's.
const OTHER_CRATES: &[&str] = &[
    "anstream",
    "anstyle",
    "anyhow",
    "aya",
    "blazesym",
    "clap",
    "crc32fast",
    "crossterm",
    "forkscope_proto",
    "framehop",
    "object",
    "procfs",
    "py_spy",
    "ratatui",
    "serde",
    "tempfile",
    "thiserror",
    "tokio",
    "zerocopy",
    "zstd",
];

/// Every room but the demo.
const OTHER_ROOMS: &[&str] = &[
    "crate::analysis",
    "crate::cli",
    "crate::decode",
    "crate::errno",
    "crate::event",
    "crate::files",
    "crate::filter",
    "crate::inspect",
    "crate::model",
    "crate::panics",
    "crate::protocol",
    "crate::recording",
    "crate::replay",
    "crate::report",
    "crate::rules",
    "crate::sinks",
    "crate::source",
    "crate::stacks",
];

/// Macros that no code may be left with.
pub(super) const UNFINISHED: &[&str] = &["todo", "unimplemented", "dbg"];

/// Lines from which a file is noted, and from which it fails: past that it is two jobs.
pub(super) const NOTED_LINES: usize = 300;
/// See [`NOTED_LINES`].
pub(super) const MOST_LINES: usize = 500;

/// Columns that a line of code has at most, and a comment with it (`max_width`, rustfmt.toml).
pub(super) const WIDTH: usize = 110;

/// Folders of one machine, that no tracked file may name. In two pieces, so that this file does not.
pub(super) const MACHINE_FOLDERS: &[&str] =
    &[concat!("/", "root/"), concat!("/", "work/"), concat!("/", "home/")];
