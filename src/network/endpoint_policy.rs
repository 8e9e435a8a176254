//! Endpoint policies: whether the requests that patching makes get past the endpoint. A request that a policy refuses ends in an error 403 on a
//! path that works, so that this is told apart from the network's verdict.
//!
//! Sources: <https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html>,
//! <https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-operations-s3-buckets.html>.

use std::collections::BTreeSet;

use super::goal::{Buckets, Goal, Requests};
use super::trace::Trace;
use super::verdict::{Authorization, Decision, HopKind};
use crate::model::known::Unknown;
use crate::model::{Estate, is_word};
use crate::policy_language::{
    Context, Effect, Layers, Policies, Policy, PolicyKind, Principal, Reason, Request, Resource, Verdict, evaluate,
};
use crate::snapshot::ec2::VpcEndpoint;

/// What AWS gives an endpoint for which nobody wrote a policy (<https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html>).
pub const DEFAULT_ENDPOINT_POLICY: &str = r#"{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]}"#;

/// Holds what the instance asks for against the policy of an endpoint on its way.
pub(super) fn pass(trace: &mut Trace, estate: &Estate<'_>, account: &str, endpoint: &VpcEndpoint, goal: &Goal) {
    let id = endpoint.vpc_endpoint_id.as_deref().unwrap_or_default();
    let mut statements = BTreeSet::new();
    let authorization = match endpoint.policy_document.as_deref() {
        Some(document) => judge(estate, account, endpoint, document, goal, &mut statements),
        None if goal.requests == Requests::None => Authorization::Allowed,
        // AWS tells the default too.
        None => unknown(id, format!("collect ec2-describe-vpc-endpoints.json again: the PolicyDocument of {id} is missing")),
    };
    let (decision, because) = match &authorization {
        Authorization::Allowed if statements.is_empty() => (Decision::Pass, "nothing is asked that its policy could refuse".to_owned()),
        Authorization::Allowed => {
            let statements = statements.into_iter().collect::<Vec<_>>().join(", ");
            (Decision::Pass, format!("its policy lets the requests pass (statement {statements})"))
        }
        Authorization::Denied { because, .. } => (Decision::Block, because.clone()),
        Authorization::Unknown(why) => (Decision::Unknown, why.first().map_or_else(String::new, |why| why.settled_by.clone())),
    };
    trace.hop(HopKind::EndpointPolicy, id, decision, because);
    trace.authorization = std::mem::take(&mut trace.authorization).and(authorization);
}

/// One who asks, and what for.
struct Asking<'r> {
    principal: Principal,
    context: Context,
    resource_account: Option<&'r str>,
    /// Actions, and on what: `*` where some of them are on one thing and some on nothing in particular.
    asked: Vec<(&'static str, String)>,
}

fn askings<'r>(estate: &Estate<'_>, account: &'r str, document: &str, goal: &'r Goal) -> Vec<Asking<'r>> {
    let partition = estate.snapshot.manifest.partition.as_deref().unwrap_or("aws");
    let objects = |bucket: &String| ("s3:GetObject", format!("arn:{partition}:s3:::{bucket}/*"));
    let of_role = |context, resource_account, asked| {
        vec![Asking { principal: Principal::SomeRole { account: account.to_owned() }, context, resource_account, asked }]
    };
    let of_aws = |Buckets { unsigned, presigned }: &Buckets| {
        let context = to_aws_buckets(estate, document, goal.port);
        let by_nobody = Asking {
            principal: Principal::Anonymous,
            context: by_nobody(context.clone()),
            resource_account: None,
            asked: unsigned.iter().map(objects).collect(),
        };
        let by_aws = Asking {
            principal: Principal::User { arn: format!("arn:{partition}:iam::{AWS_OWN}:user/{AWS_OWN}") },
            context: by_aws(context),
            resource_account: None,
            asked: presigned.iter().map(objects).collect(),
        };
        vec![by_nobody, by_aws]
    };
    match &goal.requests {
        Requests::None => Vec::new(),
        // What the agent asks Systems Manager for is its own account's; whose the buckets are is not published.
        Requests::Signed(actions) => {
            let asked = actions.iter().map(|action| (*action, "*".to_owned())).collect();
            of_role(of_signed(estate, account), Some(account), asked)
        }
        Requests::OfRole { bucket, owner } => {
            of_role(of_bucket(estate, account, owner.as_deref()), owner.as_deref(), vec![objects(bucket)])
        }
        Requests::OfAws(buckets) => of_aws(buckets),
        // Whatever the buckets are called, a policy that lets every object be read lets theirs.
        Requests::UnknownBuckets => of_aws(&Buckets { unsigned: vec!["*".to_owned()], presigned: Some("*".to_owned()) }),
    }
}

