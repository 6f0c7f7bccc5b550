//! Where a process lives: its number in its own pid namespace, and the container that it is in.

use super::at_most;
use super::link::number;
use crate::model::Place;
use std::io;

/// The most that is read of a status or cgroup file, in bytes.
const MOST: u64 = 1 << 16;
/// Digits of an id that are shown, as `docker ps` shows them.
const SHOWN: usize = 12;
/// Digits of an id.
const WHOLE: usize = 64;

/// Where a process lives, if elsewhere than forkscope. Of one in the same pid namespace nothing more is
/// read than that it is so.
///
/// # Errors
/// Where there is no such process.
pub fn place(pid: u32) -> io::Result<Place> {
    let ns_pid = ns_pid(&at_most(MOST, &format!("/proc/{pid}/status"))?);
    Ok(Place { ns_pid, container: ns_pid.and_then(|_| container(pid)) })
}

/// The container that a process is in, whatever its pid namespace.
pub(super) fn container(pid: u32) -> Option<String> {
    name(&at_most(MOST, &format!("/proc/{pid}/cgroup")).ok()?)
}

/// The last number in `NSpid:`, where there are several: the first is the one in the namespace of this /proc
/// (proc_pid_status(5)).
fn ns_pid(status: &[u8]) -> Option<u32> {
    let line = status.split(|&byte| byte == b'\n').find_map(|line| line.strip_prefix(b"NSpid:"))?;
    let numbers = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    number(numbers.skip(1).last()?)?.try_into().ok()
}

/// The innermost container that the lines of a cgroup file (cgroups(7)) name.
fn name(cgroups: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(cgroups);
    text.lines().find_map(|line| line.splitn(3, ':').nth(2)?.rsplit('/').find_map(of_group))
}

/// The container that one group is, by the names that container managers give theirs:
///
/// - Docker, containerd, CRI-O, Podman, Kubernetes: an id of 64 digits, with the manager's name before it and
///   `.scope` after it where systemd made the group. Podman and CRI-O give their monitors one with `conmon`
///   in it: those are not inside.
/// - LXC: `lxc.payload.NAME`.
/// - systemd-nspawn: `systemd-nspawn@NAME.service`, or `machine-NAME.scope`, where it
///   is no virtual machine's.
fn of_group(group: &str) -> Option<String> {
    if group.contains("conmon") {
        return None;
    }
    let group = group.strip_suffix(".scope").unwrap_or(group);
    let id = group.rsplit(['-', ':']).next().unwrap_or(group);
    if id.len() == WHOLE && id.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')) {
        return Some(id[..SHOWN].to_owned());
    }
    let machine = group
        .strip_prefix("lxc.payload.")
        .or_else(|| group.strip_prefix("systemd-nspawn@")?.strip_suffix(".service"))
        .or_else(|| {
            group
                .strip_prefix("machine-")
                .filter(|name| !name.starts_with("qemu") && !name.starts_with("lxc"))
        })?;
    Some(unescape(machine)).filter(|name| !name.is_empty())
}

/// systemd writes what has a meaning in a unit's name as `\x2d` (systemd-escape(1)).
fn unescape(name: &str) -> String {
    let mut out = String::new();
    let mut rest = name;
    while let Some((before, after)) = rest.split_once("\\x") {
        out.push_str(before);
        match after.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) if byte.is_ascii() => {
                out.push(char::from(byte));
                rest = &after[2..];
            }
            _ => {
                out.push_str("\\x");
                rest = after;
            }
        }
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ID: &str = "3f2a91c04d11aabbccddeeff00112233445566778899aabbccddeeff00112233";

    #[test]
    fn containers_are_told_by_their_groups() {
        for (path, expected) in [
            (format!("/docker/{ID}"), Some("3f2a91c04d11")),
            (format!("/system.slice/docker-{ID}.scope"), Some("3f2a91c04d11")),
            (format!("/system.slice/docker-{ID}.scope/init.scope"), Some("3f2a91c04d11")),
            (format!("/kubepods/besteffort/pod5a6f/{ID}"), Some("3f2a91c04d11")),
            (format!("/kubepods.slice/kubepods-pod5a.slice/cri-containerd-{ID}.scope"), Some("3f2a91c04d11")),
            (
                format!("/system.slice/containerd.service/kubepods-pod5a.slice:cri-containerd:{ID}"),
                Some("3f2a91c04d11"),
            ),
            (format!("/kubepods.slice/crio-{ID}.scope/container"), Some("3f2a91c04d11")),
            (format!("/machine.slice/libpod-{ID}.scope/container"), Some("3f2a91c04d11")),
            (format!("/machine.slice/libpod-conmon-{ID}.scope"), None),
            (format!("/docker/{}/docker/{ID}", "0".repeat(64)), Some("3f2a91c04d11")),
            ("/lxc.payload.web/system.slice/ssh.service".to_owned(), Some("web")),
            ("/lxc.monitor.web".to_owned(), None),
            (
                "/machine.slice/systemd-nspawn@deb\\x2d12.service/payload/init.scope".to_owned(),
                Some("deb-12"),
            ),
            ("/machine.slice/machine-deb\\x2d12.scope".to_owned(), Some("deb-12")),
            ("/machine.slice/machine-qemu\\x2d1\\x2dvm.scope".to_owned(), None),
            ("/user.slice/user-1000.slice/session-2.scope".to_owned(), None),
            (format!("/docker/{}", &ID[1..]), None),
            (format!("/docker/{}", ID.to_uppercase()), None),
            ("/".to_owned(), None),
        ] {
            assert_eq!(name(format!("0::{path}\n").as_bytes()).as_deref(), expected, "{path}");
        }
        let first_version = format!("12:pids:/\n11:cpu,cpuacct:/docker/{ID}\n0::/system.slice\n");
        assert_eq!(name(first_version.as_bytes()).as_deref(), Some("3f2a91c04d11"));
        for wrong in ["", "0:", "0::", ":::::", "x"] {
            assert_eq!(name(wrong.as_bytes()), None, "{wrong}");
        }
    }

    #[test]
    fn the_innermost_number_is_the_container_s_own() {
        for (status, expected) in [
            ("Pid:\t1205\nNSpid:\t1205\t7\nNSpgid:\t1205\t7\n", Some(7)),
            ("NSpid:\t1205\t33\t1\n", Some(1)),
            ("NSpid:\t1205\n", None),
            ("Pid:\t1205\n", None),
            ("NSpid:\t1205\tx\n", None),
        ] {
            assert_eq!(ns_pid(status.as_bytes()), expected, "{status}");
        }
    }

    #[test]
    fn the_test_itself_lives_here() {
        assert_eq!(place(std::process::id()).expect("lives").ns_pid, None);
        assert!(place(u32::MAX).is_err());
    }

    proptest! {
        #[test]
        fn no_text_is_a_panic(text in "[0-9a-f:/.x\\\\@\\-\u{e9}]{0,80}", start in 0..4_usize) {
            let start = ["", "0::/lxc.payload.", "0::/machine-\\x", "NSpid:\t1\t"][start];
            name(format!("{start}{text}").as_bytes());
            ns_pid(format!("{start}{text}").as_bytes());
        }
    }
}
