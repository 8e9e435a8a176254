//! VPCs of four styles, each with one subnet for instances.

use serde_json::{Value, json};

use super::account::s3_list;
use super::{Place, TODAY, push, with};
use crate::random::Random;
use crate::store::Files;

/// A VPC takes so many instances before the next one begins.
const INSTANCES_OF_A_VPC: usize = 200;

/// How the instances of a VPC reach AWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Nat,
    Public,
    Endpoints,
    /// Not at all.
    Isolated,
}

#[derive(Debug, Clone)]
pub(super) struct Vpc {
    pub(super) style: Style,
    pub(super) id: String,
    /// The first two numbers of its addresses.
    pub(super) network: String,
    pub(super) subnet: String,
    /// The group that lets everything out.
    pub(super) open_group: String,
    /// The group that lets nothing out.
    pub(super) closed_group: String,
}

pub(super) fn vpcs(place: &Place, instances: usize, random: &mut Random, files: &mut Files) -> Vec<Vpc> {
    let styles = [Style::Nat, Style::Endpoints, Style::Public, Style::Nat, Style::Isolated];
    let count = instances.div_ceil(INSTANCES_OF_A_VPC).max(2);
    let made = (0..count).map(|number| {
        let style = random.pick(&styles).copied().unwrap_or(Style::Nat);
        vpc(place, number, if number == 0 { Style::Nat } else { style }, files)
    });
    made.collect()
}

fn vpc(place: &Place, number: usize, style: Style, files: &mut Files) -> Vpc {
    let id = place.id("vpc", number);
    let vpc = Vpc {
        style,
        network: format!("10.{}", number % 250),
        subnet: place.id("subnet", 10 * number + 1),
        open_group: place.id("sg", 10 * number + 1),
        closed_group: place.id("sg", 10 * number + 2),
        id,
    };
    let cidr = format!("{}.0.0/16", vpc.network);
    push(
        files,
        "ec2-describe-vpcs",
        "Vpcs",
        json!({"VpcId": vpc.id, "OwnerId": place.account, "CidrBlock": cidr, "DhcpOptionsId": place.id("dopt", 1), "IsDefault": false, "State": "available",
            "CidrBlockAssociationSet": [{"AssociationId": place.id("vpc-cidr-assoc", number), "CidrBlock": cidr, "CidrBlockState": {"State": "associated"}}],
            "BlockPublicAccessStates": {"InternetGatewayBlockMode": "off"},
            "Tags": [{"Key": "Name", "Value": format!("{style:?}-{number}").to_lowercase()}]}),
    );
    push(
        files,
        "ec2-describe-vpc-attribute",
        "VpcAttributes",
        json!({"VpcId": vpc.id, "EnableDnsSupport": {"Value": true}, "EnableDnsHostnames": {"Value": true}}),
    );
    encryption(place, number, &vpc, files);
    zones(place, number, &vpc, files);
    push(
        files,
        "route53resolver-list-resolver-rule-associations",
        "ResolverRuleAssociations",
        json!({"Id": format!("rslvr-autodefined-assoc-{}-internet-resolver", vpc.id), "ResolverRuleId": "rslvr-autodefined-rr-internet-resolver",
            "Name": "System Rule Association", "VPCId": vpc.id, "Status": "COMPLETE"}),
    );
    subnet(place, &vpc, &vpc.subnet, &format!("{}.16.0/20", vpc.network), files);
    groups(place, &vpc, files);
    let default_route = match style {
        Style::Nat => Some(("NatGatewayId", nat_gateway(place, number, &vpc, files))),
        Style::Public => Some(("GatewayId", internet_gateway(place, number, &vpc, files))),
        Style::Endpoints | Style::Isolated => None,
    };
    let table = place.id("rtb", 10 * number + 1);
    let mut routes = vec![local(&cidr)];
    routes.extend(default_route.map(|(kind, target)| everywhere(kind, &target)));
    if style == Style::Endpoints {
        let endpoint = endpoints(place, number, &vpc, &table, files);
        let list = s3_list(place);
        routes.push(json!({"DestinationPrefixListId": list, "GatewayId": endpoint, "Origin": "CreateRoute", "State": "active"}));
    }
    route_table(place, &vpc, 10 * number + 1, Some(&vpc.subnet), &routes, files);
    route_table(place, &vpc, 10 * number, None, &[local(&cidr)], files);
    network_acl(place, number, &vpc, files);
    vpc
}

