//! Transit gateways, as far as this account may see them: those of another account often show their attachments alone.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::Filter;
use futures::future::join_all;

use super::PAGE;
use crate::aws::desk::Desk;
use crate::aws::gap::Refusal;
use crate::snapshot::ec2 as file;
use crate::snapshot::{GapReason, RegionFiles};

const TABLES: &str = "ec2:DescribeTransitGatewayRouteTables";
const ROUTES: &str = "ec2:SearchTransitGatewayRoutes";
const ASSOCIATIONS: &str = "ec2:GetTransitGatewayRouteTableAssociations";
const PROPAGATIONS: &str = "ec2:GetTransitGatewayRouteTablePropagations";

pub(super) async fn look(desk: &Desk, files: &mut RegionFiles) {
    let (gateways, attachments, tables, policy_tables) =
        futures::join!(gateways(desk), attachments(desk), tables(desk), policy_tables(desk));
    files.transit_gateway_policy_tables = policy_tables;
    files.transit_gateways = gateways;
    files.transit_gateway_attachments = attachments;
    if let Some(tables) = &tables {
        let ids: Vec<String> =
            tables.transit_gateway_route_tables.iter().filter_map(|table| table.transit_gateway_route_table_id.clone()).collect();
        let (routes, associations, propagations) = futures::join!(routes(desk, &ids), associations(desk, &ids), propagations(desk, &ids));
        files.transit_gateway_routes = routes.map(|transit_gateway_routes| file::SearchTransitGatewayRoutes { transit_gateway_routes });
        files.transit_gateway_associations =
            associations.map(|associations| file::GetTransitGatewayRouteTableAssociations { associations });
        files.transit_gateway_propagations = propagations.map(|transit_gateway_route_table_propagations| {
            file::GetTransitGatewayRouteTablePropagations { transit_gateway_route_table_propagations }
        });
    } else {
        for operation in [ROUTES, ASSOCIATIONS, PROPAGATIONS] {
            desk.miss_without(operation, TABLES);
        }
    }
    files.transit_gateway_route_tables = tables;
}

async fn gateways(desk: &Desk) -> Option<file::DescribeTransitGateways> {
    let client = desk.ec2();
    let transit_gateways = desk.pages(
        "ec2:DescribeTransitGateways",
        |token| client.describe_transit_gateways().max_results(PAGE).set_next_token(token).send(),
        |page| (page.transit_gateways, page.next_token),
    );
    Some(file::DescribeTransitGateways { transit_gateways: transit_gateways.await? })
}

async fn attachments(desk: &Desk) -> Option<file::DescribeTransitGatewayVpcAttachments> {
    let client = desk.ec2();
    let attachments = desk.pages(
        "ec2:DescribeTransitGatewayVpcAttachments",
        |token| client.describe_transit_gateway_vpc_attachments().max_results(PAGE).set_next_token(token).send(),
        |page| (page.transit_gateway_vpc_attachments, page.next_token),
    );
    Some(file::DescribeTransitGatewayVpcAttachments { transit_gateway_vpc_attachments: attachments.await? })
}

async fn tables(desk: &Desk) -> Option<file::DescribeTransitGatewayRouteTables> {
    let client = desk.ec2();
    let tables = desk.pages(
        TABLES,
        |token| client.describe_transit_gateway_route_tables().max_results(PAGE).set_next_token(token).send(),
        |page| (page.transit_gateway_route_tables, page.next_token),
    );
    Some(file::DescribeTransitGatewayRouteTables { transit_gateway_route_tables: tables.await? })
}

/// The tables that an attachment may have instead of a route table.
async fn policy_tables(desk: &Desk) -> Option<file::DescribeTransitGatewayPolicyTables> {
    let client = desk.ec2();
    let policy_tables = desk.pages(
        "ec2:DescribeTransitGatewayPolicyTables",
        |token| client.describe_transit_gateway_policy_tables().max_results(PAGE).set_next_token(token).send(),
        |page| (page.transit_gateway_policy_tables, page.next_token),
    );
    Some(file::DescribeTransitGatewayPolicyTables { transit_gateway_policy_tables: policy_tables.await? })
}

/// The routes of each table. The search needs a filter, so that it is for every state there is, blackholes included.
async fn routes(desk: &Desk, tables: &[String]) -> Option<BTreeMap<String, Vec<file::TransitGatewayRoute>>> {
    let client = &desk.ec2();
    let answers = tables.iter().map(|table| async move {
        let states = Filter::builder().name("state").values("active").values("blackhole").build();
        let search = client.search_transit_gateway_routes().transit_gateway_route_table_id(table).filters(states).max_results(PAGE);
        let truncated = std::sync::atomic::AtomicBool::new(false);
        let routes = desk.pages(
            ROUTES,
            |token| search.clone().set_next_token(token).send(),
            |page| {
                let more = page.additional_routes_available == Some(true) && page.next_token.is_none();
                truncated.fetch_or(more, std::sync::atomic::Ordering::Relaxed);
                (page.routes, page.next_token)
            },
        );
        let routes = routes.await?;
        if truncated.into_inner() {
            desk.miss(ROUTES, Refusal::new(GapReason::Error, format!("{table} has more routes than one search tells")));
            return None;
        }
        Some((table.clone(), routes))
    });
    whole(tables, join_all(answers).await)
}

async fn associations(desk: &Desk, tables: &[String]) -> Option<BTreeMap<String, Vec<file::TransitGatewayRouteTableAssociation>>> {
    let client = &desk.ec2();
    let answers = tables.iter().map(|table| async move {
        let ask = client.get_transit_gateway_route_table_associations().transit_gateway_route_table_id(table).max_results(PAGE);
        let pages = desk.pages(ASSOCIATIONS, |token| ask.clone().set_next_token(token).send(), |page| (page.associations, page.next_token));
        Some((table.clone(), pages.await?))
    });
    whole(tables, join_all(answers).await)
}

async fn propagations(desk: &Desk, tables: &[String]) -> Option<BTreeMap<String, Vec<file::TransitGatewayRouteTablePropagation>>> {
    let client = &desk.ec2();
    let answers = tables.iter().map(|table| async move {
        let ask = client.get_transit_gateway_route_table_propagations().transit_gateway_route_table_id(table).max_results(PAGE);
        let pages = desk.pages(
            PROPAGATIONS,
            |token| ask.clone().set_next_token(token).send(),
            |page| (page.transit_gateway_route_table_propagations, page.next_token),
        );
        Some((table.clone(), pages.await?))
    });
    whole(tables, join_all(answers).await)
}

/// The tables that answered; nothing at all when none of them did.
fn whole<T>(tables: &[String], answers: Vec<Option<(String, T)>>) -> Option<BTreeMap<String, T>> {
    let answered: BTreeMap<String, T> = answers.into_iter().flatten().collect();
    (tables.is_empty() || !answered.is_empty()).then_some(answered)
}
