//! One change to an AWS account: what it is called, the commands that make it, and those that take it back.
//!
//! Commands are printed, never run. None of them stops, terminates or deletes anything.

use std::collections::{BTreeMap, BTreeSet};

use super::commands::{self, command, https, iam, interface_endpoint, origin, permissions, tcp};
use crate::network::Destination;

/// A change, with all that its commands need. Two findings with the same change share one fix.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// Lets TCP out of a security group, to one port.
    AllowEgress {
        group: String,
        to: Destination,
        /// Whose the group is that `to` names, where it is another account's.
        owner: Option<String>,
        port: u16,
    },
    /// Lets TCP 443 into a security group of one interface endpoint, or of several.
    AllowEndpointIngress {
        endpoint: String,
        group: String,
        from: Origin,
    },
    /// Lets some TCP ports through a network ACL, before the rule that denies them.
    AllowInNetworkAcl {
        acl: String,
        is_egress: bool,
        addresses: Vec<String>,
        ports: (u16, u16),
        rule_number: Option<i32>,
    },
    AssociateGatewayEndpoint {
        endpoint: String,
        route_table: String,
    },
    /// One for all route tables of the VPC that need it: a Region holds 20 unless AWS has raised the quota.
    CreateGatewayEndpoint {
        vpc: String,
        service_name: String,
        route_tables: BTreeSet<String>,
    },
    CreateInterfaceEndpoint {
        vpc: String,
        service_name: String,
        placement: Placement,
    },
    EnablePrivateDns {
        endpoint: String,
    },
    EnableVpcAttribute {
        vpc: String,
        attribute: String,
    },
    AttachInstanceProfile {
        instance: String,
        profile: Option<String>,
    },
    /// EC2 refuses a second profile for an instance that has one.
    ReplaceInstanceProfile {
        instance: String,
        profile: Option<String>,
    },
    EnableMetadataEndpoint {
        instance: String,
    },
    UpdateAgent {
        instance: String,
    },
    /// Nothing is sure but that a person must look: AWS's own read-only runbook says more.
    RunDiagnosis {
        instance: String,
    },
    /// Attaches managed policies, by ARN, to a role, and puts tags on it, as `key=value`.
    ExtendRole {
        role: String,
        policies: Vec<String>,
        tags: Vec<String>,
        /// What else there is to do.
        besides: String,
    },
    /// A change that no single command makes.
    ByHand {
        resource: String,
        what: String,
    },
}

/// Who is let in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    Group(Group),
    /// The block of a VPC from which the instances come.
    Block(String),
}

/// A security group that a rule refers to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Group {
    pub id: String,
    /// The account that has it, where the rule is another account's.
    pub owner: Option<String>,
}

/// Where a new interface endpoint goes. Fixes for several subnets of a VPC become one, with one subnet for each Availability Zone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Placement {
    /// From Availability Zone to subnet.
    pub subnets: BTreeMap<String, String>,
    /// A security group of its own lets the VPC's blocks in: another endpoint's may admit too few, and private DNS takes the name for all.
    pub vpc_blocks: Vec<String>,
    /// The name of that group: a VPC holds no two of the same.
    pub group_name: String,
}

