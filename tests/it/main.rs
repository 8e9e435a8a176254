//! The integration tests: one binary, a module a subject.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that meets the unexpected must stop"
)]

mod architecture;
mod astray;
#[cfg(feature = "aws")]
mod aws;
mod blockers;
mod cli;
mod demo;
mod dns_servers;
mod encryption;
mod endpoint_policies;
mod endpoints;
mod every_blocker;
mod exact;
mod explain;
mod fixes;
mod forwarders;
mod generated;
mod hub;
mod identity;
mod ipv6;
mod laws;
mod local;
mod missing_facts;
mod nat;
mod observation;
mod oracle;
mod peering;
mod policies;
mod policy_buckets;
mod policy_language;
mod process;
mod readme;
mod repositories;
mod resolver;
mod s3_names;
mod shared;
#[cfg(feature = "aws")]
mod simulated;
#[cfg(feature = "aws")]
mod snapshot_files;
mod topology;
mod truth_table;
mod verdicts;
mod vouched;
