//! What an interface endpoint's private DNS answers for its VPC.
//!
//! Sources: <https://docs.aws.amazon.com/vpc/latest/privatelink/privatelink-access-aws-services.html>,
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/privatelink-interface-endpoints.html>.

use super::dns::{Answer, Place, Reached, Resolution};
use super::goal::{AnsweredBy, Goal};
use crate::model::is_word;
use crate::model::known::{Known, Unknown};
use crate::snapshot::ec2::VpcEndpoint;

/// Who asks a VPC's resolver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asker {
    /// What stands in the VPC.
    Inside,
    /// An inbound resolver endpoint of the VPC, for whoever asks that.
    InboundEndpoint,
}

/// The answer as far as the VPC's endpoints decide it.
pub(super) fn by_endpoint<'r, 'a>(place: &Place<'_, 'r, 'a>, goal: &Goal, asker: Asker) -> Resolution<'r, 'a> {
    let (region, vpc, host) = (place.region(), place.vpc_id(), &goal.host);
    if goal.private_zone.is_none() {
        return Resolution::one(Answer::Public, format!("no endpoint of AWS's answers for {host}"));
    }
    let endpoints = match region.endpoints(vpc) {
        Known::Known(endpoints) => endpoints,
        Known::Unknown(why) => return Resolution::either(vec![Answer::Anything], why, "the endpoints of the VPC are not known"),
    };
    // One that does not tell what it is may take the name.
    let is_untold = |endpoint: &&VpcEndpoint| {
        let may_be_interface = endpoint.vpc_endpoint_type.as_ref().is_none_or(|kind| is_word(Some(kind), "Interface"));
        let is_of_service = endpoint.service_name.is_none() || serves(endpoint, goal, region.name);
        let is_whole = endpoint.vpc_endpoint_type.is_some() && endpoint.service_name.is_some() && endpoint.vpc_id.is_some();
        may_be_interface && is_of_service && !is_whole && !is_down(endpoint) && endpoint.private_dns_enabled != Some(false)
    };
    let untold = region.endpoints_without_vpc().chain(endpoints.iter().copied()).find(is_untold);
    if let Some(endpoint) = untold {
        let id = endpoint.vpc_endpoint_id.as_deref().unwrap_or_default();
        let settled_by = "collect ec2-describe-vpc-endpoints.json again: an endpoint lacks its type, its service or its VPC";
        let why = vec![Unknown::new("fact_not_collected", id, settled_by)];
        return Resolution::either(vec![Answer::Public, Answer::Anything], why, format!("{id} does not tell what it is"));
    }
    let candidates = endpoints.iter().filter(|endpoint| is_interface_for(endpoint, goal, region.name) && !is_down(endpoint));
    // One that surely answers before one that may.
    let candidates = candidates.filter(|endpoint| endpoint.private_dns_enabled != Some(false) && covers(endpoint, goal));
    let Some(endpoint) = candidates.copied().min_by_key(|endpoint| (endpoint.state.is_none(), endpoint.private_dns_enabled.is_none()))
    else {
        return Resolution::one(Answer::Public, format!("no endpoint of {vpc} answers for {host}"));
    };
    let id = endpoint.vpc_endpoint_id.as_deref().unwrap_or_default();
    let mut depends_on = Vec::new();
    let mut is_certain = true;
    let mut doubt = |why: Vec<Unknown>| {
        is_certain = false;
        depends_on.extend(why);
    };
    if let Some(why) = doubtful_state(endpoint) {
        doubt(vec![why]);
    }
    if endpoint.private_dns_enabled.is_none() {
        doubt(vec![Unknown::new("fact_not_collected", id, "collect ec2-describe-vpc-endpoints.json again: PrivateDnsEnabled is missing")]);
    }
    if let Some(why) = doubtful_family(endpoint, goal) {
        doubt(vec![why]);
    }
    for attribute in [region.dns_support(vpc), region.dns_hostnames(vpc)] {
        match attribute {
            Known::Known(true) => {}
            Known::Known(false) => {
                return Resolution::one(Answer::Public, format!("private DNS of {id} has no effect: a DNS attribute of {vpc} is off"));
            }
            Known::Unknown(why) => doubt(why),
        }
    }
    if matches!(goal.answered_by, AnsweredBy::S3Elsewhere(_)) {
        let settled_by =
            format!("check on the instance what {host} resolves to: AWS does not say for which names {id}, of another Region, answers");
        doubt(vec![Unknown::new("private_dns_elsewhere", id, settled_by)]);
    }
    if goal.answered_by.service() == Some("s3") && asker == Asker::Inside {
        // S3's interface endpoint may answer resolvers outside the VPC only; inside, the gateway endpoint carries the traffic.
        match inbound_only(endpoint) {
            Some(true) => return Resolution::one(Answer::Public, format!("private DNS of {id} is for inbound resolver endpoints only")),
            Some(false) => {}
            None => {
                doubt(vec![Unknown::new(
                    "fact_not_collected",
                    id,
                    "collect ec2-describe-vpc-endpoints.json again: DnsOptions are missing",
                )]);
            }
        }
    }
    let reached = Answer::Endpoint(Reached { home: region, endpoint, addresses: None, by_name: None, is_private_name: true });
    let because = format!("private DNS of {id} answers for {host} in all of {vpc}");
    if is_certain { Resolution::one(reached, because) } else { Resolution::either(vec![reached, Answer::Public], depends_on, because) }
}

