//! What the bucket of a patch policy asks of a role.
//!
//! Sources: <https://docs.aws.amazon.com/systems-manager/latest/userguide/quick-setup-patch-manager.html>,
//! <https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSQuickSetupPatchPolicyBaselineAccess.html>.

use std::ops::RangeInclusive;

use serde_json::{Value, json};

use crate::model::known::{Known, Unknown};
use crate::policy_language::{Context, Decision, Layers, ManagedPolicies, Policies, Policy, Principal, Request, Resource, evaluate};
use crate::snapshot::global::{BucketPolicy, patch_policy_bucket};

use super::Vouched;
use super::permission::{Asker, Giver, known, refusal};
use super::role::Role;

const ACTION: &str = "s3:GetObject";
/// What Quick Setup attaches where it is allowed to.
const ATTACHED: [&str; 2] = ["AmazonSSMManagedInstanceCore", BASELINE_ACCESS];
const BASELINE_ACCESS: &str = "AWSQuickSetupPatchPolicyBaselineAccess";
/// AWS's default quotas of a role: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>.
const MANAGED_POLICIES_A_ROLE: usize = 20;
/// As far as the quota can be raised.
const MOST_MANAGED_POLICIES: usize = 25;
const TAGS_A_ROLE: usize = 50;
/// An account that is not the role's. Asked as from there, the role's own word counts, whatever the bucket says.
const ANOTHER_ACCOUNT: &str = "another";
/// Stands for the id of a policy that is still to be made.
const TO_COME: &str = "<id>";

/// The patch policies that concern one instance.
#[derive(Debug, Clone, Default)]
pub struct PatchPolicies<'p> {
    /// Those that target it, or may.
    pub targeting: Vec<(PatchPolicy<'p>, Known<bool>)>,
    /// Those that may target other instances of its account, which may have the same role.
    pub beside: Vec<PatchPolicy<'p>>,
    /// Why there may be more of them; `None` when all were seen.
    pub unseen: Option<Unknown>,
}

/// A patch policy, as far as access to its bucket hangs on it.
#[derive(Debug, Clone, Copy)]
pub struct PatchPolicy<'p> {
    /// The id in the names of its bucket and of the role's tag.
    pub id: Option<&'p str>,
    pub name: &'p str,
    /// The account in which it was made, and which owns the bucket; `None` where only its associations tell of it.
    pub owner: Option<&'p str>,
    /// The Region of its bucket, where that is known.
    pub home: Option<&'p str>,
    /// "Add required IAM policies to existing instance profiles attached to your instances"; `None` where nobody said.
    pub is_attach_allowed: Option<bool>,
    /// It is what a plan makes of it: Quick Setup writes its bucket's policy for whom it targets then.
    pub is_planned: bool,
}

impl PatchPolicy<'_> {
    /// The name of its bucket.
    pub(super) fn bucket(&self) -> Option<String> {
        Some(patch_policy_bucket(self.owner?, self.id?))
    }

    fn shown_bucket(&self) -> String {
        patch_policy_bucket(self.owner.unwrap_or("*"), self.id.unwrap_or("*"))
    }

    /// It is still to be made: nobody knows its id, and no role can have its tag.
    fn is_new(&self) -> bool {
        self.is_planned && self.id.is_none()
    }

    /// The key and the value of the tag that the bucket's policy asks of the role, as Quick Setup writes it: `DenyAllButPrincipalsWithTag`.
    pub(super) fn tag(&self) -> Option<(String, &str)> {
        let id = self.id.or(self.is_new().then_some(TO_COME))?;
        Some((format!("QSConfigId-{id}"), id))
    }

    /// Whether a role needs room for the tag: one with another value is written over.
    pub(super) fn needs_room_for_tag(&self, role: &Role<'_>) -> bool {
        self.tag().is_some_and(|(tag, _)| !role.detail.tags.iter().any(|own| own.key.eq_ignore_ascii_case(&tag)))
    }

    /// The tag with its value, where the role does not have it.
    pub(super) fn tag_lacking(&self, role: &Role<'_>) -> Option<String> {
        let (tag, id) = self.tag().filter(|_| self.id.is_some())?;
        (!role.has_tag(&tag, id)).then(|| format!("{tag}={id}"))
    }

    /// The context of a role that has the tag.
    fn tagged(&self, context: &Context) -> Context {
        match self.tag() {
            Some((tag, id)) => context.clone().known(&format!("aws:PrincipalTag/{tag}"), id),
            None => context.clone(),
        }
    }

    /// Whether Quick Setup may attach what is lacking.
    pub(super) fn is_attach_allowed(&self) -> Known<bool> {
        match self.is_attach_allowed {
            Some(is_allowed) => Known::Known(is_allowed),
            None => {
                let settled_by = format!("look up in Quick Setup whether {} adds required IAM policies to instance profiles", self.name);
                Known::unknown("fact_not_collected", self.name, settled_by)
            }
        }
    }
}

