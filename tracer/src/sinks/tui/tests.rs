//! Whole screens, as they are drawn.

mod any;
mod drawn;
mod hostile;
mod snapshots;