/// The ways in which the policy of an endpoint may be read. That of a gateway endpoint means an account's root user alone where it names the
/// account (<https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html>, "Principals for gateway endpoints"); AWS says so of
/// access that is granted, and nothing of what is denied.
fn readings(endpoint: &VpcEndpoint, id: &str, document: &str) -> Vec<Policy> {
    let policy = Policy::parse_text(id, document);
    if is_word(endpoint.vpc_endpoint_type.as_ref(), "Gateway") {
        let where_granted = policy.without_accounts(&[Effect::Allow]);
        let everywhere = where_granted.without_accounts(&[Effect::Deny]);
        vec![where_granted, everywhere]
    } else {
        vec![policy]
    }
}

/// Whether the policy lets pass what is asked; `allowing` learns the statements that do.
fn judge(
    estate: &Estate<'_>,
    account: &str,
    endpoint: &VpcEndpoint,
    document: &str,
    goal: &Goal,
    allowing: &mut BTreeSet<String>,
) -> Authorization {
    if goal.requests == Requests::None {
        return Authorization::Allowed;
    }
    let id = endpoint.vpc_endpoint_id.as_deref().unwrap_or_default();
    let readings: Vec<Layers> = readings(endpoint, id, document).into_iter().map(layers).collect();
    let mut verdict_on = |action: &str, resource: Resource<'_>, asking: &Asking<'_>| {
        let (principal, resource_account, context) = (&asking.principal, asking.resource_account, &asking.context);
        let request = Request { action, resource, principal, resource_account, context };
        let mut verdicts = Vec::new();
        for layers in &readings {
            let judgement = evaluate(layers, &request);
            if let Reason::Allowed(statements) = judgement.reason {
                let own = statements.into_iter().filter(|statement| statement.kind == PolicyKind::Endpoint);
                allowing.extend(own.map(|statement| statement.statement));
            }
            verdicts.push(judgement.verdict);
        }
        verdicts.into_iter().reduce(agreed).unwrap_or(Verdict::Unknown)
    };
    let (mut actions, mut denied) = (BTreeSet::new(), Vec::new());
    let mut open = Vec::new();
    for asking in askings(estate, account, document, goal) {
        for (action, resource) in &asking.asked {
            let named = if resource == "*" { (*action).to_owned() } else { format!("{action} on {resource}") };
            // Some of the actions are on a document or an instance, some on nothing in particular: what holds of both, holds.
            let of_any = verdict_on(action, Resource::Pattern(resource), &asking);
            let verdict = if resource == "*" { agreed(of_any, verdict_on(action, Resource::Exact("*"), &asking)) } else { of_any };
            match verdict {
                Verdict::Allow => {}
                Verdict::Deny => {
                    actions.insert(*action);
                    denied.push(named);
                }
                Verdict::Unknown => open.push(named),
            }
        }
    }
    if goal.requests == Requests::UnknownBuckets && !(denied.is_empty() && open.is_empty()) {
        let what = "s3:GetObject on the buckets that patching reads: AWS does not publish their names in this Region";
        return unknown(id, format!("check that the policy of {id} allows {what}"));
    }
    if !denied.is_empty() {
        let because = format!("its policy does not allow {}, so that requests end with error 403", denied.join(", "));
        return Authorization::Denied { endpoint: id.to_owned(), actions, because };
    }
    if !open.is_empty() {
        return unknown(id, format!("check that the policy of {id} allows {}", open.join(", ")));
    }
    Authorization::Allowed
}

/// What holds of both.
fn agreed(left: Verdict, right: Verdict) -> Verdict {
    if left == right { left } else { Verdict::Unknown }
}

