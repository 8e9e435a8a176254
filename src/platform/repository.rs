//! From which hosts an operating system's package manager takes patches, as long as nobody configured anything else.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU16;

use serde::Deserialize;

use super::support::{listed, unknown_system, version};
use super::tables::{Edition, Evidence};
use super::version::{Version, Versions};
use super::{Answer, Observed, Platform, Tables};

/// Where the patches of an instance come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Repositories {
    /// Exactly one of these is true; which one is not known when there are several.
    Known(Vec<Alternative>),
    /// The operating system is not known, or its repositories are not.
    Unknown { why: String, settled_by: String },
    /// The operating system takes no patches by packages.
    NotPatchedByPackages { why: String },
}

/// One of the ways in which an instance may get its patches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alternative {
    /// What tells it from its neighbours.
    pub when: Option<String>,
    /// How a person finds out whether it is this one.
    pub settled_by: Option<String>,
    /// All are needed.
    pub hosts: Vec<Repository>,
}

/// A host that patches come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    /// A DNS name, which `*.` may precede; only words unless `found_by` is [`FoundBy::Dns`].
    pub host: String,
    pub found_by: FoundBy,
    pub ports: Vec<Port>,
    pub served_by: ServedBy,
    /// Whether the name has AAAA records, where that is known.
    pub has_ipv6: Option<bool>,
    /// What else a person should know.
    pub note: Option<String>,
    pub evidence: Evidence,
    /// URL.
    pub source: String,
}

/// A TCP port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Port {
    pub number: u16,
    pub needed: Needed,
}

/// Whether patches come without it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Needed {
    Always,
    /// What is on the node decides.
    Perhaps {
        because: String,
        settled_by: String,
    },
}

/// How the node learns a host's addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FoundBy {
    /// By the host's name.
    #[default]
    Dns,
    /// They stand on the node, so that no resolver and no hosted zone matters.
    Node,
    /// Another host's answer names them.
    List,
}

/// Whose addresses a host has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServedBy {
    /// The Region's S3: a gateway endpoint carries it.
    S3,
    /// The same by a name below `s3.dualstack.REGION`: a gateway endpoint carries what its A records name, and the private DNS of an IPv4
    /// interface endpoint for S3 does not take the name.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/privatelink-interface-endpoints.html>
    S3Dualstack,
    /// Public addresses that no AWS endpoint carries.
    Internet,
    Unknown,
}

/// From where the instance takes its patches in a Region, as long as nobody configured anything else on the node.
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-selecting-patches.html>
pub fn repositories(tables: &Tables, platform: &Platform, observed: &Observed<'_>, region: &str) -> Repositories {
    let (Some(id), Some(system)) = (platform.os.as_ref(), listed(tables, platform)) else {
        let why = unknown_system(platform).reason;
        return Repositories::Unknown {
            why,
            settled_by: "the agent's report of the operating system (DescribeInstanceInformation)".to_owned(),
        };
    };
    let Some(partition) = Partition::of(region) else {
        let why = format!("it is not known which partition of AWS the Region {region} belongs to");
        return Repositories::Unknown { why, settled_by: on_the_node() };
    };
    let table = &tables.repositories;
    let circumstances = Circumstances {
        name: &platform.name,
        version: version(system, platform),
        architecture: platform.architecture.as_deref(),
        billing: &table.billing,
        billed_as: table.billed_as(observed),
        partition,
    };
    let rows = table.repositories.get(id).map(Vec::as_slice).unwrap_or_default();
    let possible = rows.iter().filter_map(|row| Some((row, circumstances.doubts(&row.conditions)?))).collect::<Vec<_>>();
    let mut alternatives = Vec::new();
    let mut reason = None;
    for (row, doubts) in &possible {
        match &row.patches {
            Patches::Unknown(open) => return Repositories::Unknown { why: open.why.clone(), settled_by: open.settled_by.clone() },
            Patches::NotByPackages(why) => reason = Some(why.clone()),
            Patches::Hosts(hosts) => alternatives.push(Alternative {
                when: join(row.when.iter().chain(doubts.iter().map(|doubt| &doubt.when)), ", "),
                settled_by: join(row.settled_by.iter().chain(doubts.iter().map(|doubt| &doubt.settled_by)), "; "),
                hosts: hosts.iter().map(|host| host.fill(region, partition)).collect(),
            }),
        }
    }
    match reason {
        Some(why) if alternatives.is_empty() => Repositories::NotPatchedByPackages { why },
        None if !alternatives.is_empty() => Repositories::Known(alternatives),
        _ => Repositories::Unknown {
            why: format!("the repositories of {} are not in the table (as of {})", platform.label(), table.as_of.0),
            settled_by: on_the_node(),
        },
    }
}

