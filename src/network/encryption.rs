//! VPC encryption controls: what a VPC in enforce mode does not carry, or under an exclusion alone
//! (<https://docs.aws.amazon.com/vpc/latest/userguide/vpc-encryption-controls.html>).
//!
//! AWS says that an interface endpoint drops what is sent to it in the clear. Of most else it says that it lets nothing be there that might carry
//! clear text, and not what becomes of the traffic where something is there all the same: this is unknown.

use super::position::Position;
use super::source::Source;
use super::trace::Trace;
use super::verdict::{Code, HopKind, Place};
use crate::model::is_word;
use crate::model::known::{Known, Unknown};
use crate::snapshot::ec2::{TransitGatewayOptions, VpcEncryptionControl, VpcEncryptionControlExclusion, VpcEncryptionControlExclusions};

const OPERATION: &str = "ec2:DescribeVpcEncryptionControls";
const CODE: &str = "encryption_controls";

/// What a VPC in enforce mode has under an exclusion alone, or not at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exit {
    InternetGateway,
    EgressOnlyInternetGateway,
    NatGateway,
    VirtualPrivateGateway,
    /// Nothing excludes it.
    GatewayLoadBalancerEndpoint,
}

impl Exit {
    fn as_str(self) -> &'static str {
        match self {
            Self::InternetGateway => "internet gateway",
            Self::EgressOnlyInternetGateway => "egress-only internet gateway",
            Self::NatGateway => "NAT gateway",
            Self::VirtualPrivateGateway => "virtual private gateway",
            Self::GatewayLoadBalancerEndpoint => "Gateway Load Balancer endpoint",
        }
    }

    fn exclusion(self, exclusions: &VpcEncryptionControlExclusions) -> Option<&VpcEncryptionControlExclusion> {
        match self {
            Self::InternetGateway => exclusions.internet_gateway.as_ref(),
            Self::EgressOnlyInternetGateway => exclusions.egress_only_internet_gateway.as_ref(),
            Self::NatGateway => exclusions.nat_gateway.as_ref(),
            Self::VirtualPrivateGateway => exclusions.virtual_private_gateway.as_ref(),
            Self::GatewayLoadBalancerEndpoint => None,
        }
    }
}

/// Out of a VPC by one of its gateways.
pub(super) fn leave_by(trace: &mut Trace, at: &Position<'_, '_>, kind: HopKind, id: &str, exit: Exit) {
    let Some(Some(control)) = trace.told(enforced(at)) else { return };
    let exclusion = control.resource_exclusions.as_ref().and_then(|exclusions| exit.exclusion(exclusions));
    if !exclusion.is_some_and(is_enabled) {
        let (control, vpc, what) = (name(control), at.vpc_id, exit.as_str());
        let settled_by = match exit {
            Exit::GatewayLoadBalancerEndpoint => {
                format!("check by hand whether anything passes {id}: {control} enforces encryption in {vpc}, where AWS supports no {what}")
            }
            _ => format!(
                "enable the exclusion {what} of {control}, or check by hand whether anything passes {id}: in enforce mode AWS lets {vpc} have it under the exclusion alone"
            ),
        };
        trace.unclear(kind, id, CODE, settled_by);
    }
}

/// From one VPC into another by a peering connection: both enforce encryption in one Region, without any exclusion, or each that enforces it has
/// the exclusion for peering.
pub(super) fn cross_peering(trace: &mut Trace, id: &str, here: &Position<'_, '_>, there: &Position<'_, '_>) {
    let (Some(own), Some(far)) = (trace.told(enforced(here)), trace.told(enforced(there))) else { return };
    let is_encrypted = here.home.name == there.home.name && [own, far].into_iter().all(|control| control.is_some_and(excludes_nothing));
    let excludes_peering = |control: &VpcEncryptionControl| {
        control.resource_exclusions.as_ref().and_then(|exclusions| exclusions.vpc_peering.as_ref()).is_some_and(is_enabled)
    };
    let barring = [own, far].into_iter().flatten().find(|control| !excludes_peering(control));
    if let Some(control) = barring.filter(|_| !is_encrypted) {
        let settled_by = format!(
            "enable the exclusion VPC peering of {}, or check by hand whether anything passes {id}: without it AWS lets a VPC that enforces encryption be peered only with one of its Region that does, neither with any exclusion",
            name(control)
        );
        trace.unclear(HopKind::Peering, id, CODE, settled_by);
    }
}

/// Between a VPC and a transit gateway, which must support encryption
/// (<https://docs.aws.amazon.com/vpc/latest/tgw/tgw-encryption-support.html>).
pub(super) fn use_transit_gateway(trace: &mut Trace, at: &Position<'_, '_>, id: &str, options: Option<&TransitGatewayOptions>) {
    let Some(Some(control)) = trace.told(enforced(at)) else { return };
    let support = options.and_then(|options| options.encryption_support.as_ref());
    if !support.is_some_and(|support| is_word(support.encryption_state.as_ref(), "enabled")) {
        let settled_by = format!(
            "enable encryption support of {id}, or check by hand whether anything passes it: {} enforces encryption in {}, which AWS attaches to no other transit gateway",
            name(control),
            at.vpc_id
        );
        trace.unclear(HopKind::TransitGateway, id, CODE, settled_by);
    }
}

