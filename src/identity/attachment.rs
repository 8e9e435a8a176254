//! What Quick Setup does for an instance that cannot read the bucket of a patch policy.
//!
//! "Add required IAM policies to existing instance profiles attached to your instances" lets it attach policies to the role of an instance
//! profile, and tag it. To an instance without a profile it attaches one of its own, allowed or not:
//! <https://docs.aws.amazon.com/systems-manager/latest/userguide/quick-setup-patch-manager.html>.

use std::ops::RangeInclusive;

use super::action::Group;
use super::patch_policy::{Bucket, PatchPolicy, with_attached};
use super::permission::{Asker, Grant, judge, trusts};
use super::role::Role;
use super::{Identities, Placed};
use crate::model::known::{Known, Unknown};
use crate::policy_language::{Layers, Policies};
use crate::snapshot::ec2::Tag;
use crate::snapshot::global::RoleDetail;

/// The role and instance profile that Quick Setup makes.
const OWN_ROLE: &str = "AmazonSSMRoleForInstancesQuickSetup";

/// To whom the policies and the tag go.
#[derive(Debug)]
pub(super) enum Attachment<'r, 'a> {
    /// To the role whose credentials the agent uses.
    ToReader(Placed<'r, 'a>, Asker<'r>),
    /// To the role of an instance profile that does not let the agent register, so that it uses that of Default Host Management Configuration.
    /// With them it may register, and then goes before.
    ToOther(Placed<'r, 'a>, Asker<'r>),
    /// The instance has no profile, and gets one.
    OfOwnProfile(Asker<'r>),
    /// Which role the profile holds is not known.
    Unread(Vec<Unknown>),
    /// The profile holds no role.
    Impossible,
}

impl Attachment<'_, '_> {
    /// Whether the policy was made to do it.
    pub(super) fn is_allowed(&self, policy: &PatchPolicy<'_>) -> Known<bool> {
        if matches!(self, Self::OfOwnProfile(_)) { Known::Known(true) } else { policy.is_attach_allowed() }
    }

    /// Whether it lets the agent read the bucket, and if not, why. `tags_to_come` is how many the role gets, this policy's and others',
    /// at least and at most.
    pub(super) fn is_possible(
        &self,
        identities: &Identities<'_>,
        bucket: &Bucket,
        policy: &PatchPolicy<'_>,
        tags_to_come: RangeInclusive<usize>,
    ) -> (Known<bool>, Option<String>) {
        let (is_possible, why) = self.would_help(identities, bucket, policy, tags_to_come);
        // What was deployed has not done it so far. That may be a matter of minutes, or a failure.
        let has_come = if policy.is_planned { Known::Known(true) } else { self.is_yet_to_come(policy) };
        (is_possible.and(has_come), why)
    }

    fn is_yet_to_come(&self, policy: &PatchPolicy<'_>) -> Known<bool> {
        let (whom, what) = match self {
            Self::ToReader(placed, _) | Self::ToOther(placed, _) => (placed.role.name(), "its policies and its tag"),
            Self::OfOwnProfile(asker) => (asker.instance.unwrap_or_default(), "its instance profile"),
            Self::Unread(_) | Self::Impossible => return Known::Known(true),
        };
        let settled_by = format!("look whether Quick Setup gives {whom} {what} for {}: it has not done so yet", policy.name);
        Known::unknown("quick_setup_attaches", whom, settled_by)
    }

    /// The role that is tagged, where there is one.
    pub(super) fn role(&self) -> Option<&Role<'_>> {
        match self {
            Self::ToReader(placed, _) | Self::ToOther(placed, _) => Some(placed.role),
            Self::OfOwnProfile(_) | Self::Unread(_) | Self::Impossible => None,
        }
    }

    fn would_help(
        &self,
        identities: &Identities<'_>,
        bucket: &Bucket,
        policy: &PatchPolicy<'_>,
        tags_to_come: RangeInclusive<usize>,
    ) -> (Known<bool>, Option<String>) {
        let managed = identities.managed.as_ref();
        match self {
            Self::ToReader(placed, asker) => bucket.can_attach(policy, placed.role, asker, managed, tags_to_come),
            Self::ToOther(placed, asker) => match bucket.can_attach(policy, placed.role, asker, managed, tags_to_come) {
                (Known::Known(false), why) => (Known::Known(false), why),
                (can_attach, _) => {
                    let (takes_over, why) = takes_over(identities, *placed, asker);
                    (can_attach.and(takes_over), why)
                }
            },
            Self::OfOwnProfile(asker) => with_own_profile(identities, bucket, policy, asker),
            Self::Unread(why) => (Known::Unknown(why.clone()), None),
            Self::Impossible => (Known::Known(false), Some("its instance profile holds no role to attach anything to".to_owned())),
        }
    }
}

/// Whether the agent would use the credentials of its instance profile once its role has the policies, and work with them.
fn takes_over(identities: &Identities<'_>, placed: Placed<'_, '_>, asker: &Asker<'_>) -> (Known<bool>, Option<String>) {
    let role = placed.role;
    let is_trusted = trusts(role, asker);
    if is_trusted.is(&false) {
        return (is_trusted, Some(format!("{} is not trusted to EC2, and the agent would not use it", role.name())));
    }
    let Some(managed) = &identities.managed else { return (is_trusted, None) };
    let layers = with_attached(&role.layers, managed);
    let with = Role { detail: role.detail, arn: role.arn.clone(), layers, trust: role.trust.clone(), remarks: Vec::new() };
    let of = |group: Group| judge(&with, asker, group);
    let (channels, old) = (of(Group::Channels), of(Group::OldMessages));
    let messages = Grant { is_allowed: channels.is_allowed.clone().or(old.is_allowed), ..channels };
    let grant = of(Group::Registration).and(messages).and(of(Group::Associations)).and(of(Group::PatchSnapshot)).and(of(Group::Reports));
    let why = grant.is_allowed.is(&false).then(|| format!("{} would not let the agent work even so: {}", role.name(), grant.because));
    (is_trusted.and(grant.is_allowed), why)
}

/// Whether the role of Quick Setup's own profile could read the bucket.
fn with_own_profile(
    identities: &Identities<'_>,
    bucket: &Bucket,
    policy: &PatchPolicy<'_>,
    asker: &Asker<'_>,
) -> (Known<bool>, Option<String>) {
    let tag = policy.tag().map(|(key, value)| Tag { key, value: value.to_owned() });
    let detail = RoleDetail { role_name: Some(OWN_ROLE.to_owned()), tags: tag.into_iter().collect(), ..RoleDetail::default() };
    let nothing = Layers { identity: Policies::None, service_control: identities.service_control(asker.account), ..Layers::default() };
    let role = Role {
        detail: &detail,
        arn: format!("arn:{}:iam::{}:role/{OWN_ROLE}", asker.partition, asker.account),
        layers: identities.managed.as_ref().map_or_else(|| nothing.clone(), |managed| with_attached(&nothing, managed)),
        trust: Layers::default(),
        remarks: Vec::new(),
    };
    let (may_read, lacks) = bucket.access(policy, &role, asker);
    let why = may_read.is(&false).then(|| lacks.join("; "));
    (may_read, why)
}
