//! One account's Region, indexed by id. A list that was not collected answers every question with "unknown", and says which call would settle it.

use std::collections::HashMap;
use std::net::IpAddr;

use ipnet::IpNet;

use super::known::{Known, Unknown};
use crate::snapshot::ec2::{
    DhcpOptions, ImageMetadata, InternetGateway, NatGateway, NetworkAcl, NetworkInterface, RouteTable, SecurityGroup, Subnet, Vpc,
    VpcAttribute, VpcEndpoint,
};
use crate::snapshot::ssm::InstanceInformation;
use crate::snapshot::{Gap, GapReason, RegionFiles};

/// A view of the files of one Region of one account.
#[derive(Debug)]
pub struct Region<'a> {
    pub account: &'a str,
    pub name: &'a str,
    pub files: &'a RegionFiles,
    /// The gaps of this Region and of the account as a whole.
    gaps: Vec<&'a Gap>,
    vpcs: Index<'a, Vpc>,
    attributes: Index<'a, VpcAttribute>,
    subnets: Index<'a, Subnet>,
    tables: Index<'a, RouteTable>,
    table_of_subnet: HashMap<&'a str, &'a RouteTable>,
    main_table_of_vpc: HashMap<&'a str, &'a RouteTable>,
    edge_tables: HashMap<&'a str, &'a RouteTable>,
    groups: Index<'a, SecurityGroup>,
    acl_of_subnet: HashMap<&'a str, &'a NetworkAcl>,
    interfaces: Index<'a, NetworkInterface>,
    endpoints: Index<'a, VpcEndpoint>,
    endpoints_of_vpc: HashMap<&'a str, Vec<&'a VpcEndpoint>>,
    nats: Index<'a, NatGateway>,
    internet_gateways: Index<'a, InternetGateway>,
    dhcp_options: Index<'a, DhcpOptions>,
    nodes: Index<'a, InstanceInformation>,
    images: HashMap<&'a str, &'a ImageMetadata>,
    prefix_lists: HashMap<&'a str, PrefixListView<'a>>,
}

type Index<'a, T> = HashMap<&'a str, &'a T>;

/// A prefix list: its name where known, its entries where known.
#[derive(Debug, Clone, Default)]
pub struct PrefixListView<'a> {
    pub name: Option<&'a str>,
    pub is_aws_managed: Option<bool>,
    pub entries: Option<Vec<IpNet>>,
}

fn index<'a, T>(items: Option<&'a [T]>, id: impl Fn(&'a T) -> Option<&'a String>) -> Index<'a, T> {
    items.unwrap_or_default().iter().filter_map(|item| Some((id(item)?.as_str(), item))).collect()
}

/// Whether AWS's word is the expected one. Real answers hold values outside the models' enumerations, in either case.
pub fn is_word(value: Option<&String>, word: &str) -> bool {
    value.is_some_and(|value| value.eq_ignore_ascii_case(word))
}

