//! What holds of every row: files that are missing, lists in another order, members that are not told, assumptions that are.

use patch_preflight::network::Target::{S3, Ssm};
use patch_preflight::network::Verdict::{Blocked, Reachable, Unknown};
use patch_preflight::snapshot::ec2;

use super::{check, eps, full};
use crate::dns_servers::server;
use crate::forwarders::mirror_beside;
use crate::hub::by_gateway;
use crate::process::repository;
use crate::resolver::profile;
use crate::shared::{let_in_by_group, two_interfaces};
use crate::topology::{ALL_IN, ALL_OUT, Topology, acl, allow, base, blackhole, https_group, https_to, https_to_list, route_to};

fn brought() -> Topology {
    let endpoint = "arn:aws:ec2:eu-central-1:222222222222:vpc-endpoint/vpce-h-ssm";
    profile(by_gateway(vec![https_to("10.0.0.0/16")]).hub_private_dns(true), &[endpoint])
}

/// Law 4 of the snapshot: taking a file away may turn an answer into `unknown`; it never makes one better.
#[test]
fn taking_a_file_away_never_makes_a_path_better() {
    let closed = || eps().nat().endpoint_ingress(&[]);
    let topologies = vec![
        ("base", base()),
        ("endpoints", full()),
        ("nat", base().nat()),
        ("closed", closed()),
        ("acl", full().subnet_acl("subnet-p", &[ALL_IN])),
        ("custom dns", eps().dns_servers(&["10.9.9.9"])),
        ("phz", base().nat().hosted_zone("amazonaws.com.", &[])),
        ("egress", full().egress(&[https_to("10.0.0.0/16")])),
        ("blackhole", base().nat().route("rtb-main", blackhole("pl-s3", "vpce-gone"))),
        ("gateway only", base().gateway_endpoint("rtb-main")),
        ("egress to the endpoint's group", full().egress(&[https_group("sg-e")])),
        ("egress to the list", full().egress(&[https_to_list("pl-s3")])),
        ("own group", eps().endpoint_ingress(&[https_group("sg-i")])),
        ("block public access", base().nat().block_public_access("block-bidirectional", &[])),
        ("encryption", full().nat().enforcing(&["igw"]).ubuntu()),
        ("encryption, with exclusions", base().nat().enforcing(&["igw", "nat"])),
        ("a DNS server in the VPC", server(vec![allow("udp", 53, 53, "10.0.0.0/16")])),
        ("a closed DNS server in the VPC", server(vec![https_to("10.0.0.0/16")])),
        ("a mirror", mirror_beside("subnet-e", "10.0.2.50", vec![https_to("10.0.1.0/24")])),
        ("a mirror by groups", mirror_beside("subnet-e", "10.0.2.50", vec![https_group("sg-i")]).egress(&[https_group("sg-nat")])),
        ("a closed mirror", mirror_beside("subnet-e", "10.0.2.50", vec![])),
        ("a hub's endpoint", by_gateway(vec![https_to("10.0.0.0/16")]).zone_to_hub()),
        ("a Profile's endpoint", brought()),
        ("a Profile's zone beside an endpoint of the VPC's own", profile(full(), &["arn:aws:route53:::hostedzone/Z9"])),
    ];
    for (name, topology) in topologies {
        let before = topology.paths();
        let places: Vec<_> = std::iter::once(None).chain(topology.others.keys().cloned().map(Some)).collect();
        let pairs =
            places.iter().flat_map(|place| patch_preflight::snapshot::RegionFiles::FILES.iter().map(move |(file, _)| (place, file)));
        for (place, file) in pairs {
            let mut less = topology.clone();
            let files = place.as_ref().map_or(Some(&mut less.files), |place| less.others.get_mut(place)).unwrap();
            if *file == "ec2-describe-instances.json" || !files.forget(file) {
                continue;
            }
            for (before, after) in before.iter().zip(less.paths()) {
                let is_allowed = after.verdict == before.verdict || after.verdict == Unknown;
                assert!(is_allowed, "{name} without {file}: {:?} was {:?} and is {:?}", before.target, before.verdict, after.verdict);
            }
        }
    }
}

