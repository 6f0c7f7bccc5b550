//! The one call of the demo, `/demo.Greeter/SayHello`, as both ends send it: gRPC over HTTP/2
//! (<https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>).

use super::frames::{Frame, flag, kind};
use super::hpack::{self, Field};
use std::io;

/// The request: HEADERS, and DATA that ends the stream.
pub(super) fn request(stream: u32, authority: &str) -> Vec<u8> {
    let fields = [
        Field::Indexed(3),                         // :method: POST
        Field::Indexed(6),                         // :scheme: http
        Field::Named(4, "/demo.Greeter/SayHello"), // :path
        Field::Named(1, authority),                // :authority
        Field::Literal("te", "trailers"),
        Field::Named(31, "application/grpc"), // content-type
    ];
    [
        Frame { kind: kind::HEADERS, flags: flag::END_HEADERS, stream, payload: hpack::encode(&fields) },
        Frame { kind: kind::DATA, flags: flag::END_STREAM, stream, payload: message("world") },
    ]
    .iter()
    .flat_map(Frame::bytes)
    .collect()
}

/// The answer: HEADERS, DATA, and trailers that end the stream.
pub(super) fn answer(stream: u32) -> Vec<u8> {
    let fields = [
        Field::Indexed(8),                    // :status: 200
        Field::Named(31, "application/grpc"), // content-type
    ];
    let last = flag::END_HEADERS | flag::END_STREAM;
    [
        Frame { kind: kind::HEADERS, flags: flag::END_HEADERS, stream, payload: hpack::encode(&fields) },
        Frame { kind: kind::DATA, flags: 0, stream, payload: message("Hello, world") },
        Frame { kind: kind::HEADERS, flags: last, stream, payload: trailers() },
    ]
    .iter()
    .flat_map(Frame::bytes)
    .collect()
}

/// What the trailers say of the call. Both ends are the demo's own, so the bytes of a success are known.
pub(super) fn outcome(payload: &[u8]) -> io::Result<()> {
    if payload == trailers() {
        return Ok(());
    }
    Err(io::Error::new(io::ErrorKind::InvalidData, "the answer's trailers do not say grpc-status 0"))
}

fn trailers() -> Vec<u8> {
    hpack::encode(&[Field::Literal("grpc-status", "0")])
}

/// A message: not compressed (1 byte), its length (4), and in protobuf the string that is field 1.
fn message(text: &str) -> Vec<u8> {
    /// Field 1, of the wire type that has a length.
    const FIELD: u8 = 1 << 3 | 2;
    // Both texts here are far below 128 bytes, so that one byte holds the length.
    let length = u8::try_from(text.len()).unwrap_or(u8::MAX);
    [&[0, 0, 0, 0, length + 2, FIELD, length], text.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(mut bytes: Vec<u8>) -> Vec<Frame> {
        std::iter::from_fn(|| Frame::take(&mut bytes).unwrap()).collect()
    }

    #[test]
    fn the_request() {
        let [headers, data] = &frames(request(1, "127.0.0.1:80"))[..] else { panic!("two frames") };
        assert_eq!((headers.kind, headers.flags, headers.stream), (1, 4, 1));
        let block = b"\x83\x86\x04\x16/demo.Greeter/SayHello\x01\x0c127.0.0.1:80\0\x02te\x08trailers\x0f\x10\x10application/grpc";
        assert_eq!(headers.payload, block);
        assert_eq!((data.kind, data.flags, data.stream), (0, 1, 1));
        assert_eq!(data.payload, b"\0\0\0\0\x07\x0a\x05world");
    }

    #[test]
    fn the_answer() {
        let [headers, data, trailers] = &frames(answer(3))[..] else { panic!("three frames") };
        assert_eq!((headers.kind, headers.flags, headers.stream), (1, 4, 3));
        assert_eq!(headers.payload, b"\x88\x0f\x10\x10application/grpc");
        assert_eq!((data.kind, data.flags, data.payload.len()), (0, 0, 19));
        assert_eq!((trailers.kind, trailers.flags), (1, 5));
        assert_eq!(trailers.payload, b"\0\x0bgrpc-status\x010");
        assert!(outcome(&trailers.payload).is_ok());
        assert!(outcome(&headers.payload).is_err());
    }
}
