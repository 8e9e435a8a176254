//! What a name resolves to inside a VPC: the private addresses of an endpoint, the public addresses, or nothing.
//!
//! Sources: <https://docs.aws.amazon.com/vpc/latest/privatelink/privatelink-access-aws-services.html>,
//! <https://docs.aws.amazon.com/vpc/latest/userguide/AmazonDNS-concepts.html>,
//! <https://docs.aws.amazon.com/vpc/latest/userguide/DHCPOptionSetConcepts.html>,
//! <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/hosted-zone-private-considerations.html>.

use std::net::Ipv4Addr;

use super::target;
use super::verdict::Target;
use crate::model::known::{Known, Unknown};
use crate::model::{Region, is_word, net};
use crate::snapshot::ec2::{Vpc, VpcEndpoint};
use crate::snapshot::route53::{HostedZoneSummary, ResourceRecordSet};

/// What DNS may answer.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Answer<'a> {
    /// The service's public addresses.
    Public,
    /// The private addresses of an interface endpoint.
    Endpoint(&'a VpcEndpoint),
    /// A private hosted zone claims the name and has no record for it.
    NoSuchName { zone: String },
    /// No resolver that knows any name: the VPC's is switched off, or the instance has none.
    NoResolver { is_switched_off: bool },
    /// Any address whatever: the facts that decide were not collected, or lead to something that is not modelled.
    Anything,
}

/// The answers that are possible; with more than one, what it depends on.
#[derive(Debug)]
pub(super) struct Resolution<'a> {
    pub(super) answers: Vec<Answer<'a>>,
    pub(super) depends_on: Vec<Unknown>,
    /// What decided, as a fragment of a sentence.
    pub(super) because: String,
}

impl<'a> Resolution<'a> {
    fn one(answer: Answer<'a>, because: impl Into<String>) -> Self {
        Self { answers: vec![answer], depends_on: Vec::new(), because: because.into() }
    }

    fn either(answers: Vec<Answer<'a>>, depends_on: Vec<Unknown>, because: impl Into<String>) -> Self {
        let mut distinct: Vec<Answer<'a>> = Vec::new();
        for answer in answers {
            if !distinct.contains(&answer) {
                distinct.push(answer);
            }
        }
        Self { answers: distinct, depends_on, because: because.into() }
    }
}

/// What the resolver question needs to know of the instance and its VPC.
#[derive(Debug)]
pub(super) struct Place<'r, 'a> {
    /// The Region's files of the account that owns the VPC.
    pub(super) region: &'r Region<'a>,
    pub(super) vpc: &'a Vpc,
    pub(super) vpc_id: &'a str,
    /// `None` when the instance type is not known.
    pub(super) is_nitro: Option<bool>,
    /// The user says that no private zone or forwarding rule overrides an AWS name.
    pub(super) assume_no_overrides: bool,
}

enum Resolver {
    Amazon,
    Custom(String),
    None,
}

/// What `host` resolves to for an instance of the VPC.
pub(super) fn resolve<'a>(place: &Place<'_, 'a>, target: Target, host: &str) -> Resolution<'a> {
    let (resolvers, doubt) = resolvers(place);
    let mut answers = Vec::new();
    let mut depends_on = doubt;
    let mut because = Vec::new();
    for resolver in resolvers {
        let resolution = through(place, &resolver, target, host);
        answers.extend(resolution.answers);
        depends_on.extend(resolution.depends_on);
        because.push(resolution.because);
    }
    because.dedup();
    Resolution::either(answers, depends_on, because.join(", or "))
}

fn through<'a>(place: &Place<'_, 'a>, resolver: &Resolver, target: Target, host: &str) -> Resolution<'a> {
    match resolver {
        Resolver::None => Resolution::one(
            Answer::NoResolver { is_switched_off: false },
            "the DHCP options name no DNS server, and an instance on the Xen hypervisor has none of its own",
        ),
        Resolver::Amazon => match place.region.dns_support(place.vpc_id) {
            Known::Known(true) => amazon(place, target, host),
            Known::Known(false) => {
                Resolution::one(Answer::NoResolver { is_switched_off: true }, format!("enableDnsSupport of {} is off", place.vpc_id))
            }
            Known::Unknown(why) => {
                let inner = amazon(place, target, host);
                let mut answers = inner.answers;
                answers.push(Answer::NoResolver { is_switched_off: true });
                Resolution::either(answers, inner.depends_on.into_iter().chain(why).collect(), "enableDnsSupport is not known")
            }
        },
        Resolver::Custom(servers) => {
            // The servers may forward AWS's names to the VPC's resolver, or ask the internet. Without DNS support there is none to forward to.
            let doubt = Unknown::new(
                "custom_dns",
                servers.as_str(),
                format!(
                    "check on the instance what {host} resolves to, or forward it on {servers} to the VPC's resolver (the VPC's base address plus two)"
                ),
            );
            let because = format!("the DHCP options name the DNS servers {servers}");
            match place.region.dns_support(place.vpc_id) {
                Known::Known(false) => Resolution::one(Answer::Public, because),
                Known::Known(true) | Known::Unknown(_) => {
                    let inner = amazon(place, target, host);
                    let mut answers = inner.answers;
                    answers.push(Answer::Public);
                    Resolution::either(answers, std::iter::once(doubt).chain(inner.depends_on).collect(), because)
                }
            }
        }
    }
}

