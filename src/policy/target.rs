//! Whether a policy targets a node: the place first, then the node itself, then what Quick Setup cannot do.

use super::deployment::{NotDeployed, not_deployed};
use super::{Landscape, MOST_DEPLOYMENTS, MOST_INSTANCES, Nodes, Origin, Policy, association, listed, resource_group};
use crate::model::Region;
use crate::model::known::{Known, Unknown};
use crate::snapshot::ec2::Tag;

/// An EC2 instance as a policy sees it.
#[derive(Debug, Clone, Copy)]
pub struct Node<'n, 'a> {
    pub region: &'n Region<'a>,
    pub id: &'n str,
    pub tags: &'n [Tag],
    /// Patch Manager's word for its operating system.
    pub operating_system: Option<&'n str>,
    /// Where its account stands in the organization, for people.
    pub ou_path: &'n str,
}

/// What a policy does with a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    Covered,
    /// It targets the node, and is not seen to be deployed to the node's account and Region.
    NotDeployed(NotDeployed),
    Missed(Miss),
    Unknown(Vec<Unknown>),
}

impl Reach {
    /// Whether the policy targets the node.
    pub fn is_covered(&self) -> Known<bool> {
        match self {
            Self::Covered | Self::NotDeployed(_) => Known::Known(true),
            Self::Missed(_) => Known::Known(false),
            Self::Unknown(why) => Known::Unknown(why.clone()),
        }
    }
}

/// Why a policy misses a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Miss {
    pub code: MissCode,
    /// A fragment of a sentence.
    pub because: String,
}

/// The kinds of reasons. They are public: they never change meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MissCode {
    /// The policy is not for the account.
    AccountNotChosen,
    /// The policy is not for any organizational unit above the account.
    OuNotChosen,
    /// The policy is not for the Region.
    RegionNotChosen,
    /// Quick Setup deploys no patch policy to the Region.
    RegionNotSupported,
    /// A policy for organizational units passes over the management account.
    ManagementAccount,
    /// The instance does not have the tag.
    TagNotSet,
    /// The instance is not a member of the resource group.
    NotInGroup,
    /// The instance is not among those chosen by hand.
    NotListed,
    /// The targets of the association leave it out.
    NotInTargets,
    /// More instances are chosen by hand than Quick Setup takes.
    TooManyInstances,
    /// More accounts times Regions than Quick Setup deploys to.
    TooManyDeployments,
    /// A resource group can be chosen for a single account only.
    ResourceGroupOfManyAccounts,
}

impl MissCode {
    /// Whether the policy was never meant for the instance's account and Region.
    fn is_elsewhere(self) -> bool {
        matches!(self, Self::AccountNotChosen | Self::OuNotChosen | Self::RegionNotChosen)
    }

    /// Whether the policy passes over the whole account.
    pub fn is_of_account(self) -> bool {
        matches!(self, Self::AccountNotChosen | Self::OuNotChosen | Self::ManagementAccount)
    }

    /// Whether somebody chose so: other places, or instances one by one.
    pub fn is_a_choice(self) -> bool {
        self.is_elsewhere() || matches!(self, Self::NotListed | Self::NotInTargets)
    }

    pub fn words(self) -> &'static str {
        match self {
            Self::AccountNotChosen => "account not chosen",
            Self::OuNotChosen => "OU not chosen",
            Self::RegionNotChosen => "Region not chosen",
            Self::RegionNotSupported => "Region not supported",
            Self::ManagementAccount => "management account",
            Self::TagNotSet => "tag not set",
            Self::NotInGroup => "not in the resource group",
            Self::NotListed => "not in the list",
            Self::NotInTargets => "not in the targets",
            Self::TooManyInstances => "too many chosen by hand",
            Self::TooManyDeployments => "too many accounts and Regions",
            Self::ResourceGroupOfManyAccounts => "resource group in several accounts",
        }
    }
}

fn missed(code: MissCode, because: impl Into<String>) -> Reach {
    Reach::Missed(Miss { code, because: because.into() })
}

fn unknown(code: &str, resource: impl Into<String>, settled_by: impl Into<String>) -> Reach {
    Reach::Unknown(vec![Unknown::new(code, resource, settled_by)])
}

