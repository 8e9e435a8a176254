//! Changes to a network that read like a sentence.

use patch_preflight::network::{Alternative, AnsweredBy, DEFAULT_ENDPOINT_POLICY, Goal, PortFamily, Sources, Wanted};
use patch_preflight::snapshot::RegionFiles;
use patch_preflight::snapshot::ec2::{self, IpPermission, Route};
use patch_preflight::snapshot::route53::{self, HostedZoneSummary, ResourceRecordSet};

use super::{Topology, acl, all_to, dhcp, group_id, https_to, own_name, route_to, security_group, some};

impl Topology {
    pub(crate) fn with(mut self, change: impl FnOnce(&mut RegionFiles)) -> Self {
        change(&mut self.files);
        self
    }

    /// "3EP": interface endpoints for ssm, ssmmessages and ec2messages in E, with private DNS, open to the VPC.
    pub(crate) fn endpoints(self) -> Self {
        self.endpoint_group("sg-e", vec![https_to("10.0.0.0/16")])
            .endpoint("ssm", &["subnet-e"])
            .endpoint("ssmmessages", &["subnet-e"])
            .endpoint("ec2messages", &["subnet-e"])
    }

    pub(crate) fn endpoint_group(self, id: &str, ingress: Vec<IpPermission>) -> Self {
        self.groups(|groups| groups.push(security_group(id, ingress, vec![all_to("0.0.0.0/0")])))
    }

    /// Replaces what the endpoints' group lets in.
    pub(crate) fn endpoint_ingress(self, ingress: &[IpPermission]) -> Self {
        self.groups(|groups| {
            groups
                .iter_mut()
                .filter(|group| group.group_id.as_deref() == Some("sg-e"))
                .for_each(|group| group.ip_permissions = ingress.to_vec());
        })
    }

    /// Replaces what the instance's group lets out.
    pub(crate) fn egress(self, egress: &[IpPermission]) -> Self {
        self.groups(|groups| {
            groups
                .iter_mut()
                .filter(|group| group.group_id.as_deref() == Some("sg-i"))
                .for_each(|group| group.ip_permissions_egress = egress.to_vec());
        })
    }

    pub(crate) fn groups(self, change: impl FnOnce(&mut Vec<ec2::SecurityGroup>)) -> Self {
        self.with(|files| change(&mut files.security_groups.as_mut().unwrap().security_groups))
    }

    /// An interface endpoint with one network interface in each of the subnets.
    pub(crate) fn endpoint(self, service: &str, subnets: &[&str]) -> Self {
        let interfaces: Vec<ec2::NetworkInterface> = subnets
            .iter()
            .enumerate()
            .map(|(position, subnet)| ec2::NetworkInterface {
                network_interface_id: some(&format!("eni-{service}-{position}")),
                subnet_id: some(subnet),
                vpc_id: some("vpc-1"),
                private_ip_address: some(&format!(
                    "10.0.{}.{}",
                    match *subnet {
                        "subnet-p" => 1,
                        "subnet-e" => 2,
                        _ => 9,
                    },
                    100 + service.len()
                )),
                groups: vec![group_id("sg-e")],
                ..Default::default()
            })
            .collect();
        let endpoint = ec2::VpcEndpoint {
            vpc_endpoint_id: some(&format!("vpce-{service}")),
            vpc_endpoint_type: some("Interface"),
            vpc_id: some("vpc-1"),
            service_name: some(&format!("com.amazonaws.eu-central-1.{service}")),
            state: some("available"),
            policy_document: some(DEFAULT_ENDPOINT_POLICY),
            private_dns_enabled: Some(true),
            subnet_ids: subnets.iter().map(|subnet| (*subnet).to_owned()).collect(),
            groups: vec![group_id("sg-e")],
            ip_address_type: some("ipv4"),
            dns_entries: vec![ec2::DnsEntry { dns_name: some(&own_name(&format!("vpce-{service}"), service)), ..Default::default() }],
            network_interface_ids: interfaces.iter().filter_map(|interface| interface.network_interface_id.clone()).collect(),
            ..Default::default()
        };
        self.with(|files| {
            files.network_interfaces.as_mut().unwrap().network_interfaces.extend(interfaces);
            files.vpc_endpoints.as_mut().unwrap().vpc_endpoints.push(endpoint);
        })
    }

