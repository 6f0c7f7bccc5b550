//! How fast HTTP/2 is read: bytes of the stream a second, of which the first of each transfer are captured.
//!
//! `cargo bench -p forkscope --bench http2`

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use forkscope::protocol::{Chunk, Direction, User, Wire};
use std::hint::black_box;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

/// A frame's header.
fn frame(length: u32, kind: u8, flags: u8, stream: u32) -> Vec<u8> {
    [&length.to_be_bytes()[1..], &[kind, flags], &stream.to_be_bytes()].concat()
}

/// The first call of gRPC on a connection, which puts its fields into the table, and what later ones are.
fn calls() -> (Vec<u8>, Vec<u8>) {
    let first = b"\x83\x44\x1b/helloworld.Greeter/SayHello\x5f\x10application/grpc\x40\x02te\x08trailers";
    let again = b"\x83\xc0\xbf\xbe";
    let data = [&frame(27, 0, 1, 1)[..], b"\0\0\0\0\x16", &[b'x'; 22]].concat();
    let of = |block: &[u8]| [&frame(block.len() as u32, 1, 4, 1)[..], block, &data].concat();
    (of(first), of(again))
}

/// What is read again and again: one transfer's captured bytes, and its length. `stream`: where in it the
/// numbers of streams stand, which go up from transfer to transfer.
struct Load {
    name: &'static str,
    before: Vec<u8>,
    data: Vec<u8>,
    len: u64,
    streams: Vec<usize>,
}

fn loads() -> [Load; 3] {
    let (first, again) = calls();
    let large = frame(16384, 0, 0, 1);
    let small: Vec<u8> = (0..16).flat_map(|_| [frame(100, 0, 0, 1), vec![b'x'; 100]].concat()).collect();
    let second = again.len() - 36;
    [
        // One frame of the default size a transfer, of which 256 bytes were captured.
        Load {
            name: "bodies of 16 KiB",
            before: Vec::new(),
            data: [&large[..], &[b'x'; 247]].concat(),
            len: 16384 + 9,
            streams: vec![],
        },
        Load {
            name: "bodies of 100 bytes",
            before: Vec::new(),
            len: small.len() as u64,
            data: small,
            streams: vec![],
        },
        Load {
            name: "calls of 49 bytes",
            before: first,
            len: again.len() as u64,
            data: again,
            streams: vec![5, second + 5],
        },
    ]
}

fn read(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("HTTP/2");
    for load in loads() {
        group.throughput(Throughput::Bytes(load.len));
        group.bench_function(load.name, |bencher| {
            let (mut wire, mut data, mut stream) = (Wire::new(), load.data.clone(), 1u32);
            for bytes in [PREFACE, &load.before].into_iter().filter(|bytes| !bytes.is_empty()) {
                wire.feed(User(1), Direction::Sent, Chunk::new(bytes, bytes.len() as u64), &mut |_| ());
            }
            bencher.iter(|| {
                stream = (stream + 2) & (u32::MAX >> 1);
                for &at in &load.streams {
                    data[at..at + 4].copy_from_slice(&stream.to_be_bytes());
                }
                wire.feed(User(1), Direction::Sent, Chunk::new(&data, load.len), &mut |sign| {
                    black_box(sign);
                });
            });
        });
    }
    group.finish();
}

criterion_group!(benches, read);
criterion_main!(benches);
