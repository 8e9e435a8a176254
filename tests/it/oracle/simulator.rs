//! A packet-by-packet simulator of one VPC: one address, one source port, out and back again.
//!
//! It is a second implementation of docs/reachability.md, written from that text and from AWS's guides alone, and as dumb as can be:
//! no sets of addresses, no sharing with the program, rules read in a row until one fits. Sources:
//! routes <https://docs.aws.amazon.com/vpc/latest/userguide/route-tables-priority.html>,
//! network ACLs <https://docs.aws.amazon.com/vpc/latest/userguide/nacl-rules.html>,
//! names <https://docs.aws.amazon.com/vpc/latest/privatelink/create-interface-endpoint.html>,
//! Block Public Access <https://docs.aws.amazon.com/vpc/latest/userguide/security-vpc-bpa-basics.html>.

mod filters;
mod names;
mod read;
mod routes;

use std::net::Ipv4Addr;

use patch_preflight::snapshot::ec2;

/// What is asked for: a protocol, by both of its names, and its port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Traffic {
    protocol: [&'static str; 2],
    port: u32,
}

pub(super) const HTTPS: Traffic = Traffic { protocol: ["tcp", "6"], port: 443 };
const DNS: Traffic = Traffic { protocol: ["udp", "17"], port: 53 };
const DNS_BY_TCP: Traffic = Traffic { protocol: ["tcp", "6"], port: 53 };

/// What happens to a packet, or to a packet and its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Passes,
    Fails,
    /// It meets something that the specification calls unknown.
    Unknown,
}

use Fate::{Fails, Passes, Unknown};

impl Fate {
    fn of(passes: bool) -> Self {
        if passes { Passes } else { Fails }
    }

    /// One thing after another: what surely fails at one place fails, whatever the other places do (decision 12).
    fn then(self, next: impl FnOnce() -> Self) -> Self {
        match self {
            Fails => Fails,
            Passes => next(),
            Unknown => match next() {
                Fails => Fails,
                _ => Unknown,
            },
        }
    }
}

/// An IPv4 block, `first..=last`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) first: u32,
    pub(super) last: u32,
    length: u32,
}

impl Block {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (address, length) = text.split_once('/')?;
        let address = u32::from(address.parse::<Ipv4Addr>().ok()?);
        let length: u32 = length.parse().ok()?;
        let hosts = if length == 0 { u32::MAX } else { (1 << (32 - length)) - 1 };
        Some(Self { first: address & !hosts, last: address | hosts, length })
    }

    pub(super) fn holds(self, address: u32) -> bool {
        self.first <= address && address <= self.last
    }
}

/// What a name leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// The service's public addresses.
    Public,
    /// The network interfaces (by position) of an endpoint.
    Interfaces(Vec<usize>),
    /// No resolver, or "no such name".
    Nothing,
    /// Something that the specification calls unknown.
    Elsewhere,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Destination {
    /// An address at which nothing of the VPC was seen.
    Address(u32),
    Interface(usize),
}

/// How a packet went out, as far as its answer cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Way {
    traffic: Traffic,
    pub(super) fate: Fate,
    /// The NAT gateway on the way.
    pub(super) nat: Option<Place>,
    /// The interface of an instance on the way, which is to send it on.
    through: Option<usize>,
    /// The first hop is in the instance's own subnet, so that the subnet's network ACL has no say.
    /// <https://docs.aws.amazon.com/vpc/latest/userguide/vpc-network-acls.html>
    stays_in_subnet: bool,
    /// The same of the next hop of the NAT gateway and the NAT gateway's subnet.
    nat_stays_in_subnet: bool,
}

/// Where a NAT gateway stands: its route table, and its subnet, which a regional one has not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    table: usize,
    subnet: Option<usize>,
}

/// Which prefix list wins where lists overlap, by route table: the first (decision 19).
pub(super) type Orders = Vec<Vec<String>>;