/// An endpoint of the VPC that would answer for the name if its type were not another one than Interface and Gateway.
pub(super) fn of_other_type<'a>(place: &Place<'_, '_, 'a>, goal: &Goal) -> Option<&'a VpcEndpoint> {
    goal.private_zone.as_ref()?;
    let region = place.region();
    let is_other = |endpoint: &VpcEndpoint| {
        let kind = endpoint.vpc_endpoint_type.as_ref();
        kind.is_some() && !is_word(kind, "Interface") && !is_word(kind, "Gateway")
    };
    let may_answer =
        |endpoint: &&VpcEndpoint| serves(endpoint, goal, region.name) && !is_down(endpoint) && endpoint.private_dns_enabled != Some(false);
    region.endpoints(place.vpc_id()).into_known()?.iter().copied().find(|endpoint| is_other(endpoint) && may_answer(endpoint))
}

/// The answer of an interface endpoint that a Route 53 Profile of the VPC brings, unless the VPC has one of its own.
pub(super) fn by_profile_endpoint<'r, 'a>(place: &Place<'_, 'r, 'a>, goal: &Goal) -> Option<Resolution<'r, 'a>> {
    let (region, vpc) = (place.region(), place.vpc_id());
    goal.private_zone.as_ref()?;
    let brought = region.profile_resources(vpc).into_known()?.endpoints;
    if brought.is_empty() || by_endpoint(place, goal, Asker::Inside).answers != [Answer::Public] {
        return None;
    }
    let mut missing = Vec::new();
    for id in brought {
        match place.estate.endpoint(region.name, id) {
            Some((home, endpoint)) if is_interface_for(endpoint, goal, region.name) && !is_down(endpoint) && covers(endpoint, goal) => {
                let reached = Answer::Endpoint(Reached { home, endpoint, addresses: None, by_name: None, is_private_name: true });
                let because = format!("a Route 53 Profile brings {id} to {vpc}");
                let mut doubts = Vec::from_iter(doubtful_state(endpoint));
                doubts.extend(doubtful_family(endpoint, goal));
                if endpoint.private_dns_enabled != Some(true) {
                    let settled_by = format!("check on the instance what {} resolves to: private DNS of {id} is not on", goal.asked);
                    doubts.push(Unknown::new("fact_not_collected", id, settled_by));
                }
                if matches!(goal.answered_by, AnsweredBy::S3Elsewhere(_)) {
                    let settled_by = format!("check on the instance what {} resolves to: {id} is of another Region", goal.asked);
                    doubts.push(Unknown::new("private_dns_elsewhere", id, settled_by));
                }
                if goal.answered_by.service() == Some("s3") && inbound_only(endpoint) != Some(false) {
                    let settled_by =
                        format!("check on the instance what {} resolves to: {id} may answer inbound resolver endpoints alone", goal.asked);
                    doubts.push(Unknown::new("fact_not_collected", id, settled_by));
                }
                // AWS asks for both attributes where an endpoint or a zone answers in its own VPC, and does not say what a Profile asks for.
                if !(region.dns_support(vpc).is(&true) && region.dns_hostnames(vpc).is(&true)) {
                    let settled_by = format!(
                        "turn on enableDnsSupport and enableDnsHostnames of {vpc}, or check on the instance what {} resolves to",
                        goal.asked
                    );
                    doubts.push(Unknown::new("fact_not_collected", vpc, settled_by));
                }
                let answers = if doubts.is_empty() { vec![reached] } else { vec![reached, Answer::Public] };
                return Some(Resolution::either(answers, doubts, because));
            }
            Some(_) => {}
            None => {
                let settled_by = format!("scan the account that owns {id} too: a Route 53 Profile of {vpc} brings it");
                missing.push(Unknown::new("owner_account_not_collected", id, settled_by));
            }
        }
    }
    let because = format!("a Route 53 Profile brings endpoints to {vpc} that were not seen");
    (!missing.is_empty()).then(|| Resolution::either(vec![Answer::Anything], missing, because))
}

