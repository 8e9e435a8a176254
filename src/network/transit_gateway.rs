//! Transit gateways: the attachment in the sender's Availability Zone, the route table associated with it, and the VPC it leads to.
//!
//! Sources: <https://docs.aws.amazon.com/vpc/latest/tgw/how-transit-gateways-work.html>, <https://docs.aws.amazon.com/vpc/latest/tgw/tgw-nacls.html>,
//! <https://docs.aws.amazon.com/vpc/latest/tgw/tgw-vpc-attachments.html>.

use super::boundary::{self, Crossing};
use super::encryption;
use super::journey::{CameBy, Journey, SenderKind};
use super::next_hop;
use super::position::{self, Position};
use super::set::IntervalSet;
use super::trace::Trace;
use super::transit_answers::{bring_answers, bring_by_any_edge};
use super::transit_route::{self, Next};
use super::verdict::{Code, Decision, HopKind, Place};
use crate::model::known::Unknown;
use crate::model::{Assumption, Estate, Region, is_word};
use crate::snapshot::ec2::{TransitGatewayRouteAttachment, TransitGatewayVpcAttachment};

pub(super) const KIND: HopKind = HopKind::TransitGateway;

/// How many VPCs traffic may leave behind before it is taken to run in circles.
const MOST_CROSSINGS: usize = 4;

/// From the VPC in which the traffic is, through a transit gateway, to wherever its routes lead.
pub(super) fn carry(trace: &mut Trace, journey: &Journey<'_, '_, '_>, id: &str) {
    let at = &journey.at;
    if journey.crossings >= MOST_CROSSINGS {
        trace.unclear(KIND, id, "routing_loop", "check the routes by hand: they lead through more transit gateways than a path has");
        return;
    }
    if let SenderKind::NatGateway { id: nat, is_private: false } = journey.sender.kind {
        let settled_by = format!("check by hand what the transit gateway does with it: {nat} is a public NAT gateway");
        trace.unclear(KIND, id, "unsupported_target", settled_by);
    }
    let blamed_before = trace.blockers.len();
    let Some(door) = leave_vpc(trace, at, id) else {
        // Wherever it will leave, it leaves the subnet.
        if trace.blockers.len() > blamed_before {
            boundary::cross(trace, at, &[Crossing::Out], &journey.sender.ends);
        }
        return;
    };
    if door.position.is_in_subnet_of(at) {
        boundary::cross(trace, at, &[Crossing::Out, Crossing::In], &journey.sender.ends);
    } else {
        boundary::cross(trace, at, &[Crossing::Out], &journey.sender.ends);
        boundary::cross(trace, &door.position, &[Crossing::In], &journey.sender.ends);
    }
    let blamed_before = trace.blockers.len();
    let core = Core::of(trace, journey.source.estate, at, id, door.attachment);
    let shares = core.as_ref().and_then(|core| core.split(trace, &trace.addresses.clone()));
    let (Some(core), Some(shares)) = (core, shares) else {
        let is_lost = trace.blockers.len() > blamed_before;
        return if is_lost { bring_answers(trace, journey, id, None) } else { bring_by_any_edge(trace, journey, id) };
    };
    let mut parts = Vec::new();
    for share in shares {
        let mut part = trace.part(&share.addresses);
        part.route = Some(share.destination.clone());
        match share.next {
            Next::Attachment(attachment) if is_of_vpc(attachment) => {
                enter_vpc(&mut part, journey, (&core, id), attachment, &share.destination);
            }
            Next::Attachment(attachment) => {
                leave(&mut part, journey, (&door, id), attachment);
            }
            Next::Dead => {
                let detail = format!("has a dead route to {}", share.destination);
                part.stop(KIND, Code::TgwRtbBadStateRoute, core.table, detail, Place::Other);
                bring_answers(&mut part, journey, id, None);
            }
            Next::Nothing => {
                let detail = format!("has no route for {}", part.describe(&part.addresses));
                part.stop(KIND, Code::TgwRtbNoRouteToTgwAttachment, core.table, detail, Place::Other);
                bring_answers(&mut part, journey, id, None);
            }
            Next::Unclear(settled_by) => {
                part.unclear(KIND, core.table, "transit_gateway_not_modelled", settled_by);
                bring_by_any_edge(&mut part, journey, id);
            }
        }
        parts.push(part);
    }
    trace.join(vec![parts], Vec::new());
}

