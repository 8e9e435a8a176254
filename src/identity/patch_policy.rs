//! The patch policies that Quick Setup has deployed, whom they concern, and what their bucket asks of a role.
//!
//! Sources: <https://docs.aws.amazon.com/systems-manager/latest/userguide/quick-setup-patch-manager.html>,
//! <https://docs.aws.amazon.com/quick-setup/latest/APIReference/API_ConfigurationDefinitionInput.html>,
//! <https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSQuickSetupPatchPolicyBaselineAccess.html>.

use crate::model::known::{Known, Unknown};
use crate::policy_language::{Layers, ManagedPolicies, Policies, Policy, Request, Resource, evaluate};
use crate::snapshot::Snapshot;
use crate::snapshot::ec2::Instance;
use crate::snapshot::global::ConfigurationDefinition;

use super::permission::{Asker, known, refusal};
use super::role::Role;

const KIND: &str = "AWSQuickSetupType-PatchPolicy";
const ACTION: &str = "s3:GetObject";
/// What Quick Setup attaches where it is allowed to.
const ATTACHED: [&str; 2] = ["AmazonSSMManagedInstanceCore", "AWSQuickSetupPatchPolicyBaselineAccess"];
/// AWS's default quotas of a role: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>.
const MANAGED_POLICIES_A_ROLE: usize = 20;
const TAGS_A_ROLE: usize = 50;

/// A patch policy, as far as access to its bucket hangs on it.
#[derive(Debug, Clone)]
pub struct PatchPolicy {
    /// The id in the names of its bucket and of the role's tag.
    pub id: Option<String>,
    pub name: String,
    /// The account in which it was made, and which owns the bucket.
    pub owner: String,
    /// "Add required IAM policies to existing instance profiles attached to your instances".
    pub is_attach_allowed: bool,
    accounts: Vec<String>,
    units: Vec<String>,
    regions: Vec<String>,
    nodes: Nodes,
}

#[derive(Debug, Clone)]
enum Nodes {
    All,
    Instances(Vec<String>),
    Tag {
        key: String,
        value: String,
    },
    /// Members of a resource group, or something newer than this program.
    Unread(String),
}

impl PatchPolicy {
    /// All patch policies in what was collected of Quick Setup, by name.
    pub(super) fn all(snapshot: &Snapshot) -> Vec<Self> {
        let mut all: Vec<Self> = snapshot
            .accounts
            .iter()
            .filter_map(|(account, seen)| Some((account, seen.global.quick_setup.as_ref()?)))
            .flat_map(|(account, file)| {
                file.configuration_managers.iter().flat_map(move |manager| {
                    let name = manager.name.as_deref().unwrap_or_default();
                    let of_kind = |definition: &&ConfigurationDefinition| definition.r#type.as_deref() == Some(KIND);
                    manager.configuration_definitions.iter().filter(of_kind).map(move |definition| Self::read(account, name, definition))
                })
            })
            .collect();
        all.sort_by(|one, other| (&one.name, &one.id).cmp(&(&other.name, &other.id)));
        all
    }

    fn read(owner: &str, manager: &str, definition: &ConfigurationDefinition) -> Self {
        let text = |key: &str| definition.parameters.get(key).map(|text| text.trim()).filter(|text| !text.is_empty());
        let list = |key: &str| -> Vec<String> {
            text(key)
                .into_iter()
                .flat_map(|text| text.split(','))
                .map(|item| item.trim().to_owned())
                .filter(|item| !item.is_empty())
                .collect()
        };
        let nodes = match text("TargetType") {
            None | Some("*") => Nodes::All,
            Some("InstanceIds") => Nodes::Instances(list("TargetInstances")),
            Some("Tags") => Nodes::Tag {
                key: text("TargetTagKey").unwrap_or_default().to_owned(),
                value: text("TargetTagValue").unwrap_or_default().to_owned(),
            },
            Some(other) => Nodes::Unread(format!("{other} {}", text("ResourceGroupName").unwrap_or_default()).trim().to_owned()),
        };
        Self {
            // That the id of the definition is the one in the bucket's name is seen in public snapshots, and not documented.
            id: definition.id.clone().filter(|id| !id.is_empty()),
            name: text("PatchPolicyName").unwrap_or(manager).to_owned(),
            owner: owner.to_owned(),
            is_attach_allowed: text("IsPolicyAttachAllowed").is_some_and(|text| text.eq_ignore_ascii_case("true")),
            accounts: list("TargetAccounts"),
            units: list("TargetOrganizationalUnits"),
            regions: list("TargetRegions"),
            nodes,
        }
    }

