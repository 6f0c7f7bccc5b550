//! A recording played: fed to an analysis as the session was, in slices, at any pace, to any moment and back.
//!
//! ```text
//!   Pace: when, how fast --Until--> Player: Input -> Reader -> Analysis --Seen--> who shows it
//! ```
//!
//! What was fed is always a beginning of the recording, and the same beginning gives the same analysis,
//! however it was reached: there is no other state.

mod input;
mod pace;
mod pass;
mod player;
#[cfg(test)]
mod tests;
mod until;

pub use input::Input;
pub use pace::{Pace, Speed};
pub use pass::{Seen, Setup};
pub use player::Player;
pub use until::{NoWayBack, Stop, Until, Way};