/// The resolvers that the instance may use, by its VPC's DHCP options.
fn resolvers(place: &Place<'_, '_>) -> (Vec<Resolver>, Vec<Unknown>) {
    let without_servers = || match place.is_nitro {
        Some(true) => (vec![Resolver::Amazon], Vec::new()),
        Some(false) => (vec![Resolver::None], Vec::new()),
        None => {
            let why = Unknown::new(
                "fact_not_collected",
                "the instance type",
                "collect ec2-describe-instances.json again: the instance has no type",
            );
            (vec![Resolver::Amazon, Resolver::None], vec![why])
        }
    };
    let id = match place.vpc.dhcp_options_id.as_deref() {
        Some("default") => return without_servers(),
        Some(id) => id,
        None => {
            let why =
                Unknown::new("fact_not_collected", place.vpc_id, "collect ec2-describe-vpcs.json again: the VPC has no DhcpOptionsId");
            return (vec![Resolver::Amazon, Resolver::Custom("of unknown DHCP options".to_owned()), Resolver::None], vec![why]);
        }
    };
    match place.region.dhcp_options(id) {
        Known::Known(options) => {
            // An option set has at least one option, each with a name and values; half an answer is none.
            let is_whole = options
                .dhcp_configurations
                .iter()
                .all(|option| option.key.is_some() && !option.values.is_empty() && option.values.iter().all(|value| value.value.is_some()));
            if !is_whole || options.dhcp_configurations.is_empty() {
                let why =
                    Unknown::new("fact_not_collected", id, "collect ec2-describe-dhcp-options.json again: the option set is not whole");
                return (vec![Resolver::Amazon, Resolver::Custom(format!("of {id}")), Resolver::None], vec![why]);
            }
            let servers = options.dhcp_configurations.iter().find(|option| option.key.as_deref() == Some("domain-name-servers"));
            let Some(servers) = servers else { return without_servers() };
            let servers: Vec<&str> = servers.values.iter().filter_map(|server| server.value.as_deref()).collect();
            if servers.iter().all(|server| is_amazon(place.vpc, server)) {
                (vec![Resolver::Amazon], Vec::new())
            } else {
                (vec![Resolver::Custom(servers.join(", "))], Vec::new())
            }
        }
        Known::Unknown(why) => (vec![Resolver::Amazon, Resolver::Custom(format!("of {id}")), Resolver::None], why),
    }
}

/// Whether a DNS server is the VPC's own resolver: by its name, its link-local address, or the base of a VPC block plus two.
fn is_amazon(vpc: &Vpc, server: &str) -> bool {
    if server.eq_ignore_ascii_case("AmazonProvidedDNS") || server == "169.254.169.253" {
        return true;
    }
    let Ok(address) = server.parse::<Ipv4Addr>() else { return false };
    // Only the primary block has the resolver (<https://docs.aws.amazon.com/vpc/latest/userguide/AmazonDNS-concepts.html>).
    net(vpc.cidr_block.as_ref()).is_some_and(|block| block.network().to_bits().checked_add(2) == Some(address.to_bits()))
}

