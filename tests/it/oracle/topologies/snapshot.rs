//! From the plan of a random VPC to AWS's answers about it.

use std::collections::BTreeMap;

use patch_preflight::network::{DEFAULT_ENDPOINT_POLICY, Ec2Messages, PortFamily};
use patch_preflight::snapshot::route53::{self, HostedZoneSummary, ResolverRule, ResolverRuleAssociation, ResourceRecordSet};
use patch_preflight::snapshot::{RegionFiles, ec2};

use super::names::{Records, Servers};
use super::{Acls, Blocking, Entry, Nat, Permission, Plan, Route, SERVICES, SUBNETS, Way};
use crate::topology::{ACCOUNT, REGION, Topology, base, dhcp, group_id, route_to, security_group};

#[expect(clippy::unnecessary_wraps, reason = "every member of AWS's shapes is optional")]
fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn strings(items: &[&str]) -> Vec<String> {
    items.iter().map(|item| (*item).to_owned()).collect()
}

impl Plan {
    pub(in crate::oracle) fn topology(&self) -> Topology {
        let mut topology = base();
        topology.ports = match self.ports {
            0 => PortFamily::Linux,
            1 => PortFamily::WindowsOrMac,
            _ => PortFamily::Unknown,
        };
        topology.ec2messages = Ec2Messages { exists: self.ec2messages.0, agent_prefers_ssmmessages: self.ec2messages.1 };
        let topology = self.put_instance(topology);
        let topology = self.put_lists(topology);
        let topology = self.put_routes(topology);
        let topology = self.put_groups_and_acls(topology);
        let topology = self.put_endpoints(topology);
        let topology = self.put_gateways(topology);
        self.put_names(topology)
    }

    fn put_instance(&self, topology: Topology) -> Topology {
        let plan = &self.instance;
        let (subnet, _, prefix) = SUBNETS[plan.subnet];
        let mut topology = topology.in_subnet(subnet, &format!("{prefix}{}", plan.host)).member_of(&plan.groups);
        if plan.is_public {
            topology = topology.public_address();
        }
        topology.instance(|instance| {
            instance.instance_type = some(plan.kind);
            if let Some((subnet, is_public, is_first)) = plan.second {
                let second = ec2::InstanceNetworkInterface {
                    network_interface_id: some("eni-second"),
                    vpc_id: some("vpc-1"),
                    subnet_id: some(SUBNETS[subnet].0),
                    private_ip_address: some(&format!("{}77", SUBNETS[subnet].2)),
                    association: is_public.then(|| ec2::NetworkInterfaceAssociation { public_ip: some("18.1.2.4"), ..Default::default() }),
                    attachment: Some(ec2::InstanceNetworkInterfaceAttachment { device_index: Some(1), ..Default::default() }),
                    groups: vec![group_id("sg-i"), group_id("sg-j"), group_id("sg-e")],
                    ..Default::default()
                };
                instance.network_interfaces.insert(usize::from(!is_first), second);
            }
        })
    }

    fn put_lists(&self, topology: Topology) -> Topology {
        let managed = [
            ("pl-s3", "com.amazonaws.eu-central-1.s3", self.s3.clone()),
            ("pl-dynamodb", "com.amazonaws.eu-central-1.dynamodb", vec!["52.94.17.0/24", "3.218.180.0/22"]),
            ("pl-cloudfront", "com.amazonaws.global.cloudfront.origin-facing", vec!["52.82.128.0/19"]),
        ];
        let entries =
            |blocks: &[&str]| blocks.iter().map(|block| ec2::PrefixListEntry { cidr: some(block), description: None }).collect::<Vec<_>>();
        topology.with(|files| {
            let of_customer = ["pl-a", "pl-b", "pl-c"].into_iter().zip(&self.lists);
            let listed = &mut files.managed_prefix_lists.as_mut().unwrap().prefix_lists;
            let by_id = &mut files.prefix_list_entries.as_mut().unwrap().prefix_list_entries;
            for (id, blocks) in of_customer {
                by_id.insert(id.to_owned(), entries(blocks));
                let name = if self.lists_are_named_alike && id == "pl-b" { "copy.of.eu-central-1.s3" } else { id };
                listed.push(managed_list(id, name, ACCOUNT));
            }
            let lists = &mut files.prefix_lists.as_mut().unwrap().prefix_lists;
            lists.clear();
            for (id, name, blocks) in &managed {
                lists.push(ec2::PrefixList { prefix_list_id: some(id), prefix_list_name: some(name), cidrs: strings(blocks) });
                if self.lists_twice {
                    by_id.insert((*id).to_owned(), entries(blocks));
                    listed.push(managed_list(id, name, "AWS"));
                }
            }
        })
    }

