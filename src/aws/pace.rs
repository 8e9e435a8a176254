//! Politeness: how fast each operation may be asked, well below what AWS lets one account do, so that the customer's own automation
//! does not feel the scan. Slower still where AWS throttles nevertheless.
//!
//! Published limits: <https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html> (20 requests a second),
//! <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html>,
//! <https://docs.aws.amazon.com/general/latest/gr/ssm.html> (`ListAssociations` 4 a second),
//! <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DNSLimitations.html> (5 a second over all operations of an account).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::FinalizerInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::{HttpResponse, Metadata};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use tokio::sync::mpsc::UnboundedSender;

use super::Event;

/// The budgets of one account and Region, or of an account's global services.
#[derive(Debug, Clone)]
pub(super) struct Pace(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    start: Instant,
    budgets: Mutex<HashMap<&'static str, Budget>>,
    events: UnboundedSender<Event>,
}

impl Pace {
    pub(super) fn new(events: UnboundedSender<Event>) -> Self {
        Self(Arc::new(Inner { start: Instant::now(), budgets: Mutex::default(), events }))
    }

    /// Waits until it is the operation's turn. `operation` as IAM writes it.
    pub(super) async fn turn(&self, operation: &str) {
        let now = self.0.start.elapsed();
        let wait = self.budget(operation, |budget| budget.take(now));
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
    }

    pub(super) fn answered(&self, operation: &str) {
        self.budget(operation, Budget::answered);
    }

    fn budget<T>(&self, operation: &str, change: impl FnOnce(&mut Budget) -> T) -> T {
        let (bucket, rate) = limit(operation);
        // A poisoned lock holds at worst a rate that is a little off.
        let mut budgets = self.0.budgets.lock().unwrap_or_else(PoisonError::into_inner);
        change(budgets.entry(bucket).or_insert_with(|| Budget::new(rate)))
    }
}

/// The bucket that the operation draws on, and its rate a second.
fn limit(operation: &str) -> (&'static str, f64) {
    let (service, name) = operation.split_once(':').unwrap_or_default();
    let known = |table: &'static [&'static str]| table.iter().copied().find(|known| *known == name);
    match service {
        "ec2" => (ec2_bucket(operation), 5.0),
        // One bucket over all operations, because that is how AWS counts them.
        "route53" => ("route53", 2.0),
        "iam" => ("iam", 5.0),
        "organizations" => match known(&["DescribeOrganization", "ListRoots"]) {
            Some(bucket) => (bucket, 1.0),
            None if name == "ListAccounts" => ("ListAccounts", 2.0),
            None => ("tree", 2.0),
        },
        "ssm" if name == "ListAssociations" => ("ListAssociations", 1.0),
        "ssm" => (known(SSM).unwrap_or("ssm"), 2.0),
        _ => ("other", 2.0),
    }
}

/// The operations of Systems Manager that take many pages or many requests, each with a bucket of its own.
const SSM: &[&str] = &[
    "DescribeInstanceInformation",
    "DescribeInstancePatchStates",
    "GetConnectionStatus",
    "ListInventoryEntries",
    "DescribeMaintenanceWindowTasks",
    "DescribeMaintenanceWindowTargets",
    "GetDefaultPatchBaseline",
    "GetPatchBaseline",
];

/// Each EC2 operation has a bucket of its own: its name on the table of permissions.
fn ec2_bucket(operation: &str) -> &'static str {
    crate::permissions::ACTIONS.iter().map(|action| action.name).find(|name| *name == operation).unwrap_or("ec2")
}

/// The rate of one bucket: halved by each throttling, regained slowly with each answer.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Budget {
    /// Requests a second when all is well.
    ceiling: f64,
    rate: f64,
    /// When the next request may go, from the start of the scan.
    next: Duration,
}

/// One request in ten seconds is slow enough for any limit, and ends.
const SLOWEST: f64 = 0.1;

impl Budget {
    fn new(ceiling: f64) -> Self {
        Self { ceiling, rate: ceiling, next: Duration::ZERO }
    }

    /// Books the next request; how long to wait for it.
    fn take(&mut self, now: Duration) -> Duration {
        let at = self.next.max(now);
        self.next = at + Duration::from_secs_f64(1.0 / self.rate);
        at.saturating_sub(now)
    }

    fn throttled(&mut self) {
        self.rate = (self.rate / 2.0).max(SLOWEST);
    }

