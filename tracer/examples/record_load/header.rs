//! What a recording of the load says of itself.

use crate::traffic::CAPTURE;
use forkscope::recording::{Header, Payload};
use forkscope::report::{Backend, Host, Target, Tool};

/// The same each time, but for what is kept of payloads.
pub(super) fn header(payload: Payload) -> Header {
    Header {
        tool: Tool::this(),
        start: "2024-05-01T12:00:00.000000Z".into(),
        clock: 0,
        target: Target::Watch,
        host: Host { kernel: "none".into(), arch: "none".into() },
        backend: Backend::Ebpf,
        payload,
        capture: CAPTURE as u32,
    }
}
