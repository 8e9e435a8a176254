//! What could not be read, and why: an error is data.

use serde::{Deserialize, Serialize};

/// One call that gave no whole answer. Everything that the call could have told is unknown, never "none".
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Gap {
    pub account_id: String,
    /// Absent for calls that concern an account or the organization as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// `service:Operation` as IAM writes it: `ec2:DescribeVpcEndpoints`.
    pub operation: String,
    pub reason: GapReason,
    /// What AWS said, with secrets removed (see [`super::redact`]).
    pub message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

super::shape::by_name!(Gap);

/// What AWS does not offer in every Region and partition: where it is not offered, there is nothing to read.
const NOT_EVERYWHERE: &[&str] = &[
    "ec2:DescribeTransitGateway",
    "ec2:DescribeVpcBlockPublicAccess",
    "ec2:DescribeVpcEncryptionControls",
    "ec2:DescribeInstanceImageMetadata",
    "route53resolver:",
    "route53profiles:",
    "ssm-quicksetup:",
    "ssm:GetServiceSetting",
];

impl Gap {
    /// Whether something may be there that was not read.
    pub fn leaves_something_unread(&self) -> bool {
        self.reason != GapReason::Unsupported || !NOT_EVERYWHERE.iter().any(|operation| self.operation.starts_with(operation))
    }
}

/// Why a call gave no whole answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GapReason {
    /// The role's own policies do not allow the call.
    AccessDenied,
    /// A service control policy of the organization forbids it: the role cannot be given the permission.
    ScpDenied,
    /// The Region is not enabled in the account.
    RegionDisabled,
    /// The role of the account could not be assumed, so nothing of the account was seen.
    RoleNotAssumable,
    /// AWS kept throttling the call until the retries ran out.
    Throttled,
    /// No answer in time.
    Timeout,
    /// The service or the operation does not exist there.
    Unsupported,
    /// Anything else, a malformed answer among it.
    #[serde(other)]
    Error,
}

impl GapReason {
    /// The word used in reports and snapshots.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AccessDenied => "access_denied",
            Self::ScpDenied => "scp_denied",
            Self::RegionDisabled => "region_disabled",
            Self::RoleNotAssumable => "role_not_assumable",
            Self::Throttled => "throttled",
            Self::Timeout => "timeout",
            Self::Unsupported => "unsupported",
            Self::Error => "error",
        }
    }

    /// What the reader of a report can do about it.
    pub fn remedy(self) -> &'static str {
        match self {
            Self::AccessDenied => "add the action to the scanner's role (`patch-preflight permissions` prints the policy)",
            Self::ScpDenied => {
                "exempt the scanner's role from the service control policy that denies it, or leave the Region or account out of the scan"
            }
            Self::RegionDisabled => "enable the Region in the account, or leave it out with --region",
            Self::RoleNotAssumable => "check that the role exists in the account and trusts the caller (--role-name, --external-id)",
            Self::Throttled => "scan again at a quieter time",
            Self::Timeout => "check the network path to the AWS API and scan again",
            Self::Unsupported => "look elsewhere if the answer matters to you: the service is not offered there",
            Self::Error => "scan again; if it stays, report it with the message",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Gap, GapReason};

    #[test]
    fn only_what_is_not_offered_everywhere_may_be_missing() {
        let cases = [
            ("route53resolver:ListResolverRules", GapReason::Unsupported, false),
            ("route53profiles:ListProfileAssociations", GapReason::Unsupported, false),
            ("ssm-quicksetup:ListConfigurationManagers", GapReason::Unsupported, false),
            ("ec2:DescribeVpcEndpoints", GapReason::Unsupported, true),
            ("ssm:DescribeInstanceInformation", GapReason::Unsupported, true),
            ("route53resolver:ListResolverRules", GapReason::AccessDenied, true),
        ];
        for (operation, reason, expected) in cases {
            let gap = Gap {
                account_id: "111111111111".to_owned(),
                region: None,
                operation: operation.to_owned(),
                reason,
                message: String::new(),
                request_id: None,
            };
            assert_eq!(gap.leaves_something_unread(), expected, "{operation} {reason:?}");
        }
    }
}
