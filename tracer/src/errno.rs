//! Error numbers and results of system calls, written as strace(1) writes them.

use std::fmt;

/// Writes the table once: libc's constants, by their own names.
macro_rules! names {
    ($value:expr, $($name:ident)*) => {
        match $value {
            $(libc::$name => Some(stringify!($name)),)*
            // Not for user space: what a call that a signal interrupted returns inside the kernel,
            // where a tracer sees it (include/linux/errno.h). 524 is the kernel's own ENOTSUPP,
            // which some drivers let out.
            512 => Some("ERESTARTSYS"),
            513 => Some("ERESTARTNOINTR"),
            514 => Some("ERESTARTNOHAND"),
            516 => Some("ERESTART_RESTARTBLOCK"),
            524 => Some("ENOTSUPP"),
            _ => None,
        }
    };
}

/// The name of an error number (positive, as errno(3)), also of those that only the kernel uses;
/// none: there is no such error.
#[must_use]
pub const fn name(errno: i32) -> Option<&'static str> {
    names!(errno,
        EPERM ENOENT ESRCH EINTR EIO ENXIO E2BIG ENOEXEC EBADF ECHILD EAGAIN ENOMEM EACCES EFAULT ENOTBLK EBUSY EEXIST
        EXDEV ENODEV ENOTDIR EISDIR EINVAL ENFILE EMFILE ENOTTY ETXTBSY EFBIG ENOSPC ESPIPE EROFS EMLINK EPIPE EDOM
        ERANGE EDEADLK ENAMETOOLONG ENOLCK ENOSYS ENOTEMPTY ELOOP ENOMSG EIDRM ECHRNG EL2NSYNC EL3HLT EL3RST ELNRNG
        EUNATCH ENOCSI EL2HLT EBADE EBADR EXFULL ENOANO EBADRQC EBADSLT EBFONT ENOSTR ENODATA ETIME ENOSR ENONET
        ENOPKG EREMOTE ENOLINK EADV ESRMNT ECOMM EPROTO EMULTIHOP EDOTDOT EBADMSG EOVERFLOW ENOTUNIQ EBADFD EREMCHG
        ELIBACC ELIBBAD ELIBSCN ELIBMAX ELIBEXEC EILSEQ ERESTART ESTRPIPE EUSERS ENOTSOCK EDESTADDRREQ EMSGSIZE
        EPROTOTYPE ENOPROTOOPT EPROTONOSUPPORT ESOCKTNOSUPPORT EOPNOTSUPP EPFNOSUPPORT EAFNOSUPPORT EADDRINUSE
        EADDRNOTAVAIL ENETDOWN ENETUNREACH ENETRESET ECONNABORTED ECONNRESET ENOBUFS EISCONN ENOTCONN ESHUTDOWN
        ETOOMANYREFS ETIMEDOUT ECONNREFUSED EHOSTDOWN EHOSTUNREACH EALREADY EINPROGRESS ESTALE EUCLEAN ENOTNAM ENAVAIL
        EISNAM EREMOTEIO EDQUOT ENOMEDIUM EMEDIUMTYPE ECANCELED ENOKEY EKEYEXPIRED EKEYREVOKED EKEYREJECTED EOWNERDEAD
        ENOTRECOVERABLE ERFKILL EHWPOISON)
}

/// The greatest error number (MAX_ERRNO, include/linux/err.h).
pub const MOST: i32 = 4095;

/// The error number in a raw result; none: the call succeeded. Errors are -1 to minus [`MOST`].
#[must_use]
pub const fn of(ret: i64) -> Option<i32> {
    match ret {
        -4095..=-1 => Some(-(ret as i32)),
        _ => None,
    }
}

/// Whether the errno (positive) only says "not now" or "begin again": how healthy non-blocking and
/// interrupted calls end, 512 to 516 inside the kernel (include/linux/errno.h).
#[must_use]
pub const fn is_not_now(errno: i32) -> bool {
    matches!(errno, libc::EAGAIN | libc::EINPROGRESS | libc::EINTR | 512..=516)
}

/// A raw result of a system call, to be written: `6`, `-1 ENOTSOCK`, `? ERESTARTSYS`, `-1 (errno 4000)`.
#[must_use]
pub const fn result(ret: i64) -> Outcome {
    Outcome(ret)
}

/// See [`result`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome(i64);

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match of(self.0) {
            None => write!(f, "{}", self.0),
            Some(errno) => match name(errno) {
                // The call is begun again, or ends in EINTR: not decided yet, so strace writes no number.
                Some(name) if (512..=516).contains(&errno) => write!(f, "? {name}"),
                Some(name) => write!(f, "-1 {name}"),
                None => write!(f, "-1 (errno {errno})"),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::errno::Errno;

    #[test]
    fn results_read_as_strace_writes_them() {
        let check = |ret: i64, expected: &str| assert_eq!(result(ret).to_string(), expected);
        check(0, "0");
        check(6, "6");
        check(i64::MAX, "9223372036854775807");
        check(-88, "-1 ENOTSOCK");
        check(-512, "? ERESTARTSYS");
        check(-516, "? ERESTART_RESTARTBLOCK");
        check(-515, "-1 (errno 515)");
        check(-4095, "-1 (errno 4095)");
        check(-4096, "-4096");
        check(i64::MIN, "-9223372036854775808");
    }

    #[test]
    fn no_error_of_user_space_is_missing() {
        for errno in -1..512 {
            let theirs = Errno::from_raw(errno);
            let expected = (errno > 0 && theirs != Errno::UnknownErrno).then(|| format!("{theirs:?}"));
            assert_eq!(name(errno).map(str::to_owned), expected, "errno {errno}");
        }
    }
}
