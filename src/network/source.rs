//! Where a path starts: the instance's primary interface, and the account that owns its VPC.

use std::net::IpAddr;

use super::position::Position;
use crate::model::known::{Known, Unknown};
use crate::model::{Estate, Region, address, is_word};
use crate::snapshot::ec2::{GroupIdentifier, Instance, InstanceNetworkInterface, Subnet, Vpc};

/// One interface of an instance, with what surrounds it.
#[derive(Debug, Clone)]
pub(super) struct Source<'r, 'a> {
    pub(super) estate: &'r Estate<'a>,
    /// The Region of the account that owns the instance and its security groups.
    pub(super) region: &'r Region<'a>,
    /// Its subnet, by the files of the account that owns the VPC: another one where the subnet is shared.
    pub(super) position: Position<'r, 'a>,
    /// Why the owner's endpoints and gateways are not known, where they are not.
    pub(super) owner_unseen: Option<Unknown>,
    pub(super) interface: &'a str,
    /// IPv4, unless the instance has an IPv6 address alone.
    pub(super) address: IpAddr,
    /// The IPv6 address that it has beside an IPv4 one.
    ipv6_beside: Option<IpAddr>,
    pub(super) has_public_address: bool,
    /// Whether the instance does not run: EC2 takes an automatic public address back when it stops, and gives another when it starts.
    pub(super) is_at_rest: bool,
    /// Sorted.
    pub(super) groups: Vec<String>,
    pub(super) is_nitro: Option<bool>,
}

impl<'r, 'a> Source<'r, 'a> {
    /// The interface that carries the default route: that with device index 0 on network card 0 (decision 6 of docs/reachability.md).
    pub(super) fn of(estate: &'r Estate<'a>, region: &'r Region<'a>, instance: &'a Instance) -> Known<Self> {
        let mut first = instance.network_interfaces.iter().filter(|interface| place_of(interface) == Some((0, 0)));
        let primary = match (first.next(), first.next(), instance.network_interfaces.as_slice()) {
            (Some(primary), None, _) => Some(primary),
            (Some(_), Some(_), _) => return Known::Unknown(vec![missing(instance, "the network card of a network interface")]),
            (None, _, [only]) => Some(only),
            (None, _, []) => None,
            (None, ..) => return Known::Unknown(vec![missing(instance, "the device index of the network interfaces")]),
        };
        Self::from(estate, region, instance, primary)
    }

    /// The other interfaces, which carry traffic only where the operating system was told so.
    pub(super) fn others(estate: &'r Estate<'a>, region: &'r Region<'a>, instance: &'a Instance) -> Vec<Self> {
        let others = instance.network_interfaces.iter().filter(|interface| {
            // One for EFA alone has no address, and carries no IP.
            let has_address = interface.private_ip_address.is_some() || !interface.ipv6_addresses.is_empty();
            has_address && place_of(interface).is_some_and(|place| place != (0, 0))
        });
        others.filter_map(|interface| Self::from(estate, region, instance, Some(interface)).into_known()).collect()
    }

    /// The same interface by the IPv6 address that it has beside its IPv4 one.
    pub(super) fn over_ipv6(&self) -> Option<Self> {
        self.ipv6_beside.map(|address| Self { address, ipv6_beside: None, ..self.clone() })
    }

    fn from(
        estate: &'r Estate<'a>,
        region: &'r Region<'a>,
        instance: &'a Instance,
        interface: Option<&'a InstanceNetworkInterface>,
    ) -> Known<Self> {
        let id = instance.instance_id.as_deref().unwrap_or_default();
        let subnet_id = interface.and_then(|interface| interface.subnet_id.as_deref()).or(instance.subnet_id.as_deref());
        let vpc_id = interface.and_then(|interface| interface.vpc_id.as_deref()).or(instance.vpc_id.as_deref());
        let (Some(subnet_id), Some(vpc_id)) = (subnet_id, vpc_id) else {
            return Known::Unknown(vec![missing(instance, "the subnet or VPC")]);
        };
        let ipv4 = interface
            .and_then(|interface| address(interface.private_ip_address.as_ref()))
            .or_else(|| address(instance.private_ip_address.as_ref()));
        let ipv6 =
            interface.and_then(|interface| interface.ipv6_addresses.iter().filter_map(|ipv6| address(ipv6.ipv6_address.as_ref())).min());
        // IPv4 decides where there is any (decision 10).
        let Some(address) = ipv4.or(ipv6) else { return Known::Unknown(vec![missing(instance, "the private address")]) };
        let groups = interface.map(|interface| &interface.groups).filter(|groups| !groups.is_empty()).unwrap_or(&instance.security_groups);
        place(estate, region, subnet_id, vpc_id).map(|place| Self {
            estate,
            region,
            position: Position::of(place.home, place.vpc, Some(place.subnet)),
            owner_unseen: place.owner_unseen,
            interface: interface.and_then(|interface| interface.network_interface_id.as_deref()).unwrap_or(id),
            address,
            ipv6_beside: ipv4.and(ipv6),
            has_public_address: interface.map_or(instance.public_ip_address.is_some(), has_public_address),
            is_at_rest: instance
                .state
                .as_ref()
                .is_some_and(|state| ["stopped", "stopping", "pending"].iter().any(|word| is_word(state.name.as_ref(), word))),
            groups: group_ids(groups),
            is_nitro: instance.instance_type.as_deref().map(is_nitro),
        })
    }
}

fn missing(instance: &Instance, what: &str) -> Unknown {
    let id = instance.instance_id.as_deref().unwrap_or_default();
    Unknown::new("fact_not_collected", id, format!("collect ec2-describe-instances.json again: {what} of {id} is missing"))
}

fn place<'r, 'a>(estate: &'r Estate<'a>, region: &'r Region<'a>, subnet_id: &str, vpc_id: &str) -> Known<Surroundings<'r, 'a>> {
    let of_subnet = region.subnet(subnet_id).known().and_then(|subnet| subnet.owner_id.as_deref());
    let owner = of_subnet.or(region.vpc(vpc_id).known().and_then(|vpc| vpc.owner_id.as_deref()));
    let (home, owner_unseen) = match owner {
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

/// The network card and the device index of an interface; cards beside the first have devices of index 0 too
/// (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/efa-acc-inst-types.html>).
fn place_of(interface: &InstanceNetworkInterface) -> Option<(i32, i32)> {
    let attachment = interface.attachment.as_ref()?;
    Some((attachment.network_card_index.unwrap_or(0), attachment.device_index?))
}
