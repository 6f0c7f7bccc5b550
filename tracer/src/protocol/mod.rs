//! What the bytes of a connection say, read passively from the first bytes of each transfer.