    fn put_routes(&self, topology: Topology) -> Topology {
        let plan = &self.network;
        topology.with(|files| {
            let tables = &mut files.route_tables.as_mut().unwrap().route_tables;
            let regional = ec2::RouteTable { route_table_id: some("rtb-regional"), associations: Vec::new(), ..tables[1].clone() };
            tables.push(regional);
            for (table, routes) in tables.iter_mut().zip(&plan.tables) {
                table.routes.truncate(1);
                let mut taken = Vec::new();
                for route in routes {
                    let class = matches!(route.way, Way::Propagated | Way::Advertised);
                    if !taken.contains(&(route.to, class)) {
                        taken.push((route.to, class));
                        table.routes.push(self.route(route));
                    }
                }
            }
            if plan.is_local_replaced {
                tables[0].routes[0] = ec2::Route { origin: some("CreateRouteTable"), ..route_to("10.0.0.0/16", "eni-fw") };
            }
            let associated = SUBNETS.iter().zip(plan.other).filter(|(_, is_other)| *is_other);
            tables[1].associations =
                associated.map(|((subnet, ..), _)| ec2::RouteTableAssociation { subnet_id: some(subnet), ..Default::default() }).collect();
            if let Some((subnet, way)) = plan.edge {
                let mut edge = ec2::RouteTable { route_table_id: some("rtb-edge"), ..tables[1].clone() };
                edge.routes.truncate(1);
                edge.routes.push(self.route(&Route { to: SUBNETS[subnet].1, target: "eni-edge", way }));
                edge.associations = vec![ec2::RouteTableAssociation { gateway_id: some("igw-1"), ..Default::default() }];
                tables.insert(0, edge);
            }
        })
    }

    fn route(&self, plan: &Route) -> ec2::Route {
        // What a blackhole leads to is gone, so that no other route leads there.
        let gone = format!("{}-gone", plan.target);
        let mut route = route_to(plan.to, if plan.way == Way::Blackhole { &gone } else { plan.target });
        let is_gone = plan.target == "vpce-s3" && self.gateways.s3.is_none();
        match plan.way {
            Way::Static if is_gone => route.state = some("blackhole"),
            Way::Static => {}
            Way::Blackhole => route.state = some("blackhole"),
            Way::Filtered => route.state = some("filtered"),
            Way::Propagated => route.origin = some("EnableVgwRoutePropagation"),
            Way::Advertised => route.origin = some("Advertisement"),
        }
        route
    }

    fn put_groups_and_acls(&self, topology: Topology) -> Topology {
        let permissions = |plans: &[Permission]| plans.iter().map(Permission::shape).collect::<Vec<_>>();
        let none = Vec::new();
        let [of_i, of_j] = &self.groups.instance;
        let [of_e, of_f] = &self.groups.endpoint;
        let groups = [("sg-i", &none, of_i), ("sg-j", of_e, of_j), ("sg-e", of_e, &none), ("sg-f", of_f, of_i)];
        let groups = groups.map(|(id, ingress, egress)| security_group(id, permissions(ingress), permissions(egress)));
        topology.with(|files| {
            files.security_groups.as_mut().unwrap().security_groups = groups.to_vec();
            files.network_acls.as_mut().unwrap().network_acls = (0..2).map(|position| self.acls.shape(position)).collect();
        })
    }

