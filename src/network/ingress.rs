//! The last step inside a VPC: the security groups of what is reached, inbound. Its outbound rules play no part: answers to tracked connections
//! always pass.
//!
//! Sources: <https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html>,
//! <https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-security-groups.html>,
//! <https://docs.aws.amazon.com/vpc/latest/tgw/tgw-vpc-attachments.html#vpc-attachment-security>.

use super::journey::{CameBy, Journey, SenderKind};
use super::security_group::{self, Allowed, Direction};
use super::set::IntervalSet;
use super::trace::Trace;
use super::verdict::{Code, Decision, HopKind, Place};
use crate::model::Region;
use crate::model::known::{Known, Unknown};
use crate::snapshot::ec2::UserIdGroupPair;

/// What security groups guard.
#[derive(Debug, Clone, Copy)]
pub(super) struct Guarded<'g, 'a> {
    /// Where the groups are.
    pub(super) home: &'g Region<'a>,
    pub(super) groups: &'g [String],
    /// The endpoint, or the interface.
    pub(super) id: &'g str,
    /// As the step is told.
    pub(super) hop: (HopKind, &'g str),
}

/// Who comes, as a rule sees it.
#[derive(Debug, Clone)]
pub(super) struct Comer {
    pub(super) address: String,
    /// The groups by which a rule may name it; none where they are not seen.
    pub(super) groups: Vec<String>,
}

/// Through the groups into what they guard; `place` is where a rule is missing.
pub(super) fn enter_interface(
    trace: &mut Trace,
    journey: &Journey<'_, '_, '_>,
    guarded: Guarded<'_, '_>,
    place: impl FnOnce(Comer) -> Place,
) {
    let Guarded { home, groups, id, hop: (kind, told) } = guarded;
    let source = journey.source;
    let (protocol, port) = (journey.goal.protocol, journey.goal.port);
    let sender = &journey.sender.ends.sender;
    let sees_references = match journey.came_by {
        CameBy::Start => Some(true),
        CameBy::Peering { is_same_region, .. } => Some(is_same_region),
        // Interface endpoints are left out of it.
        CameBy::TransitGateway { hides_groups, .. } => (hides_groups || kind == HopKind::InterfaceEndpoint).then_some(false),
    };
    // What a NAT gateway sends is no member of the instance's groups any more.
    let is_own = journey.sender.kind == SenderKind::Instance;
    let is_sender = |pair: &UserIdGroupPair| is_own && source.groups.iter().any(|own| Some(own) == pair.group_id.as_ref());
    let letting_in = |by_reference: bool| -> Allowed<'_> {
        let members =
            |pair: &UserIdGroupPair| Known::Known(if by_reference && is_sender(pair) { sender.clone() } else { IntervalSet::empty() });
        security_group::allowed(home, groups, Direction::Ingress, protocol, port, &members)
    };
    let is_in = |set: &IntervalSet| sender.difference(set).is_empty();
    let allowed = letting_in(sees_references == Some(true));
    let names = groups.join(", ");
    let from = sender.as_addresses();
    if is_in(&allowed.sieve.must) {
        let is_participant = journey.came_by == CameBy::Start && source.region.account != home.account;
        if is_participant && !is_in(&letting_in(false).sieve.must) {
            trace.assume(
                128,
                "a group of a shared VPC's owner may refer to one of a participant, as one of a participant may to the owner's",
            );
        }
        trace.hop(kind, told, Decision::Pass, format!("{} it in", allowed.allowers(sender)));
        return;
    }
    let may_come_in = |allowed: &Allowed<'_>| !sender.intersection(&allowed.sieve.may).is_empty();
    if may_come_in(&allowed) || (sees_references.is_none() && may_come_in(&letting_in(true))) {
        trace.hop(kind, told, Decision::Unknown, format!("whether {names} lets {from} in is not known"));
        let why = if allowed.unknowns.is_empty() {
            vec![Unknown::new("fact_not_collected", id, format!("check that {names} lets {from} in on {protocol} {port}"))]
        } else {
            allowed.unknowns
        };
        trace.doubt(why);
        return;
    }
    let (code, detail) = if allowed.has_no_rules {
        (Code::SgHasNoRules, "has no inbound rule".to_owned())
    } else if is_in(&letting_in(true).sieve.must) {
        lost_reference(journey.came_by, &from)
    } else if is_in(&allowed.with_other_protocol) {
        (Code::ProtocolRestriction, format!("lets {from} in with another protocol or port, not with {protocol} {port}"))
    } else {
        (Code::EniSgRulesMismatch, format!("has no inbound rule for {protocol} {port} from {from}"))
    };
    // The step of an endpoint names the group that decides there.
    let of_group = if told == names { detail.clone() } else { format!("{names} {detail}") };
    trace.hop(kind, told, Decision::Block, of_group);
    let detail = format!("{detail}, and guards {id}");
    let place = place(Comer {
        address: sender.as_all_addresses(),
        groups: if sees_references == Some(true) { source.groups.clone() } else { Vec::new() },
    });
    trace.block(code, groups.first().map_or(id, String::as_str), detail, place);
}

/// Why a rule that names the instance's own group does not let it in.
fn lost_reference(came_by: CameBy<'_>, from: &str) -> (Code, String) {
    match came_by {
        CameBy::TransitGateway { hides_groups: true, .. } => (
            Code::SgReferencingSupport,
            format!("names a group of {from}, while the transit gateway attachment has security group referencing off"),
        ),
        CameBy::TransitGateway { .. } => {
            (Code::SgReferencesNotPreserved, format!("names a group of {from}, which is not seen through a transit gateway"))
        }
        _ => (Code::EniSgRulesMismatch, format!("names a group of {from}, which is not seen across Regions")),
    }
}
