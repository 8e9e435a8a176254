//! Route tables of transit gateways: longest prefix first, then static before propagated
//! (<https://docs.aws.amazon.com/vpc/latest/tgw/how-transit-gateways-work.html#tgw-route-evaluation-overview>).

use ipnet::IpNet;

use super::set::IntervalSet;
use crate::model::known::Known;
use crate::model::{Region, is_word};
use crate::snapshot::ec2::{TransitGatewayRoute, TransitGatewayRouteAttachment};

/// The addresses that one route of a transit gateway takes.
#[derive(Debug)]
pub(super) struct Share<'a> {
    pub(super) addresses: IntervalSet,
    pub(super) destination: String,
    pub(super) next: Next<'a>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Next<'a> {
    Attachment(&'a TransitGatewayRouteAttachment),
    /// A blackhole.
    Dead,
    Nothing,
    /// What would settle where it leads.
    Unclear(String),
}

/// The route table associated with an attachment; `Known(None)` when there surely is none.
pub(super) fn table_of<'a>(owner: &Region<'a>, gateway: &str, attachment: &str) -> Known<Option<&'a str>> {
    let Some(associations) = &owner.files.transit_gateway_associations else {
        return Known::Unknown(vec![owner.not_collected("ec2:GetTransitGatewayRouteTableAssociations")]);
    };
    for (table, list) in &associations.associations {
        let found = list.iter().find(|association| association.transit_gateway_attachment_id.as_deref() == Some(attachment));
        match found.map(|association| association.state.as_deref()) {
            None => {}
            Some(Some(state)) if state.eq_ignore_ascii_case("associated") => return Known::Known(Some(table)),
            Some(_) => {
                let settled_by = format!("wait until the association of {attachment} with {table} is settled, and collect again");
                return Known::unknown("fact_not_collected", table.as_str(), settled_by);
            }
        }
    }
    // Only where every table of the gateway was asked is there none.
    let tables = owner.files.transit_gateway_route_tables.as_ref().map(|file| &file.transit_gateway_route_tables);
    let is_whole = tables.is_some_and(|tables| {
        let own = tables.iter().filter(|table| table.transit_gateway_id.as_deref().is_none_or(|id| id == gateway));
        own.map(|table| table.transit_gateway_route_table_id.as_ref())
            .all(|id| id.is_some_and(|id| associations.associations.contains_key(id)))
    });
    if !is_whole {
        return Known::Unknown(vec![owner.not_collected("ec2:GetTransitGatewayRouteTableAssociations")]);
    }
    without_route_table(owner, gateway, attachment)
}

/// An attachment may have a policy table instead, which tells nobody whose it is
/// (<https://docs.aws.amazon.com/vpc/latest/tgw/tgw-policy-tables.html>).
fn without_route_table<'a>(owner: &Region<'a>, gateway: &str, attachment: &str) -> Known<Option<&'a str>> {
    let Some(file) = &owner.files.transit_gateway_policy_tables else {
        return Known::Unknown(vec![owner.not_collected("ec2:DescribeTransitGatewayPolicyTables")]);
    };
    let is_of_gateway = |id: Option<&str>| id.is_none_or(|id| id == gateway);
    let mut tables = file.transit_gateway_policy_tables.iter();
    match tables.find(|table| is_of_gateway(table.transit_gateway_id.as_deref()) && !is_word(table.state.as_ref(), "deleted")) {
        None => Known::Known(None),
        Some(table) => {
            let id = table.transit_gateway_policy_table_id.as_deref().unwrap_or(gateway);
            let settled_by =
                format!("check by hand whether {attachment} is associated with policy table {id}, and where that sends its traffic");
            Known::unknown("transit_gateway_not_modelled", id, settled_by)
        }
    }
}

