//! What is there once an account, or once a Region, whatever runs in it.

use serde_json::{Value, json};

use super::identity::{self, Dhmc};
use super::{Place, TODAY, push, with};
use crate::store::Files;

pub(super) const ROOT: &str = "r-simu";
const ORGANIZATION: &str = "o-simulated01";
/// In what a scan is answered, and never in what it keeps.
pub const PASSWORD: &str = "not-to-be-kept";
/// Each unit holds so many accounts before the next one begins.
const ACCOUNTS_OF_A_UNIT: usize = 25;

pub(super) fn organization(ids: &[String]) -> Files {
    let management = ids.first().cloned().unwrap_or_default();
    let arn = |kind: &str, id: &str| format!("arn:aws:organizations::{management}:{kind}/{ORGANIZATION}/{id}");
    let unit = |number: usize| format!("ou-simu-{:08}", number / ACCOUNTS_OF_A_UNIT);
    let (mut accounts, mut units, mut parents) = (Vec::new(), Vec::new(), serde_json::Map::new());
    for (number, id) in ids.iter().enumerate() {
        let (parent, name) =
            if number == 0 { (ROOT.to_owned(), "management".to_owned()) } else { (unit(number), format!("account-{number:04}")) };
        let path = if number == 0 { format!("{ORGANIZATION}/{ROOT}/{id}/") } else { format!("{ORGANIZATION}/{ROOT}/{parent}/{id}/") };
        accounts.push(json!({"Id": id, "Arn": arn("account", id), "Name": name, "Email": format!("{name}@example.com"), "State": "ACTIVE",
            "Paths": [path], "JoinedMethod": "CREATED", "JoinedTimestamp": "2024-01-29T15:01:00+00:00"}));
        if number > 0 && !parents.contains_key(&parent) {
            units.push(json!({"Id": parent, "Name": format!("Unit {}", units.len() + 1), "ParentId": ROOT}));
            parents.insert(parent.clone(), json!(ROOT));
        }
        parents.insert(id.clone(), json!(parent));
    }
    let organization = json!({"Id": ORGANIZATION, "Arn": arn("organization", ORGANIZATION), "FeatureSet": "ALL", "MasterAccountId": management,
        "MasterAccountArn": arn("account", &management), "MasterAccountEmail": "management@example.com"});
    Files::from([
        ("organizations-describe-organization.json".to_owned(), json!({"Organization": organization})),
        ("organizations-list-accounts.json".to_owned(), json!({"Accounts": accounts})),
        ("organization-policies.json".to_owned(), control_policies(&management, &parents)),
        ("organizational-units.json".to_owned(), json!({"OrganizationalUnits": units, "Parents": parents})),
    ])
}

/// AWS's own policies of both kinds on everything, and one of the organization's that takes away nothing that patching needs.
fn control_policies(management: &str, parents: &serde_json::Map<String, Value>) -> Value {
    let mut everything: Vec<&str> = parents.keys().map(String::as_str).chain([ROOT]).collect();
    everything.sort_unstable();
    let full =
        json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]}).to_string();
    let stay =
        json!({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "organizations:LeaveOrganization", "Resource": "*"}]});
    let of_aws = |id: &str, kind: &str| {
        json!({"Id": id, "Arn": format!("arn:aws:organizations::aws:policy/{}/{id}", kind.to_lowercase()), "Name": id.trim_start_matches("p-"),
            "Description": "Allows access to every operation", "Type": kind, "AwsManaged": true, "Content": full.replace("\"Principal\":\"*\",", if kind.starts_with('S') { "" } else { "\"Principal\":\"*\"," })})
    };
    let own = json!({"Id": "p-simu0001", "Arn": format!("arn:aws:organizations::{management}:policy/{ORGANIZATION}/service_control_policy/p-simu0001"),
        "Name": "nobody-leaves", "Description": "", "Type": "SERVICE_CONTROL_POLICY", "AwsManaged": false, "Content": stay.to_string()});
    let (service, resource) =
        (of_aws("p-FullAWSAccess", "SERVICE_CONTROL_POLICY"), of_aws("p-RCPFullAWSAccess", "RESOURCE_CONTROL_POLICY"));
    json!({"Policies": [service, own, resource],
        "Targets": {"p-FullAWSAccess": everything, "p-simu0001": [ROOT], "p-RCPFullAWSAccess": everything}})
}

