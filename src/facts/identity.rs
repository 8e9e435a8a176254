//! The facts about an instance's credentials and what they allow.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::words;
use crate::identity::{BucketAccess, Grant, Identity, Source};
use crate::model::known::Known;

/// Whose credentials the agent uses, and what they allow: decided on the policies, never on their names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IdentityFacts {
    pub has_instance_profile: bool,
    /// The profile's ARN; empty when there is none.
    pub instance_profile: String,
    /// Whether the roles of the account were collected, and tell so much that more than one question can be asked of them: while they do not,
    /// `patch-actions-not-allowed` alone says so.
    pub is_role_read: bool,
    /// Whether the instance profile exists and holds a role that exists.
    pub profile_has_role: Known<bool>,
    /// Whether the trust policy of the profile's role lets EC2 hand it out.
    pub is_profile_role_trusted: Known<bool>,
    /// Whether the agent can register with the credentials of the instance profile (`ssm:UpdateInstanceInformation`).
    pub profile_may_register: Known<bool>,
    /// What keeps it from registering with them; one fragment of a sentence, or empty.
    pub profile_because: String,
    /// Whether the Default Host Management Configuration is on in the account and Region.
    pub is_dhmc_on: Known<bool>,
    /// The Default Host Management Configuration is on, and no instance profile lets the agent register.
    pub relies_on_dhmc: Known<bool>,
    /// Whether the agent can register with the role of the Default Host Management Configuration.
    pub dhmc_may_register: Known<bool>,
    /// What keeps it from registering with that role; one fragment of a sentence, or empty.
    pub dhmc_because: String,
    /// Whose credentials the agent uses.
    pub source: Known<CredentialSource>,
    /// The name of the role whose credentials the agent uses, or should; may be empty.
    pub role: String,
    /// To take commands: through ssmmessages, or through ec2messages where the agent or the role knows nothing else.
    pub messages: PermissionFacts,
    /// Whether the role leaves the agent ec2messages alone to take them by: an agent switches that off only where the role allows ssmmessages.
    pub relies_on_ec2messages: Known<bool>,
    /// To run a patch operation and tell its result: associations, the patch snapshot, inventory and compliance.
    pub patching: PermissionFacts,
    /// What else SSM Agent does.
    pub others: PermissionFacts,
    pub patch_policy: PatchPolicyAccessFacts,
}

/// Whether the credentials that the agent uses allow some actions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PermissionFacts {
    pub is_allowed: Known<bool>,
    /// Which actions are not allowed, and why; one fragment of a sentence, or empty.
    pub because: String,
}

/// The bucket of the patch policies of Quick Setup that target the instance: a run begins with reading it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PatchPolicyAccessFacts {
    /// Whether a patch policy targets the instance, one that exists or one that is planned.
    pub is_targeted: Known<bool>,
    /// The names of those policies, with commas between them.
    pub policies: String,
    /// Whether the role may read the bucket of each: by its own policies, and by its tag `QSConfigId-<id>`.
    pub may_read_bucket: Known<bool>,
    /// What is lacking; one fragment of a sentence, or empty.
    pub because: String,
    /// Whether each policy in question was made with "Add required IAM policies to existing instance profiles".
    pub is_attach_allowed: Known<bool>,
    /// Whether Quick Setup could attach what is lacking: quotas of the role, its boundary, whose it is.
    pub can_attach: Known<bool>,
    /// Why not; one fragment of a sentence, or empty.
    pub cannot_attach_because: String,
    /// The tags `QSConfigId-<id>=<id>` that the role lacks, with commas between them.
    pub lacking_tags: String,
}

words! {
    /// Whose credentials the agent uses; `none` when nothing lets it register.
    pub enum CredentialSource { InstanceProfile = "instance_profile", Dhmc = "dhmc", None = "none" }
}

impl IdentityFacts {
    pub(super) fn of(identity: &Identity<'_>) -> Self {
        Self {
            has_instance_profile: identity.instance_profile.is_some(),
            instance_profile: identity.instance_profile.unwrap_or_default().to_owned(),
            is_role_read: identity.is_role_read,
            profile_has_role: identity.profile_has_role.clone(),
            is_profile_role_trusted: identity.is_profile_role_trusted.clone(),
            profile_may_register: identity.profile_may_register.clone(),
            profile_because: identity.profile_because.clone(),
            is_dhmc_on: identity.is_dhmc_on.clone(),
            relies_on_dhmc: identity.relies_on_dhmc(),
            dhmc_may_register: identity.dhmc_may_register.clone(),
            dhmc_because: identity.dhmc_because.clone(),
            source: identity.source.clone().map(|source| match source {
                Source::InstanceProfile => CredentialSource::InstanceProfile,
                Source::Dhmc => CredentialSource::Dhmc,
                Source::Nothing => CredentialSource::None,
            }),
            role: identity.role.clone(),
            messages: permission(&identity.permissions.messages),
            relies_on_ec2messages: identity.permissions.relies_on_ec2messages.clone(),
            patching: permission(&identity.permissions.patching),
            others: permission(&identity.permissions.others),
            patch_policy: patch_policy(&identity.bucket),
        }
    }

    pub(super) fn healthy() -> Self {
        let allowed = || PermissionFacts { is_allowed: Known::Known(true), because: String::new() };
        Self {
            has_instance_profile: true,
            instance_profile: "arn:aws:iam::111111111111:instance-profile/example".to_owned(),
            is_role_read: true,
            profile_has_role: Known::Known(true),
            is_profile_role_trusted: Known::Known(true),
            profile_may_register: Known::Known(true),
            profile_because: String::new(),
            is_dhmc_on: Known::Known(false),
            relies_on_dhmc: Known::Known(false),
            dhmc_may_register: Known::Known(false),
            dhmc_because: String::new(),
            source: Known::Known(CredentialSource::InstanceProfile),
            role: "example".to_owned(),
            messages: allowed(),
            relies_on_ec2messages: Known::Known(false),
            patching: allowed(),
            others: allowed(),
            patch_policy: PatchPolicyAccessFacts {
                is_targeted: Known::Known(true),
                policies: "example".to_owned(),
                may_read_bucket: Known::Known(true),
                because: String::new(),
                is_attach_allowed: Known::Known(false),
                can_attach: Known::Known(true),
                cannot_attach_because: String::new(),
                lacking_tags: String::new(),
            },
        }
    }
}

fn permission(grant: &Grant) -> PermissionFacts {
    PermissionFacts { is_allowed: grant.is_allowed.clone(), because: grant.because.clone() }
}

fn patch_policy(bucket: &BucketAccess) -> PatchPolicyAccessFacts {
    PatchPolicyAccessFacts {
        is_targeted: bucket.is_targeted.clone(),
        policies: bucket.policies.clone(),
        may_read_bucket: bucket.may_read.clone(),
        because: bucket.because.clone(),
        is_attach_allowed: bucket.is_attach_allowed.clone(),
        can_attach: bucket.can_attach.clone(),
        cannot_attach_because: bucket.cannot_attach_because.clone(),
        lacking_tags: bucket.lacking_tags.join(", "),
    }
}
