//! The ways out of a VPC to the internet, and VPC Block Public Access before them.
//!
//! Sources: <https://docs.aws.amazon.com/vpc/latest/userguide/VPC_Internet_Gateway.html>,
//! <https://docs.aws.amazon.com/vpc/latest/userguide/egress-only-internet-gateway.html>,
//! <https://docs.aws.amazon.com/vpc/latest/userguide/security-vpc-bpa-basics.html>.

use std::net::IpAddr;

use super::encryption::{self, Exit};
use super::goal;
use super::journey::{Journey, SenderKind};
use super::local;
use super::position::Position;
use super::set::IntervalSet;
use super::trace::{Sieve, Trace};
use super::verdict::{Code, Decision, HopKind, Place};
use crate::model::known::Known;
use crate::model::{is_word, net};
use crate::snapshot::ec2::InternetGatewayAttachment;

/// Addresses that stand for IPv4 ones are on no network: only a NAT gateway makes something of them.
fn is_untranslated(trace: &mut Trace, kind: HopKind, id: &str) -> bool {
    let is_nat64 = !trace.addresses.is_empty() && trace.addresses.difference(&IntervalSet::nat64()).is_empty();
    if is_nat64 {
        let detail = "does not translate the addresses that DNS64 gives (64:ff9b::/96): they need a route to a NAT gateway";
        trace.stop(kind, Code::CannotRoute, id, detail, Place::Other);
    }
    is_nat64
}

/// IPv6 addresses that AWS does not advertise: unique local ones, and those of a block that is private
/// (<https://docs.aws.amazon.com/vpc/latest/ipam/enable-prov-ipv6-gua.html>).
fn is_private_ipv6(trace: &mut Trace, journey: &Journey<'_, '_, '_>, kind: HopKind, id: &str) -> bool {
    let (SenderKind::Instance, IpAddr::V6(address)) = (journey.sender.kind, journey.source.address) else { return false };
    let blocks = journey.at.vpc.ipv6_cidr_block_association_set.iter();
    let mut of_it = blocks.filter(|block| net(block.ipv6_cidr_block.as_ref()).is_some_and(|net| net.contains(&IpAddr::V6(address))));
    let is_private = address.is_unique_local() || of_it.any(|block| is_word(block.ipv6_address_attribute.as_ref(), "private"));
    if is_private {
        let detail = format!("has a private IPv6 address, for which {id} has no answers: AWS does not advertise it");
        trace.hop(kind, id, Decision::Block, detail.clone());
        trace.block(Code::IgwPublicIpAssociationForEgress, journey.source.interface, detail, Place::Other);
    }
    is_private
}

/// A private address of an endpoint is on no network beyond the VPCs: what leaves them for it is lost.
fn is_astray(trace: &mut Trace, journey: &Journey<'_, '_, '_>, kind: HopKind, id: &str) -> bool {
    if journey.end.is_some() {
        let detail = format!("leads to the internet, and {} is a private address", trace.addresses.as_addresses());
        trace.stop(kind, Code::CannotRoute, id, detail, Place::Other);
        return true;
    }
    let lost = trace.addresses.intersection(&goal::not_public_ipv4());
    if !lost.is_empty() {
        let kept = trace.addresses.difference(&lost);
        trace.sift(&Sieve::known(kept.clone()));
        let detail = format!("drops what is for {}: these are no public addresses", lost.as_addresses());
        trace.hop(kind, id, trace.decision(&lost), detail.clone());
        trace.blame(Code::IgwDestinationAddressNotInRfc1918Egress, id, detail, Place::Other);
        return kept.is_empty();
    }
    false
}

