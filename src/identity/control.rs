//! What the organization's service control policies (SCPs) and resource control policies (RCPs) leave of what roles and buckets allow.
//!
//! Sources: <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_evaluation.html>,
//! <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html> (of the services that patching uses, RCPs
//! concern S3, and STS where a role is handed out).

use crate::policy_language::{Policies, Policy};
use crate::scope::Tree;
use crate::snapshot::Snapshot;
use crate::snapshot::global::OrganizationPolicies;

/// A kind of policy that Organizations attaches to the root, to units and to accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Service,
    Resource,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Service => "SERVICE_CONTROL_POLICY",
            Self::Resource => "RESOURCE_CONTROL_POLICY",
        }
    }
}

/// The policies over an account, one entry a level from the root to the account itself. `vouched`: the user says that none takes anything away.
pub(super) fn over(snapshot: &Snapshot, account: &str, kind: Kind, vouched: bool) -> Vec<Policies> {
    let files = &snapshot.organization;
    let management = files.organization.as_ref().and_then(|file| file.organization.master_account_id.as_deref());
    if vouched || management == Some(account) {
        return Vec::new();
    }
    let Some(file) = &files.policies else {
        let why = "collect organization-policies.json (organizations:ListPolicies) in the management account, or declare --assume no-organization-policies";
        return vec![Policies::Unknown(why.to_owned())];
    };
    let entries = entries(file, kind);
    // Where a kind is switched on, AWS attaches its own policy to every level; it is off if none is attached anywhere.
    if entries.iter().all(|entry| entry.targets.is_some_and(Vec::is_empty)) {
        return Vec::new();
    }
    let Some(mut levels) = Tree::new(files).above(account) else {
        return vec![Policies::Unknown(format!(
            "collect organizational-units.json: where {account} stands in the organization is not known"
        ))];
    };
    levels.push(account.to_owned());
    let unlisted = entries.iter().find(|entry| entry.targets.is_none());
    let at = |level: &String| {
        if let Some(entry) = unlisted {
            return Policies::Unknown(format!("collect what {} is attached to (organizations:ListTargetsForPolicy)", entry.name));
        }
        let attached = entries.iter().filter(|entry| entry.targets.is_some_and(|targets| targets.contains(level)));
        match attached.map(|entry| entry.policy.clone()).collect::<Result<Vec<Policy>, String>>() {
            Err(why) => Policies::Unknown(why),
            Ok(attached) if attached.is_empty() => {
                let open = entries.iter().find_map(|entry| entry.policy.as_ref().err().cloned());
                Policies::Unknown(open.unwrap_or_else(|| {
                    format!("collect organization-policies.json again: every level has a policy, and {level} has none there")
                }))
            }
            Ok(attached) => Policies::Known(attached),
        }
    };
    levels.iter().map(at).collect()
}

/// A policy that is of the kind, or may be.
struct Entry<'s> {
    name: &'s str,
    /// What it says, or what would settle that.
    policy: Result<Policy, String>,
    /// The ids of what it is attached to; `None` when nobody said.
    targets: Option<&'s Vec<String>>,
}

/// Those that are listed as of the kind, those that are listed without one, and those that are attached to something and not listed.
fn entries(file: &OrganizationPolicies, kind: Kind) -> Vec<Entry<'_>> {
    let listed = file.policies.iter().filter_map(|policy| {
        let name = policy.name.as_deref().or(policy.id.as_deref()).unwrap_or("a policy of the organization");
        let policy_of_kind = match policy.r#type.as_deref() {
            Some(word) if word == kind.word() => {
                Ok(policy.content.as_deref().map_or_else(|| Policy::not_collected(name), |text| Policy::parse_text(name, text)))
            }
            Some(_) => return None,
            None => Err(format!("collect organization-policies.json again: of which kind {name} is does not stand there")),
        };
        Some(Entry { name, policy: policy_of_kind, targets: policy.id.as_ref().and_then(|id| file.targets.get(id)) })
    });
    let is_listed = |id: &str| file.policies.iter().any(|policy| policy.id.as_deref() == Some(id));
    let unlisted = file.targets.iter().filter(|(id, _)| !is_listed(id)).map(|(id, targets)| Entry {
        name: id,
        policy: Err(format!("collect organization-policies.json again: {id} is attached to something, and not among its policies")),
        targets: Some(targets),
    });
    listed.chain(unlisted).collect()
}
