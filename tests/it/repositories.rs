//! The rows of the truth table that concern package repositories: other ports, other hosts, S3 under its dual-stack names.

use patch_preflight::model::Assumption;
use patch_preflight::model::known::Unknown as Why;
use patch_preflight::network::Target::Repository;
use patch_preflight::network::Verdict::{Blocked, NotNeeded, Partial, Reachable, Unknown};
use patch_preflight::network::{Alternative, AnsweredBy, Goal, Sources, Wanted};
use patch_preflight::snapshot::ec2;

use crate::topology::{Topology, allow, base, blackhole, group_id, https_to, https_to_list, route_to, some};
use crate::truth_table::check;

/// "3EP + gwS3"
fn full() -> Topology {
    base().endpoints().gateway_endpoint("rtb-main")
}

fn wanted(host: &str, port: u16, answered_by: AnsweredBy, perhaps: bool) -> Wanted {
    let why = Why::new("repository_port", "i-1", "look on the instance");
    Wanted { goal: Goal::of_repository(host, port, answered_by, Some(false), true), perhaps: perhaps.then_some(why) }
}

fn sources(mut topology: Topology, alternatives: Vec<Vec<Wanted>>) -> Topology {
    let several = alternatives.len() > 1;
    let doubt = Why::new("repository_unknown", "i-1", "look on the instance");
    let alternatives = alternatives.into_iter().map(|wanted| Alternative { doubt: several.then(|| doubt.clone()), wanted });
    topology.sources = Sources::Known(alternatives.collect());
    topology
}

/// SUSE's servers on 443, and on 80 unless httpsOnly is set.
fn sles(topology: Topology) -> Topology {
    let hosts = [(443, false), (80, true)].map(|(port, perhaps)| wanted("smt-ec2.susecloud.net", port, AnsweredBy::Internet, perhaps));
    sources(topology, vec![hosts.to_vec()])
}

/// The bucket on 443, or the older mirror list on 80.
fn amazon_linux_2(topology: Topology) -> Topology {
    let bucket = wanted("amazonlinux-2-repos-eu-central-1.s3.dualstack.eu-central-1.amazonaws.com", 443, AnsweredBy::DualStackS3, false);
    let list = wanted("amazonlinux.eu-central-1.amazonaws.com", 80, AnsweredBy::S3, false);
    sources(topology, vec![vec![bucket], vec![list]])
}

fn rhel(topology: Topology) -> Topology {
    topology.patched_from(&[("rhui.eu-central-1.aws.ce.redhat.com", 443, AnsweredBy::Internet)])
}

/// An interface endpoint for S3 whose private DNS is for the whole VPC.
pub(crate) fn s3_interface_endpoint(topology: Topology, family: &'static str) -> Topology {
    topology.endpoint_group("sg-e", vec![https_to("10.0.0.0/16")]).endpoint("s3", &["subnet-e"]).each_endpoint(move |endpoint| {
        if endpoint.vpc_endpoint_type.as_deref() == Some("Interface") {
            endpoint.ip_address_type = Some(family.to_owned());
            endpoint.dns_options =
                Some(ec2::DnsOptions { private_dns_only_for_inbound_resolver_endpoint: Some(false), ..Default::default() });
        }
    })
}