impl<'a> Region<'a> {
    pub fn new(account: &'a str, name: &'a str, files: &'a RegionFiles, all_gaps: &'a [Gap]) -> Self {
        let gaps =
            all_gaps.iter().filter(|gap| gap.account_id == account && gap.region.as_deref().is_none_or(|region| region == name)).collect();
        let tables = files.route_tables.as_ref().map(|file| file.route_tables.as_slice());
        let (mut table_of_subnet, mut main_table_of_vpc, mut edge_tables) = (HashMap::new(), HashMap::new(), HashMap::new());
        for table in tables.unwrap_or_default() {
            for association in &table.associations {
                let is_live = association
                    .association_state
                    .as_ref()
                    .and_then(|state| state.state.as_ref())
                    .is_none_or(|state| state.eq_ignore_ascii_case("associated"));
                if let (Some(subnet), true) = (&association.subnet_id, is_live) {
                    table_of_subnet.insert(subnet.as_str(), table);
                }
                if let (Some(gateway), true) = (&association.gateway_id, is_live) {
                    edge_tables.insert(gateway.as_str(), table);
                }
                if let (Some(true), Some(vpc)) = (association.main, &table.vpc_id) {
                    main_table_of_vpc.insert(vpc.as_str(), table);
                }
            }
        }
        let acls = files.network_acls.as_ref().map(|file| file.network_acls.as_slice()).unwrap_or_default();
        let acl_of_subnet = acls
            .iter()
            .flat_map(|acl| acl.associations.iter().filter_map(move |association| Some((association.subnet_id.as_deref()?, acl))))
            .collect();
        let endpoints = files.vpc_endpoints.as_ref().map(|file| file.vpc_endpoints.as_slice());
        let mut endpoints_of_vpc: HashMap<&str, Vec<&VpcEndpoint>> = HashMap::new();
        for endpoint in endpoints.unwrap_or_default() {
            if let Some(vpc) = &endpoint.vpc_id {
                endpoints_of_vpc.entry(vpc).or_default().push(endpoint);
            }
        }
        for endpoints in endpoints_of_vpc.values_mut() {
            endpoints.sort_by_key(|endpoint| &endpoint.vpc_endpoint_id);
        }
        let images = files.image_metadata.iter().flat_map(|file| &file.instance_image_metadata);
        Self {
            account,
            name,
            files,
            gaps,
            vpcs: index(files.vpcs.as_ref().map(|file| file.vpcs.as_slice()), |vpc| vpc.vpc_id.as_ref()),
            attributes: index(files.vpc_attributes.as_ref().map(|file| file.vpc_attributes.as_slice()), |vpc| vpc.vpc_id.as_ref()),
            subnets: index(files.subnets.as_ref().map(|file| file.subnets.as_slice()), |subnet| subnet.subnet_id.as_ref()),
            tables: index(tables, |table| table.route_table_id.as_ref()),
            table_of_subnet,
            main_table_of_vpc,
            edge_tables,
            groups: index(files.security_groups.as_ref().map(|file| file.security_groups.as_slice()), |group| group.group_id.as_ref()),
            acl_of_subnet,
            interfaces: index(files.network_interfaces.as_ref().map(|file| file.network_interfaces.as_slice()), |interface| {
                interface.network_interface_id.as_ref()
            }),
            endpoints: index(endpoints, |endpoint| endpoint.vpc_endpoint_id.as_ref()),
            endpoints_of_vpc,
            nats: index(files.nat_gateways.as_ref().map(|file| file.nat_gateways.as_slice()), |nat| nat.nat_gateway_id.as_ref()),
            internet_gateways: index(files.internet_gateways.as_ref().map(|file| file.internet_gateways.as_slice()), |gateway| {
                gateway.internet_gateway_id.as_ref()
            }),
            dhcp_options: index(files.dhcp_options.as_ref().map(|file| file.dhcp_options.as_slice()), |set| set.dhcp_options_id.as_ref()),
            nodes: index(files.instance_information.as_ref().map(|file| file.instance_information_list.as_slice()), |node| {
                node.instance_id.as_ref()
            }),
            images: images.filter_map(|image| Some((image.instance_id.as_deref()?, image.image_metadata.as_ref()?))).collect(),
            prefix_lists: prefix_lists(files),
        }
    }

    /// Why the answer of `operation` is not there: the gap that explains it, or that nobody asked.
    pub fn not_collected(&self, operation: &str) -> Unknown {
        let resource = format!("{operation} in {}/{}", self.account, self.name);
        let of_call = self.gaps.iter().find(|gap| gap.operation == operation);
        let of_account = self.gaps.iter().find(|gap| gap.operation == "sts:AssumeRole");
        match of_call.or(of_account) {
            Some(gap) => Unknown::new("fact_not_collected", format!("{resource} ({})", gap.reason.as_str()), gap.reason.remedy()),
            None => {
                let file = RegionFiles::FILES.iter().find(|(_, fills)| *fills == operation).map_or(operation, |(file, _)| file);
                Unknown::new("fact_not_collected", resource, format!("collect {file}"))
            }
        }
    }

    /// Whether AWS said that it does not offer a call there: what the call would tell of is then not there either.
    pub fn is_not_offered(&self, operation: &str) -> bool {
        self.gaps.iter().any(|gap| gap.operation == operation && gap.reason == GapReason::Unsupported)
    }

    /// An id that a collected list does not hold, though something refers to it.
    pub(super) fn not_listed(&self, operation: &str, id: &str) -> Unknown {
        Unknown::new(
            "fact_not_collected",
            id,
            format!("collect {id}: {operation} of {}/{} does not show it, so another account may own it", self.account, self.name),
        )
    }