    fn put_endpoints(&self, topology: Topology) -> Topology {
        let first = SERVICES.iter().zip(&self.endpoints).map(|(service, plan)| (*service, "", plan));
        let second = [("ssm", "-second", &self.second_ssm_endpoint)];
        let mut position = 100;
        let mut topology = topology;
        for (service, suffix, plan) in first.chain(second) {
            let Some(plan) = plan else { continue };
            // AWS refuses a second one with private DNS.
            let private_dns = plan.private_dns && suffix.is_empty();
            let groups: Vec<_> = plan.groups.iter().map(|group| group_id(group)).collect();
            let mut interfaces = Vec::new();
            for subnet in &plan.subnets {
                interfaces.push(ec2::NetworkInterface {
                    network_interface_id: some(&format!("eni-{position}")),
                    subnet_id: some(SUBNETS[*subnet].0),
                    vpc_id: some("vpc-1"),
                    private_ip_address: some(&format!("{}{position}", SUBNETS[*subnet].2)),
                    interface_type: some("vpc_endpoint"),
                    groups: groups.clone(),
                    ..Default::default()
                });
                position += 1;
            }
            let endpoint = ec2::VpcEndpoint {
                vpc_endpoint_id: some(&format!("vpce-{service}-interface{suffix}")),
                vpc_endpoint_type: some("Interface"),
                vpc_id: some("vpc-1"),
                service_name: some(&format!("com.amazonaws.{REGION}.{service}")),
                state: some(plan.state),
                policy_document: some(DEFAULT_ENDPOINT_POLICY),
                private_dns_enabled: Some(private_dns),
                dns_options: (service == "s3").then(|| ec2::DnsOptions {
                    private_dns_only_for_inbound_resolver_endpoint: Some(plan.only_inbound),
                    ..Default::default()
                }),
                dns_entries: vec![ec2::DnsEntry { dns_name: Some(endpoint_name(service, suffix)), ..Default::default() }],
                subnet_ids: plan.subnets.iter().map(|subnet| SUBNETS[*subnet].0.to_owned()).collect(),
                groups,
                network_interface_ids: interfaces.iter().filter_map(|interface| interface.network_interface_id.clone()).collect(),
                ..Default::default()
            };
            topology = topology.with(|files| {
                files.network_interfaces.as_mut().unwrap().network_interfaces.extend(interfaces);
                files.vpc_endpoints.as_mut().unwrap().vpc_endpoints.push(endpoint);
            });
        }
        topology
    }

