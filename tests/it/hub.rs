//! The rows of the truth table that lead through other VPCs: peering connections, transit gateways, hubs with endpoints or NAT gateways.
//!
//! The hub is the base network under other names, in account 222222222222: VPC vpc-h with 10.100.0.0/16, subnets subnet-hp (10.100.1.0/24, the
//! attachment's), subnet-he (endpoints) and subnet-hu (public, with NAT gateway nat-h). Transit gateway tgw-1 is the hub account's, and attached
//! to the spoke in subnet-t (10.0.3.0/24).

use patch_preflight::network::Target::{S3, Ssm};
use patch_preflight::network::Verdict::{Blocked, Reachable, Unknown};
use patch_preflight::snapshot::ec2::{
    self, IpPermission, TransitGatewayRoute, TransitGatewayRouteAttachment, TransitGatewayRouteTableAssociation,
    TransitGatewayVpcAttachment,
};
use patch_preflight::snapshot::{RegionFiles, Snapshot};

use crate::topology::{ALL_IN, ALL_OUT, REGION, Topology, acl, all_to, base, blackhole, https_group, https_to, own_name, route_to, some};
use crate::truth_table::check;

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
        transit_gateways: vec![ec2::TransitGateway { transit_gateway_id: some("tgw-1"), owner_id: some(HUB), ..Default::default() }],
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
fn peering() {
    let from_group = || vec![https_group("sg-i")];
    let inspected = peered(vec![https_to("10.0.0.0/16")], "active").without_hub_route("10.0.0.0/16");
    check(vec![
        ("36", peered(from_group(), "active"), Ssm, Reachable, &[]),
        ("36, by block", peered(vec![https_to("10.0.1.0/24")], "active"), Ssm, Reachable, &[]),
        (
            "36, the instance's egress names the hub's group",
            peered(from_group(), "active").egress(&[https_group("sg-h-e")]),
            Ssm,
            Reachable,
            &[],
        ),
        ("37", peered_across_regions(from_group()), Ssm, Blocked, &["ENI_SG_RULES_MISMATCH"]),
        ("37, by block", peered_across_regions(vec![https_to("10.0.0.0/16")]), Ssm, Reachable, &[]),
        ("92", peered(from_group(), "active"), Ssm, Reachable, &[]),
        (
            "92",
            peered(from_group(), "active").hub(|files| {
                let endpoint = ec2::VpcEndpoint {
                    vpc_endpoint_id: some("vpce-h-s3"),
                    vpc_endpoint_type: some("Gateway"),
                    vpc_id: some("vpc-h"),
                    service_name: some("com.amazonaws.eu-central-1.s3"),
                    state: some("available"),
                    ..Default::default()
                };
                files.vpc_endpoints.as_mut().unwrap().vpc_endpoints.push(endpoint);
            }),
            S3,
            Blocked,
            &["NO_ROUTE_TO_DESTINATION"],
        ),
        ("115", inspected, Ssm, Blocked, &["NO_ROUTE_TO_DESTINATION"]),
        ("116", peered(from_group(), "expired"), Ssm, Blocked, &["BAD_STATE"]),
        (
            "116, by its route",
            peered(from_group(), "expired").with(|files| {
                let table = &mut files.route_tables.as_mut().unwrap().route_tables[0];
                table.routes.retain(|route| route.vpc_peering_connection_id.is_none());
                table.routes.push(blackhole("10.100.0.0/16", "pcx-1"));
            }),
            Ssm,
            Blocked,
            &["BAD_STATE_ROUTE"],
        ),
        (
            "the hub's account was not collected",
            {
                let mut alone = peered(from_group(), "active");
                alone.others.clear();
                alone
            },
            Ssm,
            Unknown,
            &["private_zone_record"],
        ),
        (
            "the network ACL of the hub's endpoints",
            peered(from_group(), "active").hub_acl("subnet-he", &["100 in tcp 443 10.0.1.0/24 deny", ALL_OUT]),
            Ssm,
            Blocked,
            &["SUBNET_ACL_RESTRICTION"],
        ),
    ]);
}

