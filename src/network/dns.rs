//! What a name resolves to inside a VPC: the private addresses of an endpoint, the public addresses, or nothing.
//!
//! Sources: <https://docs.aws.amazon.com/vpc/latest/privatelink/privatelink-access-aws-services.html>,
//! <https://docs.aws.amazon.com/vpc/latest/userguide/AmazonDNS-concepts.html>,
//! <https://docs.aws.amazon.com/vpc/latest/userguide/DHCPOptionSetConcepts.html>,
//! <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/hosted-zone-private-considerations.html>.

use std::cmp::Reverse;
use std::net::IpAddr;

use super::dns_firewall::{self, Passage};
use super::forwarding::answers_elsewhere;
use super::goal::Goal;
use super::hosted_zone::by_zone;
use super::position::Position;
use super::private_dns::{Asker, by_endpoint, by_profile_endpoint};
use super::verdict::Blocker;
use crate::model::known::{Known, Unknown};
use crate::model::{Assumption, Assumptions, Estate, Region, Uncollected, Zone, net};
use crate::snapshot::ec2::{Vpc, VpcEndpoint};

/// What DNS may answer.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Answer<'r, 'a> {
    /// The service's public addresses.
    Public,
    /// The private addresses of an interface endpoint.
    Endpoint(Reached<'r, 'a>),
    /// A private hosted zone claims the name and has no record for it.
    NoSuchName { zone: String },
    /// A rule group of DNS Firewall keeps the answer back.
    Refused { group: String },
    /// No resolver that knows any name: the VPC's is switched off, or the instance has none.
    NoResolver { is_switched_off: bool },
    /// Nobody who could be asked: what keeps the instance from its DNS servers.
    NoServer { blockers: Vec<Blocker> },
    /// Any address whatever: the facts that decide were not collected, or lead to something that is not modelled.
    Anything,
    /// Likewise, of a DNS server that was not seen: it counts where no other answer leads to the service (assumption A-68).
    Unseen,
}

impl Answer<'_, '_> {
    /// The answer as a condition.
    pub(super) fn told(&self) -> String {
        match self {
            Self::Public => "DNS answers with public addresses".to_owned(),
            Self::Endpoint(reached) => {
                let addresses: Vec<String> = reached.addresses.iter().flatten().map(ToString::to_string).collect();
                let at = if addresses.is_empty() { String::new() } else { format!(" at {}", addresses.join(", ")) };
                format!("DNS answers with {}{at}", reached.endpoint.vpc_endpoint_id.as_deref().unwrap_or_default())
            }
            Self::NoSuchName { zone } => format!("{zone} knows no such name"),
            Self::Refused { group } => format!("{group} refuses the name"),
            Self::NoResolver { .. } | Self::NoServer { .. } => "no DNS server answers".to_owned(),
            Self::Anything => "DNS answers with something else".to_owned(),
            Self::Unseen => "a DNS server that was not seen answers with something else".to_owned(),
        }
    }
}

/// An interface endpoint that answers, in the VPC itself or in another one.
#[derive(Debug, Clone)]
pub(super) struct Reached<'r, 'a> {
    /// The Region's files of the account that owns the endpoint.
    pub(super) home: &'r Region<'a>,
    pub(super) endpoint: &'a VpcEndpoint,
    /// Those of its addresses that the answer names; `None` for all of them.
    pub(super) addresses: Option<Vec<IpAddr>>,
    /// The name of it that a record in a private zone gives for an answer, where the answer is no address.
    pub(super) by_name: Option<String>,
    /// Whether the name asked for is a private one of the endpoint's, which is not among its own.
    pub(super) is_private_name: bool,
}

impl PartialEq for Reached<'_, '_> {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.endpoint, other.endpoint)
            && self.addresses == other.addresses
            && self.by_name == other.by_name
            && self.is_private_name == other.is_private_name
    }
}

/// The answers that are possible; with more than one, what it depends on.
#[derive(Debug)]
pub(super) struct Resolution<'r, 'a> {
    pub(super) answers: Vec<Answer<'r, 'a>>,
    pub(super) depends_on: Vec<Unknown>,
    /// What decided, as a fragment of a sentence.
    pub(super) because: String,
}

impl<'r, 'a> Resolution<'r, 'a> {
    pub(super) fn one(answer: Answer<'r, 'a>, because: impl Into<String>) -> Self {
        Self { answers: vec![answer], depends_on: Vec::new(), because: because.into() }
    }

