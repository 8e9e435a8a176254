//! Patch baselines: after how many days they approve, and whether they exist where a policy looks for them.

use super::{Approvals, Baseline, Baselines, Landscape, Policies, Policy};
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

    /// Whether it has one for the operating system of a node; `None` is a system that is not known.
    pub fn has_baseline(&self, operating_system: Option<&str>, node: &str) -> Known<bool> {
        match (&self.baselines, operating_system) {
            // It does not matter which system it is.
            (Baselines::OfAws, _) => Known::Known(true),
            (Baselines::Chosen(chosen), Some(system)) => Known::Known(chosen.contains_key(system)),
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listing {
    Exists,
    /// It is another account's, another Region's, or nobody's; one fragment of a sentence.
    Missing(String),
    /// It is for another operating system.
    ForAnother(String),
}

/// Looks a baseline of the user's own up in the account that deploys the policy. AWS's own exist everywhere.
pub fn listing(estate: &Estate<'_>, policies: &Policies, policy: &Policy, system: &str, baseline: &Baseline) -> Known<Listing> {
    let Some(id) = baseline.id.as_deref().filter(|_| !baseline.is_of_aws) else { return Known::Known(Listing::Exists) };
    let home = home(&policies.landscape, policy);
    let mut elsewhere = Vec::new();
    let mut was_home_read = false;
    for region in estate.regions() {
        let Some(file) = &region.files.patch_baselines else { continue };
        let is_home = is_home(home.as_deref(), policy.baseline_region.as_deref(), region);
        was_home_read |= is_home && policy.baseline_region.is_some();
        let Some(found) = file.baseline_identities.iter().find(|listed| same(listed.baseline_id.as_deref(), id)) else { continue };
        if !is_home {
            elsewhere.push(format!("{} {}", region.account, region.name));
            continue;
        }
        return Known::Known(match found.operating_system.as_deref() {
            Some(other) if other != system => Listing::ForAnother(other.to_owned()),
            _ => Listing::Exists,
        });
    }
    let place = match (&home, &policy.baseline_region) {
        (Some(account), Some(region)) => format!("{account} {region}"),
        (Some(account), None) => account.clone(),
        (None, _) => "the account that deploys the policy".to_owned(),
    };
    if home.is_some() && !elsewhere.is_empty() {
        return Known::Known(Listing::Missing(format!("it is in {}, and the policy looks for it in {place}", elsewhere.join(", "))));
    }
    if was_home_read {
        return Known::Known(Listing::Missing(format!("{place} has no such baseline")));
    }
    let settled_by = format!("look up whether {id} is a patch baseline of {place}: its baselines were not collected");
    Known::Unknown(vec![Unknown::new("fact_not_collected", id, settled_by)])
}

/// Learns what the user's own baselines approve, where the policy looks for them.
pub(super) fn read_approvals(estate: &Estate<'_>, landscape: &Landscape, policy: &mut Policy) {
    let home = home(landscape, policy);
    let regions = estate.regions().filter(|region| is_home(home.as_deref(), policy.baseline_region.as_deref(), region));
    let files = regions.filter_map(|region| region.files.patch_baseline_details.as_ref());
    let held: Vec<_> = files.flat_map(|file| &file.patch_baselines).collect();
    let Baselines::Chosen(chosen) = &mut policy.baselines else { return };
    for (system, baseline) in chosen {
        let Some(id) = baseline.id.as_deref().filter(|_| !baseline.is_of_aws) else { continue };
        let found = held.iter().find(|(asked, _)| same(Some(asked), id)).map(|(_, found)| *found);
        let found = found.filter(|found| found.operating_system.as_ref().is_none_or(|other| other == system));
        baseline.approvals = found.map(Approvals::of);
    }
}

/// Whether a policy looks for its baselines in a Region.
fn is_home(account: Option<&str>, baseline_region: Option<&str>, region: &Region<'_>) -> bool {
    account == Some(region.account) && baseline_region.is_none_or(|name| name == region.name)
}

/// The account that deploys the policy.
fn home(landscape: &Landscape, policy: &Policy) -> Option<String> {
    match (&policy.configuration, policy.accounts.as_slice()) {
        (Some(configuration), _) => Some(configuration.owner.clone()),
        (_, [only]) if policy.units.is_empty() => Some(only.clone()),
        _ => landscape.management_account.clone(),
    }
}

/// The list writes an ARN for AWS's own, and the id alone for others.
fn same(listed: Option<&str>, id: &str) -> bool {
    let short = |id: &str| id.rsplit('/').next().unwrap_or_default().to_owned();
    listed.is_some_and(|listed| short(listed) == short(id))
}