/// The bucket of a patch policy, and who may read it.
#[derive(Debug)]
pub(super) struct Bucket {
    policy: Policies,
    /// The resource control policies over its owner.
    resource_control: Vec<Policies>,
    /// The account that is asked for the bucket, where that is known.
    owner: Option<String>,
}

impl Bucket {
    pub(super) fn read(policy: &PatchPolicy<'_>, read: &BucketPolicy, resource_control: Vec<Policies>) -> Self {
        let name = policy.shown_bucket();
        let policy_of_bucket = read.policy.as_ref().map_or(Policies::None, |text| Policies::Known(vec![Policy::parse_text(&name, text)]));
        Self { policy: policy_of_bucket, resource_control, owner: policy.owner.map(str::to_owned) }
    }

    /// Its policy was not collected: it may say anything, unless Quick Setup is going to write it, or the user vouches that it is as written.
    pub(super) fn unread(policy: &PatchPolicy<'_>, vouched: Vouched, resource_control: Vec<Policies>) -> Self {
        let name = policy.shown_bucket();
        let policy_of_bucket = match (policy.is_planned || vouched.bucket_policies_as_written, policy.tag()) {
            (true, Some((tag, id))) => Policies::Known(vec![Policy::parse(&name, &as_written(&tag, id))]),
            (true, None) => Policies::Unknown(format!("look up the id of {} in Quick Setup", policy.name)),
            (false, _) => Policies::Unknown(format!(
                "collect s3-get-bucket-policy.json (s3:GetBucketPolicy of {name}) in the account that made {}, or declare --assume quick-setup-bucket-policies",
                policy.name
            )),
        };
        Self { policy: policy_of_bucket, resource_control, owner: Some(ANOTHER_ACCOUNT.to_owned()) }
    }

    /// Whether the role may read what a run reads first, and if not, what is lacking.
    pub(super) fn access(&self, policy: &PatchPolicy<'_>, role: &Role<'_>, asker: &Asker<'_>) -> (Known<bool>, Vec<String>) {
        let context = asker.context(role);
        if policy.is_new() {
            return self.access_to_come(policy, role, &context, asker);
        }
        let may_read = known(role, ACTION, &self.decide(policy, &role.layers, &context, role, asker));
        let lacks = if may_read.is(&false) { self.lacks(policy, role, &context, asker) } else { Vec::new() };
        (may_read, lacks)
    }

    /// Access to the bucket of a policy that is still to be made. What the role's policies say is known; its tag somebody has yet to put there.
    fn access_to_come(
        &self,
        policy: &PatchPolicy<'_>,
        role: &Role<'_>,
        context: &Context,
        asker: &Asker<'_>,
    ) -> (Known<bool>, Vec<String>) {
        let (name, made) = (role.name(), policy.name);
        let to_do = |what: String| Known::unknown("policy_not_made", name, format!("once Quick Setup has made {made}, {what}"));
        let tag = policy.tag().map_or_else(String::new, |(tag, id)| format!("{tag}={id}"));
        if asker.giver == Giver::SystemsManager {
            // An instance without a profile is given one, with a role that has everything.
            let what = format!(
                "see whether it has given the instance its own instance profile, or attach {BASELINE_ACCESS} to {name} and put the tag {tag} on it"
            );
            return (to_do(what), Vec::new());
        }
        let with_tag = self.decide(policy, &role.layers, &policy.tagged(context), role, asker);
        let is_allowed = known(role, ACTION, &with_tag);
        let refused =
            is_allowed.is(&false).then(|| format!("{name} may not read {} ({})", policy.shown_bucket(), refusal(&with_tag.reason)));
        // Quick Setup tags the roles to which it may attach something, or nobody does before.
        let is_tagged = match policy.is_attach_allowed {
            Some(true) => Known::Known(false),
            _ => to_do(format!("put the tag {tag} on the role {name}, or plan it with attach_policies: true")),
        };
        (is_allowed.and(is_tagged), refused.into_iter().collect())
    }