/// The files of a Region that hold a list, and its name in them.
const LISTS: [(&str, &str); 25] = [
    ("ec2-describe-instances", "Reservations"),
    ("ec2-describe-instance-image-metadata", "InstanceImageMetadata"),
    ("ec2-describe-instance-status", "InstanceStatuses"),
    ("ec2-describe-vpcs", "Vpcs"),
    ("ec2-describe-vpc-attribute", "VpcAttributes"),
    ("ec2-describe-subnets", "Subnets"),
    ("ec2-describe-route-tables", "RouteTables"),
    ("ec2-describe-security-groups", "SecurityGroups"),
    ("ec2-describe-network-acls", "NetworkAcls"),
    ("ec2-describe-network-interfaces", "NetworkInterfaces"),
    ("ec2-describe-vpc-endpoints", "VpcEndpoints"),
    ("ec2-describe-nat-gateways", "NatGateways"),
    ("ec2-describe-internet-gateways", "InternetGateways"),
    ("ec2-describe-egress-only-internet-gateways", "EgressOnlyInternetGateways"),
    ("ec2-describe-vpc-peering-connections", "VpcPeeringConnections"),
    ("ec2-describe-vpn-gateways", "VpnGateways"),
    ("ec2-describe-vpc-block-public-access-exclusions", "VpcBlockPublicAccessExclusions"),
    ("ec2-describe-vpc-encryption-controls", "VpcEncryptionControls"),
    ("route53resolver-list-resolver-rule-associations", "ResolverRuleAssociations"),
    ("route53resolver-list-firewall-rule-group-associations", "FirewallRuleGroupAssociations"),
    ("route53profiles-list-profile-associations", "ProfileAssociations"),
    ("ssm-describe-instance-information", "InstanceInformationList"),
    ("ssm-describe-instance-patch-states", "InstancePatchStates"),
    ("ssm-list-associations", "Associations"),
    ("ssm-describe-patch-groups", "Mappings"),
];

/// The files of a Region before there is anything in it: each list is there, so that nothing counts as not collected.
pub(super) fn region(place: &Place, dhmc: Dhmc) -> Files {
    let (region, account) = (place.region, place.account.as_str());
    let mut files = Files::new();
    let mut set = |name: &str, value: Value| files.insert(format!("{name}.json"), value);
    for (name, member) in LISTS {
        set(name, json!({member: []}));
    }
    if region == identity::TARGET_REGION {
        set("ssm-list-associations", json!({"Associations": identity::deployed()}));
        set("resource-groups-get-group-query", identity::target_group());
    }
    let (s3, dynamodb) = (s3_list(place), place.id("pl", 2));
    let named = |id: &str, service: &str| json!({"PrefixListId": id, "PrefixListName": format!("com.amazonaws.{region}.{service}")});
    let managed = |id: &str, service: &str| {
        json!({"PrefixListId": id, "PrefixListName": format!("com.amazonaws.{region}.{service}"), "AddressFamily": "IPv4", "OwnerId": "AWS",
            "PrefixListArn": format!("arn:aws:ec2:{region}:aws:prefix-list/{id}"), "State": "create-complete"})
    };
    set(
        "ec2-describe-prefix-lists",
        json!({"PrefixLists": [with(named(&s3, "s3"), "Cidrs", json!(["3.5.0.0/19", "52.216.0.0/15"])), with(named(&dynamodb, "dynamodb"), "Cidrs", json!(["52.94.0.0/22"]))]}),
    );
    set("ec2-describe-managed-prefix-lists", json!({"PrefixLists": [managed(&s3, "s3"), managed(&dynamodb, "dynamodb")]}));
    set(
        "ec2-get-managed-prefix-list-entries",
        json!({"PrefixListEntries": {s3: [{"Cidr": "3.5.0.0/19"}, {"Cidr": "52.216.0.0/15"}], dynamodb: [{"Cidr": "52.94.0.0/22"}]}}),
    );
    set(
        "ec2-describe-dhcp-options",
        json!({"DhcpOptions": [{"DhcpOptionsId": place.id("dopt", 1), "OwnerId": account, "DhcpConfigurations": [
            {"Key": "domain-name-servers", "Values": [{"Value": "AmazonProvidedDNS"}]}]}]}),
    );
    set(
        "ec2-describe-vpc-block-public-access-options",
        json!({"VpcBlockPublicAccessOptions": {"AwsAccountId": account, "AwsRegion": region, "State": "default-state", "InternetGatewayBlockMode": "off",
            "ExclusionsAllowed": "allowed", "ManagedBy": "account"}}),
    );
    set("ec2-describe-vpc-endpoint-services", endpoint_services(region));
    set("route53-list-hosted-zones-by-vpc", json!({"HostedZoneSummaries": {}}));
    for (name, member) in [
        ("route53-list-resource-record-sets", "ResourceRecordSets"),
        ("route53-get-hosted-zone", "HostedZones"),
        ("route53resolver-list-firewall-rules", "FirewallRules"),
        ("route53resolver-list-firewall-domains", "Domains"),
        ("route53profiles-list-profile-resource-associations", "ProfileResourceAssociations"),
        ("ssm-get-connection-status", "ConnectionStatuses"),
        ("ssm-list-inventory-entries", "Entries"),
    ] {
        set(name, json!({member: {}}));
    }
    set(
        "route53resolver-list-resolver-rules",
        json!({"ResolverRules": [{"Id": "rslvr-autodefined-rr-internet-resolver", "DomainName": ".", "Name": "Internet Resolver", "RuleType": "RECURSIVE",
            "Status": "COMPLETE", "OwnerId": "Route 53 Resolver", "ShareStatus": "NOT_SHARED"}]}),
    );
    let setting = "/ssm/managed-instance/default-ec2-instance-management-role";
    let (value, status) = dhmc.setting();
    set(
        "ssm-get-service-setting",
        json!({"ServiceSetting": {"SettingId": setting, "SettingValue": value, "Status": status,
            "ARN": place.arn("ssm", &format!("servicesetting{setting}")), "LastModifiedDate": "2025-06-02T11:20:07.125000+00:00"}}),
    );
    let baseline = format!("arn:aws:ssm:{region}:075727635805:patchbaseline/pb-0{:016x}", 7);
    set(
        "ssm-describe-patch-baselines",
        json!({"BaselineIdentities": [{"BaselineId": baseline, "BaselineName": "AWS-AmazonLinux2023DefaultPatchBaseline",
            "OperatingSystem": "AMAZON_LINUX_2023", "DefaultBaseline": true},
            {"BaselineId": place.id("pb", 1), "BaselineName": "ours", "OperatingSystem": "DEBIAN", "DefaultBaseline": false},
            {"BaselineId": place.id("pb", 2), "BaselineName": "nothing-yet", "OperatingSystem": "WINDOWS", "DefaultBaseline": false}]}),
    );
    set("ssm-get-patch-baseline", own_baselines(place));
    set("ssm-get-default-patch-baseline", json!({"DefaultPatchBaselines": {"AMAZON_LINUX_2023": baseline, "DEBIAN": baseline}}));
    maintenance_windows(place, &mut files);
    transit_gateway(place, &mut files);
    files
}

