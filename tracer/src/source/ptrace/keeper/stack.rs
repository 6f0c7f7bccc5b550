//! Where in its program a thread is, taken while it stands still, where users ask for stacks.

use super::calls::Begun;
use super::{Context, memory};
use forkscope_proto::{Kind, Stack, StackAt};
use nix::sys::ptrace;
use nix::unistd::Pid;

impl Context<'_> {
    /// A call has ended with `ret`; its record follows.
    pub(super) fn stack_at_call(&mut self, begun: &Begun, ret: i64) {
        if self.keeper.settings.stacks
            && let Some(at) = Stack::wanted(begun.number(), ret)
        {
            self.stack(begun.number(), at, begun.fd());
        }
    }

    /// The thread has made a process; the record of that follows.
    pub(super) fn stack_at_fork(&mut self) {
        if self.keeper.settings.stacks {
            self.stack(0, StackAt::Fork, -1);
        }
    }

    fn stack(&mut self, number: u16, at: StackAt, fd: i32) {
        let Ok(registers) = ptrace::getregs(Pid::from_raw(self.tid)) else { return };
        let mut payload = std::mem::take(&mut self.keeper.payload);
        payload.clear();
        memory::take_pieces(self.tid, registers.rsp, Stack::MOST, Stack::PIECE, &mut payload);
        let mut header = self.header(number);
        (header.kind, header.payload) = (Kind::Stack as u16, payload.len() as u32);
        let (ip, sp, bp) = (registers.rip, registers.rsp, registers.rbp);
        self.keeper.out.record(&Stack { header, ip, sp, bp, at: at as u32, fd }, &payload);
        self.keeper.payload = payload;
        // What its addresses mean can be seen only as long as the process lives.
        self.keeper.out.hurry();
    }
}
