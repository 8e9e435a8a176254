//! All policies that apply to a request, and what they decide together.
//!
//! Sources: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html>,
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html>,
//! <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_evaluation.html>,
//! <https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html>.
//!
//! Not here: key policies of KMS and trust policies between IAM principals, which must allow by themselves, and ACLs.

use std::collections::BTreeSet;

use super::answer::{About, Answer, Doubt, PolicyKind, StatementId};
use super::document::{Effect, Policy};
use super::principal::Reach;
use super::statement::{Request, Statement};

/// The policies that apply, by kind. Which of them apply is the caller's to know: service control policies, for one, do not bind the
/// management account or service-linked roles.
#[derive(Debug, Clone, Default)]
pub struct Layers {
    /// Attached and inline policies of the role or user. Any of them may allow; without any, nothing is.
    pub identity: Policies,
    pub boundary: Policies,
    pub session: Policies,
    /// From the root of the organization to the account: each level must allow.
    pub service_control: Vec<Policies>,
    /// The same for the account that owns the resource.
    pub resource_control: Vec<Policies>,
    /// The policy of the bucket, queue or role. Within an account it adds to the identity's; across accounts both must allow.
    pub resource: Policies,
    /// The policy of the VPC endpoint that the request passes.
    pub endpoint: Policies,
}

#[derive(Debug, Clone, Default)]
pub enum Policies {
    /// None apply: a boundary or an endpoint that is not there forbids nothing.
    #[default]
    None,
    /// All that apply; one that allows is enough.
    Known(Vec<Policy>),
    /// There may be any; the text says why that is not known.
    Unknown(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Allow,
    Deny,
    Unknown,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    pub verdict: Verdict,
    pub reason: Reason,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// These statements surely allow, every layer that must.
    Allowed(Vec<StatementId>),
    /// These statements surely deny.
    ExplicitDeny(Vec<StatementId>),
    /// The policies of these kinds surely do not allow.
    NoAllow(Vec<PolicyKind>),
    /// Everything that the answer hangs on.
    Open(Vec<Doubt>),
}

/// What one kind of policies says.
struct Judged {
    kind: PolicyKind,
    /// Whether there are policies of the kind that bind the principal, as far as is known.
    applies: bool,
    /// Whether a principal like this has policies of the kind at all.
    applies_to_principal: bool,
    allow: Reach,
    deny: Answer,
    allowing: Vec<StatementId>,
    denying: Vec<StatementId>,
}

/// Decides a request. Takes time in proportion to the statements; a statement's patterns, to the product of lengths.
pub fn evaluate(layers: &Layers, request: &Request<'_>) -> Decision {
    let has_boundary = match &layers.boundary {
        Policies::None => Answer::No,
        Policies::Known(_) => Answer::Yes,
        Policies::Unknown(why) => Answer::unknown(About::NotCollected(PolicyKind::PermissionsBoundary, why.clone())),
    };
    let judge = |kind, policies: &Policies| Judged::of(kind, policies, request, &has_boundary);
    let identity = judge(PolicyKind::Identity, &layers.identity);
    let boundary = judge(PolicyKind::PermissionsBoundary, &layers.boundary);
    let session = judge(PolicyKind::Session, &layers.session);
    let resource = judge(PolicyKind::Resource, &layers.resource);
    let grant = grant(request, &identity, &boundary, &session, &resource);
    let mut gates: Vec<Judged> = layers.service_control.iter().map(|level| judge(PolicyKind::ServiceControl, level)).collect();
    gates.extend(layers.resource_control.iter().map(|level| judge(PolicyKind::ResourceControl, level)));
    gates.push(judge(PolicyKind::Endpoint, &layers.endpoint));

    let passes = Answer::all(gates.iter().map(Judged::lets_pass));
    let deny = Answer::any([&identity, &boundary, &session, &resource].into_iter().chain(&gates).map(|judged| judged.deny.clone()));
    let judged: Vec<Judged> = [identity, boundary, session, resource].into_iter().chain(gates).collect();
    if deny == Answer::Yes {
        let reason = Reason::ExplicitDeny(statements(&judged, |judged| &judged.denying));
        return Decision { verdict: Verdict::Deny, reason };
    }
    match grant.clone().and(passes).and(deny.negate()) {
        Answer::Yes => Decision { verdict: Verdict::Allow, reason: Reason::Allowed(statements(&judged, |judged| &judged.allowing)) },
        Answer::No => {
            let is_within = request.principal.account().is_some_and(|account| request.resource_account == Some(account));
            Decision { verdict: Verdict::Deny, reason: Reason::NoAllow(refusing(&judged, &grant, is_within)) }
        }
        Answer::Unknown(doubts) => Decision { verdict: Verdict::Unknown, reason: Reason::Open(doubts.into_iter().collect()) },
    }
}

/// What identity-based and resource-based policies, the boundary and the session policy grant together.
fn grant(request: &Request<'_>, identity: &Judged, boundary: &Judged, session: &Judged, resource: &Judged) -> Answer {
    if !request.principal.has_policies() {
        return resource.allow.any();
    }
    let limits = boundary.lets_pass().and(session.lets_pass());
    let own = identity.allow.any();
    // Implicit denies of the other kinds count for a role that is named by its ARN, and not for what is given to the session itself.
    let delegated =
        resource.allow.as_account.clone().and(Answer::unknown(About::Undocumented("whether naming an account grants its own principals")));
    let limited = own.clone().or(resource.allow.as_role.clone()).or(delegated);
    let within = || resource.allow.directly.clone().or(limits.clone().and(limited));
    let across = || limits.clone().and(own).and(resource.allow.any());
    match (request.principal.account(), request.resource_account) {
        (Some(one), Some(other)) if one == other => within(),
        (Some(_), Some(_)) => across(),
        _ => within().either(across(), About::Request("whether the principal and the resource are in one account")),
    }
}

impl Judged {
    fn of(kind: PolicyKind, policies: &Policies, request: &Request<'_>, has_boundary: &Answer) -> Self {
        let is_of_principal =
            matches!(kind, PolicyKind::Identity | PolicyKind::PermissionsBoundary | PolicyKind::Session | PolicyKind::ServiceControl);
        let mut judged = Self {
            kind,
            applies: false,
            applies_to_principal: !is_of_principal || request.principal.has_policies(),
            allow: Reach::nobody(),
            deny: Answer::No,
            allowing: Vec::new(),
            denying: Vec::new(),
        };
        if !judged.applies_to_principal {
            return judged;
        }
        match policies {
            Policies::None => {}
            Policies::Unknown(why) => {
                let unknown = Answer::unknown(About::NotCollected(kind, why.clone()));
                judged.applies = true;
                judged.allow = Reach { directly: unknown.clone(), as_role: unknown.clone(), as_account: unknown.clone() };
                judged.deny = unknown;
            }
            Policies::Known(policies) => {
                judged.applies = true;
                for policy in policies {
                    judged.add(policy, request, has_boundary);
                }
            }
        }
        judged
    }

