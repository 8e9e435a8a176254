//! The integration tests: one binary, a module a subject.

mod architecture;
#[cfg(feature = "aws")]
mod aws;
mod cli;
mod demo;
mod generated;
mod laws;
mod process;
mod readme;
mod topology;
mod truth_table;
