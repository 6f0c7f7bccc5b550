//! Being root, or becoming it.

use crate::command::{command, probe};
use std::ffi::OsStr;
use std::io::{self, IsTerminal};
use std::process::{Command, Stdio};

/// How a command gets root's rights here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Privilege {
    /// Already there.
    Root,
    /// Through sudo, which may ask for a password on the terminal.
    Sudo,
}

impl Privilege {
    /// What this user has, if anything.
    pub(crate) fn find() -> Option<Self> {
        if probe("id", &["-u"]).as_deref() == Some("0") {
            return Some(Self::Root);
        }
        let without_password = probe("sudo", &["-n", "true"]).is_some();
        let can_ask = io::stdin().is_terminal() && probe("sudo", &["--version"]).is_some();
        (without_password || can_ask).then_some(Self::Sudo)
    }

    /// The command, as root, with these variables set: sudo passes none of the caller's on.
    pub(crate) fn command(self, program: impl AsRef<OsStr>, variables: &[(&str, &OsStr)]) -> Command {
        match self {
            Self::Root => {
                let mut direct = command(program);
                direct.envs(variables.iter().copied());
                direct
            }
            Self::Sudo => {
                let mut sudo = command("sudo");
                sudo.stdin(Stdio::inherit()).arg("env");
                for (name, value) in variables {
                    let mut assignment = OsStr::new(name).to_owned();
                    assignment.push("=");
                    assignment.push(value);
                    sudo.arg(assignment);
                }
                sudo.arg(program);
                sudo
            }
        }
    }
}