/// Adds to the map of a file.
fn insert(files: &mut Files, file: &str, member: &str, key: &str, value: Value) {
    if let Some(map) = files.get_mut(&format!("{file}.json")).and_then(|file| file.get_mut(member)).and_then(Value::as_object_mut) {
        map.insert(key.to_owned(), value);
    }
}

/// The first VPC enforces encryption, but for what leaves it; others monitor it, or do nothing about it.
fn encryption(place: &Place, number: usize, vpc: &Vpc, files: &mut Files) {
    let mode = match number {
        0 => "enforce",
        1 => "monitor",
        _ => return,
    };
    let (is, is_not) = (json!({"State": "enabled"}), json!({"State": "disabled"}));
    push(
        files,
        "ec2-describe-vpc-encryption-controls",
        "VpcEncryptionControls",
        json!({"VpcEncryptionControlId": place.id("vpcec", number), "VpcId": vpc.id, "Mode": mode, "State": "available",
            "ResourceExclusions": {"InternetGateway": is, "NatGateway": is, "EgressOnlyInternetGateway": is_not, "VirtualPrivateGateway": is_not,
                "VpcPeering": is_not, "Lambda": is_not, "VpcLattice": is_not,
                "ElasticFileSystem": {"State": "disabled", "StateMessage": "no file system"}},
            "Tags": [{"Key": "Name", "Value": mode}]}),
    );
}

/// Every VPC has its entry; the first also a private zone among AWS's names that no agent asks for.
fn zones(place: &Place, number: usize, vpc: &Vpc, files: &mut Files) {
    let zone = zone_id(place, 1);
    let summaries = match number {
        0 => json!([{"HostedZoneId": zone, "Name": "backup.internal.amazonaws.com.", "Owner": {"OwningAccount": place.account}}]),
        _ => json!([]),
    };
    insert(files, "route53-list-hosted-zones-by-vpc", "HostedZoneSummaries", &vpc.id, summaries);
    if number == 0 {
        let records = json!([{"Name": "backup.internal.amazonaws.com.", "Type": "NS", "TTL": 172_800, "ResourceRecords": [{"Value": "ns-0.awsdns-00.com."}]},
            {"Name": "files.backup.internal.amazonaws.com.", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "10.0.16.200"}]}]);
        insert(files, "route53-list-resource-record-sets", "ResourceRecordSets", &zone, records);
        profile(place, vpc, files);
        firewall(place, vpc, files);
    }
}

fn zone_id(place: &Place, number: usize) -> String {
    place.id("Z", number).replace('-', "").to_uppercase()
}

/// A Route 53 Profile with a private zone among AWS's names that no agent asks for, one that is elsewhere, and a rule group.
fn profile(place: &Place, vpc: &Vpc, files: &mut Files) {
    let (profile, among, elsewhere) = (place.id("rp", 1), zone_id(place, 2), zone_id(place, 3));
    push(
        files,
        "route53profiles-list-profile-associations",
        "ProfileAssociations",
        json!({"Id": place.id("rpassoc", 1), "Name": "shared-dns", "OwnerId": place.account, "ProfileId": profile, "ResourceId": vpc.id,
            "Status": "COMPLETE", "CreationTime": TODAY}),
    );
    let resource = |number: usize, name: &str, kind: &str, arn: String| {
        json!({"Id": place.id("rpr", number), "Name": name, "OwnerId": place.account, "ProfileId": profile, "ResourceArn": arn, "ResourceType": kind,
            "Status": "COMPLETE", "CreationTime": TODAY})
    };
    let zone =
        |number: usize, name: &str, id: &str| resource(number, name, "PRIVATE_HOSTED_ZONE", format!("arn:aws:route53:::hostedzone/{id}"));
    let group = resource(
        3,
        "of-the-profile",
        "FIREWALL_RULE_GROUP",
        place.arn("route53resolver", &format!("firewall-rule-group/{}", place.id("rslvr-frg", 2))),
    );
    let resources =
        json!([zone(1, "reports", &among), zone(2, "corp", &elsewhere), with(group, "ResourceProperties", "{\"priority\":102}")]);
    insert(files, "route53profiles-list-profile-resource-associations", "ProfileResourceAssociations", &profile, resources);
    for (id, name) in [(&among, "reports.internal.amazonaws.com."), (&elsewhere, "corp.example.")] {
        let zone = json!({"Id": format!("/hostedzone/{id}"), "Name": name, "CallerReference": name, "Config": {"PrivateZone": true}});
        insert(files, "route53-get-hosted-zone", "HostedZones", id, json!({"HostedZone": zone}));
    }
    let records =
        json!([{"Name": "reports.internal.amazonaws.com.", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "10.0.16.201"}]}]);
    insert(files, "route53-list-resource-record-sets", "ResourceRecordSets", &among, records);
}

