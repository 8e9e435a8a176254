//! Traffic on its way to a service: where it is, as whom it travels, and how its answers come back.

use super::boundary::{self, Crossing, Ends};
use super::goal::Goal;
use super::interface_endpoint::End;
use super::position::Position;
use super::route::{self, NextHop, Split};
use super::set::IntervalSet;
use super::source::Source;
use super::trace::Trace;
use super::{edges, local, next_hop, peering, transit_answers};
use crate::model::Assumptions;
use crate::model::known::Known;
use crate::snapshot::ec2::RouteTable;

/// Where traffic is on its way, and as whom it travels there.
#[derive(Debug, Clone)]
pub(super) struct Journey<'j, 'r, 'a> {
    pub(super) source: &'j Source<'r, 'a>,
    pub(super) goal: &'j Goal,
    pub(super) assumptions: &'j Assumptions,
    /// The interface to arrive at; `None` on the way to public addresses.
    pub(super) end: Option<&'j End<'r, 'a>>,
    pub(super) at: Position<'r, 'a>,
    pub(super) sender: Sender<'r, 'a>,
    pub(super) came_by: CameBy<'j>,
    /// How many VPCs it has left behind.
    pub(super) crossings: usize,
}

/// Whose address the traffic bears.
#[derive(Debug, Clone)]
pub(super) struct Sender<'r, 'a> {
    pub(super) position: Position<'r, 'a>,
    pub(super) ends: Ends,
    pub(super) kind: SenderKind<'a>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SenderKind<'a> {
    Instance,
    NatGateway { id: &'a str, is_private: bool },
    NatInstance { id: &'a str, has_public_address: bool },
}

/// How traffic came into the VPC in which it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CameBy<'j> {
    /// It started there.
    Start,
    TransitGateway {
        id: &'j str,
        /// The attachment has security group referencing off. Where it is on, it may be off at the other one, or at the gateway.
        hides_groups: bool,
    },
    Peering {
        id: &'j str,
        is_same_region: bool,
    },
}

impl<'j, 'r, 'a> Journey<'j, 'r, 'a> {
    pub(super) fn start(source: &'j Source<'r, 'a>, goal: &'j Goal, assumptions: &'j Assumptions, end: Option<&'j End<'r, 'a>>) -> Self {
        let sender = Sender {
            position: source.position.clone(),
            ends: Ends { sender: IntervalSet::address(source.address), leg: 0, protocol: goal.protocol, port: goal.port },
            kind: SenderKind::Instance,
        };
        let at = source.position.clone();
        Self { source, goal, assumptions, end, at, sender, came_by: CameBy::Start, crossings: 0 }
    }

    /// Whether the traffic is still where the instance is, and no other has sent it on.
    pub(super) fn is_at_start(&self) -> bool {
        self.crossings == 0 && self.sender.kind == SenderKind::Instance
    }

    /// Whether the traffic is in the VPC of the one whose address it bears.
    pub(super) fn is_in_vpc_of_sender(&self) -> bool {
        self.at.is_in_vpc_of(&self.sender.position)
    }

    /// How a table splits addresses over its routes, once for each way in which AWS may choose.
    pub(super) fn split(&self, table: &'a RouteTable, addresses: &IntervalSet, avoids_aws_lists: bool) -> Vec<Split<'a>> {
        route::split(self.at.home, table, &self.at.nets, addresses, avoids_aws_lists)
    }

    /// Leaves the subnet for something outside of it, whose answers come in the same way.
    pub(super) fn leave_subnet(&self, trace: &mut Trace) {
        if self.at.subnet.is_none() {
            return;
        }
        // What came by a transit gateway goes back by it, and its answers enter elsewhere.
        let crossings: &[Crossing] = if self.is_in_vpc_of_sender() { &[Crossing::Out, Crossing::BackIn] } else { &[Crossing::Out] };
        boundary::cross(trace, &self.at, crossings, &self.sender.ends);
    }

    /// Leaves it by `next_hop`, if that is known. Where it may stand in the subnet itself, answers come in past the network ACL.
    pub(super) fn leave_subnet_by(&self, trace: &mut Trace, next_hop: Option<NextHop<'_>>) {
        let may_stand_here = match next_hop {
            None => edges::may_stand_in(&self.at),
            Some(NextHop::Interface(id)) => matches!(self.at.home.interface(id), Known::Unknown(_)),
            Some(NextHop::Untold) => true,
            Some(_) => false,
        };
        if may_stand_here && self.at.subnet.is_some() {
            boundary::cross(trace, &self.at, &[Crossing::Out], &self.sender.ends);
        } else {
            self.leave_subnet(trace);
        }
    }

    /// Routes by a table what the trace carries, and follows each share.
    pub(super) fn route_on(&self, trace: &mut Trace, table: Known<&'a RouteTable>) {
        let Some(table) = trace.told(table) else { return };
        let id = table.route_table_id.as_deref().unwrap_or_default();
        let splits = self.split(table, &trace.addresses, trace.avoids_aws_lists);
        let depends_on = splits.iter().flat_map(|split| split.depends_on.iter().cloned()).collect();
        let mut ways = Vec::new();
        for split in &splits {
            let mut parts = Vec::new();
            for share in &split.shares {
                let mut part = trace.part(&share.addresses);
                note_filtered(&mut part, table);
                next_hop::follow(&mut part, self, share, id);
                parts.push(part);
            }
            ways.push(parts);
        }
        trace.join(ways, depends_on);
    }

    /// The answers' way from where the service, or a NAT gateway before it, answers: back to the sender, by this table.
    pub(super) fn come_back(&self, trace: &mut Trace, from: &Position<'r, 'a>, table: Known<&'a RouteTable>) {
        if from.subnet.is_some() && !from.is_in_subnet_of(&self.sender.position) {
            boundary::cross(trace, from, &[Crossing::BackOut], &self.sender.ends);
        }
        if from.is_in_vpc_of(&self.sender.position) {
            local::stays_local(trace, from, table, &self.sender.ends.sender);
            return;
        }
        let Some(table) = trace.told(table) else { return };
        match self.came_by {
            CameBy::Peering { id, .. } => peering::come_back(trace, self, from, table, id),
            CameBy::TransitGateway { .. } | CameBy::Start => transit_answers::come_back(trace, self, from, table),
        }
    }
}

/// A route that Route Server has filtered is taken as not installed.
pub(super) fn note_filtered(trace: &mut Trace, table: &RouteTable) {
    if route::leaves_out_filtered(table, &trace.addresses) {
        trace.assume(20, "a route in state filtered is not installed");
    }
}
