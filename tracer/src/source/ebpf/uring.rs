//! The programs on socket transfers, which show those that io_uring makes.
//!
//! Every transfer of the machine comes by them, and takes 50 ns longer for each: they are attached once a
//! traced process has an io_uring.

use super::EbpfError;
use super::btf::Btf;
use super::load::{explain, program};
use aya::Ebpf;
use aya::programs::{ProgramError, RawTracePoint};
use forkscope_proto::arguments::makes_ring;
use forkscope_proto::{Call, Header, Kind, calls};
use zerocopy::FromBytes;

/// The programs and their tracepoints (include/trace/events/sock.h, since Linux 6.3).
const TRANSFERS: [(&str, &str); 2] =
    [("forkscope_sent", "sock_send_length"), ("forkscope_received", "sock_recv_length")];

/// Whether the programs are attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Uring {
    /// The kernel has no such tracepoints.
    Unseen,
    /// No traced process is known to have an io_uring.
    Awaited,
    Watched,
}

impl Uring {
    /// Loads the programs, where the kernel has their tracepoints.
    pub(super) fn load(programs: &mut Ebpf, types: &Btf) -> Result<Self, EbpfError> {
        let is_known = |(_, tracepoint)| types.typedef(&format!("btf_trace_{tracepoint}")).is_some();
        if !TRANSFERS.into_iter().all(is_known) {
            return Ok(Self::Unseen);
        }
        for (name, _) in TRANSFERS {
            program(programs, name).and_then(RawTracePoint::load).map_err(|error| explain(name, error))?;
        }
        Ok(Self::Awaited)
    }

    /// Whether the transfers that io_uring makes can be seen.
    pub(super) fn can_be_seen(self) -> bool {
        self != Self::Unseen
    }

    /// Whether a first io_uring would be news.
    pub(super) fn is_awaited(self) -> bool {
        self == Self::Awaited
    }

    /// Attaches the programs, if they are not; says what users should know where that fails.
    pub(super) fn watch(&mut self, programs: &mut Ebpf) -> Option<String> {
        if *self != Self::Awaited {
            return None;
        }
        let attach = |(name, tracepoint)| program(programs, name)?.attach(tracepoint).map(drop);
        let attached: Result<(), ProgramError> = TRANSFERS.into_iter().try_for_each(attach);
        *self = if attached.is_ok() { Self::Watched } else { Self::Unseen };
        attached.err().map(|error| format!("transfers that io_uring makes are not seen: {error}"))
    }
}

/// Whether a record is of a call that has made an io_uring.
pub(super) fn is_made(record: &[u8]) -> bool {
    let Ok((header, _)) = Header::ref_from_prefix(record) else { return false };
    header.kind == Kind::Call as u16
        && header.nr == calls::IO_URING_SETUP
        && Call::ref_from_prefix(record).is_ok_and(|(call, _)| makes_ring(header.nr, call.ret))
}

#[cfg(test)]
mod tests {
    use super::*;
    use zerocopy::IntoBytes;

    #[test]
    fn rings_are_told_from_other_records() {
        let call = |kind: Kind, nr, ret| {
            let header = Header { kind: kind as u16, nr, ..Header::default() };
            Call { header, ret, ..Call::default() }
        };
        for (call, expected) in [
            (call(Kind::Call, calls::IO_URING_SETUP, 5), true),
            (call(Kind::Call, calls::IO_URING_SETUP, -38), false),
            (call(Kind::Call, calls::SOCKET, 5), false),
            (call(Kind::Io, calls::IO_URING_SETUP, 5), false),
        ] {
            assert_eq!(is_made(call.as_bytes()), expected, "{call:?}");
        }
        assert!(!is_made(b"short"));
    }
}