/// A member of Quick Setup's configuration without which nobody knows whom it targets.
fn not_told(policy: &Policy, member: &str) -> Reach {
    let name = &policy.name;
    unknown(
        "fact_not_collected",
        name,
        format!("look up in Quick Setup whom {name} targets: its configuration has no {member} that is understood"),
    )
}

pub(super) fn reach(policy: &Policy, node: &Node<'_, '_>, landscape: &Landscape) -> Reach {
    let place = place(policy, node, landscape);
    match &place {
        // Who lacks the tag anyway is not missed because of its account.
        Reach::Missed(miss) if miss.code == MissCode::ManagementAccount => {
            let chosen = chosen(policy, node);
            return if let Reach::Missed(_) = chosen { chosen } else { place };
        }
        Reach::Missed(_) => return place,
        Reach::Covered | Reach::NotDeployed(_) | Reach::Unknown(_) => {}
    }
    match (place, chosen(policy, node)) {
        (_, Reach::Missed(miss)) => Reach::Missed(miss),
        // Where nothing can be deployed, it does not matter who would be chosen.
        (_, Reach::Unknown(_)) if let Reach::Missed(miss) = deployable(policy, node, landscape) => Reach::Missed(miss),
        (Reach::Unknown(mut place), Reach::Unknown(nodes)) => {
            place.extend(nodes);
            Reach::Unknown(place)
        }
        (Reach::Unknown(why), _) | (_, Reach::Unknown(why)) => Reach::Unknown(why),
        _ => match deployable(policy, node, landscape) {
            Reach::Covered => deployed(policy, node),
            other => other,
        },
    }
}

/// Whether what Quick Setup deploys is there.
fn deployed(policy: &Policy, node: &Node<'_, '_>) -> Reach {
    match &policy.origin {
        Origin::Associations { id, perhaps, .. } if !perhaps.is_empty() => unknown(
            "policy_id_unknown",
            id,
            format!("look up in Quick Setup whether {id} is the id of {}, whose own associations were not found", listed(perhaps)),
        ),
        _ => not_deployed(policy, node.region).map_or(Reach::Covered, Reach::NotDeployed),
    }
}

/// Whether account and Region are the policy's.
fn place(policy: &Policy, node: &Node<'_, '_>, landscape: &Landscape) -> Reach {
    let account = account(policy, node, landscape);
    match &account {
        // Where the policy is not for the Region, that comes first.
        Reach::Missed(miss) if miss.code != MissCode::ManagementAccount => return account,
        _ => {}
    }
    let region = node.region.name;
    if !landscape.supported_regions.iter().any(|supported| supported == region) {
        return missed(MissCode::RegionNotSupported, format!("Quick Setup deploys no patch policy to {region}"));
    }
    if policy.regions.is_empty() {
        return not_told(policy, "TargetRegions");
    }
    if !policy.regions.iter().any(|chosen| chosen == region) {
        return missed(MissCode::RegionNotChosen, format!("Region {region} is not chosen"));
    }
    account
}

fn account(policy: &Policy, node: &Node<'_, '_>, landscape: &Landscape) -> Reach {
    let account = node.region.account;
    if policy.accounts.iter().any(|chosen| chosen == account) {
        return Reach::Covered;
    }
    if policy.units.is_empty() && policy.accounts.is_empty() {
        return not_told(policy, "TargetAccounts or TargetOrganizationalUnits");
    }
    if policy.units.is_empty() {
        return missed(MissCode::AccountNotChosen, format!("account {account} is not chosen"));
    }
    let is_unit_known = policy.units.iter().all(|unit| unit.id.is_some());
    let settled_by = "collect the organization's units: who is below a chosen one is not known";
    let Some(above) = landscape.above.get(account) else {
        return unknown("fact_not_collected", "organizations:ListParents", settled_by);
    };
    let is_below = policy.units.iter().filter_map(|unit| unit.id.as_ref()).any(|unit| above.contains(unit));
    if !is_below && !is_unit_known {
        return unknown("fact_not_collected", "organizations:ListOrganizationalUnitsForParent", settled_by);
    }
    if !is_below {
        let place = if node.ou_path.is_empty() { String::new() } else { format!(" ({})", node.ou_path) };
        return missed(MissCode::OuNotChosen, format!("no organizational unit above account {account}{place} is chosen"));
    }
    match &landscape.management_account {
        // <https://docs.aws.amazon.com/systems-manager/latest/userguide/quick-setup-getting-started.html>
        Some(management) if management == account => missed(
            MissCode::ManagementAccount,
            format!("{account} is the management account, which a policy for organizational units is not deployed to"),
        ),
        Some(_) => Reach::Covered,
        None => unknown(
            "fact_not_collected",
            "organizations:DescribeOrganization",
            format!("find out whether {account} is the management account: a policy for organizational units is not deployed there"),
        ),
    }
}