#[test]
fn repositories() {
    let mirror = |blocks: &[&str]| AnsweredBy::Addresses(blocks.iter().map(|block| block.parse().unwrap()).collect());
    check(vec![
        ("1", base().ubuntu(), Repository, Blocked, &["NO_ROUTE_TO_DESTINATION"]),
        ("2", full().amazon_linux_2023(), Repository, Reachable, &[]),
        ("2", full().ubuntu(), Repository, Blocked, &["NO_ROUTE_TO_DESTINATION"]),
        ("3", base().nat().ubuntu(), Repository, Reachable, &[]),
        ("6", base().endpoints().route("rtb-main", blackhole("0.0.0.0/0", "nat-gone")).ubuntu(), Repository, Blocked, &["BAD_STATE_ROUTE"]),
        (
            "18",
            full().patched_from(&[("bucket.s3.us-east-1.amazonaws.com", 443, AnsweredBy::Internet)]),
            Repository,
            Blocked,
            &["NO_ROUTE_TO_DESTINATION"],
        ),
        (
            "18, with a NAT gateway",
            full().nat().patched_from(&[("bucket.s3.us-east-1.amazonaws.com", 443, AnsweredBy::Internet)]),
            Repository,
            Reachable,
            &[],
        ),
        ("29", base().nat().egress(&[allow("tcp", 0, 1024, "0.0.0.0/0")]).ubuntu(), Repository, Reachable, &[]),
        ("80", s3_interface_endpoint(base(), "ipv4").amazon_linux_2023(), Repository, Blocked, &["DNS_DUALSTACK_NOT_COVERED"]),
        ("80, a dual-stack endpoint", s3_interface_endpoint(base(), "dualstack").amazon_linux_2023(), Repository, Reachable, &[]),
        ("81", s3_interface_endpoint(base(), "ipv4").gateway_endpoint("rtb-main").amazon_linux_2023(), Repository, Reachable, &[]),
        ("134", base().nat().egress(&[https_to("0.0.0.0/0")]).ubuntu(), Repository, Blocked, &["REPO_PORT80_BLOCKED"]),
        ("135", sles(base().nat().egress(&[https_to("0.0.0.0/0")])), Repository, Unknown, &["repository_port"]),
        ("135, both ports open", sles(base().nat()), Repository, Reachable, &[]),
        ("135, neither", sles(base()), Repository, Blocked, &["NO_ROUTE_TO_DESTINATION"]),
        ("136", rhel(full()), Repository, Blocked, &["NO_ROUTE_TO_DESTINATION"]),
        ("137", amazon_linux_2(full().egress(&[https_to_list("pl-s3")])), Repository, Unknown, &["repository_unknown"]),
        ("137, both ports open", amazon_linux_2(full()), Repository, Reachable, &[]),
        ("137, no way at all", amazon_linux_2(base()), Repository, Blocked, &["NO_ROUTE_TO_DESTINATION"]),
        (
            "a part of the bucket's addresses",
            full().egress(&[https_to("52.0.0.0/8")]).amazon_linux_2023(),
            Repository,
            Partial,
            &["PREFIX_LIST_PARTIAL"],
        ),
        (
            "a mirror behind the VPN",
            base().route("rtb-main", route_to("192.168.0.0/16", "vgw-1")).patched_from(&[(
                "mirror.corp",
                443,
                mirror(&["192.168.7.0/24"]),
            )]),
            Repository,
            Unknown,
            &["on_prem"],
        ),
        (
            "a mirror without a route",
            base().patched_from(&[("mirror.corp", 443, mirror(&["192.168.7.0/24"]))]),
            Repository,
            Blocked,
            &["NO_ROUTE_TO_DESTINATION"],
        ),
        (
            "a mirror on the internet",
            base().nat().patched_from(&[("mirror.example.com", 8443, mirror(&["52.1.2.3/32"]))]),
            Repository,
            Reachable,
            &[],
        ),
        ("no packages", base(), Repository, NotNeeded, &[]),
    ]);
}

#[test]
fn the_users_word_on_what_lies_behind_a_gateway_is_taken() {
    let mut topology = base().route("rtb-main", route_to("0.0.0.0/0", "vgw-1")).ubuntu();
    topology.assumptions.insert(Assumption::LeadsToInternet("vgw-1".to_owned()));
    let path = topology.path(Repository);
    assert_eq!(path.verdict, Reachable, "{path:#?}");
    let inside = topology.clone().patched_from(&[("mirror.corp", 443, AnsweredBy::Addresses(vec!["192.168.7.9/32".parse().unwrap()]))]);
    assert_eq!(inside.path(Repository).verdict, Unknown, "the internet is not the network that a mirror of one's own stands in");
    let told = path.hops.iter().find(|hop| hop.resource == "vgw-1").map(|hop| hop.because.as_str());
    assert_eq!(told, Some("assumed to lead to the internet and back"), "{path:#?}");
}

/// A mirror that is a member of its clients' class keeps its name in what is told of them.
#[test]
fn a_mirror_among_its_clients_is_told_as_itself() {
    let mirror = AnsweredBy::Addresses(vec!["10.0.1.5/32".parse().unwrap()]);
    let topology = base().patched_from(&[("mirror.corp", 443, mirror)]).with(|files| {
        let instances = &mut files.instances.as_mut().unwrap().reservations[0].instances;
        let mut host = instances[0].clone();
        (host.instance_id, host.private_ip_address) = (some("i-0"), some("10.0.1.5"));
        let interface = &mut host.network_interfaces[0];
        (interface.network_interface_id, interface.private_ip_address) = (some("eni-mirror"), some("10.0.1.5"));
        instances.insert(0, host);
        files.network_interfaces.as_mut().unwrap().network_interfaces.push(ec2::NetworkInterface {
            network_interface_id: some("eni-mirror"),
            vpc_id: some("vpc-1"),
            subnet_id: some("subnet-p"),
            private_ip_address: some("10.0.1.5"),
            groups: vec![group_id("sg-i")],
            ..Default::default()
        });
    });
    let by_classes = topology.all_paths(true);
    assert_eq!(by_classes, topology.all_paths(false));
    let of_client = by_classes[1].iter().find(|path| path.host == "mirror.corp").unwrap();
    assert!(of_client.blockers.iter().any(|blocker| blocker.detail.ends_with("guards eni-mirror")), "{of_client:#?}");
}
