//! The way to DNS servers of the user's own. Amazon's resolver is always reached: neither groups nor network ACLs see what it is asked
//! (<https://docs.aws.amazon.com/vpc/latest/userguide/AmazonDNS-concepts.html>).

use std::net::IpAddr;

use ipnet::IpNet;

use super::goal::Goal;
use super::journey::Journey;
use super::path;
use super::protocol::Protocol;
use super::source::Source;
use super::trace::surely_met;
use super::verdict::{Blocker, Code, Place, Verdict};
use super::world::World;
use crate::model::Assumptions;
use crate::model::known::Unknown;

/// Every port from which an operating system may ask.
const ASKING_PORTS: (u16, u16) = (1024, 65535);

/// The way to DNS servers, of which one is enough.
#[derive(Debug)]
pub(super) enum Way {
    /// One of them may be reached.
    Open,
    /// Who keeps the instance from asking any of them.
    Closed(Vec<Blocker>),
    /// Who may keep it from that, and why it is not known.
    Unclear(Vec<Blocker>, Vec<Unknown>),
}

pub(super) fn way_to(source: &Source<'_, '_>, servers: &[IpAddr], assumptions: &Assumptions) -> Way {
    let (mut each, mut doubts) = (Vec::new(), Vec::new());
    for server in servers {
        match way_to_one(source, *server, assumptions) {
            Way::Open => return Way::Open,
            Way::Closed(why) => each.push(why),
            Way::Unclear(perhaps, why) => {
                each.push(perhaps);
                doubts.extend(why);
            }
        }
    }
    let blockers = surely_met(&each.iter().map(|way| way.iter().collect()).collect::<Vec<_>>(), true).into_iter().cloned().collect();
    match (each.is_empty(), doubts.is_empty()) {
        (true, true) => Way::Open,
        (_, true) => Way::Closed(blockers),
        (_, false) => Way::Unclear(blockers, doubts),
    }
}

/// The way of a question to a server, hop by hop, as to any host of the user's.
fn way_to_one(source: &Source<'_, '_>, server: IpAddr, assumptions: &Assumptions) -> Way {
    // What a host asks itself never leaves it.
    if server.is_ipv4() != source.address.is_ipv4() || server == source.address || is_on_the_host(server) {
        return Way::Open;
    }
    if let Some(blocker) = nobody_there(source, server) {
        return Way::Closed(vec![blocker]);
    }
    let by_udp = Goal::of_dns_server(server, Protocol::Udp);
    let mut worlds = worlds(source, &by_udp, assumptions);
    if worlds.iter().any(|world| matches!(world.verdict, Verdict::Reachable | Verdict::Partial)) {
        return Way::Open;
    }
    let told = |blocker: Blocker| Blocker {
        detail: format!("{}, on the way to the DNS server {server}, so that no name resolves", blocker.detail),
        place: Place::Other,
        ..blocker
    };
    let mut blockers: Vec<Blocker> = worlds.iter_mut().flat_map(|world| std::mem::take(&mut world.blockers)).map(told).collect();
    blockers.sort();
    blockers.dedup();
    if are_blocked(&worlds) {
        if are_blocked(&self::worlds(source, &Goal::of_dns_server(server, Protocol::Tcp), assumptions)) {
            return Way::Closed(blockers);
        }
        // systemd-resolved goes over to TCP where no answer comes; others ask by UDP again.
        let settled_by = format!("let UDP 53 through to {server} and its answers back: by TCP 53 alone not every resolver asks");
        return Way::Unclear(blockers, vec![Unknown::new("custom_dns", server.to_string(), settled_by)]);
    }
    // What no scan could tell is taken to let questions pass (assumption A-68), but not which of several ways AWS takes.
    let matters = |why: &Unknown| {
        matches!(
            why.code.as_str(),
            "fact_not_collected"
                | "owner_account_not_collected"
                | "tgw_owner_not_collected"
                | "os_tunnel"
                | "answers_by_another"
                | "transit_gateway_zone"
        )
    };
    let doubts: Vec<Unknown> = worlds.into_iter().flat_map(|world| world.unknowns).filter(matters).collect();
    if doubts.is_empty() { Way::Open } else { Way::Unclear(blockers, doubts) }
}

fn worlds(source: &Source<'_, '_>, goal: &Goal, assumptions: &Assumptions) -> Vec<World> {
    path::to_public(&Journey::start(source, goal, assumptions, None), "", ASKING_PORTS)
}

fn are_blocked(worlds: &[World]) -> bool {
    worlds.iter().all(|world| world.verdict == Verdict::Blocked)
}

/// A resolver or cache on the host itself.
fn is_on_the_host(server: IpAddr) -> bool {
    match server {
        IpAddr::V4(server) => server.is_unspecified() || server.is_loopback() || server.is_link_local(),
        IpAddr::V6(server) => server.is_unspecified() || server.is_loopback() || server.is_unicast_link_local(),
    }
}

fn refused(code: Code, resource: &str, detail: String) -> Blocker {
    Blocker::new(code, resource, detail, Place::Other)
}

/// The VPC's own resolver stands in its primary block; in the others AWS keeps the address free
/// (<https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html>).
fn nobody_there(source: &Source<'_, '_>, server: IpAddr) -> Option<Blocker> {
    let at = &source.position;
    let is_third = at.nets.iter().any(|block| is_third_of(block, server));
    is_third
        .then(|| refused(Code::DnsNoResolver, at.vpc_id, format!("has no resolver at {server}, which AWS keeps free, so no name resolves")))
}

/// Whether an address is the base of a block plus two.
pub(super) fn is_third_of(block: &IpNet, address: IpAddr) -> bool {
    match (block.network(), address) {
        (IpAddr::V4(base), IpAddr::V4(address)) => base.to_bits().checked_add(2) == Some(address.to_bits()),
        _ => false,
    }
}
