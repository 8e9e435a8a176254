//! The rows of the truth table that lead through other VPCs: peering connections, transit gateways, hubs with endpoints or NAT gateways.
//!
//! The hub is the base network under other names, in account 222222222222: VPC vpc-h with 10.100.0.0/16, subnets subnet-hp (10.100.1.0/24, the
//! attachment's), subnet-he (endpoints) and subnet-hu (public, with NAT gateway nat-h). Transit gateway tgw-1 is the hub account's, and attached
//! to the spoke in subnet-t (10.0.3.0/24).

mod peering;
mod transit_gateways;
mod ways_out;

use patch_preflight::network::DEFAULT_ENDPOINT_POLICY;
use patch_preflight::snapshot::ec2::{
    self, IpPermission, TransitGatewayRoute, TransitGatewayRouteAttachment, TransitGatewayRouteTableAssociation,
    TransitGatewayVpcAttachment,
};
use patch_preflight::snapshot::{RegionFiles, Snapshot};

use crate::topology::{ALL_IN, REGION, Topology, acl, all_to, base, https_to, own_name, route_to, some};

pub(crate) const HUB: &str = "222222222222";

/// The base network as another account's, with an open group for the endpoints, and the endpoints if asked.
fn hub_files(ingress: Vec<IpPermission>) -> RegionFiles {
    let network = base().endpoints().with(|files| files.instances = None);
    let folder = tempfile::tempdir().unwrap();
    network.snapshot().write(&folder.path().join("base")).unwrap();
    let renames = [
        ("\"10.0.", "\"10.100."),
        ("vpc-1", "vpc-h"),
        ("subnet-", "subnet-h"),
        ("rtb-", "rtb-h-"),
        ("nat-1", "nat-h"),
        ("igw-1", "igw-h"),
        ("\"sg-", "\"sg-h-"),
        ("acl-1", "acl-h"),
        ("vpce-", "vpce-h-"),
        ("eni-", "eni-h-"),
        ("111111111111", HUB),
    ];
    let own = folder.path().join("base/111111111111").join(REGION);
    let hub = folder.path().join("hub").join(HUB).join(REGION);
    std::fs::create_dir_all(&hub).unwrap();
    for file in std::fs::read_dir(own).unwrap() {
        let file = file.unwrap();
        let text = std::fs::read_to_string(file.path()).unwrap();
        let text = renames.iter().fold(text, |text, (from, to)| text.replace(from, to));
        std::fs::write(hub.join(file.file_name()), text).unwrap();
    }
    let snapshot = Snapshot::read(&patch_preflight::snapshot::Directory(folder.path().join("hub"))).unwrap();
    let mut files = snapshot.accounts[HUB].regions[REGION].clone();
    let groups = &mut files.security_groups.as_mut().unwrap().security_groups;
    groups.iter_mut().find(|group| group.group_id.as_deref() == Some("sg-h-e")).unwrap().ip_permissions = ingress;
    files
}

impl Topology {
    pub(crate) fn hub(mut self, change: impl FnOnce(&mut RegionFiles)) -> Self {
        change(self.others.get_mut(&(HUB.to_owned(), REGION.to_owned())).unwrap());
        self
    }

    pub(crate) fn hub_route(self, table: &str, route: ec2::Route) -> Self {
        self.hub(|files| {
            let tables = &mut files.route_tables.as_mut().unwrap().route_tables;
            tables.iter_mut().find(|candidate| candidate.route_table_id.as_deref() == Some(table)).unwrap().routes.push(route);
        })
    }

    /// An endpoint of the hub that has no interfaces.
    pub(crate) fn hub_endpoint(self, id: &str, kind: &str) -> Self {
        let endpoint = ec2::VpcEndpoint {
            vpc_endpoint_id: some(id),
            vpc_endpoint_type: some(kind),
            vpc_id: some("vpc-h"),
            service_name: (kind == "Gateway").then(|| format!("com.amazonaws.{REGION}.s3")),
            state: some("available"),
            policy_document: some(DEFAULT_ENDPOINT_POLICY),
            ..Default::default()
        };
        self.hub(|files| files.vpc_endpoints.as_mut().unwrap().vpc_endpoints.push(endpoint))
    }

    pub(crate) fn without_hub_route(self, destination: &str) -> Self {
        self.hub(|files| {
            let tables = files.route_tables.as_mut().unwrap().route_tables.iter_mut();
            tables.for_each(|table| table.routes.retain(|route| route.destination_cidr_block.as_deref() != Some(destination)));
        })
    }