    /// Whether the policy is for the instance: by account, Region and node.
    pub fn targets(&self, snapshot: &Snapshot, account: &str, region: &str, instance: &Instance) -> Known<bool> {
        let in_region = if self.regions.is_empty() {
            Known::Unknown(vec![self.unread("its Regions")])
        } else {
            Known::Known(self.regions.iter().any(|named| named == region))
        };
        in_region.and(self.targets_account(snapshot, account)).and(self.targets_node(instance))
    }

    fn targets_account(&self, snapshot: &Snapshot, account: &str) -> Known<bool> {
        if self.accounts.is_empty() && self.units.is_empty() {
            return Known::Known(account == self.owner);
        }
        // "Stack instances aren't deployed to your organization's management account."
        if account == self.owner {
            return Known::Known(false);
        }
        if self.accounts.iter().any(|named| named == account) {
            return Known::Known(true);
        }
        if self.units.is_empty() {
            return Known::Known(false);
        }
        let Some(tree) = &snapshot.organization.units else {
            return Known::unknown("fact_not_collected", "organizational-units.json", "collect organizational-units.json");
        };
        let mut place = account;
        // No tree is deeper than the root, five levels of units and the account.
        for _ in 0..10 {
            let Some(parent) = tree.parents.get(place) else { break };
            if self.units.iter().any(|unit| unit == parent) {
                return Known::Known(true);
            }
            place = parent;
        }
        Known::Known(false)
    }

    fn targets_node(&self, instance: &Instance) -> Known<bool> {
        match &self.nodes {
            Nodes::All => Known::Known(true),
            Nodes::Instances(ids) => Known::Known(instance.instance_id.as_ref().is_some_and(|id| ids.contains(id))),
            Nodes::Tag { key, value } => {
                let has = |tag: &crate::snapshot::ec2::Tag| tag.key == *key && (value.is_empty() || tag.value == *value);
                Known::Known(instance.tags.iter().any(has))
            }
            Nodes::Unread(what) => Known::Unknown(vec![self.unread(what)]),
        }
    }

    fn unread(&self, what: &str) -> Unknown {
        Unknown::new("patch_policy_target", &self.name, format!("look up in Quick Setup whom {} targets ({what})", self.name))
    }

    /// The file that a run must read first.
    fn object(&self, partition: &str) -> String {
        let id = self.id.as_deref().unwrap_or("*");
        format!("arn:{partition}:s3:::aws-quicksetup-patchpolicy-{}-{id}/baseline_overrides.json", self.owner)
    }

    /// The tag that the bucket's policy asks of the role: `DenyAllButPrincipalsWithTag`.
    pub(super) fn tag(&self) -> Option<String> {
        Some(format!("QSConfigId-{}", self.id.as_deref()?))
    }

