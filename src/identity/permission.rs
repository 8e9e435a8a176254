//! What a role's policies say to a group of actions.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::action::{Action, Group, On};
use super::role::{Role, TRUST_POLICY};
use crate::model::known::{Known, Unknown};
use crate::policy_language::{Context, Decision, Doubt, Layers, PolicyKind, Principal, Reason, Request, Resource, Verdict, evaluate};

/// What is allowed, and what is not and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    pub is_allowed: Known<bool>,
    /// The actions that are surely not allowed.
    pub refused: Vec<&'static str>,
    /// Why not; one fragment of a sentence, or empty.
    pub because: String,
}

impl Grant {
    /// Nothing is allowed, for one reason.
    pub(super) fn nothing(because: &str) -> Self {
        Self { is_allowed: Known::Known(false), refused: Vec::new(), because: because.to_owned() }
    }

    pub(super) fn unknown(why: Vec<Unknown>) -> Self {
        Self { is_allowed: Known::Unknown(why), refused: Vec::new(), because: String::new() }
    }

    /// Both must be allowed.
    pub(super) fn and(self, other: Self) -> Self {
        let because: Vec<String> = [self.because, other.because].into_iter().filter(|text| !text.is_empty()).collect();
        Self {
            is_allowed: self.is_allowed.and(other.is_allowed),
            refused: self.refused.into_iter().chain(other.refused).collect(),
            because: because.join("; "),
        }
    }
}

/// Who gives the role's credentials to the agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Giver {
    /// By the instance profile.
    Ec2,
    /// By Default Host Management Configuration.
    SystemsManager,
}

impl Giver {
    /// The principals that the trust policy must let in. China's EC2 is known by both names.
    pub(super) fn principals(self, partition: &str) -> &'static [&'static str] {
        match self {
            Self::Ec2 if partition == "aws-cn" => &["ec2.amazonaws.com.cn", "ec2.amazonaws.com"],
            Self::Ec2 => &["ec2.amazonaws.com"],
            Self::SystemsManager => &["ssm.amazonaws.com"],
        }
    }
}

/// Where a request comes from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asker<'s> {
    pub(super) partition: &'s str,
    pub(super) account: &'s str,
    pub(super) region: &'s str,
    /// `None` asks for any instance: the answer is given only if it holds for all.
    pub(super) instance: Option<&'s str>,
    pub(super) giver: Giver,
    /// The id of the organization that the account is in, where that is known.
    pub(super) organization: Option<&'s str>,
    /// The account's value of `aws:PrincipalOrgPaths`, where it is known.
    pub(super) organization_path: Option<&'s str>,
    /// When the snapshot was taken.
    pub(super) captured_at: Option<Timestamp>,
}

/// The agent's credentials are renewed every few hours ("We make new credentials available at least five minutes before the expiration of the
/// old credentials", <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-metadata-security-credentials.html>); twelve is the longest
/// that those of any role hold (<https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_update-role-settings.html>).
const LONGEST_SESSION: SignedDuration = SignedDuration::from_hours(12);

