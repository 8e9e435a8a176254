//! Which of the possible credentials win, and what the winner allows.

use super::action::Group;
use super::patch_policy::PatchPolicy;
use super::permission::{Asker, Giver, Grant, trusts};
use super::{Identities, Placed};
use crate::model::Region;
use crate::model::known::{Known, Unknown};
use crate::snapshot::ec2::Instance;

/// What an instance's agent may do, and as whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity<'a> {
    /// The ARN of the instance profile.
    pub instance_profile: Option<&'a str>,
    /// Whether the roles of the account were collected.
    pub is_role_read: bool,
    /// Whether the instance profile exists and holds a role that exists.
    pub profile_has_role: Known<bool>,
    /// Whether EC2 may hand out that role.
    pub is_profile_role_trusted: Known<bool>,
    /// Whether the agent can register with the credentials of the instance profile.
    pub profile_may_register: Known<bool>,
    /// What keeps it from registering with them; one fragment of a sentence, or empty.
    pub profile_because: String,
    pub is_dhmc_on: Known<bool>,
    /// Whether the agent can register with the role of DHMC.
    pub dhmc_may_register: Known<bool>,
    pub dhmc_because: String,
    pub source: Known<Source>,
    /// The name of the role whose credentials the agent uses, or that the profile or DHMC names where none of them works; may be empty.
    pub role: String,
    pub permissions: Permissions,
    pub bucket: BucketAccess,
    /// Remarks that change nothing, in whole sentences.
    pub notes: Vec<String>,
}

/// Where the agent's credentials come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    InstanceProfile,
    Dhmc,
    /// Nothing lets the agent register.
    Nothing,
}

/// What the winning credentials allow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permissions {
    /// To take commands.
    pub messages: Grant,
    /// To run a patch operation and to tell its result.
    pub patching: Grant,
    /// What else the agent does.
    pub others: Grant,
}

/// What decides how an agent takes its commands.
#[derive(Debug, Clone)]
pub struct Needs {
    /// Whether the Region has ec2messages.
    pub has_ec2messages: bool,
    /// Whether the agent is 3.3.40.0 or later.
    pub agent_prefers_ssmmessages: Known<bool>,
}

/// Access to the bucket of the patch policies that target the instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketAccess {
    pub is_targeted: Known<bool>,
    /// The names of the policies, with commas.
    pub policies: String,
    pub may_read: Known<bool>,
    /// What is lacking; one fragment of a sentence, or empty.
    pub because: String,
    /// Whether Quick Setup is allowed to attach what is lacking.
    pub is_attach_allowed: bool,
    pub can_attach: Known<bool>,
    pub cannot_attach_because: String,
}

/// One of the two ways to credentials.
#[derive(Debug)]
struct Way<'r, 'a> {
    placed: Option<Placed<'r, 'a>>,
    has_role: Known<bool>,
    is_trusted: Known<bool>,
    may_register: Known<bool>,
    because: String,
}

impl<'r, 'a> Way<'r, 'a> {
    fn closed() -> Self {
        let no = || Known::Known(false);
        Self { placed: None, has_role: no(), is_trusted: no(), may_register: no(), because: String::new() }
    }

    fn unknown(why: &[Unknown]) -> Self {
        let unknown = || Known::Unknown(why.to_vec());
        Self { placed: None, has_role: unknown(), is_trusted: unknown(), may_register: unknown(), because: String::new() }
    }

    fn without_role(because: String) -> Self {
        Self { because, ..Self::closed() }
    }

    fn through(identities: &Identities<'a>, placed: Placed<'r, 'a>, asker: &Asker<'_>) -> Self {
        let is_trusted = trusts(placed.role, asker);
        let registration = identities.grant(placed, asker, Group::Registration);
        let because = if is_trusted.is(&false) {
            format!(
                "the trust policy of {} does not let {} assume it",
                placed.role.name(),
                asker.giver.principals(asker.partition).join(" or ")
            )
        } else {
            registration.because.clone()
        };
        let may_register = is_trusted.clone().and(registration.is_allowed.clone());
        Self { placed: Some(placed), has_role: Known::Known(true), is_trusted, may_register, because }
    }

    fn role_name(&self) -> String {
        self.placed.map(|placed| placed.role.name().to_owned()).unwrap_or_default()
    }
}