    fn put_gateways(&self, topology: Topology) -> Topology {
        let plan = &self.gateways;
        let endpoint = |id: &str, kind: &str, state: &str| ec2::VpcEndpoint {
            vpc_endpoint_id: some(id),
            vpc_endpoint_type: some(kind),
            vpc_id: some("vpc-1"),
            service_name: some(if kind == "Gateway" {
                "com.amazonaws.eu-central-1.s3"
            } else {
                "com.amazonaws.vpce.eu-central-1.vpce-svc-1"
            }),
            state: some(state),
            policy_document: some(DEFAULT_ENDPOINT_POLICY),
            ..Default::default()
        };
        let nat = |(position, plan): (usize, &Nat)| {
            let is_regional = plan.mode == Some("regional");
            let address = ec2::NatGatewayAddress {
                private_ip: some(&format!("{}{}", SUBNETS[plan.subnet].2, 50 + position)),
                public_ip: (!plan.is_private).then(|| "18.1.2.5".to_owned()),
                is_primary: Some(true),
                availability_zone: is_regional.then(|| plan.zones.1.to_owned()),
                ..Default::default()
            };
            ec2::NatGateway {
                nat_gateway_id: some(&format!("nat-{}", position + 1)),
                vpc_id: some("vpc-1"),
                subnet_id: (!is_regional).then(|| SUBNETS[plan.subnet].0.to_owned()),
                state: some(plan.state),
                connectivity_type: some(if plan.is_private { "private" } else { "public" }),
                availability_mode: plan.mode.map(str::to_owned),
                auto_provision_zones: is_regional.then(|| if plan.zones.0 { "enabled".to_owned() } else { "disabled".to_owned() }),
                route_table_id: is_regional.then(|| "rtb-regional".to_owned()),
                nat_gateway_addresses: vec![address],
                attached_appliances: vec![ec2::AttachedAppliance::default(); usize::from(plan.has_appliance)],
                ..Default::default()
            }
        };
        let firewall = |id: &str, check: bool| ec2::NetworkInterface {
            network_interface_id: some(id),
            attachment: Some(ec2::NetworkInterfaceAttachment { instance_id: some("i-fw"), ..Default::default() }),
            subnet_id: some("subnet-u"),
            vpc_id: some("vpc-1"),
            private_ip_address: some("10.0.9.99"),
            source_dest_check: Some(check),
            groups: vec![group_id("sg-e")],
            ..Default::default()
        };
        let (vpc, state) = plan.internet;
        // To a VPC in which nothing was seen.
        let side = |vpc: &str| Some(ec2::VpcPeeringConnectionVpcInfo { vpc_id: some(vpc), owner_id: some(ACCOUNT), ..Default::default() });
        let peering = ec2::VpcPeeringConnection {
            vpc_peering_connection_id: some("pcx-1"),
            requester_vpc_info: side("vpc-1"),
            accepter_vpc_info: side("vpc-9"),
            status: Some(ec2::VpcPeeringConnectionStateReason { code: some("active"), message: None }),
            ..Default::default()
        };
        topology.with(|files| {
            let peer = ec2::Vpc { vpc_id: some("vpc-9"), cidr_block: some("172.31.0.0/16"), ..Default::default() };
            files.vpcs.as_mut().unwrap().vpcs.push(peer);
            files.peering_connections = Some(ec2::DescribeVpcPeeringConnections { vpc_peering_connections: vec![peering] });
            let endpoints = &mut files.vpc_endpoints.as_mut().unwrap().vpc_endpoints;
            endpoints.extend(plan.s3.map(|state| endpoint("vpce-s3", "Gateway", state)));
            endpoints.push(endpoint("vpce-gwlb", "GatewayLoadBalancer", "available"));
            endpoints.push(endpoint("vpce-gwlb-failed", "GatewayLoadBalancer", "failed"));
            files
                .network_interfaces
                .as_mut()
                .unwrap()
                .network_interfaces
                .extend([firewall("eni-fw", plan.firewall_checks), firewall("eni-edge", false)]);
            files.nat_gateways.as_mut().unwrap().nat_gateways = plan.nats.iter().enumerate().map(nat).collect();
            let gateway = &mut files.internet_gateways.as_mut().unwrap().internet_gateways[0];
            gateway.attachments.clear();
            if !vpc.is_empty() {
                gateway.attachments.push(ec2::InternetGatewayAttachment { vpc_id: some(vpc), state: some(state) });
            }
            self.blocking.put(files);
        })
    }

