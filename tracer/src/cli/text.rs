//! Completion scripts and the manual page, from the command line's own description.

use super::args::Args;
use super::outcome::Outcome;
use clap::CommandFactory;
use std::io::{self, Write};

/// Prints the completion script for a shell.
pub(super) fn completions(shell: clap_complete::Shell) -> Outcome {
    // The generator panics where it cannot write, and offers what is hidden.
    let mut script = Vec::new();
    let command = Args::command();
    let shown = command.get_subcommands().filter(|one| !one.is_hide_set()).cloned();
    let shown: Vec<_> = shown.collect();
    let mut command = clap::Command::new("forkscope").version(env!("CARGO_PKG_VERSION")).subcommands(shown);
    clap_complete::generate(shell, &mut command, "forkscope", &mut script);
    io::stdout().write_all(&script)?;
    Ok(0)
}

/// Prints the manual page: one page, with every command and its options.
pub(super) fn man() -> Outcome {
    let mut command = Args::command();
    command.build();
    let mut page = Vec::new();
    let man = clap_mangen::Man::new(command.clone());
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    page.write_all(
        b".SH SYNOPSIS\n\\fBforkscope\\fR \\fICOMMAND\\fR [\\fIOPTIONS\\fR] [\\fIARGUMENTS\\fR]\n",
    )?;
    man.render_description_section(&mut page)?;
    for one in command.get_subcommands().filter(|one| !one.is_hide_set() && one.get_name() != "help") {
        let mut section = Vec::new();
        let man = clap_mangen::Man::new(one.clone());
        man.render_synopsis_section(&mut section)?;
        man.render_description_section(&mut section)?;
        man.render_options_section(&mut section)?;
        // What are sections of a page of its own are parts of one here.
        let section = String::from_utf8_lossy(&section).replace(".SH ", ".SS ");
        write!(page, ".SH FORKSCOPE {}\n{section}", one.get_name().to_uppercase())?;
    }
    page.write_all(EXIT_STATUS.as_bytes())?;
    io::stdout().write_all(&page)?;
    Ok(0)
}

const EXIT_STATUS: &str = "\
.SH EXIT STATUS
.TP
the program's own
of run, without findings that fail it; 128+N if signal N ended the program
.TP
0
attach, watch, replay, inspect: done
.TP
1
forkscope itself failed: no privilege, no such program, a file that cannot be written or read
.TP
2
wrong usage
.TP
3
findings at or above \\-\\-fail\\-on, whatever the program's own status
.SH EXAMPLES
.nf
forkscope run \\-\\- python3 app.py
forkscope attach 1234
forkscope inspect 1234
forkscope run \\-\\-record app.rec \\-\\- python3 app.py && forkscope replay app.rec
forkscope run \\-\\-report report.json \\-\\-fail\\-on error \\-\\- ./run\\-tests
.fi
";
