//! Tables that threads change at once, told in an order that is not that of the kernel.

use super::P;
use crate::analysis::kernel::Kernel;
use forkscope_proto::calls;

const MS: u64 = 1_000_000;

#[test]
fn a_close_told_late_does_not_undo_a_copy_that_came_after_it() {
    let mut kernel = Kernel::new();
    let [first, second] = [1, 2].map(|port| kernel.connect(P, port));
    kernel.copy(P, first, 10);
    // It closed what another thread had put there before, and its end is told only now.
    let closed = kernel.at(P, second);
    kernel.call(P, calls::CLOSE, b"", |call| (call.fd, call.file) = (10, closed));
    kernel.wait(12 * MS);
    kernel.copy(P, second, 10);
    assert_eq!(kernel.modelled(P), kernel.real(P));
}

#[test]
fn a_close_told_before_the_call_that_made_the_number_is_no_less_a_close() {
    for gone in [false, true] {
        let mut kernel = Kernel::new();
        let (first, second) = (kernel.connect(P, 1), kernel.connect(P, 2));
        kernel.copy(P, first, 10);
        let (file, taken) = (kernel.at(P, first), kernel.at(P, second));
        // Its thread was off its processor for long.
        kernel.wait(50 * MS);
        kernel.close(P, 10);
        kernel.call(P, calls::CLOSE, b"", |call| (call.fd, call.file) = (10, taken));
        kernel.wait(50 * MS);
        kernel.call(P, calls::DUP2, b"", |call| {
            (call.other_end, call.ret, call.fd, call.file) = (MS, 10, second, taken);
            (call.other_fd, call.other) = (10, if gone { Default::default() } else { taken });
        });
        assert_eq!(kernel.modelled(P), kernel.real(P), "{file:?}");
    }
}