/// What the VPC's own resolver answers: the most specific of forwarding rule, hosted zone and endpoint wins; on a tie the rule, then the zone.
fn amazon<'a>(place: &Place<'_, 'a>, target: Target, host: &str) -> Resolution<'a> {
    let endpoint = by_endpoint(place, target, host);
    let asked = target::asked_host(place.region.name, target);
    let asked = asked.as_str();
    let hostnames = place.region.dns_hostnames(place.vpc_id);
    let zones = match place.region.hosted_zones(place.vpc_id) {
        Known::Unknown(_) if place.assume_no_overrides => Known::Known(Vec::new()),
        zones => zones,
    };
    let rules = match place.region.forward_rules(place.vpc_id) {
        Known::Unknown(_) if place.assume_no_overrides => Known::Known(Vec::new()),
        rules => rules,
    };
    let (zones, rules) = match (zones, rules) {
        (Known::Known(zones), Known::Known(rules)) => (zones, rules),
        (zones, rules) => {
            let why = zones.reasons().iter().chain(rules.reasons()).cloned().collect();
            return Resolution::either(vec![Answer::Anything], why, "private hosted zones or resolver rules are not known");
        }
    };
    let zone = zones.iter().filter_map(|zone| Some((covers(zone.name.as_deref()?, asked)?, *zone))).max_by_key(|(length, _)| *length);
    let rule =
        rules.iter().filter_map(|rule| Some((covers(rule.domain_name.as_deref()?, asked)?, *rule))).max_by_key(|(length, _)| *length);
    // An endpoint's own zone has the service's very name, so only an equally exact zone or rule beats it.
    let captured = if endpoint.answers.iter().any(|answer| matches!(answer, Answer::Endpoint(_))) { host.len() } else { 0 };
    let (specificity, without_rule) = match zone {
        Some((length, zone)) if length >= captured => (length, by_zone(place, zone, &hostnames, asked, &endpoint)),
        // Where the endpoint may answer or not, the zone answers instead.
        Some((_, zone)) if endpoint.answers.len() > 1 => {
            let other = by_zone(place, zone, &hostnames, asked, &endpoint);
            let answers = endpoint.answers.iter().chain(&other.answers).cloned().collect();
            let depends_on = endpoint.depends_on.iter().chain(&other.depends_on).cloned().collect();
            (captured, Resolution::either(answers, depends_on, endpoint.because))
        }
        _ => (captured, endpoint),
    };
    match rule {
        Some((length, rule)) if length >= specificity => {
            let id = rule.id.as_deref().unwrap_or("a resolver rule");
            let domain = rule.domain_name.as_deref().unwrap_or_default();
            let doubt =
                Unknown::new("on_prem", id, format!("check what the servers behind resolver rule {id} ({domain}) answer for {host}"));
            let mut answers = without_rule.answers;
            answers.push(Answer::Public);
            Resolution::either(
                answers,
                std::iter::once(doubt).chain(without_rule.depends_on).collect(),
                format!("resolver rule {id} forwards {domain}"),
            )
        }
        _ => without_rule,
    }
}