/// Two windows that are switched off: one patches a target that is registered with it, and the other runs scripts.
fn maintenance_windows(place: &Place, files: &mut Files) {
    let (patching, scripts) = (place.id("mw", 1), place.id("mw", 2));
    let uuid = |number: usize| format!("51a01a7e-0000-4000-8000-{number:012}");
    let window = |id: &str, name: &str| json!({"WindowId": id, "Name": name, "Enabled": false, "Schedule": "cron(0 3 ? * SUN *)", "ScheduleTimezone": "UTC"});
    let task = |window: &str, number: usize, document: &str, target: Value| json!({"WindowId": window, "WindowTaskId": uuid(number), "TaskArn": document, "Type": "RUN_COMMAND", "Targets": [target]});
    let (by_target, by_tag) = (json!({"Key": "WindowTargetIds", "Values": [uuid(4)]}), json!({"Key": "tag:group", "Values": ["nightly"]}));
    let mut set = |name: &str, value: Value| files.insert(format!("{name}.json"), value);
    set("ssm-describe-maintenance-windows", json!({"WindowIdentities": [window(&patching, "sunday-night"), window(&scripts, "scripts")]}));
    set(
        "ssm-describe-maintenance-window-tasks",
        json!({"Tasks": {
            patching.clone(): [task(&patching, 1, "AWS-RunPatchBaseline", by_target.clone()), task(&patching, 2, "AWS-RunShellScript", by_tag.clone())],
            scripts.clone(): [task(&scripts, 3, "AWS-RunShellScript", by_target)],
        }}),
    );
    set(
        "ssm-describe-maintenance-window-targets",
        json!({"Targets": {patching.clone(): [{"WindowId": patching, "WindowTargetId": uuid(4), "ResourceType": "INSTANCE", "Name": "nightly",
            "Targets": [by_tag]}]}}),
    );
}

/// One with all that a baseline can hold, the password of a repository among it, and one with nothing.
fn own_baselines(place: &Place) -> Value {
    let (ours, empty) = (place.id("pb", 1), place.id("pb", 2));
    let filters = |key: &str, values: &[&str]| json!({"PatchFilters": [{"Key": key, "Values": values}]});
    let rules = json!([{"PatchFilterGroup": filters("SECTION", &["*"]), "ComplianceLevel": "CRITICAL", "ApproveAfterDays": 0, "EnableNonSecurity": true},
        {"PatchFilterGroup": filters("PRIORITY", &["Required"]), "ComplianceLevel": "LOW", "ApproveUntilDate": "2026-06-30"}]);
    json!({"PatchBaselines": {
        ours.clone(): {"BaselineId": ours, "Name": "ours", "OperatingSystem": "DEBIAN", "Description": "With a mirror", "PatchGroups": ["web"],
            "GlobalFilters": filters("PRODUCT", &["Debian12"]), "ApprovalRules": {"PatchRules": rules}, "ApprovedPatches": ["openssl*"],
            "ApprovedPatchesComplianceLevel": "HIGH", "ApprovedPatchesEnableNonSecurity": true, "RejectedPatches": ["nginx*"],
            "RejectedPatchesAction": "BLOCK", "CreatedDate": "2026-02-03T10:00:00.125000+00:00", "ModifiedDate": TODAY,
            "Sources": [{"Name": "mirror", "Products": ["Debian12"], "Configuration": format!("deb https://user:{PASSWORD}@mirror.example stable main")}]},
        empty.clone(): {"BaselineId": empty, "Name": "nothing-yet", "OperatingSystem": "WINDOWS"},
    }})
}

