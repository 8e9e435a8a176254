//! What is said beside the verdict: exactly these blockers and unknowns, in this order, and where a blocker sits. A blocker too many costs somebody an
//! hour, and so does an unknown that settles nothing.

use patch_preflight::network::Target::{self, Repository, S3, Ssm};
use patch_preflight::network::Verdict::{Blocked, Reachable, Unknown};
use patch_preflight::network::{Authorization, Place, Verdict};
use patch_preflight::snapshot::ec2;

use crate::hub::{central, central_egress};
use crate::topology::{ALL_IN, ALL_OUT, Topology, base, https_to, route_to, some};

/// The row's name, its topology, the target, the verdict, and all codes in their order: of the blockers, then of the unknowns.
type Row = (&'static str, Topology, Target, Verdict, &'static [&'static str]);

fn check(rows: Vec<Row>) {
    for (name, topology, target, verdict, codes) in rows {
        let path = topology.path(target);
        let blockers = path.blockers.iter().map(|blocker| blocker.code.as_str());
        let said: Vec<&str> = blockers.chain(path.unknowns.iter().map(|unknown| unknown.code.as_str())).collect();
        assert_eq!((path.verdict, said.as_slice()), (verdict, codes), "{name}: {path:#?}");
    }
}

#[test]
fn nothing_is_blamed_that_is_not_in_the_way() {
    let closed = || base().egress(&[]);
    check(vec![
        ("a closed group with a NAT gateway behind it needs no endpoint", closed().nat(), Ssm, Blocked, &["SG_HAS_NO_RULES"]),
        ("nor does S3", closed().nat(), S3, Blocked, &["SG_HAS_NO_RULES"]),
        (
            "without a way out both are in the way",
            closed(),
            Ssm,
            Blocked,
            &["NO_ROUTE_TO_DESTINATION", "SG_HAS_NO_RULES", "ENDPOINT_MISSING"],
        ),
        (
            "nor does a network ACL make an endpoint missing",
            base().nat().subnet_acl("subnet-p", &[ALL_IN]),
            Ssm,
            Blocked,
            &["SUBNET_ACL_RESTRICTION"],
        ),
        (
            "a hosted zone that leads to the hub's endpoint is not captured by it",
            central()
                .hub(|files| {
                    let groups = &mut files.security_groups.as_mut().unwrap().security_groups;
                    for group in groups {
                        group.ip_permissions.clear();
                    }
                })
                .nat(),
            Ssm,
            Blocked,
            &["SG_HAS_NO_RULES"],
        ),
        (
            "beside the attachment no network ACL stands before the NAT gateway",
            central_egress().hub(|files| {
                files.nat_gateways.as_mut().unwrap().nat_gateways[0].subnet_id = some("subnet-hp");
            }),
            Ssm,
            Blocked,
            &["CANNOT_ROUTE", "ENDPOINT_MISSING"],
        ),
        (
            "in the NAT gateway's own subnet",
            base()
                .nat()
                .nat_gateway(|nat| nat.subnet_id = some("subnet-p"))
                .subnet_acl("subnet-p", &["100 in tcp 1024-65535 0.0.0.0/0 allow", ALL_OUT]),
            Ssm,
            Blocked,
            &["CANNOT_ROUTE", "ENDPOINT_MISSING"],
        ),
    ]);
}

#[test]
fn what_to_look_at_first_comes_first() {
    let closed = || base().endpoints().egress(&[]).endpoint_ingress(&[]).subnet_acl("subnet-p", &[ALL_IN]);
    check(vec![
        ("the groups, then the network ACLs", closed(), Ssm, Blocked, &["SG_HAS_NO_RULES", "SG_HAS_NO_RULES", "SUBNET_ACL_RESTRICTION"]),
        (
            "an endpoint that is down, before all",
            closed().each_endpoint(|endpoint| endpoint.state = some("failed")),
            Ssm,
            Blocked,
            &["BAD_STATE", "NO_ROUTE_TO_DESTINATION", "SG_HAS_NO_RULES", "SUBNET_ACL_RESTRICTION"],
        ),
        (
            "the name, before the way out",
            base().endpoints().egress(&[]).each_endpoint(|endpoint| endpoint.private_dns_enabled = Some(false)),
            Ssm,
            Blocked,
            &["DNS_PRIVATE_DNS_OFF", "NO_ROUTE_TO_DESTINATION", "SG_HAS_NO_RULES"],
        ),
    ]);
    let places: Vec<bool> =
        closed().path(Ssm).blockers.iter().map(|blocker| matches!(blocker.place, Place::InstanceEgress { .. })).collect();
    assert_eq!(places, [true, false, false], "the instance's own group before the endpoint's");
}

#[test]
fn unknowns_are_those_that_matter() {
    let some_of_aws = || base().nat().egress(&[https_to("3.0.0.0/8")]);
    check(vec![
        (
            "a part of the addresses that may be the service's",
            some_of_aws(),
            Ssm,
            Unknown,
            &["ENI_SG_RULES_MISMATCH", "partial_public_range"],
        ),
        ("an attachment that is not known", base().route("rtb-main", route_to("0.0.0.0/0", "vgw-1")), Ssm, Unknown, &["on_prem"]),
        ("resolvers of the user's own, on Linux", base().endpoints().dns_servers(&["10.9.9.9"]), Ssm, Unknown, &["custom_dns"]),
    ]);
}

/// A route of the instance's own table is one that a fix can name; one of the hub's is not.
#[test]
fn a_route_sits_where_the_instance_is() {
    let places = |topology: &Topology, target| {
        let path = topology.path(target);
        let of_routes = path.blockers.iter().filter(|blocker| blocker.code.as_str() == "NO_ROUTE_TO_DESTINATION");
        of_routes.map(|blocker| blocker.place.clone()).collect::<Vec<_>>()
    };
    let own = places(&base(), S3);
    assert!(matches!(own.as_slice(), [Place::Route { route_table, .. }] if route_table == "rtb-main"), "{own:?}");
    let without = central_egress().hub(|files| {
        let tables = files.route_tables.as_mut().unwrap().route_tables.iter_mut();
        tables.for_each(|table| table.routes.retain(|route| route.nat_gateway_id.is_none()));
    });
    assert_eq!(places(&without, S3), [Place::Other]);
}

/// Of two ways only one meets the endpoint whose policy refuses.
#[test]
fn a_refusal_by_one_way_alone_is_not_known() {
    let refusing = base().endpoints().nat().each_endpoint(|endpoint| {
        endpoint.policy_document =
            some(r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}]}"#);
    });
    assert!(matches!(refusing.path(Ssm).authorization, Authorization::Denied { .. }));
    let either = refusing.dns_servers(&["10.9.9.9"]).path(Ssm);
    assert_eq!(either.verdict, Reachable, "{either:#?}");
    assert!(matches!(either.authorization, Authorization::Unknown(_)), "{either:#?}");
}

