//! The rows of the truth table in which the instance's VPC is another account's, or the instance has more than one interface.

use patch_preflight::network::Target::{self, S3, Ssm};
use patch_preflight::network::Verdict::{Blocked, Reachable, Unknown};
use patch_preflight::snapshot::RegionFiles;
use patch_preflight::snapshot::ec2;

use crate::topology::{REGION, Topology, base, group_id, https_group, https_to, route_to, security_group, some};
use crate::truth_table::check;

const OWNER: &str = "222222222222";

/// The instance is a participant's; VPC, subnets, routes and endpoints are those of another account, which was seen or not.
fn shared(network: Topology, owner_was_seen: bool) -> Topology {
    let mut participant = network.with(|files| {
        files.subnets.as_mut().unwrap().subnets.iter_mut().for_each(|subnet| subnet.owner_id = some(OWNER));
        files.vpcs.as_mut().unwrap().vpcs.iter_mut().for_each(|vpc| vpc.owner_id = some(OWNER));
    });
    let owner = RegionFiles { instances: Some(ec2::DescribeInstances::default()), ..participant.files.clone() };
    if owner_was_seen {
        participant.others.insert((OWNER.to_owned(), REGION.to_owned()), owner);
    }
    // A participant sees its own groups, and neither endpoints nor NAT gateways.
    participant.with(|files| {
        files.vpc_endpoints = Some(ec2::DescribeVpcEndpoints { vpc_endpoints: vec![] });
        files.nat_gateways = Some(ec2::DescribeNatGateways { nat_gateways: vec![] });
        files.security_groups.as_mut().unwrap().security_groups.retain(|group| group.group_id.as_deref() == Some("sg-i"));
    })
}

#[test]
fn shared_subnets() {
    let by_group = || base().endpoints().endpoint_ingress(&[https_group("sg-i")]);
    check(vec![
        ("127", shared(base().nat().ubuntu(), false), Target::Repository, Unknown, &["owner_account_not_collected"]),
        ("127", shared(by_group(), false), Ssm, Unknown, &["owner_account_not_collected"]),
        ("127, nothing leaves the instance", shared(by_group().egress(&[]), false), Ssm, Blocked, &["SG_HAS_NO_RULES"]),
        ("128", shared(by_group(), true), Ssm, Reachable, &[]),
        ("128, by block", shared(base().endpoints(), true), Ssm, Reachable, &[]),
        (
            "128, the owner's group lets others in",
            shared(base().endpoints().endpoint_ingress(&[https_to("10.9.0.0/16")]), true),
            Ssm,
            Blocked,
            &["ENI_SG_RULES_MISMATCH"],
        ),
        ("128, the owner's NAT gateway", shared(base().nat(), true), S3, Reachable, &[]),
    ]);
}

/// A participant's instance that the owner's endpoint lets in by its group, which assumption A-128 is about.
pub(crate) fn let_in_by_group() -> Topology {
    shared(base().endpoints().endpoint_ingress(&[https_group("sg-i")]), true)
}

#[test]
fn only_a_reference_between_accounts_is_assumed() {
    let hangs = |topology: Topology| topology.path(Ssm).notes.iter().any(|note| note.starts_with("Model assumption A-128: "));
    assert!(hangs(let_in_by_group()));
    assert!(!hangs(shared(base().endpoints().endpoint_ingress(&[https_group("sg-i"), https_to("10.0.1.0/24")]), true)));
    assert!(!hangs(base().endpoints().endpoint_ingress(&[https_group("sg-i")])));
}

/// Row 104: the second interface, in the public subnet, has the public address; the default route is the first one's.
pub(crate) fn two_interfaces() -> Topology {
    base().route("rtb-main", route_to("0.0.0.0/0", "igw-1")).instance(|instance| {
        instance.network_interfaces.push(ec2::InstanceNetworkInterface {
            network_interface_id: some("eni-2"),
            vpc_id: some("vpc-1"),
            subnet_id: some("subnet-u"),
            private_ip_address: some("10.0.9.10"),
            association: Some(ec2::NetworkInterfaceAssociation { public_ip: some("18.1.2.3"), ..Default::default() }),
            attachment: Some(ec2::InstanceNetworkInterfaceAttachment { device_index: Some(1), ..Default::default() }),
            groups: vec![group_id("sg-i")],
            ..Default::default()
        });
    })
}

/// The first in the list is for EFA alone: the first device of the second network card, in a group that lets nothing out.
fn efa_first() -> Topology {
    let at = |card: i32| {
        Some(ec2::InstanceNetworkInterfaceAttachment { device_index: Some(0), network_card_index: Some(card), ..Default::default() })
    };
    base()
        .nat()
        .with(|files| files.security_groups.as_mut().unwrap().security_groups.push(security_group("sg-efa", vec![], vec![])))
        .instance(|instance| {
            let own = &mut instance.network_interfaces;
            own[0].attachment = at(0);
            let efa = ec2::InstanceNetworkInterface {
                network_interface_id: some("eni-efa"),
                private_ip_address: None,
                groups: vec![group_id("sg-efa")],
                attachment: at(1),
                ..own[0].clone()
            };
            own.insert(0, efa);
        })
}

#[test]
fn the_primary_interface_decides_and_the_other_is_told() {
    let path = two_interfaces().path(Ssm);
    assert_eq!(
        path.notes,
        [
            "Model assumption A-104: the instance's other interface eni-2 would be reachable; its primary interface eni-i decides, which is blocked."
        ]
    );
    let without_cards = |topology: Topology| {
        topology.instance(|instance| {
            let attachments = instance.network_interfaces.iter_mut().filter_map(|interface| interface.attachment.as_mut());
            attachments.for_each(|attachment| attachment.network_card_index = None);
        })
    };
    check(vec![
        ("104", two_interfaces(), Ssm, Blocked, &["IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS"]),
        ("an interface for EFA alone", efa_first(), Ssm, Reachable, &[]),
        ("interfaces without their cards", without_cards(efa_first()), Ssm, Unknown, &["fact_not_collected"]),
    ]);
}