/// The hub's attachment has a second subnet, in another zone, whose network ACL lets nothing out.
fn two_doors(topology: Topology, appliance_mode: &'static str) -> Topology {
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

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn transit_gateways() {
    let in_own_subnet = |topology: Topology| {
        topology.attachments(|each| {
            if each.vpc_id.as_deref() == Some("vpc-1") {
                each.subnet_ids = vec!["subnet-p".to_owned()];
            }
        })
    };
    // Nothing comes in but the answers to the instance's own connections: what the transit gateway sends is not looked at.
    let own_source_alone = ["100 in tcp 443 10.0.1.10/32 allow", ALL_OUT];
    let no_zone = |topology: Topology| {
        topology.with(|files| {
            let subnets = files.subnets.as_mut().unwrap().subnets.iter_mut();
            subnets
                .filter(|subnet| subnet.subnet_id.as_deref() == Some("subnet-t"))
                .for_each(|subnet| subnet.availability_zone_id = some("euc1-az2"));
        })
    };
    let owner_unseen = |topology: Topology| {
        topology.hub(|files| {
            files.transit_gateway_associations = None;
            files.transit_gateway_routes = None;
        })
    };
    let dead =
        TransitGatewayRoute { state: some("blackhole"), transit_gateway_attachments: vec![], ..gateway_route("10.100.0.0/16", "", "") };
    let by_group = || by_gateway(vec![https_group("sg-i")]).zone_to_hub();
    let references = |word: &'static str| {
        by_group().attachments(move |each| {
            each.options =
                Some(ec2::TransitGatewayVpcAttachmentOptions { security_group_referencing_support: some(word), ..Default::default() });
        })
    };
    check(vec![
        ("38", references("disable"), Ssm, Blocked, &["SG_REFERENCING_SUPPORT"]),
        ("39", references("enable"), Ssm, Blocked, &["SG_REFERENCES_NOT_PRESERVED"]),
        (
            "40",
            central().hub_route("rtb-h-main", route_to("10.100.2.0/24", "vpce-h-gwlb")).hub(|files| {
                let endpoint = ec2::VpcEndpoint {
                    vpc_endpoint_id: some("vpce-h-gwlb"),
                    vpc_endpoint_type: some("GatewayLoadBalancer"),
                    vpc_id: some("vpc-h"),
                    state: some("available"),
                    ..Default::default()
                };
                files.vpc_endpoints.as_mut().unwrap().vpc_endpoints.push(endpoint);
            }),
            Ssm,
            Unknown,
            &["gwlb_appliance"],
        ),
        ("58", in_own_subnet(central()).subnet_acl("subnet-p", &own_source_alone), Ssm, Reachable, &[]),
        (
            "58, the rule for the instance's own source is missing",
            in_own_subnet(central()).subnet_acl("subnet-p", &["100 in tcp 443 10.0.9.0/24 allow", ALL_OUT]),
            Ssm,
            Blocked,
            &["SUBNET_ACL_RESTRICTION"],
        ),
        (
            "59",
            central().subnet_acl("subnet-t", &["100 in tcp 443 10.0.0.0/16 deny", "110 in all * 0.0.0.0/0 allow", ALL_OUT]),
            Ssm,
            Blocked,
            &["SUBNET_ACL_RESTRICTION"],
        ),
        (
            "the answers cannot leave the attachment's subnet",
            central().subnet_acl("subnet-t", &[ALL_IN, "100 out tcp 1024-65535 10.0.0.0/16 deny", "110 out all * 0.0.0.0/0 allow"]),
            Ssm,
            Blocked,
            &["SUBNET_ACL_RESTRICTION"],
        ),
        ("70", central(), Ssm, Reachable, &[]),
        ("71", by_gateway(vec![https_to("10.0.0.0/16")]), Ssm, Blocked, &["NO_ROUTE_TO_DESTINATION"]),
        ("71, with a NAT gateway", by_gateway(vec![https_to("10.0.0.0/16")]).nat(), Ssm, Reachable, &[]),
        (
            "72",
            by_gateway(vec![https_to("10.0.0.0/16")]).hub_private_dns(true),
            Ssm,
            Blocked,
            &["NO_ROUTE_TO_DESTINATION", "ENDPOINT_MISSING"],
        ),
        ("118", no_zone(central()), Ssm, Blocked, &["TGW_ROUTE_AZ_RESTRICTION"]),
        (
            "119",
            central().without_gateway_route("10.0.0.0/16").without_gateway_route("0.0.0.0/0"),
            Ssm,
            Blocked,
            &["TGW_RTB_NO_ROUTE_TO_TGW_ATTACHMENT"],
        ),
        ("120", central().gateway_route(dead), Ssm, Blocked, &["TGW_RTB_BAD_STATE_ROUTE"]),
        ("122", owner_unseen(central()), Ssm, Unknown, &["tgw_owner_not_collected"]),
        (
            "the hub's endpoint subnet has no way back",
            central().without_hub_route("10.0.0.0/16"),
            Ssm,
            Blocked,
            &["NO_ROUTE_TO_DESTINATION"],
        ),
        (
            "appliance mode may take any zone, and one of them is closed",
            two_doors(central(), "enable"),
            Ssm,
            Unknown,
            &["transit_gateway_zone"],
        ),
        ("without appliance mode it keeps to its own", two_doors(central(), "disable"), Ssm, Reachable, &[]),
        (
            "the attachment is not available",
            central().attachments(|each| each.state = some("deleting")),
            Ssm,
            Blocked,
            &["BAD_STATE_ATTACHMENT"],
        ),
        (
            "the attachment has no table",
            central().hub(|files| {
                files.transit_gateway_associations.as_mut().unwrap().associations.get_mut("tgw-rtb-1").unwrap().clear();
            }),
            Ssm,
            Blocked,
            &["TGW_ATTACH_MISSING_TGW_RTB_ASSOCIATION"],
        ),
        (
            "each attachment has its own table",
            central().hub(|files| {
                let tables = &mut files.transit_gateway_route_tables.as_mut().unwrap().transit_gateway_route_tables;
                let other = ec2::TransitGatewayRouteTable { transit_gateway_route_table_id: some("tgw-rtb-2"), ..tables[0].clone() };
                tables.push(other);
                let associations = &mut files.transit_gateway_associations.as_mut().unwrap().associations;
                let of_spoke = associations.get_mut("tgw-rtb-1").unwrap().remove(0);
                associations.insert("tgw-rtb-2".to_owned(), vec![of_spoke]);
                files.transit_gateway_routes.as_mut().unwrap().transit_gateway_routes.insert("tgw-rtb-2".to_owned(), vec![]);
            }),
            Ssm,
            Blocked,
            &["TGW_RTB_NO_ROUTE_TO_TGW_ATTACHMENT"],
        ),
        (
            "the association is not settled",
            central().hub(|files| {
                let associations = files.transit_gateway_associations.as_mut().unwrap().associations.get_mut("tgw-rtb-1").unwrap();
                for association in associations {
                    association.state = some("disassociating");
                }
            }),
            Ssm,
            Unknown,
            &["fact_not_collected"],
        ),
        (
            "a table of the gateway was not asked for its associations",
            central().hub(|files| {
                let tables = &mut files.transit_gateway_route_tables.as_mut().unwrap().transit_gateway_route_tables;
                let other = ec2::TransitGatewayRouteTable { transit_gateway_route_table_id: some("tgw-rtb-2"), ..tables[0].clone() };
                tables.push(other);
                files.transit_gateway_associations.as_mut().unwrap().associations.get_mut("tgw-rtb-1").unwrap().clear();
            }),
            Ssm,
            Unknown,
            &["fact_not_collected"],
        ),
        (
            "a table of another gateway was not asked",
            central().hub(|files| {
                let tables = &mut files.transit_gateway_route_tables.as_mut().unwrap().transit_gateway_route_tables;
                let other = ec2::TransitGatewayRouteTable {
                    transit_gateway_route_table_id: some("tgw-rtb-2"),
                    transit_gateway_id: some("tgw-2"),
                    ..tables[0].clone()
                };
                tables.push(other);
                files.transit_gateway_associations.as_mut().unwrap().associations.get_mut("tgw-rtb-1").unwrap().clear();
            }),
            Ssm,
            Blocked,
            &["TGW_ATTACH_MISSING_TGW_RTB_ASSOCIATION"],
        ),
        (
            "a route in a state that is not known",
            central()
                .gateway_route(TransitGatewayRoute { state: some("pending"), ..gateway_route("10.100.0.0/16", "tgw-attach-h", "vpc-h") }),
            Ssm,
            Unknown,
            &["transit_gateway_not_modelled"],
        ),
        (
            "the endpoint's group lets others in",
            by_gateway(vec![https_to("10.7.0.0/16")]).zone_to_hub(),
            Ssm,
            Blocked,
            &["ENI_SG_RULES_MISMATCH"],
        ),
        (
            "the zone's record names the addresses",
            central().with(|files| {
                let records = files.record_sets.as_mut().unwrap().resource_record_sets.get_mut("Z1").unwrap();
                records[0].alias_target = None;
                records[0].resource_records = vec![patch_preflight::snapshot::route53::ResourceRecord { value: some("10.100.2.103") }];
            }),
            Ssm,
            Reachable,
            &[],
        ),
    ]);
}