    pub(crate) fn each_endpoint(self, change: impl Fn(&mut ec2::VpcEndpoint)) -> Self {
        self.with(|files| files.vpc_endpoints.as_mut().unwrap().vpc_endpoints.iter_mut().for_each(change))
    }

    /// "gwS3": the gateway endpoint of S3, associated with the given route table.
    pub(crate) fn gateway_endpoint(self, table: &str) -> Self {
        let endpoint = ec2::VpcEndpoint {
            vpc_endpoint_id: some("vpce-s3"),
            vpc_endpoint_type: some("Gateway"),
            vpc_id: some("vpc-1"),
            service_name: some("com.amazonaws.eu-central-1.s3"),
            state: some("available"),
            policy_document: some(DEFAULT_ENDPOINT_POLICY),
            route_table_ids: vec![table.to_owned()],
            ..Default::default()
        };
        self.with(|files| files.vpc_endpoints.as_mut().unwrap().vpc_endpoints.push(endpoint)).route(table, route_to("pl-s3", "vpce-s3"))
    }

    pub(crate) fn route(self, table: &str, route: Route) -> Self {
        self.with(|files| {
            let tables = &mut files.route_tables.as_mut().unwrap().route_tables;
            tables.iter_mut().find(|candidate| candidate.route_table_id.as_deref() == Some(table)).unwrap().routes.push(route);
        })
    }

    /// P routes everything to the NAT gateway in U.
    pub(crate) fn nat(self) -> Self {
        self.route("rtb-main", route_to("0.0.0.0/0", "nat-1"))
    }

    pub(crate) fn nat_gateway(self, change: impl FnOnce(&mut ec2::NatGateway)) -> Self {
        self.with(|files| change(&mut files.nat_gateways.as_mut().unwrap().nat_gateways[0]))
    }

    /// A customer-managed prefix list.
    pub(crate) fn prefix_list(self, id: &str, cidrs: &[&str]) -> Self {
        let entries = cidrs.iter().map(|cidr| ec2::PrefixListEntry { cidr: some(cidr), description: None }).collect();
        self.with(|files| {
            files.prefix_list_entries.as_mut().unwrap().prefix_list_entries.insert(id.to_owned(), entries);
        })
    }

    /// Gives one subnet a network ACL of its own.
    pub(crate) fn subnet_acl(self, subnet: &str, entries: &[&str]) -> Self {
        self.with(|files| {
            let acls = &mut files.network_acls.as_mut().unwrap().network_acls;
            acls[0].associations.retain(|association| association.subnet_id.as_deref() != Some(subnet));
            acls.push(acl(&format!("acl-{subnet}"), &[subnet], entries));
        })
    }

    pub(crate) fn dns_attributes(self, support: bool, hostnames: bool) -> Self {
        self.with(|files| {
            let attributes = &mut files.vpc_attributes.as_mut().unwrap().vpc_attributes[0];
            attributes.enable_dns_support = Some(ec2::AttributeBooleanValue { value: Some(support) });
            attributes.enable_dns_hostnames = Some(ec2::AttributeBooleanValue { value: Some(hostnames) });
        })
    }

    pub(crate) fn dns_servers(self, servers: &[&str]) -> Self {
        self.with(|files| files.dhcp_options.as_mut().unwrap().dhcp_options = vec![dhcp("dopt-1", servers)])
    }

    pub(crate) fn default_dhcp(self) -> Self {
        self.with(|files| files.vpcs.as_mut().unwrap().vpcs[0].dhcp_options_id = some("default"))
    }

    pub(crate) fn hosted_zone(self, name: &str, records: &[(&str, &str)]) -> Self {
        let record = |(name, alias): &(&str, &str)| ResourceRecordSet {
            name: some(name),
            r#type: some("A"),
            alias_target: Some(route53::AliasTarget { dns_name: some(alias), ..Default::default() }),
            ..Default::default()
        };
        let records = records.iter().map(record).collect();
        self.with(|files| {
            let zone = HostedZoneSummary { hosted_zone_id: some("Z1"), name: some(name), ..Default::default() };
            files.hosted_zones.as_mut().unwrap().hosted_zone_summaries.entry("vpc-1".to_owned()).or_default().push(zone);
            files.record_sets.as_mut().unwrap().resource_record_sets.insert("Z1".to_owned(), records);
        })
    }

