//! Whose credentials an instance's agent uses, and what they allow: those of its instance profile, else of the Default Host Management
//! Configuration (DHMC).
//!
//! Decided on effective permissions and never on a policy's name: docs/decisions/0005-identity.md.
//!
//! Sources: <https://docs.aws.amazon.com/systems-manager/latest/userguide/fleet-manager-default-host-management-configuration.html>,
//! <https://docs.aws.amazon.com/systems-manager/latest/userguide/setup-instance-permissions.html>,
//! <https://docs.aws.amazon.com/systems-manager/latest/userguide/ssm-agent-technical-details.html>.

mod action;
mod attachment;
mod control;
mod credentials;
mod patch_policy;
mod permission;
mod role;

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use jiff::Timestamp;

pub use credentials::{BucketAccess, Identity, Needs, Permissions, Source};
pub use patch_policy::{PatchPolicies, PatchPolicy};
pub use permission::Grant;

use crate::model::known::Unknown;
use crate::policy_language::{Layers, ManagedPolicies, Policies};
use crate::scope::Tree;
use crate::snapshot::Snapshot;
use action::Group;
use patch_policy::Bucket;
use permission::{Asker, Giver, judge};
use role::{Role, Roles};

/// What was collected of IAM, ready to be asked for one instance after the other.
#[derive(Debug)]
pub struct Identities<'a> {
    snapshot: &'a Snapshot,
    /// By account; an account whose roles were not collected has no entry.
    roles: BTreeMap<&'a str, Roles<'a>>,
    managed: Option<ManagedPolicies>,
    /// By account in the organization: its value of `aws:PrincipalOrgPaths`.
    organization_paths: BTreeMap<&'a str, String>,
    captured_at: Option<Timestamp>,
    vouched: Vouched,
    /// What holds for every instance with a role, so that a thousand of them are judged once.
    judged: RefCell<HashMap<Key<'a>, Rc<Grant>>>,
}

/// What the user vouches for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Vouched {
    /// No service control policy and no resource control policy takes away what patching needs.
    pub no_control_policies: bool,
    /// Where the policy of a patch policy's bucket was not read, it is as Quick Setup writes it.
    pub bucket_policies_as_written: bool,
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
    pub fn new(snapshot: &'a Snapshot, vouched: Vouched) -> Self {
        let managed = ManagedPolicies::builtin().ok();
        let partition = snapshot.manifest.partition.as_deref().unwrap_or("aws");
        let read = |(account, seen): (&'a String, &'a crate::snapshot::AccountSnapshot)| {
            let file = seen.global.iam.as_ref()?;
            let of_kind = |kind| control::over(snapshot, account, kind, vouched.no_control_policies);
            let over = Layers {
                service_control: of_kind(control::Kind::Service),
                resource_control: of_kind(control::Kind::Resource),
                ..Layers::default()
            };
            Some((account.as_str(), Roles::of(account, partition, file, managed.as_ref(), &over)))
        };
        let roles = snapshot.accounts.iter().filter_map(read).collect();
        let organization_paths = organization_paths(snapshot);
        let captured_at = snapshot.manifest.captured_at.as_deref().and_then(|text| text.parse().ok());
        Self { snapshot, roles, managed, organization_paths, captured_at, vouched, judged: RefCell::default() }
    }

    /// The bucket of a patch policy, with what is known of who may read it. `account` is the instance's.
    fn bucket(&self, policy: &PatchPolicy<'_>, account: &str) -> Bucket {
        let over = |owner: &str| control::over(self.snapshot, owner, control::Kind::Resource, self.vouched.no_control_policies);
        let Some(owner) = policy.owner else {
            // It is this account's or the management account's, which no such policy binds.
            let own = over(account);
            let undecided = || vec![Policies::Unknown(format!("look up in which account {} was made", policy.name))];
            return Bucket::unread(policy, self.vouched, if own.is_empty() { own } else { undecided() });
        };
        let file = self.snapshot.accounts.get(owner).and_then(|account| account.global.bucket_policies.as_ref());
        match file.filter(|_| !policy.is_planned).zip(policy.bucket()).and_then(|(file, name)| file.bucket_policies.get(&name)) {
            Some(read) => Bucket::read(policy, read, over(owner)),
            None => Bucket::unread(policy, self.vouched, over(owner)),
        }
    }

    /// The service control policies over an account.
    fn service_control(&self, account: &str) -> Vec<Policies> {
        control::over(self.snapshot, account, control::Kind::Service, self.vouched.no_control_policies)
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

/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalorgpaths>
fn organization_paths(snapshot: &Snapshot) -> BTreeMap<&str, String> {
    let files = &snapshot.organization;
    let organization = files.organization.as_ref().and_then(|file| file.organization.id.as_deref());
    let tree = Tree::new(files);
    let accounts = files.accounts.iter().flat_map(|file| &file.accounts).filter_map(|account| account.id.as_deref());
    accounts.filter_map(|account| Some((account, format!("{}/{}/", organization?, tree.above(account)?.join("/"))))).collect()
}
