//! Which of the possible credentials win, and what the winner allows.

use super::action::Group;
use super::attachment::Attachment;
use super::patch_policy::{PatchPolicies, PatchPolicy};
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
    /// Whether the roles of the account were collected, and tell so much that more than one question can be asked of them.
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
    /// To take them through ssmmessages.
    pub ssmmessages: Known<bool>,
    /// Whether the role leaves the agent ec2messages alone.
    pub relies_on_ec2messages: Known<bool>,
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
    pub is_attach_allowed: Known<bool>,
    pub can_attach: Known<bool>,
    pub cannot_attach_because: String,
    /// The tags that the role lacks, as `key=value`.
    pub lacking_tags: Vec<String>,
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
    pub fn of(
        identities: &Identities<'a>,
        region: &Region<'a>,
        instance: &'a Instance,
        partition: &str,
        needs: &Needs,
        patch_policies: &PatchPolicies<'_>,
    ) -> Self {
        let profile = instance.iam_instance_profile.as_ref();
        let instance_profile = profile.and_then(|profile| profile.arn.as_deref().or(profile.id.as_deref()));
        let asker = |giver: Giver| Asker {
            partition,
            account: region.account,
            region: region.name,
            instance: instance.instance_id.as_deref(),
            giver,
            organization: identities.organization_of(region.account),
            organization_path: identities.organization_paths.get(region.account).map(String::as_str),
            captured_at: identities.captured_at,
        };
        let roles = identities.roles.get(region.account);
        let place = |(place, role)| Placed { account: region.account, region: region.name, place, role };
        let by_profile = match (profile, roles) {
            (None, _) => Way::closed(),
            (Some(_), None) => Way::unknown(&[identities.not_collected(region.account)]),
            (Some(profile), Some(roles)) => match roles.of_profile(profile) {
                Known::Known(None) => Way::without_role("it does not exist, or holds no role that exists".to_owned()),
                Known::Known(Some(found)) => Way::through(identities, place(found), &asker(Giver::Ec2)),
                Known::Unknown(why) => Way::unknown(&why),
            },
        };
        let dhmc_role = dhmc_role(region);
        let is_dhmc_on = dhmc_role.as_ref().map(Option::is_some);
        let by_dhmc = match (&dhmc_role, roles) {
            (Known::Known(None), _) => Way::closed(),
            (Known::Unknown(why), _) => Way::unknown(why),
            (Known::Known(Some(_)), None) => Way::unknown(&[identities.not_collected(region.account)]),
            (Known::Known(Some(name)), Some(roles)) => match roles.named(name) {
                Known::Known(None) => Way::without_role(format!("the role {name} does not exist")),
                Known::Known(Some(found)) => Way::through(identities, place(found), &asker(Giver::SystemsManager)),
                Known::Unknown(why) => Way::unknown(&why),
            },
        };
        let source = source(&by_profile, &by_dhmc);
        let candidates = candidates(&by_profile, &by_dhmc);
        let doubt = source.reasons();
        let judge = |candidate: &Candidate<'_, 'a>| match candidate {
            Candidate::Role(placed, giver) => permissions(identities, *placed, &asker(*giver), needs),
            Candidate::Unread => Permissions::all(&Grant::unknown(doubt.to_vec())),
            Candidate::Nothing => Permissions::all(&Grant::nothing("nothing lets the agent register")),
        };
        let permissions = candidates.iter().map(judge).reduce(|one, other| one.or(other, doubt));
        let permissions = permissions.unwrap_or_else(|| Permissions::all(&Grant::unknown(doubt.to_vec())));
        let policies = Targeting(patch_policies);
        let attachment = match (profile, by_profile.placed, &by_profile.has_role) {
            (None, ..) => Attachment::OfOwnProfile(asker(Giver::Ec2)),
            (Some(_), Some(placed), _) => Attachment::ToOther(placed, asker(Giver::Ec2)),
            (Some(_), None, Known::Unknown(why)) => Attachment::Unread(why.clone()),
            (Some(_), None, Known::Known(_)) => Attachment::Impossible,
        };
        let access = |candidate: &Candidate<'_, 'a>| match candidate {
            Candidate::Role(placed, Giver::Ec2) => {
                policies.access(identities, *placed, &asker(Giver::Ec2), &Attachment::ToReader(*placed, asker(Giver::Ec2)))
            }
            Candidate::Role(placed, giver) => policies.access(identities, *placed, &asker(*giver), &attachment),
            Candidate::Unread => policies.without_role(&Known::Unknown(doubt.to_vec())),
            // Without credentials, nothing is read.
            Candidate::Nothing => policies.without_role(&Known::Known(false)),
        };
        let bucket = candidates.iter().map(access).reduce(|one, other| one.or(&other, doubt));
        let bucket = bucket.unwrap_or_else(|| policies.without_role(&Known::Unknown(doubt.to_vec())));
        let winner = match (&source, candidates.first()) {
            (Known::Known(_), Some(Candidate::Role(placed, giver))) => Some((*placed, *giver)),
            _ => None,
        };
        // What leaves open whose credentials count leaves everything else open, too, unless a bucket is out of reach for all of them.
        let is_bucket_lost = bucket.may_read.is(&false) && bucket.can_attach.is(&false);
        let is_all_open = source.known().is_none() && !permissions.patching.is_allowed.is(&true) && !is_bucket_lost;
        let mut notes = winner.map(|(placed, _)| placed.role.remarks.clone()).unwrap_or_default();
        notes.extend(bucket.is_to_be_attached());
        let named = [&by_profile, &by_dhmc].into_iter().map(Way::role_name).find(|name| !name.is_empty()).unwrap_or_default();
        Self {
            instance_profile,
            is_role_read: roles.is_some() && !is_all_open,
            is_dhmc_on,
            source,
            role: winner.map_or(named, |(placed, _)| placed.role.name().to_owned()),
            permissions,
            bucket,
            notes,
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

/// Whose credentials it may come to: one where that is known.
#[derive(Debug)]
enum Candidate<'r, 'a> {
    Role(Placed<'r, 'a>, Giver),
    /// A role that was not collected.
    Unread,
    Nothing,
}

fn candidates<'r, 'a>(by_profile: &Way<'r, 'a>, by_dhmc: &Way<'r, 'a>) -> Vec<Candidate<'r, 'a>> {
    let role = |way: &Way<'r, 'a>, giver: Giver| way.placed.map_or(Candidate::Unread, |placed| Candidate::Role(placed, giver));
    let mut candidates = Vec::new();
    if !by_profile.may_register.is(&false) {
        candidates.push(role(by_profile, Giver::Ec2));
    }
    if !by_profile.may_register.is(&true) {
        if !by_dhmc.may_register.is(&false) {
            candidates.push(role(by_dhmc, Giver::SystemsManager));
        }
        if !by_dhmc.may_register.is(&true) {
            candidates.push(Candidate::Nothing);
        }
    }
    candidates
}

/// What holds whichever of two it is; where they differ, the doubt about which it is.
fn either(one: Known<bool>, other: &Known<bool>, doubt: &[Unknown]) -> Known<bool> {
    match (&one, other) {
        (Known::Known(holds), Known::Known(also)) if holds == also => one,
        _ => {
            let mut why: Vec<Unknown> = doubt.iter().chain(one.reasons()).chain(other.reasons()).cloned().collect();
            why.sort();
            why.dedup();
            Known::Unknown(why)
        }
    }
}

impl Permissions {
    fn all(grant: &Grant) -> Self {
        let is_allowed = || grant.is_allowed.clone();
        Self {
            messages: grant.clone(),
            ssmmessages: is_allowed(),
            relies_on_ec2messages: is_allowed(),
            patching: grant.clone(),
            others: grant.clone(),
        }
    }

    fn or(self, other: Self, doubt: &[Unknown]) -> Self {
        let or = |one: Grant, other: Grant| Grant { is_allowed: either(one.is_allowed, &other.is_allowed, doubt), ..one };
        Self {
            messages: or(self.messages, other.messages),
            ssmmessages: either(self.ssmmessages, &other.ssmmessages, doubt),
            relies_on_ec2messages: either(self.relies_on_ec2messages, &other.relies_on_ec2messages, doubt),
            patching: or(self.patching, other.patching),
            others: or(self.others, other.others),
        }
    }
}

impl BucketAccess {
    /// A remark where nothing is wrong but that Quick Setup has something to do first.
    fn is_to_be_attached(&self) -> Option<String> {
        let is_waiting = self.is_targeted.is(&true) && self.may_read.is(&false) && self.is_attach_allowed.is(&true);
        (is_waiting && !self.can_attach.is(&false)).then(|| {
            format!(
                "Quick Setup would have to attach what {} needs before a run works, and has not done so: {}.",
                self.policies, self.because
            )
        })
    }

    fn or(self, other: &Self, doubt: &[Unknown]) -> Self {
        Self {
            may_read: either(self.may_read, &other.may_read, doubt),
            is_attach_allowed: either(self.is_attach_allowed, &other.is_attach_allowed, doubt),
            can_attach: either(self.can_attach, &other.can_attach, doubt),
            ..self
        }
    }
}

fn permissions<'a>(identities: &Identities<'a>, placed: Placed<'_, 'a>, asker: &Asker<'_>, needs: &Needs) -> Permissions {
    let grant = |group: Group| (*identities.grant(placed, asker, group)).clone();
    let (channels, old) = (grant(Group::Channels), grant(Group::OldMessages));
    let ssmmessages = channels.is_allowed.clone();
    Permissions {
        relies_on_ec2messages: Known::Known(needs.has_ec2messages).and(ssmmessages.clone().negate()).and(old.is_allowed.clone()),
        ssmmessages,
        messages: messages(channels, old, needs),
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

/// The patch policies that target an instance, or may.
#[derive(Debug)]
struct Targeting<'i>(&'i PatchPolicies<'i>);

impl Targeting<'_> {
    fn without_role(&self, may_read: &Known<bool>) -> BucketAccess {
        let PatchPolicies { targeting, unseen, .. } = self.0;
        let names: Vec<&str> = targeting.iter().map(|(policy, _)| policy.name).collect();
        let is_unseen = unseen.as_ref().map_or(Known::Known(false), |why| Known::Unknown(vec![why.clone()]));
        let is_targeted = targeting.iter().fold(is_unseen, |any, (_, is_targeted)| any.or(is_targeted.clone()));
        let answer = if is_targeted.is(&false) { Known::Known(true) } else { may_read.clone() };
        BucketAccess {
            is_targeted,
            policies: names.join(", "),
            may_read: answer.clone(),
            because: String::new(),
            is_attach_allowed: Known::Known(false),
            can_attach: answer,
            cannot_attach_because: String::new(),
            lacking_tags: Vec::new(),
        }
    }

    /// What the buckets ask of a role. Of a policy of which it is not known whether it targets the instance, what is lacking is not
    /// known to matter; of policies that nobody saw, nothing is known.
    fn access<'a>(
        &self,
        identities: &Identities<'a>,
        placed: Placed<'_, 'a>,
        asker: &Asker<'_>,
        attachment: &Attachment<'_, 'a>,
    ) -> BucketAccess {
        let mut access = self.without_role(&Known::Known(true));
        let unseen = self.0.unseen.as_ref().map_or(Known::Known(true), |why| Known::Unknown(vec![why.clone()]));
        (access.may_read, access.can_attach) = (unseen.clone(), unseen);
        let (mut lacks, mut obstacles) = (Vec::new(), Vec::new());
        let mut attach_allowed = None;
        let mut is_any_left = Known::Known(false);
        let new_tags = |but: &PatchPolicy<'_>| {
            let Some(role) = attachment.role().filter(|role| but.needs_room_for_tag(role)) else { return 0..=0 };
            let brings_tag = |other: &PatchPolicy<'_>| !attachment.is_allowed(other).is(&false) && other.needs_room_for_tag(role);
            let is_other = |other: &PatchPolicy<'_>| other.name != but.name && brings_tag(other);
            let others = || self.0.targeting.iter().filter(|(other, _)| is_other(other));
            let surely = others().filter(|(other, is_targeted)| is_targeted.clone().and(attachment.is_allowed(other)).is(&true)).count();
            let perhaps = others().count() + self.0.beside.iter().filter(|other| is_other(other)).count();
            1 + surely..=1 + perhaps
        };
        for (policy, is_targeted) in &self.0.targeting {
            let if_targeted = |fact: Known<bool>| is_targeted.clone().negate().or(fact);
            let bucket = identities.bucket(policy, placed.account);
            let (may_read, lacking) = bucket.access(policy, placed.role, asker);
            access.may_read = access.may_read.and(if_targeted(may_read.clone()));
            lacks.extend(lacking);
            if !may_read.is(&true) {
                access.lacking_tags.extend(policy.tag_lacking(placed.role));
                let attaches = attachment.is_allowed(policy);
                is_any_left = is_any_left.or(if_targeted(may_read.or(attaches.clone())).negate());
                attach_allowed = Some(attach_allowed.unwrap_or(Known::Known(true)).and(if_targeted(attaches)));
                let (can_attach, why) = attachment.is_possible(identities, &bucket, policy, new_tags(policy));
                access.can_attach = access.can_attach.and(if_targeted(can_attach));
                obstacles.extend(why);
            }
        }
        lacks.dedup();
        obstacles.dedup();
        access.because = lacks.join("; ");
        access.is_attach_allowed = match attach_allowed {
            // Something is lacking: what Quick Setup attaches for one policy is no loss where another may lack nothing.
            Some(_) if access.may_read.is(&false) => is_any_left.negate(),
            attach_allowed => attach_allowed.unwrap_or(Known::Known(false)),
        };
        access.cannot_attach_because = obstacles.join("; ");
        access
    }
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