/// How a system is updated that takes no packages, as a sentence without its full stop; `None` for one that does, or that is not known.
pub fn updated_as_image<'t>(tables: &'t Tables, platform: &Platform) -> Option<&'t str> {
    let mut rows = tables.repositories.repositories.get(platform.os.as_deref()?)?.iter();
    rows.find_map(|row| if let Patches::NotByPackages(why) = &row.patches { Some(why.as_str()) } else { None })
}

/// Whether every host that is needed is reached on every port that is needed, by what `reach` says of a host and a port. Alternatives that
/// agree decide; a port that is perhaps needed never blocks for sure.
pub fn all_reached(alternatives: &[Alternative], reach: impl Fn(&Repository, u16) -> Answer) -> Answer {
    let port_reached = |repository: &Repository, port: &Port| match (reach(repository, port.number), &port.needed) {
        (Answer::No, Needed::Perhaps { .. }) => Answer::Unknown,
        (answer, _) => answer,
    };
    let mut answers = alternatives.iter().map(|alternative| {
        let each = alternative.hosts.iter().flat_map(|repository| repository.ports.iter().map(move |port| (repository, port)));
        each.map(|(repository, port)| port_reached(repository, port)).fold(Answer::Yes, Answer::and)
    });
    let first = answers.next().unwrap_or(Answer::Unknown);
    if answers.all(|answer| answer == first) { first } else { Answer::Unknown }
}

fn on_the_node() -> String {
    "the configuration of the package manager, on the node".to_owned()
}

fn join<'a>(parts: impl Iterator<Item = &'a String>, separator: &str) -> Option<String> {
    let parts = parts.map(String::as_str).collect::<Vec<_>>();
    (!parts.is_empty()).then(|| parts.join(separator))
}

/// The parts of AWS whose names end differently. Of the isolated ones nothing is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Partition {
    Aws,
    AwsCn,
    AwsUsGov,
    AwsEusc,
}

impl Partition {
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html>, and the SDKs' `partitions.json`
    fn of(region: &str) -> Option<Self> {
        let begins = |with: &str| region.starts_with(with);
        if begins("cn-") {
            Some(Self::AwsCn)
        } else if begins("us-gov-") {
            Some(Self::AwsUsGov)
        } else if begins("eusc-") {
            Some(Self::AwsEusc)
        } else {
            (!region.contains("-iso")).then_some(Self::Aws)
        }
    }

    fn suffix(self) -> &'static str {
        match self {
            Self::Aws | Self::AwsUsGov => "amazonaws.com",
            Self::AwsCn => "amazonaws.com.cn",
            Self::AwsEusc => "amazonaws.eu",
        }
    }
}

/// `rules/data/repositories.yaml`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RepositoryTable {
    pub(super) as_of: Edition,
    pub(super) source: Vec<String>,
    billing: BTreeMap<String, Billing>,
    /// By the operating system's id.
    pub(super) repositories: BTreeMap<String, Vec<Row>>,
}

impl RepositoryTable {
    /// The id of who is paid for the operating system.
    fn billed_as(&self, observed: &Observed<'_>) -> Option<&str> {
        let by_operation = |operation| self.billing.iter().find(|(_, billing)| billing.usage_operations.contains(operation));
        if let Some((id, _)) = observed.usage_operation.and_then(by_operation) {
            return Some(id);
        }
        let details = observed.platform_details?;
        let known = self.billing.iter().flat_map(|(id, billing)| billing.platform_details.iter().map(move |beginning| (beginning, id)));
        let longest =
            known.filter(|(beginning, _)| details.starts_with(beginning.as_str())).max_by_key(|(beginning, _)| beginning.len())?;
        Some(longest.1)
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Billing {
    words: String,
    usage_operations: BTreeSet<String>,
    platform_details: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "WrittenRow")]
pub(super) struct Row {
    conditions: Conditions,
    when: Option<String>,
    settled_by: Option<String>,
    patches: Patches,
}

#[derive(Debug, Clone)]
enum Patches {
    Hosts(Vec<WrittenHost>),
    Unknown(Open),
    NotByPackages(String),
}

/// A row as it stands in the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenRow {
    #[serde(default, rename = "if")]
    conditions: Conditions,
    when: Option<String>,
    settled_by: Option<String>,
    hosts: Option<Vec<WrittenHost>>,
    unknown: Option<Open>,
    not_by_packages: Option<String>,
}

