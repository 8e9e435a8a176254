//! The AWS CLI commands of changes.

use super::change::{Origin, Placement, destination};
use crate::network::Destination;

pub(super) fn interface_endpoint(region: &str, vpc: &str, service_name: &str, placement: &Placement) -> Vec<String> {
    let mut commands = Vec::new();
    let create = command(
        "ec2",
        region,
        &[
            "create-security-group",
            "--vpc-id",
            vpc,
            "--group-name",
            &placement.group_name,
            "--description",
            "HTTPS to the interface endpoint",
            "--query",
            "GroupId",
            "--output",
            "text",
        ],
    );
    commands.push(format!("GROUP=$({create})"));
    for block in &placement.vpc_blocks {
        let permission = https(&range(block));
        let authorize = command("ec2", region, &["authorize-security-group-ingress", "--ip-permissions", &permission]);
        commands.push(format!("{authorize} --group-id \"$GROUP\""));
    }
    let subnets: Vec<String> = placement.subnets.values().map(|subnet| quote(subnet)).collect();
    let create = command(
        "ec2",
        region,
        &["create-vpc-endpoint", "--vpc-endpoint-type", "Interface", "--vpc-id", vpc, "--service-name", service_name],
    );
    commands.push(format!("{create} --subnet-ids {} --security-group-ids \"$GROUP\" --private-dns-enabled", subnets.join(" ")));
    commands
}

pub(super) fn acl_entries(
    region: &str,
    acl: &str,
    is_egress: bool,
    addresses: &[String],
    (first, last): (u16, u16),
    number: i32,
) -> Vec<String> {
    let direction = if is_egress { "--egress" } else { "--ingress" };
    let range = format!("From={first},To={last}");
    let entry = |(address, number): (&String, i32)| {
        let number = number.to_string();
        let words = ["create-network-acl-entry", "--network-acl-id", acl, direction, "--rule-number", &number, "--protocol", "tcp"];
        // The two families have options of their own (<https://docs.aws.amazon.com/cli/latest/reference/ec2/create-network-acl-entry.html>).
        let block = if address.contains(':') { "--ipv6-cidr-block" } else { "--cidr-block" };
        let far_end = ["--port-range", &range, block, address, "--rule-action", "allow"];
        command("ec2", region, &[&words[..], &far_end[..]].concat())
    };
    addresses.iter().zip(number..).map(entry).collect()
}

/// The id of the association is asked for first
/// (<https://docs.aws.amazon.com/cli/latest/reference/ec2/replace-iam-instance-profile-association.html>).
pub(super) fn profile_replacement(region: &str, instance: &str, profile: &str) -> Vec<String> {
    let filter = format!("Name=instance-id,Values={instance}");
    let query = "IamInstanceProfileAssociations[0].AssociationId";
    let words = ["describe-iam-instance-profile-associations", "--filters", &filter, "Name=state,Values=associated"];
    let find = command("ec2", region, &[&words[..], &["--query", query, "--output", "text"]].concat());
    let name = format!("Name={profile}");
    let replace = command("ec2", region, &["replace-iam-instance-profile-association", "--iam-instance-profile", &name]);
    vec![format!("ASSOCIATION=$({find})"), format!("{replace} --association-id \"$ASSOCIATION\"")]
}

pub(super) fn permissions(to: &Destination, owner: Option<&str>) -> Vec<String> {
    match to {
        Destination::PrefixList(id) => vec![format!("PrefixListIds=[{{PrefixListId={id}}}]")],
        Destination::Groups(groups) => groups.iter().take(1).map(|group| pair(group, owner)).collect(),
        Destination::Blocks(blocks) => blocks.iter().map(|block| range(block)).collect(),
        Destination::Internet | Destination::InternetIpv6 | Destination::Nat64 => vec![range(&destination(to))],
    }
}

fn range(block: &str) -> String {
    if block.contains(':') { format!("Ipv6Ranges=[{{CidrIpv6={block}}}]") } else { format!("IpRanges=[{{CidrIp={block}}}]") }
}

pub(super) fn origin(from: &Origin) -> String {
    match from {
        Origin::Group(group) => pair(&group.id, group.owner.as_deref()),
        Origin::Block(block) => range(block),
    }
}

/// A group of another account is named with it (<https://docs.aws.amazon.com/vpc/latest/userguide/vpc-sharing.html>).
fn pair(group: &str, owner: Option<&str>) -> String {
    let of_owner = owner.map_or_else(String::new, |owner| format!("UserId={owner},"));
    format!("UserIdGroupPairs=[{{{of_owner}GroupId={group}}}]")
}

pub(super) fn https(far_end: &str) -> String {
    tcp(443, far_end)
}

pub(super) fn tcp(port: u16, far_end: &str) -> String {
    format!("IpProtocol=tcp,FromPort={port},ToPort={port},{far_end}")
}

pub(super) fn command(service: &str, region: &str, words: &[&str]) -> String {
    let (operation, options) = words.split_first().unwrap_or((&"help", &[]));
    with_options(format!("aws {service} {operation} --region {}", quote(region)), options)
}

/// IAM is the same in every Region.
pub(super) fn iam(words: &[&str]) -> String {
    let (operation, options) = words.split_first().unwrap_or((&"help", &[]));
    with_options(format!("aws iam {operation}"), options)
}

fn with_options(mut line: String, options: &[&str]) -> String {
    for word in options {
        line.push(' ');
        line.push_str(&quote(word));
    }
    line
}

/// A word for a POSIX shell. Ids come from a snapshot, which anybody may have written.
fn quote(word: &str) -> String {
    let is_plain = !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || "-_./:=,@+".contains(c));
    if is_plain { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}
