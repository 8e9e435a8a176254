//! What the organization's service control policies (SCPs) and resource control policies (RCPs) leave of what roles and buckets allow.
//!
//! Sources: <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_evaluation.html>,
//! <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html> (of the services that patching uses, RCPs
//! concern S3 alone).

use crate::policy_language::{Policies, Policy};
use crate::scope::Tree;
use crate::snapshot::Snapshot;

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
    let of_kind: Vec<_> = file.policies.iter().filter(|policy| policy.r#type.as_deref() == Some(kind.word())).collect();
    let targets = |policy: &crate::snapshot::global::OrganizationPolicy| policy.id.as_ref().and_then(|id| file.targets.get(id));
    // Where a kind is switched on, AWS attaches its own policy to every level; it is off if none is attached anywhere.
    if of_kind.iter().all(|policy| targets(policy).is_some_and(Vec::is_empty)) {
        return Vec::new();
    }
    let Some(mut levels) = Tree::new(files).above(account) else {
        return vec![Policies::Unknown(format!(
            "collect organizational-units.json: where {account} stands in the organization is not known"
        ))];
    };
    levels.push(account.to_owned());
    let unlisted = of_kind.iter().find(|policy| targets(policy).is_none());
    let at = |level: &String| {
        if let Some(policy) = unlisted {
            let name = policy.name.as_deref().or(policy.id.as_deref()).unwrap_or_default();
            return Policies::Unknown(format!("collect what {name} is attached to (organizations:ListTargetsForPolicy)"));
        }
        let attached = of_kind.iter().filter(|policy| targets(policy).is_some_and(|targets| targets.contains(level)));
        let attached: Vec<Policy> = attached
            .map(|policy| {
                let name = policy.name.as_deref().or(policy.id.as_deref()).unwrap_or("a policy of the organization");
                policy.content.as_deref().map_or_else(|| Policy::not_collected(name), |text| Policy::parse_text(name, text))
            })
            .collect();
        if attached.is_empty() {
            return Policies::Unknown(format!(
                "collect organization-policies.json again: every level has a policy, and {level} has none there"
            ));
        }
        Policies::Known(attached)
    };
    levels.iter().map(at).collect()
}