/// Out by an internet gateway: the sender needs a public address, and the answers come in by the gateway's own route table.
pub(super) fn gateway(trace: &mut Trace, journey: &Journey<'_, '_, '_>, id: &str) {
    let kind = HopKind::InternetGateway;
    if is_untranslated(trace, kind, id) || is_astray(trace, journey, kind, id) {
        return;
    }
    if let SenderKind::NatGateway { id: nat, is_private: true } = journey.sender.kind {
        let detail = format!("is a private NAT gateway, and {id} drops what it sends");
        trace.block(Code::IgwPublicIpAssociationForEgress, nat, detail, Place::Other);
        return;
    }
    if !journey.is_in_vpc_of_sender() {
        let detail = "drops what comes from another VPC: only an address of its own VPC has a public one";
        trace.stop(kind, Code::IgwPublicIpAssociationForEgress, id, detail, Place::Other);
        return;
    }
    match journey.at.home.internet_gateway(id) {
        Known::Unknown(why) => {
            trace.hop(kind, id, Decision::Unknown, "the internet gateways are not known");
            trace.doubt(why);
        }
        Known::Known(gateway) => {
            let attachments = gateway.map(|gateway| gateway.attachments.as_slice()).unwrap_or_default();
            attached(trace, kind, id, journey.at.vpc_id, attachments, "ec2-describe-internet-gateways.json");
        }
    }
    let is_nat = journey.sender.kind != SenderKind::Instance;
    let is_gateway = matches!(journey.sender.kind, SenderKind::NatGateway { .. });
    public_access(trace, &journey.at, kind, id, if is_gateway { Opening::Outward } else { Opening::BothWays });
    encryption::leave_by(trace, &journey.at, kind, id, Exit::InternetGateway);
    let back_to = if is_nat { journey.sender.position.addresses() } else { journey.sender.ends.sender.clone() };
    local::comes_back_in(trace, &journey.at, id, &back_to);
    if let SenderKind::NatInstance { id: interface, has_public_address: false } = journey.sender.kind {
        let detail = format!("has no public IPv4 address, so {id} drops what it forwards");
        trace.stop(kind, Code::IgwPublicIpAssociationForEgress, interface, detail, Place::Other);
    }
    if is_private_ipv6(trace, journey, kind, id) {
        return;
    }
    // Any other IPv6 address is public by itself.
    if !is_nat && journey.source.address.is_ipv4() && !journey.source.has_public_address {
        let interface = journey.source.interface;
        if journey.source.is_at_rest {
            // (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-instance-addressing.html#concepts-public-addresses)
            let settled_by = "start the instance and scan again: whether it gets a public IPv4 address when it starts is not shown before";
            trace.unclear(kind, interface, "public_address_at_start", settled_by);
            return;
        }
        let detail = "has no public IPv4 address, so the internet gateway drops what it sends".to_owned();
        trace.hop(kind, id, Decision::Block, detail.clone());
        let place = Place::PublicAddress { interface: interface.to_owned() };
        trace.block(Code::IgwPublicIpAssociationForEgress, interface, detail, place);
    }
}

/// Out by an egress-only internet gateway, which carries IPv6 alone.
pub(super) fn egress_only_gateway(trace: &mut Trace, journey: &Journey<'_, '_, '_>, id: &str) {
    let kind = HopKind::EgressOnlyGateway;
    if is_untranslated(trace, kind, id) || is_astray(trace, journey, kind, id) {
        return;
    }
    if !journey.is_in_vpc_of_sender() {
        let detail = "drops what comes from another VPC";
        trace.stop(kind, Code::CannotRoute, id, detail, Place::Other);
        return;
    }
    if is_private_ipv6(trace, journey, kind, id) {
        return;
    }
    match &journey.at.home.files.egress_only_gateways {
        None => trace.doubt([journey.at.home.not_collected("ec2:DescribeEgressOnlyInternetGateways")]),
        Some(file) => {
            let mut gateways = file.egress_only_internet_gateways.iter();
            let gateway = gateways.find(|gateway| gateway.egress_only_internet_gateway_id.as_deref() == Some(id));
            let attachments = gateway.map(|gateway| gateway.attachments.as_slice()).unwrap_or_default();
            attached(trace, kind, id, journey.at.vpc_id, attachments, "ec2-describe-egress-only-internet-gateways.json");
        }
    }
    public_access(trace, &journey.at, kind, id, Opening::Outward);
    encryption::leave_by(trace, &journey.at, kind, id, Exit::EgressOnlyInternetGateway);
}

/// A gateway carries traffic of the VPC to which it is attached.
fn attached(trace: &mut Trace, kind: HopKind, id: &str, vpc: &str, attachments: &[InternetGatewayAttachment], file: &str) {
    let is_up = |state: &str| state.eq_ignore_ascii_case("available") || state.eq_ignore_ascii_case("attached");
    // Half an attachment may be one or not.
    let is_attached = attachments
        .iter()
        .filter(|attachment| attachment.vpc_id.as_deref().is_none_or(|attached| attached == vpc))
        .filter(|attachment| attachment.state.as_deref().is_none_or(is_up))
        .map(|attachment| attachment.vpc_id.is_some() && attachment.state.is_some())
        .max();
    match is_attached {
        Some(true) => trace.hop(kind, id, Decision::Pass, format!("attached to {vpc}")),
        Some(false) => {
            trace.unclear(kind, id, "fact_not_collected", format!("collect {file} again: an attachment lacks its VpcId or State"));
        }
        None => trace.stop(kind, Code::BadState, id, format!("is not attached to {vpc}"), Place::Other),
    }
}