pub(super) fn any_zone(id: &str) -> Unknown {
    let settled_by = format!("attach {id} in every Availability Zone: where it has no subnet, AWS does not say which other one it takes");
    Unknown::new("transit_gateway_zone", id, settled_by)
}

/// Where traffic enters a transit gateway.
pub(super) struct Door<'r, 'a> {
    pub(super) attachment: &'a TransitGatewayVpcAttachment,
    pub(super) position: Position<'r, 'a>,
}

/// The attachment's subnet in the zone from which the traffic comes: without one there, it is dropped.
pub(super) fn leave_vpc<'r, 'a>(trace: &mut Trace, from: &Position<'r, 'a>, id: &str) -> Option<Door<'r, 'a>> {
    let attachment = attachment_of(trace, from, id)?;
    let Some(zone) = from.zone() else {
        trace.unclear(
            KIND,
            id,
            "transit_gateway_zone",
            "check by hand from which Availability Zone the traffic enters the transit gateway",
        );
        return None;
    };
    let positions = subnets(trace, from, attachment)?;
    match positions.into_iter().find(|position| position.zone() == Some(zone)) {
        Some(position) => Some(Door { attachment, position }),
        // One in a Local Zone enters by its parent's, which AWS does not show here
        // (<https://docs.aws.amazon.com/local-zones/latest/ug/local-zones-connectivity-transit-gateway-lzs.html>).
        None if !is_of_region(zone) => {
            let settled_by = format!("check that the attachment of {} to {id} has a subnet in the parent zone of {zone}", from.vpc_id);
            trace.unclear(KIND, id, "transit_gateway_zone", settled_by);
            None
        }
        None => {
            let name = attachment.transit_gateway_attachment_id.as_deref().unwrap_or(id);
            let detail = format!("has no subnet in Availability Zone {zone}, from which the traffic comes");
            trace.stop(KIND, Code::TgwRouteAzRestriction, name, detail, Place::Other);
            None
        }
    }
}

/// Whether a zone is one of the Region itself, by its id: `euc1-az1`, where one of a Local Zone is `euc1-ham1-az1`
/// (<https://docs.aws.amazon.com/local-zones/latest/ug/available-local-zones.html>).
fn is_of_region(zone: &str) -> bool {
    zone.split('-').count() == 2
}

/// Where traffic leaves a transit gateway: in the zone in which it entered; where the attachment has no subnet there, or appliance mode spreads the
/// flows over the zones, in any
/// (<https://docs.aws.amazon.com/vpc/latest/tgw/transit-gateway-appliance-scenario.html>).
pub(super) fn doors<'r, 'a>(
    trace: &mut Trace,
    into: &Position<'r, 'a>,
    attachment: &'a TransitGatewayVpcAttachment,
    zone: Option<&str>,
) -> Option<Vec<Position<'r, 'a>>> {
    let all = subnets(trace, into, attachment)?;
    if attachment.options.as_ref().is_some_and(|options| is_word(options.appliance_mode_support.as_ref(), "enable")) {
        return Some(all);
    }
    let same: Vec<_> = all.iter().filter(|door| door.zone().is_some() && door.zone() == zone).cloned().collect();
    Some(if same.is_empty() { all } else { same })
}

