//! The way to DNS servers of the user's own. Amazon's resolver is always reached: neither groups nor network ACLs see what it is asked
//! (<https://docs.aws.amazon.com/vpc/latest/userguide/AmazonDNS-concepts.html>).

use std::net::IpAddr;

use super::goal;
use super::network_acl;
use super::protocol::Protocol;
use super::route::{self, NextHop, Share};
use super::security_group::{self, Direction};
use super::set::IntervalSet;
use super::source::Source;
use super::verdict::{Blocker, Code, Place};
use crate::model::net;
use crate::snapshot::ec2::UserIdGroupPair;

const PORT: u16 = 53;
/// Every port from which an operating system may ask.
const ASKING_PORTS: (u16, u16) = (1024, 65535);

/// Who surely keeps the instance from asking any of the servers; empty where one of them may be reached.
pub(super) fn out_of_reach(source: &Source<'_, '_>, servers: &[IpAddr]) -> Vec<Blocker> {
    servers.iter().map(|server| blocker(source, *server)).collect::<Option<_>>().unwrap_or_default()
}

fn blocker(source: &Source<'_, '_>, server: IpAddr) -> Option<Blocker> {
    if server.is_ipv4() != source.address.is_ipv4() {
        return None;
    }
    let refused = |code, resource: &str, detail: String| Some(Blocker { code, resource: resource.to_owned(), detail, place: Place::Other });
    let to = IntervalSet::address(server);
    let at = &source.position;
    // A group that a rule refers to may be the server's.
    let anybody = |_: &UserIdGroupPair| IntervalSet::everything();
    let groups = security_group::allowed(source.region, &source.groups, Direction::Egress, Protocol::Udp, PORT, &anybody);
    if to.intersection(&groups.sieve.may).is_empty() {
        let resource = source.groups.first().map_or(source.interface, String::as_str);
        let detail = format!("has no outbound rule for UDP {PORT} to the DNS server {server}, so no name resolves");
        return refused(Code::EniSgRulesMismatch, resource, detail);
    }
    let is_beside = at.subnet.and_then(|subnet| net(subnet.cidr_block.as_ref())).is_some_and(|block| block.contains(&server));
    if !is_beside && let Some(acl) = at.home.network_acl(at.subnet_id()).into_known() {
        let id = acl.network_acl_id.as_deref().unwrap_or_default();
        for (is_egress, ports) in [(true, (PORT, PORT)), (false, ASKING_PORTS)] {
            let filtered = network_acl::filter(acl, is_egress, Protocol::Udp, &to, &IntervalSet::ports(ports)).into_known();
            if let Some(filtered) = filtered.filter(|filtered| filtered.allowed.is_empty()) {
                let what = if is_egress { format!("UDP {PORT} outbound to") } else { "the answers by UDP inbound from".to_owned() };
                let detail = format!("denies {what} the DNS server {server} ({}), so no name resolves", filtered.deniers());
                return refused(Code::SubnetAclRestriction, id, detail);
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
        return refused(Code::NoRouteToDestination, id, format!("has no route to the DNS server {server}, so no name resolves"));
    }
    None
}
