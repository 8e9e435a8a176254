//! The policies that exist: what Quick Setup holds in the management account, and what its associations tell of others.

use std::collections::{BTreeMap, BTreeSet};

use super::association::configuration_id;
use super::target::{Node, reach};
use super::{Baselines, Deployment, Landscape, Missing, Nodes, Origin, Policy, Schedule, parameters};
use crate::model::known::{Known, Unknown};
use crate::model::{Estate, Region};
use crate::snapshot::Gap;
use crate::snapshot::ssm::Association;

/// Quick Setup's tag on the nodes of a policy: the key ends in the configuration's id, the value is the policy's name.
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/quick-setup-patch-manager.html>
const NAME_TAG: &str = "QSConfigName-";

pub(super) fn existing(estate: &Estate<'_>, landscape: &Landscape) -> Vec<Policy> {
    let files = estate.snapshot.accounts.iter().filter_map(|(account, seen)| Some((account, seen.global.quick_setup.as_ref()?)));
    let managers = files.flat_map(|(account, file)| file.configuration_managers.iter().map(move |manager| (account, manager)));
    let mut known: Vec<Policy> = managers.flat_map(|(account, manager)| parameters::policies(manager, Some(account))).collect();
    let names = names(estate);
    let mut all: Vec<Policy> = Vec::new();
    for region in estate.regions() {
        all.extend(unlisted(region, &mut known, &names, landscape));
    }
    all.extend(known);
    all
}

/// Why policies may exist that the snapshot does not tell of. Quick Setup of the management account holds those of the organization; without an
/// organization each account may hold some. Those that member accounts made for themselves are known by their associations.
pub(super) fn unseen(estate: &Estate<'_>, landscape: &Landscape) -> Option<Unknown> {
    let accounts = &estate.snapshot.accounts;
    let is_read = |account: &String| accounts.get(account).is_some_and(|seen| seen.global.quick_setup.is_some());
    // Who asks in vain for an organization is told so, and that there are no policies of one.
    let has_none = estate.snapshot.organization.policies.is_some();
    let unread = match &landscape.management_account {
        Some(management) => (!is_read(management)).then_some(management.as_str()),
        None if has_none => accounts.keys().find(|account| !is_read(account)).map(String::as_str),
        None => Some("the management account"),
    };
    let Some(unread) = unread else { return half_read(estate, landscape).or_else(|| unreadable(estate)) };
    let settled_by = "scan with the credentials of the management account, which has ssm-quicksetup-get-configuration-manager.json, or declare --assume no-unseen-patch-policies";
    Some(Unknown::new("fact_not_collected", format!("ssm-quicksetup:GetConfigurationManager in {unread}"), settled_by))
}

/// Quick Setup lists what it holds Region by Region.
fn half_read(estate: &Estate<'_>, landscape: &Landscape) -> Option<Unknown> {
    let is_asked = |account: &String| landscape.management_account.as_ref().is_none_or(|management| management == account);
    let is_of_list =
        |gap: &&Gap| gap.operation.starts_with("ssm-quicksetup:") && gap.leaves_something_unread() && is_asked(&gap.account_id);
    let gap = estate.snapshot.manifest.gaps.iter().find(is_of_list)?;
    let place = gap.region.as_ref().map_or_else(|| gap.account_id.clone(), |region| format!("{}/{region}", gap.account_id));
    let settled_by = format!("{}, or declare --assume no-unseen-patch-policies", gap.reason.remedy());
    Some(Unknown::new("fact_not_collected", format!("{} in {place}", gap.operation), settled_by))
}

/// A configuration manager that does not tell what it deploys may deploy a patch policy.
fn unreadable(estate: &Estate<'_>) -> Option<Unknown> {
    let files = estate.snapshot.accounts.values().filter_map(|seen| seen.global.quick_setup.as_ref());
    let mut managers = files.flat_map(|file| &file.configuration_managers);
    let manager = managers.find(|manager| {
        let definitions = &manager.configuration_definitions;
        definitions.is_empty() || definitions.iter().any(|definition| definition.r#type.is_none())
    })?;
    let name = manager.name.as_ref().or(manager.manager_arn.as_ref()).map_or("a configuration manager", String::as_str);
    let settled_by = format!("look up in Quick Setup what {name} deploys: its definitions were not collected, or not their types");
    Some(Unknown::new("fact_not_collected", name, settled_by))
}

/// From the id of a configuration to the policy's name, as the nodes' tags tell.
fn names<'a>(estate: &Estate<'a>) -> BTreeMap<&'a str, &'a str> {
    let instances = estate.regions().flat_map(|region| Estate::instances(region).into_values());
    let tags = instances.flat_map(|instance| &instance.tags);
    tags.filter_map(|tag| Some((tag.key.strip_prefix(NAME_TAG)?, tag.value.as_str()))).collect()
}