fn subnets<'r, 'a>(
    trace: &mut Trace,
    vpc: &Position<'r, 'a>,
    attachment: &'a TransitGatewayVpcAttachment,
) -> Option<Vec<Position<'r, 'a>>> {
    let mut positions = Vec::new();
    for id in &attachment.subnet_ids {
        positions.push(trace.told(vpc.subnet(id))?);
    }
    let is_told = positions.iter().all(|position| position.zone().is_some());
    if positions.is_empty() || !is_told {
        let id = attachment.transit_gateway_attachment_id.as_deref().unwrap_or_default();
        let settled_by = format!("collect {id} and its subnets again: the zones of the attachment are not known");
        trace.unclear(KIND, id, "fact_not_collected", settled_by);
        return None;
    }
    Some(positions)
}

/// The attachment of a VPC to a transit gateway, which its owner's files show.
pub(super) fn attachment_of<'a>(trace: &mut Trace, vpc: &Position<'_, 'a>, gateway: &str) -> Option<&'a TransitGatewayVpcAttachment> {
    if vpc.home.files.transit_gateway_attachments.is_none() {
        trace.hop(KIND, gateway, Decision::Unknown, "the attachments of the transit gateway are not known");
        trace.doubt([vpc.home.not_collected("ec2:DescribeTransitGatewayVpcAttachments")]);
        return None;
    }
    let Some(attachment) = attachment_listed(vpc, gateway) else {
        let settled_by = format!("collect the attachments of {gateway} again: which one {} has is not told", vpc.vpc_id);
        trace.unclear(KIND, gateway, "fact_not_collected", settled_by);
        return None;
    };
    is_attached(trace, attachment).then_some(attachment)
}

/// A deleted attachment is listed for a while beside the one in its place: what carries traffic comes first, then what may, if it is one alone.
pub(super) fn attachment_listed<'a>(vpc: &Position<'_, 'a>, gateway: &str) -> Option<&'a TransitGatewayVpcAttachment> {
    let listed = vpc.home.files.transit_gateway_attachments.iter().flat_map(|file| &file.transit_gateway_vpc_attachments);
    let own = listed
        .filter(|attachment| attachment.transit_gateway_id.as_deref() == Some(gateway) && attachment.vpc_id.as_deref() == Some(vpc.vpc_id));
    let rank = |attachment: &TransitGatewayVpcAttachment| match carries(attachment.state.as_deref()) {
        Some(true) => 2,
        None => 1,
        Some(false) => 0,
    };
    let own: Vec<&TransitGatewayVpcAttachment> = own.collect();
    let best = own.iter().map(|attachment| rank(attachment)).max()?;
    let mut found = own.into_iter().filter(|attachment| rank(attachment) == best);
    if best == 1 { found.next().filter(|_| found.next().is_none()) } else { found.max_by_key(|one| &one.transit_gateway_attachment_id) }
}

/// Whether an attachment, or a gateway, in this state carries traffic. While it is changed, or a change that failed is undone, AWS does not say
/// (<https://docs.aws.amazon.com/vpc/latest/tgw/tgw-vpc-attachments.html>).
pub(super) fn carries(state: Option<&str>) -> Option<bool> {
    let is = |word: &str| state.unwrap_or_default().eq_ignore_ascii_case(word);
    if is("") || is("modifying") || is("rollingBack") { None } else { Some(is("available")) }
}

/// Whether an attachment, or a gateway, may carry traffic in its state; where it surely does not, that is told.
fn is_up(trace: &mut Trace, id: &str, state: Option<&str>, code: Code) -> bool {
    match (carries(state), state.unwrap_or_default()) {
        (Some(true), _) => true,
        (Some(false), state) => {
            trace.stop(KIND, code, id, format!("is {state}, not available"), Place::Other);
            false
        }
        (None, "") => {
            trace.unclear(KIND, id, "fact_not_collected", format!("collect {id} again: its state is not told"));
            true
        }
        (None, state) => {
            trace.unclear(KIND, id, "fact_not_collected", format!("collect {id} again when it is available: it is {state}"));
            true
        }
    }
}

fn is_attached(trace: &mut Trace, attachment: &TransitGatewayVpcAttachment) -> bool {
    let id = attachment.transit_gateway_attachment_id.as_deref().unwrap_or_default();
    is_up(trace, id, attachment.state.as_deref(), Code::BadStateAttachment)
}