    pub(crate) fn forward_rule(self, domain: &str) -> Self {
        self.forward_rule_to(domain, &[])
    }

    pub(crate) fn forward_rule_to(self, domain: &str, servers: &[&str]) -> Self {
        let target = |server: &&str| route53::TargetAddress { ip: some(server), ..Default::default() };
        self.with(|files| {
            let rule = route53::ResolverRule {
                id: some("rslvr-rr-1"),
                domain_name: some(domain),
                rule_type: some("FORWARD"),
                target_ips: servers.iter().map(target).collect(),
                ..Default::default()
            };
            let association =
                route53::ResolverRuleAssociation { resolver_rule_id: some("rslvr-rr-1"), vpc_id: some("vpc-1"), ..Default::default() };
            files.resolver_rules.as_mut().unwrap().resolver_rules.push(rule);
            files.resolver_rule_associations.as_mut().unwrap().resolver_rule_associations.push(association);
        })
    }

    pub(crate) fn instance(self, change: impl FnOnce(&mut ec2::Instance)) -> Self {
        self.with(|files| change(&mut files.instances.as_mut().unwrap().reservations[0].instances[0]))
    }

    /// Moves the instance to another subnet and address.
    pub(crate) fn in_subnet(self, subnet: &str, address: &str) -> Self {
        self.instance(|instance| {
            instance.subnet_id = some(subnet);
            instance.private_ip_address = some(address);
            instance.network_interfaces[0].subnet_id = some(subnet);
            instance.network_interfaces[0].private_ip_address = some(address);
        })
    }

    pub(crate) fn public_address(self) -> Self {
        self.instance(|instance| {
            instance.network_interfaces[0].association =
                Some(ec2::NetworkInterfaceAssociation { public_ip: some("18.1.2.3"), ..Default::default() });
        })
    }

    pub(crate) fn member_of(self, groups: &[&str]) -> Self {
        self.instance(|instance| instance.network_interfaces[0].groups = groups.iter().map(|id| group_id(id)).collect())
    }

    pub(crate) fn block_public_access(self, mode: &str, exclusions: &[(&str, &str)]) -> Self {
        let exclusion = |(resource, mode): &(&str, &str)| ec2::VpcBlockPublicAccessExclusion {
            resource_arn: some(&format!("arn:aws:ec2:eu-central-1:111111111111:subnet/{resource}")),
            internet_gateway_exclusion_mode: some(mode),
            state: some("create-complete"),
            ..Default::default()
        };
        let exclusions = exclusions.iter().map(exclusion).collect();
        self.with(|files| {
            files.block_public_access.as_mut().unwrap().vpc_block_public_access_options.internet_gateway_block_mode = some(mode);
            files.block_public_access_exclusions.as_mut().unwrap().vpc_block_public_access_exclusions = exclusions;
        })
    }

    pub(crate) fn ports(mut self, ports: PortFamily) -> Self {
        self.ports = ports;
        self
    }

    /// Takes patches from these hosts and ports, all of which are needed.
    pub(crate) fn patched_from(mut self, hosts: &[(&str, u16, AnsweredBy)]) -> Self {
        let wanted = |(host, port, answered_by): &(&str, u16, AnsweredBy)| Wanted {
            goal: Goal::of_repository(host, *port, answered_by.clone(), Some(*answered_by == AnsweredBy::DualStackS3), true),
            perhaps: None,
        };
        let alternative = Alternative { doubt: None, wanted: hosts.iter().map(wanted).collect() };
        self.sources = Sources::Known(vec![alternative]);
        self
    }

    pub(crate) fn amazon_linux_2023(self) -> Self {
        let host = "al2023-repos-eu-central-1-de612dc2.s3.dualstack.eu-central-1.amazonaws.com";
        self.patched_from(&[(host, 443, AnsweredBy::DualStackS3)])
    }

    pub(crate) fn ubuntu(self) -> Self {
        self.patched_from(&[
            ("eu-central-1.ec2.archive.ubuntu.com", 80, AnsweredBy::Internet),
            ("security.ubuntu.com", 80, AnsweredBy::Internet),
        ])
    }
}