    /// Replaces the routes of the transit gateway's table for one destination.
    pub(crate) fn gateway_route(self, route: TransitGatewayRoute) -> Self {
        self.without_gateway_route(route.destination_cidr_block.clone().unwrap().as_str()).hub(|files| {
            files.transit_gateway_routes.as_mut().unwrap().transit_gateway_routes.get_mut("tgw-rtb-1").unwrap().push(route);
        })
    }

    pub(crate) fn without_gateway_route(self, destination: &str) -> Self {
        self.hub(|files| {
            let routes = files.transit_gateway_routes.as_mut().unwrap().transit_gateway_routes.get_mut("tgw-rtb-1").unwrap();
            routes.retain(|route| route.destination_cidr_block.as_deref() != Some(destination));
        })
    }

    pub(crate) fn attachments(mut self, change: impl Fn(&mut TransitGatewayVpcAttachment)) -> Self {
        for files in std::iter::once(&mut self.files).chain(self.others.values_mut()) {
            let attachments = files.transit_gateway_attachments.iter_mut().flat_map(|file| &mut file.transit_gateway_vpc_attachments);
            attachments.for_each(&change);
        }
        self
    }

    pub(crate) fn hub_acl(self, subnet: &str, entries: &[&str]) -> Self {
        self.hub(|files| {
            let acls = &mut files.network_acls.as_mut().unwrap().network_acls;
            acls[0].associations.retain(|association| association.subnet_id.as_deref() != Some(subnet));
            acls.push(acl(&format!("acl-{subnet}"), &[subnet], entries));
        })
    }

    /// A private hosted zone for ssm, associated with the spoke, whose record is an alias of the hub's endpoint.
    pub(crate) fn zone_to_hub(self) -> Self {
        self.hosted_zone(
            "ssm.eu-central-1.amazonaws.com.",
            &[("ssm.eu-central-1.amazonaws.com.", &format!("{}.", own_name("vpce-h-ssm", "ssm")))],
        )
    }

    /// Whether private DNS of the hub's endpoints is on: off where zones of the user's answer.
    pub(crate) fn hub_private_dns(self, is_on: bool) -> Self {
        self.hub(|files| {
            files.vpc_endpoints.as_mut().unwrap().vpc_endpoints.iter_mut().for_each(|each| each.private_dns_enabled = Some(is_on));
        })
    }
}

pub(crate) fn attachment(id: &str, vpc: &str, owner: &str, subnet: &str) -> TransitGatewayVpcAttachment {
    TransitGatewayVpcAttachment {
        transit_gateway_attachment_id: some(id),
        transit_gateway_id: some("tgw-1"),
        vpc_id: some(vpc),
        vpc_owner_id: some(owner),
        state: some("available"),
        subnet_ids: vec![subnet.to_owned()],
        ..Default::default()
    }
}

pub(crate) fn gateway_route(destination: &str, attachment: &str, vpc: &str) -> TransitGatewayRoute {
    TransitGatewayRoute {
        destination_cidr_block: some(destination),
        r#type: some("propagated"),
        state: some("active"),
        transit_gateway_attachments: vec![TransitGatewayRouteAttachment {
            resource_id: some(vpc),
            resource_type: some("vpc"),
            transit_gateway_attachment_id: some(attachment),
        }],
        ..Default::default()
    }
}

/// The spoke and a hub beside it that nothing leads to yet.
pub(crate) fn beside(ingress: Vec<IpPermission>) -> Topology {
    let mut spoke = base();
    spoke.others.insert((HUB.to_owned(), REGION.to_owned()), hub_files(ingress));
    spoke.hub_private_dns(false)
}

