//! Where a path starts: the instance's primary interface, and the account that owns its VPC.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use crate::model::known::{Known, Unknown};
use crate::model::{Estate, Region, address, net};
use crate::snapshot::ec2::{GroupIdentifier, Instance, InstanceNetworkInterface, Subnet, Vpc};

/// The primary interface of an instance, with what surrounds it.
#[derive(Debug)]
pub(super) struct Source<'r, 'a> {
    /// The Region of the account that owns the instance and its security groups.
    pub(super) region: &'r Region<'a>,
    /// The Region of the account that owns the VPC: another one where the subnet is shared.
    pub(super) home: &'r Region<'a>,
    /// Why the owner's endpoints and gateways are not known, where they are not.
    pub(super) owner_unseen: Option<Unknown>,
    pub(super) interface: &'a str,
    pub(super) address: Ipv4Addr,
    pub(super) has_public_address: bool,
    pub(super) subnet_id: &'a str,
    pub(super) subnet: &'a Subnet,
    pub(super) vpc_id: &'a str,
    pub(super) vpc: &'a Vpc,
    pub(super) vpc_nets: Vec<Ipv4Net>,
    /// Sorted.
    pub(super) groups: Vec<String>,
    pub(super) is_nitro: Option<bool>,
}

impl<'r, 'a> Source<'r, 'a> {
    pub(super) fn of(estate: &'r Estate<'a>, region: &'r Region<'a>, instance: &'a Instance) -> Known<Self> {
        let id = instance.instance_id.as_deref().unwrap_or_default();
        let missing = |what: &str| {
            Unknown::new("fact_not_collected", id, format!("collect ec2-describe-instances.json again: {what} of {id} is missing"))
        };
        // Device index 0 carries the default route (decision 6 of docs/reachability.md).
        let primary = instance
            .network_interfaces
            .iter()
            .find(|interface| interface.attachment.as_ref().and_then(|attachment| attachment.device_index) == Some(0));
        let primary = match (primary, instance.network_interfaces.as_slice()) {
            (Some(primary), _) => Some(primary),
            (None, [only]) => Some(only),
            (None, []) => None,
            (None, _) => return Known::Unknown(vec![missing("the device index of the network interfaces")]),
        };
        let subnet_id = primary.and_then(|interface| interface.subnet_id.as_deref()).or(instance.subnet_id.as_deref());
        let vpc_id = primary.and_then(|interface| interface.vpc_id.as_deref()).or(instance.vpc_id.as_deref());
        let private = primary
            .and_then(|interface| address(interface.private_ip_address.as_ref()))
            .or_else(|| address(instance.private_ip_address.as_ref()));
        let (Some(subnet_id), Some(vpc_id)) = (subnet_id, vpc_id) else { return Known::Unknown(vec![missing("the subnet or VPC")]) };
        let Some(private) = private else {
            let has_ipv6 = primary.is_some_and(|interface| !interface.ipv6_addresses.is_empty());
            let why = if has_ipv6 {
                Unknown::new(
                    "ipv6_not_modelled",
                    id,
                    "check the path by hand: the instance has an IPv6 address only, which this version does not model",
                )
            } else {
                missing("the private IPv4 address")
            };
            return Known::Unknown(vec![why]);
        };
        let groups = primary.map(|interface| &interface.groups).filter(|groups| !groups.is_empty()).unwrap_or(&instance.security_groups);
        Self::place(estate, region, subnet_id, vpc_id).map(|place| Self {
            region,
            home: place.home,
            owner_unseen: place.owner_unseen,
            interface: primary.and_then(|interface| interface.network_interface_id.as_deref()).unwrap_or(id),
            address: private,
            has_public_address: primary.map_or(instance.public_ip_address.is_some(), has_public_address),
            subnet_id,
            subnet: place.subnet,
            vpc_id,
            vpc: place.vpc,
            vpc_nets: vpc_nets(place.vpc),
            groups: group_ids(groups),
            is_nitro: instance.instance_type.as_deref().map(is_nitro),
        })
    }

