//! How one node stands to all policies together.

use super::association::{Scanners, concerns, configuration_id};
use super::{Miss, MissCode, Node, NotDeployed, Policies, Policy, Reach, listed};
use crate::model::known::{Known, Unknown};
use crate::snapshot::ssm::Association;

/// <https://docs.aws.amazon.com/general/latest/gr/ssm.html>
const MOST_ASSOCIATIONS_OF_A_NODE: usize = 20;
const MOST_ASSOCIATIONS: usize = 2_000;
/// Beyond the default quota nodes may stop to communicate.
const MOST_NODES: usize = 2_400;
/// The tags that put a node into a patch group.
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-patch-groups.html>
const PATCH_GROUP: [&str; 2] = ["Patch Group", "PatchGroup"];

/// What a node meets. Texts are empty where there is nothing to tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// No policy targets it, and one was planned, or meant for its account and Region.
    pub is_missed: Known<bool>,
    /// Policies are planned, and neither they nor those that exist are for it.
    pub is_outside: Known<bool>,
    pub missed_because: String,
    pub is_covered_twice: Known<bool>,
    /// The names of the policies that target it.
    pub covered_by: String,
    /// Policies target it, and none of them is deployed to its account and Region.
    pub is_undeployed: Known<bool>,
    pub undeployed_because: String,
    /// False when a policy that targets it has no patch baseline for its operating system.
    pub has_baseline: Known<bool>,
    pub without_baseline: String,
    /// A policy targets it, and it is in a patch group that chooses a baseline.
    pub is_patch_group_ignored: Known<bool>,
    pub patch_group: String,
    /// A policy targets it, and something else writes its patch compliance too.
    pub has_other_scanner: Known<bool>,
    pub other_scanners: String,
    /// A policy targets it, and a quota of Systems Manager is used up with it.
    pub is_over_quota: Known<bool>,
    pub quota: String,
}

/// Reaches are those of [`Policies::reach`] for the same node.
pub fn standing(policies: &Policies, reaches: &[Reach], node: &Node<'_, '_>) -> Standing {
    let pairs = || policies.all.iter().zip(reaches);
    let covering: Vec<&Policy> = pairs().filter(|(_, reach)| reach.is_covered().is(&true)).map(|(policy, _)| policy).collect();
    let doubts: Vec<Unknown> =
        reaches.iter().filter_map(|reach| if let Reach::Unknown(why) = reach { Some(why) } else { None }).flatten().cloned().collect();
    let uncertain = reaches.iter().filter(|reach| matches!(reach, Reach::Unknown(_))).count();
    let misses: Vec<(&Policy, &Miss)> =
        pairs().filter_map(|(policy, reach)| if let Reach::Missed(miss) = reach { Some((policy, miss)) } else { None }).collect();
    // Without a plan only the policies that mean this place are missed here: what is not rolled out yet misses nobody, and neither does a list.
    let told: Vec<&(&Policy, &Miss)> = misses.iter().filter(|(_, miss)| policies.has_planned() || !miss.code.is_a_choice()).collect();
    let is_covered = !covering.is_empty();
    let is_missed = match () {
        () if is_covered => Known::Known(false),
        () if uncertain > 0 => Known::Unknown(doubts.clone()),
        () => Known::Known(!told.is_empty()),
    };
    // An unsupported Region is no choice of the user's: the instance is judged, and a rule of its own says so.
    let is_unsupported = misses.iter().any(|(_, miss)| miss.code == MissCode::RegionNotSupported);
    let is_outside = if policies.has_planned() && !is_unsupported { is_missed.clone() } else { Known::Known(false) };
    let names: Vec<String> = covering.iter().map(|policy| policy.name.clone()).collect();
    let associations = node.region.files.associations.as_ref();
    let is_covered_twice = match covering.len() {
        0 | 1 if covering.len() + uncertain > 1 => Known::Unknown(doubts.clone()),
        // A policy that was made in the account itself is known by its associations only.
        1 if associations.is_none() => Known::Unknown(vec![node.region.not_collected("ssm:ListAssociations")]),
        covering => Known::Known(covering > 1),
    };
    let (is_undeployed, undeployed_because) = undeployed(reaches, &doubts);
    let when_covered = |fact: Known<bool>| if is_covered { fact } else { Known::Known(false) };
    let (has_baseline, without_baseline) = baselines(policies, reaches, node);
    let (is_patch_group_ignored, patch_group) = patch_group(node);
    let scanners = if is_covered { Scanners::of(node) } else { Scanners::default() };
    let (is_over_quota, quota) = if is_covered { quota(&covering, node) } else { (Known::Known(false), String::new()) };
    Standing {
        is_missed,
        is_outside,
        missed_because: told.iter().map(|(policy, miss)| format!("{}: {}", policy.name, miss.because)).collect::<Vec<_>>().join("; "),
        is_covered_twice,
        covered_by: listed(&names),
        is_undeployed,
        undeployed_because,
        has_baseline,
        without_baseline,
        is_patch_group_ignored: when_covered(is_patch_group_ignored),
        patch_group,
        has_other_scanner: match (scanners.certain.is_empty(), scanners.doubts.is_empty()) {
            (false, _) => Known::Known(true),
            (true, true) => Known::Known(false),
            (true, false) => Known::Unknown(scanners.doubts),
        },
        other_scanners: listed(&scanners.certain),
        is_over_quota,
        quota,
    }
}

