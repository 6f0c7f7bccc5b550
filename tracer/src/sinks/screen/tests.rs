//! What keys come to, and what is shown then.

mod bounds;
mod keys;
mod mouse;
pub(crate) mod scenes;
pub(crate) mod stage;