impl TryFrom<WrittenRow> for Row {
    type Error = &'static str;

    fn try_from(row: WrittenRow) -> Result<Self, Self::Error> {
        let patches = match (row.hosts, row.unknown, row.not_by_packages) {
            (Some(hosts), None, None) => Patches::Hosts(hosts),
            (None, Some(open), None) => Patches::Unknown(open),
            (None, None, Some(why)) => Patches::NotByPackages(why),
            _ => return Err("a row has one of hosts, unknown and not_by_packages"),
        };
        Ok(Self { conditions: row.conditions, when: row.when, settled_by: row.settled_by, patches })
    }
}

/// What must hold for a row. What is not written holds always.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Conditions {
    versions: Option<Versions>,
    architectures: Option<Vec<String>>,
    billed_as: Option<Vec<String>>,
    partitions: Option<BTreeSet<Partition>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Open {
    why: String,
    settled_by: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenHost {
    host: String,
    #[serde(default)]
    found_by: FoundBy,
    ports: Vec<WrittenPort>,
    served_by: ServedBy,
    has_ipv6: Option<bool>,
    note: Option<String>,
    evidence: Evidence,
    source: String,
}

impl WrittenHost {
    fn fill(&self, region: &str, partition: Partition) -> Repository {
        let port = |port: &WrittenPort| Port {
            number: port.port.get(),
            needed: match &port.perhaps {
                None => Needed::Always,
                Some(perhaps) => Needed::Perhaps { because: perhaps.because.clone(), settled_by: perhaps.settled_by.clone() },
            },
        };
        Repository {
            host: self.host.replace("{region}", region).replace("{suffix}", partition.suffix()),
            found_by: self.found_by,
            ports: self.ports.iter().map(port).collect(),
            served_by: self.served_by,
            has_ipv6: self.has_ipv6,
            note: self.note.clone(),
            evidence: self.evidence,
            source: self.source.clone(),
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenPort {
    port: NonZeroU16,
    perhaps: Option<Perhaps>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Perhaps {
    because: String,
    settled_by: String,
}

/// What the conditions of rows are held against.
struct Circumstances<'a> {
    name: &'a str,
    version: Option<Version>,
    architecture: Option<&'a str>,
    billing: &'a BTreeMap<String, Billing>,
    billed_as: Option<&'a str>,
    partition: Partition,
}

/// A condition of which it is not known whether it holds.
struct Doubt {
    when: String,
    settled_by: String,
}

impl Circumstances<'_> {
    /// The conditions that may hold and may not; `None` when one surely does not.
    fn doubts(&self, conditions: &Conditions) -> Option<Vec<Doubt>> {
        let mut doubts = Vec::new();
        let mut doubt = |when: String, settled_by: &str| doubts.push(Doubt { when, settled_by: settled_by.to_owned() });
        if conditions.partitions.as_ref().is_some_and(|partitions| !partitions.contains(&self.partition)) {
            return None;
        }
        if let Some(versions) = &conditions.versions {
            match versions.contains(self.version.as_ref()) {
                Answer::No => return None,
                Answer::Yes => {}
                Answer::Unknown => {
                    doubt(format!("it is {} {versions}", self.name), "the agent's report of the version (DescribeInstanceInformation)");
                }
            }
        }
        if let Some(architectures) = &conditions.architectures {
            match self.architecture {
                Some(architecture) if !architectures.iter().any(|known| known == architecture) => return None,
                Some(_) => {}
                None => doubt(format!("its architecture is {}", architectures.join(" or ")), "Architecture in DescribeInstances"),
            }
        }
        if let Some(billed_as) = &conditions.billed_as {
            match self.billed_as {
                Some(id) if !billed_as.iter().any(|known| known == id) => return None,
                Some(_) => {}
                None => {
                    let words = billed_as.iter().filter_map(|id| self.billing.get(id)).map(|billing| billing.words.as_str());
                    doubt(words.collect::<Vec<_>>().join(" or "), "UsageOperation in DescribeInstances");
                }
            }
        }
        Some(doubts)
    }
}

#[cfg(test)]
mod tests;