/// A transit gateway that no route leads to, so that its tables are read and judged by nobody.
fn transit_gateway(place: &Place, files: &mut Files) {
    let (gateway, table, attachment) = (place.id("tgw", 1), place.id("tgw-rtb", 1), place.id("tgw-attach", 1));
    push(
        files,
        "ec2-describe-transit-gateways",
        "TransitGateways",
        json!({"TransitGatewayId": gateway, "TransitGatewayArn": place.arn("ec2", &format!("transit-gateway/{gateway}")), "State": "available",
            "OwnerId": place.account, "Options": {"AssociationDefaultRouteTableId": table, "DnsSupport": "enable"}}),
    );
    push(
        files,
        "ec2-describe-transit-gateway-route-tables",
        "TransitGatewayRouteTables",
        json!({"TransitGatewayRouteTableId": table, "TransitGatewayId": gateway, "State": "available", "DefaultAssociationRouteTable": true,
            "DefaultPropagationRouteTable": true}),
    );
    push(
        files,
        "ec2-describe-transit-gateway-policy-tables",
        "TransitGatewayPolicyTables",
        json!({"TransitGatewayPolicyTableId": place.id("tgw-ptb", 1), "TransitGatewayId": gateway, "State": "available", "CreationTime": TODAY}),
    );
    push(
        files,
        "ec2-describe-transit-gateway-vpc-attachments",
        "TransitGatewayVpcAttachments",
        json!({"TransitGatewayAttachmentId": attachment, "TransitGatewayId": gateway, "VpcId": place.id("vpc", 0), "VpcOwnerId": place.account,
            "State": "available", "SubnetIds": [place.id("subnet", 1)], "CreationTime": TODAY}),
    );
    let attached = json!({"TransitGatewayAttachmentId": attachment, "ResourceId": place.id("vpc", 0), "ResourceType": "vpc"});
    let routes = json!([{"DestinationCidrBlock": "10.0.0.0/16", "Type": "propagated", "State": "active", "TransitGatewayAttachments": [attached]},
        {"DestinationCidrBlock": "10.99.0.0/16", "Type": "static", "State": "blackhole"}]);
    let mut set = |name: &str, member: &str, value: Value| files.insert(format!("{name}.json"), json!({member: {table.clone(): value}}));
    set("ec2-search-transit-gateway-routes", "TransitGatewayRoutes", routes);
    set("ec2-get-transit-gateway-route-table-associations", "Associations", json!([with(attached.clone(), "State", "associated")]));
    set(
        "ec2-get-transit-gateway-route-table-propagations",
        "TransitGatewayRouteTablePropagations",
        json!([with(attached.clone(), "State", "enabled")]),
    );
}

/// AWS's prefix list for S3.
pub(super) fn s3_list(place: &Place) -> String {
    place.id("pl", 1)
}

fn endpoint_services(region: &str) -> Value {
    let zones: Vec<String> = ["a", "b", "c"].iter().map(|zone| format!("{region}{zone}")).collect();
    let services = [("ssm", "Interface"), ("ssmmessages", "Interface"), ("ec2messages", "Interface"), ("s3", "Gateway")];
    let name = |service: &str| format!("com.amazonaws.{region}.{service}");
    let details = services.iter().map(|(service, kind)| {
        let detail = json!({"ServiceName": name(service), "ServiceType": [{"ServiceType": kind}], "AvailabilityZones": zones, "Owner": "amazon",
            "VpcEndpointPolicySupported": true, "AcceptanceRequired": false});
        if *kind != "Interface" {
            return detail;
        }
        let host = format!("{service}.{region}.amazonaws.com");
        with(with(detail, "PrivateDnsName", host.as_str()), "PrivateDnsNames", json!([{"PrivateDnsName": host}]))
    });
    let details: Vec<Value> = details.collect();
    json!({"ServiceNames": services.iter().map(|(service, _)| name(service)).collect::<Vec<_>>(), "ServiceDetails": details})
}
