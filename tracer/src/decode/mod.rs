//! From bytes to events: checked, put in order of time across CPUs.

mod batch;
mod record;

pub use batch::Batch;
pub use record::{Refused, decode, decode_stack};
