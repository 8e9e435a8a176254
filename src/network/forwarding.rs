//! DNS servers that stand in another VPC of the organization: a resolver endpoint or a forwarder there asks that VPC's resolver, and answers with
//! what is private there (<https://docs.aws.amazon.com/whitepapers/latest/building-scalable-secure-multi-vpc-network-infrastructure/centralized-access-to-vpc-private-endpoints.html>).

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::dns::{Answer, Place, covers, servers_of_user};
use super::dns_firewall::{self, Passage};
use super::dns_server::is_third_of;
use super::goal::{Goal, not_public_ipv4};
use super::host;
use super::hosted_zone::by_zone;
use super::position::Position;
use super::private_dns::{Asker, by_endpoint, by_profile_endpoint};
use super::set::IntervalSet;
use crate::model::known::Known;
use crate::model::{Assumption, Assumptions, Estate, Region, net};

/// Everything that servers at these addresses may answer beside the public answer.
pub(super) fn answers_elsewhere<'r, 'a>(place: &Place<'_, 'r, 'a>, servers: &[&str], goal: &Goal) -> Vec<Answer<'r, 'a>> {
    let mut answers = Vec::new();
    if are_unseen(place, servers) {
        answers.push(Answer::Unseen);
    }
    if are_resolvers_of_others(place, servers) {
        answers.push(Answer::Anything);
    }
    let servers: Vec<IpAddr> = servers.iter().filter_map(|server| server.parse().ok()).collect();
    for (region, there) in vpcs(place) {
        let holds = |server: &IpAddr| IntervalSet::nets(&there.nets).has(*server);
        if !servers.iter().any(holds) {
            continue;
        }
        let beside = Place { position: &there, ..*place };
        // What stands there may be an inbound resolver endpoint, or a server that asks as everything in the VPC does.
        let inbound = by_endpoint(&beside, goal, Asker::InboundEndpoint);
        let zones = place.estate.zones(region, there.vpc_id, place.uncollected());
        // What else the instance's own VPC answers is known already.
        if there.is_in_vpc_of(place.position) {
            let is_claimed = zones.known().is_some_and(|zones| zones.iter().any(|zone| covers(zone.name, &goal.asked).is_some()));
            answers.extend(inbound.answers.into_iter().filter(|_| !is_claimed));
            continue;
        }
        if leads_on(&beside, goal) {
            answers.push(Answer::Anything);
        }
        let by_endpoint = by_endpoint(&beside, goal, Asker::Inside);
        match zones {
            Known::Unknown(_) => answers.push(Answer::Anything),
            Known::Known(zones) => {
                let claiming = zones.iter().filter(|zone| covers(zone.name, &goal.asked).is_some());
                answers.extend(claiming.flat_map(|zone| by_zone(&beside, zone, &Known::Known(true), goal, &by_endpoint).answers));
            }
        }
        answers.extend(by_endpoint.answers.into_iter().chain(inbound.answers));
    }
    answers
}

/// Whether the resolver of a VPC may answer with more, or less, than its zones and endpoints say: by a rule that forwards the name, by an endpoint that
/// a Profile brings, or because its firewall keeps the answer back.
fn leads_on(there: &Place<'_, '_, '_>, goal: &Goal) -> bool {
    let rules = there.estate.forward_rules(there.region(), there.vpc_id(), there.uncollected());
    let forwards = rules.known().is_none_or(|rules| rules.iter().any(|rule| covers(rule.domain, &goal.asked).is_some()));
    let passes = || {
        there.assumptions.contains(&Assumption::DnsFirewallPassesAwsNames)
            || dns_firewall::passage(there.region(), there.vpc_id(), &goal.asked, &[], there.is_ipv6) == Passage::Passes
    };
    forwards || by_profile_endpoint(there, goal).is_some() || !passes()
}

