//! A typed, indexed view of a snapshot.

pub mod known;
