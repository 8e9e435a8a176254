//! Patch baselines: after how many days they approve, and whether they exist where a policy looks for them.

use std::fmt;

use super::{Approvals, Baseline, Baselines, Landscape, Policy};
use crate::model::known::{Known, Unknown};
use crate::model::{Estate, Region};

/// How long a released patch waits for its approval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delay {
    Days(u16),
    /// It depends on the patch: from these days to those.
    Between(u16, u16),
    /// Patches are approved that are released up to a fixed date.
    UntilDate,
    /// No patch is ever approved.
    Never,
    Unknown,
}

/// Systems for which patch baselines have no delay, because their repositories tell no reliable dates of release.
/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PatchRule.html>
pub(super) const WITHOUT_DELAY: [&str; 2] = ["DEBIAN", "UBUNTU"];

/// Systems whose baseline of AWS's own approves after seven days.
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-predefined-and-custom-patch-baselines.html>
const SEVEN_DAYS: [&str; 11] = [
    "AMAZON_LINUX",
    "AMAZON_LINUX_2",
    "AMAZON_LINUX_2022",
    "AMAZON_LINUX_2023",
    "ALMA_LINUX",
    "CENTOS",
    "ORACLE_LINUX",
    "REDHAT_ENTERPRISE_LINUX",
    "ROCKY_LINUX",
    "SUSE",
    "WINDOWS",
];

impl Policy {
    /// The baseline for an operating system; `None` when the policy surely has none for it.
    pub fn baseline(&self, operating_system: &str) -> Option<Baseline> {
        match &self.baselines {
            Baselines::OfAws => Some(Baseline { is_of_aws: true, ..Baseline::default() }),
            Baselines::Chosen(chosen) => chosen.get(operating_system).cloned(),
            Baselines::Unknown => Some(Baseline::default()),
        }
    }

    /// Whether it has one that approves patches for the operating system of a node; `None` is a system that is not known.
    pub fn has_baseline(&self, operating_system: Option<&str>, node: &str) -> Known<bool> {
        match (&self.baselines, operating_system) {
            // It does not matter which system it is.
            (Baselines::OfAws, _) => Known::Known(true),
            (Baselines::Chosen(chosen), Some(system)) => chosen.get(system).map_or(Known::Known(false), Baseline::is_good),
            (Baselines::Chosen(_), None) => {
                let settled_by = format!("learn the operating system of {node}: its patch policy chooses baselines by it");
                Known::unknown("platform_unknown", node, settled_by)
            }
            (Baselines::Unknown, _) => {
                let settled_by = format!("look up in Quick Setup which patch baselines {} has", self.name);
                Known::unknown("fact_not_collected", &self.name, settled_by)
            }
        }
    }
}

impl Baselines {
    /// Those that are named, by operating system.
    pub fn chosen(&self) -> impl Iterator<Item = (&String, &Baseline)> {
        let chosen = if let Self::Chosen(chosen) = self { Some(chosen) } else { None };
        chosen.into_iter().flatten()
    }
}

impl Baseline {
    /// Whether it is there, for its system, and approves anything.
    fn is_good(&self) -> Known<bool> {
        match &self.listing {
            Listing::Exists => match (&self.approvals, &self.id) {
                (Some(approvals), _) => Known::Known(!approvals.approve_nothing()),
                (None, Some(id)) if !self.is_of_aws => {
                    let settled_by = format!("scan with ssm:GetPatchBaseline allowed: what {id} approves was not collected");
                    Known::unknown("fact_not_collected", id, settled_by)
                }
                (None, _) => Known::Known(true),
            },
            Listing::Missing(_) | Listing::ForAnother(_) => Known::Known(false),
            Listing::Unknown(why) => Known::Unknown(vec![why.clone()]),
        }
    }

    /// After how many days it approves patches for an operating system.
    pub fn delay(&self, operating_system: &str) -> Delay {
        match (&self.approvals, self.approve_after_days) {
            (Some(approvals), _) if approvals.approve_nothing() => Delay::Never,
            _ if WITHOUT_DELAY.contains(&operating_system) => Delay::Days(0),
            // What the baseline says holds, whatever the plan takes it for.
            (Some(approvals), _) => approvals.delay(),
            (None, Some(days)) => Delay::Days(days),
            (None, None) if self.is_of_aws && SEVEN_DAYS.contains(&operating_system) => Delay::Days(7),
            (None, None) => Delay::Unknown,
        }
    }
}