/// What the owner of a transit gateway shows of it: the route table for what comes from one attachment.
pub(super) struct Core<'r, 'a> {
    owner: &'r Region<'a>,
    pub(super) table: &'a str,
}

impl<'r, 'a> Core<'r, 'a> {
    pub(super) fn of(
        trace: &mut Trace,
        estate: &'r Estate<'a>,
        at: &Position<'r, 'a>,
        gateway: &str,
        attachment: &TransitGatewayVpcAttachment,
    ) -> Option<Self> {
        let gateways = at.home.files.transit_gateways.iter().flat_map(|file| &file.transit_gateways);
        let listed: Vec<_> = gateways.filter(|listed| listed.transit_gateway_id.as_deref() == Some(gateway)).collect();
        let state = listed.iter().find_map(|listed| listed.state.as_deref());
        if !listed.is_empty() && !is_up(trace, gateway, state, Code::BadState) {
            return None;
        }
        encryption::use_transit_gateway(trace, at, gateway, listed.iter().find_map(|listed| listed.options.as_ref()));
        let owner = listed.iter().find_map(|listed| listed.owner_id.as_deref());
        let Some(owner) = owner else {
            trace.hop(KIND, gateway, Decision::Unknown, "who owns the transit gateway is not known");
            trace.doubt([at.home.not_collected("ec2:DescribeTransitGateways")]);
            return None;
        };
        let owner_files = estate.region(owner, at.home.name).filter(|owner| owner.files.transit_gateway_associations.is_some());
        let Some(owner) = owner_files else {
            let settled_by = format!("scan account {owner} too: it owns {gateway}, and only it can see the gateway's route tables");
            trace.hop(KIND, gateway, Decision::Unknown, settled_by.clone());
            trace.doubt([Unknown::new("tgw_owner_not_collected", owner, settled_by)]);
            return None;
        };
        let id = attachment.transit_gateway_attachment_id.as_deref().unwrap_or_default();
        let Some(table) = trace.told(transit_route::table_of(owner, gateway, id))? else {
            let detail = format!("is associated with no route table of {gateway}");
            trace.stop(KIND, Code::TgwAttachMissingTgwRtbAssociation, id, detail, Place::Other);
            return None;
        };
        Some(Self { owner, table })
    }

    pub(super) fn split(&self, trace: &mut Trace, addresses: &IntervalSet) -> Option<Vec<transit_route::Share<'a>>> {
        let shares = transit_route::split(self.owner, self.table, addresses);
        trace.told_of(KIND, self.table, shares, "the routes of the transit gateway are not known")
    }
}

fn is_of_vpc(to: &TransitGatewayRouteAttachment) -> bool {
    is_word(to.resource_type.as_ref(), "vpc")
}

/// Out of the transit gateway by an attachment that leads to no VPC, and back: into the VPC from which the traffic came, in whatever zone.
fn leave<'r, 'a>(
    trace: &mut Trace,
    journey: &Journey<'_, 'r, 'a>,
    (door, gateway): (&Door<'r, 'a>, &str),
    to: &TransitGatewayRouteAttachment,
) {
    if journey.is_in_vpc_of_sender() {
        if pass_edge(trace, journey, &door.position, to) {
            bring_answers(trace, journey, gateway, None);
        } else {
            bring_by_any_edge(trace, journey, gateway);
        }
        return;
    }
    let Some(doors) = doors(trace, &door.position, door.attachment, None) else { return };
    let ways = doors.into_iter().map(|from| {
        let mut way = trace.part(&trace.addresses);
        if !pass_edge(&mut way, journey, &from, to) {
            bring_by_any_edge(&mut way, journey, gateway);
        }
        vec![way]
    });
    let ways = ways.collect();
    trace.join(ways, vec![any_zone(gateway)]);
}