#[test]
fn a_gateway_endpoint_tells_of_host_names() {
    let topology = base().gateway_endpoint("rtb-main").dns_attributes(true, false).amazon_linux_2023();
    for target in [S3, Repository] {
        let path = topology.path(target);
        assert_eq!(path.verdict, Reachable);
        assert!(path.notes.iter().any(|note| note.contains("enableDnsHostnames of vpc-1 is off")), "{path:#?}");
    }
}

/// The public address of a secondary private address is not the one that the instance sends from.
#[test]
fn a_public_address_is_the_first_ones() {
    let address = |primary, public: bool| ec2::InstancePrivateIpAddress {
        primary: Some(primary),
        association: public.then(|| ec2::NetworkInterfaceAssociation { public_ip: some("18.1.2.3"), ..Default::default() }),
        ..Default::default()
    };
    let with = |addresses: Vec<ec2::InstancePrivateIpAddress>| {
        base()
            .route("rtb-main", route_to("0.0.0.0/0", "igw-1"))
            .instance(|instance| instance.network_interfaces[0].private_ip_addresses = addresses)
    };
    check(vec![
        ("the first's", with(vec![address(false, false), address(true, true)]), S3, Reachable, &[]),
        (
            "the second's",
            with(vec![address(false, true), address(true, false)]),
            S3,
            Blocked,
            &["IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS", "ENDPOINT_MISSING"],
        ),
    ]);
}