/// DNS Firewall that blocks names which no agent asks for, and tells of those on a list of AWS's own, which nobody may read.
fn firewall(place: &Place, vpc: &Vpc, files: &mut Files) {
    let list = |number: usize| place.id("rslvr-fdl", number);
    let (games, threats) = (list(1), list(2));
    push(
        files,
        "route53resolver-list-firewall-rule-group-associations",
        "FirewallRuleGroupAssociations",
        json!({"Id": place.id("rslvr-frgassoc", 1), "Arn": place.arn("route53resolver", "firewall-rule-group-association/1"), "FirewallRuleGroupId": place.id("rslvr-frg", 1),
            "VpcId": vpc.id, "Name": "games", "Priority": 101, "MutationProtection": "DISABLED", "Status": "COMPLETE"}),
    );
    let rule = |group: &str, priority: usize, action: &str, list: &str| {
        json!({"FirewallRuleGroupId": group, "FirewallDomainListId": list, "Name": format!("{action}-{priority}"), "Priority": priority, "Action": action,
            "FirewallDomainRedirectionAction": "INSPECT_REDIRECTION_DOMAIN"})
    };
    let (own, of_profile) = (place.id("rslvr-frg", 1), place.id("rslvr-frg", 2));
    let block = with(rule(&own, 1, "BLOCK", &games), "BlockResponse", "NODATA");
    insert(files, "route53resolver-list-firewall-rules", "FirewallRules", &own, json!([block, rule(&own, 2, "ALERT", &threats)]));
    insert(files, "route53resolver-list-firewall-rules", "FirewallRules", &of_profile, json!([rule(&of_profile, 1, "ALLOW", &games)]));
    insert(files, "route53resolver-list-firewall-domains", "Domains", &games, json!(["*.games.example.", "games.example."]));
    let entry = |id: &str, name: &str| json!({"Id": id, "Arn": place.arn("route53resolver", &format!("firewall-domain-list/{id}")), "Name": name, "CreatorRequestId": name});
    let of_aws = with(entry(&threats, "AWSManagedDomainsAggregateThreatList"), "ManagedOwnerName", "Route 53 Resolver DNS Firewall");
    files.insert(
        "route53resolver-list-firewall-domain-lists.json".to_owned(),
        json!({"FirewallDomainLists": [entry(&games, "games"), of_aws]}),
    );
}

fn subnet(place: &Place, vpc: &Vpc, id: &str, cidr: &str, files: &mut Files) {
    push(
        files,
        "ec2-describe-subnets",
        "Subnets",
        json!({"SubnetId": id, "VpcId": vpc.id, "OwnerId": place.account, "CidrBlock": cidr, "AvailabilityZone": format!("{}a", place.region),
            "AvailabilityZoneId": "sim1-az1", "MapPublicIpOnLaunch": vpc.style == Style::Public, "EnableDns64": false, "Ipv6Native": false,
            "State": "available", "BlockPublicAccessStates": {"InternetGatewayBlockMode": "off"}}),
    );
}