    fn find<T>(&self, index: &HashMap<&'a str, &'a T>, is_collected: bool, operation: &str, id: &str) -> Known<&'a T> {
        match index.get(id) {
            Some(item) => Known::Known(item),
            None if is_collected => Known::Unknown(vec![self.not_listed(operation, id)]),
            None => Known::Unknown(vec![self.not_collected(operation)]),
        }
    }

    pub fn vpc(&self, id: &str) -> Known<&'a Vpc> {
        self.find(&self.vpcs, self.files.vpcs.is_some(), "ec2:DescribeVpcs", id)
    }

    pub fn subnet(&self, id: &str) -> Known<&'a Subnet> {
        self.find(&self.subnets, self.files.subnets.is_some(), "ec2:DescribeSubnets", id)
    }

    pub fn security_group(&self, id: &str) -> Known<&'a SecurityGroup> {
        self.find(&self.groups, self.files.security_groups.is_some(), "ec2:DescribeSecurityGroups", id)
    }

    pub fn interface(&self, id: &str) -> Known<&'a NetworkInterface> {
        self.find(&self.interfaces, self.files.network_interfaces.is_some(), "ec2:DescribeNetworkInterfaces", id)
    }

    /// The network ACL of a subnet: every subnet has exactly one.
    pub fn network_acl(&self, subnet: &str) -> Known<&'a NetworkAcl> {
        self.find(&self.acl_of_subnet, self.files.network_acls.is_some(), "ec2:DescribeNetworkAcls", subnet)
    }

    /// The route table in effect: the one associated with the subnet, else the VPC's main one.
    pub fn route_table(&self, subnet: &str, vpc: &str) -> Known<&'a RouteTable> {
        match self.table_of_subnet.get(subnet) {
            Some(table) => Known::Known(table),
            None => self.find(&self.main_table_of_vpc, self.files.route_tables.is_some(), "ec2:DescribeRouteTables", vpc),
        }
    }

    /// The route table for what enters the VPC through a gateway, among the tables that were collected.
    pub fn edge_route_table(&self, gateway: &str) -> Option<&'a RouteTable> {
        self.edge_tables.get(gateway).copied()
    }

    pub fn route_table_by_id(&self, id: &str) -> Known<&'a RouteTable> {
        self.find(&self.tables, self.files.route_tables.is_some(), "ec2:DescribeRouteTables", id)
    }

    /// The endpoints of a VPC, by id.
    pub fn endpoints(&self, vpc: &str) -> Known<&[&'a VpcEndpoint]> {
        match &self.files.vpc_endpoints {
            Some(_) => Known::Known(self.endpoints_of_vpc.get(vpc).map(Vec::as_slice).unwrap_or_default()),
            None => Known::Unknown(vec![self.not_collected("ec2:DescribeVpcEndpoints")]),
        }
    }

    /// Endpoints of which it is not told where they are.
    pub fn endpoints_without_vpc(&self) -> impl Iterator<Item = &'a VpcEndpoint> {
        let all = self.files.vpc_endpoints.iter().flat_map(|file| &file.vpc_endpoints);
        all.filter(|endpoint| endpoint.vpc_id.is_none())
    }

    /// An endpoint; `Known(None)` when the list was seen and does not hold it, so that it is deleted.
    pub fn endpoint(&self, id: &str) -> Known<Option<&'a VpcEndpoint>> {
        match &self.files.vpc_endpoints {
            Some(_) => Known::Known(self.endpoints.get(id).copied()),
            None => Known::Unknown(vec![self.not_collected("ec2:DescribeVpcEndpoints")]),
        }
    }

    /// A NAT gateway; `Known(None)` when the list was seen and does not hold it.
    pub fn nat_gateway(&self, id: &str) -> Known<Option<&'a NatGateway>> {
        match &self.files.nat_gateways {
            Some(_) => Known::Known(self.nats.get(id).copied()),
            None => Known::Unknown(vec![self.not_collected("ec2:DescribeNatGateways")]),
        }
    }

    /// An internet gateway; `Known(None)` when the list was seen and does not hold it.
    pub fn internet_gateway(&self, id: &str) -> Known<Option<&'a InternetGateway>> {
        match &self.files.internet_gateways {
            Some(_) => Known::Known(self.internet_gateways.get(id).copied()),
            None => Known::Unknown(vec![self.not_collected("ec2:DescribeInternetGateways")]),
        }
    }

    pub fn dhcp_options(&self, id: &str) -> Known<&'a DhcpOptions> {
        self.find(&self.dhcp_options, self.files.dhcp_options.is_some(), "ec2:DescribeDhcpOptions", id)
    }

    pub fn dns_support(&self, vpc: &str) -> Known<bool> {
        self.attribute(vpc, |attributes| attributes.enable_dns_support.as_ref()?.value)
    }

    pub fn dns_hostnames(&self, vpc: &str) -> Known<bool> {
        self.attribute(vpc, |attributes| attributes.enable_dns_hostnames.as_ref()?.value)
    }

    fn attribute(&self, vpc: &str, get: impl Fn(&VpcAttribute) -> Option<bool>) -> Known<bool> {
        let attributes = self.attributes.get(vpc).copied();
        attributes.and_then(get).map_or_else(|| Known::Unknown(vec![self.not_collected("ec2:DescribeVpcAttribute")]), Known::Known)
    }

    /// What Systems Manager knows of an instance; `Known(None)` when it is not registered.
    pub fn node(&self, instance: &str) -> Known<Option<&'a InstanceInformation>> {
        match &self.files.instance_information {
            Some(_) => Known::Known(self.nodes.get(instance).copied()),
            None => Known::Unknown(vec![self.not_collected("ssm:DescribeInstanceInformation")]),
        }
    }

    pub fn image(&self, instance: &str) -> Known<Option<&'a ImageMetadata>> {
        match &self.files.image_metadata {
            Some(_) => Known::Known(self.images.get(instance).copied()),
            None => Known::Unknown(vec![self.not_collected("ec2:DescribeInstanceImageMetadata")]),
        }
    }

    pub fn prefix_list(&self, id: &str) -> Option<&PrefixListView<'a>> {
        self.prefix_lists.get(id)
    }

    /// The entries of a prefix list, of either family.
    pub fn prefix_list_entries(&self, id: &str) -> Known<&[IpNet]> {
        match self.prefix_lists.get(id).and_then(|list| list.entries.as_ref()) {
            Some(entries) => Known::Known(entries),
            None => Known::Unknown(vec![self.not_collected("ec2:GetManagedPrefixListEntries")]),
        }
    }

    /// The AWS-managed prefix list whose name ends in `.<region>.<service>`, with its id. A customer may name a list of their own alike,
    /// but not with AWS's beginning (<https://docs.aws.amazon.com/vpc/latest/userguide/working-with-aws-managed-prefix-lists.html>).
    pub fn service_prefix_list(&self, service: &str) -> Option<(&'a str, &PrefixListView<'a>)> {
        let ending = format!(".{}.{service}", self.name);
        let is_of_service = |list: &PrefixListView<'_>| {
            let of_aws =
                |name: &str| list.is_aws_managed.unwrap_or(name.starts_with("com.amazonaws.") || name.starts_with("cn.com.amazonaws."));
            list.name.is_some_and(|name| name.ends_with(&ending) && of_aws(name))
        };
        let mut ids: Vec<_> = self.prefix_lists.iter().filter(|(_, list)| is_of_service(list)).collect();
        // Of several (an IPv6 list beside the IPv4 one), the one with IPv4 entries.
        let has_ipv4 = |list: &PrefixListView<'_>| list.entries.as_ref().is_some_and(|nets| nets.iter().any(|net| net.addr().is_ipv4()));
        ids.sort_by_key(|(id, list)| (!has_ipv4(list), **id));
        ids.first().map(|(id, list)| (**id, *list))
    }
}