pub(super) struct World {
    address: u32,
    subnet: usize,
    has_public_address: bool,
    instance_type: String,
    groups: Vec<String>,
    vpc: Block,
    dns_support: bool,
    dns_hostnames: bool,
    /// `None`: the option set `default`, or one without servers.
    servers: Option<Vec<String>>,
    subnets: Vec<Subnet>,
    tables: Vec<Table>,
    acls: Vec<Vec<ec2::NetworkAclEntry>>,
    security_groups: Vec<ec2::SecurityGroup>,
    interfaces: Vec<Interface>,
    endpoints: Vec<ec2::VpcEndpoint>,
    nats: Vec<ec2::NatGateway>,
    gateways: Vec<ec2::InternetGateway>,
    lists: Vec<List>,
    /// Name and what it says for a name; only zones of the user's.
    zones: Vec<Zone>,
    /// The domains of forwarding rules that are associated with the VPC.
    rules: Vec<String>,
    /// Block Public Access for the VPC as a whole.
    block_mode: String,
}

struct Subnet {
    id: String,
    block: Block,
    table: usize,
    acl: usize,
    /// What Block Public Access does here in the end: `off`, `block-ingress`, `block-bidirectional`.
    block_mode: String,
    zone: String,
}

struct Table {
    id: String,
    /// The gateway whose traffic it routes into the VPC.
    edge_of: Option<String>,
    routes: Vec<Route>,
}

struct Route {
    blocks: Vec<Block>,
    list: Option<String>,
    target: String,
    class: Class,
    is_blackhole: bool,
}

/// In the order in which AWS prefers them among routes of the same length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    Static,
    PrefixList,
    Propagated,
}

struct Interface {
    id: String,
    address: u32,
    subnet: usize,
    groups: Vec<String>,
    source_dest_check: bool,
}

struct List {
    id: String,
    /// The name of a list that AWS manages.
    managed_name: Option<String>,
    blocks: Vec<Block>,
}

struct Zone {
    name: String,
    /// Owner name and the name that the alias leads to.
    aliases: Vec<(String, String)>,
}

fn port(value: Option<i32>) -> u32 {
    u32::try_from(value.unwrap()).unwrap()
}

impl World {
    /// Every block that any rule names, for the choice of addresses worth trying.
    pub(super) fn blocks(&self) -> Vec<Block> {
        let permissions = self.security_groups.iter().flat_map(|group| group.ip_permissions.iter().chain(&group.ip_permissions_egress));
        let ranges = permissions.flat_map(|permission| &permission.ip_ranges).filter_map(|range| Block::parse(range.cidr_ip.as_ref()?));
        let entries = self.acls.iter().flatten().filter_map(|entry| Block::parse(entry.cidr_block.as_ref()?));
        let routes = self.tables.iter().flat_map(|table| &table.routes).flat_map(|route| route.blocks.iter().copied());
        let lists = self.lists.iter().flat_map(|list| list.blocks.iter().copied());
        let subnets = self.subnets.iter().map(|subnet| subnet.block);
        ranges.chain(entries).chain(routes).chain(lists).chain(subnets).chain([self.vpc]).collect()
    }

    /// The ports at which any network ACL's rule begins to fit, or no longer fits.
    pub(super) fn port_edges(&self) -> Vec<u32> {
        let ranges = self.acls.iter().flatten().filter_map(|entry| entry.port_range.as_ref());
        ranges.flat_map(|range| [port(range.from), port(range.to) + 1]).collect()
    }

    /// The blocks of the lists of AWS's whose names end so.
    pub(super) fn managed(&self, ending: &str) -> Vec<Block> {
        let fits = |list: &&List| list.managed_name.as_ref().is_some_and(|name| name.ends_with(ending));
        self.lists.iter().filter(fits).flat_map(|list| list.blocks.iter().copied()).collect()
    }

    // The way out and back.

    pub(super) fn out(&self, orders: &Orders, traffic: Traffic, to: Destination) -> Way {
        match to {
            Destination::Interface(interface) => self.out_to_interface(orders, traffic, &self.interfaces[interface]),
            Destination::Address(address) => self.out_to_address(orders, traffic, address),
        }
    }