/// Whether the user vouches for what lies behind an attachment that leads to no VPC; then the answers have come back to `from`, and on to the sender.
fn pass_edge<'r, 'a>(
    trace: &mut Trace,
    journey: &Journey<'_, 'r, 'a>,
    from: &Position<'r, 'a>,
    to: &TransitGatewayRouteAttachment,
) -> bool {
    let id = to.transit_gateway_attachment_id.as_deref().unwrap_or_default();
    let resource = to.resource_id.as_deref().unwrap_or_default();
    // The user may name the attachment as well as what is behind it.
    let vouched = |id: &str| journey.assumptions.contains(&Assumption::LeadsToInternet(id.to_owned()));
    let edge_id = if vouched(id) || !Assumption::may_name(resource) { id } else { resource };
    match to.resource_type.as_deref().unwrap_or_default().to_ascii_lowercase().as_str() {
        "vpn" | "direct-connect-gateway" => {
            next_hop::edge(trace, journey, from, edge_id, "on_prem", "check that the network behind it leads to the service")
        }
        kind => {
            let settled_by = format!("check by hand what lies behind {resource}: attachments of the kind {kind:?} are not modelled");
            next_hop::edge(trace, journey, from, edge_id, "transit_gateway_not_modelled", &settled_by)
        }
    }
}

/// Out of the transit gateway by an attachment, into its VPC.
fn enter_vpc(
    trace: &mut Trace,
    journey: &Journey<'_, '_, '_>,
    (core, gateway): (&Core<'_, '_>, &str),
    to: &TransitGatewayRouteAttachment,
    destination: &str,
) {
    let id = to.transit_gateway_attachment_id.as_deref().unwrap_or_default();
    let resource = to.resource_id.as_deref().unwrap_or_default();
    let estate = journey.source.estate;
    let is_it = |attachment: &&TransitGatewayVpcAttachment| attachment.transit_gateway_attachment_id.as_deref() == Some(id);
    let lists = std::iter::once(core.owner).chain(estate.regions());
    let attachment = lists
        .flat_map(|region| region.files.transit_gateway_attachments.iter())
        .flat_map(|file| &file.transit_gateway_vpc_attachments)
        .find(is_it);
    let Some(attachment) = attachment else {
        trace.unclear(
            KIND,
            id,
            "fact_not_collected",
            format!("scan the account that owns {resource} too: its attachment {id} is not listed"),
        );
        return;
    };
    if !is_attached(trace, attachment) {
        bring_answers(trace, journey, gateway, None);
        return;
    }
    let owner = attachment.vpc_owner_id.as_deref().unwrap_or_default();
    let Some(into) = trace.told_of(
        KIND,
        id,
        position::vpc_of(estate.region(owner, core.owner.name), owner, resource),
        format!("what {resource} does with it is not known"),
    ) else {
        return;
    };
    trace.hop(KIND, core.table, Decision::Pass, format!("the route to {destination} leads to {resource} by {id}"));
    // The answers would go straight to the sender, past the attachment.
    if into.is_in_vpc_of(&journey.sender.position) {
        let settled_by =
            format!("lead it out of {resource} by that VPC's own route tables: {gateway} brings it back to where it came from");
        trace.unclear(KIND, id, "routing_loop", settled_by);
        return;
    }
    let Some(doors) = doors(trace, &into, attachment, journey.at.zone()) else { return };
    let hides_groups = hides_groups(attachment);
    let ways = doors.into_iter().map(|door| {
        let mut way = trace.part(&trace.addresses);
        let table = door.table();
        let came_by = CameBy::TransitGateway { id: gateway, hides_groups };
        Journey { at: door, came_by, crossings: journey.crossings + 1, ..journey.clone() }.route_on(&mut way, table);
        vec![way]
    });
    let ways = ways.collect();
    trace.join(ways, vec![any_zone(id)]);
}

/// Whether no security group may refer to groups behind the attachment.
fn hides_groups(attachment: &TransitGatewayVpcAttachment) -> bool {
    attachment.options.as_ref().is_some_and(|options| is_word(options.security_group_referencing_support.as_ref(), "disable"))
}