/// `doubts` are those about who targets the node.
fn undeployed(reaches: &[Reach], doubts: &[Unknown]) -> (Known<bool>, String) {
    let missing: Vec<&NotDeployed> =
        reaches.iter().filter_map(|reach| if let Reach::NotDeployed(missing) = reach { Some(missing) } else { None }).collect();
    if missing.is_empty() || reaches.contains(&Reach::Covered) {
        return (Known::Known(false), String::new());
    }
    let why: Vec<Unknown> = missing.iter().filter_map(|missing| missing.doubt.clone()).chain(doubts.iter().cloned()).collect();
    let because: Vec<&str> = missing.iter().map(|missing| missing.because.as_str()).collect();
    (if why.is_empty() { Known::Known(true) } else { Known::Unknown(why) }, because.join("; "))
}

/// Whether each policy that targets the node has a baseline for it; one that may target it has one, or that is not known.
fn baselines(policies: &Policies, reaches: &[Reach], node: &Node<'_, '_>) -> (Known<bool>, String) {
    let has = |policy: &Policy| policy.has_baseline(node.operating_system, node.id);
    let pairs = || policies.all.iter().zip(reaches).map(|(policy, reach)| (policy, reach.is_covered()));
    let lacking = pairs().filter(|(policy, is_covered)| is_covered.is(&true) && has(policy).is(&false));
    let without: Vec<String> = lacking.map(|(policy, _)| policy.name.clone()).collect();
    let told = match node.operating_system {
        Some(system) if !without.is_empty() => format!("{} ({system})", listed(&without)),
        _ => String::new(),
    };
    (pairs().fold(Known::Known(true), |all, (policy, is_covered)| all.and(is_covered.negate().or(has(policy)))), told)
}

/// A patch group chooses a baseline where one is registered for it.
fn patch_group(node: &Node<'_, '_>) -> (Known<bool>, String) {
    let groups: Vec<&String> = node.tags.iter().filter(|tag| PATCH_GROUP.contains(&tag.key.as_str())).map(|tag| &tag.value).collect();
    let Some(first) = groups.first() else { return (Known::Known(false), String::new()) };
    let Some(file) = &node.region.files.patch_groups else {
        return (Known::Unknown(vec![node.region.not_collected("ssm:DescribePatchGroups")]), (*first).clone());
    };
    let registered = groups.iter().find(|group| file.mappings.iter().any(|mapping| mapping.patch_group.as_ref() == Some(**group)));
    (Known::Known(registered.is_some()), (*registered.unwrap_or(first)).clone())
}

/// Whether Quick Setup deployed the association for the policy.
fn is_of_policy(association: &Association, policy: &Policy) -> bool {
    let id = policy.configuration.as_ref().and_then(|configuration| configuration.id.as_deref());
    id.is_some() && association.association_name.as_deref().and_then(configuration_id) == id
}

