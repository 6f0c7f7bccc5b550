//! The events of a service: processes with so many connections each, half of them gRPC, half Redis.
//! Bodies, times and sequence numbers are random, so that nothing compresses which does not in life.
//! Headers of gRPC are as clients and servers of it write them: the first ones in words, from then on by
//! their places in HPACK's table.

use forkscope::event::{Event, ProcKey, Snapshot, What};
use forkscope_proto::{self as proto, FileKind, FileRef, Header, Kind, calls};

/// Bytes that are taken of a transfer.
pub(super) const CAPTURE: usize = 256;

/// The header blocks of a call (RFC 7541): the first on a connection, and each later one. `:method`,
/// `:scheme`, `:path`, `:authority`, `te`, `content-type`, `user-agent`, `grpc-accept-encoding`.
const ASK: [&[u8]; 2] = [
    b"\x83\x86\x44\x19/shop.Orders/PlaceAnOrder\x41\x0flocalhost:50051\x40\x02te\x08trailers\x5f\x10application/grpc\
      \x7a\x17grpc-c++/1.74.0 (linux)\x40\x14grpc-accept-encoding\x17identity, deflate, gzip",
    b"\x83\x86\xc3\xc2\xc1\xc0\xbf\xbe",
];
/// Likewise of an answer: `:status`, `content-type`, `grpc-accept-encoding`.
const ANSWER: [&[u8]; 2] =
    [b"\x88\x5f\x10application/grpc\x40\x14grpc-accept-encoding\x17identity, deflate, gzip", b"\x88\xc0\xbf"];
/// Likewise of its end: `grpc-status`.
const END: [&[u8]; 2] = [b"\x40\x0bgrpc-status\x010", b"\xbe"];

/// One connection.
#[derive(Clone, Copy)]
struct Connection {
    pid: u32,
    fd: i32,
    file: FileRef,
    port: u16,
    grpc: bool,
    stream: u32,
    seq: [u32; 2],
}

