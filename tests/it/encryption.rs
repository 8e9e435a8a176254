//! VPC encryption controls: what a VPC in enforce mode does not carry, or under an exclusion alone
//! (<https://docs.aws.amazon.com/vpc/latest/userguide/vpc-encryption-controls.html>).

use patch_preflight::network::AnsweredBy;
use patch_preflight::network::Target::{Repository, S3, Ssm};
use patch_preflight::network::Verdict::{Blocked, Reachable, Unknown};
use patch_preflight::snapshot::ec2::{
    self, EncryptionSupport, TransitGatewayOptions, VpcEncryptionControl, VpcEncryptionControlExclusion, VpcEncryptionControlExclusions,
};
use patch_preflight::snapshot::{Gap, GapReason, RegionFiles};

use crate::astray::assume;
use crate::exact::check;
use crate::hub::{central, peered, peered_across_regions};
use crate::ipv6::by_egress_only_gateway;
use crate::repositories::s3_interface_endpoint;
use crate::topology::{ACCOUNT, ALL_IN, REGION, Topology, base, https_to, route_to, some};

const CODE: &[&str] = &["encryption_controls"];

/// A control of the VPC with exclusions for the named kinds of resources.
fn control(vpc: &str, mode: &str, state: &str, excluded: &[&str]) -> VpcEncryptionControl {
    let exclusion = |kind: &str| {
        let state = if excluded.contains(&kind) { "enabled" } else { "disabled" };
        Some(VpcEncryptionControlExclusion { state: some(state), state_message: None })
    };
    VpcEncryptionControl {
        vpc_encryption_control_id: some("vpcec-1"),
        vpc_id: some(vpc),
        mode: some(mode),
        state: some(state),
        resource_exclusions: Some(VpcEncryptionControlExclusions {
            internet_gateway: exclusion("igw"),
            egress_only_internet_gateway: exclusion("eigw"),
            nat_gateway: exclusion("nat"),
            virtual_private_gateway: exclusion("vgw"),
            vpc_peering: exclusion("pcx"),
            lambda: exclusion("lambda"),
            vpc_lattice: exclusion("lattice"),
            elastic_file_system: exclusion("efs"),
        }),
        ..Default::default()
    }
}

fn put(files: &mut RegionFiles, control: VpcEncryptionControl) {
    files.encryption_controls.as_mut().unwrap().vpc_encryption_controls.push(control);
}

impl Topology {
    /// The instance's VPC enforces encryption, but for these kinds of resources.
    pub(crate) fn enforcing(self, excluded: &[&str]) -> Self {
        self.controlled(control("vpc-1", "enforce", "available", excluded))
    }

    fn controlled(self, control: VpcEncryptionControl) -> Self {
        self.with(|files| put(files, control))
    }

    /// So does the hub's, in whichever Region it is.
    fn hub_enforcing(mut self, excluded: &[&str]) -> Self {
        self.others.values_mut().for_each(|files| put(files, control("vpc-h", "enforce", "available", excluded)));
        self
    }

    fn xen(self) -> Self {
        self.instance(|instance| instance.instance_type = some("m4.large"))
    }

    /// Whether the transit gateway supports encryption, as both accounts see it.
    fn encryption_support(mut self, state: &str) -> Self {
        let options =
            TransitGatewayOptions { encryption_support: Some(EncryptionSupport { encryption_state: some(state) }), ..Default::default() };
        for files in std::iter::once(&mut self.files).chain(self.others.values_mut()) {
            let gateways = files.transit_gateways.iter_mut().flat_map(|file| &mut file.transit_gateways);
            gateways.for_each(|gateway| gateway.options = Some(options.clone()));
        }
        self
    }
}

fn public() -> Topology {
    base().in_subnet("subnet-u", "10.0.9.10").public_address()
}