impl<'a> Identity<'a> {
    pub fn of(identities: &Identities<'a>, region: &Region<'a>, instance: &'a Instance, partition: &str, needs: &Needs) -> Self {
        let profile = instance.iam_instance_profile.as_ref();
        let instance_profile = profile.and_then(|profile| profile.arn.as_deref().or(profile.id.as_deref()));
        let asker = |giver: Giver| Asker {
            partition,
            account: region.account,
            region: region.name,
            instance: instance.instance_id.as_deref(),
            giver,
            organization: identities.organization_of(region.account),
        };
        let roles = identities.roles.get(region.account);
        let place = |(place, role)| Placed { account: region.account, region: region.name, place, role };
        let by_profile = match (profile, roles) {
            (None, _) => Way::closed(),
            (Some(_), None) => Way::unknown(&[identities.not_collected(region.account)]),
            (Some(profile), Some(roles)) => match roles.of_profile(profile) {
                None => Way::without_role("it does not exist, or holds no role that exists".to_owned()),
                Some(found) => Way::through(identities, place(found), &asker(Giver::Ec2)),
            },
        };
        let dhmc_role = dhmc_role(region);
        let is_dhmc_on = dhmc_role.as_ref().map(|role| role.is_some());
        let by_dhmc = match (&dhmc_role, roles) {
            (Known::Known(None), _) => Way::closed(),
            (Known::Unknown(why), _) => Way::unknown(why),
            (Known::Known(Some(_)), None) => Way::unknown(&[identities.not_collected(region.account)]),
            (Known::Known(Some(name)), Some(roles)) => match roles.named(name) {
                None => Way::without_role(format!("the role {name} does not exist")),
                Some(found) => Way::through(identities, place(found), &asker(Giver::SystemsManager)),
            },
        };
        let source = source(&by_profile, &by_dhmc);
        let winner = match &source {
            Known::Known(Source::InstanceProfile) => by_profile.placed.map(|placed| (placed, Giver::Ec2)),
            Known::Known(Source::Dhmc) => by_dhmc.placed.map(|placed| (placed, Giver::SystemsManager)),
            Known::Known(Source::Nothing) | Known::Unknown(_) => None,
        };
        let permissions = match (winner, &source) {
            (Some((placed, giver)), _) => permissions(identities, placed, &asker(giver), needs),
            (None, Known::Unknown(why)) => Permissions::all(&Grant::unknown(why.clone())),
            (None, Known::Known(_)) => Permissions::all(&Grant::nothing("nothing lets the agent register")),
        };
        let bucket = bucket(identities, region, instance, winner, &asker(Giver::Ec2), &source);
        let named = [&by_profile, &by_dhmc].into_iter().map(Way::role_name).find(|name| !name.is_empty()).unwrap_or_default();
        Self {
            instance_profile,
            is_role_read: roles.is_some(),
            is_dhmc_on,
            source,
            role: winner.map_or(named, |(placed, _)| placed.role.name().to_owned()),
            permissions,
            bucket,
            notes: winner.map(|(placed, _)| placed.role.remarks.clone()).unwrap_or_default(),
            profile_has_role: by_profile.has_role,
            is_profile_role_trusted: by_profile.is_trusted,
            profile_may_register: by_profile.may_register,
            profile_because: by_profile.because,
            dhmc_may_register: by_dhmc.may_register,
            dhmc_because: by_dhmc.because,
        }
    }

    /// The instance profile is tried first, so DHMC counts only where that does not let the agent register.
    pub fn relies_on_dhmc(&self) -> Known<bool> {
        match &self.is_dhmc_on {
            Known::Known(false) => Known::Known(false),
            // With a profile that works, the setting does not matter.
            _ => self.profile_may_register.clone().negate().and(self.is_dhmc_on.clone()),
        }
    }
}

/// The profile first, DHMC where it does not let the agent register. A profile that does, and lets nothing else, stands in DHMC's way.
fn source(by_profile: &Way<'_, '_>, by_dhmc: &Way<'_, '_>) -> Known<Source> {
    match (&by_profile.may_register, &by_dhmc.may_register) {
        (Known::Known(true), _) => Known::Known(Source::InstanceProfile),
        (Known::Known(false), Known::Known(true)) => Known::Known(Source::Dhmc),
        (Known::Known(false), Known::Known(false)) => Known::Known(Source::Nothing),
        (Known::Unknown(why), _) | (_, Known::Unknown(why)) => Known::Unknown(why.clone()),
    }
}

impl Permissions {
    fn all(grant: &Grant) -> Self {
        Self { messages: grant.clone(), patching: grant.clone(), others: grant.clone() }
    }
}

