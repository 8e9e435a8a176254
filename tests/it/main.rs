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
mod laws;
mod oracle;
mod policy_language;
mod process;
mod readme;
#[cfg(feature = "aws")]
mod simulated;
#[cfg(feature = "aws")]
mod snapshot_files;
mod topology;
mod truth_table;