/// What hands on an event.
type Each<'a> = &'a mut dyn FnMut(&Event<'_>);

/// The service.
pub(super) struct Traffic {
    processes: usize,
    connections: Vec<Connection>,
    time: u64,
    random: u64,
    serial: u64,
    begun: bool,
    payload: Vec<u8>,
}

impl Traffic {
    /// So many processes with so many connections each.
    pub(super) fn new(processes: usize, each: usize) -> Self {
        let mut traffic = Self {
            processes,
            connections: Vec::new(),
            time: 1,
            random: 0x9e37_79b9_7f4a_7c15,
            serial: 0,
            begun: false,
            payload: Vec::new(),
        };
        for at in 0..processes * each {
            let connection = traffic.fresh(1000 + (at / each) as u32, 5 + (at % each) as i32, at % 2 == 0);
            traffic.connections.push(connection);
        }
        traffic
    }

    /// xorshift64 (Marsaglia, "Xorshift RNGs", 2003).
    fn random(&mut self, below: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % below
    }

    fn fresh(&mut self, pid: u32, fd: i32, grpc: bool) -> Connection {
        self.serial += 1;
        let address = 0xffff_8880_0000_0000 + self.random(1 << 28) * 256;
        let (inode, kind) = (4_000_000 + self.serial * 3, FileKind::Socket as u8);
        let file = FileRef { file: address, inode, kind, ..FileRef::NONE };
        let seq = [self.random(1 << 32) as u32, self.random(1 << 32) as u32];
        let port = 30_000 + (self.serial % 20_000) as u16;
        Connection { pid, fd, file, port, grpc, stream: 1, seq }
    }

    fn header(&mut self, pid: u32, kind: Kind, nr: u16) -> Header {
        self.time += 1000 + self.random(60_000);
        let (time, start, payload) = (self.time, u64::from(pid) * 7, self.payload.len() as u32);
        Header { time, start, tgid: pid, tid: pid, kind: kind as u16, nr, payload }
    }

    /// A few events that belong together.
    pub(super) fn step(&mut self, each: Each<'_>) {
        if !self.begun {
            self.begun = true;
            return self.begin(each);
        }
        let at = self.random(self.connections.len() as u64) as usize;
        match self.random(2000) {
            0 => self.fork(self.connections[at].pid, each),
            1..10 => self.reconnect(at, each),
            _ => self.exchange(at, each),
        }
    }

    fn begin(&mut self, each: Each<'_>) {
        for pid in 0..self.processes as u32 {
            let process = ProcKey { tgid: 1000 + pid, start: u64::from(1000 + pid) * 7 };
            let seen = Snapshot { threads: 1, whole: true, started_here: true, ..Snapshot::default() };
            each(&Event { time: self.time, process, tid: process.tgid, what: What::Snapshot(&seen) });
        }
        for at in 0..self.connections.len() {
            self.open(at, each);
        }
        (0..self.processes as u32).for_each(|pid| self.fork(1000 + pid, each));
    }

    fn open(&mut self, at: usize, each: Each<'_>) {
        let Connection { pid, fd, file, port, grpc, .. } = self.connections[at];
        let mut socket =
            proto::Socket { file, family: 2, kind: 1, protocol: 6, state: 1, ..Default::default() };
        (socket.local_port, socket.remote_port) = (port, if grpc { 50_051 } else { 6379 });
        [socket.local[0], socket.remote[0]] = [127; 2];
        self.socket_event(pid, socket, each);
        self.call(pid, calls::SOCKET, each, |call| (call.ret, call.fd, call.file) = (fd.into(), fd, file));
        self.call(pid, calls::CONNECT, each, |call| (call.fd, call.file) = (fd, file));
        if grpc {
            self.payload = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_vec();
            self.io(at, calls::SENDMSG, 33, each);
        }
    }

    fn socket_event(&mut self, pid: u32, mut socket: proto::Socket, each: Each<'_>) {
        socket.header = self.header(pid, Kind::Socket, 0);
        self.hand_on(&socket.header, What::Socket(&socket, &[]), each);
    }

    fn call(&mut self, pid: u32, nr: u16, each: Each<'_>, change: impl FnOnce(&mut proto::Call)) {
        self.payload.clear();
        let header = self.header(pid, Kind::Call, nr);
        let other_end = header.time - 900;
        let mut call = proto::Call { header, other_end, fd: -1, other_fd: -1, ..Default::default() };
        change(&mut call);
        call.args[0] = call.fd as u64;
        self.hand_on(&header, What::Call(&call, &[]), each);
    }

    fn hand_on(&self, header: &Header, what: What<'_>, each: Each<'_>) {
        let process = ProcKey { tgid: header.tgid, start: header.start };
        each(&Event { time: header.time, process, tid: header.tid, what });
    }

    /// A transfer of so many bytes, of which the payload was taken.
    fn io(&mut self, at: usize, nr: u16, bytes: i64, each: Each<'_>) {
        let Connection { pid, fd, file, ref mut seq, .. } = self.connections[at];
        let seq = &mut seq[usize::from(nr == calls::RECVMSG)];
        *seq = seq.wrapping_add(bytes.max(0) as u32);
        let seq = *seq;
        let header = self.header(pid, Kind::Io, nr);
        let payload = std::mem::take(&mut self.payload);
        let io = proto::Io { header, file, ret: bytes, len: 1, fd, flags: 0x4000, seq, reserved: 0 };
        self.hand_on(&header, What::Io(&io, &payload), each);
        self.payload = payload;
    }

    /// Adds a message of a head and a random body; the whole length.
    fn message(&mut self, head: &[u8], body: usize) -> i64 {
        self.payload.extend_from_slice(head);
        for _ in 0..body {
            let byte = self.random(256) as u8;
            self.payload.push(byte);
        }
        (head.len() + body) as i64
    }

    /// Adds a frame of HEADERS with this block; its length.
    fn block(&mut self, frame: impl Fn(usize, u8, u8) -> [u8; 9], flags: u8, block: &[u8]) -> i64 {
        self.message(&frame(block.len(), 1, flags), 0) + self.message(block, 0)
    }

    /// Adds a frame of DATA with so many bytes: one message of gRPC.
    fn grpc(&mut self, frame: &[u8; 9], length: usize) -> i64 {
        let [a, b, c, d] = (length as u32 - 5).to_be_bytes();
        self.message(frame, 0) + self.message(&[0, a, b, c, d], length - 5)
    }

    /// A request and its answer, with the waiting between them.
    fn exchange(&mut self, at: usize, each: Each<'_>) {
        let Connection { pid, grpc, stream, .. } = self.connections[at];
        let (asked, answered) = (20 + self.random(200) as usize, 20 + self.random(300) as usize);
        self.payload.clear();
        let later = usize::from(stream > 1);
        let frame = |length: usize, kind: u8, flags: u8| {
            let ([_, a, b, c], [d, e, f, g]) = ((length as u32).to_be_bytes(), stream.to_be_bytes());
            [a, b, c, kind, flags, d, e, f, g]
        };
        let sent = if grpc {
            self.block(frame, 4, ASK[later]) + self.grpc(&frame(asked, 0, 1), asked)
        } else {
            let head = format!("*3\r\n$3\r\nSET\r\n$8\r\n{stream:08}\r\n${asked}\r\n");
            self.message(head.as_bytes(), asked) + self.message(b"\r\n", 0)
        };
        self.payload.truncate(CAPTURE);
        self.io(at, calls::SENDMSG, sent, each);
        self.payload.clear();
        self.io(at, calls::RECVMSG, -11, each);
        self.call(pid, calls::EPOLL_WAIT, each, |call| (call.ret, call.fd) = (1, 4));
        self.payload.clear();
        let received = if grpc {
            self.block(frame, 4, ANSWER[later])
                + self.grpc(&frame(answered, 0, 0), answered)
                + self.block(frame, 5, END[later])
        } else {
            self.message(format!("${answered}\r\n").as_bytes(), answered) + self.message(b"\r\n", 0)
        };
        self.payload.truncate(CAPTURE);
        self.io(at, calls::RECVMSG, received, each);
        self.connections[at].stream = stream + 2;
    }

    fn reconnect(&mut self, at: usize, each: Each<'_>) {
        let Connection { pid, fd, file, grpc, .. } = self.connections[at];
        self.call(pid, calls::CLOSE, each, |call| (call.fd, call.file) = (fd, file));
        self.connections[at] = self.fresh(pid, fd, grpc);
        self.open(at, each);
    }

    /// A child that does nothing.
    fn fork(&mut self, pid: u32, each: Each<'_>) {
        self.payload.clear();
        self.serial += 1;
        let (child, start) = (1_000_000 + (self.serial % 50_000) as u32, self.serial);
        let header = self.header(pid, Kind::Fork, 0);
        let fork = proto::Fork {
            header,
            child_start: start,
            child_tgid: child,
            child_tid: child,
            ..Default::default()
        };
        self.hand_on(&header, What::Fork(&fork), each);
        let header = Header { start, ..self.header(child, Kind::Exit, 0) };
        self.hand_on(&header, What::Exit(&proto::Exit { header, status: 0, last: 1 }), each);
    }
}
