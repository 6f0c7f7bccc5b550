//! Who is told what bytes say, beside the rules: what nobody wants to know costs nothing.

use crate::protocol::{Chunk, Kept};

/// Who listens. At first all do.
#[derive(Clone, Copy, Debug)]
pub struct Audience {
    /// A live screen, which marks each frame of HTTP/2.
    pub screen: bool,
    /// A recording, which keeps those bytes that said something.
    pub recording: bool,
}

impl Default for Audience {
    fn default() -> Self {
        Self { screen: true, recording: true }
    }
}

/// What is noted of a transfer, and for whom.
#[derive(Debug, Default)]
pub(super) struct Noted {
    pub(super) audience: Audience,
    /// Which bytes of the newest transfer said something.
    pub(super) kept: Kept,
}

impl Noted {
    /// The transfer as its readers read it: they tell and note what somebody listens to.
    pub(super) fn of<'a>(&'a self, transfer: Chunk<'a>) -> Chunk<'a> {
        let transfer = if self.audience.screen { transfer } else { transfer.without_frames() };
        if self.audience.recording { transfer.noting(&self.kept) } else { transfer }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::kernel::Kernel;
    use crate::model::Change;
    use crate::protocol::Sign;

    /// A client's first bytes: its preface, and SETTINGS that set nothing.
    const OPENING: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

    /// Whether a frame was told, and what it was read by was noted.
    fn heard_by(audience: Audience) -> (bool, bool) {
        let mut kernel = Kernel::new();
        kernel.analysis.model.set_audience(audience);
        let fd = kernel.connect(100, 50_051);
        kernel.send(100, fd, OPENING);
        let is_frame = |change: &Change| matches!(change, Change::Said { sign: Sign::Frame { .. }, .. });
        (kernel.analysis.changes().iter().any(is_frame), kernel.analysis.model.kept().has(0))
    }

    #[test]
    fn frames_are_told_a_screen_and_bytes_noted_for_a_recording() {
        for (screen, recording) in [(false, false), (false, true), (true, false), (true, true)] {
            let audience = Audience { screen, recording };
            assert_eq!(heard_by(audience), (screen, recording), "{audience:?}");
        }
    }
}