fn prefix_lists(files: &RegionFiles) -> HashMap<&str, PrefixListView<'_>> {
    let mut lists: HashMap<&str, PrefixListView<'_>> = HashMap::new();
    for list in files.managed_prefix_lists.iter().flat_map(|file| &file.prefix_lists) {
        let Some(id) = &list.prefix_list_id else { continue };
        let view = lists.entry(id).or_default();
        view.name = list.prefix_list_name.as_deref();
        view.is_aws_managed = list.owner_id.as_ref().map(|owner| owner.eq_ignore_ascii_case("AWS"));
    }
    for list in files.prefix_lists.iter().flat_map(|file| &file.prefix_lists) {
        let Some(id) = &list.prefix_list_id else { continue };
        let view = lists.entry(id).or_default();
        view.name = view.name.or(list.prefix_list_name.as_deref());
        // This call lists nothing but AWS's own lists.
        view.is_aws_managed = Some(true);
        view.entries = blocks(list.cidrs.iter().map(String::as_str));
    }
    for (id, entries) in files.prefix_list_entries.iter().flat_map(|file| &file.prefix_list_entries) {
        lists.entry(id).or_default().entries = blocks(entries.iter().map(|entry| entry.cidr.as_deref().unwrap_or_default()));
    }
    lists
}

/// The blocks of a list; `None` when one of its entries is no block at all, since half a list is no list.
fn blocks<'a>(entries: impl Iterator<Item = &'a str>) -> Option<Vec<IpNet>> {
    entries.map(|entry| entry.parse::<IpNet>().ok().map(|block| block.trunc())).collect()
}

/// An address in AWS's text form.
pub fn address(text: Option<&String>) -> Option<IpAddr> {
    text?.parse().ok()
}

/// A block in AWS's text form.
pub fn net(text: Option<&String>) -> Option<IpNet> {
    text?.parse::<IpNet>().ok().map(|net| net.trunc())
}