/// Whether one of these servers has a private address at which nothing was seen in the Region, or an address that is not known. That a VPC has the
/// block is not enough: another network may have it too.
fn are_unseen(place: &Place<'_, '_, '_>, servers: &[&str]) -> bool {
    let is_seen = |server: IpAddr| {
        let address = IntervalSet::address(server);
        vpcs(place).any(|(_, there)| {
            there.is_in_vpc_of(place.position) && IntervalSet::nets(&there.nets).has(server) || host::in_vpc(&there, &address).is_some()
        })
    };
    let is_private = |server: IpAddr| match server {
        IpAddr::V4(_) => not_public_ipv4().has(server),
        IpAddr::V6(server) => server.is_unique_local() || server.is_unicast_link_local(),
    };
    servers.iter().any(|server| server.parse().map_or(true, |server| is_private(server) && !is_seen(server)))
}

/// Whether each of these servers has the address at which another VPC has its own resolver, which answers that VPC alone.
fn are_resolvers_of_others(place: &Place<'_, '_, '_>, servers: &[&str]) -> bool {
    let is_third = |server: IpAddr| {
        let mut others = vpcs(place).filter(|(_, there)| !there.is_in_vpc_of(place.position));
        others.any(|(_, there)| net(there.vpc.cidr_block.as_ref()).is_some_and(|block| is_third_of(&block, server)))
    };
    let is_here = |server: IpAddr| IntervalSet::nets(&place.position.nets).has(server);
    !servers.is_empty() && servers.iter().all(|server| server.parse().is_ok_and(|server| is_third(server) && !is_here(server)))
}

/// By Region and VPC the other VPCs whose names what stands in it may answer: it has their DNS servers, those to which a rule of theirs forwards, or an
/// endpoint that a Profile brings them.
pub fn dependents<'r>(estate: &'r Estate<'_>, assumptions: &Assumptions) -> BTreeMap<(&'r str, &'r str), BTreeSet<&'r str>> {
    let mut dependents: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    let names: BTreeSet<&str> = estate.regions().map(|region| region.name).collect();
    for name in names {
        let vpcs: Vec<_> = of_region(estate, name).collect();
        for (region, position) in &vpcs {
            let place = Place { estate, position, is_nitro: None, is_ipv6: false, assumptions };
            let mut servers = servers_of_user(&place);
            let rules = estate.forward_rules(region, position.vpc_id, place.uncollected()).into_known().unwrap_or_default();
            servers.extend(rules.iter().flat_map(|rule| &rule.targets).filter_map(|target| target.parse::<IpAddr>().ok()));
            let holds = |there: &Position<'_, '_>| servers.iter().any(|server| there.nets.iter().any(|block| block.contains(server)));
            let asked = vpcs.iter().map(|(_, there)| there).filter(|there| holds(there)).map(|there| there.vpc_id);
            let brought = region.profile_resources(position.vpc_id).into_known().map(|resources| resources.endpoints).unwrap_or_default();
            let owners = brought.into_iter().filter_map(|id| estate.endpoint(name, id)?.1.vpc_id.as_deref());
            for vpc in asked.chain(owners).filter(|vpc| *vpc != position.vpc_id) {
                dependents.entry((name, vpc)).or_default().insert(position.vpc_id);
            }
        }
    }
    dependents
}

/// The VPCs of the Region, in every account.
fn vpcs<'r, 'a>(place: &Place<'_, 'r, 'a>) -> impl Iterator<Item = (&'r Region<'a>, Position<'r, 'a>)> {
    of_region(place.estate, place.region().name)
}

fn of_region<'r, 'a>(estate: &'r Estate<'a>, name: &'r str) -> impl Iterator<Item = (&'r Region<'a>, Position<'r, 'a>)> {
    let regions = estate.regions().filter(move |region| region.name == name);
    regions.flat_map(|region| {
        let vpcs = region.files.vpcs.iter().flat_map(|file| &file.vpcs);
        vpcs.map(move |vpc| (region, Position::of(region, vpc, None)))
    })
}