    /// What keeps the role from reading, each party asked as if the other let everything pass.
    fn lacks(&self, policy: &PatchPolicy<'_>, role: &Role<'_>, context: &Context, asker: &Asker<'_>) -> Vec<String> {
        let name = policy.shown_bucket();
        let mut lacks = Vec::new();
        let open = Self {
            policy: Policies::Known(vec![open()]),
            resource_control: self.resource_control.clone(),
            owner: Some(ANOTHER_ACCOUNT.to_owned()),
        };
        let by_role = open.decide(policy, &role.layers, context, role, asker);
        if known(role, ACTION, &by_role).is(&false) {
            lacks.push(format!("{} may not read {name} ({})", role.name(), refusal(&by_role.reason)));
        }
        let unlimited = Layers { identity: Policies::Known(vec![everything()]), ..Layers::default() };
        let by_bucket = self.decide(policy, &unlimited, context, role, asker);
        let with_tag = self.decide(policy, &unlimited, &policy.tagged(context), role, asker);
        if let Some((tag, id)) = policy.tag()
            && with_tag.reason != by_bucket.reason
        {
            lacks.push(format!("the role {} has no tag {tag}={id}", role.name()));
        }
        if known(role, ACTION, &with_tag).is(&false) {
            lacks.push(format!("{name} does not let {} in ({})", role.name(), refusal(&with_tag.reason)));
        }
        lacks
    }

    /// Whether Quick Setup could give the role what it lacks, and if not, why.
    pub(super) fn can_attach(
        &self,
        policy: &PatchPolicy<'_>,
        role: &Role<'_>,
        asker: &Asker<'_>,
        managed: Option<&ManagedPolicies>,
        tags_to_come: RangeInclusive<usize>,
    ) -> (Known<bool>, Option<String>) {
        let no = |why: String| (Known::Known(false), Some(why));
        let name = role.name();
        if role.path().starts_with("/aws-service-role/") || role.path().starts_with("/aws-reserved/") {
            return no(format!("{name} belongs to AWS, and nobody may change it"));
        }
        let attached = role.detail.attached_managed_policies.len();
        let missing: Vec<&str> = ATTACHED.into_iter().filter(|policy| !role.has_attached(policy)).collect();
        // One that has more than the quota has had it raised.
        let most = if attached > MANAGED_POLICIES_A_ROLE { MOST_MANAGED_POLICIES } else { MANAGED_POLICIES_A_ROLE };
        if attached + missing.len() > most {
            return no(format!("{name} has {attached} managed policies of {most}, and lacks {}", missing.join(" and ")));
        }
        let tags = role.detail.tags.len();
        let (least, most) = tags_to_come.into_inner();
        let mut room = Known::Known(true);
        if least > 0 && tags + least > TAGS_A_ROLE {
            let lacks = if least > 1 { format!(", and lacks {least}") } else { String::new() };
            return no(format!("{name} has {tags} tags of {TAGS_A_ROLE}{lacks}"));
        }
        if least > 0 && tags + most > TAGS_A_ROLE {
            let settled_by =
                format!("make room for {most} tags on {name}: it has {tags} of {TAGS_A_ROLE}, and other policies may bring theirs");
            room = Known::unknown("quota_not_known", name, settled_by);
        }
        if attached > MANAGED_POLICIES_A_ROLE && !missing.is_empty() {
            let settled_by = format!("look up in Service Quotas how many managed policies {name} may have: it has {attached}");
            room = room.and(Known::unknown("quota_not_known", name, settled_by));
        }
        let Some(managed) = managed else {
            return (Known::unknown("table_has_no_row", name, "report this: the table of managed policies cannot be read"), None);
        };
        let decision = self.decide(policy, &with_attached(&role.layers, managed), &policy.tagged(&asker.context(role)), role, asker);
        let is_allowed = known(role, ACTION, &decision);
        if is_allowed.is(&false) {
            return (is_allowed, Some(format!("{name} could not read the bucket even so: {}", refusal(&decision.reason))));
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
        (is_allowed.and(room), None)
    }

    fn decide(&self, policy: &PatchPolicy<'_>, layers: &Layers, context: &Context, role: &Role<'_>, asker: &Asker<'_>) -> Decision {
        let layers = Layers { resource: self.policy.clone(), resource_control: self.resource_control.clone(), ..layers.clone() };
        // S3 may be asked in the instance's Region first, and send it on to the bucket's.
        let region = "aws:RequestedRegion";
        let mut context = match policy.home {
            Some(home) => {
                context.clone().one_of(region, &[Some(home), Some(asker.region)], "S3 is asked in the bucket's Region or the instance's")
            }
            None => context.clone().unknown(region, "the bucket's Region"),
        };
        if let Some(owner) = policy.owner {
            context = context.known("aws:ResourceAccount", owner).known("s3:ResourceAccount", owner);
        }
        // Whoever made the policy, it is an account of the same organization.
        if let Some(organization) = asker.organization {
            context = context.known("aws:ResourceOrgID", organization);
        }
        // The file that a run must read first.
        let object = format!("arn:{}:s3:::{}/baseline_overrides.json", asker.partition, policy.shown_bucket());
        let resource = if policy.bucket().is_some() { Resource::Exact(&object) } else { Resource::Pattern(&object) };
        let principal = asker.principal(role);
        let request =
            Request { action: ACTION, resource, principal: &principal, resource_account: self.owner.as_deref(), context: &context };
        evaluate(&layers, &request)
    }
}

/// A role's policies with what Quick Setup attaches.
pub(super) fn with_attached(layers: &Layers, managed: &ManagedPolicies) -> Layers {
    let mut layers = layers.clone();
    let attached = ATTACHED.iter().filter_map(|policy| managed.by_arn(&format!("arn:aws:iam::aws:policy/{policy}")));
    match &mut layers.identity {
        Policies::Known(policies) => policies.extend(attached),
        Policies::None => layers.identity = Policies::Known(attached.collect()),
        Policies::Unknown(_) => {}
    }
    layers
}

/// A role's policy that allows everything.
fn everything() -> Policy {
    let everything = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]});
    Policy::parse("a policy that allows everything", &everything)
}

