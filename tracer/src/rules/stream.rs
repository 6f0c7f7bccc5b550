//! HTTP/2 streams in words.

use crate::model::{Model, Socket};
use crate::protocol::{Direction, User, error_name};

/// What a process asked for on a stream, as a clause: ` for /package.Service/Method`. Empty
/// where that is not known.
pub(super) fn path_clause(socket: &Socket, stream: u32, user: User) -> String {
    let usage = socket.http2().and_then(|log| log.usage(stream, user));
    usage.and_then(|usage| usage.path.as_deref()).map_or_else(String::new, |path| format!(" for {path}"))
}

/// How a stream came to be opened twice, as a sentence.
pub(super) fn reused(model: &Model, socket: &Socket, stream: u32, first: User, again: User) -> String {
    let pid = |user: User| model.pid(user.into());
    let asks = path_clause(socket, stream, again);
    let before = match socket.http2().and_then(|log| log.usage(stream, first)) {
        Some(usage) if usage.opened => {
            format!("which {} had opened{}", pid(first), path_clause(socket, stream, first))
        }
        _ => format!("below one that {} had opened", pid(first)),
    };
    format!("{} opened HTTP/2 stream {stream}{asks}, {before}", pid(again))
}

/// `RST_STREAM`, with the error by which a process reset a stream where that is known.
pub(super) fn reset(socket: &Socket, stream: u32, user: User) -> String {
    let usage = socket.http2().and_then(|log| log.usage(stream, user));
    match usage.and_then(|usage| error_name(usage.reset_code(Direction::Sent)?)) {
        Some(error) => format!("RST_STREAM ({error})"),
        None => "RST_STREAM".to_owned(),
    }
}
