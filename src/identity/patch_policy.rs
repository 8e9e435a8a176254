//! What the bucket of a patch policy asks of a role.
//!
//! Sources: <https://docs.aws.amazon.com/systems-manager/latest/userguide/quick-setup-patch-manager.html>,
//! <https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSQuickSetupPatchPolicyBaselineAccess.html>.

use crate::model::known::Known;
use crate::policy_language::{Context, Layers, ManagedPolicies, Policies, Policy, Principal, Request, Resource, evaluate};

use super::permission::{Asker, known, refusal};
use super::role::Role;

const ACTION: &str = "s3:GetObject";
/// What Quick Setup attaches where it is allowed to.
const ATTACHED: [&str; 2] = ["AmazonSSMManagedInstanceCore", "AWSQuickSetupPatchPolicyBaselineAccess"];
/// AWS's default quotas of a role: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>.
const MANAGED_POLICIES_A_ROLE: usize = 20;
const TAGS_A_ROLE: usize = 50;

/// A patch policy, as far as access to its bucket hangs on it.
#[derive(Debug, Clone, Copy)]
pub struct PatchPolicy<'p> {
    /// The id in the names of its bucket and of the role's tag.
    pub id: Option<&'p str>,
    pub name: &'p str,
    /// The account in which it was made, and which owns the bucket.
    pub owner: &'p str,
    /// "Add required IAM policies to existing instance profiles attached to your instances".
    pub is_attach_allowed: bool,
}

impl PatchPolicy<'_> {
    /// The file that a run must read first.
    fn object(&self, partition: &str) -> String {
        format!("arn:{partition}:s3:::aws-quicksetup-patchpolicy-{}-{}/baseline_overrides.json", self.owner, self.shown_id())
    }

    /// The tag that the bucket's policy asks of the role: `DenyAllButPrincipalsWithTag`.
    pub(super) fn tag(&self) -> Option<String> {
        Some(format!("QSConfigId-{}", self.id?))
    }

    /// Whether the role may read the bucket, and if not, what it lacks.
    /// `over_bucket` are the resource control policies over its owner.
    pub(super) fn access(&self, role: &Role<'_>, asker: &Asker<'_>, over_bucket: &[Policies]) -> (Known<bool>, Vec<String>) {
        let (is_allowed, refused) = self.identity_allows(&role.layers, role, asker, over_bucket);
        let mut lacks = Vec::new();
        if is_allowed.is(&false) {
            lacks.push(format!("{} may not read aws-quicksetup-patchpolicy-{}-{} ({refused})", role.name(), self.owner, self.shown_id()));
        }
        let has_tag = match (self.id, self.tag()) {
            (Some(id), Some(tag)) => {
                let has_tag = role.has_tag(&tag, id);
                if !has_tag {
                    lacks.push(format!("the role {} has no tag {tag}={id}", role.name()));
                }
                Known::Known(has_tag)
            }
            _ => Known::unknown("fact_not_collected", self.name, format!("look up the id of {} in Quick Setup", self.name)),
        };
        (is_allowed.and(has_tag), lacks)
    }

    fn shown_id(&self) -> &str {
        self.id.unwrap_or("*")
    }

    /// Whether the role's own policies let it read the bucket. The bucket's policy, which nobody may read, is taken to let the targets in.
    fn identity_allows(&self, layers: &Layers, role: &Role<'_>, asker: &Asker<'_>, over_bucket: &[Policies]) -> (Known<bool>, String) {
        let open = serde_json::json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": ACTION, "Resource": "*"}]});
        let layers = Layers {
            resource: Policies::Known(vec![Policy::parse("the bucket's policy", &open)]),
            resource_control: over_bucket.to_vec(),
            ..layers.clone()
        };
        let mut context =
            asker.context(role).known("aws:ResourceAccount", self.owner).unknown("aws:RequestedRegion", "the bucket's Region");
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
        over_bucket: &[Policies],
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
        let is_tagged = match (self.id, self.tag()) {
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
        let (is_allowed, refused) = self.identity_allows(&layers, role, asker, over_bucket);
        if is_allowed.is(&false) {
            return (is_allowed, Some(format!("{name} could not read the bucket even so: {refused}")));
        }
        let mut needed = vec!["iam:TagRole"];
        needed.extend((!missing.is_empty()).then_some("iam:AttachRolePolicy"));
        for action in needed {
            let (may, refused) = may_change(role, asker, action);
            if may.is(&false) {
                return (may, Some(format!("Quick Setup may not call {action} on {name}: {refused}")));
            }
            if may.known().is_none() {
                return (is_allowed.and(may), None);
            }
        }
        (is_allowed, None)
    }
}

/// Whether the policies over the account let Quick Setup change the role. Its own role's name is not documented, so what they say to one role
/// and not to the other is not known.
fn may_change(role: &Role<'_>, asker: &Asker<'_>, action: &str) -> (Known<bool>, String) {
    let everything = serde_json::json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]});
    let layers = Layers {
        identity: Policies::Known(vec![Policy::parse("Quick Setup's", &everything)]),
        service_control: role.layers.service_control.clone(),
        ..Layers::default()
    };
    let context = Context::new().known("aws:PrincipalAccount", asker.account).known("aws:PrincipalType", "AssumedRole");
    let principal = Principal::Role { arn: format!("arn:{}:iam::{}:role/AWS-QuickSetup", asker.partition, asker.account), session: None };
    let resource = Resource::Exact(&role.arn);
    let request = Request { action, resource, principal: &principal, resource_account: Some(asker.account), context: &context };
    let decision = evaluate(&layers, &request);
    (known(role, action, &decision), refusal(&decision.reason))
}