/// At an interface endpoint of the VPC, or at a gateway endpoint: AWS tells by the port whether something is encrypted, and takes TCP 443 to be.
pub(super) fn meet_endpoint(trace: &mut Trace, at: &Position<'_, '_>, kind: HopKind, id: &str, port: u16) {
    const HTTP: u16 = 80;
    const HTTPS: u16 = 443;
    if port == HTTPS {
        return;
    }
    let Some(Some(control)) = trace.told(enforced(at)) else { return };
    let (control, vpc) = (name(control), at.vpc_id);
    if kind == HopKind::InterfaceEndpoint && port == HTTP {
        let detail = format!("drops TCP {port}, which is not encrypted: {control} enforces encryption in {vpc}");
        trace.stop(kind, Code::VpcEncryptionControlsEnforced, id, detail, Place::Other);
    } else {
        let settled_by = format!("check by hand whether {id} takes TCP {port}: {control} enforces encryption in {vpc}");
        trace.unclear(kind, id, CODE, settled_by);
    }
}

/// An instance on the Xen hypervisor, whose hardware encrypts nothing.
pub(super) fn start(trace: &mut Trace, source: &Source<'_, '_>) {
    if source.is_nitro != Some(false) {
        return;
    }
    let Some(Some(control)) = trace.told(enforced(&source.position)) else { return };
    let settled_by = format!(
        "move the instance to a type of the Nitro system, or check by hand whether it sends anything: {} enforces encryption in {}, where AWS attaches no other",
        name(control),
        source.position.vpc_id
    );
    trace.unclear(HopKind::Other, source.interface, CODE, settled_by);
}

/// The control by which the VPC enforces encryption, if there is one.
fn enforced<'a>(at: &Position<'_, 'a>) -> Known<Option<&'a VpcEncryptionControl>> {
    let Some(file) = &at.home.files.encryption_controls else {
        if at.home.is_not_offered(OPERATION) {
            return Known::Known(None);
        }
        return Known::Unknown(vec![at.home.not_collected(OPERATION)]);
    };
    let own = |control: &&VpcEncryptionControl| control.vpc_id.as_deref().is_none_or(|vpc| vpc == at.vpc_id);
    let mut enforcing = None;
    for control in file.vpc_encryption_controls.iter().filter(own) {
        match enforces(control) {
            Some(false) => {}
            Some(true) if control.vpc_id.is_some() => enforcing = Some(control),
            Some(true) | None => {
                let settled_by = format!(
                    "scan again when the VPC encryption controls of {} are available: {} is {}, mode {}",
                    at.vpc_id,
                    name(control),
                    control.state.as_deref().unwrap_or("in no known state"),
                    control.mode.as_deref().unwrap_or("not known")
                );
                return Known::Unknown(vec![Unknown::new(CODE, at.vpc_id, settled_by)]);
            }
        }
    }
    Known::Known(enforcing)
}

/// Whether a control has enforce mode in effect; `None` on the way into it or out of it.
fn enforces(control: &VpcEncryptionControl) -> Option<bool> {
    let mode = control.mode.as_deref()?.to_ascii_lowercase();
    let state = control.state.as_deref()?.to_ascii_lowercase();
    match (mode.as_str(), state.as_str()) {
        ("enforce", "available") => Some(true),
        (_, "deleted") | ("monitor", "available" | "creating" | "deleting" | "delete-failed") => Some(false),
        _ => None,
    }
}

fn is_enabled(exclusion: &VpcEncryptionControlExclusion) -> bool {
    is_word(exclusion.state.as_ref(), "enabled")
}

fn excludes_nothing(control: &VpcEncryptionControl) -> bool {
    let Some(exclusions) = &control.resource_exclusions else { return true };
    let VpcEncryptionControlExclusions {
        internet_gateway,
        egress_only_internet_gateway,
        nat_gateway,
        virtual_private_gateway,
        vpc_peering,
        lambda,
        vpc_lattice,
        elastic_file_system,
    } = exclusions;
    let gateways = [internet_gateway, egress_only_internet_gateway, nat_gateway, virtual_private_gateway];
    let others = [vpc_peering, lambda, vpc_lattice, elastic_file_system];
    gateways.into_iter().chain(others).flatten().all(|exclusion| is_word(exclusion.state.as_ref(), "disabled"))
}

fn name(control: &VpcEncryptionControl) -> &str {
    control.vpc_encryption_control_id.as_deref().unwrap_or("a VPC encryption control")
}