    fn place(estate: &'r Estate<'a>, region: &'r Region<'a>, subnet_id: &str, vpc_id: &str) -> Known<Surroundings<'r, 'a>> {
        let owner = |region: &Region<'a>| {
            let of_subnet = region.subnet(subnet_id).known().and_then(|subnet| subnet.owner_id.as_deref());
            of_subnet.or(region.vpc(vpc_id).known().and_then(|vpc| vpc.owner_id.as_deref()))
        };
        let (home, owner_unseen) = match owner(region) {
            Some(owner) if owner != region.account => {
                match estate.region(owner, region.name).filter(|home| home.files.vpc_endpoints.is_some()) {
                    Some(home) => (home, None),
                    None => {
                        let settled_by = format!(
                            "scan account {owner} too: it owns {subnet_id}, and only it can see the endpoints and NAT gateways of {vpc_id}"
                        );
                        (region, Some(Unknown::new("owner_account_not_collected", owner, settled_by)))
                    }
                }
            }
            _ => (region, None),
        };
        // The owner's files know the shared VPC best; the participant's hold its subnets too.
        let subnet = match home.subnet(subnet_id) {
            Known::Unknown(_) => region.subnet(subnet_id),
            known => known,
        };
        let vpc = match home.vpc(vpc_id) {
            Known::Unknown(_) => region.vpc(vpc_id),
            known => known,
        };
        subnet.and_then(|subnet| vpc.map(|vpc| Surroundings { home, owner_unseen, subnet, vpc }))
    }
}

struct Surroundings<'r, 'a> {
    home: &'r Region<'a>,
    owner_unseen: Option<Unknown>,
    subnet: &'a Subnet,
    vpc: &'a Vpc,
}

fn has_public_address(interface: &InstanceNetworkInterface) -> bool {
    let of_primary = interface
        .private_ip_addresses
        .iter()
        .find(|address| address.primary == Some(true))
        .and_then(|address| address.association.as_ref());
    of_primary.or(interface.association.as_ref()).is_some_and(|association| association.public_ip.is_some())
}

pub(super) fn group_ids(groups: &[GroupIdentifier]) -> Vec<String> {
    let mut ids: Vec<String> = groups.iter().filter_map(|group| group.group_id.clone()).collect();
    ids.sort();
    ids.dedup();
    ids
}

/// The IPv4 blocks of a VPC, the secondary ones included.
fn vpc_nets(vpc: &Vpc) -> Vec<Ipv4Net> {
    let is_live = |state: Option<&str>| state.is_none_or(|state| state.eq_ignore_ascii_case("associated"));
    let more = vpc
        .cidr_block_association_set
        .iter()
        .filter(|block| is_live(block.cidr_block_state.as_ref().and_then(|state| state.state.as_deref())));
    let mut nets: Vec<Ipv4Net> = more.filter_map(|block| net(block.cidr_block.as_ref())).chain(net(vpc.cidr_block.as_ref())).collect();
    nets.sort();
    nets.dedup();
    nets
}

/// Whether an instance type runs on the Nitro system. The API's `Hypervisor` says `xen` for both, so the family decides
/// (<https://docs.aws.amazon.com/ec2/latest/instancetypes/ec2-nitro-instances.html>).
fn is_nitro(instance_type: &str) -> bool {
    const XEN: [&str; 23] = [
        "t1", "t2", "m1", "m2", "m3", "m4", "c1", "c3", "c4", "r3", "r4", "i2", "i3", "d2", "h1", "g2", "g3", "g3s", "p2", "p3", "x1",
        "x1e", "f1",
    ];
    let (family, size) = instance_type.split_once('.').unwrap_or((instance_type, ""));
    size.starts_with("metal") || !XEN.contains(&family)
}