    pub(super) fn either(answers: Vec<Answer<'r, 'a>>, depends_on: Vec<Unknown>, because: impl Into<String>) -> Self {
        let mut distinct: Vec<Answer<'r, 'a>> = Vec::new();
        for answer in answers {
            if !distinct.contains(&answer) {
                distinct.push(answer);
            }
        }
        Self { answers: distinct, depends_on, because: because.into() }
    }
}

/// What the resolver question needs to know of the instance and its VPC.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'p, 'r, 'a> {
    pub(super) estate: &'r Estate<'a>,
    pub(super) position: &'p Position<'r, 'a>,
    /// `None` when the instance type is not known.
    pub(super) is_nitro: Option<bool>,
    /// Whether the instance asks for IPv6 addresses.
    pub(super) is_ipv6: bool,
    pub(super) assumptions: &'p Assumptions,
}

impl<'r, 'a> Place<'_, 'r, 'a> {
    pub(super) fn region(&self) -> &'r Region<'a> {
        self.position.home
    }

    pub(super) fn vpc_id(&self) -> &'a str {
        self.position.vpc_id
    }

    pub(super) fn uncollected(&self) -> Uncollected {
        if self.assumptions.contains(&Assumption::NoPrivateDnsOverrides) { Uncollected::AreHarmless } else { Uncollected::MayMatter }
    }
}

enum Resolver {
    Amazon,
    Custom(String),
    None,
}

/// The DNS servers that the instance asks, where they are known and all of them the user's own.
pub(super) fn own_servers(place: &Place<'_, '_, '_>) -> Option<Vec<IpAddr>> {
    match resolvers(place).0.as_slice() {
        [Resolver::Custom(servers)] => {
            let own = servers.split(", ").map(|server| server.parse().ok().filter(|_| !is_amazon(place.position.vpc, server)));
            own.collect()
        }
        _ => None,
    }
}

/// The DNS servers of the user's own that an instance of the VPC may ask.
pub(super) fn servers_of_user(place: &Place<'_, '_, '_>) -> Vec<IpAddr> {
    let (resolvers, _) = resolvers(place);
    let named = resolvers.iter().filter_map(|resolver| if let Resolver::Custom(servers) = resolver { Some(servers) } else { None });
    named.flat_map(|servers| servers.split(", ")).filter_map(|server| server.parse().ok()).collect()
}

/// What `host` resolves to for an instance of the VPC.
pub(super) fn resolve<'r, 'a>(place: &Place<'_, 'r, 'a>, goal: &Goal) -> Resolution<'r, 'a> {
    let (resolvers, doubt) = resolvers(place);
    let mut answers = Vec::new();
    let mut depends_on = doubt;
    let mut because = Vec::new();
    for resolver in resolvers {
        let resolution = through(place, &resolver, goal);
        answers.extend(resolution.answers);
        depends_on.extend(resolution.depends_on);
        because.push(resolution.because);
    }
    because.dedup();
    Resolution::either(answers, depends_on, because.join(", or "))
}