#[test]
fn gateways_need_exclusions() {
    let vpn = || assume(base().route("rtb-main", route_to("0.0.0.0/0", "vgw-1")), "vgw-1");
    let firewall = || {
        assume(base().route("rtb-main", route_to("0.0.0.0/0", "vpce-fw")), "vpce-fw").with(|files| {
            files.vpc_endpoints.as_mut().unwrap().vpc_endpoints.push(ec2::VpcEndpoint {
                vpc_endpoint_id: some("vpce-fw"),
                vpc_endpoint_type: some("GatewayLoadBalancer"),
                vpc_id: some("vpc-1"),
                state: some("available"),
                ..Default::default()
            });
        })
    };
    let by_ipv6 = || by_egress_only_gateway().amazon_linux_2023();
    check(vec![
        ("the internet gateway", public().enforcing(&["igw"]), Ssm, Reachable, &[], &[]),
        ("the internet gateway, without its exclusion", public().enforcing(&["nat", "eigw", "vgw", "pcx"]), Ssm, Unknown, &[], CODE),
        ("the NAT gateway and the internet gateway", base().nat().enforcing(&["igw", "nat"]), Ssm, Reachable, &[], &[]),
        ("the NAT gateway alone", base().nat().enforcing(&["nat"]), Ssm, Unknown, &[], CODE),
        ("the internet gateway alone", base().nat().enforcing(&["igw"]), Ssm, Unknown, &[], CODE),
        ("what leaves is encrypted by whoever sends it", base().nat().enforcing(&["igw", "nat"]).ubuntu(), Repository, Reachable, &[], &[]),
        ("the egress-only internet gateway", by_ipv6().enforcing(&["eigw"]), Repository, Reachable, &[], &[]),
        ("the egress-only internet gateway, without its exclusion", by_ipv6().enforcing(&["igw"]), Repository, Unknown, &[], CODE),
        ("a virtual private gateway, vouched for", vpn(), Ssm, Reachable, &[], &[]),
        ("a virtual private gateway, vouched for and excluded", vpn().enforcing(&["vgw"]), Ssm, Reachable, &[], &[]),
        ("a virtual private gateway, without its exclusion", vpn().enforcing(&["igw", "nat"]), Ssm, Unknown, &[], CODE),
        ("a firewall, vouched for", firewall(), Ssm, Reachable, &[], &[]),
        (
            "a firewall, which AWS does not support",
            firewall().enforcing(&["igw", "eigw", "nat", "vgw", "pcx", "lambda", "lattice", "efs"]),
            Ssm,
            Unknown,
            &[],
            CODE,
        ),
        (
            "what is blocked all the same",
            base().nat().enforcing(&[]).subnet_acl("subnet-p", &[ALL_IN]),
            Ssm,
            Blocked,
            &["SUBNET_ACL_RESTRICTION"],
            &[],
        ),
        (
            "no way at all, for which no exclusion would help",
            base().enforcing(&[]),
            S3,
            Blocked,
            &["NO_ROUTE_TO_DESTINATION", "ENDPOINT_MISSING"],
            &[],
        ),
    ]);
}

