//! Numbers on the wire that have names.

/// An error code by name (RFC 9113, 7).
#[must_use]
pub fn error_name(code: u32) -> Option<&'static str> {
    Some(match code {
        0x0 => "NO_ERROR",
        0x1 => "PROTOCOL_ERROR",
        0x2 => "INTERNAL_ERROR",
        0x3 => "FLOW_CONTROL_ERROR",
        0x4 => "SETTINGS_TIMEOUT",
        0x5 => "STREAM_CLOSED",
        0x6 => "FRAME_SIZE_ERROR",
        0x7 => "REFUSED_STREAM",
        0x8 => "CANCEL",
        0x9 => "COMPRESSION_ERROR",
        0xa => "CONNECT_ERROR",
        0xb => "ENHANCE_YOUR_CALM",
        0xc => "INADEQUATE_SECURITY",
        0xd => "HTTP_1_1_REQUIRED",
        _ => return None,
    })
}

/// A status of gRPC by name (grpc.github.io, statuscodes).
#[must_use]
pub fn grpc_status_name(code: u16) -> Option<&'static str> {
    Some(match code {
        0 => "OK",
        1 => "CANCELLED",
        2 => "UNKNOWN",
        3 => "INVALID_ARGUMENT",
        4 => "DEADLINE_EXCEEDED",
        5 => "NOT_FOUND",
        6 => "ALREADY_EXISTS",
        7 => "PERMISSION_DENIED",
        8 => "RESOURCE_EXHAUSTED",
        9 => "FAILED_PRECONDITION",
        10 => "ABORTED",
        11 => "OUT_OF_RANGE",
        12 => "UNIMPLEMENTED",
        13 => "INTERNAL",
        14 => "UNAVAILABLE",
        15 => "DATA_LOSS",
        16 => "UNAUTHENTICATED",
        _ => return None,
    })
}

/// The parameters of SETTINGS that are read: their numbers and names (RFC 9113, 6.5.2; RFC
/// 8441, 3; RFC 9218, 2.1).
pub(super) const SETTINGS: [(u16, &str); 8] = [
    (0x1, "HEADER_TABLE_SIZE"),
    (0x2, "ENABLE_PUSH"),
    (0x3, "MAX_CONCURRENT_STREAMS"),
    (0x4, "INITIAL_WINDOW_SIZE"),
    (0x5, "MAX_FRAME_SIZE"),
    (0x6, "MAX_HEADER_LIST_SIZE"),
    (0x8, "ENABLE_CONNECT_PROTOCOL"),
    (0x9, "NO_RFC7540_PRIORITIES"),
];