    fn put_names(&self, topology: Topology) -> Topology {
        let plan = &self.names;
        let topology = topology.dns_attributes(plan.support, plan.hostnames);
        let topology = match plan.servers {
            Servers::Default => topology.default_dhcp(),
            // AWS keeps no option set without any option.
            Servers::None => topology.with(|files| {
                files.dhcp_options.as_mut().unwrap().dhcp_options[0].dhcp_configurations = vec![ec2::DhcpConfiguration {
                    key: Some("domain-name".to_owned()),
                    values: vec![ec2::AttributeValue { value: Some("eu-central-1.compute.internal".to_owned()) }],
                }];
            }),
            Servers::These(servers) => {
                topology.with(|files| files.dhcp_options.as_mut().unwrap().dhcp_options = vec![dhcp("dopt-1", servers)])
            }
        };
        topology.with(|files| {
            for (position, (name, (records, is_of_service))) in plan.zones.iter().enumerate() {
                let id = format!("/hostedzone/Z{position}");
                let owner = route53::HostedZoneOwner {
                    owning_account: (!is_of_service).then(|| ACCOUNT.to_owned()),
                    owning_service: is_of_service.then(|| "efs.amazonaws.com".to_owned()),
                };
                let zone = HostedZoneSummary { hosted_zone_id: Some(id.clone()), name: some(name), owner: Some(owner) };
                files.hosted_zones.as_mut().unwrap().hosted_zone_summaries.get_mut("vpc-1").unwrap().push(zone);
                files.record_sets.as_mut().unwrap().resource_record_sets.insert(id, self.records(name, *records));
            }
            for (position, (domain, (kind, is_associated))) in plan.rules.iter().enumerate() {
                let id = format!("rslvr-rr-{position}");
                let association = ResolverRuleAssociation {
                    resolver_rule_id: Some(id.clone()),
                    vpc_id: some(if *is_associated { "vpc-1" } else { "vpc-2" }),
                    ..Default::default()
                };
                let rule = ResolverRule { id: Some(id), domain_name: some(domain), rule_type: some(kind), ..Default::default() };
                files.resolver_rules.as_mut().unwrap().resolver_rules.push(rule);
                files.resolver_rule_associations.as_mut().unwrap().resolver_rule_associations.push(association);
            }
        })
    }

    fn records(&self, zone: &str, records: Records) -> Vec<ResourceRecordSet> {
        let record = |name: &str, kind: &str, alias: Option<String>| ResourceRecordSet {
            name: some(name),
            r#type: some(kind),
            alias_target: alias.map(|alias| route53::AliasTarget { dns_name: Some(alias), ..Default::default() }),
            ..Default::default()
        };
        let apex = format!("{}.", zone.trim_end_matches('.'));
        let mut sets = vec![record(&apex, "NS", None), record(&apex, "SOA", None)];
        for (service, plan) in SERVICES.iter().zip(&self.endpoints) {
            let name = format!("{service}.{REGION}.amazonaws.com.");
            let is_inside = name == apex || name.ends_with(&format!(".{apex}"));
            let exists = plan.is_some();
            let alias = match records {
                Records::None => continue,
                Records::Elsewhere => "internal-balancer-1.eu-central-1.elb.amazonaws.com.".to_owned(),
                _ if exists => format!("{}.", endpoint_name(service, "")),
                _ => continue,
            };
            if is_inside {
                sets.push(record(&name, "A", Some(alias.clone())));
                if !matches!(records, Records::Endpoint) {
                    sets.push(record(&format!("*.{name}"), "A", Some(alias)));
                }
            }
        }
        sets
    }
}

fn endpoint_name(service: &str, suffix: &str) -> String {
    format!("vpce-0{}{}.{service}.{REGION}.vpce.amazonaws.com", service.len(), suffix.trim_start_matches('-'))
}

fn managed_list(id: &str, name: &str, owner: &str) -> ec2::ManagedPrefixList {
    let account = if owner == "AWS" { "aws" } else { owner };
    ec2::ManagedPrefixList {
        prefix_list_id: some(id),
        prefix_list_name: some(name),
        prefix_list_arn: Some(format!("arn:aws:ec2:{REGION}:{account}:prefix-list/{id}")),
        address_family: some("IPv4"),
        owner_id: some(owner),
        ..Default::default()
    }
}

