//! What the user vouches for and the snapshot does not hold.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

pub type Assumptions = BTreeSet<Assumption>;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Assumption {
    /// For snapshots without Route 53's zones, rules and Profiles.
    NoPrivateDnsOverrides,
    /// For lists of DNS Firewall that cannot be read.
    DnsFirewallPassesAwsNames,
    NoOrganizationPolicies,
    NoUnseenPatchPolicies,
    QuickSetupBucketPolicies,
    /// Of a gateway or attachment (`vgw-…`, `tgw-attach-…`).
    LeadsToInternet(String),
}

/// Those that have a name of their own, as it is written after `--assume`.
const NAMED: [(&str, Assumption); 5] = [
    ("no-private-dns-overrides", Assumption::NoPrivateDnsOverrides),
    ("dns-firewall-passes-aws-names", Assumption::DnsFirewallPassesAwsNames),
    ("no-organization-policies", Assumption::NoOrganizationPolicies),
    ("no-unseen-patch-policies", Assumption::NoUnseenPatchPolicies),
    ("quick-setup-bucket-policies", Assumption::QuickSetupBucketPolicies),
];

impl Assumption {
    /// What is assumed, as a fragment of a sentence.
    pub fn meaning(&self) -> String {
        match self {
            Self::NoPrivateDnsOverrides => {
                "no private hosted zone and no resolver rule that was not seen overrides a name of AWS's".to_owned()
            }
            Self::DnsFirewallPassesAwsNames => "no list of DNS Firewall that was not seen holds a name that patching needs".to_owned(),
            Self::NoOrganizationPolicies => {
                "no service control policy and no resource control policy takes away what patching needs".to_owned()
            }
            Self::NoUnseenPatchPolicies => "no patch policy exists beside those that were seen".to_owned(),
            Self::QuickSetupBucketPolicies => {
                "where the policy of a patch policy's bucket was not read, it is as Quick Setup writes it".to_owned()
            }
            Self::LeadsToInternet(id) => format!("{id} leads to the internet, and the answers come back by it"),
        }
    }

    /// Whether the user may vouch that it leads to the internet.
    pub fn may_name(id: &str) -> bool {
        !is_followed(id) && id.split_once('-').is_some_and(|(kind, rest)| !kind.is_empty() && !rest.is_empty())
    }
}

/// Whether the model follows traffic through it, so that there is nothing to vouch for.
fn is_followed(id: &str) -> bool {
    ["tgw-", "nat-", "igw-", "eigw-", "pcx-"].iter().any(|kind| id.starts_with(kind)) && !id.starts_with("tgw-attach-")
}

impl fmt::Display for Assumption {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LeadsToInternet(id) => write!(formatter, "{id}=internet"),
            named => NAMED.iter().filter(|(_, each)| each == named).try_for_each(|(name, _)| formatter.write_str(name)),
        }
    }
}

impl FromStr for Assumption {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some((_, named)) = NAMED.iter().find(|(name, _)| *name == text) {
            return Ok(named.clone());
        }
        match text.split_once('=') {
            Some((id, "internet")) if is_followed(id) => Err(format!(
                "the model follows {id} itself; name what lies at the edge of what AWS shows: a virtual private gateway, a VPN, an appliance's interface or endpoint"
            )),
            Some((id, "internet")) if Self::may_name(id) => Ok(Self::LeadsToInternet(id.to_owned())),
            _ => Err(format!(
                "write {}, or the id of a gateway or attachment and =internet, such as vgw-0a1b2c3d=internet",
                NAMED.map(|(name, _)| name).join(", ")
            )),
        }
    }
}