/// The length of `domain` if it is `host` or a parent of it.
fn covers(domain: &str, host: &str) -> Option<usize> {
    let domain = domain.trim_end_matches('.').to_ascii_lowercase();
    if domain.is_empty() {
        return Some(0);
    }
    let is_parent = host.strip_suffix(&domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    is_parent.then_some(domain.len())
}

/// The answer as far as the VPC's endpoints decide it.
fn by_endpoint<'a>(place: &Place<'_, 'a>, target: Target, host: &str) -> Resolution<'a> {
    let endpoints = match place.region.endpoints(place.vpc_id) {
        Known::Known(endpoints) => endpoints,
        Known::Unknown(why) => return Resolution::either(vec![Answer::Anything], why, "the endpoints of the VPC are not known"),
    };
    let candidates = endpoints.iter().filter(|endpoint| is_interface_for(endpoint, target, place.region.name) && !is_down(endpoint));
    // One that surely answers before one that may.
    let candidates = candidates.filter(|endpoint| endpoint.private_dns_enabled != Some(false));
    let Some(endpoint) = candidates.copied().min_by_key(|endpoint| (endpoint.state.is_none(), endpoint.private_dns_enabled.is_none()))
    else {
        return Resolution::one(Answer::Public, format!("no endpoint of {} answers for {host}", place.vpc_id));
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
    for attribute in [place.region.dns_support(place.vpc_id), place.region.dns_hostnames(place.vpc_id)] {
        match attribute {
            Known::Known(true) => {}
            Known::Known(false) => {
                return Resolution::one(
                    Answer::Public,
                    format!("private DNS of {id} has no effect: a DNS attribute of {} is off", place.vpc_id),
                );
            }
            Known::Unknown(why) => doubt(why),
        }
    }
    if target == Target::S3 {
        // S3's interface endpoint may answer resolvers outside the VPC only; inside, the gateway endpoint carries the traffic.
        match endpoint.dns_options.as_ref().and_then(|options| options.private_dns_only_for_inbound_resolver_endpoint) {
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
    let because = format!("private DNS of {id} answers for {host} in all of {}", place.vpc_id);
    if is_certain {
        Resolution::one(Answer::Endpoint(endpoint), because)
    } else {
        Resolution::either(vec![Answer::Endpoint(endpoint), Answer::Public], depends_on, because)
    }
}

/// The answer of a private hosted zone of the user's that claims the name.
fn by_zone<'a>(
    place: &Place<'_, 'a>,
    zone: &HostedZoneSummary,
    hostnames: &Known<bool>,
    host: &str,
    otherwise: &Resolution<'a>,
) -> Resolution<'a> {
    let id = zone.hosted_zone_id.as_deref().unwrap_or_default();
    let name = zone.name.as_deref().unwrap_or_default();
    if let Known::Known(false) = hostnames {
        return Resolution {
            answers: otherwise.answers.clone(),
            depends_on: otherwise.depends_on.clone(),
            because: otherwise.because.clone(),
        };
    }
    let records = match place.region.records(id) {
        Known::Known(records) => records,
        Known::Unknown(why) => {
            return Resolution::either(vec![Answer::Anything], why, format!("the records of private zone {name} are not known"));
        }
    };
    let answer = match record_for(records, host) {
        None => Answer::NoSuchName { zone: id.to_owned() },
        Some(record) => match own_endpoint(place, record) {
            Some(endpoint) => Answer::Endpoint(endpoint),
            None => {
                let doubt = Unknown::new(
                    "private_zone_record",
                    id,
                    format!("check that the record for {host} in private zone {name} leads to a working endpoint"),
                );
                return Resolution::either(vec![Answer::Anything], vec![doubt], format!("private zone {name} answers for {host}"));
            }
        },
    };
    let because = format!("private zone {name} claims {host}");
    match hostnames {
        Known::Known(_) => Resolution::one(answer, because),
        Known::Unknown(why) => Resolution::either(
            std::iter::once(answer).chain(otherwise.answers.clone()).collect(),
            why.iter().cloned().chain(otherwise.depends_on.clone()).collect(),
            because,
        ),
    }
}

/// The record that answers for a name: the exact one, else a wildcard above it.
fn record_for<'r>(records: &'r [ResourceRecordSet], host: &str) -> Option<&'r ResourceRecordSet> {
    let of_address = |record: &&ResourceRecordSet| matches!(record.r#type.as_deref(), Some("A" | "CNAME"));
    let named = |name: &str| {
        records.iter().filter(of_address).find(|record| {
            let own = record.name.as_deref().unwrap_or_default().trim_end_matches('.').replace("\\052", "*");
            own.eq_ignore_ascii_case(name)
        })
    };
    named(host).or_else(|| {
        let mut rest = host;
        std::iter::from_fn(|| {
            rest = rest.split_once('.')?.1;
            Some(rest)
        })
        .find_map(|parent| named(&format!("*.{parent}")))
    })
}

/// The interface endpoint of this VPC to which a record points, by alias.
fn own_endpoint<'a>(place: &Place<'_, 'a>, record: &ResourceRecordSet) -> Option<&'a VpcEndpoint> {
    let alias = record.alias_target.as_ref()?.dns_name.as_deref()?.trim_end_matches('.').to_owned();
    let endpoints = place.region.endpoints(place.vpc_id);
    let is_alias = |endpoint: &&&VpcEndpoint| {
        let names = endpoint.dns_entries.iter().filter_map(|entry| entry.dns_name.as_deref());
        is_available(endpoint) && names.into_iter().any(|name| name.trim_end_matches('.').eq_ignore_ascii_case(&alias))
    };
    endpoints.known()?.iter().find(is_alias).copied()
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

/// Whether an endpoint is an interface endpoint for the service in the Region. Service names are compared by their ending:
/// partitions differ in what comes before (<https://docs.aws.amazon.com/vpc/latest/privatelink/aws-services-privatelink-support.html>).
pub(super) fn is_interface_for(endpoint: &VpcEndpoint, target: Target, region: &str) -> bool {
    is_word(endpoint.vpc_endpoint_type.as_ref(), "Interface") && serves(endpoint, target, region)
}

pub(super) fn serves(endpoint: &VpcEndpoint, target: Target, region: &str) -> bool {
    let ending = format!(".{region}.{}", target.service());
    let is_here = endpoint.service_region.as_deref().is_none_or(|service_region| service_region == region);
    is_here && endpoint.service_name.as_deref().is_some_and(|name| name.ends_with(&ending))
}
