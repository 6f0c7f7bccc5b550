//! What the screens of the tests show.

use super::stage::Stage;
use forkscope_proto::calls;
use libc::{EAGAIN, ECONNRESET, ENOTSOCK, EPIPE};

pub(crate) const P: u32 = 4200;
pub(crate) const C: u32 = 4217;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\x06\x04\0\0\0\0\0\0\x04\0\x01\0\0";
/// `POST /p.S/One`, on stream 1, and `/p.S/Two` on stream 3, of gRPC.
const ONE: &[u8] = b"\0\0\x1e\x01\x04\0\0\0\x01\x83\x5f\x10application/grpc\x44\x08/p.S/One\x86";
const TWO: &[u8] = b"\0\0\x0d\x01\x04\0\0\0\x03\x83\xbf\x44\x08/p.S/Two\x86";
/// The same as [`ONE`], on stream 3.
const ONE_AGAIN: &[u8] = b"\0\0\x0c\x01\x04\0\0\0\x03\x83\x04\x08/p.S/One\x86";
const ANSWER: &[u8] = b"\0\0\x13\x01\x04\0\0\0\x03\x88\x5f\x10application/grpc\
    \0\0\x05\0\0\0\0\0\x03\0\0\0\0\0\0\0\x10\x01\x05\0\0\0\x03\x40\x0bgrpc-status\x0214";
const GOAWAY: &[u8] = b"\0\0\x08\x07\0\0\0\0\0\0\0\0\x01\0\0\0\0";

/// The founding bug: a fork handler closes the inherited socket, /dev/null takes its
/// number, the child calls on.
pub(crate) fn founding() -> Stage {
    let mut stage = Stage::new();
    let kernel = &mut stage.kernel;
    kernel.fork(100, P, 0);
    kernel.exec_as(P, "python3.8", &["python3.8", "app.py", "--target", "127.0.0.1:50051"]);
    let fd = kernel.connect(P, 50051);
    kernel.send(P, fd, PREFACE);
    kernel.send(P, fd, ONE);
    kernel.wait(20_000_000);
    kernel.fork_threaded(P, C, 9, 0);
    kernel.close(C, fd);
    kernel.open(C, "/dev/null");
    kernel.transfer(C, calls::SENDMSG, fd, b"", -i64::from(ENOTSOCK));
    kernel.transfer(C, calls::SENDMSG, fd, b"", -i64::from(ENOTSOCK));
    kernel.die(C, 1 << 8);
    kernel.wait(30_000_000);
    kernel.send(P, fd, GOAWAY);
    kernel.close(P, fd);
    stage
}

/// Parent and child use one HTTP/2 connection in turns.
pub(crate) fn shared() -> Stage {
    let mut stage = Stage::new();
    let kernel = &mut stage.kernel;
    kernel.fork(100, P, 0);
    kernel.exec_as(P, "python3.8", &["python3.8", "app.py"]);
    let fd = kernel.connect(P, 50051);
    kernel.send(P, fd, PREFACE);
    kernel.send(P, fd, ONE);
    kernel.fork(P, C, 0);
    kernel.send(C, fd, TWO);
    kernel.transfer(C, calls::RECVMSG, fd, b"", -i64::from(EAGAIN));
    kernel.receive(C, fd, ANSWER);
    kernel.send(P, fd, ONE_AGAIN);
    for _ in 0..3 {
        kernel.wait(700_000_000);
        kernel.receive(P, fd, b"\0\0\x05\0\0\0\0\0\x01\0\0\0\0\0");
        kernel.send(C, fd, b"\0\0\x05\0\0\0\0\0\x03\0\0\0\0\0");
        kernel.send(P, fd, b"\0\0\x05\0\0\0\0\0\x01\0\0\0\0\0");
    }
    kernel.send(C, fd, GOAWAY);
    kernel.shut_down(C, fd, 2);
    kernel.transfer(P, calls::SENDMSG, fd, b"", -i64::from(EPIPE));
    stage
}

/// A server with many workers: what is inherited, used, shared, failed and over.
pub(crate) fn busy() -> Stage {
    let mut stage = founding();
    let kernel = &mut stage.kernel;
    kernel.exec_as(
        100,
        "gunicorn",
        &["/usr/bin/python3", "/usr/bin/gunicorn", "--preload", "shop.wsgi:application"],
    );
    let database = kernel.connect(100, 5432);
    kernel.send(100, database, b"\0\0\0\x08\0\x03\0\0");
    kernel.receive(100, database, b"Z\0\0\0\x05I");
    let cache = kernel.connect(100, 6379);
    kernel.send(100, cache, b"*1\r\n$4\r\nPING\r\n");
    kernel.receive(100, cache, b"+PONG\r\n");
    for worker in 0..40 {
        let pid = 5000 + worker * 11;
        kernel.fork_threaded(100, pid, 1 + worker % 3, 0);
        let own = kernel.connect(pid, 8000 + worker as u16);
        for _ in 0..=worker % 4 {
            kernel.send(pid, own, &vec![b'x'; 300 << (worker % 12)]);
            kernel.receive(pid, own, b"HTTP/1.1 200 OK\r\n\r\n");
        }
        kernel.wait(50_000_000);
        match worker % 8 {
            0 => kernel.close(pid, own),
            3 => kernel.transfer(pid, calls::RECVFROM, own, b"", -i64::from(ECONNRESET)),
            5 => kernel.exit(pid),
            7 => kernel.die(pid, 11),
            _ => {}
        }
    }
    for pid in [5000, 5022, 100] {
        kernel.send(pid, database, b"Q\0\0\0\x0dSELECT 1\0");
        kernel.receive(pid, database, b"Z\0\0\0\x05I");
    }
    stage
}