fn groups(place: &Place, vpc: &Vpc, files: &mut Files) {
    let inside = format!("{}.0.0/16", vpc.network);
    let inbound = json!([{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": inside}]}]);
    let group = |id: &str, name: &str, outbound: Value| {
        json!({"GroupId": id, "GroupName": name, "VpcId": vpc.id, "OwnerId": place.account, "Description": "made by the generator",
            "IpPermissions": inbound, "IpPermissionsEgress": outbound})
    };
    let everything = json!([{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]);
    push(files, "ec2-describe-security-groups", "SecurityGroups", group(&vpc.open_group, "open", everything));
    push(files, "ec2-describe-security-groups", "SecurityGroups", group(&vpc.closed_group, "closed", json!([])));
}

fn local(cidr: &str) -> Value {
    json!({"DestinationCidrBlock": cidr, "GatewayId": "local", "Origin": "CreateRouteTable", "State": "active"})
}

fn everywhere(kind: &str, target: &str) -> Value {
    json!({"DestinationCidrBlock": "0.0.0.0/0", kind: target, "Origin": "CreateRoute", "State": "active"})
}

/// The table of a subnet, or the main one.
fn route_table(place: &Place, vpc: &Vpc, number: usize, subnet: Option<&str>, routes: &[Value], files: &mut Files) {
    let id = place.id("rtb", number);
    let mut association = json!({"RouteTableAssociationId": place.id("rtbassoc", number), "RouteTableId": id, "Main": subnet.is_none(),
        "AssociationState": {"State": "associated"}});
    if let Some(subnet) = subnet {
        association = with(association, "SubnetId", subnet);
    }
    push(
        files,
        "ec2-describe-route-tables",
        "RouteTables",
        json!({"RouteTableId": id, "VpcId": vpc.id, "OwnerId": place.account, "Associations": [association], "Routes": routes}),
    );
}

fn network_acl(place: &Place, number: usize, vpc: &Vpc, files: &mut Files) {
    let entry = |number: u32, egress: bool, action: &str| json!({"CidrBlock": "0.0.0.0/0", "Egress": egress, "Protocol": "-1", "RuleAction": action, "RuleNumber": number});
    let id = place.id("acl", number);
    let mut subnets = vec![vpc.subnet.clone()];
    if vpc.style == Style::Nat {
        subnets.push(public_subnet(place, number));
    }
    let associations = subnets.iter().zip(0..).map(
        |(subnet, at)| json!({"NetworkAclAssociationId": place.id("aclassoc", 10 * number + at), "NetworkAclId": id, "SubnetId": subnet}),
    );
    let associations: Vec<Value> = associations.collect();
    push(
        files,
        "ec2-describe-network-acls",
        "NetworkAcls",
        json!({"NetworkAclId": id, "VpcId": vpc.id, "OwnerId": place.account, "IsDefault": true, "Associations": associations,
            "Entries": [entry(100, true, "allow"), entry(100, false, "allow"), entry(32767, true, "deny"), entry(32767, false, "deny")]}),
    );
}

fn public_subnet(place: &Place, number: usize) -> String {
    place.id("subnet", 10 * number + 2)
}

fn internet_gateway(place: &Place, number: usize, vpc: &Vpc, files: &mut Files) -> String {
    let id = place.id("igw", number);
    push(
        files,
        "ec2-describe-internet-gateways",
        "InternetGateways",
        json!({"InternetGatewayId": id, "OwnerId": place.account, "Attachments": [{"VpcId": vpc.id, "State": "available"}]}),
    );
    id
}

fn nat_gateway(place: &Place, number: usize, vpc: &Vpc, files: &mut Files) -> String {
    let (id, subnet) = (place.id("nat", number), public_subnet(place, number));
    let cidr = format!("{}.0.0/24", vpc.network);
    self::subnet(place, vpc, &subnet, &cidr, files);
    let gateway = internet_gateway(place, number, vpc, files);
    let routes = [local(&format!("{}.0.0/16", vpc.network)), everywhere("GatewayId", &gateway)];
    route_table(place, vpc, 10 * number + 2, Some(&subnet), &routes, files);
    let (interface, address, public) =
        (place.id("eni", 1_000_000 + number), format!("{}.0.5", vpc.network), format!("203.0.113.{}", number % 250 + 1));
    push(
        files,
        "ec2-describe-nat-gateways",
        "NatGateways",
        json!({"NatGatewayId": id, "VpcId": vpc.id, "SubnetId": subnet, "State": "available", "ConnectivityType": "public", "AvailabilityMode": "zonal",
            "NatGatewayAddresses": [{"AllocationId": place.id("eipalloc", number), "NetworkInterfaceId": interface, "PrivateIp": address, "PublicIp": public,
                "IsPrimary": true, "Status": "succeeded"}]}),
    );
    let association = json!({"AllocationId": place.id("eipalloc", number), "IpOwnerId": place.account, "PublicIp": public});
    push(
        files,
        "ec2-describe-network-interfaces",
        "NetworkInterfaces",
        json!({"NetworkInterfaceId": interface, "InterfaceType": "nat_gateway", "SubnetId": subnet, "VpcId": vpc.id, "OwnerId": place.account,
            "RequesterManaged": true, "Status": "in-use", "PrivateIpAddress": address, "SourceDestCheck": false, "Association": association,
            "PrivateIpAddresses": [{"Primary": true, "PrivateIpAddress": address, "Association": association}]}),
    );
    id
}

/// The endpoints that patching needs; the id of the gateway endpoint for S3.
fn endpoints(place: &Place, number: usize, vpc: &Vpc, table: &str, files: &mut Files) -> String {
    let policy = json!({"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]}).to_string();
    for (at, service) in (1..).zip(["ssm", "ssmmessages", "ec2messages"]) {
        let (id, interface) = (place.id("vpce", 10 * number + at), place.id("eni", 2_000_000 + 10 * number + at));
        let host = format!("{service}.{}.amazonaws.com", place.region);
        let group = json!([{"GroupId": vpc.open_group, "GroupName": "open"}]);
        push(
            files,
            "ec2-describe-vpc-endpoints",
            "VpcEndpoints",
            json!({"VpcEndpointId": id, "VpcEndpointType": "Interface", "VpcId": vpc.id, "OwnerId": place.account, "State": "available",
                "ServiceName": format!("com.amazonaws.{}.{service}", place.region), "ServiceRegion": place.region, "PolicyDocument": policy,
                "SubnetIds": [vpc.subnet], "Groups": group, "IpAddressType": "ipv4", "DnsOptions": {"DnsRecordIpType": "ipv4"},
                "PrivateDnsEnabled": true, "RequesterManaged": false, "NetworkInterfaceIds": [interface],
                "DnsEntries": [{"DnsName": format!("{id}-0.{service}.{}.vpce.amazonaws.com", place.region), "HostedZoneId": "Z0SIMULATEDVPCE"},
                    {"DnsName": host, "HostedZoneId": "Z0SIMULATEDPRIVATE"}]}),
        );
        let address = format!("{}.16.{}", vpc.network, 10 + at);
        push(
            files,
            "ec2-describe-network-interfaces",
            "NetworkInterfaces",
            json!({"NetworkInterfaceId": interface, "InterfaceType": "vpc_endpoint", "SubnetId": vpc.subnet, "VpcId": vpc.id, "OwnerId": place.account,
                "RequesterId": "727180483921", "RequesterManaged": true, "Status": "in-use", "Description": format!("VPC Endpoint Interface {id}"),
                "PrivateIpAddress": address, "SourceDestCheck": true, "Groups": group,
                "PrivateIpAddresses": [{"Primary": true, "PrivateIpAddress": address}]}),
        );
    }
    let id = place.id("vpce", 10 * number);
    push(
        files,
        "ec2-describe-vpc-endpoints",
        "VpcEndpoints",
        json!({"VpcEndpointId": id, "VpcEndpointType": "Gateway", "VpcId": vpc.id, "OwnerId": place.account, "State": "available",
            "ServiceName": format!("com.amazonaws.{}.s3", place.region), "ServiceRegion": place.region, "PolicyDocument": policy,
            "RouteTableIds": [table], "IpAddressType": "ipv4", "DnsOptions": {"DnsRecordIpType": "service-defined"}, "PrivateDnsEnabled": false,
            "RequesterManaged": false}),
    );
    id
}