fn quota(covering: &[&Policy], node: &Node<'_, '_>) -> (Known<bool>, String) {
    let region = node.region;
    let place = format!("{} {}", region.account, region.name);
    let Some(file) = &region.files.associations else {
        return (Known::Unknown(vec![region.not_collected("ssm:ListAssociations")]), String::new());
    };
    let planned = || covering.iter().filter(|policy| policy.is_planned());
    // One scans, one installs.
    let added: usize = planned().map(|policy| 1 + usize::from(policy.install.is_some())).sum();
    let is_replaced = |association: &&Association| planned().any(|policy| is_of_policy(association, policy));
    let (mut own, mut doubts) = (added, Vec::new());
    let kept = || file.associations.iter().filter(|association| !is_replaced(association));
    for association in kept() {
        match concerns(association, node) {
            Known::Known(concerns) => own += usize::from(concerns),
            Known::Unknown(why) => doubts.extend(why),
        }
    }
    let with = if added > 0 { ", those of the planned policies among them" } else { "" };
    let all = kept().count() + added;
    let nodes = region.files.instance_information.as_ref().map(|file| file.instance_information_list.len());
    let told = if own > MOST_ASSOCIATIONS_OF_A_NODE {
        format!("{own} associations target it{with}, and a node takes {MOST_ASSOCIATIONS_OF_A_NODE}")
    } else if all > MOST_ASSOCIATIONS {
        format!("{place} has {all} associations{with}, and the quota is {MOST_ASSOCIATIONS}")
    } else if let Some(nodes) = nodes.filter(|nodes| *nodes > MOST_NODES) {
        format!("{place} has {nodes} managed nodes, and the default quota is {MOST_NODES}")
    } else {
        String::new()
    };
    let is_over = match () {
        () if !told.is_empty() => Known::Known(true),
        () if own + doubts.len() > MOST_ASSOCIATIONS_OF_A_NODE => Known::Unknown(doubts),
        () if nodes.is_none() => Known::Unknown(vec![region.not_collected("ssm:DescribeInstanceInformation")]),
        () => Known::Known(false),
    };
    (is_over, told)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Known, Node, patch_group, quota};
    use crate::model::Region;
    use crate::snapshot::RegionFiles;

    fn file<T: serde::de::DeserializeOwned>(content: Value) -> T {
        serde_json::from_value(content).unwrap()
    }

    fn at<T>(files: &RegionFiles, tags: &Value, ask: impl FnOnce(&Node<'_, '_>) -> T) -> T {
        let region = Region::new("111111111111", "eu-central-1", files, &[]);
        let tags: Vec<_> = file(tags.clone());
        ask(&Node { region: &region, id: "i-1", tags: &tags, operating_system: None, ou_path: "/" })
    }

    #[test]
    fn either_tag_may_put_a_node_into_a_patch_group() {
        let files = RegionFiles {
            patch_groups: Some(file(json!({"Mappings": [{"PatchGroup": "web", "BaselineIdentity": {"BaselineId": "pb-1"}}]}))),
            ..RegionFiles::default()
        };
        let tag = |key: &str, value: &str| json!({"Key": key, "Value": value});
        let cases = [
            (json!([]), false, ""),
            (json!([tag("Patch Group", "web")]), true, "web"),
            (json!([tag("PatchGroup", "db")]), false, "db"),
            (json!([tag("Patch Group", "db"), tag("PatchGroup", "web")]), true, "web"),
            (json!([tag("Patch Group", "web"), tag("PatchGroup", "db")]), true, "web"),
        ];
        for (tags, expected, group) in cases {
            assert_eq!(at(&files, &tags, patch_group), (Known::Known(expected), group.to_owned()), "{tags}");
        }
    }

    #[test]
    fn how_many_nodes_there_are_is_not_guessed() {
        let over = |nodes: Option<usize>| {
            let nodes = nodes.map(|number| json!({"InstanceInformationList": vec![json!({"InstanceId": "i-1"}); number]}));
            let files = RegionFiles {
                associations: Some(file(json!({"Associations": []}))),
                instance_information: nodes.map(file),
                ..RegionFiles::default()
            };
            at(&files, &json!([]), |node| quota(&[], node).0.into_known())
        };
        assert_eq!([over(Some(2_400)), over(Some(2_401)), over(None)], [Some(false), Some(true), None]);
    }
}