fn permissions<'a>(identities: &Identities<'a>, placed: Placed<'_, 'a>, asker: &Asker<'_>, needs: &Needs) -> Permissions {
    let grant = |group: Group| (*identities.grant(placed, asker, group)).clone();
    Permissions {
        messages: messages(grant(Group::Channels), grant(Group::OldMessages), needs),
        patching: grant(Group::Associations).and(grant(Group::PatchSnapshot)).and(grant(Group::Reports)),
        others: grant(Group::Others),
    }
}

/// An agent before 3.3.40.0 takes its commands through ec2messages; a later one through ssmmessages, and through ec2messages where the role
/// allows nothing else. Regions launched since 2024 have no ec2messages.
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/systems-manager-setting-up-messageAPIs.html>
fn messages(channels: Grant, old: Grant, needs: &Needs) -> Grant {
    if !needs.has_ec2messages {
        return channels;
    }
    let either = Grant { is_allowed: channels.is_allowed.clone().or(old.is_allowed.clone()), ..channels };
    match &needs.agent_prefers_ssmmessages {
        Known::Known(true) => either,
        Known::Known(false) => old,
        Known::Unknown(_) if old.is_allowed == either.is_allowed => either,
        Known::Unknown(why) => {
            let why = why.iter().chain(old.is_allowed.reasons()).chain(either.is_allowed.reasons()).cloned().collect();
            Grant { is_allowed: Known::Unknown(why), ..old }
        }
    }
}

/// What the buckets of the policies that target the instance ask of the role whose credentials win.
fn bucket<'a>(
    identities: &Identities<'a>,
    region: &Region<'a>,
    instance: &Instance,
    winner: Option<(Placed<'_, 'a>, Giver)>,
    asker: &Asker<'_>,
    source: &Known<Source>,
) -> BucketAccess {
    let targets = |policy: &PatchPolicy| policy.targets(identities.snapshot, region.account, region.name, instance);
    let concerned: Vec<(&PatchPolicy, Known<bool>)> =
        identities.policies.iter().map(|policy| (policy, targets(policy))).filter(|(_, is_targeted)| !is_targeted.is(&false)).collect();
    let names: Vec<&str> = concerned.iter().map(|(policy, _)| policy.name.as_str()).collect();
    let mut access = BucketAccess {
        is_targeted: concerned.iter().fold(Known::Known(false), |any, (_, is_targeted)| any.or(is_targeted.clone())),
        policies: names.join(", "),
        may_read: Known::Known(true),
        because: String::new(),
        is_attach_allowed: false,
        can_attach: Known::Known(true),
        cannot_attach_because: String::new(),
    };
    if concerned.is_empty() {
        return access;
    }
    let Some((placed, giver)) = winner else {
        let nobody = match source {
            Known::Unknown(why) => Known::Unknown(why.clone()),
            // Without credentials, nothing is read.
            Known::Known(_) => Known::Known(false),
        };
        return BucketAccess { may_read: nobody.clone(), can_attach: nobody, ..access };
    };
    let asker = Asker { giver, ..*asker };
    let (mut lacks, mut obstacles) = (Vec::new(), Vec::new());
    let mut attach_allowed = Vec::new();
    for (policy, _) in concerned {
        let (may_read, lacking) = policy.access(placed.role, &asker);
        access.may_read = access.may_read.and(may_read.clone());
        lacks.extend(lacking);
        if !may_read.is(&true) {
            // Without the permission Quick Setup touches only instances that have no profile.
            attach_allowed.push(policy.is_attach_allowed && giver == Giver::Ec2);
            let (can_attach, why) = policy.can_attach(placed.role, &asker, identities.managed.as_ref());
            access.can_attach = access.can_attach.and(can_attach);
            obstacles.extend(why);
        }
    }
    lacks.dedup();
    access.because = lacks.join("; ");
    access.is_attach_allowed = !attach_allowed.is_empty() && attach_allowed.iter().all(|allowed| *allowed);
    obstacles.dedup();
    access.cannot_attach_because = obstacles.join("; ");
    access
}

/// The setting is per account and Region. AWS does not document its value for "off"; `$None` and an empty one were seen.
fn dhmc_role<'a>(region: &Region<'a>) -> Known<Option<&'a str>> {
    let Some(file) = &region.files.service_setting else {
        return Known::Unknown(vec![region.not_collected("ssm:GetServiceSetting")]);
    };
    let setting = &file.service_setting;
    let is_default = setting.status.as_deref().is_some_and(|status| status.eq_ignore_ascii_case("Default"));
    let role = setting.setting_value.as_deref().filter(|role| !role.is_empty() && *role != "$None" && !is_default);
    Known::Known(role)
}
