//! Says, before a Systems Manager patch policy is rolled out, which EC2 instances it will really patch.
//!
//! Data flows one way: `aws` looks and fills a [`snapshot`]; everything else is a pure function of it.

pub mod facts;
pub mod model;
pub mod network;
pub mod snapshot;
