//! Where traffic is: a subnet of a VPC, as the account that owns the VPC shows it.

use ipnet::IpNet;

use super::set::IntervalSet;
use crate::model::known::{Known, Unknown};
use crate::model::{Region, net};
use crate::snapshot::ec2::{RouteTable, Subnet, Vpc};

#[derive(Debug, Clone)]
pub(super) struct Position<'r, 'a> {
    /// The Region's files of the account that owns the VPC.
    pub(super) home: &'r Region<'a>,
    pub(super) vpc_id: &'a str,
    pub(super) vpc: &'a Vpc,
    /// The VPC's own blocks, of both families.
    pub(super) nets: Vec<IpNet>,
    /// `None` for what stands in no subnet: a regional NAT gateway, the far end of a peering connection.
    pub(super) subnet: Option<&'a Subnet>,
}

impl<'r, 'a> Position<'r, 'a> {
    pub(super) fn of(home: &'r Region<'a>, vpc: &'a Vpc, subnet: Option<&'a Subnet>) -> Self {
        Self { home, vpc_id: vpc.vpc_id.as_deref().unwrap_or_default(), vpc, nets: vpc_nets(vpc), subnet }
    }

    /// Another subnet of the VPC.
    pub(super) fn subnet(&self, id: &str) -> Known<Self> {
        self.home.subnet(id).map(|subnet| Self { subnet: Some(subnet), ..self.clone() })
    }

    pub(super) fn without_subnet(&self) -> Self {
        Self { subnet: None, ..self.clone() }
    }

    pub(super) fn subnet_id(&self) -> &'a str {
        self.subnet.and_then(|subnet| subnet.subnet_id.as_deref()).unwrap_or_default()
    }

    /// The id of the Availability Zone, which means the same in every account; its name does not.
    pub(super) fn zone(&self) -> Option<&'a str> {
        self.subnet.and_then(|subnet| subnet.availability_zone_id.as_deref())
    }

    pub(super) fn table(&self) -> Known<&'a RouteTable> {
        self.home.route_table(self.subnet_id(), self.vpc_id)
    }

    pub(super) fn is_in_vpc_of(&self, other: &Self) -> bool {
        self.vpc_id == other.vpc_id && self.home.account == other.home.account
    }

    pub(super) fn is_in_subnet_of(&self, other: &Self) -> bool {
        self.subnet.is_some() && self.is_in_vpc_of(other) && self.subnet_id() == other.subnet_id()
    }

    /// The addresses of the subnet, or of the whole VPC.
    pub(super) fn addresses(&self) -> IntervalSet {
        match self.subnet.and_then(|subnet| net(subnet.cidr_block.as_ref())) {
            Some(block) => IntervalSet::net(block),
            None => IntervalSet::nets(&self.nets),
        }
    }
}

/// The blocks of a VPC, the secondary ones included.
pub fn vpc_nets(vpc: &Vpc) -> Vec<IpNet> {
    let is_live = |state: Option<&str>| state.is_none_or(|state| state.eq_ignore_ascii_case("associated"));
    let more = vpc
        .cidr_block_association_set
        .iter()
        .filter(|block| is_live(block.cidr_block_state.as_ref().and_then(|state| state.state.as_deref())))
        .filter_map(|block| net(block.cidr_block.as_ref()));
    let ipv6 = vpc
        .ipv6_cidr_block_association_set
        .iter()
        .filter(|block| is_live(block.ipv6_cidr_block_state.as_ref().and_then(|state| state.state.as_deref())))
        .filter_map(|block| net(block.ipv6_cidr_block.as_ref()));
    let mut nets: Vec<IpNet> = more.chain(net(vpc.cidr_block.as_ref())).chain(ipv6).collect();
    nets.sort();
    nets.dedup();
    nets
}

/// The VPC of an account's Region, or who would have to be asked about it.
pub(super) fn vpc_of<'r, 'a>(home: Option<&'r Region<'a>>, account: &str, vpc: &str) -> Known<Position<'r, 'a>> {
    // Without its endpoints and route tables a VPC was not looked into.
    match home.filter(|home| home.files.vpc_endpoints.is_some() && home.files.route_tables.is_some()) {
        Some(home) => home.vpc(vpc).map(|vpc| Position::of(home, vpc, None)),
        None => Known::Unknown(vec![Unknown::new(
            "owner_account_not_collected",
            account,
            format!("scan account {account} too: it owns {vpc}, and only it can see the endpoints and gateways there"),
        )]),
    }
}
