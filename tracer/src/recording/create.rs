//! The file that a recording is written to: nobody else's, and readable by nobody else.

use crate::files::{self, Refusal};
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use thiserror::Error;

/// Why no file could be made, and what to do.
#[derive(Debug, Error)]
pub enum CreateError {
    /// The path names a directory.
    #[error("it is a directory; name a file in it")]
    IsDirectory,
    /// What is there is not to be written to.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

impl From<io::Error> for CreateError {
    fn from(error: io::Error) -> Self {
        Self::Refused(error.into())
    }
}

/// Mode of the file: what programs do with their connections is not for everybody.
const MODE: u32 = 0o600;

/// Makes the file, or empties the one that is there, and sees to it that only its owner can read it.
///
/// What others may have put there is not written to: see [`files::open`]. A device, a FIFO or a
/// descriptor is written to as it is.
///
/// # Errors
/// Where no such file can be had; what was there is then unchanged.
pub fn create(path: &Path) -> Result<File, CreateError> {
    let there = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(new(path)?),
        there => there?,
    };
    if there.is_dir() || fs::metadata(path).is_ok_and(|there| there.is_dir()) {
        return Err(CreateError::IsDirectory);
    }
    let file = files::open(path)?;
    if file.metadata()?.is_file() && !files::is_descriptor(path) {
        file.set_permissions(Permissions::from_mode(MODE))?;
        file.set_len(0)?;
    }
    Ok(file)
}

fn new(path: &Path) -> io::Result<File> {
    // With O_EXCL open(2) follows no symbolic link.
    let file = OpenOptions::new().write(true).create_new(true).mode(MODE).open(path)?;
    // The process' umask may have taken more away.
    file.set_permissions(Permissions::from_mode(MODE))?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::os::fd::AsRawFd;
    use std::os::unix::fs::{MetadataExt, symlink};
    use std::path::PathBuf;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).expect("it is there").mode() & 0o777
    }

    #[test]
    fn a_file_is_for_its_owner_alone_new_or_old() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("new.rec");
        create(&path).expect("a new file").write_all(b"long ago").expect("written");
        assert_eq!(mode(&path), 0o600);
        fs::set_permissions(&path, Permissions::from_mode(0o644)).expect("own file");
        create(&path).expect("the old file");
        assert_eq!((mode(&path), fs::read(&path).expect("readable")), (0o600, Vec::new()));
    }

    #[test]
    fn a_link_is_followed_only_where_nobody_else_could_have_put_it() {
        let directory = tempfile::tempdir().expect("a directory");
        let [target, link] = ["target", "link"].map(|name| directory.path().join(name));
        fs::write(&target, "kept").expect("own directory");
        symlink(&target, &link).expect("own directory");
        fs::set_permissions(directory.path(), Permissions::from_mode(0o1777)).expect("own directory");
        assert!(matches!(create(&link), Err(CreateError::Refused(Refusal::Planted(_)))));
        assert_eq!(fs::read(&target).expect("readable"), b"kept");
        fs::set_permissions(directory.path(), Permissions::from_mode(0o755)).expect("own directory");
        create(&link).expect("followed");
        assert_eq!((fs::read(&target).expect("readable"), mode(&target)), (Vec::new(), 0o600));
    }

    #[test]
    fn what_cannot_be_a_recording_s_file() {
        let directory = tempfile::tempdir().expect("a directory");
        assert!(matches!(create(directory.path()), Err(CreateError::IsDirectory)));
        assert!(matches!(create(&directory.path().join("no/such.rec")), Err(CreateError::Refused(_))));
        assert!(create(Path::new("/dev/null")).is_ok());
        let (_read, write) = nix::unistd::pipe().expect("a pipe");
        create(&descriptor(&write)).expect("a pipe of a shell");
    }

    fn descriptor(file: &impl AsRawFd) -> PathBuf {
        format!("/dev/fd/{}", file.as_raw_fd()).into()
    }

    #[test]
    fn what_a_shell_has_opened_is_added_to() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("log");
        fs::write(&path, "before ").expect("own directory");
        fs::set_permissions(&path, Permissions::from_mode(0o644)).expect("own file");
        let log = File::options().append(true).open(&path).expect("own file");
        create(&descriptor(&log)).expect("as the shell did").write_all(b"after").expect("written");
        assert_eq!((fs::read(&path).expect("readable"), mode(&path)), (b"before after".to_vec(), 0o644));
    }

    /// Where links to other people's files are allowed (proc_sys_fs(5), protected_hardlinks).
    #[test]
    fn a_file_that_others_have_given_another_name_is_kept() {
        let directory = tempfile::tempdir().expect("a directory");
        let [target, link] = ["target", "link"].map(|name| directory.path().join(name));
        fs::write(&target, "kept").expect("own directory");
        fs::hard_link(&target, &link).expect("own directory");
        fs::set_permissions(directory.path(), Permissions::from_mode(0o1777)).expect("own directory");
        let refused = create(&link).expect_err("everybody may write there").to_string();
        assert!(refused.contains("other names"), "{refused}");
        assert_eq!(fs::read(&target).expect("readable"), b"kept");
    }
}