fn through<'r, 'a>(place: &Place<'_, 'r, 'a>, resolver: &Resolver, goal: &Goal) -> Resolution<'r, 'a> {
    let host = &goal.host;
    match resolver {
        Resolver::None => Resolution::one(
            Answer::NoResolver { is_switched_off: false },
            "the DHCP options name no DNS server, and an instance on the Xen hypervisor has none of its own",
        ),
        Resolver::Amazon => match place.region().dns_support(place.vpc_id()) {
            Known::Known(true) => amazon(place, goal),
            Known::Known(false) => {
                Resolution::one(Answer::NoResolver { is_switched_off: true }, format!("enableDnsSupport of {} is off", place.vpc_id()))
            }
            Known::Unknown(why) => {
                let inner = amazon(place, goal);
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
            let addresses: Vec<&str> = servers.split(", ").filter(|server| !is_amazon(place.position.vpc, server)).collect();
            match place.region().dns_support(place.vpc_id()) {
                Known::Known(false) => {
                    let answers = std::iter::once(Answer::Public).chain(answers_elsewhere(place, &addresses, goal)).collect();
                    Resolution::either(answers, vec![doubt], because)
                }
                Known::Known(true) | Known::Unknown(_) => {
                    let inner = amazon(place, goal);
                    let mut answers = inner.answers;
                    answers.push(Answer::Public);
                    answers.extend(answers_elsewhere(place, &addresses, goal));
                    Resolution::either(answers, std::iter::once(doubt).chain(inner.depends_on).collect(), because)
                }
            }
        }
    }
}

/// The resolvers that the instance may use, by its VPC's DHCP options.
fn resolvers(place: &Place<'_, '_, '_>) -> (Vec<Resolver>, Vec<Unknown>) {
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
    let id = match place.position.vpc.dhcp_options_id.as_deref() {
        Some("default") => return without_servers(),
        Some(id) => id,
        None => {
            let why =
                Unknown::new("fact_not_collected", place.vpc_id(), "collect ec2-describe-vpcs.json again: the VPC has no DhcpOptionsId");
            return (vec![Resolver::Amazon, Resolver::Custom("of unknown DHCP options".to_owned()), Resolver::None], vec![why]);
        }
    };
    match place.region().dhcp_options(id) {
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
            if servers.iter().all(|server| is_amazon(place.position.vpc, server)) {
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
    if server.eq_ignore_ascii_case("AmazonProvidedDNS") || server == "169.254.169.253" || server == "fd00:ec2::253" {
        return true;
    }
    let Ok(IpAddr::V4(address)) = server.parse() else { return false };
    // Only the primary block has the resolver (<https://docs.aws.amazon.com/vpc/latest/userguide/AmazonDNS-concepts.html>).
    let Some(IpAddr::V4(base)) = net(vpc.cidr_block.as_ref()).map(|block| block.network()) else { return false };
    base.to_bits().checked_add(2) == Some(address.to_bits())
}

/// What the VPC's own resolver answers, if its firewall lets it answer.
fn amazon<'r, 'a>(place: &Place<'_, 'r, 'a>, goal: &Goal) -> Resolution<'r, 'a> {
    let mut resolution = behind_firewall(place, goal);
    let name_of = |answer: &Answer<'r, 'a>| match answer {
        Answer::Endpoint(reached) => reached.by_name.clone(),
        _ => None,
    };
    let leads_to: Vec<String> = resolution.answers.iter().map(name_of).collect::<Option<_>>().unwrap_or_default();
    match dns_firewall::passage(place.region(), place.vpc_id(), &goal.asked, &leads_to, place.is_ipv6) {
        Passage::Passes => resolution,
        Passage::Refused(group) => Resolution::one(Answer::Refused { group: group.to_owned() }, format!("{group} refuses {}", goal.asked)),
        Passage::Unclear { .. } if place.assumptions.contains(&Assumption::DnsFirewallPassesAwsNames) => resolution,
        Passage::Unclear { by, why } => {
            resolution.answers.push(Answer::Refused { group: by.unwrap_or(place.vpc_id()).to_owned() });
            Resolution::either(resolution.answers, resolution.depends_on.into_iter().chain(why).collect(), resolution.because)
        }
    }
}

/// What the resolver finds: the most specific of forwarding rule, hosted zone and endpoint wins; on a tie the rule, then the zone.
fn behind_firewall<'r, 'a>(place: &Place<'_, 'r, 'a>, goal: &Goal) -> Resolution<'r, 'a> {
    // What is the VPC's own goes before what a Profile brings.
    let (endpoint, is_own_endpoint) = match by_profile_endpoint(place, goal) {
        Some(resolution) => (resolution, false),
        None => (by_endpoint(place, goal, Asker::Inside), true),
    };
    let (host, asked) = (&goal.host, goal.asked.as_str());
    let hostnames = place.region().dns_hostnames(place.vpc_id());
    let zones = place.estate.zones(place.region(), place.vpc_id(), place.uncollected());
    let rules = place.estate.forward_rules(place.region(), place.vpc_id(), place.uncollected());
    let (zones, rules) = match (zones, rules) {
        (Known::Known(zones), Known::Known(rules)) => (zones, rules),
        (zones, rules) => {
            let why = zones.reasons().iter().chain(rules.reasons()).cloned().collect();
            return Resolution::either(vec![Answer::Anything], why, "private hosted zones or resolver rules are not known");
        }
    };
    // Of any name below one, some may lie in a zone of their own.
    let below = zones.iter().map(|zone| (zone.id, zone.name)).chain(rules.iter().map(|rule| (rule.id, rule.domain)));
    if let Some((id, name)) = below.into_iter().find(|(_, name)| lies_below(name, asked)) {
        let settled_by = format!("find out which names below {host} are asked for: {id} takes those in {name}");
        let why = vec![Unknown::new("private_zone_record", id, settled_by)];
        return Resolution::either(vec![Answer::Anything], why, format!("{id} takes some of {host}"));
    }
    // Of two with one name the VPC's own wins over a Profile's, and a Profile's over a later one's.
    let claims = |name: &str, rank: usize| covers(name, asked).map(|length| (length, Reverse(rank)));
    let claiming: Vec<_> = zones.iter().filter_map(|zone| Some((claims(zone.name, zone.rank)?, zone))).collect();
    let zone = claiming.iter().copied().max_by_key(|(claim, _)| *claim);
    if let Some((claim, zone)) = zone
        && claiming.iter().any(|(other, beside)| *other == claim && beside.id != zone.id)
    {
        let settled_by = format!("check on the instance what {host} resolves to: two private zones of the name {} answer alike", zone.name);
        let why = vec![Unknown::new("private_zone_record", zone.id, settled_by)];
        return Resolution::either(vec![Answer::Anything], why, format!("two private zones claim {asked}"));
    }
    let rule = rules.iter().filter_map(|rule| Some((claims(rule.domain, rule.rank)?, rule))).max_by_key(|(claim, _)| *claim);
    let rule = rule.filter(|(claim, _)| zone.is_none_or(|(of_zone, _)| *claim >= of_zone));
    let (zone, rule) = (zone.map(|((length, _), zone)| (length, zone)), rule.map(|((length, _), rule)| (length, rule)));
    // Only a zone or rule that is at least as exact as the endpoint's own zone beats it.
    let may_capture = endpoint.answers.iter().any(|answer| matches!(answer, Answer::Endpoint(_) | Answer::Anything));
    let surely_captures = endpoint.answers.iter().all(|answer| matches!(answer, Answer::Endpoint(_)));
    let captured = goal.private_zone.as_ref().filter(|_| may_capture).map_or(0, String::len);
    let beats_endpoint = |zone: &Zone<'_>, length: usize| length > captured || (length == captured && (zone.rank == 0 || !is_own_endpoint));
    let (specificity, without_rule) = match zone {
        Some((length, zone)) if beats_endpoint(zone, length) => (length, by_zone(place, zone, &hostnames, goal, &endpoint)),
        // Where the endpoint may answer or not, the zone answers instead.
        Some((_, zone)) if may_capture && !surely_captures => {
            let other = by_zone(place, zone, &hostnames, goal, &endpoint);
            let answers = endpoint.answers.iter().chain(&other.answers).cloned().collect();
            let depends_on = endpoint.depends_on.iter().chain(&other.depends_on).cloned().collect();
            (captured, Resolution::either(answers, depends_on, endpoint.because))
        }
        _ => (captured, endpoint),
    };
    match rule {
        Some((length, rule)) if length >= specificity => {
            let (id, domain) = (rule.id, rule.domain);
            let doubt =
                Unknown::new("on_prem", id, format!("check what the servers behind resolver rule {id} ({domain}) answer for {host}"));
            let mut answers = without_rule.answers;
            answers.push(Answer::Public);
            answers.extend(answers_elsewhere(place, &rule.targets, goal));
            Resolution::either(
                answers,
                std::iter::once(doubt).chain(without_rule.depends_on).collect(),
                format!("resolver rule {id} forwards {domain}"),
            )
        }
        _ => without_rule,
    }
}

/// Whether a domain is below the one for whose names `asked`, with its wildcard, stands.
fn lies_below(domain: &str, asked: &str) -> bool {
    asked.strip_prefix('*').is_some_and(|ending| domain.trim_end_matches('.').to_ascii_lowercase().ends_with(ending))
}

/// The length of `domain` if it is `host` or a parent of it.
pub(super) fn covers(domain: &str, host: &str) -> Option<usize> {
    let domain = domain.trim_end_matches('.').to_ascii_lowercase();
    if domain.is_empty() {
        return Some(0);
    }
    let is_parent = host.strip_suffix(&domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    is_parent.then_some(domain.len())
}
