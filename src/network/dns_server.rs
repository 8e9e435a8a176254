//! The way to DNS servers of the user's own. Amazon's resolver is always reached: neither groups nor network ACLs see what it is asked
//! (<https://docs.aws.amazon.com/vpc/latest/userguide/AmazonDNS-concepts.html>).

use std::net::IpAddr;

use ipnet::IpNet;

use super::goal;
use super::host;
use super::network_acl;
use super::protocol::Protocol;
use super::route::{self, NextHop, Share};
use super::security_group::{self, Direction};
use super::set::IntervalSet;
use super::source::{Source, group_ids};
use super::verdict::{Blocker, Code, Place};
use crate::model::known::Unknown;
use crate::model::net;
use crate::snapshot::ec2::UserIdGroupPair;

const PORT: u16 = 53;
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

pub(super) fn way_to(source: &Source<'_, '_>, servers: &[IpAddr]) -> Way {
    let (mut blockers, mut doubts) = (Vec::new(), Vec::new());
    for server in servers {
        match way_to_one(source, *server) {
            Way::Open => return Way::Open,
            Way::Closed(why) => blockers.extend(why),
            Way::Unclear(perhaps, why) => {
                blockers.extend(perhaps);
                doubts.extend(why);
            }
        }
    }
    match (blockers.is_empty(), doubts.is_empty()) {
        (true, _) => Way::Open,
        (false, true) => Way::Closed(blockers),
        (false, false) => Way::Unclear(blockers, doubts),
    }
}

fn way_to_one(source: &Source<'_, '_>, server: IpAddr) -> Way {
    // What a host asks itself never leaves it.
    if server.is_ipv4() != source.address.is_ipv4() || server == source.address {
        return Way::Open;
    }
    match on_the_way(source, server).or_else(|| nobody_there(source, server)) {
        Some(blocker) => Way::Closed(vec![blocker]),
        None => at_the_server(source, server),
    }
}

fn refused(code: Code, resource: &str, detail: String) -> Blocker {
    Blocker { code, resource: resource.to_owned(), detail, place: Place::Other }
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

/// What stands between the instance and a server.
fn on_the_way(source: &Source<'_, '_>, server: IpAddr) -> Option<Blocker> {
    let to = IntervalSet::address(server);
    let at = &source.position;
    // A group that a rule refers to may be the server's.
    let anybody = |_: &UserIdGroupPair| IntervalSet::everything();
    let groups = security_group::allowed(source.region, &source.groups, Direction::Egress, Protocol::Udp, PORT, &anybody);
    if to.intersection(&groups.sieve.may).is_empty() {
        let resource = source.groups.first().map_or(source.interface, String::as_str);
        let detail = format!("has no outbound rule for UDP {PORT} to the DNS server {server}, so no name resolves");
        return Some(refused(Code::EniSgRulesMismatch, resource, detail));
    }
    let is_beside = at.subnet.and_then(|subnet| net(subnet.cidr_block.as_ref())).is_some_and(|block| block.contains(&server));
    if !is_beside && let Some(acl) = at.home.network_acl(at.subnet_id()).into_known() {
        let id = acl.network_acl_id.as_deref().unwrap_or_default();
        for (is_egress, ports) in [(true, (PORT, PORT)), (false, ASKING_PORTS)] {
            let filtered = network_acl::filter(acl, is_egress, Protocol::Udp, &to, &IntervalSet::ports(ports)).into_known();
            if let Some(filtered) = filtered.filter(|filtered| filtered.allowed.is_empty()) {
                let what = if is_egress { format!("UDP {PORT} outbound to") } else { "the answers by UDP inbound from".to_owned() };
                let detail = format!("denies {what} the DNS server {server} ({}), so no name resolves", filtered.deniers());
                return Some(refused(Code::SubnetAclRestriction, id, detail));
            }
        }
    }
    let table = at.table().into_known()?;
    let splits = route::split(at.home, table, &at.nets, &to, false);
    let is_private = to.difference(&goal::not_public_ipv4()).is_empty();
    let is_lost = |share: &Share<'_>| {
        let leaves = matches!(share.next_hop, NextHop::InternetGateway(_) | NextHop::EgressOnlyGateway(_));
        share.is_blackhole || share.next_hop == NextHop::Nothing || (leaves && is_private)
    };
    if splits.iter().flat_map(|split| &split.shares).all(is_lost) {
        let id = table.route_table_id.as_deref().unwrap_or_default();
        return Some(refused(Code::NoRouteToDestination, id, format!("has no route to the DNS server {server}, so no name resolves")));
    }
    None
}

/// The groups that guard a server in the VPC.
fn at_the_server(source: &Source<'_, '_>, server: IpAddr) -> Way {
    let at = &source.position;
    if !at.nets.iter().any(|block| block.contains(&server)) {
        return Way::Open;
    }
    if at.home.files.network_interfaces.is_none() {
        let told =
            refused(Code::EniSgRulesMismatch, at.vpc_id, format!("may have groups that keep UDP {PORT} from the DNS server {server}"));
        return Way::Unclear(vec![told], vec![at.home.not_collected("ec2:DescribeNetworkInterfaces")]);
    }
    let Some(interface) = host::in_vpc(at, &IntervalSet::address(server)) else { return Way::Open };
    let guarding = group_ids(&interface.groups);
    let is_own = |pair: &UserIdGroupPair| source.groups.iter().any(|own| Some(own) == pair.group_id.as_ref());
    let asking = IntervalSet::address(source.address);
    let members = |pair: &UserIdGroupPair| if is_own(pair) { asking.clone() } else { IntervalSet::empty() };
    let allowed = security_group::allowed(at.home, &guarding, Direction::Ingress, Protocol::Udp, PORT, &members);
    if asking.difference(&allowed.sieve.must).is_empty() {
        return Way::Open;
    }
    let (address, group) = (source.address, guarding.first().map_or(at.vpc_id, String::as_str));
    let detail = format!("has no inbound rule for UDP {PORT} from {address}, and guards the DNS server {server}, so no name resolves");
    let told = vec![refused(Code::EniSgRulesMismatch, group, detail)];
    if asking.intersection(&allowed.sieve.may).is_empty() { Way::Closed(told) } else { Way::Unclear(told, allowed.unknowns) }
}