    fn add(&mut self, policy: &Policy, request: &Request<'_>, has_boundary: &Answer) {
        let id = |label: &str| StatementId { kind: self.kind, policy: policy.name.clone(), statement: label.to_owned() };
        let read = |statement: &Statement| {
            let id = id(&statement.label);
            (statement.effect, statement.matches(&id, policy.has_variables, request, has_boundary), id)
        };
        let around = policy.unreadable.iter().map(|part| {
            let id = id("(all)");
            (None, Reach::directly(Answer::unknown(About::Unreadable(part.clone())).within(&id)), id)
        });
        let all: Vec<_> = policy.statements.iter().map(read).chain(around).collect();
        for (effect, reach, id) in all {
            let any = reach.any();
            if effect != Some(Effect::Allow) {
                self.deny = self.deny.clone().or(any.clone());
            }
            if effect != Some(Effect::Deny) {
                let allow = &self.allow;
                self.allow = Reach {
                    directly: allow.directly.clone().or(reach.directly),
                    as_role: allow.as_role.clone().or(reach.as_role),
                    as_account: allow.as_account.clone().or(reach.as_account),
                };
            }
            match (effect, any) {
                (Some(Effect::Allow), Answer::Yes) => self.allowing.push(id),
                (Some(Effect::Deny), Answer::Yes) => self.denying.push(id),
                _ => {}
            }
        }
    }

    /// As a limit: policies of a kind that does not apply limit nothing.
    fn lets_pass(&self) -> Answer {
        if self.applies { self.allow.any() } else { Answer::Yes }
    }
}

/// The kinds of policies that surely do not allow what they would have to.
fn refusing(judged: &[Judged], grant: &Answer, is_within_account: bool) -> Vec<PolicyKind> {
    let is_refusal = |judged: &&Judged| match judged.kind {
        PolicyKind::Identity => *grant == Answer::No && judged.applies_to_principal && judged.allow.any() == Answer::No,
        // Within an account nobody misses a resource-based policy that is not there.
        PolicyKind::Resource => *grant == Answer::No && (judged.applies || !is_within_account) && judged.allow.any() == Answer::No,
        _ => judged.lets_pass() == Answer::No,
    };
    let kinds: BTreeSet<PolicyKind> = judged.iter().filter(is_refusal).map(|judged| judged.kind).collect();
    kinds.into_iter().collect()
}

fn statements(judged: &[Judged], which: impl Fn(&Judged) -> &Vec<StatementId>) -> Vec<StatementId> {
    judged.iter().flat_map(|judged| which(judged).iter().cloned()).collect::<BTreeSet<_>>().into_iter().collect()
}