/// The spoke and the hub at one transit gateway, with routes both ways for their blocks, and default routes to the hub.
pub(crate) fn by_gateway(ingress: Vec<IpPermission>) -> Topology {
    let gateways = ec2::DescribeTransitGateways {
        transit_gateways: vec![ec2::TransitGateway {
            transit_gateway_id: some("tgw-1"),
            owner_id: some(HUB),
            state: some("available"),
            ..Default::default()
        }],
    };
    let of_spoke = attachment("tgw-attach-s", "vpc-1", "111111111111", "subnet-t");
    let of_hub = attachment("tgw-attach-h", "vpc-h", HUB, "subnet-hp");
    let association = |id: &str| TransitGatewayRouteTableAssociation {
        transit_gateway_attachment_id: some(id),
        state: some("associated"),
        ..Default::default()
    };
    beside(ingress)
        .with(|files| {
            let subnet = ec2::Subnet {
                subnet_id: some("subnet-t"),
                cidr_block: some("10.0.3.0/24"),
                ..files.subnets.as_ref().unwrap().subnets[0].clone()
            };
            files.subnets.as_mut().unwrap().subnets.push(subnet);
            let of_t = ec2::NetworkAclAssociation { subnet_id: some("subnet-t"), network_acl_id: some("acl-1"), ..Default::default() };
            files.network_acls.as_mut().unwrap().network_acls[0].associations.push(of_t);
            files.peering_connections = Some(ec2::DescribeVpcPeeringConnections::default());
            files.vpn_gateways = Some(ec2::DescribeVpnGateways::default());
            files.transit_gateways = Some(gateways.clone());
            files.transit_gateway_attachments =
                Some(ec2::DescribeTransitGatewayVpcAttachments { transit_gateway_vpc_attachments: vec![of_spoke.clone()] });
        })
        .hub(|files| {
            files.transit_gateways = Some(gateways.clone());
            files.transit_gateway_attachments =
                Some(ec2::DescribeTransitGatewayVpcAttachments { transit_gateway_vpc_attachments: vec![of_spoke.clone(), of_hub] });
            files.transit_gateway_route_tables = Some(ec2::DescribeTransitGatewayRouteTables {
                transit_gateway_route_tables: vec![ec2::TransitGatewayRouteTable {
                    transit_gateway_route_table_id: some("tgw-rtb-1"),
                    transit_gateway_id: some("tgw-1"),
                    ..Default::default()
                }],
            });
            files.transit_gateway_policy_tables = Some(ec2::DescribeTransitGatewayPolicyTables::default());
            let associations = vec![association("tgw-attach-s"), association("tgw-attach-h")];
            files.transit_gateway_associations =
                Some(ec2::GetTransitGatewayRouteTableAssociations { associations: [("tgw-rtb-1".to_owned(), associations)].into() });
            let routes = vec![
                gateway_route("10.0.0.0/16", "tgw-attach-s", "vpc-1"),
                gateway_route("10.100.0.0/16", "tgw-attach-h", "vpc-h"),
                gateway_route("0.0.0.0/0", "tgw-attach-h", "vpc-h"),
            ];
            files.transit_gateway_routes =
                Some(ec2::SearchTransitGatewayRoutes { transit_gateway_routes: [("tgw-rtb-1".to_owned(), routes)].into() });
        })
        .route("rtb-main", route_to("10.100.0.0/16", "tgw-1"))
        .hub_route("rtb-h-main", route_to("10.0.0.0/16", "tgw-1"))
        .hub_route("rtb-h-u", route_to("10.0.0.0/16", "tgw-1"))
}

/// Row 70: endpoints in the hub, a zone for the spoke, and the transit gateway between them.
pub(crate) fn central() -> Topology {
    by_gateway(vec![https_to("10.0.0.0/16")]).zone_to_hub()
}

/// Row 121: the spoke goes to the internet by the hub's NAT gateway.
pub(crate) fn central_egress() -> Topology {
    by_gateway(vec![]).route("rtb-main", route_to("0.0.0.0/0", "tgw-1")).hub_route("rtb-h-main", route_to("0.0.0.0/0", "nat-h"))
}

/// The hub's attachment has a second subnet, in another zone, whose network ACL lets nothing out.
pub(crate) fn two_doors(topology: Topology, appliance_mode: &'static str) -> Topology {
    topology
        .attachments(|each| {
            if each.vpc_id.as_deref() == Some("vpc-h") {
                each.subnet_ids = vec!["subnet-hp".to_owned(), "subnet-hz".to_owned()];
                each.options =
                    Some(ec2::TransitGatewayVpcAttachmentOptions { appliance_mode_support: some(appliance_mode), ..Default::default() });
            }
        })
        .hub(|files| {
            let subnets = &mut files.subnets.as_mut().unwrap().subnets;
            let other = ec2::Subnet {
                subnet_id: some("subnet-hz"),
                cidr_block: some("10.100.7.0/24"),
                availability_zone_id: some("euc1-az2"),
                ..subnets[0].clone()
            };
            subnets.push(other);
        })
        .hub_acl("subnet-hz", &[ALL_IN])
}