/// Whether an endpoint may answer for the kind of name.
fn covers(endpoint: &VpcEndpoint, goal: &Goal) -> bool {
    goal.answered_by != AnsweredBy::DualStackS3 || covers_dual_stack(endpoint) != Some(false)
}

/// Whether an endpoint answers for the dual-stack names of S3: one for IPv4 alone does not; `None` when it does not tell its family.
pub(super) fn covers_dual_stack(endpoint: &VpcEndpoint) -> Option<bool> {
    endpoint.ip_address_type.as_ref().map(|kind| is_word(Some(kind), "dualstack") || is_word(Some(kind), "ipv6"))
}

/// Whether S3's endpoint answers inbound resolver endpoints alone; `None` when it does not tell.
fn inbound_only(endpoint: &VpcEndpoint) -> Option<bool> {
    endpoint.dns_options.as_ref()?.private_dns_only_for_inbound_resolver_endpoint
}

/// Why an interface endpoint of S3 answers for no name in its VPC: what its private DNS is.
pub(super) fn why_asleep(endpoint: &VpcEndpoint) -> Option<&'static str> {
    match (endpoint.private_dns_enabled, inbound_only(endpoint)) {
        (Some(false), _) => Some("off"),
        (_, Some(true)) => Some("for inbound resolver endpoints alone"),
        _ => None,
    }
}

pub(super) fn is_available(endpoint: &VpcEndpoint) -> bool {
    is_word(endpoint.state.as_ref(), "available")
}

/// Whether an endpoint is surely not available. One that does not tell its state is neither.
pub(super) fn is_down(endpoint: &VpcEndpoint) -> bool {
    endpoint.state.is_some() && !is_available(endpoint)
}

/// Why it is not known whether an endpoint is available, where it is not.
pub(super) fn doubtful_state(endpoint: &VpcEndpoint) -> Option<Unknown> {
    let id = endpoint.vpc_endpoint_id.as_deref().unwrap_or_default();
    let settled_by = "collect ec2-describe-vpc-endpoints.json again: the endpoint has no State";
    endpoint.state.is_none().then(|| Unknown::new("fact_not_collected", id, settled_by))
}

/// Why it is not known whether an endpoint answers for the kind of name, where it is not.
fn doubtful_family(endpoint: &VpcEndpoint, goal: &Goal) -> Option<Unknown> {
    let id = endpoint.vpc_endpoint_id.as_deref().unwrap_or_default();
    let is_open = goal.answered_by == AnsweredBy::DualStackS3 && covers_dual_stack(endpoint).is_none();
    let settled_by = "collect ec2-describe-vpc-endpoints.json again: IpAddressType is missing";
    is_open.then(|| Unknown::new("fact_not_collected", id, settled_by))
}

/// Whether an endpoint is an interface endpoint for the service in the Region. Service names are compared by their ending:
/// partitions differ in what comes before (<https://docs.aws.amazon.com/vpc/latest/privatelink/aws-services-privatelink-support.html>).
pub(super) fn is_interface_for(endpoint: &VpcEndpoint, goal: &Goal, region: &str) -> bool {
    is_word(endpoint.vpc_endpoint_type.as_ref(), "Interface") && serves(endpoint, goal, region)
}

pub(super) fn serves(endpoint: &VpcEndpoint, goal: &Goal, region: &str) -> bool {
    let Some(service) = goal.answered_by.service() else { return false };
    let own = endpoint.service_region.as_deref().unwrap_or(region);
    let is_wanted = match &goal.answered_by {
        AnsweredBy::S3Elsewhere(wanted) if wanted == "*" => own != region,
        AnsweredBy::S3Elsewhere(wanted) => own == wanted,
        _ => own == region,
    };
    let ending = format!(".{own}.{service}");
    is_wanted && endpoint.service_name.as_deref().is_some_and(|name| name.ends_with(&ending))
}
