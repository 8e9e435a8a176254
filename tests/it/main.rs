//! The integration tests: one binary, a module a subject.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that meets the unexpected must stop"
)]

mod architecture;
#[cfg(feature = "aws")]
mod aws;
mod cli;
mod demo;
mod generated;
mod hub;
mod ipv6;
mod laws;
mod observation;
mod oracle;
mod policies;
mod policy_language;
mod process;
mod readme;
mod repositories;
mod shared;
#[cfg(feature = "aws")]
mod simulated;
#[cfg(feature = "aws")]
mod snapshot_files;
mod topology;
mod truth_table;