    /// Whether the answer comes back to the instance's port; the NAT gateway, if there is one, has sent from a port of its own.
    pub(super) fn back(&self, orders: &Orders, way: Way, from: Destination, port: u32, nat_port: u32) -> Fate {
        let acl = |subnet, egress, remote, port| Fate::of(self.acl(subnet, egress, way.traffic.protocol, remote, port));
        let enters = |remote| if way.stays_in_subnet { Passes } else { acl(self.subnet, false, remote, port) };
        way.fate.then(|| match (from, way.nat) {
            (Destination::Interface(interface), _) => {
                let interface = &self.interfaces[interface];
                if interface.subnet == self.subnet {
                    return Passes;
                }
                acl(interface.subnet, true, self.address, port)
                    .then(|| self.inside(orders, self.subnets[interface.subnet].table, self.address))
                    .then(|| enters(interface.address))
            }
            (Destination::Address(address), None) => {
                let back_out = match way.through.map(|through| self.interfaces[through].subnet) {
                    Some(subnet) if subnet != self.subnet => {
                        acl(subnet, true, self.address, port).then(|| self.inside(orders, self.subnets[subnet].table, self.address))
                    }
                    _ => Passes,
                };
                back_out.then(|| enters(address))
            }
            (Destination::Address(address), Some(nat)) => {
                let passes_acl = |egress, remote, port| nat.subnet.map_or(Passes, |subnet| acl(subnet, egress, remote, port));
                let enters_nat = if way.nat_stays_in_subnet { Passes } else { passes_acl(false, address, nat_port) };
                enters_nat
                    .then(|| passes_acl(true, self.address, port))
                    .then(|| self.inside(orders, nat.table, self.address))
                    // The address stays that of the service: a NAT gateway undoes what it did.
                    .then(|| enters(address))
            }
        })
    }

    fn out_to_interface(&self, orders: &Orders, traffic: Traffic, interface: &Interface) -> Way {
        let leaves = self.groups.iter().any(|group| {
            let permissions = &self.security_group(group).ip_permissions_egress;
            permissions.iter().any(|permission| self.permits(permission, traffic, interface.address, &interface.groups))
        });
        let fate = Fate::of(leaves && self.lets_in(traffic, interface));
        let table = self.subnets[self.subnet].table;
        // Inside a subnet there are no routes and no network ACLs.
        let is_beside = interface.subnet == self.subnet;
        let stays_in_subnet =
            is_beside || self.route(orders, table, interface.address).is_some_and(|route| self.stands_in(self.subnet, route));
        let fate = fate
            .then(|| Fate::of(stays_in_subnet || self.acl(self.subnet, true, traffic.protocol, interface.address, traffic.port)))
            .then(|| if is_beside { Passes } else { self.inside(orders, table, interface.address) })
            .then(|| Fate::of(is_beside || self.acl(interface.subnet, false, traffic.protocol, self.address, traffic.port)));
        Way { traffic, fate, nat: None, through: None, stays_in_subnet, nat_stays_in_subnet: false }
    }

