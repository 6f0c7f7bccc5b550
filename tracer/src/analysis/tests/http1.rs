//! HTTP/1.1: requests and replies without a number, on a connection that is kept open.

use super::{C, P};
use crate::analysis::kernel::Kernel;
use crate::report::Severity;

const GET: &[u8] = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n";
const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

/// Each has its answer, by luck: the connection is the client's, and both ask on it.
#[test]
fn turns_on_http_1_are_a_warning() {
    let mut kernel = Kernel::new();
    let fd = kernel.connect(P, 80);
    let get = |kernel: &mut Kernel, pid| {
        kernel.send(pid, fd, GET);
        kernel.receive(pid, fd, OK);
    };
    get(&mut kernel, P);
    kernel.fork(P, C, 0);
    get(&mut kernel, C);
    assert_eq!(kernel.findings(), [], "it may have been handed over");
    get(&mut kernel, P);
    assert_eq!(kernel.findings(), [("shared-stream", P, Some(fd))]);
    let finding = kernel.analysis.findings().last().expect("found");
    assert_eq!(finding.severity, Severity::Warning);
}

/// Each reads what seems to be its own, but neither knows: of two sends at once the order is not told for sure.
#[test]
fn requests_at_once_on_http_1_are_an_error() {
    for goes_on in [false, true] {
        let mut kernel = Kernel::new();
        let fd = kernel.connect(P, 80);
        kernel.send(P, fd, GET);
        kernel.receive(P, fd, OK);
        kernel.fork(P, C, 0);
        kernel.send(P, fd, GET);
        kernel.send(C, fd, GET);
        if goes_on {
            kernel.receive(P, fd, OK);
        }
        kernel.receive(C, fd, OK);
        let errors = kernel.analysis.findings().iter();
        let errors = errors.filter(|finding| finding.severity == Severity::Error);
        // One whose request was answered to the other has lost it, and says so by `stolen-reply`.
        let rules: Vec<_> = errors.map(|finding| finding.rule.name()).collect();
        assert_eq!(rules, [if goes_on { "shared-stream" } else { "stolen-reply" }]);
    }
}
