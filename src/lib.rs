//! Says, before a Systems Manager patch policy is rolled out, which EC2 instances it will really patch.
//!
//! Data flows one way: `aws` looks and fills a [`snapshot`]; everything else is a pure function of it.

pub mod assess;
#[cfg(feature = "aws")]
pub mod aws;
pub mod cli;
pub mod exit;
pub mod facts;
pub mod identity;
pub mod model;
pub mod network;
pub mod permissions;
pub mod plan;
pub mod platform;
pub mod policy;
pub mod policy_language;
pub mod report;
pub mod rules;
pub mod scan;
pub mod scope;
pub mod snapshot;