/// Who may open a connection through a way out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Opening {
    /// The VPC alone: a NAT gateway, an egress-only gateway.
    Outward,
    /// The internet too: a public address at an internet gateway.
    BothWays,
}

fn public_access(trace: &mut Trace, at: &Position<'_, '_>, kind: HopKind, id: &str, opening: Opening) {
    match block_mode(at) {
        Known::Unknown(why) => trace.doubt(why),
        Known::Known(mode) => {
            let of_vpc = block_mode(&at.without_subnet());
            if opening == Opening::Outward && at.subnet.is_some() && of_vpc.known().is_some_and(|of_vpc| *of_vpc != mode) {
                trace.assume(110, "for a NAT gateway the exclusion of its own subnet from VPC Block Public Access decides");
            }
            let is_blocked = match mode {
                BlockMode::Off => false,
                BlockMode::Ingress => opening == Opening::BothWays,
                BlockMode::Bidirectional => true,
            };
            if is_blocked {
                let resource = if at.subnet.is_some() { at.subnet_id() } else { at.vpc_id };
                let detail = "is under VPC Block Public Access".to_owned();
                trace.hop(kind, id, Decision::Block, detail.clone());
                trace.block(Code::VpcBlockPublicAccessEnabled, resource, detail, Place::Other);
            }
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BlockMode {
    Off,
    Ingress,
    Bidirectional,
}

/// The effective mode of VPC Block Public Access for a subnet, or for the VPC as a whole: AWS's own field where it is there, else from options
/// and exclusions.
fn block_mode(at: &Position<'_, '_>) -> Known<BlockMode> {
    let parse = |mode: &str| match mode.to_ascii_lowercase().as_str() {
        "off" => Some(BlockMode::Off),
        "block-ingress" => Some(BlockMode::Ingress),
        "block-bidirectional" => Some(BlockMode::Bidirectional),
        _ => None,
    };
    let unreadable = |mode: &str| {
        Known::unknown("fact_not_collected", mode, "check the mode of VPC Block Public Access by hand: its value is not known here")
    };
    let of_subnet = at.subnet.and_then(|subnet| subnet.block_public_access_states.as_ref());
    let states = of_subnet.or(at.vpc.block_public_access_states.as_ref());
    if let Some(mode) = states.and_then(|states| states.internet_gateway_block_mode.as_deref()) {
        return parse(mode).map_or_else(|| unreadable(mode), Known::Known);
    }
    let Some(options) = &at.home.files.block_public_access else {
        return Known::Unknown(vec![at.home.not_collected("ec2:DescribeVpcBlockPublicAccessOptions")]);
    };
    let Some(mode) = options.vpc_block_public_access_options.internet_gateway_block_mode.as_deref() else {
        let settled_by = "collect ec2-describe-vpc-block-public-access-options.json again: InternetGatewayBlockMode is missing";
        return Known::unknown("fact_not_collected", "VPC Block Public Access", settled_by);
    };
    let mode = match parse(mode) {
        Some(BlockMode::Off) => return Known::Known(BlockMode::Off),
        Some(mode) => mode,
        None => return unreadable(mode),
    };
    let Some(exclusions) = &at.home.files.block_public_access_exclusions else {
        return Known::Unknown(vec![at.home.not_collected("ec2:DescribeVpcBlockPublicAccessExclusions")]);
    };
    let of = |id: &str| {
        exclusions.vpc_block_public_access_exclusions.iter().find(|exclusion| {
            let is_live =
                exclusion.state.as_deref().is_none_or(|state| state.ends_with("create-complete") || state.ends_with("update-complete"));
            is_live && exclusion.resource_arn.as_deref().is_some_and(|arn| arn.rsplit('/').next() == Some(id))
        })
    };
    let exclusion = of(at.subnet_id()).or_else(|| of(at.vpc_id));
    Known::Known(match exclusion.and_then(|exclusion| exclusion.internet_gateway_exclusion_mode.as_deref()) {
        Some("allow-bidirectional") => BlockMode::Off,
        Some("allow-egress") => BlockMode::Ingress,
        _ => mode,
    })
}