impl Change {
    /// A stable word for the kind of change.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::AllowEgress { .. } => "allow-egress",
            Self::AllowEndpointIngress { .. } => "allow-endpoint-ingress",
            Self::AllowInNetworkAcl { .. } => "allow-in-network-acl",
            Self::AssociateGatewayEndpoint { .. } => "associate-gateway-endpoint",
            Self::CreateGatewayEndpoint { .. } => "create-gateway-endpoint",
            Self::CreateInterfaceEndpoint { .. } => "create-interface-endpoint",
            Self::EnablePrivateDns { .. } => "enable-private-dns",
            Self::EnableVpcAttribute { .. } => "enable-vpc-attribute",
            Self::AttachInstanceProfile { .. } => "attach-instance-profile",
            Self::ReplaceInstanceProfile { .. } => "replace-instance-profile",
            Self::EnableMetadataEndpoint { .. } => "enable-metadata-endpoint",
            Self::UpdateAgent { .. } => "update-agent",
            Self::RunDiagnosis { .. } => "run-diagnosis",
            Self::ExtendRole { .. } => "extend-role",
            Self::ByHand { .. } => "by-hand",
        }
    }

    /// The id of what is changed.
    pub fn resource(&self) -> &str {
        match self {
            Self::AllowEgress { group, .. } | Self::AllowEndpointIngress { group, .. } => group,
            Self::AllowInNetworkAcl { acl, .. } => acl,
            Self::AssociateGatewayEndpoint { route_table, .. } => route_table,
            Self::CreateGatewayEndpoint { vpc, .. } | Self::CreateInterfaceEndpoint { vpc, .. } | Self::EnableVpcAttribute { vpc, .. } => {
                vpc
            }
            Self::EnablePrivateDns { endpoint } => endpoint,
            Self::AttachInstanceProfile { instance, .. }
            | Self::ReplaceInstanceProfile { instance, .. }
            | Self::EnableMetadataEndpoint { instance }
            | Self::UpdateAgent { instance }
            | Self::RunDiagnosis { instance } => instance,
            Self::ExtendRole { role, .. } => role,
            Self::ByHand { resource, .. } => resource,
        }
    }

    /// What makes two changes one: everything but where a new endpoint is put, which route tables lead to it, and which of a group's endpoints it is
    /// about.
    pub fn key(&self) -> String {
        match self {
            Self::CreateInterfaceEndpoint { vpc, service_name, .. } | Self::CreateGatewayEndpoint { vpc, service_name, .. } => {
                format!("{} {vpc} {service_name}", self.kind())
            }
            // AWS refuses the same permission of a group a second time.
            Self::AllowEndpointIngress { group, from, .. } => format!("{} {group} {from:?}", self.kind()),
            other => format!("{} {other:?}", other.kind()),
        }
    }

    /// Takes over what another change with the same key adds.
    pub fn absorb(&mut self, other: Self) {
        match (self, other) {
            (Self::CreateInterfaceEndpoint { placement, .. }, Self::CreateInterfaceEndpoint { placement: more, .. }) => {
                for (zone, subnet) in more.subnets {
                    placement.subnets.entry(zone).or_insert(subnet);
                }
            }
            (Self::CreateGatewayEndpoint { route_tables, .. }, Self::CreateGatewayEndpoint { route_tables: more, .. }) => {
                route_tables.extend(more);
            }
            (Self::AllowEndpointIngress { endpoint, .. }, Self::AllowEndpointIngress { endpoint: more, .. })
                if !endpoint.split(", ").any(|one| one == more) =>
            {
                endpoint.push_str(", ");
                endpoint.push_str(&more);
            }
            _ => {}
        }
    }

    /// The change in one sentence.
    pub fn title(&self) -> String {
        match self {
            Self::AllowEgress { group, to, port, .. } => format!("Allow outbound TCP {port} from {group} to {}", destination(to)),
            Self::AllowEndpointIngress { endpoint, group, from } => {
                let from = match from {
                    Origin::Group(Group { id, .. }) | Origin::Block(id) => id,
                };
                format!("Allow inbound TCP 443 from {from} on {group}, the security group of {endpoint}")
            }
            Self::AllowInNetworkAcl { acl, is_egress, addresses, ports, .. } => {
                let direction = if *is_egress { "outbound to" } else { "inbound from" };
                format!("Allow TCP {} {direction} {} in {acl}, before the rule that denies it", port_range(*ports), few(addresses))
            }
            Self::AssociateGatewayEndpoint { endpoint, route_table } => {
                format!("Associate gateway endpoint {endpoint} with route table {route_table}")
            }
            Self::CreateGatewayEndpoint { vpc, service_name, route_tables } => {
                let tables: Vec<String> = route_tables.iter().cloned().collect();
                format!("Create the gateway endpoint for {service_name} in {vpc}, associated with {}", few(&tables))
            }
            Self::CreateInterfaceEndpoint { vpc, service_name, .. } => {
                format!(
                    "Create the interface endpoint for {service_name} in {vpc}, with private DNS (or give the subnets a route to a NAT gateway)"
                )
            }
            Self::EnablePrivateDns { endpoint } => format!("Turn on private DNS of {endpoint}"),
            Self::EnableVpcAttribute { vpc, attribute } => format!("Turn on {attribute} of {vpc}"),
            Self::AttachInstanceProfile { instance, profile: Some(profile) } => format!("Attach instance profile {profile} to {instance}"),
            Self::AttachInstanceProfile { instance, profile: None } => {
                format!(
                    "Attach an instance profile with AmazonSSMManagedInstanceCore to {instance}, or turn on Default Host Management Configuration"
                )
            }
            Self::ReplaceInstanceProfile { instance, profile: Some(profile) } => {
                format!("Put instance profile {profile} in the place of that of {instance}")
            }
            Self::ReplaceInstanceProfile { instance, profile: None } => {
                format!("Put an instance profile with AmazonSSMManagedInstanceCore in the place of that of {instance}")
            }
            Self::EnableMetadataEndpoint { instance } => format!("Turn on the metadata endpoint of {instance}"),
            Self::UpdateAgent { instance } => format!("Update SSM Agent on {instance}"),
            Self::RunDiagnosis { instance } => {
                format!("Find out why the agent of {instance} does not report, with AWS's read-only runbook")
            }
            Self::ExtendRole { role, policies, tags, besides } => {
                let names: Vec<&str> = policies.iter().map(|arn| arn.rsplit('/').next().unwrap_or(arn)).collect();
                let steps = [("attach", names.join(" and ")), ("put on it the tag", tags.join(" and the tag "))];
                let mut steps: Vec<String> =
                    steps.iter().filter(|(_, what)| !what.is_empty()).map(|(verb, what)| format!("{verb} {what}")).collect();
                steps.extend((!besides.is_empty()).then(|| besides.clone()));
                format!("To the role {role}: {}", steps.join(", and "))
            }
            Self::ByHand { what, .. } => what.clone(),
        }
    }

    /// The commands, in order.
    pub fn commands(&self, region: &str) -> Vec<String> {
        let ec2 = |words: &[&str]| command("ec2", region, words);
        match self {
            Self::AllowEgress { group, to, owner, port } => permissions(to, owner.as_deref())
                .iter()
                .map(|far_end| ec2(&["authorize-security-group-egress", "--group-id", group, "--ip-permissions", &tcp(*port, far_end)]))
                .collect(),
            Self::AllowEndpointIngress { group, from, .. } => {
                vec![ec2(&["authorize-security-group-ingress", "--group-id", group, "--ip-permissions", &https(&origin(from))])]
            }
            Self::AllowInNetworkAcl { acl, is_egress, addresses, ports, rule_number: Some(number) } => {
                commands::acl_entries(region, acl, *is_egress, addresses, *ports, *number)
            }
            Self::AllowInNetworkAcl { rule_number: None, .. }
            | Self::AttachInstanceProfile { profile: None, .. }
            | Self::ReplaceInstanceProfile { profile: None, .. }
            | Self::ByHand { .. } => Vec::new(),
            Self::AssociateGatewayEndpoint { endpoint, route_table } => {
                vec![ec2(&["modify-vpc-endpoint", "--vpc-endpoint-id", endpoint, "--add-route-table-ids", route_table])]
            }
            Self::CreateGatewayEndpoint { vpc, service_name, route_tables } => {
                let words = ["create-vpc-endpoint", "--vpc-endpoint-type", "Gateway", "--vpc-id", vpc, "--service-name", service_name];
                let tables = std::iter::once("--route-table-ids").chain(route_tables.iter().map(String::as_str));
                vec![ec2(&words.into_iter().chain(tables).collect::<Vec<_>>())]
            }
            Self::CreateInterfaceEndpoint { vpc, service_name, placement } => interface_endpoint(region, vpc, service_name, placement),
            Self::EnablePrivateDns { endpoint } => {
                vec![ec2(&["modify-vpc-endpoint", "--vpc-endpoint-id", endpoint, "--private-dns-enabled"])]
            }
            Self::EnableVpcAttribute { vpc, attribute } => {
                let option = if attribute == "enableDnsSupport" { "--enable-dns-support" } else { "--enable-dns-hostnames" };
                vec![ec2(&["modify-vpc-attribute", "--vpc-id", vpc, option, r#"{"Value":true}"#])]
            }
            Self::AttachInstanceProfile { instance, profile: Some(profile) } => {
                let name = format!("Name={profile}");
                vec![ec2(&["associate-iam-instance-profile", "--instance-id", instance, "--iam-instance-profile", &name])]
            }
            Self::ReplaceInstanceProfile { instance, profile: Some(profile) } => commands::profile_replacement(region, instance, profile),
            Self::EnableMetadataEndpoint { instance } => {
                vec![ec2(&["modify-instance-metadata-options", "--instance-id", instance, "--http-endpoint", "enabled"])]
            }
            Self::ExtendRole { role, policies, tags, .. } => {
                let attach = policies.iter().map(|arn| iam(&["attach-role-policy", "--role-name", role, "--policy-arn", arn]));
                let tag = tags
                    .iter()
                    .filter_map(|tag| tag.split_once('='))
                    .map(|(key, value)| iam(&["tag-role", "--role-name", role, "--tags", &format!("Key={key},Value={value}")]));
                attach.chain(tag).collect()
            }
            Self::UpdateAgent { instance } => {
                vec![command("ssm", region, &["send-command", "--document-name", "AWS-UpdateSSMAgent", "--instance-ids", instance])]
            }
            Self::RunDiagnosis { instance } => {
                let parameter = format!("InstanceId={instance}");
                let words =
                    ["start-automation-execution", "--document-name", "AWSSupport-TroubleshootManagedInstance", "--parameters", &parameter];
                vec![command("ssm", region, &words)]
            }
        }
    }

    /// How to take the change back, as a fragment of a sentence.
    pub fn undo(&self) -> &'static str {
        match self {
            Self::AllowEgress { .. } => "revoke-security-group-egress with the same permission",
            Self::AllowEndpointIngress { .. } => "revoke-security-group-ingress with the same permission",
            Self::AllowInNetworkAcl { .. } => "remove the entry with the same rule number",
            Self::AssociateGatewayEndpoint { .. } => "modify-vpc-endpoint with --remove-route-table-ids",
            Self::CreateGatewayEndpoint { .. } | Self::CreateInterfaceEndpoint { .. } => "remove the endpoint",
            Self::EnablePrivateDns { .. } => "modify-vpc-endpoint with --no-private-dns-enabled",
            Self::EnableVpcAttribute { .. } => "modify-vpc-attribute with the value false",
            Self::AttachInstanceProfile { .. } => "disassociate-iam-instance-profile",
            Self::ReplaceInstanceProfile { .. } => "replace-iam-instance-profile-association with the name of the old profile",
            Self::EnableMetadataEndpoint { .. } => "modify-instance-metadata-options with --http-endpoint disabled",
            Self::UpdateAgent { .. } => "send AWS-UpdateSSMAgent with the version parameter of the old agent and allowDowngrade true",
            Self::RunDiagnosis { .. } => "nothing to take back: the runbook changes nothing",
            Self::ExtendRole { .. } => "detach-role-policy and untag-role with the same names",
            Self::ByHand { .. } => "depends on the change",
        }
    }
}

pub(super) fn destination(to: &Destination) -> String {
    match to {
        Destination::PrefixList(id) => id.clone(),
        // One of the groups that the far end carries is enough.
        Destination::Groups(groups) => groups.first().cloned().unwrap_or_default(),
        Destination::Blocks(blocks) => few(blocks),
        Destination::Internet => "0.0.0.0/0".to_owned(),
        Destination::InternetIpv6 => "::/0".to_owned(),
        Destination::Nat64 => "64:ff9b::/96".to_owned(),
    }
}

fn port_range((first, last): (u16, u16)) -> String {
    if first == last { first.to_string() } else { format!("{first}-{last}") }
}

fn few(items: &[String]) -> String {
    match items {
        [first, second, third, rest @ ..] if !rest.is_empty() => format!("{first}, {second}, {third} and {} more", rest.len()),
        _ => items.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::{Change, Destination};

    #[test]
    fn a_role_gets_what_it_lacks() {
        let extend = |policies: &[&str], tags: &[&str], besides: &str| {
            let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
            let change =
                Change::ExtendRole { role: "web".to_owned(), policies: texts(policies), tags: texts(tags), besides: besides.to_owned() };
            (change.title(), change.commands("eu-central-1"))
        };
        let (title, commands) = extend(&["arn:aws:iam::aws:policy/Core"], &["QSConfigId-a=a", "QSConfigId-b=b"], "");
        assert_eq!(title, "To the role web: attach Core, and put on it the tag QSConfigId-a=a and the tag QSConfigId-b=b");
        assert_eq!(
            commands,
            [
                "aws iam attach-role-policy --role-name web --policy-arn arn:aws:iam::aws:policy/Core",
                "aws iam tag-role --role-name web --tags Key=QSConfigId-a,Value=a",
                "aws iam tag-role --role-name web --tags Key=QSConfigId-b,Value=b",
            ]
        );
        let (title, commands) = extend(&["arn:aws:iam::aws:policy/Core"], &[], "take away what denies it");
        assert_eq!((title.as_str(), commands.len()), ("To the role web: attach Core, and take away what denies it", 1));
    }

    #[test]
    fn an_id_from_a_hostile_snapshot_stays_one_word() {
        let change = Change::AllowEgress {
            group: "sg-1'; rm -rf ~".to_owned(),
            to: Destination::PrefixList("pl-1".to_owned()),
            owner: None,
            port: 443,
        };
        let commands = change.commands("eu-central-1");
        assert_eq!(
            commands,
            [
                r"aws ec2 authorize-security-group-egress --region eu-central-1 --group-id 'sg-1'\''; rm -rf ~' --ip-permissions 'IpProtocol=tcp,FromPort=443,ToPort=443,PrefixListIds=[{PrefixListId=pl-1}]'"
            ]
        );
    }
}
