//! Whose credentials an instance's agent uses, and what they allow: those of its instance profile, else of the Default Host Management
//! Configuration (DHMC).
//!
//! Decided on effective permissions and never on a policy's name: docs/decisions/0005-identity.md.
//!
//! Sources: <https://docs.aws.amazon.com/systems-manager/latest/userguide/fleet-manager-default-host-management-configuration.html>,
//! <https://docs.aws.amazon.com/systems-manager/latest/userguide/setup-instance-permissions.html>,
//! <https://docs.aws.amazon.com/systems-manager/latest/userguide/ssm-agent-technical-details.html>.

mod action;
mod control;
mod credentials;
mod patch_policy;
mod permission;
mod role;

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

pub use credentials::{BucketAccess, Identity, Needs, Permissions, Source};
pub use patch_policy::PatchPolicy;
pub use permission::Grant;

use crate::model::known::Unknown;
use crate::policy_language::{ManagedPolicies, Policies};
use crate::snapshot::Snapshot;
use action::Group;
use permission::{Asker, Giver, judge};
use role::{Role, Roles};

/// What was collected of IAM, ready to be asked for one instance after the other.
#[derive(Debug)]
pub struct Identities<'a> {
    snapshot: &'a Snapshot,
    /// By account; an account whose roles were not collected has no entry.
    roles: BTreeMap<&'a str, Roles<'a>>,
    managed: Option<ManagedPolicies>,
    /// The user vouches that no service control policy and no resource control policy takes away what patching needs.
    no_control_policies: bool,
    /// What holds for every instance with a role, so that a thousand of them are judged once.
    judged: RefCell<HashMap<Key<'a>, Rc<Grant>>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key<'a> {
    account: &'a str,
    role: usize,
    region: &'a str,
    giver: Giver,
    group: Group,
}

/// A role in its place among those of its account.
#[derive(Debug, Clone, Copy)]
struct Placed<'r, 'a> {
    account: &'a str,
    region: &'a str,
    place: usize,
    role: &'r Role<'a>,
}

impl<'a> Identities<'a> {
    /// `no_control_policies`: the user vouches that the organization's policies take nothing away.
    pub fn new(snapshot: &'a Snapshot, no_control_policies: bool) -> Self {
        let managed = ManagedPolicies::builtin().ok();
        let partition = snapshot.manifest.partition.as_deref().unwrap_or("aws");
        let read = |(account, seen): (&'a String, &'a crate::snapshot::AccountSnapshot)| {
            let file = seen.global.iam.as_ref()?;
            let over = control::over(snapshot, account, control::Kind::Service, no_control_policies);
            Some((account.as_str(), Roles::of(account, partition, file, managed.as_ref(), &over)))
        };
        let roles = snapshot.accounts.iter().filter_map(read).collect();
        Self { snapshot, roles, managed, no_control_policies, judged: RefCell::default() }
    }

    /// The resource control policies over what an account owns.
    fn resource_control(&self, owner: &str) -> Vec<Policies> {
        control::over(self.snapshot, owner, control::Kind::Resource, self.no_control_policies)
    }

    /// Why the roles of an account are not known.
    fn not_collected(&self, account: &str) -> Unknown {
        let gaps = &self.snapshot.manifest.gaps;
        let of = |concerns: fn(&str) -> bool| gaps.iter().find(|gap| gap.account_id == account && concerns(&gap.operation));
        let gap = of(|operation| operation.starts_with("iam:")).or_else(|| of(|operation| operation == "sts:AssumeRole"));
        match gap {
            Some(gap) => {
                let resource = format!("{} in {account} ({})", gap.operation, gap.reason.as_str());
                Unknown::new("fact_not_collected", resource, gap.reason.remedy())
            }
            None => Unknown::new(
                "fact_not_collected",
                format!("iam:GetRole in {account}"),
                "collect iam-get-account-authorization-details.json",
            ),
        }
    }

    /// The organization's id, where the account is known to be in it.
    fn organization_of(&self, account: &str) -> Option<&'a str> {
        let files = &self.snapshot.organization;
        let is_member = files.accounts.as_ref()?.accounts.iter().any(|member| member.id.as_deref() == Some(account));
        files.organization.as_ref()?.organization.id.as_deref().filter(|_| is_member)
    }

    /// What the role's policies say, judged once for all instances where it holds for all.
    fn grant(&self, placed: Placed<'_, 'a>, asker: &Asker<'_>, group: Group) -> Rc<Grant> {
        let Placed { account, region, place, role } = placed;
        let key = Key { account, role: place, region, giver: asker.giver, group };
        let known = self.judged.borrow().get(&key).cloned();
        let of_any = known.unwrap_or_else(|| {
            let grant = Rc::new(judge(role, &Asker { instance: None, ..*asker }, group));
            self.judged.borrow_mut().insert(key, Rc::clone(&grant));
            grant
        });
        if of_any.is_allowed.known().is_some() { of_any } else { Rc::new(judge(role, asker, group)) }
    }
}
