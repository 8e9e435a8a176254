//! DNS servers that stand in another VPC of the organization: a resolver endpoint or a forwarder there asks that VPC's resolver, and answers with
//! what is private there (<https://docs.aws.amazon.com/whitepapers/latest/building-scalable-secure-multi-vpc-network-infrastructure/centralized-access-to-vpc-private-endpoints.html>).

use std::net::IpAddr;

use super::dns::{Answer, Place, covers};
use super::goal::{Goal, not_public_ipv4};
use super::hosted_zone::by_zone;
use super::position::Position;
use super::private_dns::{Asker, by_endpoint};
use super::set::IntervalSet;
use crate::model::known::Known;

/// Whether one of these servers has a private address in no VPC that was seen.
pub(super) fn are_unseen(place: &Place<'_, '_, '_>, servers: &[&str]) -> bool {
    let vpcs = || {
        place.estate.regions().flat_map(|region| region.files.vpcs.iter().flat_map(move |file| &file.vpcs).map(move |vpc| (region, vpc)))
    };
    let is_seen = |server: IpAddr| vpcs().any(|(region, vpc)| IntervalSet::nets(&Position::of(region, vpc, None).nets).has(server));
    let private = not_public_ipv4();
    servers.iter().filter_map(|server| server.parse().ok()).any(|server| private.has(server) && !is_seen(server))
}

/// Everything that servers at these addresses may answer beside the public answer, as far as they stand in VPCs that were seen.
pub(super) fn answers_elsewhere<'r, 'a>(place: &Place<'_, 'r, 'a>, servers: &[&str], goal: &Goal) -> Vec<Answer<'r, 'a>> {
    let servers: Vec<IpAddr> = servers.iter().filter_map(|server| server.parse().ok()).collect();
    let mut answers = Vec::new();
    for region in place.estate.regions().filter(|region| region.name == place.region().name) {
        for vpc in region.files.vpcs.iter().flat_map(|file| &file.vpcs) {
            let there = Position::of(region, vpc, None);
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
    }
    answers
}