/// What AWS lists in another order is the same network.
#[test]
fn the_order_of_lists_never_matters() {
    let reverse = |topology: &Topology| {
        topology.clone().with(|files| {
            files.route_tables.as_mut().unwrap().route_tables.iter_mut().for_each(|table| table.routes.reverse());
            files.route_tables.as_mut().unwrap().route_tables.reverse();
            files.vpc_endpoints.as_mut().unwrap().vpc_endpoints.reverse();
            files.network_interfaces.as_mut().unwrap().network_interfaces.reverse();
            files.network_acls.as_mut().unwrap().network_acls.iter_mut().for_each(|acl| acl.entries.reverse());
            for group in &mut files.security_groups.as_mut().unwrap().security_groups {
                group.ip_permissions.reverse();
                group.ip_permissions_egress.reverse();
            }
        })
    };
    let two_lists = base()
        .prefix_list("pl-a", &["52.219.0.0/16"])
        .prefix_list("pl-b", &["52.219.0.0/16"])
        .nat()
        .route("rtb-main", route_to("pl-a", "nat-1"))
        .route("rtb-main", blackhole("pl-b", "eni-gone"));
    for topology in [full(), base().nat(), two_lists, full().egress(&[https_to("10.0.0.0/16"), https_to("52.0.0.0/8")])] {
        for (left, right) in topology.paths().into_iter().zip(reverse(&topology).paths()) {
            assert_eq!((left.verdict, left.via, left.blockers), (right.verdict, right.via, right.blockers));
        }
    }
}

/// A hand-trimmed file may lack what decides; that is neither a pass nor a block.
#[test]
fn a_state_that_is_not_told_decides_nothing() {
    let routes = |topology: Topology| {
        topology.with(|files| {
            let tables = files.route_tables.as_mut().unwrap().route_tables.iter_mut();
            tables.flat_map(|table| &mut table.routes).for_each(|route| route.state = None);
        })
    };
    let attachments = |change: fn(&mut ec2::InternetGatewayAttachment)| {
        base().nat().with(|files| {
            files.internet_gateways.as_mut().unwrap().internet_gateways.iter_mut().flat_map(|each| &mut each.attachments).for_each(change);
        })
    };
    let endpoints = |topology: Topology| topology.each_endpoint(|endpoint| endpoint.state = None);
    check(vec![
        ("routes", routes(base().nat()), Ssm, Unknown, &["fact_not_collected"]),
        ("routes to the gateway endpoint", routes(full()), S3, Unknown, &["fact_not_collected"]),
        ("routes inside the VPC are never dead", routes(eps()), Ssm, Reachable, &[]),
        ("routes behind a block", routes(base().nat().egress(&[])), Ssm, Blocked, &["SG_HAS_NO_RULES"]),
        ("the NAT gateway", base().nat().nat_gateway(|nat| nat.state = None), Ssm, Unknown, &["fact_not_collected"]),
        ("the attachment's state", attachments(|each| each.state = None), Ssm, Unknown, &["fact_not_collected"]),
        ("the attachment's VPC", attachments(|each| each.vpc_id = None), Ssm, Unknown, &["fact_not_collected"]),
        ("the interface endpoint, without another way", endpoints(eps()), Ssm, Unknown, &["fact_not_collected"]),
        ("the interface endpoint, with one", endpoints(eps()).nat(), Ssm, Reachable, &[]),
        ("the gateway endpoint", endpoints(full()), S3, Unknown, &["fact_not_collected"]),
    ]);
}

