//! What /proc shows.