#[test]
fn central_ways_out() {
    let private_nat = |topology: Topology| {
        topology
            .with(|files| {
                files.route_tables.as_mut().unwrap().route_tables[0].routes.retain(|route| route.transit_gateway_id.is_none());
                let nat = &mut files.nat_gateways.as_mut().unwrap().nat_gateways[0];
                nat.connectivity_type = some("private");
                nat.subnet_id = some("subnet-t");
                nat.nat_gateway_addresses = vec![ec2::NatGatewayAddress { private_ip: some("10.0.3.7"), ..Default::default() }];
                let mut own = files.route_tables.as_ref().unwrap().route_tables[1].clone();
                own.route_table_id = some("rtb-t");
                own.associations = vec![ec2::RouteTableAssociation { subnet_id: some("subnet-t"), ..Default::default() }];
                own.routes.retain(|route| route.gateway_id.as_deref() == Some("local"));
                own.routes.push(route_to("0.0.0.0/0", "tgw-1"));
                files.route_tables.as_mut().unwrap().route_tables.push(own);
            })
            .nat()
    };
    let firewall = |topology: Topology| {
        topology.hub(|files| {
            let endpoint = ec2::VpcEndpoint {
                vpc_endpoint_id: some("vpce-h-gwlb"),
                vpc_endpoint_type: some("GatewayLoadBalancer"),
                vpc_id: some("vpc-h"),
                state: some("available"),
                ..Default::default()
            };
            files.vpc_endpoints.as_mut().unwrap().vpc_endpoints.push(endpoint);
            let routes = &mut files.route_tables.as_mut().unwrap().route_tables[0].routes;
            routes.retain(|route| route.nat_gateway_id.is_none());
            routes.push(route_to("0.0.0.0/0", "vpce-h-gwlb"));
        })
    };
    check(vec![
        ("98", private_nat(central_egress()), Ssm, Reachable, &[]),
        ("98, the way back is missing", private_nat(central_egress()).without_gateway_route("10.0.0.0/16"), Ssm, Unknown, &["asymmetric"]),
        ("121", central_egress(), Ssm, Reachable, &[]),
        ("121", central_egress(), S3, Reachable, &[]),
        (
            "121, no default route in the gateway's table",
            central_egress().without_gateway_route("0.0.0.0/0"),
            Ssm,
            Blocked,
            &["TGW_RTB_NO_ROUTE_TO_TGW_ATTACHMENT"],
        ),
        (
            "121, the NAT gateway's subnet has no way back",
            central_egress().without_hub_route("10.0.0.0/16"),
            Ssm,
            Blocked,
            &["NO_ROUTE_TO_DESTINATION"],
        ),
        (
            "121, straight to the internet gateway",
            by_gateway(vec![]).route("rtb-main", route_to("0.0.0.0/0", "tgw-1")).hub_route("rtb-h-main", route_to("0.0.0.0/0", "igw-h")),
            Ssm,
            Blocked,
            &["IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS"],
        ),
        (
            "121, the answers do not come in to the attachment's subnet of the hub",
            central_egress().hub_acl("subnet-hp", &["100 in tcp 443 10.0.0.0/16 allow", ALL_OUT]),
            Ssm,
            Blocked,
            &["SUBNET_ACL_RESTRICTION"],
        ),
        ("126, in the hub", firewall(central_egress()), Ssm, Unknown, &["gwlb_appliance"]),
        (
            "a gateway endpoint of the hub",
            by_gateway(vec![]).route("rtb-main", route_to("pl-s3", "tgw-1")).hub_route("rtb-h-main", route_to("pl-s3", "vpce-h-s3")).hub(
                |files| {
                    let endpoint = ec2::VpcEndpoint {
                        vpc_endpoint_id: some("vpce-h-s3"),
                        vpc_endpoint_type: some("Gateway"),
                        vpc_id: some("vpc-h"),
                        service_name: some("com.amazonaws.eu-central-1.s3"),
                        state: some("available"),
                        ..Default::default()
                    };
                    files.vpc_endpoints.as_mut().unwrap().vpc_endpoints.push(endpoint);
                },
            ),
            S3,
            Blocked,
            &["CANNOT_ROUTE"],
        ),
    ]);
}

#[test]
fn the_hub_is_the_base_network_under_other_names() {
    let files = hub_files(vec![all_to("0.0.0.0/0")]);
    let subnets: Vec<_> = files.subnets.unwrap().subnets.into_iter().filter_map(|subnet| subnet.cidr_block).collect();
    assert_eq!(subnets, ["10.100.1.0/24", "10.100.2.0/24", "10.100.9.0/24"]);
    let groups: Vec<_> = files.security_groups.unwrap().security_groups.into_iter().filter_map(|group| group.group_id).collect();
    assert_eq!(groups, ["sg-h-i", "sg-h-e"]);
}
