//! Route tables: longest prefix first, then static before prefix list before propagated.
//!
//! Source: <https://docs.aws.amazon.com/vpc/latest/userguide/route-tables-priority.html>.

use ipnet::IpNet;

use super::set::IntervalSet;
use crate::model::known::Unknown;
use crate::model::{Region, is_word};
use crate::snapshot::ec2::{Route, RouteTable};

/// The addresses of a target that one route takes; no route takes the rest.
#[derive(Debug, Clone)]
pub(super) struct Share<'a> {
    pub(super) addresses: IntervalSet,
    pub(super) next_hop: NextHop<'a>,
    /// The destination as the table writes it, and whether the route is dead.
    pub(super) destination: String,
    pub(super) is_blackhole: bool,
    /// Whether the route tells if it is dead. Local routes never are.
    pub(super) has_state: bool,
}

/// One way in which AWS may route a target, and what it depends on when there are several.
#[derive(Debug, Clone)]
pub(super) struct Split<'a> {
    pub(super) shares: Vec<Share<'a>>,
    /// When AWS routes so; empty where there is no other way.
    pub(super) when: String,
    pub(super) depends_on: Vec<Unknown>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NextHop<'a> {
    Local,
    InternetGateway(&'a str),
    EgressOnlyGateway(&'a str),
    NatGateway(&'a str),
    /// A gateway endpoint, or the endpoint of a Gateway Load Balancer.
    Endpoint(&'a str),
    Peering(&'a str),
    TransitGateway(&'a str),
    VirtualPrivateGateway(&'a str),
    Interface(&'a str),
    /// A target of a kind that is not modelled. It still takes its addresses.
    Unmodelled(&'a str),
    /// The route does not tell its target.
    Untold,
    Nothing,
}

impl NextHop<'_> {
    pub(super) fn id(&self) -> &str {
        match self {
            Self::Local => "local",
            Self::Untold => "a target that is not told",
            Self::Nothing => "nothing",
            Self::InternetGateway(id)
            | Self::EgressOnlyGateway(id)
            | Self::NatGateway(id)
            | Self::Endpoint(id)
            | Self::Peering(id)
            | Self::TransitGateway(id)
            | Self::VirtualPrivateGateway(id)
            | Self::Interface(id)
            | Self::Unmodelled(id) => id,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    Static,
    PrefixList,
    Propagated,
}

#[derive(Debug, Clone)]
struct Entry<'a> {
    net: IpNet,
    class: Class,
    /// `None` for the local route that the table does not list.
    route: Option<&'a Route>,
}

/// Splits a target over the routes of a table, once for each way in which AWS may choose.
///
/// `public` says that the target is the public addresses of services other than S3 and `DynamoDB`, which no AWS-managed
/// list takes even where its entries are not known.
pub(super) fn split<'a>(
    region: &Region<'a>,
    table: &'a RouteTable,
    vpc_nets: &[IpNet],
    target: &IntervalSet,
    public: bool,
) -> Vec<Split<'a>> {
    let mut entries: Vec<Entry<'a>> = Vec::new();
    let mut unreadable: Vec<(&'a Route, Vec<Unknown>)> = Vec::new();
    for route in &table.routes {
        // A filtered route is not installed (assumption A-20).
        if route.state.as_deref().is_some_and(|state| state.eq_ignore_ascii_case("filtered")) {
            continue;
        }
        if let Some(cidr) = route.destination_cidr_block.as_ref().or(route.destination_ipv6_cidr_block.as_ref()) {
            let is_propagated = matches!(route.origin.as_deref(), Some(origin) if origin.eq_ignore_ascii_case("EnableVgwRoutePropagation") || origin.eq_ignore_ascii_case("Advertisement"));
            match cidr.parse::<IpNet>() {
                Ok(net) => {
                    entries.push(Entry {
                        net: net.trunc(),
                        class: if is_propagated { Class::Propagated } else { Class::Static },
                        route: Some(route),
                    });
                }
                Err(_) => unreadable.push((
                    route,
                    vec![Unknown::new("fact_not_collected", cidr, "collect the route table again: this destination cannot be read")],
                )),
            }
        } else if let Some(list) = &route.destination_prefix_list_id {
            let view = region.prefix_list(list);
            match view.and_then(|view| view.entries.as_ref()) {
                Some(nets) => entries.extend(nets.iter().map(|net| Entry { net: *net, class: Class::PrefixList, route: Some(route) })),
                None => {
                    // A route to a gateway endpoint is by AWS's own list; one to another kind of endpoint by any.
                    let endpoint = route.gateway_id.as_deref().and_then(|id| region.endpoint(id).into_known().flatten());
                    let leads_to_gateway_endpoint =
                        endpoint.is_some_and(|endpoint| is_word(endpoint.vpc_endpoint_type.as_ref(), "Gateway"));
                    let is_aws_managed = view.and_then(|view| view.is_aws_managed).unwrap_or(leads_to_gateway_endpoint);
                    if !(public && is_aws_managed) {
                        unreadable.push((route, vec![region.not_collected("ec2:GetManagedPrefixListEntries")]));
                    }
                }
            }
        }
    }
    for route in table.routes.iter().filter(|route| destination(route).is_empty()) {
        let id = table.route_table_id.as_deref().unwrap_or_default();
        unreadable.push((route, vec![Unknown::new("fact_not_collected", id, format!("collect {id} again: a route has no destination"))]));
    }
    // Every table routes the VPC's own blocks locally, unless it says otherwise for the very block.
    let implied: Vec<IpNet> = vpc_nets.iter().filter(|net| !entries.iter().any(|entry| entry.net == **net)).copied().collect();
    entries.extend(implied.into_iter().map(|net| Entry { net, class: Class::Static, route: None }));
    let mut splits = Vec::new();
    for order in prefix_list_orders(&entries) {
        for taker in std::iter::once(None).chain(unreadable.iter().map(Some)) {
            let mut shares = Vec::new();
            let mut depends_on: Vec<Unknown> = unreadable.iter().flat_map(|(_, why)| why.clone()).collect();
            depends_on.extend(order.iter().map(|route| {
                Unknown::new(
                    "prefix_list_overlap",
                    route.destination_prefix_list_id.as_deref().unwrap_or_default(),
                    "make the prefix lists in this route table disjoint: AWS picks one of two overlapping lists at random",
                )
            }));
            match taker {
                Some((route, _)) => shares.push(Share::new(target.clone(), route)),
                None => shares = by_longest_prefix(&entries, vpc_nets, target, order),
            }
            let wins = |route: &Route| format!("the route to {} wins", destination(route));
            let when = taker.map(|(route, _)| *route).or(order).map(wins).unwrap_or_default();
            splits.push(Split { shares, when, depends_on });
        }
    }
    splits
}

/// Whether the table has a route, taken as not installed, that would take some of the addresses (assumption A-20).
pub(super) fn leaves_out_filtered(table: &RouteTable, addresses: &IntervalSet) -> bool {
    let is_filtered = |route: &&Route| route.state.as_deref().is_some_and(|state| state.eq_ignore_ascii_case("filtered"));
    table.routes.iter().filter(is_filtered).any(|route| {
        let destination = route.destination_cidr_block.as_ref().or(route.destination_ipv6_cidr_block.as_ref());
        let net = destination.and_then(|cidr| cidr.parse::<IpNet>().ok());
        net.is_none_or(|net| !addresses.intersection(&IntervalSet::net(net)).is_empty())
    })
}

/// The prefix-list routes that may come first where lists overlap: one order each, or the plain one.
fn prefix_list_orders<'a>(entries: &[Entry<'a>]) -> Vec<Option<&'a Route>> {
    let lists: Vec<(IpNet, &'a Route)> =
        entries.iter().filter(|entry| entry.class == Class::PrefixList).filter_map(|entry| Some((entry.net, entry.route?))).collect();
    let mut overlapping: Vec<&'a Route> = Vec::new();
    for (position, (left_net, left)) in lists.iter().enumerate() {
        for (right_net, right) in lists.iter().skip(position + 1) {
            let overlap = left_net.contains(right_net) || right_net.contains(left_net);
            if overlap
                && left.destination_prefix_list_id != right.destination_prefix_list_id
                && (next_hop(left), is_blackhole(left)) != (next_hop(right), is_blackhole(right))
            {
                for route in [*left, *right] {
                    if !overlapping.iter().any(|known| std::ptr::eq(*known, route)) {
                        overlapping.push(route);
                    }
                }
            }
        }
    }
    overlapping.sort_by_key(|route| &route.destination_prefix_list_id);
    if overlapping.is_empty() { vec![None] } else { overlapping.into_iter().map(Some).collect() }
}

fn by_longest_prefix<'a>(entries: &[Entry<'a>], vpc_nets: &[IpNet], target: &IntervalSet, first_list: Option<&'a Route>) -> Vec<Share<'a>> {
    let own = IntervalSet::nets(vpc_nets);
    let mut sorted: Vec<&Entry<'a>> = entries.iter().collect();
    sorted.sort_by_key(|entry| (std::cmp::Reverse(entry.net.prefix_len()), entry.class));
    let mut remaining = target.clone();
    let mut shares: Vec<Share<'a>> = Vec::new();
    for entry in sorted {
        let mut taken = remaining.intersection(&IntervalSet::net(entry.net));
        if entry.class == Class::Propagated {
            // The local route wins over a propagated one, even over a more specific one.
            taken = taken.difference(&own);
        }
        remaining = remaining.difference(&taken);
        if let (Class::PrefixList, Some(first)) = (entry.class, first_list) {
            let contested = taken.intersection(&IntervalSet::nets(of_route(entries, first).map(|entry| &entry.net)));
            taken = taken.difference(&contested);
            add(&mut shares, contested, first);
        }
        match entry.route {
            Some(route) => add(&mut shares, taken, route),
            None if taken.is_empty() => {}
            None => shares.push(Share {
                addresses: taken,
                next_hop: NextHop::Local,
                destination: "the VPC's own block".to_owned(),
                is_blackhole: false,
                has_state: true,
            }),
        }
    }
    if !remaining.is_empty() {
        shares.push(Share {
            addresses: remaining,
            next_hop: NextHop::Nothing,
            destination: String::new(),
            is_blackhole: false,
            has_state: true,
        });
    }
    shares
}

fn of_route<'e, 'a>(entries: &'e [Entry<'a>], route: &'a Route) -> impl Iterator<Item = &'e Entry<'a>> {
    entries.iter().filter(move |entry| entry.route.is_some_and(|own| std::ptr::eq(own, route)))
}

fn add<'a>(shares: &mut Vec<Share<'a>>, addresses: IntervalSet, route: &'a Route) {
    if addresses.is_empty() {
        return;
    }
    match shares.iter_mut().find(|share| share.next_hop == next_hop(route) && share.destination == destination(route)) {
        Some(share) => share.addresses = share.addresses.union(&addresses),
        None => shares.push(Share::new(addresses, route)),
    }
}

impl<'a> Share<'a> {
    fn new(addresses: IntervalSet, route: &'a Route) -> Self {
        let next_hop = next_hop(route);
        let has_state = route.state.is_some() || next_hop == NextHop::Local;
        Self { addresses, next_hop, destination: destination(route), is_blackhole: is_blackhole(route), has_state }
    }

    /// Whether answers to another VPC are surely lost by this route: an internet gateway never leads to one.
    pub(super) fn loses_answers(&self) -> bool {
        self.is_blackhole || matches!(self.next_hop, NextHop::Nothing | NextHop::InternetGateway(_) | NextHop::EgressOnlyGateway(_))
    }

    /// Why it is not known whether the route, of this table, is dead.
    pub(super) fn doubt(&self, table: &str) -> Option<Unknown> {
        let settled_by = "collect ec2-describe-route-tables.json again: a route has no State";
        (!self.has_state).then(|| Unknown::new("fact_not_collected", table, settled_by))
    }
}

fn is_blackhole(route: &Route) -> bool {
    route.state.as_deref().is_some_and(|state| state.eq_ignore_ascii_case("blackhole"))
}

fn destination(route: &Route) -> String {
    let destinations = [&route.destination_cidr_block, &route.destination_ipv6_cidr_block, &route.destination_prefix_list_id];
    destinations.into_iter().flatten().next().cloned().unwrap_or_default()
}

fn next_hop(route: &Route) -> NextHop<'_> {
    if let Some(id) = told(route.nat_gateway_id.as_ref()) {
        return NextHop::NatGateway(id);
    }
    if let Some(id) = told(route.transit_gateway_id.as_ref()) {
        return NextHop::TransitGateway(id);
    }
    if let Some(id) = told(route.vpc_peering_connection_id.as_ref()) {
        return NextHop::Peering(id);
    }
    if let Some(id) = told(route.network_interface_id.as_ref()) {
        return NextHop::Interface(id);
    }
    if let Some(id) = told(route.egress_only_internet_gateway_id.as_ref()) {
        return NextHop::EgressOnlyGateway(id);
    }
    match told(route.gateway_id.as_ref()) {
        Some("local") => NextHop::Local,
        Some(id) if id.starts_with("igw-") => NextHop::InternetGateway(id),
        Some(id) if id.starts_with("vpce-") => NextHop::Endpoint(id),
        Some(id) if id.starts_with("vgw-") => NextHop::VirtualPrivateGateway(id),
        Some(id) => NextHop::Unmodelled(id),
        None => {
            let others = [
                &route.instance_id,
                &route.core_network_arn,
                &route.carrier_gateway_id,
                &route.local_gateway_id,
                &route.odb_network_arn,
                &route.ip_address,
            ];
            others.into_iter().find_map(|id| told(id.as_ref())).map_or(NextHop::Untold, NextHop::Unmodelled)
        }
    }
}

/// A target without an id is none.
fn told(id: Option<&String>) -> Option<&str> {
    id.map(String::as_str).filter(|id| !id.is_empty())
}
