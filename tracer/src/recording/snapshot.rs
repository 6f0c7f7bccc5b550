//! A process as /proc showed it, as bytes.

use super::addresses::Addresses;
use super::bytes::{Rest, put, put_bytes, put_signed};
use super::error::Broken;
use super::format::MOST_PAYLOAD;
use crate::event::{Snapshot, SnapshotFd};
use forkscope_proto::{FileRef, Socket};
use zerocopy::{FromBytes, IntoBytes};

/// Bits of what is true of a process.
const STARTED_HERE: u8 = 1;
const URING: u8 = 2;
const WHOLE: u8 = 4;
const COPIED: u8 = 8;

/// Bits of what is true of a descriptor.
const CLOEXEC: u8 = 1;
const HAS_PATH: u8 = 2;
const IS_SOCKET: u8 = 4;

fn bits<const N: usize>(marks: [(bool, u8); N]) -> u8 {
    marks.into_iter().filter(|(is, _)| *is).fold(0, |bits, (_, bit)| bits | bit)
}

/// The most bytes that a snapshot takes.
pub(super) fn most(seen: &Snapshot) -> usize {
    /// Numbers, marks and lengths.
    const SMALL: usize = 32;
    let path = |entry: &SnapshotFd| entry.path.as_ref().map_or(0, String::len);
    let socket = |entry: &SnapshotFd| entry.socket.map_or(0, |_| size_of::<Socket>());
    let of = |entry| SMALL + size_of::<FileRef>() + path(entry) + socket(entry);
    2 * SMALL + seen.comm.len() + seen.cmdline.len() + seen.descriptors.iter().map(of).sum::<usize>()
}

/// Adds a snapshot.
pub(super) fn put_all(seen: &Snapshot, addresses: &Addresses, out: &mut Vec<u8>) {
    put(out, seen.ppid.into());
    put_bytes(out, seen.comm.as_bytes());
    put_bytes(out, &seen.cmdline);
    put(out, seen.threads.into());
    let Snapshot { started_here, uring, whole, copied_from, .. } = *seen;
    let marks =
        [(started_here, STARTED_HERE), (uring, URING), (whole, WHOLE), (copied_from.is_some(), COPIED)];
    out.push(bits(marks));
    if let Some(threads) = copied_from {
        put(out, threads.into());
    }
    put(out, seen.descriptors.len() as u64);
    for entry in &seen.descriptors {
        put_signed(out, entry.fd.into());
        let SnapshotFd { cloexec, path, socket, .. } = entry;
        out.push(bits([(*cloexec, CLOEXEC), (path.is_some(), HAS_PATH), (socket.is_some(), IS_SOCKET)]));
        let hidden = |file: &FileRef| FileRef { file: addresses.number(file.file), ..*file };
        out.extend_from_slice(hidden(&entry.file).as_bytes());
        if let Some(path) = path {
            put_bytes(out, path.as_bytes());
        }
        if let Some(socket) = socket {
            out.extend_from_slice(Socket { file: hidden(&socket.file), ..*socket }.as_bytes());
        }
    }
}

/// A file.
pub(super) fn file(rest: &mut Rest<'_>) -> Result<FileRef, Broken> {
    FileRef::read_from_bytes(rest.take(size_of::<FileRef>())?).map_err(|_| Broken::Damaged)
}

fn text(rest: &mut Rest<'_>) -> Result<String, Broken> {
    String::from_utf8(rest.bytes()?.to_vec()).map_err(|_| Broken::Damaged)
}

/// Reads what [`put_all`] added.
pub(super) fn read(rest: &mut Rest<'_>) -> Result<Snapshot, Broken> {
    let (ppid, comm, cmdline) = (rest.small()?, text(rest)?, rest.bytes()?.to_vec());
    if comm.len().max(cmdline.len()) > MOST_PAYLOAD {
        return Err(Broken::Damaged);
    }
    let (threads, marks) = (rest.small()?, rest.byte()?);
    let copied_from = if marks & COPIED != 0 { Some(rest.small()?) } else { None };
    let count = rest.number()?;
    let mut descriptors = Vec::new();
    for _ in 0..count {
        let fd = i32::try_from(rest.signed()?).map_err(|_| Broken::Damaged)?;
        let marks = rest.byte()?;
        let file = file(rest)?;
        let path = if marks & HAS_PATH != 0 { Some(text(rest)?) } else { None };
        let socket = if marks & IS_SOCKET != 0 {
            let bytes = rest.take(size_of::<Socket>())?;
            Some(Socket::read_from_bytes(bytes).map_err(|_| Broken::Damaged)?)
        } else {
            None
        };
        descriptors.push(SnapshotFd { fd, cloexec: marks & CLOEXEC != 0, file, path, socket });
    }
    let has = |bit| marks & bit != 0;
    let (started_here, uring, whole) = (has(STARTED_HERE), has(URING), has(WHOLE));
    Ok(Snapshot { ppid, comm, cmdline, threads, descriptors, started_here, uring, whole, copied_from })
}