    /// Whether the role may read the bucket, and if not, what it lacks.
    pub(super) fn access(&self, role: &Role<'_>, asker: &Asker<'_>) -> (Known<bool>, Vec<String>) {
        let (is_allowed, refused) = self.identity_allows(&role.layers, role, asker);
        let mut lacks = Vec::new();
        if is_allowed.is(&false) {
            lacks.push(format!("{} may not read aws-quicksetup-patchpolicy-{}-{} ({refused})", role.name(), self.owner, self.shown_id()));
        }
        let has_tag = match (&self.id, self.tag()) {
            (Some(id), Some(tag)) => {
                let has_tag = role.has_tag(&tag, id);
                if !has_tag {
                    lacks.push(format!("the role {} has no tag {tag}={id}", role.name()));
                }
                Known::Known(has_tag)
            }
            _ => Known::unknown("fact_not_collected", &self.name, format!("look up the id of {} in Quick Setup", self.name)),
        };
        (is_allowed.and(has_tag), lacks)
    }

    fn shown_id(&self) -> &str {
        self.id.as_deref().unwrap_or("*")
    }

    /// Whether the role's own policies let it read the bucket. The bucket's policy, which nobody may read, is taken to let the targets in.
    fn identity_allows(&self, layers: &Layers, role: &Role<'_>, asker: &Asker<'_>) -> (Known<bool>, String) {
        let open = serde_json::json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": ACTION, "Resource": "*"}]});
        let layers = Layers { resource: Policies::Known(vec![Policy::parse("the bucket's policy", &open)]), ..layers.clone() };
        let mut context =
            asker.context(role).known("aws:ResourceAccount", &self.owner).unknown("aws:RequestedRegion", "the bucket's Region");
        if let Some(organization) = asker.organization {
            context = context.known("aws:ResourceOrgID", organization);
        }
        let (object, principal) = (self.object(asker.partition), asker.principal(role));
        let resource = if self.id.is_some() { Resource::Exact(&object) } else { Resource::Pattern(&object) };
        // Asked as from another account, even within the owner's: there the role's own word counts, whatever the bucket says.
        let request = Request { action: ACTION, resource, principal: &principal, resource_account: Some("another"), context: &context };
        let decision = evaluate(&layers, &request);
        (known(role, ACTION, &decision), refusal(&decision.reason))
    }

    /// Whether Quick Setup could give the role what it lacks, and if not, why.
    pub(super) fn can_attach(
        &self,
        role: &Role<'_>,
        asker: &Asker<'_>,
        managed: Option<&ManagedPolicies>,
    ) -> (Known<bool>, Option<String>) {
        let no = |why: String| (Known::Known(false), Some(why));
        let name = role.name();
        if role.path().starts_with("/aws-service-role/") || role.path().starts_with("/aws-reserved/") {
            return no(format!("{name} belongs to AWS, and nobody may change it"));
        }
        let attached = role.detail.attached_managed_policies.len();
        let missing: Vec<&str> = ATTACHED.into_iter().filter(|policy| !role.has_attached(policy)).collect();
        if attached + missing.len() > MANAGED_POLICIES_A_ROLE {
            return no(format!("{name} has {attached} managed policies of {MANAGED_POLICIES_A_ROLE}, and lacks {}", missing.join(" and ")));
        }
        let tags = role.detail.tags.len();
        let is_tagged = match (&self.id, self.tag()) {
            (Some(id), Some(tag)) => role.has_tag(&tag, id),
            _ => false,
        };
        if !is_tagged && tags >= TAGS_A_ROLE {
            return no(format!("{name} has {tags} tags of {TAGS_A_ROLE}"));
        }
        let Some(managed) = managed else {
            return (Known::unknown("table_has_no_row", name, "report this: the table of managed policies cannot be read"), None);
        };
        let mut layers = role.layers.clone();
        if let Policies::Known(policies) = &mut layers.identity {
            policies.extend(ATTACHED.iter().filter_map(|policy| managed.by_arn(&format!("arn:aws:iam::aws:policy/{policy}"))));
        }
        let (is_allowed, refused) = self.identity_allows(&layers, role, asker);
        let why = is_allowed.is(&false).then(|| format!("{name} could not read the bucket even so: {refused}"));
        (is_allowed, why)
    }
}