    fn out_to_address(&self, orders: &Orders, traffic: Traffic, address: u32) -> Way {
        let way = |fate| Way { traffic, fate, nat: None, through: None, stays_in_subnet: false, nat_stays_in_subnet: false };
        if !self.lets_out(traffic, address) {
            return way(Fails);
        }
        if self.subnets[self.subnet].block.holds(address) {
            return Way { stays_in_subnet: true, ..way(Unknown) };
        }
        let route = self.route(orders, self.subnets[self.subnet].table, address);
        let Some(route) = route.filter(|route| !route.is_blackhole) else { return way(Fails) };
        let stays_in_subnet = self.stands_in(self.subnet, route);
        if !stays_in_subnet && !self.acl(self.subnet, true, traffic.protocol, address, traffic.port) {
            return way(Fails);
        }
        match kind(&route.target) {
            "nat" => self.out_by_nat(orders, traffic, &route.target, address),
            "igw" => {
                let is_open = self.is_attached(&route.target) && self.has_public_address && self.subnets[self.subnet].block_mode == "off";
                way(Fate::of(is_open && !is_private(address)).then(|| self.edge(&route.target, self.address)))
            }
            "eni" => {
                // By way of another instance no rule means anybody by a group.
                // <https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html#security-group-referencing>
                if !self.lets_out_to(traffic, address, false) {
                    return way(Fails);
                }
                let through = self.interfaces.iter().position(|interface| interface.id == route.target);
                let fate = self.reach_forwarder(traffic, &self.interfaces[through.unwrap()]);
                Way { through, stays_in_subnet, ..way(fate) }
            }
            // The VPC itself, where nothing was seen at the address.
            "local" => way(Unknown),
            // A server of the user's own may stand in the other VPC.
            "pcx" if traffic.port == DNS.port => way(Unknown),
            _ => way(self.beyond(&route.target, address)),
        }
    }

    /// Whether a route leads to an interface in the subnet.
    fn stands_in(&self, subnet: usize, route: &Route) -> bool {
        self.interfaces.iter().any(|interface| interface.id == route.target && interface.subnet == subnet)
    }

    /// Decision 16: AWS's side of an instance that forwards; what it does itself nobody knows.
    fn reach_forwarder(&self, traffic: Traffic, interface: &Interface) -> Fate {
        let is_beside = interface.subnet == self.subnet;
        let enters = is_beside || self.acl(interface.subnet, false, traffic.protocol, self.address, traffic.port);
        Fate::of(self.lets_in(traffic, interface) && !interface.source_dest_check && enters).then(|| Unknown)
    }

    fn out_by_nat(&self, orders: &Orders, traffic: Traffic, id: &str, address: u32) -> Way {
        let dead = Way { traffic, fate: Fails, nat: None, through: None, stays_in_subnet: false, nat_stays_in_subnet: false };
        let nat = self.nats.iter().find(|nat| nat.nat_gateway_id.as_deref() == Some(id)).unwrap();
        if !is_available(nat.state.as_ref()) {
            return dead;
        }
        let Some(place) = self.place_of(nat).filter(|place| place.subnet != Some(self.subnet)) else { return dead };
        let passes_acl =
            |egress, remote| place.subnet.is_none_or(|subnet| self.acl(subnet, egress, traffic.protocol, remote, traffic.port));
        let Some(route) = self.route(orders, place.table, address).filter(|route| !route.is_blackhole) else { return dead };
        let nat_stays_in_subnet = place.subnet.is_some_and(|subnet| self.stands_in(subnet, route));
        if !passes_acl(false, self.address) || !(nat_stays_in_subnet || passes_acl(true, address)) {
            return dead;
        }
        let block_mode = place.subnet.map_or(&self.block_mode, |subnet| &self.subnets[subnet].block_mode);
        let is_public = nat.connectivity_type.as_deref() != Some("private");
        let onward = match kind(&route.target) {
            "nat" => Fails,
            "igw" => {
                let is_open = self.is_attached(&route.target) && is_public && block_mode != "block-bidirectional" && !is_private(address);
                // Any address of the subnet will do: edge routes are for whole subnets. A regional one has none, so that any may count.
                let is_behind = |subnet: &&Subnet| place.subnet.is_none_or(|own| self.subnets[own].id == subnet.id);
                let fates: Vec<Fate> =
                    self.subnets.iter().filter(is_behind).map(|subnet| self.edge(&route.target, subnet.block.first)).collect();
                Fate::of(is_open).then(|| match place.subnet {
                    None if fates.iter().any(|fate| *fate != Passes) => Unknown,
                    None => Passes,
                    Some(_) => fates[0],
                })
            }
            // The VPC itself: what stands there was not asked.
            "local" => Unknown,
            "pcx" if traffic.port == DNS.port => Unknown,
            _ => self.beyond(&route.target, address),
        };
        let is_sure = nat.attached_appliances.is_empty() && (place.subnet.is_some() || self.serves_zone(nat));
        Way { fate: if is_sure { onward } else { onward.then(|| Unknown) }, nat: Some(place), nat_stays_in_subnet, ..dead }
    }