#[test]
fn only_enforce_mode_in_effect_counts() {
    let told = |mode: &str, state: &str| base().nat().controlled(control("vpc-1", mode, state, &[]));
    let without = |change: fn(&mut VpcEncryptionControl)| {
        let mut control = control("vpc-1", "enforce", "available", &["igw", "nat"]);
        change(&mut control);
        base().nat().controlled(control)
    };
    let half = |control: &mut VpcEncryptionControl| {
        let exclusions = control.resource_exclusions.as_mut().unwrap();
        exclusions.nat_gateway = Some(VpcEncryptionControlExclusion { state: some("disabling"), state_message: None });
    };
    let both = &["encryption_controls", "encryption_controls"];
    check(vec![
        ("monitor", told("monitor", "available"), Ssm, Reachable, &[], &[]),
        ("monitor, about to be", told("monitor", "creating"), Ssm, Reachable, &[], &[]),
        ("monitor, in AWS's word for a change", told("monitor", "modify-in-progress"), Ssm, Unknown, &[], CODE),
        ("from enforce to monitor", told("monitor", "monitor-in-progress"), Ssm, Unknown, &[], CODE),
        ("from enforce to monitor, in vain", told("monitor", "monitor-failed"), Ssm, Unknown, &[], CODE),
        ("from monitor to enforce", told("enforce", "enforce-in-progress"), Ssm, Unknown, &[], CODE),
        ("from monitor to enforce, in vain", told("enforce", "enforce-failed"), Ssm, Unknown, &[], CODE),
        ("enforce, about to end", told("enforce", "deleting"), Ssm, Unknown, &[], CODE),
        ("enforce that was", told("enforce", "deleted"), Ssm, Reachable, &[], &[]),
        ("monitor, about to end", told("monitor", "deleting"), Ssm, Reachable, &[], &[]),
        ("monitor that cannot end", told("monitor", "delete-failed"), Ssm, Reachable, &[], &[]),
        ("a mode of a later time", told("demand", "available"), Ssm, Unknown, &[], CODE),
        ("AWS's words in capitals", told("Monitor", "Available"), Ssm, Reachable, &[], &[]),
        ("no mode", without(|control| control.mode = None), Ssm, Unknown, &[], CODE),
        ("no state", without(|control| control.state = None), Ssm, Unknown, &[], CODE),
        ("no VPC", without(|control| control.vpc_id = None), Ssm, Unknown, &[], CODE),
        ("no exclusions told", without(|control| control.resource_exclusions = None), Ssm, Unknown, &[], both),
        ("another VPC's", without(|control| control.vpc_id = some("vpc-2")), Ssm, Reachable, &[], &[]),
        ("an exclusion that is about to end", without(half), Ssm, Unknown, &[], CODE),
        ("one that was, beside the one that is", told("enforce", "deleted").enforcing(&["igw"]), Ssm, Unknown, &[], CODE),
    ]);
}

#[test]
fn endpoints_take_what_is_encrypted() {
    let bucket =
        |port: u16| move |topology: Topology| topology.patched_from(&[("bucket.s3.eu-central-1.amazonaws.com", port, AnsweredBy::S3)]);
    let (http, https, other) = (bucket(80), bucket(443), bucket(8080));
    let on_all_ports = || s3_interface_endpoint(base(), "ipv4").endpoint_ingress(&[crate::topology::all_to("10.0.0.0/16")]);
    let by_gateway = || base().gateway_endpoint("rtb-main");
    let enforced = &["VPC_ENCRYPTION_CONTROLS_ENFORCED"];
    check(vec![
        ("443 to Systems Manager", base().endpoints().enforcing(&[]), Ssm, Reachable, &[], &[]),
        ("443 to S3", https(on_all_ports().enforcing(&[])), Repository, Reachable, &[], &[]),
        ("80 to S3", http(on_all_ports().enforcing(&["igw", "nat", "pcx"])), Repository, Blocked, enforced, &[]),
        ("80 to S3, nobody minds", http(on_all_ports()), Repository, Reachable, &[], &[]),
        (
            "80 to S3, monitored",
            http(on_all_ports().controlled(control("vpc-1", "monitor", "available", &[]))),
            Repository,
            Reachable,
            &[],
            &[],
        ),
        (
            "80 to S3, on the way to enforce mode",
            http(on_all_ports().controlled(control("vpc-1", "enforce", "enforce-in-progress", &[]))),
            Repository,
            Unknown,
            &[],
            CODE,
        ),
        ("a port of which AWS says nothing", other(on_all_ports().enforcing(&[])), Repository, Unknown, &[], CODE),
        ("443 to the gateway endpoint", by_gateway().enforcing(&[]), S3, Reachable, &[], &[]),
        ("80 to the gateway endpoint", http(by_gateway().enforcing(&[])), Repository, Unknown, &[], CODE),
        ("80 to the gateway endpoint, nobody minds", http(by_gateway()), Repository, Reachable, &[], &[]),
        ("an instance that encrypts nothing", base().endpoints().xen().enforcing(&[]), Ssm, Unknown, &[], CODE),
        ("an instance that encrypts nothing, nobody minds", base().endpoints().xen(), Ssm, Reachable, &[], &[]),
    ]);
}