/// A bucket's policy that lets everybody in.
fn open() -> Policy {
    let open = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": ACTION, "Resource": "*"}]});
    Policy::parse("a policy that lets everybody in", &open)
}

/// A bucket's policy as Quick Setup writes it, seen by a target of the patch policy: it lets the targets in, if the role has the tag.
fn as_written(tag: &str, id: &str) -> Value {
    let mut not_tagged = serde_json::Map::new();
    not_tagged.insert(format!("aws:PrincipalTag/{tag}"), id.into());
    json!({"Version": "2012-10-17", "Statement": [
        {"Sid": "Targets", "Effect": "Allow", "Principal": "*", "Action": ACTION, "Resource": "*"},
        {"Sid": "DenyAllButPrincipalsWithTag", "Effect": "Deny", "Principal": "*", "Action": ACTION, "Resource": "*",
            "Condition": {"StringNotEquals": not_tagged}},
    ]})
}

/// Whether the policies over the account let Quick Setup change the role. Its own role's name is not documented, so what they say to one role
/// and not to the other is not known.
fn may_change(role: &Role<'_>, asker: &Asker<'_>, action: &str) -> (Known<bool>, String) {
    let layers =
        Layers { identity: Policies::Known(vec![everything()]), service_control: role.layers.service_control.clone(), ..Layers::default() };
    let context = Context::new().known("aws:PrincipalAccount", asker.account).known("aws:PrincipalType", "AssumedRole");
    let principal = Principal::Role { arn: format!("arn:{}:iam::{}:role/AWS-QuickSetup", asker.partition, asker.account), session: None };
    let resource = Resource::Exact(&role.arn);
    let request = Request { action, resource, principal: &principal, resource_account: Some(asker.account), context: &context };
    let decision = evaluate(&layers, &request);
    (known(role, action, &decision), refusal(&decision.reason))
}
