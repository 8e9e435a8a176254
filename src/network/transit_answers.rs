//! The answers' way back through transit gateways: by the far VPC's route table, the gateway's, and the attachment of the sender's VPC; and what is sure of
//! it where that is not known.

use super::boundary::{self, Crossing};
use super::edges;
use super::journey::{CameBy, Journey};
use super::local;
use super::position::Position;
use super::route::{self, NextHop};
use super::trace::Trace;
use super::transit_gateway::{Core, KIND, any_zone, attachment_listed, attachment_of, carries, doors, leave_vpc};
use super::transit_route::Next;
use super::verdict::{Code, Decision, HopKind, Place};
use crate::model::known::Unknown;
use crate::snapshot::ec2::{RouteTable, TransitGatewayVpcAttachment};

/// The way of the answers from one VPC back to the sender's, which it left by a transit gateway.
pub(super) fn come_back<'a>(trace: &mut Trace, journey: &Journey<'_, '_, 'a>, from: &Position<'_, 'a>, table: &'a RouteTable) {
    match follow_back(trace, journey, from, table) {
        Back::Brought => {}
        Back::Lost(id) => bring_answers(trace, journey, id, from.zone()),
        Back::Elsewhere(id) => bring_by_any_edge(trace, journey, id),
    }
}

/// Where the answers are on their way to the sender.
enum Back<'j> {
    Brought,
    /// Surely lost before they get to its VPC. Once that is mended this gateway brings them, and they meet the rest of the way.
    Lost(&'j str),
    /// Sent by another way than they went, or nobody knows by which, though perhaps by this gateway.
    Elsewhere(&'j str),
}

/// Follows the answers to the sender.
fn follow_back<'j, 'a: 'j>(trace: &mut Trace, journey: &Journey<'j, '_, 'a>, from: &Position<'_, 'a>, table: &'a RouteTable) -> Back<'j> {
    let sender = &journey.sender.ends.sender;
    let table_id = table.route_table_id.as_deref().unwrap_or_default();
    let splits = route::split(from.home, table, &from.nets, sender, false);
    let shares: Vec<_> = splits.iter().flat_map(|split| &split.shares).collect();
    let back = sender.as_addresses();
    let is_lost = shares.iter().all(|share| share.loses_answers());
    let id = if is_lost {
        let detail = format!("has no route back to {back}, so the answers are lost");
        trace.stop(HopKind::RouteTable, Code::NoRouteToDestination, table_id, detail, Place::Other);
        // The route that it needs leads to where the questions came from.
        let CameBy::TransitGateway { id, .. } = journey.came_by else { return Back::Brought };
        id
    } else {
        let gateway = match shares.as_slice() {
            [share] => share.next_hop,
            _ => NextHop::Nothing,
        };
        let NextHop::TransitGateway(id) = gateway else {
            let elsewhere = shares.first().map_or("nothing", |share| share.next_hop.id());
            trace.unclear(
                HopKind::RouteTable,
                elsewhere,
                "asymmetric",
                format!("make the routes symmetric: {table_id} sends the answers to {back} by {elsewhere}, not by the transit gateway"),
            );
            return if let CameBy::TransitGateway { id, .. } = journey.came_by { Back::Elsewhere(id) } else { Back::Brought };
        };
        trace.doubt_if(shares.first().and_then(|share| share.doubt(table_id)));
        let destination = shares.first().map_or("", |share| share.destination.as_str());
        trace.hop(HopKind::RouteTable, table_id, Decision::Pass, format!("the route to {destination} leads the answers to {back} to {id}"));
        id
    };
    let blamed_before = trace.blockers.len();
    let since = |trace: &Trace, count: usize| if is_lost || trace.blockers.len() > count { Back::Lost(id) } else { Back::Elsewhere(id) };
    let Some(door) = leave_vpc(trace, from, id) else { return since(trace, blamed_before) };
    boundary::cross(trace, &door.position, &[Crossing::BackIn], &journey.sender.ends);
    let blamed_before = trace.blockers.len();
    let core = Core::of(trace, journey.source.estate, from, id, door.attachment);
    let known = core.and_then(|core| Some((core.split(trace, sender)?, core)));
    let Some((shares, core)) = known else { return since(trace, blamed_before) };
    let home = &journey.sender.position;
    for share in &shares {
        match share.next {
            Next::Attachment(attachment) if attachment.resource_id.as_deref() == Some(home.vpc_id) => {}
            Next::Nothing => {
                let detail = format!("has no route back to {back}, so the answers are lost");
                trace.stop(KIND, Code::TgwRtbNoRouteToTgwAttachment, core.table, detail, Place::Other);
                return Back::Lost(id);
            }
            Next::Dead => {
                let detail = format!("has a dead route back to {back}");
                trace.stop(KIND, Code::TgwRtbBadStateRoute, core.table, detail, Place::Other);
                return Back::Lost(id);
            }
            Next::Attachment(_) | Next::Unclear(_) => {
                let settled_by = format!("make the routes symmetric: {} sends the answers to {back} elsewhere", core.table);
                trace.unclear(KIND, core.table, "asymmetric", settled_by);
                return Back::Elsewhere(id);
            }
        }
    }
    let mut destinations: Vec<&str> = shares.iter().map(|share| share.destination.as_str()).collect();
    destinations.sort_unstable();
    let because = format!("the route to {} leads the answers to {back} to {}", destinations.join(", "), home.vpc_id);
    trace.hop(KIND, core.table, Decision::Pass, because);
    if let Some(attachment) = attachment_of(trace, home, id) {
        answers_by(trace, journey, (id, attachment), from.zone());
    }
    Back::Brought
}

/// The answers' way into the sender's VPC, from wherever the transit gateway has them: that much is sure whatever lies behind it, and of what is lost once
/// that is mended. `zone` is where they entered it, if that is known.
pub(super) fn bring_answers(trace: &mut Trace, journey: &Journey<'_, '_, '_>, id: &str, zone: Option<&str>) {
    // Behind more than one gateway it is not known which of them has the answers.
    if journey.is_in_vpc_of_sender() || journey.crossings <= 1 {
        bring_by(trace, journey, id, zone);
    }
}

/// By the attachment of the sender's VPC to this gateway.
fn bring_by(trace: &mut Trace, journey: &Journey<'_, '_, '_>, id: &str, zone: Option<&str>) {
    let attachment = attachment_listed(&journey.sender.position, id);
    if let Some(attachment) = attachment.filter(|attachment| carries(attachment.state.as_deref()) != Some(false)) {
        answers_by(trace, journey, (id, attachment), zone);
    }
}

/// The same where it is not known by which way they come: perhaps by another gateway or a peering connection, if there is one. Into the sender's subnet
/// they come in any case, unless an attachment may stand there.
pub(super) fn bring_by_any_edge(trace: &mut Trace, journey: &Journey<'_, '_, '_>, id: &str) {
    let home = &journey.sender.position;
    if !edges::has_another(home, id) {
        return bring_by(trace, journey, id, None);
    }
    let mut own = trace.part(&trace.addresses);
    bring_answers(&mut own, journey, id, None);
    let mut other = trace.part(&trace.addresses);
    if !edges::may_stand_in(home) {
        boundary::cross(&mut other, home, &[Crossing::BackIn], &journey.sender.ends);
    }
    let lost = own
        .blockers
        .first()
        .map_or_else(|| "not all of them get in".to_owned(), |blocker| format!("{} {}", blocker.resource, blocker.detail));
    let settled_by = format!(
        "let the answers into {} by {id}, or check that another attachment, a peering connection or a gateway brings them: by {id}, {lost}",
        home.vpc_id
    );
    trace.join(vec![vec![own], vec![other]], vec![Unknown::new("answers_by_another", id, settled_by)]);
}

/// The answers' way from an attachment of the sender's VPC to the sender; `zone` is where they entered the transit gateway, if that is known.
fn answers_by(
    trace: &mut Trace,
    journey: &Journey<'_, '_, '_>,
    (id, attachment): (&str, &TransitGatewayVpcAttachment),
    zone: Option<&str>,
) {
    let (home, sender) = (&journey.sender.position, &journey.sender.ends.sender);
    let Some(doors) = doors(trace, home, attachment, zone) else { return };
    let ways = doors.into_iter().map(|door| {
        let mut way = trace.part(&trace.addresses);
        if !door.is_in_subnet_of(home) {
            boundary::cross(&mut way, &door, &[Crossing::BackOut], &journey.sender.ends);
            boundary::cross(&mut way, home, &[Crossing::BackIn], &journey.sender.ends);
            local::stays_local(&mut way, &door, door.table(), sender);
        }
        vec![way]
    });
    let ways = ways.collect();
    trace.join(ways, vec![any_zone(id)]);
}