impl Permission {
    pub(super) fn shape(&self) -> ec2::IpPermission {
        ec2::IpPermission {
            ip_protocol: some(self.protocol),
            from_port: Some(self.ports.0),
            to_port: Some(self.ports.1),
            ip_ranges: self.blocks.iter().map(|block| ec2::IpRange { cidr_ip: some(block), description: None }).collect(),
            ipv6_ranges: vec![ec2::Ipv6Range { cidr_ipv6: some("::/0"), description: None }],
            prefix_list_ids: self.lists.iter().map(|list| ec2::PrefixListId { prefix_list_id: some(list), description: None }).collect(),
            user_id_group_pairs: self
                .groups
                .iter()
                .map(|group| ec2::UserIdGroupPair { group_id: some(group), user_id: some(ACCOUNT), ..Default::default() })
                .collect(),
        }
    }
}

impl Acls {
    fn shape(&self, position: usize) -> ec2::NetworkAcl {
        let all: Entry = (true, "-1", (0, 0), "0.0.0.0/0");
        let open = [BTreeMap::from([(100, all)]), BTreeMap::from([(100, all)])];
        let lists = self.lists[position].as_ref().unwrap_or(&open);
        let mut entries = Vec::new();
        for (egress, list) in [(false, &lists[0]), (true, &lists[1])] {
            // The last rule, which nobody can change.
            for (number, (allows, protocol, (first, last), block)) in list.iter().chain([(&32767, &(false, "-1", (0, 0), "0.0.0.0/0"))]) {
                entries.push(ec2::NetworkAclEntry {
                    rule_number: Some(*number),
                    egress: Some(egress),
                    protocol: some(protocol),
                    rule_action: some(if *allows { "allow" } else { "deny" }),
                    cidr_block: some(block),
                    ipv6_cidr_block: None,
                    port_range: (*protocol != "-1").then_some(ec2::PortRange { from: Some(*first), to: Some(*last) }),
                });
            }
            entries.push(ec2::NetworkAclEntry {
                rule_number: Some(32766),
                egress: Some(egress),
                protocol: some("-1"),
                rule_action: some("allow"),
                ipv6_cidr_block: some("::/0"),
                ..Default::default()
            });
        }
        if !self.in_order {
            entries.reverse();
        }
        let id = format!("acl-{position}");
        let of_this = SUBNETS.iter().zip(self.of_subnets).filter(|(_, list)| *list == position);
        ec2::NetworkAcl {
            associations: of_this
                .map(|((subnet, ..), _)| ec2::NetworkAclAssociation {
                    subnet_id: some(subnet),
                    network_acl_id: some(&id),
                    ..Default::default()
                })
                .collect(),
            network_acl_id: Some(id),
            vpc_id: some("vpc-1"),
            entries,
            ..Default::default()
        }
    }
}

impl Blocking {
    fn put(&self, files: &mut RegionFiles) {
        match self {
            Self::Reported(modes) => {
                let states = |mode: &str| Some(ec2::BlockPublicAccessStates { internet_gateway_block_mode: some(mode) });
                files.vpcs.as_mut().unwrap().vpcs[0].block_public_access_states = states(modes[3]);
                for (subnet, mode) in files.subnets.as_mut().unwrap().subnets.iter_mut().zip(modes) {
                    subnet.block_public_access_states = states(mode);
                }
            }
            Self::Options(mode, exclusion) => {
                let options = &mut files.block_public_access.as_mut().unwrap().vpc_block_public_access_options;
                options.internet_gateway_block_mode = some(mode);
                let shape = |(resource, mode, state): &(&str, &str, &str)| ec2::VpcBlockPublicAccessExclusion {
                    resource_arn: Some(format!("arn:aws:ec2:{REGION}:{ACCOUNT}:{resource}")),
                    internet_gateway_exclusion_mode: some(mode),
                    state: some(state),
                    ..Default::default()
                };
                files.block_public_access_exclusions.as_mut().unwrap().vpc_block_public_access_exclusions =
                    exclusion.iter().map(shape).collect();
            }
        }
    }
}