impl Asker<'_> {
    fn instance_arn(&self) -> Option<String> {
        let Self { partition, region, account, .. } = self;
        Some(format!("arn:{partition}:ec2:{region}:{account}:instance/{}", self.instance?))
    }

    /// What is known of the request's condition keys. Addresses, VPCs and endpoints are not: they depend on the path that it takes.
    pub(super) fn context(&self, role: &Role<'_>) -> Context {
        let mut context = Context::new()
            .known("aws:PrincipalArn", &role.arn)
            .known("aws:PrincipalAccount", self.account)
            .known("aws:PrincipalType", "AssumedRole")
            .known("aws:PrincipalIsAWSService", "false")
            .known("aws:ViaAWSService", "false")
            .known("aws:SecureTransport", "true")
            .known("aws:RequestedRegion", self.region)
            .absent("aws:CalledVia")
            // "Present in the request context only when the principal uses temporary credentials", and not when they are a role's: it depends on
            // the page (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-multifactorauthpresent>).
            .one_of("aws:MultiFactorAuthPresent", &[None, Some("false")], "AWS's pages disagree whether the credentials of a role have it")
            .absent("aws:MultiFactorAuthAge")
            .unknown("aws:CurrentTime", "what a date decides may be decided otherwise on the day of the rollout")
            .unknown("aws:EpochTime", "what a date decides may be decided otherwise on the day of the rollout")
            .absent("aws:username")
            .nothing_else_under("aws:PrincipalTag/");
        for tag in &role.detail.tags {
            context = context.known(&format!("aws:PrincipalTag/{}", tag.key), &tag.value);
        }
        if let Some(earliest) = self.captured_at.and_then(|at| at.checked_sub(LONGEST_SESSION).ok()) {
            context = context.since("aws:TokenIssueTime", earliest.to_string(), "the credentials may be up to twelve hours old");
        }
        if let Some(organization) = self.organization {
            context = context.known("aws:PrincipalOrgID", organization);
        }
        if let Some(path) = self.organization_path {
            context = context.known("aws:PrincipalOrgPaths", path);
        }
        // Of the credentials of an instance profile EC2 says which instance they are for; of the other kind nothing is documented.
        if let (Giver::Ec2, Some(arn)) = (self.giver, self.instance_arn()) {
            context = context.known("ec2:SourceInstanceARN", arn);
            if let (Some(id), Some(instance)) = (&role.detail.role_id, self.instance) {
                context = context.known("aws:userid", format!("{id}:{instance}"));
            }
        }
        context
    }

    /// What is known of a service's own request for a role. AWS does not say whether EC2 and Systems Manager name the instance as the source of it:
    /// without one, and with one.
    fn contexts_of_service(&self, service: &str) -> [Context; 2] {
        let mut context = Context::new()
            .known("aws:PrincipalIsAWSService", "true")
            .known("aws:PrincipalServiceName", service)
            .known("aws:SecureTransport", "true")
            .known("aws:ResourceAccount", self.account)
            .absent("aws:PrincipalOrgID")
            .absent("aws:PrincipalOrgPaths")
            .absent("sts:ExternalId")
            .nothing_else_under("aws:PrincipalTag/");
        if let Some(organization) = self.organization {
            context = context.known("aws:ResourceOrgID", organization);
        }
        let keys = ["aws:SourceArn", "aws:SourceAccount", "aws:SourceOrgID", "aws:SourceOrgPaths"];
        let without = keys.into_iter().fold(context.clone(), Context::absent);
        let mut with = context.known("aws:SourceAccount", self.account);
        if let Some(organization) = self.organization {
            with = with.known("aws:SourceOrgID", organization);
        }
        if let Some(path) = self.organization_path {
            with = with.known("aws:SourceOrgPaths", path);
        }
        [without, with]
    }

    pub(super) fn principal(&self, role: &Role<'_>) -> Principal {
        let session = if self.giver == Giver::Ec2 { self.instance.map(str::to_owned) } else { None };
        Principal::Role { arn: role.arn.clone(), session }
    }
}

/// Whether all actions of a group are allowed.
pub(super) fn judge(role: &Role<'_>, asker: &Asker<'_>, group: Group) -> Grant {
    let (context, principal) = (asker.context(role), asker.principal(role));
    let mut grant = Grant { is_allowed: Known::Known(true), refused: Vec::new(), because: String::new() };
    let mut causes: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for Action(name, on) in group.actions() {
        let ask = |on: &On| decide(&role.layers, name, *on, asker, &principal, &context);
        let decisions: Vec<Decision> = on.iter().map(ask).collect();
        let is_allowed = agreed(role, name, &decisions);
        if is_allowed.is(&false) {
            grant.refused.push(name);
            if let Some(decision) = decisions.first() {
                causes.entry(refusal(&decision.reason)).or_default().push(name);
            }
        }
        grant.is_allowed = grant.is_allowed.and(is_allowed);
    }
    let causes: Vec<String> = causes.into_iter().map(|(cause, actions)| format!("{} ({cause})", actions.join(", "))).collect();
    grant.because = causes.join("; ");
    grant
}

fn decide(layers: &Layers, action: &str, on: On, asker: &Asker<'_>, principal: &Principal, context: &Context) -> Decision {
    let Asker { partition, region, account, .. } = asker;
    let text = match on {
        On::Anything => "*".to_owned(),
        On::Instance => asker.instance_arn().unwrap_or_else(|| format!("arn:{partition}:ec2:{region}:{account}:instance/*")),
        On::Association => format!("arn:{partition}:ssm:{region}:{account}:association/*"),
        On::Document => format!("arn:{partition}:ssm:{region}::document/AWS-RunPatchBaseline"),
    };
    let is_pattern = matches!(on, On::Association) || (matches!(on, On::Instance) && asker.instance.is_none());
    let resource = if is_pattern { Resource::Pattern(&text) } else { Resource::Exact(&text) };
    evaluate(layers, &Request { action, resource, principal, resource_account: Some(account), context })
}

