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
use crate::model::{Estate, net};
use crate::snapshot::ec2::{UserIdGroupPair, Vpc};

const PORT: u16 = 53;
/// Every port from which an operating system may ask.
const ASKING_PORTS: (u16, u16) = (1024, 65535);

/// Who surely keeps the instance from asking any of the servers; empty where one of them may be reached.
pub(super) fn out_of_reach(source: &Source<'_, '_>, servers: &[IpAddr]) -> Vec<Blocker> {
    servers.iter().map(|server| blocker(source, *server)).collect::<Option<_>>().unwrap_or_default()
}

fn blocker(source: &Source<'_, '_>, server: IpAddr) -> Option<Blocker> {
    // What a host asks itself never leaves it.
    if server.is_ipv4() != source.address.is_ipv4() || server == source.address {
        return None;
    }
    if let Some(blocker) = resolver_of_another(source, server) {
        return Some(blocker);
    }
    blocker_of(source, server)
}

fn refused(code: Code, resource: &str, detail: String) -> Blocker {
    Blocker { code, resource: resource.to_owned(), detail, place: Place::Other }
}

/// A VPC's own resolver stands at the base of its primary block plus two, and answers that VPC alone.
fn resolver_of_another(source: &Source<'_, '_>, server: IpAddr) -> Option<Blocker> {
    let own = &source.position;
    let is_second = |block: &IpNet| match (block.network(), server) {
        (IpAddr::V4(base), IpAddr::V4(server)) => base.to_bits().checked_add(2) == Some(server.to_bits()),
        _ => false,
    };
    let told = |vpc: &str, why: &str| {
        refused(Code::DnsNoResolver, vpc, format!("has no resolver for this VPC at {server}: {why}, so no name resolves"))
    };
    if own.nets.iter().any(|block| block.contains(&server)) {
        return own.nets.iter().any(is_second).then(|| told(own.vpc_id, "AWS keeps the address in blocks beside the primary one free"));
    }
    let table = own.table().into_known()?;
    let splits = route::split(own.home, table, &own.nets, &IntervalSet::address(server), false);
    let is_led_to = |vpc: &&Vpc| {
        let leads = |share: &Share<'_>| match share.next_hop {
            NextHop::Peering(_) => true,
            NextHop::TransitGateway(gateway) => is_attached(source.estate, gateway, vpc),
            _ => false,
        };
        splits.iter().flat_map(|split| &split.shares).all(leads)
    };
    let vpcs = source.estate.regions().flat_map(|region| region.files.vpcs.iter().flat_map(|file| &file.vpcs));
    let mut seconds = vpcs.filter(|vpc| net(vpc.cidr_block.as_ref()).is_some_and(|block| is_second(&block)));
    let other = seconds.find(is_led_to)?;
    Some(told(other.vpc_id.as_deref().unwrap_or_default(), "that is the address of its own, which answers nobody else"))
}

fn is_attached(estate: &Estate<'_>, gateway: &str, vpc: &Vpc) -> bool {
    let attachments = estate.regions().flat_map(|region| region.files.transit_gateway_attachments.iter());
    let mut attachments = attachments.flat_map(|file| &file.transit_gateway_vpc_attachments);
    attachments.any(|attachment| attachment.transit_gateway_id.as_deref() == Some(gateway) && attachment.vpc_id == vpc.vpc_id)
}

fn blocker_of(source: &Source<'_, '_>, server: IpAddr) -> Option<Blocker> {
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
    let interface = host::in_vpc(at, &to)?;
    let guarding = group_ids(&interface.groups);
    let is_own = |pair: &UserIdGroupPair| source.groups.iter().any(|own| Some(own) == pair.group_id.as_ref());
    let asking = IntervalSet::address(source.address);
    let members = |pair: &UserIdGroupPair| if is_own(pair) { asking.clone() } else { IntervalSet::empty() };
    let allowed = security_group::allowed(at.home, &guarding, Direction::Ingress, Protocol::Udp, PORT, &members);
    if asking.intersection(&allowed.sieve.may).is_empty() {
        let detail =
            format!("has no inbound rule for UDP {PORT} from {}, and guards the DNS server {server}, so no name resolves", source.address);
        return Some(refused(Code::EniSgRulesMismatch, guarding.first().map_or("", String::as_str), detail));
    }
    None
}