#[test]
fn other_vpcs_must_encrypt_too() {
    let by_peering = || peered(vec![https_to("10.0.0.0/16")], "active");
    let across = || peered_across_regions(vec![https_to("10.0.0.0/16")]);
    check(vec![
        ("peering, both enforce", by_peering().enforcing(&[]).hub_enforcing(&[]), Ssm, Reachable, &[], &[]),
        ("peering, the near one enforces", by_peering().enforcing(&[]), Ssm, Unknown, &[], CODE),
        ("peering, the far one enforces", by_peering().hub_enforcing(&[]), Ssm, Unknown, &[], CODE),
        ("peering, the near one excludes it", by_peering().enforcing(&["pcx"]), Ssm, Reachable, &[], &[]),
        ("peering, the far one excludes it", by_peering().hub_enforcing(&["pcx"]), Ssm, Reachable, &[], &[]),
        ("peering, both exclude it", by_peering().enforcing(&["pcx"]).hub_enforcing(&["pcx"]), Ssm, Reachable, &[], &[]),
        ("peering, the near one excludes something else", by_peering().enforcing(&["efs"]).hub_enforcing(&[]), Ssm, Unknown, &[], CODE),
        ("peering, the far one excludes something else", by_peering().enforcing(&[]).hub_enforcing(&["nat"]), Ssm, Unknown, &[], CODE),
        ("peering, one excludes it and one does not", by_peering().enforcing(&["pcx"]).hub_enforcing(&[]), Ssm, Unknown, &[], CODE),
        ("peering across Regions, both enforce", across().enforcing(&[]).hub_enforcing(&[]), Ssm, Unknown, &[], CODE),
        ("peering across Regions, both exclude it", across().enforcing(&["pcx"]).hub_enforcing(&["pcx"]), Ssm, Reachable, &[], &[]),
        ("a transit gateway", central().enforcing(&[]), Ssm, Unknown, &[], CODE),
        ("a transit gateway, the far VPC enforces", central().hub_enforcing(&[]), Ssm, Unknown, &[], CODE),
        (
            "a transit gateway that encrypts",
            central().enforcing(&[]).hub_enforcing(&[]).encryption_support("enabled"),
            Ssm,
            Reachable,
            &[],
            &[],
        ),
        (
            "a transit gateway that encrypts, one VPC enforces",
            central().enforcing(&[]).encryption_support("enabled"),
            Ssm,
            Reachable,
            &[],
            &[],
        ),
        ("a transit gateway that is about to", central().enforcing(&[]).encryption_support("enabling"), Ssm, Unknown, &[], CODE),
        ("a transit gateway, nobody minds", central().encryption_support("disabled"), Ssm, Reachable, &[], &[]),
    ]);
}

/// Without the file a VPC may enforce encryption; where AWS does not offer the call, none does.
#[test]
fn what_was_not_collected_is_not_known() {
    let without = |topology: Topology| topology.with(|files| files.encryption_controls = None);
    let missing: &[&str] = &["fact_not_collected"];
    check(vec![
        ("the NAT gateway", without(base().nat()), Ssm, Unknown, &[], missing),
        ("the interface endpoints", without(base().endpoints()), Ssm, Reachable, &[], &[]),
        ("the gateway endpoint", without(base().gateway_endpoint("rtb-main")), S3, Reachable, &[], &[]),
        ("an instance on Xen", without(base().endpoints().xen()), Ssm, Unknown, &[], missing),
        ("what is blocked all the same", without(base().nat().egress(&[])), Ssm, Blocked, &["SG_HAS_NO_RULES"], &[]),
    ]);
    let told = |reason: GapReason| {
        let topology = without(base().nat());
        let mut snapshot = topology.snapshot();
        snapshot.manifest.gaps = vec![Gap {
            account_id: ACCOUNT.to_owned(),
            region: some(REGION),
            operation: "ec2:DescribeVpcEncryptionControls".to_owned(),
            reason,
            message: String::new(),
            request_id: None,
        }];
        topology.path_in(&snapshot, Ssm).verdict
    };
    assert_eq!(told(GapReason::Unsupported), Reachable);
    assert_eq!(told(GapReason::AccessDenied), Unknown);
}