/// What the snapshot says of a baseline that a policy names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Listing {
    /// AWS's own exist everywhere, and what is still to be made is taken to be made.
    #[default]
    Exists,
    /// It is another account's, another Region's, or nobody's; one fragment of a sentence.
    Missing(String),
    /// It is for another operating system.
    ForAnother(String),
    Unknown(Unknown),
}

/// Looks for the user's own baselines where the policy does, in the account that deploys it, and learns what they approve.
pub(super) fn look_up(estate: &Estate<'_>, landscape: &Landscape, policy: &mut Policy) {
    let place = Place { home: home(landscape, policy), region: policy.baseline_region.clone() };
    let files = estate.regions().filter(|region| place.is(region)).filter_map(|region| region.files.patch_baseline_details.as_ref());
    let held: Vec<_> = files.flat_map(|file| &file.patch_baselines).collect();
    let Baselines::Chosen(chosen) = &mut policy.baselines else { return };
    for (system, baseline) in chosen {
        baseline.is_of_aws |= baseline.id.as_deref().is_some_and(|id| is_of_aws(estate, id));
        let Some(id) = baseline.id.as_deref().filter(|_| !baseline.is_of_aws) else { continue };
        let found = held.iter().find(|(asked, _)| same(Some(asked), id)).map(|(_, found)| *found);
        let found = found.filter(|found| found.operating_system.as_ref().is_none_or(|other| other == system));
        baseline.approvals = found.map(Approvals::of);
        baseline.listing = place.listing(estate, id, system);
    }
}

/// Where a policy looks for its baselines.
struct Place {
    /// The account that deploys the policy.
    home: Option<String>,
    region: Option<String>,
}

impl Place {
    fn is(&self, region: &Region<'_>) -> bool {
        self.home.as_deref() == Some(region.account) && self.region.as_deref().is_none_or(|name| name == region.name)
    }

    fn listing(&self, estate: &Estate<'_>, id: &str, system: &str) -> Listing {
        let mut elsewhere = Vec::new();
        let mut was_read = false;
        for region in estate.regions() {
            let Some(file) = &region.files.patch_baselines else { continue };
            was_read |= self.is(region) && self.region.is_some();
            let Some(found) = file.baseline_identities.iter().find(|listed| same(listed.baseline_id.as_deref(), id)) else { continue };
            if !self.is(region) {
                elsewhere.push(format!("{} {}", region.account, region.name));
                continue;
            }
            return match found.operating_system.as_deref() {
                Some(other) if other != system => Listing::ForAnother(other.to_owned()),
                _ => Listing::Exists,
            };
        }
        if self.home.is_some() && !elsewhere.is_empty() {
            return Listing::Missing(format!("it is in {}, and the policy looks for it in {self}", elsewhere.join(", ")));
        }
        if was_read {
            return Listing::Missing(format!("{self} has no such baseline"));
        }
        let settled_by = format!("look up whether {id} is a patch baseline of {self}: its baselines were not collected");
        Listing::Unknown(Unknown::new("fact_not_collected", id, settled_by))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.home, &self.region) {
            (Some(account), Some(region)) => write!(formatter, "{account} {region}"),
            (Some(account), None) => formatter.write_str(account),
            (None, _) => formatter.write_str("the account that deploys the policy"),
        }
    }
}

/// The account that deploys the policy.
fn home(landscape: &Landscape, policy: &Policy) -> Option<String> {
    match (&policy.configuration, policy.accounts.as_slice()) {
        (Some(configuration), _) => Some(configuration.owner.clone()),
        (None, [only]) if policy.units.is_empty() => Some(only.clone()),
        (None, []) => landscape.management_account.clone(),
        // Each account that is chosen by itself has a configuration of its own, and looks for the baselines in itself.
        (None, _) => None,
    }
}

/// Whether a baseline is AWS's own. Those are listed by ARN, and yours by the id alone; the account in the ARN is none of the organization's.
fn is_of_aws(estate: &Estate<'_>, id: &str) -> bool {
    let Some(account) = id.strip_prefix("arn:").and_then(|arn| arn.split(':').nth(3)) else { return false };
    let mut listed = estate.regions().flat_map(|region| region.files.patch_baselines.iter()).flat_map(|file| &file.baseline_identities);
    let is_elsewhere = estate.snapshot.organization.accounts.is_some() && !estate.own_accounts().contains(account);
    is_elsewhere || listed.any(|listed| listed.baseline_id.as_deref() == Some(id))
}

/// The list writes an ARN for AWS's own, and the id alone for others.
fn same(listed: Option<&str>, id: &str) -> bool {
    let short = |id: &str| id.rsplit('/').next().unwrap_or_default().to_owned();
    listed.is_some_and(|listed| short(listed) == short(id))
}