/// The policies of a Region that only their associations tell of: made in the account itself, or in a Quick Setup that was not read. Those of the
/// known ones that have no association there are told so.
fn unlisted(region: &Region<'_>, known: &mut [Policy], names: &BTreeMap<&str, &str>, landscape: &Landscape) -> Vec<Policy> {
    let Some(file) = &region.files.associations else { return Vec::new() };
    let mut by_id: BTreeMap<&str, Vec<&Association>> = BTreeMap::new();
    for association in &file.associations {
        if let Some(id) = association.association_name.as_deref().and_then(configuration_id) {
            by_id.entry(id).or_default().push(association);
        }
    }
    let mut explained: BTreeSet<&str> = BTreeSet::new();
    let mut bereft: Vec<&mut Policy> = Vec::new();
    for policy in known {
        let is_here = is_meant(policy, region, landscape);
        let own: Vec<&str> = by_id.keys().copied().filter(|id| !is_here.is(&false) && is_of(id, policy, names)).collect();
        explained.extend(&own);
        if own.is_empty() && is_here.is(&true) {
            bereft.push(policy);
        }
    }
    by_id.retain(|id, _| !explained.contains(id));
    // An id that no other name is known for may be that of any of them.
    let may_be = |id: &str, policy: &Policy| names.get(id).is_none_or(|name| *name == policy.name);
    let unlisted = by_id.iter().map(|(id, associations)| {
        let perhaps = bereft.iter().filter(|policy| may_be(id, policy)).map(|policy| policy.name.clone()).collect();
        of_associations(region, id, names.get(id).copied(), associations, perhaps)
    });
    let unlisted = unlisted.collect();
    for policy in bereft {
        let perhaps = by_id.keys().filter(|id| may_be(id, policy)).map(|id| (*id).to_owned()).collect();
        let (account, region) = (region.account.to_owned(), region.name.to_owned());
        policy.deployment.missing.push(Missing { account, region, perhaps });
    }
    unlisted
}

/// Whether an id in the name of an association is that of a policy that Quick Setup holds. Where its definition has one, it is no other.
fn is_of(id: &str, policy: &Policy, names: &BTreeMap<&str, &str>) -> bool {
    if let Some(definition) = policy.configuration.as_ref().and_then(|configuration| configuration.id.as_deref()) {
        return definition == id;
    }
    let is_in_arn =
        matches!(&policy.origin, Origin::QuickSetup { manager } if manager.rsplit('/').next().is_some_and(|last| last.contains(id)));
    is_in_arn || names.get(id).is_some_and(|name| *name == policy.name)
}

/// Whether the policy is for an account and Region.
fn is_meant(policy: &Policy, region: &Region<'_>, landscape: &Landscape) -> Known<bool> {
    let everywhere = Policy { nodes: Nodes::All, ..policy.clone() };
    let node = Node { region, id: "", tags: &[], operating_system: None, ou_path: "" };
    reach(&everywhere, &node, landscape).is_covered()
}

fn of_associations(region: &Region<'_>, id: &str, name: Option<&str>, associations: &[&Association], perhaps: Vec<String>) -> Policy {
    let names: Vec<String> = associations.iter().filter_map(|association| association.association_name.clone()).collect();
    let schedule = |is_scan: bool| {
        let fits =
            |association: &&&Association| association.association_name.as_deref().is_some_and(|name| name.contains("Scan") == is_scan);
        associations.iter().find(fits).and_then(|association| association.schedule_expression.as_deref()).map(Schedule::of_aws)
    };
    let targets = associations.first().map(|association| association.targets.clone()).unwrap_or_default();
    Policy {
        name: name.map_or_else(|| format!("patch policy {id}"), str::to_owned),
        after: Vec::new(),
        units: Vec::new(),
        accounts: vec![region.account.to_owned()],
        regions: vec![region.name.to_owned()],
        nodes: Nodes::Targets(targets),
        baselines: Baselines::Unknown,
        baseline_region: None,
        scan: schedule(true),
        install: schedule(false),
        concurrency: None,
        error_threshold: None,
        attaches: None,
        configuration: None,
        deployment: Deployment::default(),
        origin: Origin::Associations { id: id.to_owned(), names, perhaps },
    }
}