#[test]
fn an_acl_with_half_a_rule_decides_nothing() {
    let broken = full().with(|files| {
        let mut own = acl("acl-p", &["subnet-p"], &[ALL_IN, ALL_OUT]);
        own.entries[0].rule_action = None;
        let acls = &mut files.network_acls.as_mut().unwrap().network_acls;
        acls[0].associations.retain(|association| association.subnet_id.as_deref() != Some("subnet-p"));
        acls.push(own);
    });
    let half_a_permission = full().egress(&[ec2::IpPermission { from_port: None, ..https_to("0.0.0.0/0") }]);
    check(vec![
        ("half a rule", broken, Ssm, Unknown, &["fact_not_collected"]),
        ("half a permission", half_a_permission, Ssm, Unknown, &["fact_not_collected"]),
        ("a block that is none", full().egress(&[https_to("10.0.0.0/99")]), Ssm, Unknown, &["fact_not_collected"]),
    ]);
}

/// Rows whose verdict hangs on what AWS does not document carry the assumption's name.
#[test]
fn assumptions_are_told() {
    let filtered = base().route("rtb-main", ec2::Route { state: Some("filtered".into()), ..route_to("0.0.0.0/0", "nat-1") });
    let ports = eps().subnet_acl("subnet-p", &["100 in tcp 1024-60000 0.0.0.0/0 allow", ALL_OUT]);
    let regional = base().nat().nat_gateway(|nat| {
        nat.availability_mode = Some("regional".into());
        nat.subnet_id = None;
        nat.route_table_id = Some("rtb-u".into());
        nat.auto_provision_zones = Some("enabled".into());
    });
    let two_zones = base()
        .endpoint_group("sg-e", vec![https_to("10.0.0.0/16")])
        .endpoint("ssm", &["subnet-e", "subnet-u"])
        .subnet_acl("subnet-u", &[ALL_OUT]);
    let excluded = base().nat().block_public_access("block-bidirectional", &[("subnet-u", "allow-egress")]);
    let custom_dns = |topology: Topology| topology.dns_servers(&["10.9.9.9"]).nat().route("rtb-main", route_to("10.9.0.0/16", "vgw-1"));
    let of_type = |kind: &str| eps().each_endpoint(|endpoint| endpoint.vpc_endpoint_type = Some(kind.into())).nat();
    let rows = vec![
        (20, filtered),
        (47, ports),
        (68, custom_dns(eps())),
        (85, two_zones),
        (93, of_type("Tunnel")),
        (101, regional),
        (104, two_interfaces()),
        (110, excluded),
        (128, let_in_by_group()),
    ];
    let page = std::fs::read_to_string(repository("docs/reachability.md")).unwrap();
    let documented: Vec<String> = page.lines().filter_map(|line| Some(line.strip_prefix("| A-")?.split_once(' ')?.0.to_owned())).collect();
    assert_eq!(documented, rows.iter().map(|(number, _)| number.to_string()).collect::<Vec<_>>());
    let carries = |topology: &Topology, number: u8| {
        let mark = format!("Model assumption A-{number}: ");
        topology.path(Ssm).notes.iter().any(|note| note.starts_with(&mark))
    };
    for (number, topology) in rows {
        assert!(carries(&topology, number), "A-{number} is missing: {:?}", topology.path(Ssm).notes);
    }
    assert!(full().paths().iter().all(|path| path.notes.is_empty()));
    // A verdict that does not hang on it does not carry it.
    assert!(carries(&eps().nat().forward_rule("ssm.eu-central-1.amazonaws.com"), 68));
    assert!(!carries(&custom_dns(eps()).egress(&[]), 68), "nothing leaves the instance, whatever the name leads to");
    assert!(!carries(&eps().dns_servers(&["10.9.9.9"]), 68), "an unknown assumes nothing");
    assert!(!carries(&of_type("Gateway"), 93));
    assert!(!carries(&of_type("Tunnel").egress(&[]), 93));
    assert!(!carries(&of_type("Tunnel").each_endpoint(|endpoint| endpoint.private_dns_enabled = Some(false)), 93));
}