/// The bucket's own policy, or the role's, is another matter: here only the endpoint's counts.
fn layers(policy: Policy) -> Layers {
    Layers {
        identity: Policies::Known(vec![everything("")]),
        resource: Policies::Known(vec![everything(r#""Principal": "*", "#)]),
        endpoint: Policies::Known(vec![policy]),
        ..Layers::default()
    }
}

fn unknown(id: &str, settled_by: String) -> Authorization {
    Authorization::Unknown(vec![Unknown::new("endpoint_policy", id, settled_by)])
}

/// A policy that allows everything, to whom `principal` says.
fn everything(principal: &str) -> Policy {
    let statement = format!(r#"{{{principal}"Effect": "Allow", "Action": "*", "Resource": "*"}}"#);
    Policy::parse_text("everything", &format!(r#"{{"Statement": [{statement}]}}"#))
}

/// The agent reads most of AWS's own buckets without a signature: nobody's account and nobody's organization asks.
fn by_nobody(context: Context) -> Context {
    let context = [
        "aws:PrincipalOrgID",
        "aws:PrincipalOrgPaths",
        "aws:PrincipalAccount",
        "aws:PrincipalArn",
        "aws:username",
        "aws:SourceArn",
        "aws:SourceAccount",
        "aws:ViaAWSService",
        "aws:CalledVia",
        "aws:PrincipalServiceName",
    ]
    .into_iter()
    .fold(context, Context::absent);
    // (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#principaltable)
    let context = context.known("aws:PrincipalType", "Anonymous").known("aws:userid", "anonymous");
    context.nothing_else_under("aws:PrincipalTag/")
}

/// Others it reads by an address that AWS has signed: some account of AWS's asks, and whether it is in an organization is not published.
fn by_aws(context: Context) -> Context {
    let why = "who of AWS's signs the address is not published";
    let in_an_organization = [None, Some(AWS_OWN)];
    context
        .known("aws:PrincipalAccount", AWS_OWN)
        .one_of("aws:PrincipalOrgID", &in_an_organization, why)
        .one_of("aws:PrincipalOrgPaths", &in_an_organization, why)
        .one_of("aws:PrincipalArn", &[Some(AWS_OWN)], why)
        .absent("aws:SourceArn")
        .absent("aws:SourceAccount")
}

/// Whose the buckets are is not published, but they are none of the customer's.
fn to_aws_buckets(estate: &Estate<'_>, document: &str, port: u16) -> Context {
    let own = estate.own_accounts();
    let context = Context::new();
    let context = if port == 443 { context.known("aws:SecureTransport", "true") } else { context };
    let is_of_others = |id: &String| !own.contains(id);
    let named = twelve_digits(document);
    let is_about_own_accounts = !named.iter().any(is_of_others);
    let organization = estate.snapshot.organization.organization.as_ref().and_then(|file| file.organization.id.as_deref());
    let names_another_organization = organizations(document).iter().any(|id| Some(id.as_str()) != organization);
    let context = if is_about_own_accounts {
        context.known("aws:ResourceAccount", AWS_OWN).known("s3:ResourceAccount", AWS_OWN)
    } else {
        let why = "which of AWS's accounts owns the bucket is not published";
        context.unknown("aws:ResourceAccount", why).unknown("s3:ResourceAccount", why)
    };
    if names_another_organization && organization.is_some() {
        context.unknown("aws:ResourceOrgID", "which of AWS's organizations owns the bucket is not published")
    } else {
        let (why, in_an_organization) = ("whether AWS's account is in an organization is not published", [None, Some(AWS_OWN)]);
        context.one_of("aws:ResourceOrgID", &in_an_organization, why).one_of("aws:ResourceOrgPaths", &in_an_organization, why)
    }
}

/// Stands for an account or organization of AWS's own, which is never a customer's.
const AWS_OWN: &str = "amazon";

fn of_signed(estate: &Estate<'_>, account: &str) -> Context {
    let context = Context::new().known("aws:PrincipalAccount", account).known("aws:SecureTransport", "true");
    match estate.snapshot.organization.organization.as_ref().and_then(|file| file.organization.id.as_deref()) {
        Some(organization) => context.known("aws:PrincipalOrgID", organization),
        None => context.unknown("aws:PrincipalOrgID", "the organization was not collected"),
    }
}

/// The bucket of a patch policy is the organization's own.
fn of_bucket(estate: &Estate<'_>, account: &str, owner: Option<&str>) -> Context {
    let organization = estate.snapshot.organization.organization.as_ref().and_then(|file| file.organization.id.as_deref());
    let context = of_signed(estate, account);
    let context = match owner {
        Some(owner) => context.known("aws:ResourceAccount", owner).known("s3:ResourceAccount", owner),
        None => context,
    };
    match organization {
        Some(organization) => context.known("aws:ResourceOrgID", organization),
        None => context,
    }
}

fn words(document: &str) -> impl Iterator<Item = &str> {
    document.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'))
}

fn twelve_digits(document: &str) -> BTreeSet<String> {
    words(document).filter(|word| word.len() == 12 && word.bytes().all(|byte| byte.is_ascii_digit())).map(str::to_owned).collect()
}

fn organizations(document: &str) -> BTreeSet<String> {
    words(document).filter(|word| word.starts_with("o-")).map(str::to_owned).collect()
}