    fn answered(&mut self) {
        self.rate = (self.rate + self.ceiling / 20.0).min(self.ceiling);
    }
}

/// Sees each attempt of a call, the SDK's retries among them, and slows the operation down when AWS asks for it.
#[derive(Debug)]
pub(super) struct Watch {
    pace: Pace,
    /// As IAM writes it: `ec2`.
    service: &'static str,
}

impl Watch {
    pub(super) fn new(pace: &Pace, service: &'static str) -> Self {
        Self { pace: pace.clone(), service }
    }
}

#[dyn_dispatch_hint]
impl Intercept for Watch {
    fn name(&self) -> &'static str {
        "Watch"
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if context.response().is_some_and(is_throttled)
            && let Some(metadata) = bag.load::<Metadata>()
        {
            let operation = format!("{}:{}", self.service, metadata.name());
            self.pace.budget(&operation, Budget::throttled);
            // Nobody listening any more means that the scan is over.
            let _ = self.pace.0.events.send(Event::Throttled { operation });
        }
        Ok(())
    }
}

/// AWS says "too many requests" with status 400, 429 or 503, and the reason in the body.
fn is_throttled(response: &HttpResponse) -> bool {
    let status = response.status().as_u16();
    let says_so = |body: &[u8]| {
        let start = String::from_utf8_lossy(body.get(..2048).unwrap_or(body)).into_owned();
        ["Throttl", "RequestLimitExceeded", "TooManyRequests", "SlowDown", "Rate exceeded"].iter().any(|words| start.contains(words))
    };
    status == 429 || (matches!(status, 400 | 503) && response.body().bytes().is_some_and(says_so))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
    use aws_smithy_runtime_api::http::StatusCode;
    use aws_smithy_types::body::SdkBody;

    use super::{Budget, SLOWEST, is_throttled, limit};

    #[test]
    fn requests_are_spread_evenly() {
        let mut budget = Budget::new(5.0);
        let second = Duration::from_secs(1);
        assert_eq!(budget.take(Duration::ZERO), Duration::ZERO);
        assert_eq!(budget.take(Duration::ZERO), second / 5);
        assert_eq!(budget.take(Duration::ZERO), second * 2 / 5);
        assert_eq!(budget.take(second * 10), Duration::ZERO, "a pause saves nothing up");
        assert_eq!(budget.take(second * 10), second / 5);
    }

    #[test]
    fn throttling_halves_and_answers_regain() {
        let mut budget = Budget::new(4.0);
        budget.throttled();
        assert!((budget.rate - 2.0).abs() < 1e-9);
        budget.answered();
        assert!((budget.rate - 2.2).abs() < 1e-9);
        (0..20).for_each(|_| budget.answered());
        assert!((budget.rate - 4.0).abs() < 1e-9);
        (0..20).for_each(|_| budget.throttled());
        assert!((budget.rate - SLOWEST).abs() < 1e-9);
    }

    #[test]
    fn buckets_follow_awss_own() {
        assert_eq!(limit("organizations:ListAccountsForParent"), limit("organizations:ListOrganizationalUnitsForParent"));
        assert_eq!(limit("route53:ListHostedZonesByVPC"), limit("route53:ListResourceRecordSets"));
        assert_eq!(limit("route53:ListHostedZonesByVPC"), limit("route53:GetHostedZone"));
        assert_ne!(limit("ec2:DescribeVpcs").0, limit("ec2:DescribeSubnets").0);
        assert!((limit("ssm:ListAssociations").1 - 1.0).abs() < 1e-9);
        assert!((limit("organizations:ListRoots").1 - 1.0).abs() < 1e-9);
    }

    #[test]
    fn throttling_is_told_from_other_errors() {
        let cases = [
            (503, "<Errors><Error><Code>RequestLimitExceeded</Code>", true),
            (503, "<Code>Unavailable</Code>", false),
            (400, r#"{"__type":"ThrottlingException","message":"Rate exceeded"}"#, true),
            (400, r#"{"__type":"ValidationException"}"#, false),
            (429, "", true),
            (200, "Throttling", false),
        ];
        for (status, body, expected) in cases {
            let response = HttpResponse::new(StatusCode::try_from(status).unwrap(), SdkBody::from(body));
            assert_eq!(is_throttled(&response), expected, "{status} {body}");
        }
    }
}