/// Whether the node is chosen within its account and Region.
fn chosen(policy: &Policy, node: &Node<'_, '_>) -> Reach {
    match &policy.nodes {
        Nodes::All => Reach::Covered,
        Nodes::Tag { key, value } => match node.tags.iter().find(|tag| tag.key == *key) {
            Some(tag) if tag.value == *value => Reach::Covered,
            Some(tag) => missed(MissCode::TagNotSet, format!("its tag {key} is {:?} and not {value:?}", tag.value)),
            None => missed(MissCode::TagNotSet, format!("it has no tag {key} (wanted: {value:?})")),
        },
        Nodes::Instances(ids) if ids.iter().any(|id| id == node.id) => Reach::Covered,
        Nodes::Instances(_) => missed(MissCode::NotListed, "it is not among the instances chosen by hand"),
        Nodes::ResourceGroup(name) => match resource_group::is_member(name, node) {
            Known::Known(true) => Reach::Covered,
            Known::Known(false) if resource_group::is_absent(name, node) => {
                let (account, region) = (node.region.account, node.region.name);
                missed(MissCode::NotInGroup, format!("there is no resource group {name} in {account} {region}"))
            }
            Known::Known(false) => missed(MissCode::NotInGroup, format!("it is not in resource group {name}")),
            Known::Unknown(why) => Reach::Unknown(why),
        },
        Nodes::Unknown { member } => not_told(policy, member),
        Nodes::Targets(targets) => match association::matches(targets, None, node) {
            Known::Known(true) => Reach::Covered,
            Known::Known(false) => missed(MissCode::NotInTargets, "the targets of its association leave it out"),
            Known::Unknown(why) => Reach::Unknown(why),
        },
    }
}

/// What Quick Setup cannot deploy reaches nobody.
fn deployable(policy: &Policy, node: &Node<'_, '_>, landscape: &Landscape) -> Reach {
    match &policy.nodes {
        Nodes::Instances(ids) if ids.len() > MOST_INSTANCES => {
            return missed(
                MissCode::TooManyInstances,
                format!("{} instances are chosen by hand, and Quick Setup takes {MOST_INSTANCES}", ids.len()),
            );
        }
        Nodes::ResourceGroup(name) if spans_accounts(policy) => {
            return missed(MissCode::ResourceGroupOfManyAccounts, format!("resource group {name} can be chosen for a single account only"));
        }
        _ => {}
    }
    // A configuration of its own is for one account.
    if policy.accounts.iter().any(|chosen| chosen == node.region.account) {
        return Reach::Covered;
    }
    let (least, most) = landscape.deployments(policy).into_inner();
    if least > MOST_DEPLOYMENTS {
        return missed(
            MissCode::TooManyDeployments,
            format!("{least} deployments (accounts times Regions) are more than the {MOST_DEPLOYMENTS} of Quick Setup"),
        );
    }
    if policy.is_planned() && most > MOST_DEPLOYMENTS {
        let (operation, what) = match landscape.active {
            Some(_) => ("organizations:ListAccountsForParent", "where each account of the organization stands"),
            None => ("organizations:ListAccounts", "the accounts of the organization"),
        };
        let settled_by = format!("collect {what}: the policy may have more than the {MOST_DEPLOYMENTS} deployments that Quick Setup takes");
        return unknown("fact_not_collected", operation, settled_by);
    }
    Reach::Covered
}

/// Whether one configuration of a policy is deployed to more than one account.
pub(super) fn spans_accounts(policy: &Policy) -> bool {
    !policy.units.is_empty()
}