/// Splits addresses over the routes of a table.
pub(super) fn split<'a>(owner: &Region<'a>, table: &str, addresses: &IntervalSet) -> Known<Vec<Share<'a>>> {
    let routes = owner.files.transit_gateway_routes.as_ref().and_then(|file| file.transit_gateway_routes.get(table));
    let Some(routes) = routes else { return Known::Unknown(vec![owner.not_collected("ec2:SearchTransitGatewayRoutes")]) };
    let mut entries: Vec<(IpNet, bool, &'a TransitGatewayRoute)> = Vec::new();
    for route in routes {
        let Some(net) = route.destination_cidr_block.as_deref().and_then(|cidr| cidr.parse::<IpNet>().ok()) else {
            let settled_by = format!("collect the routes of {table} again: a destination cannot be read");
            return Known::unknown("fact_not_collected", table, settled_by);
        };
        entries.push((net.trunc(), is_word(route.r#type.as_ref(), "propagated"), route));
    }
    entries.sort_by_key(|(net, is_propagated, _)| (std::cmp::Reverse(net.prefix_len()), *is_propagated));
    let mut remaining = addresses.clone();
    let mut shares = Vec::new();
    for (net, _, route) in entries {
        let taken = remaining.intersection(&IntervalSet::net(net));
        if taken.is_empty() {
            continue;
        }
        remaining = remaining.difference(&taken);
        shares.push(Share { addresses: taken, destination: net.to_string(), next: next(table, route) });
    }
    if !remaining.is_empty() {
        shares.push(Share { addresses: remaining, destination: String::new(), next: Next::Nothing });
    }
    Known::Known(shares)
}

fn next<'a>(table: &str, route: &'a TransitGatewayRoute) -> Next<'a> {
    match (route.state.as_deref(), route.transit_gateway_attachments.as_slice()) {
        (Some(state), _) if state.eq_ignore_ascii_case("blackhole") => Next::Dead,
        (Some(state), [only]) if state.eq_ignore_ascii_case("active") && route.r#type.is_some() => Next::Attachment(only),
        // Over several attachments AWS spreads the flows.
        (_, attachments) => Next::Unclear(format!(
            "check by hand where {table} sends {}: its route there has {} attachments and state {}",
            route.destination_cidr_block.as_deref().unwrap_or_default(),
            attachments.len(),
            route.state.as_deref().unwrap_or("unknown"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(cidr: &str, kind: &str, attachment: &str) -> TransitGatewayRoute {
        TransitGatewayRoute {
            destination_cidr_block: Some(cidr.to_owned()),
            r#type: Some(kind.to_owned()),
            state: Some("active".to_owned()),
            transit_gateway_attachments: vec![TransitGatewayRouteAttachment {
                transit_gateway_attachment_id: Some(attachment.to_owned()),
                ..Default::default()
            }],
            ..Default::default()
        }
    }

    #[test]
    fn the_longest_prefix_wins_then_the_static_route() {
        let routes = vec![
            route("0.0.0.0/0", "propagated", "by-default"),
            route("10.0.0.0/8", "propagated", "propagated"),
            route("10.0.0.0/8", "static", "static"),
            route("10.1.0.0/16", "propagated", "longer"),
        ];
        let mut files = crate::snapshot::RegionFiles::default();
        let tables = std::collections::BTreeMap::from([("tgw-rtb-1".to_owned(), routes)]);
        files.transit_gateway_routes = Some(crate::snapshot::ec2::SearchTransitGatewayRoutes { transit_gateway_routes: tables });
        let owner = Region::new("111111111111", "eu-central-1", &files, &[]);
        for (address, expected) in [("10.1.2.3", "longer"), ("10.2.0.1", "static"), ("192.0.2.1", "by-default")] {
            let address = IntervalSet::address(address.parse().expect("an address"));
            let Known::Known(shares) = split(&owner, "tgw-rtb-1", &address) else { panic!("known") };
            let [Share { next: Next::Attachment(found), .. }] = shares.as_slice() else { panic!("one share: {shares:?}") };
            assert_eq!(found.transit_gateway_attachment_id.as_deref(), Some(expected));
        }
        assert!(matches!(split(&owner, "tgw-rtb-2", &IntervalSet::everything()), Known::Unknown(why) if !why.is_empty()));
    }
}