/// Whether decisions over the resources that a request may name come to the same.
fn agreed(role: &Role<'_>, action: &str, decisions: &[Decision]) -> Known<bool> {
    let all = |verdict: Verdict| decisions.iter().all(|decision| decision.verdict == verdict);
    if all(Verdict::Allow) {
        return Known::Known(true);
    }
    if all(Verdict::Deny) {
        return Known::Known(false);
    }
    let doubts = decisions.iter().flat_map(|decision| match &decision.reason {
        Reason::Open(doubts) => doubts.as_slice(),
        _ => &[],
    });
    let mut why: Vec<Unknown> = doubts.map(|doubt| open(role, doubt)).collect();
    if why.is_empty() {
        let settled_by = format!("allow {action} on every resource: AWS does not say on which one it asks, and the policies differ");
        why.push(Unknown::new("policy_undecided", &role.arn, settled_by));
    }
    why.sort();
    why.dedup();
    Known::Unknown(why)
}

fn open(role: &Role<'_>, doubt: &Doubt) -> Unknown {
    match (doubt.missing_document(), &doubt.statement) {
        (Some(TRUST_POLICY), _) => {
            Unknown::new("fact_not_collected", &role.arn, format!("collect the trust policy of {} (iam:GetRole)", role.name()))
        }
        (Some(policy), Some(statement)) => {
            let call = match statement.kind {
                PolicyKind::ServiceControl | PolicyKind::ResourceControl => "organizations:DescribePolicy",
                _ if role.has_inline(policy) => "iam:GetRolePolicy",
                _ => "iam:GetPolicyVersion",
            };
            Unknown::new("fact_not_collected", policy, format!("collect the document of {policy} ({call})"))
        }
        _ => Unknown::new("policy_undecided", &role.arn, format!("settle for the role {}: {doubt}", role.name())),
    }
}

/// One decision as a fact.
pub(super) fn known(role: &Role<'_>, action: &str, decision: &Decision) -> Known<bool> {
    agreed(role, action, std::slice::from_ref(decision))
}

/// Why a decision is a refusal; one fragment of a sentence.
pub(super) fn refusal(reason: &Reason) -> String {
    match reason {
        Reason::ExplicitDeny(statements) => match statements.first() {
            Some(statement) => format!("{statement} denies it"),
            None => "a statement denies it".to_owned(),
        },
        Reason::NoAllow(kinds) if kinds.contains(&PolicyKind::Identity) => "no policy of the role allows it".to_owned(),
        Reason::NoAllow(kinds) if kinds.contains(&PolicyKind::PermissionsBoundary) => {
            "the permissions boundary does not allow it".to_owned()
        }
        Reason::NoAllow(kinds) if kinds.contains(&PolicyKind::ServiceControl) => {
            "the service control policies over the account do not allow it".to_owned()
        }
        Reason::NoAllow(kinds) if kinds.contains(&PolicyKind::ResourceControl) => {
            "the resource control policies over the owner's account do not allow it".to_owned()
        }
        Reason::NoAllow(kinds) if kinds.contains(&PolicyKind::Resource) => "its policy does not allow it".to_owned(),
        _ => "nothing allows it".to_owned(),
    }
}

const ASSUME: &str = "sts:AssumeRole";

/// Whether the service may have the role: by its trust policy, and by the resource control policies over the account.
pub(super) fn trusts(role: &Role<'_>, asker: &Asker<'_>) -> Known<bool> {
    let by_trust_policy = Layers { resource_control: Vec::new(), ..role.trust.clone() };
    let of_service = |service: &&str| {
        let principal = Principal::Service((*service).to_owned());
        let ask = |layers: &Layers, context: &Context| {
            let resource = Resource::Exact(&role.arn);
            evaluate(layers, &Request { action: ASSUME, resource, principal: &principal, resource_account: Some(asker.account), context })
        };
        let trusted = known(role, ASSUME, &ask(&by_trust_policy, &Context::new().absent("sts:ExternalId")));
        if role.trust.resource_control.is_empty() {
            return trusted;
        }
        let passes = asker.contexts_of_service(service).map(|context| {
            let decision = ask(&role.trust, &context);
            match decision.verdict {
                // They bind STS and the services of AWS, but whether they bind what EC2 and Systems Manager do for an instance is not documented.
                Verdict::Deny => {
                    let (name, why) = (role.name(), refusal(&decision.reason));
                    Known::unknown("policy_undecided", &role.arn, format!("look whether {service} can assume {name} all the same: {why}"))
                }
                Verdict::Allow | Verdict::Unknown => known(role, ASSUME, &decision),
            }
        });
        passes.into_iter().fold(trusted, Known::and)
    };
    let services = asker.giver.principals(asker.partition).iter();
    services.map(of_service).fold(Known::Known(false), Known::or)
}