/// The spoke's attachment has a second subnet, in another zone, whose network ACL lets nothing out.
pub(crate) fn two_doors_of_spoke(topology: Topology) -> Topology {
    let topology = topology.with(|files| {
        let subnets = &mut files.subnets.as_mut().unwrap().subnets;
        let own = subnets.iter().find(|subnet| subnet.subnet_id.as_deref() == Some("subnet-t")).unwrap().clone();
        let (subnet_id, cidr_block) = (some("subnet-z"), some("10.0.4.0/24"));
        subnets.push(ec2::Subnet { subnet_id, cidr_block, availability_zone_id: some("euc1-az2"), ..own });
    });
    let topology = topology.attachments(|each| {
        if each.vpc_id.as_deref() == Some("vpc-1") {
            each.subnet_ids = vec!["subnet-t".to_owned(), "subnet-z".to_owned()];
        }
    });
    topology.subnet_acl("subnet-z", &[ALL_IN])
}

/// The spoke has a peering connection, to a VPC of which nothing else is known.
pub(crate) fn beside_peering(topology: Topology, status: &str) -> Topology {
    let own = ec2::VpcPeeringConnectionVpcInfo { vpc_id: some("vpc-1"), ..Default::default() };
    let status = ec2::VpcPeeringConnectionStateReason { code: some(status), message: None };
    let connection = ec2::VpcPeeringConnection { requester_vpc_info: Some(own), status: Some(status), ..Default::default() };
    topology.with(|files| files.peering_connections.as_mut().unwrap().vpc_peering_connections.push(connection))
}

fn side(vpc: &str, owner: &str, region: &str, block: &str) -> ec2::VpcPeeringConnectionVpcInfo {
    ec2::VpcPeeringConnectionVpcInfo {
        vpc_id: some(vpc),
        owner_id: some(owner),
        region: some(region),
        cidr_block: some(block),
        ..Default::default()
    }
}

/// Row 36: the hub behind a peering connection.
pub(crate) fn peered(ingress: Vec<IpPermission>, status: &str) -> Topology {
    let connection = ec2::VpcPeeringConnection {
        vpc_peering_connection_id: some("pcx-1"),
        requester_vpc_info: Some(side("vpc-1", "111111111111", REGION, "10.0.0.0/16")),
        accepter_vpc_info: Some(side("vpc-h", HUB, REGION, "10.100.0.0/16")),
        status: Some(ec2::VpcPeeringConnectionStateReason { code: some(status), message: None }),
        ..Default::default()
    };
    let connections = ec2::DescribeVpcPeeringConnections { vpc_peering_connections: vec![connection] };
    beside(ingress)
        .with(|files| files.peering_connections = Some(connections.clone()))
        .hub(|files| files.peering_connections = Some(connections))
        .route("rtb-main", route_to("10.100.0.0/16", "pcx-1"))
        .hub_route("rtb-h-main", route_to("10.0.0.0/16", "pcx-1"))
        .zone_to_hub()
}

/// The hub in another Region, as seen through the peering connection.
pub(crate) fn peered_across_regions(ingress: Vec<IpPermission>) -> Topology {
    let mut topology = peered(ingress, "active");
    let mut hub = topology.others.remove(&(HUB.to_owned(), REGION.to_owned())).unwrap();
    for files in [&mut topology.files, &mut hub] {
        let connection = &mut files.peering_connections.as_mut().unwrap().vpc_peering_connections[0];
        connection.accepter_vpc_info.as_mut().unwrap().region = some("eu-west-1");
    }
    topology.others.insert((HUB.to_owned(), "eu-west-1".to_owned()), hub);
    topology
}

#[test]
fn the_hub_is_the_base_network_under_other_names() {
    let files = hub_files(vec![all_to("0.0.0.0/0")]);
    let subnets: Vec<_> = files.subnets.unwrap().subnets.into_iter().filter_map(|subnet| subnet.cidr_block).collect();
    assert_eq!(subnets, ["10.100.1.0/24", "10.100.2.0/24", "10.100.9.0/24"]);
    let groups: Vec<_> = files.security_groups.unwrap().security_groups.into_iter().filter_map(|group| group.group_id).collect();
    assert_eq!(groups, ["sg-h-i", "sg-h-e"]);
}
