//! AWS's published rates, as token buckets per account, Region and action.
//!
//! EC2: <https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html>; Systems Manager:
//! <https://docs.aws.amazon.com/general/latest/gr/ssm.html>; Organizations:
//! <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html>; Route 53:
//! <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DNSLimitations.html>. What is not published (IAM, STS, Quick Setup) has
//! a cautious guess.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

#[derive(Debug, Clone, Copy)]
struct Bucket {
    tokens: f64,
    at: Instant,
}

/// What is left of each budget.
#[derive(Debug, Default)]
pub(crate) struct Buckets(Mutex<HashMap<String, Bucket>>);

impl Buckets {
    /// Takes one request off; whether there was one left.
    pub(crate) fn take(&self, account: &str, region: &str, operation: &str, is_paged: bool, now: Instant) -> bool {
        let (name, size, refill) = limit(operation, is_paged);
        let place = if is_global(operation) { "" } else { region };
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = buckets.entry(format!("{account}/{place}/{name}")).or_insert(Bucket { tokens: size, at: now });
        let gained = now.saturating_duration_since(bucket.at).as_secs_f64() * refill;
        bucket.tokens = (bucket.tokens + gained).min(size);
        bucket.at = now;
        let is_left = bucket.tokens >= 1.0;
        if is_left {
            bucket.tokens -= 1.0;
        }
        is_left
    }
}

fn is_global(operation: &str) -> bool {
    ["iam:", "route53:", "organizations:", "sts:"].iter().any(|service| operation.starts_with(service))
}

/// The bucket's name, how much it holds, and how much of it comes back in a second.
fn limit(operation: &str, is_paged: bool) -> (&str, f64, f64) {
    // Lists that are asked for whole draw on a smaller bucket.
    const UNFILTERED: [&str; 4] =
        ["ec2:DescribeInstances", "ec2:DescribeInstanceStatus", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSecurityGroups"];
    match operation {
        "ssm:ListAssociations" => (operation, 4.0, 4.0),
        "organizations:ListAccounts" => (operation, 15.0, 8.0),
        "organizations:DescribeOrganization" | "organizations:ListRoots" => (operation, 2.0, 1.0),
        _ if operation.starts_with("organizations:") => ("tree", 15.0, 8.0),
        _ if operation.starts_with("route53:") => ("route53", 5.0, 5.0),
        _ if operation.starts_with("ssm:") => (operation, 10.0, 10.0),
        _ if operation.starts_with("iam:") => ("iam", 30.0, 15.0),
        _ if operation.starts_with("ec2:") && !is_paged && UNFILTERED.contains(&operation) => (operation, 50.0, 10.0),
        _ if operation.starts_with("ec2:") => (operation, 100.0, 20.0),
        _ if operation.starts_with("route53resolver:") || operation.starts_with("route53profiles:") => (operation, 5.0, 5.0),
        _ => (operation, 20.0, 10.0),
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::Buckets;

    #[test]
    fn a_bucket_empties_and_fills_again() {
        let (buckets, now) = (Buckets::default(), Instant::now());
        let take =
            |account: &str, after: u64| buckets.take(account, "eu-west-1", "ssm:ListAssociations", true, now + Duration::from_secs(after));
        assert_eq!((0..6).map(|_| take("1", 0)).collect::<Vec<_>>(), [true, true, true, true, false, false]);
        assert!(take("2", 0), "each account has its own");
        assert!(take("1", 1));
    }
}
