//! gRPC's cures.

use super::fix;
use crate::model::Facts;
use crate::report::Fix;

/// The three cures of gRPC, for the state that this program is in.
pub(super) fn grpc(facts: &Facts) -> Vec<Fix> {
    let version = facts.libraries.get("grpc").and_then(|(version, _)| version.as_deref());
    let which = version.map_or_else(|| "gRPC".to_owned(), |version| format!("grpcio {version}"));
    let close = fix(
        "close the channel before the fork: channel.close(), or `with grpc.insecure_channel(...) as channel:`",
        "channels to one target share a connection in the process: the child's \"own\" channel is the parent's connection",
    );
    let set = facts.environment.get("GRPC_ENABLE_FORK_SUPPORT").map(String::as_str);
    let env = match set {
        Some(value) if is_true(value) => fix(
            "GRPC_ENABLE_FORK_SUPPORT is set already: fork only while no call is running and no other thread uses gRPC",
            "its fork handlers give up when they cannot stop gRPC's own threads in time",
        ),
        Some(value) => fix(
            &format!("set GRPC_ENABLE_FORK_SUPPORT=1 in the parent's environment (it is {value:?} now)"),
            &format!(
                "{which} then shuts its connections and threads down before the fork, and starts afresh in the child"
            ),
        ),
        None => fix(
            "set GRPC_ENABLE_FORK_SUPPORT=1 in the parent's environment (it is not set now)",
            &format!(
                "{which} then shuts its connections and threads down before the fork, and starts afresh in the child"
            ),
        ),
    };
    let spawn = fix(
        "start the child with multiprocessing.get_context(\"spawn\") instead of fork",
        "a spawned child starts empty: it inherits no connection and no state of the library",
    );
    vec![close, env, spawn]
}

/// As gRPC reads its boolean settings.
fn is_true(value: &str) -> bool {
    matches!(value.to_ascii_lowercase().as_str(), "1" | "true" | "yes" | "y" | "t")
}