    /// Decision 18: whether a regional NAT gateway surely takes traffic of the instance's zone.
    fn serves_zone(&self, nat: &ec2::NatGateway) -> bool {
        let zone = &self.subnets[self.subnet].zone;
        nat.auto_provision_zones.as_deref() == Some("enabled")
            || nat.nat_gateway_addresses.iter().any(|address| address.availability_zone.as_ref() == Some(zone))
    }

    fn place_of(&self, nat: &ec2::NatGateway) -> Option<Place> {
        if nat.availability_mode.as_deref() == Some("regional") {
            let table = self.tables.iter().position(|table| Some(&table.id) == nat.route_table_id.as_ref())?;
            return Some(Place { table, subnet: None });
        }
        let subnet = self.subnets.iter().position(|subnet| Some(&subnet.id) == nat.subnet_id.as_ref())?;
        Some(Place { table: self.subnets[subnet].table, subnet: Some(subnet) })
    }

    /// Targets that do the same for an instance and for a NAT gateway.
    fn beyond(&self, target: &str, address: u32) -> Fate {
        let endpoint = self.endpoints.iter().find(|endpoint| endpoint.vpc_endpoint_id.as_deref() == Some(target));
        match kind(target) {
            "vpce" => {
                let endpoint = endpoint.unwrap();
                let is_available = is_available(endpoint.state.as_ref());
                match endpoint.vpc_endpoint_type.as_deref() {
                    // Decision 15.
                    Some("Gateway") => Fate::of(is_available),
                    _ => Fate::of(is_available).then(|| Unknown),
                }
            }
            // Decision 16: nothing public. What is private may stand in the other VPC.
            "pcx" if is_private(address) => Unknown,
            "pcx" => Fails,
            // Decision 16: an instance takes no packets for others while the check is on.
            "eni" => {
                let is_refused = self.interfaces.iter().any(|interface| interface.id == target && interface.source_dest_check);
                if is_refused { Fails } else { Unknown }
            }
            // Virtual private gateways, core networks: "Not modelled yet".
            _ => Unknown,
        }
    }

    /// The way to another subnet of the VPC, as the route table of the first has it.
    fn inside(&self, orders: &Orders, table: usize, address: u32) -> Fate {
        match self.route(orders, table, address) {
            None => Fails,
            Some(route) if route.is_blackhole => Fails,
            Some(route) if route.target == "local" => Passes,
            Some(route) => self.beyond(&route.target, address),
        }
    }

    /// What the internet gateway's own route table does with an answer.
    fn edge(&self, gateway: &str, address: u32) -> Fate {
        let Some(table) = self.tables.iter().position(|table| table.edge_of.as_deref() == Some(gateway)) else { return Passes };
        match self.route(&Orders::new(), table, address) {
            None => Passes,
            Some(route) if route.is_blackhole => Fails,
            Some(route) if route.target == "local" => Passes,
            // Decision 16: asymmetric.
            Some(_) => Unknown,
        }
    }

    fn is_attached(&self, id: &str) -> bool {
        let gateway = self.gateways.iter().find(|gateway| gateway.internet_gateway_id.as_deref() == Some(id)).unwrap();
        gateway.attachments.iter().any(|attachment| {
            attachment.vpc_id.as_deref() == Some("vpc-1") && matches!(attachment.state.as_deref(), Some("available" | "attached"))
        })
    }
}

/// AWS's models and its answers differ in capitals.
fn is_available(state: Option<&String>) -> bool {
    state.is_some_and(|state| state.eq_ignore_ascii_case("available"))
}

fn kind(target: &str) -> &str {
    target.split('-').next().unwrap_or(target)
}

fn is_private(address: u32) -> bool {
    Ipv4Addr::from(address).is_private()
}
